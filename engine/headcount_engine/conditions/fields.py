"""Leaves on one value - of an attribute or of an event's property - turned into predicates on what is stored.

Both kinds of field are bound by the same code, so a comparison means the same in a rule and in a `where`.
"""

from __future__ import annotations

import calendar
import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

import numpy as np

from headcount_engine.conditions import texts
from headcount_engine.conditions.spans import Moment, bound_us, date_span, instant_span
from headcount_engine.conditions.tree import (
    Anniversary,
    AttributeLeaf,
    Between,
    Compare,
    Exists,
    Fold,
    HasBeen,
    In,
    InWindow,
    IsEmpty,
    Op,
    Semver,
    SetMatch,
    SetOp,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
)
from headcount_engine.errors import InvalidRule
from headcount_engine.indexes.dictionaries import (
    FALSE_CODE,
    TRUE_CODE,
    Dictionary,
    SetDictionary,
    TextDictionary,
)
from headcount_engine.indexes.predicates import (
    Coded,
    Inside,
    Listed,
    MonthDays,
    Near,
    Nothing,
    Predicate,
    Present,
    Range,
)
from headcount_engine.model.batches import U8, U32, Texts
from headcount_engine.model.instants import local_date
from headcount_engine.model.values import (
    NUMERIC,
    TEMPORAL,
    Bool,
    Date,
    Instant,
    Kind,
    Literal,
    Number,
    Text,
    ValueType,
)

