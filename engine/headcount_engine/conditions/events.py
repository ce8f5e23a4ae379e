"""Binding of leaves on events other than plain counts.

Whatever can be said by counting is: the smallest value is at least x if there is one and none is below, the first
time lies in a window if there is one there and none before, a frequency is a count in each of several periods.
"""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import TYPE_CHECKING, assert_never

from headcount_engine.conditions import fields
from headcount_engine.conditions.bound import (
    Always,
    And,
    Bound,
    Complement,
    CountOf,
    EventCount,
    EventDays,
    EventDistinct,
    EventExtreme,
    EventSequence,
    EventSum,
    EventTest,
    NumberTest,
    Or,
    PropertyTest,
    TypeSource,
    counted,
    negated,
)
from headcount_engine.conditions.fields import Field
from headcount_engine.conditions.spans import EVER, Moment, Span, shift_units, unit_start
from headcount_engine.conditions.tree import (
    AT_LEAST_ONCE,
    NEVER,
    ActiveDays,
    Aggregate,
    AttributeLeaf,
    Between,
    BetweenTest,
    Compare,
    CompareTest,
    Frequency,
    Function,
    In,
    InTest,
    LastPerformed,
    Op,
    Sequence,
    ValueTest,
)
from headcount_engine.conditions.windows import Duration
from headcount_engine.errors import InvalidRule
from headcount_engine.indexes.predicates import Present
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.instants import local_date, start_of_day_us
from headcount_engine.model.values import NUMERIC, TEMPORAL, Kind, Literal, Number

if TYPE_CHECKING:
    from headcount_engine.conditions.bind import Binder

_MIRRORED = {Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE, Op.EQ: Op.EQ, Op.NE: Op.NE}


def bind_aggregate(binder: Binder, node: Aggregate) -> Bound:
    """An aggregate over the matching events that have the property."""
    match node.function:
        case Function.SUM | Function.AVG:
            return _bind_sum(binder, node)
        case Function.DISTINCT:
            return _bind_distinct(binder, node)
        case Function.MIN | Function.MAX:
            return _Extent(binder, node).bind(node.test)
        case Function.FIRST | Function.LAST:
            return _bind_first_or_last(binder, node)
        case _:
            assert_never(node.function)


# ------------------------------------------------------------------------------------------------ numbers


def _bind_sum(binder: Binder, node: Aggregate) -> EventSum:
    sources: list[TypeSource] = []
    digits: list[int] = []
    refused = None
    test = number_test(node.test)
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
    span = binder.event_span(node.window)
    return EventSum(node.function, tuple(sources), span, node.property, tuple(digits), test)


def _bind_distinct(binder: Binder, node: Aggregate) -> EventDistinct:
    sources, found = [], []
    for source in binder.sources(node.events):
        field = binder.property_field(node.property, source.type)
        if field is not None:
            sources.append(source)
            found.append(field)
    span = binder.event_span(node.window)
    return EventDistinct(tuple(sources), span, node.property, tuple(found), number_test(node.test))


def number_test(test: ValueTest) -> NumberTest:
    """The test of a number as exact fractions; raises InvalidRule if an operand is none."""

    def exact(operand: Literal) -> Fraction:
        if not isinstance(operand, Number):
            raise InvalidRule("this aggregate is a number: compare it with a number")
        return Fraction(operand.value)

    match test:
        case CompareTest(op, operand):
            return NumberTest(op, (exact(operand),))
        case BetweenTest(low, high):
            if exact(low) > exact(high):
                raise InvalidRule("`between a and b` needs a <= b")
            return NumberTest(Op.GE, (exact(low), exact(high)))
        case InTest(operands, is_negated):
            return NumberTest(None, tuple(exact(o) for o in operands), is_negated)
        case _:
            assert_never(test)


# ------------------------------------------------------------------------------------------------ values


def _leaf(name: str, test: ValueTest) -> AttributeLeaf:
    """The test of an aggregate's value as the leaf that tests the property itself."""
    match test:
        case CompareTest(op, operand):
            return Compare(name, op, operand)
        case BetweenTest(low, high):
            return Between(name, low, high)
        case InTest(operands, is_negated):
            return In(name, operands, is_negated)
        case _:
            assert_never(test)


def _value_test(binder: Binder, field: Field, test: ValueTest) -> EventTest:
    """Whether the property of an event that has it passes; raises InvalidRule if operand and type do not fit."""
    found = fields.bind_field(_leaf(field.name, test), field, binder.moment)
    tests: list[EventTest] = [PropertyTest(field.name, p) for p in found.any_of]
    bound = counted(1, len(tests), tests)
    return negated(bound) if found.negated else bound


def _with(source: TypeSource, *tests: EventTest) -> TypeSource | None:
    """The source with more to pass; None if nothing can."""
    held = [] if source.where is None else [source.where]
    where = counted(len(held) + len(tests), len(held) + len(tests), [*held, *tests])
    if where == Always(False):
        return None
    return TypeSource(source.type, None if where == Always(True) else where)


