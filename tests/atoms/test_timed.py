"""Dates and instants whose passing changes an answer, in the zones in which they are read."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from headcount_engine.model.values import Date, Instant, Kind
from tests.agreement.columns import column, profiles
from tests.membership.keeping import DAY, Kept

EPOCH = dt.date(1970, 1, 1)
ZONES = ["UTC", "Europe/Stockholm", "America/New_York", "Pacific/Kiritimati"]


def us(day: dt.date, zone: str = "UTC", hour: int = 0) -> int:
    local = dt.datetime.combine(day, dt.time(hour), ZoneInfo(zone))
    return int(local.timestamp()) * 1_000_000


def celebrated(born: dt.date, today: dt.date) -> bool:
    """29 February counts as 1 March in other years."""
    month, day = born.month, born.day
    if (month, day) == (2, 29) and today.year % 4:
        month, day = 3, 1
    return (today.month, today.day) == (month, day)


@pytest.mark.parametrize("zone", ZONES)
def test_birthdays_begin_and_end_at_midnight_where_the_rule_says(zone: str) -> None:
    """Through two Februaries, of which one is of a leap year, and a New Year; looked at on both sides of midnight."""
    begin = dt.date(2023, 2, 26)
    kept = Kept(now_us=us(begin, zone) - 1)
    born = [
        dt.date(2000, 2, 29),
        dt.date(2000, 2, 28),
        dt.date(2000, 3, 1),
        dt.date(1999, 12, 31),
        dt.date(1999, 1, 1),
    ]
    keys = [f"{day}" for day in born]
    days = [Date((day - EPOCH).days) for day in born]
    noons = [Instant(us(day, zone, 12)) for day in born]
    kept.database.write_profiles(
        profiles(keys, column("born", Kind.DATE, days), column("since", Kind.INSTANT, noons))
    )
    kept.save(
        instants=f'since anniversary today in zone "{zone}"',
        week=f'since anniversary in next 7 days in zone "{zone}"',
        dates=f'born anniversary today in zone "{zone}"',
    )
    day = begin
    for _ in range(380):
        if day.day in (27, 28, 29, 1, 2, 30, 31):
            kept.to(us(day, zone) - 1)
            eve = day - dt.timedelta(days=1)
            assert kept.members("instants") == {f"{b}" for b in born if celebrated(b, eve)}, day
            kept.to(us(day, zone))
            today = {f"{b}" for b in born if celebrated(b, day)}
            assert kept.members("instants") == today, day
            assert kept.members("dates") == today
            ahead = [day + dt.timedelta(days=n) for n in range(1, 8)]
            assert kept.members("week") == {f"{b}" for b in born if any(celebrated(b, d) for d in ahead)}
        day += dt.timedelta(days=1)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("around", [dt.date(2024, 3, 31), dt.date(2024, 10, 27), dt.date(2024, 11, 3)])
def test_calendar_windows_turn_where_days_are_23_or_25_hours_long(zone: str, around: dt.date) -> None:
    begin = around - dt.timedelta(days=2)
    kept = Kept(now_us=us(begin, zone))
    hours = [us(begin, zone) + h * DAY // 24 for h in range(24 * 6)]
    keys = [f"h{h}" for h in range(len(hours))]
    kept.database.write_profiles(profiles(keys, column("due", Kind.INSTANT, [Instant(h) for h in hours])))
    kept.save(
        today=f'due today in zone "{zone}"',
        yesterday=f'due yesterday in zone "{zone}"',
        month=f'due this month in zone "{zone}"',
    )
    for ahead in range(5):
        day = begin + dt.timedelta(days=ahead)
        start, end = us(day, zone), us(day + dt.timedelta(days=1), zone)
        for now_us in (start - 1, start, start + 1):
            if now_us >= kept.clock.now_us():
                kept.to(now_us)
                first, last = (
                    (start, end) if now_us >= start else (us(day - dt.timedelta(days=1), zone), start)
                )
                wanted = {key for key, at in zip(keys, hours, strict=True) if first <= at < last}
                assert kept.members("today") == wanted
                kept.members("yesterday")
                kept.members("month")


def test_values_that_are_overwritten_come_due_as_what_they_are_then() -> None:
    kept = Kept()
    now_us = kept.clock.now_us()
    kept.database.write_profiles(profiles(["p0"], column("due", Kind.INSTANT, [Instant(now_us)])))
    kept.save(s="due in next 1 days", gone="due between 0 and 1 days ago")
    for step in range(40):
        values = [
            Instant(now_us + (step * 7 + i) % 11 * DAY // 2) if (step + i) % 5 else None for i in range(6)
        ]
        kept.database.write_profiles(
            profiles([f"p{i}" for i in range(6)], column("due", Kind.INSTANT, values))
        )
        kept.members("s")
        now_us += DAY // 3
        kept.to(now_us)
        kept.members("s")
        kept.members("gone")
