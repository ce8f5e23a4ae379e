"""Literals, numbers, durations and windows as text."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from headcount_engine.conditions.text.names import quote_text
from headcount_engine.conditions.windows import (
    Absolute,
    Ago,
    Calendar,
    CalendarLast,
    CalendarUnit,
    Duration,
    Shift,
    Window,
    WithinLast,
    WithinNext,
)
from headcount_engine.model.instants import format_date, format_instant
from headcount_engine.model.values import Bool, Date, Instant, Literal, Number, Point, Text

_DAYS = {Shift.LAST: "yesterday", Shift.THIS: "today", Shift.NEXT: "tomorrow"}
_SHIFTS = {Shift.LAST: "last", Shift.THIS: "this", Shift.NEXT: "next"}


def literal(value: Literal) -> str:
    match value:
        case Bool(truth):
            return "true" if truth else "false"
        case Number():
            return number(value)
        case Text(text):
            return quote_text(text)
        case Instant(us):
            return format_instant(us)
        case Date(days):
            return format_date(days)
        case _:
            assert_never(value)


def literals_list(values: tuple[Literal, ...]) -> str:
    return f"({', '.join(map(literal, values))})"


def names_list(values: tuple[str, ...]) -> str:
    return f"({', '.join(map(quote_text, values))})"


def integer(value: int) -> str:
    return str(value)


def number(value: Number) -> str:
    return str(value.value) if isinstance(value.value, int) else amount(value.value)


def amount(value: Decimal, places: int = 0) -> str:
    """A decimal times ten to the power `places`, without trailing zeros; an exponent only for very small ones."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    exponent += places
    figures = "".join(map(str, digits)).lstrip("0")
    stripped = figures.rstrip("0")
    if not stripped:
        return "0"
    exponent += len(figures) - len(stripped)
    shown = Decimal((sign, tuple(map(int, stripped)), exponent))
    return f"{shown:f}" if shown.adjusted() >= -12 else f"{shown:e}".replace("e", "E")


def point(value: Point) -> str:
    return f"({_degrees(value.latitude)}, {_degrees(value.longitude)})"


def _degrees(value: float) -> str:
    return amount(Decimal(repr(value)))


def radius(metres: Number) -> str:
    """In kilometres from one kilometre on, where that leaves at most one digit after the point."""
    value = Decimal(metres.value)
    in_km = value >= 1_000 and value == value.to_integral_value() and int(value) % 100 == 0
    return f"{amount(value, -3)} km" if in_km else f"{amount(value)} m"


def duration(value: Duration) -> str:
    return f"{value.count} {value.unit.value}"


def zoned(text: str, zone: str | None) -> str:
    return text if zone is None else f"{text} in zone {quote_text(zone)}"


def window(span: Window) -> str:
    match span:
        case WithinLast(length):
            return f"in last {duration(length)}"
        case WithinNext(length):
            return f"in next {duration(length)}"
        case Ago(near, None):
            return f"more than {duration(near)} ago"
        case Ago(near, far) if far is not None:
            unit = f" {near.unit.value}" if near.unit is not far.unit else ""
            return f"between {near.count}{unit} and {duration(far)} ago"
        case Absolute(start, end):
            return _absolute(start, end)
        case Calendar(shift, CalendarUnit.DAY, zone):
            return zoned(_DAYS[shift], zone)
        case Calendar(shift, unit_, zone):
            return zoned(f"{_SHIFTS[shift]} {unit_.value}", zone)
        case CalendarLast(count, unit_, zone):
            return zoned(f"in last {count} calendar {unit_.value}s", zone)
        case _:
            raise AssertionError(span)


def _absolute(start: Instant | Date | None, end: Instant | Date | None) -> str:
    if start is None:
        assert end is not None
        return f"before {literal(end)}"
    if end is None:
        return f"at or after {literal(start)}"
    return f"from {literal(start)} to {literal(end)}"
