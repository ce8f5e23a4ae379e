"""What the benchmarks of live segments stand on: a stream in steady state, a shared clock, and checks that fail."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bench import generator, living, stream
from bench.clocks import SharedClock
from bench.generator import profiles
from bench.loading import new_database
from bench.segments import Definition, definitions
from bench.stream import EventStream
from bench.tiers import DAY_US, DAYS, NOW_US, START_US, Tier
from headcount_engine import Database

ROWS = 10_000
BUSY = Definition("busy", "Busy", "did page_view at least 1 times in last 1 days", True)
DAYS_OF_ROWS = DAYS * ROWS / Tier.S.size.events


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    return SharedClock(tmp_path / "clock", NOW_US)


def test_a_clock_is_seen_from_elsewhere_goes_on_only_when_told_and_never_goes_back(
    clock: SharedClock,
) -> None:
    other = SharedClock(clock.path)
    other.advance_to(NOW_US + 5)
    other.advance_to(NOW_US + 3)
    assert clock.now_us() == clock.now_us() == NOW_US + 5
    clock.run()
    first = other.now_us()
    while other.now_us() == first:
        pass
    clock.stand()
    assert other.now_us() == other.now_us() > first
    assert clock.now_us() == other.now_us()


def test_a_stream_goes_on_where_the_clock_is_with_the_density_of_the_history(clock: SharedClock) -> None:
    clock.advance_to(NOW_US + 100 * DAY_US)
    parts = [EventStream(Tier.S, clock).take(ROWS) for _ in range(1)]
    times = parts[0].times_us
    assert int(np.median(times)) > clock.now_us()
    assert 0.5 < (times.max() - clock.now_us()) / DAY_US / DAYS_OF_ROWS < 2
    again = EventStream(Tier.S, clock, series=1).take(ROWS)
    assert not np.array_equal(again.profiles, parts[0].profiles)


def test_histories_follow_one_another_without_a_gap(
    clock: SharedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "EVENT_CHUNK", 500_000)
    monkeypatch.setattr(stream, "EVENT_CHUNK", 500_000)
    end_us = START_US + 2 * DAYS * DAY_US
    clock.advance_to(end_us - DAY_US // 4)
    going = EventStream(Tier.S, clock)
    newest = clock.now_us()
    for _ in range(4):
        taken = int(going.take(ROWS).times_us.max())
        assert newest < taken < newest + 3 * DAYS_OF_ROWS * DAY_US
        newest = taken
    assert newest > end_us


def test_writes_move_the_clock_and_what_is_kept_is_checked_against_rules_and_changes(
    clock: SharedClock,
) -> None:
    database = _with_segments(clock)
    before = living.sizes(database)
    going = EventStream(Tier.S, clock)
    events = database.status().events
    for _ in range(3):
        going.writer(database, 1_000)()()
    assert database.status().events == events + 3_000
    assert database.live_now_us() > NOW_US
    assert living.check(database, before) > 0


def test_a_size_that_is_wrong_and_a_change_that_is_not_told_are_found(clock: SharedClock) -> None:
    database = _with_segments(clock)
    before = living.sizes(database)
    with pytest.raises(RuntimeError, match="joins and leaves"):
        living.check(
            database, living.Sizes({**before.of, "segment-0": before.of["segment-0"] + 1}, before.version)
        )
    database.live._sizes[0] += 1
    with pytest.raises(RuntimeError, match="is kept with"):
        living.check(database)


def _with_segments(clock: SharedClock) -> Database:
    database = new_database(clock)
    database.write_profiles(next(profiles(5_000)).to_batch())
    EventStream(Tier.S, clock).writer(database, 2_000)()()
    living.save(database, [*definitions(30), BUSY])
    return database
