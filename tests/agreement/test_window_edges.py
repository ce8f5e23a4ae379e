"""Every window asked the microsecond before, at and after each of its ends."""

from __future__ import annotations

from itertools import combinations

import pytest

from headcount_engine.conditions.tree import (
    ActiveDays,
    Condition,
    CountRange,
    Did,
    EventName,
    Events,
    Frequency,
    InWindow,
    Sequence,
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
from headcount_engine.model.values import Instant, Kind, ValueType
from tests.agreement.driving import Driven, assert_agree
from tests.oracle.changes import Change, Schema, Track, Upsert
from tests.oracle.pools import DURATIONS, ZONES
from tests.oracle.writing import at

SCHEMA = Schema({"joined": ValueType(Kind.INSTANT)}, default_zone="Europe/Stockholm")
ASIDE = (-1, 0, 1)
BUY = Events(EventName("buy"))
NOWS = {"a summer noon": at("2024-06-15T12:00:00Z"), "a day of 23 hours": at("2024-03-31T01:00:00Z")}


def rolling(now_us: int) -> list[Window]:
    found: list[Window] = []
    for duration in DURATIONS:
        found += [WithinLast(duration), WithinNext(duration), Ago(duration, None)]
        found += [
            Absolute(Instant(now_us - duration.us), None),
            Absolute(None, Instant(now_us - duration.us)),
        ]
    ordered = sorted({duration.us: duration for duration in DURATIONS}.values(), key=lambda d: d.us)
    found += [Ago(near, far) for near, far in combinations(ordered, 2)]
    return found


def calendar() -> list[Window]:
    found: list[Window] = [Calendar(shift, unit, None) for shift in Shift for unit in CalendarUnit]
    found += [Calendar(shift, CalendarUnit.DAY, zone) for shift in Shift for zone in ZONES]
    return found + [CalendarLast(2, unit, zone) for unit in CalendarUnit for zone in (None, ZONES[2])]


def played(instants: list[int]) -> tuple[Driven, tuple[Change, ...]]:
    """For each instant a profile with an attribute and an event at it, in a mixed order of arrival."""
    mixed = instants[::2] + instants[1::2][::-1]
    changes = tuple(
        change
        for us in mixed
        for change in (Upsert(f"at {us}", {"joined": Instant(us)}), Track(f"at {us}", "buy", us))
    )
    driven = Driven(SCHEMA)
    driven.play(changes)
    return driven, changes


def asked(window: Window) -> list[Condition]:
    found: list[Condition] = [InWindow("joined", window)]
    is_past = not isinstance(window, WithinNext) and not (
        isinstance(window, Calendar) and window.shift is Shift.NEXT
    )
    if is_past:
        zone = window.zone if isinstance(window, Calendar | CalendarLast) else None
        found += [
            Did(BUY, CountRange(1, None), window),
            ActiveDays(BUY, CountRange(1, None), window, zone),
        ]
    return found


@pytest.mark.parametrize("name", NOWS)
def test_rolling_windows_end_at_the_microsecond(name: str) -> None:
    now_us = NOWS[name]
    edges = {now_us} | {now_us + sign * d.us for d in DURATIONS for sign in (-1, 1)}
    driven, changes = played(sorted({edge + aside for edge in edges for aside in ASIDE}))
    world = SCHEMA.world(changes)
    for window in rolling(now_us):
        for condition in asked(window):
            for aside in (0, 1):
                assert_agree(driven, world, condition, now_us + aside)


@pytest.mark.parametrize("name", NOWS)
def test_calendar_windows_end_with_their_days(name: str) -> None:
    now_us = NOWS[name]
    hours = [now_us // 3_600_000_000 * 3_600_000_000 + h * 3_600_000_000 for h in range(-60, 61)]
    days = [at(f"{y}-{m:02d}-{d:02d}T00:00:00+0{o}:00") for y in (2023, 2024) for m in (1, 2, 4, 7, 12)
            for d in (1, 31 if m in (1, 7, 12) else 28) for o in (1, 2)]  # fmt: skip
    driven, changes = played(
        sorted({us + aside for us in (*hours[::3], *hours[55:66], *days) for aside in (-1, 0)})
    )
    world = SCHEMA.world(changes)
    for window in calendar():
        for condition in asked(window):
            assert_agree(driven, world, condition, now_us)


def test_periods_and_sequences_end_at_the_microsecond() -> None:
    now_us, week = NOWS["a summer noon"], Duration(1, Unit.WEEKS)
    driven = Driven(Schema())
    changes: list[Change] = []
    for apart in (week.us - 1, week.us, week.us + 1, 0):
        for back in (0, 1, week.us - 1, week.us, 2 * week.us):
            key = f"{apart} apart, until {back} ago"
            changes += [
                Track(key, "buy", now_us - back - apart),
                Track(key, "return", now_us - back),
            ]
    driven.play(changes)
    world = Schema().world(changes)
    back = Events(EventName("return"))
    rules: list[Condition] = [
        Sequence(BUY, back, week), Sequence(back, BUY, week), Sequence(BUY, back, week, True),
        Sequence(BUY, back, week, True, True), Sequence(BUY, back, week, False, False, WithinLast(week)),
        Sequence(BUY, back, Duration(0, Unit.SECONDS)), Frequency(BUY, CountRange(1, None), week, 1, 2),
        Frequency(BUY, CountRange(1, None), week, 2, 2), Frequency(back, CountRange(0, 0), week, 2, 3),
    ]  # fmt: skip
    for rule in rules:
        for aside in (*ASIDE, week.us - 1, week.us, week.us + 1):
            assert_agree(driven, world, rule, now_us + aside)
