"""Windows of time: which instants and dates lie in them, by the calendar of a zone."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from typing import assert_never

from headcount_engine.conditions.windows import (
    Absolute,
    Ago,
    Calendar,
    CalendarLast,
    CalendarUnit,
    Window,
    WithinLast,
    WithinNext,
)
from headcount_engine.model.values import Date, Instant

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DAY_US = 86_400_000_000


def us_of(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


def local_time(us: int, zone: str) -> dt.datetime:
    """What clocks in the zone show."""
    return (
        (EPOCH + dt.timedelta(microseconds=us))
        .astimezone(zoneinfo.ZoneInfo(zone))
        .replace(tzinfo=None, fold=0)
    )


def local_day(us: int, zone: str) -> dt.date:
    return local_time(us, zone).date()


def date_of(days: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=days)


def days_of(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days


def start_of_day(day: dt.date, zone: str) -> int:
    """The first instant of a day. Where clocks jump over midnight, the instant at which they jump."""
    midnight = dt.datetime(day.year, day.month, day.day)
    at_most, at_least = (us_of(midnight.replace(tzinfo=zoneinfo.ZoneInfo(zone), fold=f)) for f in (0, 1))
    try:
        exists = local_time(at_most, zone) == midnight
    except OverflowError:  # the calendar's first or last day, whose edge lies outside it elsewhere
        return at_most
    if exists:
        return at_most
    while at_most - at_least > 1:
        middle = (at_most + at_least) // 2
        if local_time(middle, zone) < midnight:
            at_least = middle
        else:
            at_most = middle
    return at_most


def unit_start(day: dt.date, unit: CalendarUnit, week_start: int) -> dt.date:
    """The first day of the unit that holds `day`."""
    match unit:
        case CalendarUnit.DAY:
            return day
        case CalendarUnit.WEEK:
            return plus_days(day, -((day.weekday() - week_start) % 7))
        case CalendarUnit.MONTH:
            return day.replace(day=1)
        case CalendarUnit.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case CalendarUnit.YEAR:
            return day.replace(month=1, day=1)
        case _:
            assert_never(unit)


def plus_days(day: dt.date, days: int) -> dt.date:
    """Clamped to the years 1 to 9999."""
    return dt.date.fromordinal(min(max(day.toordinal() + days, 1), dt.date.max.toordinal()))


def plus_units(first: dt.date, unit: CalendarUnit, count: int) -> dt.date:
    """The first day of the unit that many units later. Clamped to the years 1 to 9999."""
    match unit:
        case CalendarUnit.DAY | CalendarUnit.WEEK:
            return plus_days(first, count * (7 if unit is CalendarUnit.WEEK else 1))
        case CalendarUnit.MONTH | CalendarUnit.QUARTER | CalendarUnit.YEAR:
            months = {CalendarUnit.MONTH: 1, CalendarUnit.QUARTER: 3, CalendarUnit.YEAR: 12}[unit] * count
            year, month = divmod(first.year * 12 + first.month - 1 + months, 12)
            if not 1 <= year <= 9999:
                return dt.date.min if year < 1 else dt.date.max
            return dt.date(year, month + 1, 1)
        case _:
            assert_never(unit)


def instant_in(window: Window, us: int, now_us: int, default_zone: str, week_start: int) -> bool:
    """Whether an instant lies in the window."""
    match window:
        case WithinLast(duration):
            return 0 <= now_us - us < duration.us
        case WithinNext(duration):
            return now_us < us <= now_us + duration.us
        case Ago(near, far):
            return near.us <= now_us - us and (far is None or now_us - us < far.us)
        case Absolute(start, end):
            return (start is None or us >= _edge(start, default_zone)) and (
                end is None or us < _edge(end, default_zone)
            )
        case Calendar(shift, unit, zone):
            zone = zone or default_zone
            first = plus_units(unit_start(local_day(now_us, zone), unit, week_start), unit, shift.value)
            return start_of_day(first, zone) <= us < start_of_day(plus_units(first, unit, 1), zone)
        case CalendarLast(count, unit, zone):
            zone = zone or default_zone
            first = plus_units(unit_start(local_day(now_us, zone), unit, week_start), unit, 1 - count)
            return start_of_day(first, zone) <= us <= now_us
        case _:
            assert_never(window)


def _edge(end: Instant | Date, zone: str) -> int:
    return end.us if isinstance(end, Instant) else start_of_day(date_of(end.days), zone)


def takes_dates(window: Window) -> bool:
    """Whether the window is made of whole days, so that a date can be asked for it."""
    match window:
        case WithinLast(duration) | WithinNext(duration):
            return duration.us % DAY_US == 0
        case Ago(near, far):
            return near.us % DAY_US == 0 and (far is None or far.us % DAY_US == 0)
        case Absolute(start, end):
            return not isinstance(start, Instant) and not isinstance(end, Instant)
        case Calendar() | CalendarLast():
            return True
        case _:
            assert_never(window)


def date_in(window: Window, day: dt.date, now_us: int, default_zone: str, week_start: int) -> bool:
    """Whether a date lies in the window, today being the date in the window's zone, else the workspace's."""
    match window:
        case WithinLast(duration):
            return 0 <= (local_day(now_us, default_zone) - day).days < duration.us // DAY_US
        case WithinNext(duration):
            return 0 < (day - local_day(now_us, default_zone)).days <= duration.us // DAY_US
        case Ago(near, far):
            age_us = (local_day(now_us, default_zone) - day).days * DAY_US
            return near.us <= age_us and (far is None or age_us < far.us)
        case Absolute(start, end):
            assert not isinstance(start, Instant) and not isinstance(end, Instant)
            return (start is None or days_of(day) >= start.days) and (end is None or days_of(day) < end.days)
        case Calendar(shift, unit, zone):
            today = local_day(now_us, zone or default_zone)
            first = plus_units(unit_start(today, unit, week_start), unit, shift.value)
            return first <= day < plus_units(first, unit, 1)
        case CalendarLast(count, unit, zone):
            today = local_day(now_us, zone or default_zone)
            return plus_units(unit_start(today, unit, week_start), unit, 1 - count) <= day <= today
        case _:
            assert_never(window)


def anniversary_in(born: dt.date, year: int) -> dt.date:
    """The day that counts as the anniversary in that year."""
    if (born.month, born.day) == (2, 29) and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
        return dt.date(year, 3, 1)
    return dt.date(year, born.month, born.day)


def has_anniversary(born: dt.date, today: dt.date, in_next_days: int) -> bool:
    """Today itself for 0 days, else some day from tomorrow to `in_next_days` after today."""
    ahead = [0] if in_next_days == 0 else range(1, in_next_days + 1)
    days = (today + dt.timedelta(days=n) for n in ahead)
    return any(anniversary_in(born, day.year) == day for day in days)
