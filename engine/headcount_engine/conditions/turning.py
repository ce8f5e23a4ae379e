"""When the clock alone may change an answer: the instants at which an event or a date enters or leaves a window.

For one moment `t` in the data and one window, `turns` lists every now at which "t is in the window" may change. The
answer to a rule about one profile can only flip at such an instant of one of its own moments, so to find the next
flip it is enough to ask again at each of them, in order.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import assert_never

from headcount_engine.conditions.spans import Moment, shift_units, unit_start
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
from headcount_engine.model.instants import days_to_date, local_date, start_of_day_us


def turns(window: Window | None, t_us: int, moment: Moment) -> Iterator[int]:
    """Every now at which an instant `t_us` may enter or leave the window, `t_us` itself included. In no order."""
    yield t_us
    match window:
        case None | Absolute():
            return
        case WithinLast(duration):
            yield t_us + duration.us
        case WithinNext(duration):
            yield t_us - duration.us
        case Ago(near, far):
            yield t_us + near.us
            if far is not None:
                yield t_us + far.us
        case Calendar(shift, unit, zone):
            yield from _unit_starts(t_us, unit, zone, moment, -shift.value, 1 - shift.value)
        case CalendarLast(count, unit, zone):
            yield from _unit_starts(t_us, unit, zone, moment, count, count)
        case _:
            assert_never(window)


def _unit_starts(
    t_us: int, unit: CalendarUnit, zone: str | None, moment: Moment, first: int, last: int
) -> Iterator[int]:
    """Starts of the units `first` to `last` after the one that holds `t_us`."""
    name = zone or moment.zone
    start = unit_start(local_date(t_us, name), unit, moment.week_starts_on)
    for count in range(first, last + 1):
        yield start_of_day_us(shift_units(start, unit, count), name)


def date_turns(window: Window, days: int, moment: Moment) -> Iterator[int]:
    """The same for a date without a time: every local midnight at which "today" makes a difference to it."""
    day = days_to_date(days)
    match window:
        case Absolute():
            return
        case WithinLast(duration):
            yield from _midnights(day, moment, 0, _days(duration))
        case WithinNext(duration):
            yield from _midnights(day, moment, -_days(duration), 0)
        case Ago(near, far):
            yield from _midnights(day, moment, _days(near), _days(near) if far is None else _days(far))
        case Calendar(shift, unit, zone):
            start = unit_start(day, unit, moment.week_starts_on)
            for count in (-shift.value, 1 - shift.value):
                yield start_of_day_us(shift_units(start, unit, count), zone or moment.zone)
        case CalendarLast(count, unit, zone):
            start = unit_start(day, unit, moment.week_starts_on)
            yield start_of_day_us(day, zone or moment.zone)
            yield start_of_day_us(shift_units(start, unit, count), zone or moment.zone)
        case _:
            assert_never(window)


def _days(duration: Duration) -> int:
    return duration.us // 86_400_000_000


def _midnights(day: dt.date, moment: Moment, *ahead: int) -> Iterator[int]:
    for count in ahead:
        ordinal = min(max(day.toordinal() + count, 2), dt.date.max.toordinal() - 1)
        yield start_of_day_us(dt.date.fromordinal(ordinal), moment.zone)


def anniversary_turns(in_next_days: int, born: dt.date, zone: str, now_us: int) -> Iterator[int]:
    """Midnights at which an anniversary enters or leaves the days ahead, over the next nine years (29 February)."""
    this_year = local_date(now_us, zone).year
    for year in range(this_year - 1, min(this_year + 9, 9998) + 1):
        try:
            day = born.replace(year=year)
        except ValueError:
            day = dt.date(year, 3, 1)
        ahead = (0, 1) if in_next_days == 0 else (-in_next_days, 0)
        for count in ahead:
            yield start_of_day_us(day + dt.timedelta(days=count), zone)


def period_turns(
    period: Duration | CalendarUnit, count: int, zone: str | None, t_us: int, moment: Moment
) -> Iterator[int]:
    """Every now at which an event passes from one of the last `count` periods to the next, or out."""
    yield t_us
    if isinstance(period, Duration):
        for i in range(1, count + 1):
            yield t_us + i * period.us
    else:
        yield from _unit_starts(t_us, period, zone, moment, 1, count + 1)
