"""Comparing one value with literals: numbers exactly, texts folded, sets element by element."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from headcount_engine.conditions.tree import Fold, Op, SetOp
from headcount_engine.model.values import Bool, Cell, Date, Instant, Kind, Literal, Number, Point, Text
from tests.oracle.calendars import date_of, start_of_day
from tests.oracle.texts import folded
from tests.oracle.world import Refused

AnyNumber = int | Decimal | float | Fraction


def kind_of(cell: Cell) -> Kind:
    """The kind of a value as Python holds it."""
    match cell:
        case bool():
            return Kind.BOOL
        case int():
            return Kind.INT
        case Decimal():
            return Kind.DECIMAL
        case float():
            return Kind.FLOAT
        case str():
            return Kind.TEXT
        case frozenset():
            return Kind.TEXT_SET
        case Instant():
            return Kind.INSTANT
        case Date():
            return Kind.DATE
        case Point():
            return Kind.POINT
        case _:
            assert_never(cell)


def literal_fits(kind: Kind, literal: Literal) -> bool:
    """Whether the literal belongs to the family of that kind."""
    match literal:
        case Bool():
            return kind is Kind.BOOL
        case Number():
            return kind in (Kind.INT, Kind.DECIMAL, Kind.FLOAT)
        case Text():
            return kind in (Kind.TEXT, Kind.TEXT_SET)
        case Instant():
            return kind is Kind.INSTANT
        case Date():
            return kind in (Kind.INSTANT, Kind.DATE)
        case _:
            assert_never(literal)


def order(a: Fraction | int, b: Fraction | int) -> int:
    return (a > b) - (a < b)


def order_number(value: AnyNumber, literal: Number) -> int:
    """-1, 0 or 1. Exact, but a double meets a literal such as 0.1 as the double that 0.1 is read as."""
    if isinstance(value, float) and isinstance(literal.value, Decimal):
        return order(Fraction(value), Fraction(float(literal.value)))
    return order(Fraction(value), Fraction(literal.value))


def order_cell(cell: Cell | Fraction, literal: Literal, zone: str) -> int | None:
    """-1, 0 or 1; None where the two cannot be compared. A date is the start of its day where an instant is meant."""
    match cell, literal:
        case bool(), Bool(value):
            return order(cell, value)
        case bool(), _:
            return None
        case ((int() | Decimal() | float() | Fraction()), Number()):
            return order_number(cell, literal)
        case Instant(us), Instant(other):
            return order(us, other)
        case Instant(us), Date(days):
            return order(us, start_of_day(date_of(days), zone))
        case Date(days), Date(other):
            return order(days, other)
        case _:
            return None


def equals(cell: Cell | Fraction | None, literal: Literal, fold: Fold, zone: str) -> bool:
    """False where absent; for a set, whether some element equals."""
    match cell, literal:
        case None, _:
            return False
        case frozenset(), _:
            return any(equals(element, literal, fold, zone) for element in cell)
        case str(), Text(text):
            return folded(cell, fold) == folded(text, fold)
        case _:
            return order_cell(cell, literal, zone) == 0


def place(cell: Cell) -> Fraction:
    """Where a number, instant or date stands among its like."""
    match cell:
        case Instant(us):
            return Fraction(us)
        case Date(days):
            return Fraction(days)
        case int() | Decimal() | float():
            return Fraction(cell)
        case _:
            raise Refused("only numbers, instants and dates have an order")


def op_holds(op: Op, sign: int) -> bool:
    """Whether `a op b` where `sign` is the order of a and b."""
    match op:
        case Op.EQ:
            return sign == 0
        case Op.NE:
            return sign != 0
        case Op.LT:
            return sign < 0
        case Op.LE:
            return sign <= 0
        case Op.GT:
            return sign > 0
        case Op.GE:
            return sign >= 0
        case _:
            assert_never(op)


def compare(cell: Cell | Fraction | None, op: Op, literal: Literal, fold: Fold, zone: str) -> bool:
    """The positive comparisons are false where absent; NE is the complement of EQ."""
    if op is Op.EQ:
        return equals(cell, literal, fold, zone)
    if op is Op.NE:
        return not equals(cell, literal, fold, zone)
    sign = None if cell is None else order_cell(cell, literal, zone)
    return sign is not None and op_holds(op, sign)


def set_matches(cell: Cell | None, op: SetOp, values: frozenset[str]) -> bool:
    """Absent is in no set relation, so NONE_OF, the complement of ANY_OF, holds there."""
    elements = cell if isinstance(cell, frozenset) else None
    match op:
        case SetOp.ANY_OF:
            return elements is not None and bool(elements & values)
        case SetOp.NONE_OF:
            return elements is None or not elements & values
        case SetOp.ALL_OF:
            return elements is not None and elements >= values
        case SetOp.EXACTLY:
            return elements is not None and elements == values
        case _:
            assert_never(op)
