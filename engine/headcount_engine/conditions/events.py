"""Binding of aggregates over events."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, assert_never

from headcount_engine.conditions.bound import Bound, EventSum, NumberTest, TypeSource
from headcount_engine.conditions.tree import (
    Aggregate,
    BetweenTest,
    CompareTest,
    Function,
    InTest,
    Op,
    ValueTest,
)
from headcount_engine.errors import InvalidRule
from headcount_engine.model.values import NUMERIC, Kind, Literal, Number

if TYPE_CHECKING:
    from headcount_engine.conditions.bind import Binder


def bind_aggregate(binder: Binder, node: Aggregate) -> Bound:
    """An aggregate over the matching events that have the property."""
    match node.function:
        case Function.SUM | Function.AVG:
            return _bind_sum(binder, node)
        case Function.MIN | Function.MAX | Function.DISTINCT | Function.FIRST | Function.LAST:
            raise InvalidRule("this aggregate is not evaluated yet")
        case _:
            assert_never(node.function)


def _bind_sum(binder: Binder, node: Aggregate) -> EventSum:
    sources: list[TypeSource] = []
    digits: list[int] = []
    refused = None
    for source in binder.sources(node.events):
        field = binder.property_field(node.property, source.type)
        if field is None:
            continue
        if field.type.kind not in NUMERIC:
            refused = InvalidRule(f"{node.function.value} needs numbers; {field.name!r} is {field.type}")
            continue
        sources.append(source)
        digits.append(-1 if field.type.kind is Kind.FLOAT else field.type.digits)
    if refused is not None and not sources:
        raise refused
    is_float = -1 in digits
    return EventSum(
        node.function,
        tuple(sources),
        binder.event_span(node.window),
        node.property,
        tuple(digits),
        number_test(node.test, is_float=is_float),
    )


def number_test(test: ValueTest, *, is_float: bool) -> NumberTest:
    """The test of an aggregate's value as exact fractions; raises InvalidRule if an operand is no number."""

    def exact(operand: Literal) -> Fraction:
        if not isinstance(operand, Number):
            raise InvalidRule("this aggregate is a number: compare it with a number")
        if is_float and isinstance(operand.value, Decimal):
            return Fraction(float(operand.value))
        return Fraction(operand.value)

    match test:
        case CompareTest(op, operand):
            return NumberTest(op, (exact(operand),))
        case BetweenTest(low, high):
            if exact(low) > exact(high):
                raise InvalidRule("`between a and b` needs a <= b")
            return NumberTest(Op.GE, (exact(low), exact(high)))
        case InTest(operands, negated):
            return NumberTest(None, tuple(exact(o) for o in operands), negated)
        case _:
            assert_never(test)
