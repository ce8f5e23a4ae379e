"""Windows tied to an instant: from what a rule says to the first and last microsecond (or day) that count.

Spans are closed: `first <= t <= last`. A window that nothing can lie in gives a span with first > last.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import assert_never

from headcount_engine.conditions.windows import (
    Absolute,
    Ago,
    Calendar,
    CalendarLast,
    CalendarUnit,
    Shift,
    Unit,
    Window,
    WithinLast,
    WithinNext,
)
from headcount_engine.errors import InvalidRule
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.instants import date_to_days, local_date, start_of_day_us
from headcount_engine.model.values import Date, Instant

DAY_MIN, DAY_MAX = -719_162, 2_932_896
_MONTHS = {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}


@dataclass(frozen=True, slots=True)
class Moment:
    """The instant a rule is evaluated at, and the calendar it uses where it names none."""

    now_us: int
    zone: str = "UTC"
    week_starts_on: int = 0
    opt_out_topics: frozenset[str] = frozenset()
    """Consent topics where no record counts as subscribed."""


@dataclass(frozen=True, slots=True)
class Span:
    """first <= value <= last, in microseconds or days."""

    first: int
    last: int

    def __contains__(self, value: int) -> bool:
        return self.first <= value <= self.last


EVER = Span(INSTANT_MIN_US, INSTANT_MAX_US)


def _shift_months(day: dt.date, months: int) -> dt.date:
    """The first of the month, `months` later; clamped to the calendar's ends."""
    index = min(max(day.year * 12 + day.month - 1 + months, 12), 9999 * 12 + 11)
    return dt.date(index // 12, index % 12 + 1, 1)


def unit_start(day: dt.date, unit: CalendarUnit, week_starts_on: int) -> dt.date:
    """First day of the calendar unit that holds `day`."""
    match unit:
        case CalendarUnit.DAY:
            return day
        case CalendarUnit.WEEK:
            back = (day.weekday() - week_starts_on) % 7
            return dt.date.fromordinal(max(day.toordinal() - back, 1))
        case CalendarUnit.MONTH:
            return day.replace(day=1)
        case CalendarUnit.QUARTER:
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case CalendarUnit.YEAR:
            return day.replace(month=1, day=1)
        case _:
            assert_never(unit)


def shift_units(start: dt.date, unit: CalendarUnit, count: int) -> dt.date:
    """First day of the unit `count` units after the one that begins on `start`."""
    if unit in _MONTHS:
        return _shift_months(start, count * _MONTHS[unit])
    days = count * (7 if unit is CalendarUnit.WEEK else 1)
    return dt.date.fromordinal(min(max(start.toordinal() + days, 1), dt.date.max.toordinal()))


def _calendar_days(window: Calendar | CalendarLast, moment: Moment) -> tuple[dt.date, dt.date]:
    """[first day, day after the last) of a calendar window."""
    today = local_date(moment.now_us, window.zone or moment.zone)
    start = unit_start(today, window.unit, moment.week_starts_on)
    if isinstance(window, Calendar):
        return (
            shift_units(start, window.unit, window.shift.value),
            shift_units(start, window.unit, window.shift.value + 1),
        )
    return shift_units(start, window.unit, 1 - window.count), today + dt.timedelta(days=1)


def instant_span(window: Window, moment: Moment, *, of_events: bool) -> Span:
    """The instants that lie in the window.

    Events never look past now. Raises InvalidRule for a window that only the future can fill, if for events.
    """
    now = moment.now_us
    span = _instant_span(window, moment, of_events)
    if of_events:
        return Span(span.first, min(span.last, now))
    return span


def _instant_span(window: Window, moment: Moment, of_events: bool) -> Span:
    now = moment.now_us
    match window:
        case WithinLast(duration):
            return Span(now - duration.us + 1, now)
        case WithinNext(duration):
            return Span(now + 1, now + duration.us)
        case Ago(near, far):
            return Span(INSTANT_MIN_US if far is None else now - far.us + 1, now - near.us)
        case Absolute(start, end):
            first = INSTANT_MIN_US if start is None else bound_us(start, moment)
            last = INSTANT_MAX_US if end is None else bound_us(end, moment) - 1
            return Span(first, last)
        case Calendar() | CalendarLast():
            zone = window.zone or moment.zone
            if of_events and isinstance(window, Calendar) and window.shift is Shift.NEXT:
                raise InvalidRule("events cannot lie in the future: this window is for attributes")
            first_day, end_day = _calendar_days(window, moment)
            last = start_of_day_us(end_day, zone) - 1
            if isinstance(window, CalendarLast):
                last = min(last, now)
            return Span(start_of_day_us(first_day, zone), last)
        case _:
            assert_never(window)


def bound_us(bound: Instant | Date, moment: Moment) -> int:
    """An end of a window as an instant: a date is its start in the workspace's zone."""
    if isinstance(bound, Instant):
        return bound.us
    return start_of_day_us(dt.date.fromordinal(bound.days + 719_163), moment.zone)


def date_span(window: Window, moment: Moment) -> Span:
    """The calendar days (since 1970-01-01) that lie in the window, for attributes without time of day.

    Raises InvalidRule for windows that do not fit days: hours, or instants as ends.
    """
    today = date_to_days(local_date(moment.now_us, moment.zone))
    match window:
        case WithinLast(duration):
            return Span(today - whole_days(duration.count, duration.unit) + 1, today)
        case WithinNext(duration):
            return Span(today + 1, today + whole_days(duration.count, duration.unit))
        case Ago(near, far):
            first = DAY_MIN if far is None else today - whole_days(far.count, far.unit) + 1
            return Span(first, today - whole_days(near.count, near.unit))
        case Absolute(start, end):
            if isinstance(start, Instant) or isinstance(end, Instant):
                raise InvalidRule("a date compares with dates, not with instants")
            return Span(DAY_MIN if start is None else start.days, DAY_MAX if end is None else end.days - 1)
        case Calendar() | CalendarLast():
            first_day, end_day = _calendar_days(window, moment)
            return Span(date_to_days(first_day), date_to_days(end_day) - 1)
        case _:
            assert_never(window)


def whole_days(count: int, unit: Unit) -> int:
    """A duration as days; raises InvalidRule if its unit is shorter than a day."""
    if unit is Unit.DAYS:
        return count
    if unit is Unit.WEEKS:
        return 7 * count
    raise InvalidRule("a date has no time of day: use days or weeks")
