"""Short ways to write conditions and worlds down, for the cases of the specification."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from headcount_engine.conditions.tree import (
    Aggregate,
    Compare,
    CompareTest,
    Condition,
    CountRange,
    Did,
    EventName,
    Events,
    Fold,
    Function,
    In,
    InWindow,
    NameKind,
    Op,
    Semver,
    SetMatch,
    SetOp,
    SizeCompare,
    TextMatch,
    TextOp,
)
from headcount_engine.conditions.windows import (
    Absolute,
    Ago,
    Calendar,
    CalendarLast,
    CalendarUnit,
    Duration,
    Shift,
    Unit,
    Window,
    WithinLast,
    WithinNext,
)
from headcount_engine.model.values import Bool, Cell, Date, Instant, Kind, Literal, Number, Text, ValueType
from tests.oracle.calendars import days_of, us_of
from tests.oracle.changes import Change, Schema, Track, Upsert
from tests.oracle.comparing import kind_of

SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000


def at(text: str) -> int:
    """Microseconds of an instant in ISO 8601."""
    return us_of(dt.datetime.fromisoformat(text))


def on(text: str) -> Date:
    return Date(days_of(dt.date.fromisoformat(text)))


NOW = at("2024-06-15T12:00:00Z")


@dataclass(frozen=True, slots=True)
class Case:
    """One sentence of the specification over a small world. `expected_keys` None: the rule is refused."""

    rule_number: str
    title: str
    schema: Schema
    changes: tuple[Change, ...]
    condition: Condition
    now_us: int
    expected_keys: frozenset[str] | None


def case(
    rule_number: str,
    title: str,
    condition: Condition,
    expected: str | None,
    changes: Sequence[Change],
    schema: Schema | None = None,
    now: int = NOW,
) -> Case:
    """`expected`: the keys, with spaces between."""
    keys = None if expected is None else frozenset(expected.split())
    return Case(rule_number, title, schema or Schema(), tuple(changes), condition, now, keys)


def values(
    rule_number: str,
    title: str,
    kind: Kind | ValueType,
    cells: Mapping[str, Cell],
    condition: Condition,
    expected: str | None,
    *,
    now: int = NOW,
    zone: str = "UTC",
    week_start: int = 0,
) -> Case:
    """Profiles with an attribute `x`; two more, `absent` and `null`, are always there."""
    type_ = kind if isinstance(kind, ValueType) else ValueType(kind)
    changes = [Upsert(key, {"x": cell}) for key, cell in cells.items()]
    changes += [Upsert("absent"), Upsert("null", {"x": None})]
    schema = Schema({"x": type_}, default_zone=zone, week_start=week_start)
    return case(rule_number, title, condition, expected, changes, schema, now)


Row = tuple[str, int | str] | tuple[str, int | str, dict[str, Cell | None]]
"""An event's name, its time (ISO 8601, or microseconds after now) and its properties."""


def events(
    rule_number: str,
    title: str,
    rows: Mapping[str, Sequence[Row]],
    condition: Condition,
    expected: str | None,
    *,
    now: int = NOW,
    zone: str = "UTC",
    week_start: int = 0,
) -> Case:
    """Profiles with events, in order of arrival; one more, `nobody`, has none."""
    changes: list[Change] = [Upsert("nobody")]
    types: dict[tuple[str, str], ValueType] = {}
    for key, row in [(key, row) for key, own in rows.items() for row in own]:
        name, when, properties = row if len(row) == 3 else (*row, {})
        changes.append(Track(key, name, at(when) if isinstance(when, str) else now + when, properties))
        for property_, cell in properties.items():
            if cell is not None:
                types[name, property_] = _wider(types.get((name, property_)), _type_of(cell))
    schema = Schema(property_types=types, default_zone=zone, week_start=week_start)
    return case(rule_number, title, condition, expected, changes, schema, now)


def _type_of(cell: Cell) -> ValueType:
    if isinstance(cell, Decimal):
        exponent = cell.as_tuple().exponent
        return ValueType(Kind.DECIMAL, -exponent if isinstance(exponent, int) and exponent < 0 else 0)
    return ValueType(kind_of(cell))


def _wider(old: ValueType | None, new: ValueType) -> ValueType:
    return max(old, new, key=lambda type_: type_.digits) if old is not None else new


# ------------------------------------------------------------------------------------------------ conditions


def literal(value: Cell) -> Literal:
    match value:
        case bool():
            return Bool(value)
        case int() | Decimal():
            return Number(value)
        case float():
            return Number.of_float(value)
        case str():
            return Text(value)
        case Instant() | Date():
            return value
        case _:
            raise TypeError("no literal of that kind")


def x(op: str, value: Cell, fold: Fold = Fold.NONE, when_present: bool = False) -> Compare:
    """A comparison of the attribute `x`."""
    return Compare("x", Op(op), literal(value), fold, when_present)


def x_in(*operands: Cell, negated: bool = False, when_present: bool = False) -> In:
    return In("x", tuple(map(literal, operands)), negated, Fold.NONE, when_present)


def x_text(op: str, pattern: str, fold: Fold = Fold.NONE) -> TextMatch:
    return TextMatch("x", TextOp(op), pattern, fold)


def x_version(op: str, version: str) -> Semver:
    return Semver("x", Op(op), version)


def x_set(op: str, *elements: str) -> SetMatch:
    return SetMatch("x", SetOp(op), elements)


def x_size(op: str, size: int) -> SizeCompare:
    return SizeCompare("x", Op(op), size)


def x_when(window: Window) -> InWindow:
    return InWindow("x", window)


def property_is(name: str, op: str, value: Cell) -> Compare:
    return Compare(name, Op(op), literal(value))


def which(name: str, where: Condition | None = None) -> Events:
    """`*` is any event, `page*` a prefix."""
    if name == "*":
        return Events(EventName("", NameKind.ANY), where)
    if name.endswith("*"):
        return Events(EventName(name[:-1], NameKind.PREFIX), where)
    return Events(EventName(name), where)


def did(
    name: str,
    low: int = 1,
    high: int | None = None,
    window: Window | None = None,
    where: Condition | None = None,
) -> Did:
    return Did(which(name, where), CountRange(low, high), window)


def never(name: str, window: Window | None = None, where: Condition | None = None) -> Did:
    return did(name, 0, 0, window, where)


def aggregate(
    function: str,
    name: str,
    property_: str,
    op: str,
    value: Cell,
    window: Window | None = None,
    where: Condition | None = None,
) -> Aggregate:
    return Aggregate(
        Function(function), which(name, where), property_, CompareTest(Op(op), literal(value)), window
    )


def span(count: int, unit: str = "days") -> Duration:
    return Duration(count, Unit(unit))


def last(count: int, unit: str = "days") -> WithinLast:
    return WithinLast(span(count, unit))


def coming(count: int, unit: str = "days") -> WithinNext:
    return WithinNext(span(count, unit))


def ago(near: int, far: int | None, unit: str = "days") -> Ago:
    return Ago(span(near, unit), None if far is None else span(far, unit))


def between(start: str | None, end: str | None) -> Absolute:
    """Ends as dates (`2024-01-31`) or as instants."""
    return Absolute(*(None if text is None else _end(text) for text in (start, end)))


def _end(text: str) -> Instant | Date:
    return Instant(at(text)) if "T" in text else on(text)


def whole(shift: str, unit: str, zone: str | None = None) -> Calendar:
    return Calendar(Shift[shift.upper()], CalendarUnit(unit), zone)


def last_units(count: int, unit: str, zone: str | None = None) -> CalendarLast:
    return CalendarLast(count, CalendarUnit(unit), zone)