_LEAST, _MOST = -(1 << 63) + 1, (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """An attribute or property: its name for messages, its type and, if coded, its dictionary as of the view."""

    name: str
    type: ValueType
    dictionary: Dictionary | None
    entries: int


@dataclass(frozen=True, slots=True)
class FieldTest:
    """Values that pass one of `any_of`; with `negated`, all others, absent included unless `when_present`."""

    any_of: tuple[Predicate, ...]
    negated: bool = False
    when_present: bool = False


def bind_field(leaf: AttributeLeaf, field: Field, moment: Moment) -> FieldTest:
    """The test that a leaf makes of a field's stored values. Raises InvalidRule where operand and type do not fit."""
    match leaf:
        case Compare(_, op, operand, fold, when_present):
            return _compare(field, op, operand, fold, when_present, moment)
        case In(_, operands, negated, fold, when_present):
            return FieldTest(_one_of(field, operands, fold, moment), negated, when_present)
        case Between(_, low, high):
            return FieldTest((_between(field, low, high, moment),))
        case Exists():
            return FieldTest((Present(),))
        case IsEmpty():
            return FieldTest((_filled(field),), negated=True)
        case TextMatch(_, text_op, pattern, fold):
            return FieldTest(
                (_decided(field, (text_op, pattern, fold), texts.matcher(text_op, pattern, fold)),)
            )
        case Semver(_, op, version):
            negated = op is Op.NE
            decide = texts.semver_test(Op.EQ if negated else op, version)
            return FieldTest(
                (_decided(field, ("semver", Op.EQ if negated else op, version), decide),), negated
            )
        case SetMatch(_, set_op, values):
            return _set_match(field, set_op, values)
        case SizeCompare(_, op, size):
            return FieldTest((_size(field, op, size),))
        case InWindow(_, window):
            if field.type.kind is Kind.DATE:
                days = date_span(window, moment)
                return FieldTest((_range(days.first, days.last),))
            _need(field, Kind.INSTANT, "a window in time")
            span = instant_span(window, moment, of_events=False)
            return FieldTest((_range(span.first, span.last),))
        case WithinRadius(_, center, radius_m):
            _need(field, Kind.POINT, "a distance")
            return FieldTest((Near(center.latitude, center.longitude, float(radius_m.value)),))
        case WithinBox(_, south_west, north_east):
            _need(field, Kind.POINT, "a box")
            return FieldTest(
                (
                    Inside(
                        south_west.latitude, south_west.longitude, north_east.latitude, north_east.longitude
                    ),
                )
            )
        case Anniversary(_, in_next_days, zone):
            return FieldTest((_anniversary(field, in_next_days, zone or moment.zone, moment),))
        case HasBeen():
            raise InvalidRule("`has been` is about an attribute of a profile, not about an event")
        case _:
            assert_never(leaf)


# ------------------------------------------------------------------------------------------------ scalars


def _mismatch(field: Field, operand: Literal) -> InvalidRule:
    kinds = {Bool: "a bool", Number: "a number", Text: "a text", Instant: "an instant", Date: "a date"}
    return InvalidRule(f"{field.name!r} is {field.type}, which does not compare with {kinds[type(operand)]}")


def _need(field: Field, kind: Kind, what: str) -> None:
    if field.type.kind is not kind:
        raise InvalidRule(f"{what} needs {'an' if kind is Kind.INSTANT else 'a'} {kind.value}; "
                          f"{field.name!r} is {field.type}")  # fmt: skip


def _compare(
    field: Field, op: Op, operand: Literal, fold: Fold, when_present: bool, moment: Moment
) -> FieldTest:
    if op in (Op.EQ, Op.NE):
        return FieldTest(_one_of(field, (operand,), fold, moment), op is Op.NE, when_present)
    if field.type.kind in (Kind.BOOL, Kind.TEXT, Kind.TEXT_SET, Kind.POINT):
        raise InvalidRule(f"{field.name!r} is {field.type}, which has no order: use = or !=")
    return FieldTest((ordered(field, op, operand, moment),))


def _one_of(field: Field, operands: tuple[Literal, ...], fold: Fold, moment: Moment) -> tuple[Predicate, ...]:
    """Values equal to one of the operands (on a set: with such an element)."""
    match field.type.kind:
        case Kind.BOOL:
            codes = []
            for operand in operands:
                if not isinstance(operand, Bool):
                    raise _mismatch(field, operand)
                codes.append(TRUE_CODE if operand.value else FALSE_CODE)
            return tuple(Range(c, c) for c in sorted(set(codes)))
        case Kind.TEXT | Kind.TEXT_SET:
            return _one_of_texts(field, operands, fold)
        case Kind.POINT:
            raise InvalidRule(f"{field.name!r} is a point: use a distance or a box")
        case _:
            if fold is not Fold.NONE:
                raise InvalidRule(f"{field.name!r} is {field.type}: only texts ignore case or accents")
            found = {v for o in operands if (v := exact_stored(field, o, moment)) is not None}
            if len(found) <= 1:
                return tuple(_range(v, v) for v in found) or (Nothing(),)
            return (Listed(tuple(sorted(found))),)


def _one_of_texts(field: Field, operands: tuple[Literal, ...], fold: Fold) -> tuple[Predicate, ...]:
    wanted = []
    for operand in operands:
        if not isinstance(operand, Text):
            raise _mismatch(field, operand)
        wanted.append(texts.fold_text(operand.value, fold))
    if isinstance(field.dictionary, TextDictionary) and fold is Fold.NONE:
        codes = field.dictionary.find(Texts.of(sorted(set(wanted))))
        held = codes[(codes > 0) & (codes <= field.entries)].tolist()
        if len(held) <= 16:
            return tuple(Range(c, c) for c in held) or (Nothing(),)
        table = np.zeros(field.entries + 1, dtype=np.uint8)
        table[held] = 1
        return (Coded(("in", tuple(sorted(held))), table),)
    key = ("equal", fold, tuple(sorted(set(wanted))))
    return (_decided(field, key, texts.equals_any(frozenset(wanted), fold)),)


def _range(low: int | float, high: int | float) -> Predicate:
    return Range(low, high) if low <= high else Nothing()


def _between(field: Field, low: Literal, high: Literal, moment: Moment) -> Predicate:
    if field.type.kind not in NUMERIC | TEMPORAL:
        raise InvalidRule(f"{field.name!r} is {field.type}, which has no order")
    if isinstance(low, Number) and isinstance(high, Number) and low.value > high.value:
        raise InvalidRule("`between a and b` needs a <= b")
    if isinstance(low, Instant) and isinstance(high, Instant) and low.us > high.us:
        raise InvalidRule("`between a and b` needs a <= b")
    if isinstance(low, Date) and isinstance(high, Date) and low.days > high.days:
        raise InvalidRule("`between a and b` needs a <= b")
    first, last = ordered(field, Op.GE, low, moment), ordered(field, Op.LE, high, moment)
    if isinstance(first, Range) and isinstance(last, Range):
        return _range(max(first.low, last.low), min(first.high, last.high))
    return Nothing()


def _anniversary(field: Field, in_next_days: int, zone: str, moment: Moment) -> Predicate:
    """The month and day of today, or of some day from tomorrow on; 29 February counts as 1 March in other years."""
    if field.type.kind not in TEMPORAL:
        raise InvalidRule(f"an anniversary needs a date or an instant; {field.name!r} is {field.type}")
    today = local_date(moment.now_us, zone)
    wanted = set()
    for ahead in [0] if in_next_days == 0 else range(1, in_next_days + 1):
        day = dt.date.fromordinal(min(today.toordinal() + ahead, dt.date.max.toordinal()))
        wanted.add(32 * day.month + day.day)
        if (day.month, day.day) == (3, 1) and not calendar.isleap(day.year):
            wanted.add(32 * 2 + 29)
    return MonthDays(frozenset(wanted), zone if field.type.kind is Kind.INSTANT else None)


def operand_fraction(operand: Number, kind: Kind) -> Fraction:
    """The exact value an operand stands for beside values of a kind.

    Beside doubles a fraction is the double it reads as (so that `= 0.1` finds 0.1); whole numbers stay exact.
    """
    if kind is Kind.FLOAT and isinstance(operand.value, Decimal):
        return Fraction(float(operand.value))
    return Fraction(operand.value)


def exact_stored(field: Field, operand: Literal, moment: Moment) -> int | float | None:
    """The stored value equal to an operand; None if no stored value can be."""
    match field.type.kind, operand:
        case Kind.INSTANT, Instant() | Date():
            return bound_us(operand, moment)
        case Kind.DATE, Date(days):
            return days
        case Kind.FLOAT, Number():
            exact = operand_fraction(operand, Kind.FLOAT)
            try:
                double = float(exact)
            except OverflowError:
                return None
            return double if Fraction(double) == exact else None
        case ((Kind.INT | Kind.DECIMAL), Number(value)):
            scaled = Fraction(value) * 10**field.type.digits
            whole = int(scaled)
            return whole if whole == scaled and _LEAST <= whole <= _MOST else None
        case _:
            raise _mismatch(field, operand)


def ordered(field: Field, op: Op, operand: Literal, moment: Moment) -> Predicate:
    """The range of stored values on one side of an operand, exactly."""
    if field.type.kind is Kind.FLOAT and isinstance(operand, Number):
        return _ordered_doubles(op, operand_fraction(operand, Kind.FLOAT))
    if field.type.kind in NUMERIC and isinstance(operand, Number):
        limit = Fraction(operand.value) * 10**field.type.digits
    else:
        stored = exact_stored(field, operand, moment)
        assert stored is not None
        limit = Fraction(stored)
    match op:
        case Op.LT:
            return _range(_LEAST, min(math.ceil(limit) - 1, _MOST))
        case Op.LE:
            return _range(_LEAST, min(math.floor(limit), _MOST))
        case Op.GT:
            return _range(max(math.floor(limit) + 1, _LEAST), _MOST)
        case _:
            return _range(max(math.ceil(limit), _LEAST), _MOST)


def _ordered_doubles(op: Op, limit: Fraction) -> Predicate:
    try:
        nearest = float(limit)
    except OverflowError:
        nearest = math.inf if limit > 0 else -math.inf
    if math.isinf(nearest):
        below = above = nearest
    else:
        below = nearest if Fraction(nearest) <= limit else math.nextafter(nearest, -math.inf)
        above = nearest if Fraction(nearest) >= limit else math.nextafter(nearest, math.inf)
    match op:
        case Op.LT:
            return _range(-math.inf, below if below < limit else math.nextafter(below, -math.inf))
        case Op.LE:
            return _range(-math.inf, below)
        case Op.GT:
            return _range(above if above > limit else math.nextafter(above, math.inf), math.inf)
        case _:
            return _range(above, math.inf)


# ------------------------------------------------------------------------------------------------ texts and sets


def _decided(field: Field, key: tuple[object, ...], decide: texts.Decide) -> Predicate:
    """A table over distinct texts; on a set, whether some element passes."""
    match field.dictionary:
        case TextDictionary():
            return Coded(key, field.dictionary.passes(key, decide, field.entries))
        case SetDictionary():
            return Coded(
                key,
                field.dictionary.passes_count(key, decide, lambda found, _: _u8(found > 0), field.entries),
            )
        case None:
            raise InvalidRule(f"{field.name!r} is {field.type}, not a text")
        case _:
            assert_never(field.dictionary)


def _filled(field: Field) -> Predicate:
    """Present and neither "" nor []."""
    match field.dictionary:
        case TextDictionary():
            decide: texts.Decide = lambda entries: [bool(t) for t in entries]  # noqa: E731
            return Coded(("filled",), field.dictionary.passes(("filled",), decide, field.entries))
        case SetDictionary():
            return _sets(field, ("filled",), (), lambda _, sizes: _u8(sizes > 0))
        case None:
            return Present()
        case _:
            assert_never(field.dictionary)


def _u8(passing: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> U8:
    return passing.astype(np.uint8)


def _sets(
    field: Field, key: tuple[object, ...], wanted: tuple[str, ...], test: Callable[[U32, U32], U8]
) -> Predicate:
    if not isinstance(field.dictionary, SetDictionary):
        raise InvalidRule(f"{field.name!r} is {field.type}, not a set")
    decide = texts.equals_any(frozenset(wanted), Fold.NONE)
    return Coded(key, field.dictionary.passes_count(key, decide, test, field.entries))


def _set_match(field: Field, op: SetOp, values: tuple[str, ...]) -> FieldTest:
    wanted = tuple(sorted({texts.fold_text(v, Fold.NONE) for v in values}))
    count = len(wanted)
    match op:
        case SetOp.ANY_OF | SetOp.NONE_OF:
            some = _sets(field, ("any", wanted), wanted, lambda found, _: _u8(found > 0))
            return FieldTest((some,), negated=op is SetOp.NONE_OF)
        case SetOp.ALL_OF:
            return FieldTest((_sets(field, ("all", wanted), wanted, lambda found, _: _u8(found == count)),))
        case SetOp.EXACTLY:
            exact = _sets(
                field,
                ("exactly", wanted),
                wanted,
                lambda found, sizes: _u8((found == count) & (sizes == count)),
            )
            return FieldTest((exact,))
        case _:
            assert_never(op)


def _size(field: Field, op: Op, size: int) -> Predicate:
    compare: dict[Op, Callable[[U32], np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]] = {
        Op.EQ: lambda sizes: sizes == size,
        Op.NE: lambda sizes: sizes != size,
        Op.LT: lambda sizes: sizes < size,
        Op.LE: lambda sizes: sizes <= size,
        Op.GT: lambda sizes: sizes > size,
        Op.GE: lambda sizes: sizes >= size,
    }
    return _sets(field, ("size", op, size), (), lambda _, sizes: _u8(compare[op](sizes)))