def _valued_sources(
    binder: Binder, node: Aggregate, test: ValueTest, *, is_ordered: bool
) -> list[tuple[TypeSource, Field, EventTest]]:
    """Sources whose property can take the test, limited to events that have it.

    Raises if the property can take it of none of the event types, whatever `where` lets pass of them.
    """
    found = []
    refused = None
    is_taken = False
    sources = {source.type.name: source for source in binder.sources(node.events)}
    for held in binder.types(node.events.name):
        field = binder.property_field(node.property, held)
        if field is None:
            continue
        if is_ordered and field.type.kind not in NUMERIC | TEMPORAL:
            refused = InvalidRule(f"{node.function.value} needs an order; {field.name!r} is {field.type}")
            continue
        try:
            passes = _value_test(binder, field, test)
        except InvalidRule as error:
            refused = error
            continue
        is_taken = True
        source = sources.get(held.name)
        present = None if source is None else _with(source, PropertyTest(field.name, Present()))
        if present is not None:
            found.append((present, field, passes))
    if refused is not None and not is_taken:
        raise refused
    return found


class _Extent:
    """min or max of a property, said by counting values inside and beyond."""

    def __init__(self, binder: Binder, node: Aggregate) -> None:
        self._binder = binder
        self._node = node
        self._span = binder.event_span(node.window)
        self._is_min = node.function is Function.MIN

    def bind(self, test: ValueTest) -> Bound:
        match test:
            case CompareTest(op, operand):
                return self._compare(op, operand)
            case BetweenTest(low, high):
                nearest = low if self._is_min else high
                return And((self._some(test), self._none_beyond(nearest, Op.LT)))
            case InTest(operands, False):
                return Or(tuple(self._compare(Op.EQ, o) for o in operands))
            case InTest(operands, _):
                return And((self._any(test), Complement(self.bind(InTest(operands)))))
            case _:
                assert_never(test)

    def _compare(self, op: Op, operand: Literal) -> Bound:
        """For min; max is its mirror image."""
        test = CompareTest(op, operand)
        match op if self._is_min else _MIRRORED[op]:
            case Op.LT | Op.LE:
                return self._some(test)
            case Op.GE:
                return And((self._any(test), self._none_beyond(operand, Op.LT)))
            case Op.GT:
                return And((self._any(test), self._none_beyond(operand, Op.LE)))
            case Op.EQ:
                return And((self._some(test), self._none_beyond(operand, Op.LT)))
            case Op.NE:
                return And((self._any(test), Complement(self._compare(Op.EQ, operand))))

    def _sources(self, test: ValueTest, *, is_any: bool = False) -> tuple[TypeSource, ...]:
        found = _valued_sources(self._binder, self._node, test, is_ordered=True)
        chosen = (source if is_any else _with(source, passes) for source, _, passes in found)
        return tuple(source for source in chosen if source is not None)

    def _some(self, test: ValueTest) -> Bound:
        return EventCount(self._sources(test), self._span, AT_LEAST_ONCE)

    def _any(self, test: ValueTest) -> Bound:
        """Some value at all, among sources that the test fits."""
        return EventCount(self._sources(test, is_any=True), self._span, AT_LEAST_ONCE)

    def _none_beyond(self, operand: Literal, op: Op) -> Bound:
        beyond = CompareTest(op if self._is_min else _MIRRORED[op], operand)
        return EventCount(self._sources(beyond), self._span, NEVER)


def _bind_first_or_last(binder: Binder, node: Aggregate) -> EventExtreme:
    found = _valued_sources(binder, node, node.test, is_ordered=False)
    return EventExtreme(
        tuple(source for source, _, _ in found),
        tuple(passes for _, _, passes in found),
        binder.event_span(node.window),
        node.function is Function.LAST,
    )


def bind_extreme(binder: Binder, node: LastPerformed) -> EventExtreme:
    """The latest event that passes `where`, then `has` on it."""
    sources = binder.sources(node.events)
    passes = tuple(binder.event_test(node.has, source.type) for source in sources)
    return EventExtreme(sources, passes, binder.event_span(None), is_latest=True)


# ------------------------------------------------------------------------------------------------ time


def bind_days(binder: Binder, node: ActiveDays) -> EventDays:
    """Distinct calendar days in the leaf's zone, else the workspace's."""
    zone = node.zone or binder.moment.zone
    return EventDays(binder.sources(node.events), binder.event_span(node.window), zone, node.count)


def bind_frequency(binder: Binder, node: Frequency) -> CountOf:
    """A count in each period, then how many periods pass."""
    sources = binder.sources(node.events)
    parts = tuple(EventCount(sources, span, node.count) for span in periods(node, binder.moment))
    return CountOf(node.at_least, node.of_last, parts)


def periods(node: Frequency, moment: Moment) -> list[Span]:
    """(now - iP, now - (i-1)P] for i = 1..n; of a calendar unit the last n full ones."""
    count = node.of_last
    if isinstance(node.period, Duration):
        length = node.period.us
        return [
            Span(moment.now_us - i * length + 1, moment.now_us - (i - 1) * length)
            for i in range(1, count + 1)
        ]
    zone = node.zone or moment.zone
    this = unit_start(local_date(moment.now_us, zone), node.period, moment.week_starts_on)
    starts = [_start_us(shift_units(this, node.period, -i), zone) for i in range(count + 1)]
    return [Span(starts[i], starts[i - 1] - 1) for i in range(1, count + 1)]


def _start_us(day: dt.date, zone: str) -> int:
    return INSTANT_MIN_US if day == dt.date.min else start_of_day_us(day, zone)


def bind_sequence(binder: Binder, node: Sequence) -> EventSequence:
    """Both events in the outer window; of `then not` only the first, and what must not come counts up to now."""
    span = binder.event_span(node.window)
    now_us = binder.moment.now_us
    return EventSequence(
        binder.sources(node.first),
        binder.sources(node.then),
        span,
        Span(EVER.first, now_us) if node.negated else span,
        node.within.us,
        node.negated,
        now_us - node.within.us if node.matured else now_us,
    )
