"""Edges of windows without a now: absolute, at a distance from now, or the start of a calendar unit counted from now.

Which of two edges is earlier is known for every now, or not at all. Calendars end with the year 9999: within the last
year before that, units that would go on are cut off, and nothing here is meant to hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from headcount_engine.conditions.spans import Moment, bound_us, whole_days
from headcount_engine.conditions.windows import (
    Absolute,
    Ago,
    Calendar,
    CalendarLast,
    CalendarUnit,
    Duration,
    Window,
    WithinLast,
    WithinNext,
)
from headcount_engine.errors import InvalidRule
from headcount_engine.model.values import Instant


@dataclass(frozen=True, slots=True)
class At:
    """A fixed instant in microseconds, or a fixed day."""

    value: int


@dataclass(frozen=True, slots=True)
class FromNow:
    """So many microseconds after now."""

    us: int


@dataclass(frozen=True, slots=True)
class UnitStart:
    """The start of the calendar unit so many after the current one, in a zone."""

    zone: str
    unit: CalendarUnit
    count: int


Edge = At | FromNow | UnitStart


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `first` (None: ever) on and before each of `ends`."""

    first: Edge | None
    ends: tuple[Edge, ...]


_PARTS = {
    CalendarUnit.DAY: frozenset({CalendarUnit.DAY}),
    CalendarUnit.WEEK: frozenset({CalendarUnit.WEEK, CalendarUnit.DAY}),
    CalendarUnit.MONTH: frozenset({CalendarUnit.MONTH, CalendarUnit.DAY}),
    CalendarUnit.QUARTER: frozenset({CalendarUnit.QUARTER, CalendarUnit.MONTH, CalendarUnit.DAY}),
    CalendarUnit.YEAR: frozenset(CalendarUnit) - {CalendarUnit.WEEK},
}
"""The units of which the current one lies inside the current one of each."""


def is_not_after(one: Edge, other: Edge) -> bool:
    """Whether `one` is before or at `other`, whatever now is; False also where that depends."""
    match one, other:
        case (At(a), At(b)) | (FromNow(a), FromNow(b)):
            return a <= b
        case UnitStart(zone, unit, a), UnitStart(other_zone, other_unit, b):
            if zone != other_zone:
                return False
            if unit is other_unit:
                return a <= b
            begins_outside = a <= 0 <= b and other_unit in _PARTS[unit]
            ends_inside = a <= 1 <= b and unit in _PARTS[other_unit]
            return begins_outside or ends_inside
        case UnitStart(count=count), FromNow(us):
            return count <= 0 <= us
        case _:
            return False


def of_instants(window: Window, moment: Moment) -> Stretch:
    """The instants in a window. A date as an end is its start in the moment's zone."""
    match window:
        case WithinLast(duration):
            return Stretch(FromNow(1 - duration.us), (FromNow(1),))
        case WithinNext(duration):
            return Stretch(FromNow(1), (FromNow(duration.us + 1),))
        case Ago(near, far):
            return Stretch(None if far is None else FromNow(1 - far.us), (FromNow(1 - near.us),))
        case Absolute(start, end):
            first = None if start is None else At(bound_us(start, moment))
            return Stretch(first, () if end is None else (At(bound_us(end, moment)),))
        case Calendar(shift, unit, zone):
            zone = zone or moment.zone
            return Stretch(UnitStart(zone, unit, shift.value), (UnitStart(zone, unit, shift.value + 1),))
        case CalendarLast(count, unit, zone):
            zone = zone or moment.zone
            ends = (UnitStart(zone, CalendarUnit.DAY, 1), FromNow(1))
            return Stretch(UnitStart(zone, unit, 1 - count), ends)
        case _:
            assert_never(window)


def of_dates(window: Window, moment: Moment) -> Stretch:
    """The days in a window. Today is the moment's zone's, so a distance from it is a number of day units there.

    Raises InvalidRule for windows that do not fit days.
    """

    def day(count: int) -> UnitStart:
        return UnitStart(moment.zone, CalendarUnit.DAY, count)

    def days(duration: Duration) -> int:
        return whole_days(duration.count, duration.unit)

    match window:
        case WithinLast(duration):
            return Stretch(day(1 - days(duration)), (day(1),))
        case WithinNext(duration):
            return Stretch(day(1), (day(days(duration) + 1),))
        case Ago(near, far):
            return Stretch(None if far is None else day(1 - days(far)), (day(1 - days(near)),))
        case Absolute(start, end):
            if isinstance(start, Instant) or isinstance(end, Instant):
                raise InvalidRule("a date compares with dates, not with instants")
            return Stretch(None if start is None else At(start.days), () if end is None else (At(end.days),))
        case Calendar(shift, unit, zone):
            zone = zone or moment.zone
            return Stretch(UnitStart(zone, unit, shift.value), (UnitStart(zone, unit, shift.value + 1),))
        case CalendarLast(count, unit, zone):
            zone = zone or moment.zone
            return Stretch(UnitStart(zone, unit, 1 - count), (UnitStart(zone, CalendarUnit.DAY, 1),))
        case _:
            assert_never(window)


def lies_within(inner: Window | None, outer: Window | None, moment: Moment) -> bool:
    """Whether every event up to now that lies in `inner` lies in `outer`, whatever now is. None: ever."""
    if outer is None or inner == outer:
        return True
    try:
        ours = Stretch(None, ()) if inner is None else of_instants(inner, moment)
        theirs = of_instants(outer, moment)
    except OverflowError:  # the calendar's first or last day begins outside it in some zones
        return False
    if theirs.first is not None and (ours.first is None or not is_not_after(theirs.first, ours.first)):
        return False
    ends = (*ours.ends, FromNow(1))
    return all(any(is_not_after(end, their) for end in ends) for their in theirs.ends)
