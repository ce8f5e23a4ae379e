"""Edges of windows, known without a now: tied to any now they are those of evaluation, in the order claimed."""

from __future__ import annotations

from itertools import product

import pytest

from headcount_engine.conditions.spans import (
    EVER,
    Moment,
    Span,
    date_span,
    instant_span,
    shift_units,
    unit_start,
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
from headcount_engine.logic.edges import (
    At,
    Edge,
    FromNow,
    Stretch,
    UnitStart,
    is_not_after,
    lies_within,
    of_dates,
    of_instants,
)
from headcount_engine.model.instants import date_to_days, local_date, start_of_day_us
from headcount_engine.model.values import Date
from tests.oracle.pools import NOWS, ZONES

ODD_ZONES = ("Asia/Beirut", "America/Havana", "Atlantic/Azores")
"""Where clocks are put on or back at midnight."""
DAYS = tuple(Duration(count, Unit.DAYS) for count in (0, 1, 2, 7, 30))
WINDOWS: tuple[Window, ...] = (
    *(WithinLast(duration) for duration in DAYS[1:]),
    *(WithinNext(duration) for duration in DAYS[1:]),
    *(Ago(near, far) for near, far in product(DAYS, (*DAYS, None)) if far is None or near.count < far.count),
    *(Calendar(shift, unit) for shift, unit in product(Shift, CalendarUnit)),
    *(CalendarLast(count, unit) for count, unit in product((1, 2, 3), CalendarUnit)),
    Absolute(Date(19_800), None), Absolute(None, Date(19_900)), Absolute(Date(19_800), Date(19_900)),
)  # fmt: skip
MOMENTS = tuple(
    Moment(now_us + aside, zone, week)
    for now_us, aside in product(NOWS, (-1, 0, 1, 7_200_000_000))
    for zone, week in ((zone, i % 2 * 6) for i, zone in enumerate((*ZONES, *ODD_ZONES)))
)


def instant(edge: Edge, moment: Moment) -> int:
    match edge:
        case At(value):
            return value
        case FromNow(us):
            return moment.now_us + us
        case UnitStart(zone, unit, count):
            start = unit_start(local_date(moment.now_us, zone), unit, moment.week_starts_on)
            return start_of_day_us(shift_units(start, unit, count), zone)


def day(edge: Edge, moment: Moment) -> int:
    match edge:
        case At(value):
            return value
        case UnitStart(zone, unit, count):
            start = unit_start(local_date(moment.now_us, zone), unit, moment.week_starts_on)
            return date_to_days(shift_units(start, unit, count))
        case FromNow():
            raise AssertionError("days have no distance from now")


def edges_of(stretch: Stretch) -> tuple[Edge, ...]:
    return stretch.ends if stretch.first is None else (stretch.first, *stretch.ends)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_a_window_has_the_edges_that_it_has_where_it_is_evaluated(window: Window) -> None:
    for moment in MOMENTS:
        stretch = of_instants(window, moment)
        first = EVER.first if stretch.first is None else instant(stretch.first, moment)
        last = min((instant(end, moment) - 1 for end in stretch.ends), default=EVER.last)
        assert Span(first, last) == instant_span(window, moment, of_events=False)
        stretch, span = of_dates(window, moment), date_span(window, moment)
        assert stretch.first is None or day(stretch.first, moment) == span.first
        assert not stretch.ends or min(day(end, moment) - 1 for end in stretch.ends) == span.last


@pytest.mark.parametrize("zone", [*ZONES, *ODD_ZONES])
def test_what_is_said_to_be_earlier_is_never_later(zone: str) -> None:
    moments = [moment for moment in MOMENTS if moment.zone == zone]
    instants = {edge for window in WINDOWS for edge in edges_of(of_instants(window, moments[0]))}
    days = {edge for window in WINDOWS for edge in edges_of(of_dates(window, moments[0]))}
    for edges, place in ((instants, instant), (days, day)):
        for moment in moments:
            placed = {edge: place(edge, moment) for edge in edges}
            for one, other in product(edges, edges):
                assert not is_not_after(one, other) or placed[one] <= placed[other], (one, other, moment)


@pytest.mark.parametrize("zone", [*ZONES, *ODD_ZONES])
def test_a_window_that_lies_within_another_never_leaves_it(zone: str) -> None:
    moments = [moment for moment in MOMENTS if moment.zone == zone]
    past = [
        window
        for window in WINDOWS
        if not isinstance(window, WithinNext) and getattr(window, "shift", None) is not Shift.NEXT
    ]
    for inner, outer in product(past, past):
        if not lies_within(inner, outer, moments[0]):
            continue
        for moment in moments:
            narrow, wide = (instant_span(window, moment, of_events=True) for window in (inner, outer))
            is_empty = narrow.first > narrow.last
            assert is_empty or (wide.first <= narrow.first and narrow.last <= wide.last), (
                inner,
                outer,
                moment,
            )
