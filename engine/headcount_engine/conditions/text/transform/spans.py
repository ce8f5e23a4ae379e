"""Durations and windows. One function for each alias in the grammar."""

from __future__ import annotations

from headcount_engine.conditions.text.lexemes import Lexeme
from headcount_engine.conditions.text.parts import Zone
from headcount_engine.conditions.text.transform.places import at, moment_of, refuse, text_of, whole_of
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
from headcount_engine.model import instants


def duration(count: Lexeme, unit: Lexeme) -> Duration:
    word = text_of(unit).rstrip("s")
    if unit.type == "CALENDAR_UNIT":
        refuse(unit, f"{word}s have no fixed length: write `in last n calendar {word}s`, or count in days")
    with at(count):
        return Duration(whole_of(count), Unit(word + "s"))


def _calendar_unit(unit: Lexeme) -> CalendarUnit:
    return CalendarUnit(text_of(unit).rstrip("s"))


def within_last(count: Lexeme, unit: Lexeme) -> Window:
    with at(count):
        return WithinLast(duration(count, unit))


def within_next(count: Lexeme, unit: Lexeme) -> Window:
    with at(count):
        return WithinNext(duration(count, unit))


def ago(near: Lexeme, far: Lexeme, unit: Lexeme) -> Window:
    with at(near):
        return Ago(duration(near, unit), duration(far, unit))


def ago_mixed(near: Lexeme, near_unit: Lexeme, far: Lexeme, far_unit: Lexeme) -> Window:
    with at(near):
        return Ago(duration(near, near_unit), duration(far, far_unit))


def more_than_ago(near: Lexeme, unit: Lexeme) -> Window:
    return Ago(duration(near, unit), None)


def from_to(start: Lexeme, end: Lexeme) -> Window:
    with at(start):
        return Absolute(moment_of(start), moment_of(end))


def moment_window(word: str, moment: Lexeme) -> Window:
    """`before T` and `at or after T` of events; the other two would not be half-open."""
    if word == "before":
        return Absolute(None, moment_of(moment))
    if word == "at or after":
        return Absolute(moment_of(moment), None)
    refuse(moment, "events take `before`, `at or after` and `from ... to`, whose end is not included")


def before() -> str:
    return "before"


def after() -> str:
    return "after"


def at_or_before() -> str:
    return "at or before"


def at_or_after() -> str:
    return "at or after"


def today() -> Window:
    return Calendar(Shift.THIS, CalendarUnit.DAY)


def yesterday() -> Window:
    return Calendar(Shift.LAST, CalendarUnit.DAY)


def tomorrow() -> Window:
    return Calendar(Shift.NEXT, CalendarUnit.DAY)


def last_unit(unit: Lexeme) -> Window:
    return Calendar(Shift.LAST, _calendar_unit(unit))


def this_unit(unit: Lexeme) -> Window:
    return Calendar(Shift.THIS, _calendar_unit(unit))


def next_unit(unit: Lexeme) -> Window:
    return Calendar(Shift.NEXT, _calendar_unit(unit))


def calendar_last(count: Lexeme, unit: Lexeme) -> Window:
    with at(count):
        return CalendarLast(whole_of(count), _calendar_unit(unit))


def per_calendar(unit: Lexeme) -> CalendarUnit:
    return _calendar_unit(unit)


def in_zone(_: Lexeme, name: Lexeme) -> Zone:
    """Refuses a zone that the tz database does not have."""
    with at(name):
        instants.zone(text_of(name))
    return Zone(text_of(name), name)
