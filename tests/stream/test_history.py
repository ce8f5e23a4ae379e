"""Sizes over time are what one gets by counting the changes oneself, or are refused; never an estimate."""

from __future__ import annotations

import itertools
import random
import zoneinfo
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.changes import tiers
from headcount_engine.changes.chunks import Entry
from headcount_engine.changes.feed import Changes
from headcount_engine.changes.history import DAY_US, MINUTE_US, HistoryStore, steps
from headcount_engine.changes.options import ChangeOptions
from headcount_engine.errors import InvalidValue, LimitExceeded, OutOfRange
from headcount_engine.model.changes import SegmentFlips
from tests.stream.stories import NOW, STORE, Story

HOUR_US = 60 * MINUTE_US
NOBODY = np.zeros(0, dtype=np.uint32)
NO_CAUSE = np.zeros(0, dtype=np.uint8)


def flips(segment: str, joined: int, left: int) -> SegmentFlips:
    """So many who join and leave; who they are does not count."""
    ids = np.arange(joined + left, dtype=np.uint32)
    causes = np.ones(joined + left, dtype=np.uint8)
    return SegmentFlips(segment, ids[:joined], causes[:joined], ids[joined:], causes[joined:])


class Counted:
    """Every change with its instant, and the obvious way to count them."""

    def __init__(self) -> None:
        self.changes: list[tuple[int, str, int, int]] = []

    def series(self, segment: str, edges: list[int]) -> list[tuple[int, int, int]]:
        found = []
        for start, end in itertools.pairwise(edges):
            joined = sum(j for t, s, j, _ in self.changes if s == segment and start <= t < end)
            left = sum(n for t, s, _, n in self.changes if s == segment and start <= t < end)
            size = sum(j - n for t, s, j, n in self.changes if s == segment and t < end)
            found.append((size, joined, left))
        return found


def random_life(
    store: HistoryStore, chance: random.Random, days: float, versions: int
) -> tuple[Counted, int]:
    counted, now = Counted(), NOW
    for version in range(1, versions + 1):
        now += int(chance.expovariate(1) * days * DAY_US / versions)
        entry = Entry(
            version,
            now,
            tuple(flips(s, chance.randrange(5), chance.randrange(3)) for s in chance.sample("abc", 2)),
        )
        counted.changes += [(now, f.segment, len(f.joined), len(f.left)) for f in entry.flips]
        store.fold([entry])
    return counted, now


@given(
    seed=st.integers(0, 2**32),
    days=st.sampled_from([0.01, 1, 5, 90, 400]),
    zone=st.sampled_from(
        ["UTC", "Europe/Stockholm", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"]
    ),
    step_us=st.sampled_from([MINUTE_US, 15 * MINUTE_US, HOUR_US, 6 * HOUR_US, DAY_US, 7 * DAY_US]),
    back=st.floats(0, 1.2),
    restarts=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_an_answer_is_what_counting_every_change_gives_or_is_refused(
    seed: int, days: float, zone: str, step_us: int, back: float, restarts: bool
) -> None:
    store = HistoryStore(zone)
    counted, now = random_life(store, random.Random(seed), days, 120)
    if restarts:
        again = HistoryStore(zone)
        again.restore(store.capture())
        store = again
    start = max(now + 1 - int(back * days * DAY_US) - HOUR_US, now - 2_000 * step_us)
    edges = steps(start, now + 1, step_us, zone)
    for segment in "abc":
        try:
            found = store.series(segment, edges)
        except OutOfRange:
            # Only ever for detail that is not promised: minutes for two days, hours for 62, days for ever.
            age = now - start
            assert step_us < DAY_US
            assert age > 62 * DAY_US - HOUR_US or (age > 2 * DAY_US - HOUR_US and step_us < HOUR_US)
            continue
        expected = counted.series(segment, edges.tolist())
        assert (
            list(zip(found.sizes.tolist(), found.joined.tolist(), found.left.tolist(), strict=True))
            == expected
        )


@pytest.mark.parametrize("zone", ["UTC", "Europe/Stockholm", "America/St_Johns", "Asia/Kolkata"])
def test_what_is_promised_is_kept_days_for_ever_hours_for_two_months_minutes_for_two_days(zone: str) -> None:
    store = HistoryStore(zone)
    counted, now = random_life(store, random.Random(1), 300, 3_000)
    for step_us, age_us in ((DAY_US, 320 * DAY_US), (HOUR_US, 61 * DAY_US), (MINUTE_US, 47 * HOUR_US)):
        edges = steps(now - age_us, now + 1, step_us, zone)
        found = store.series("a", edges)
        at = random.Random(2).sample(range(len(found)), min(60, len(found)))
        for i in at:
            expected = counted.series("a", edges[i : i + 2].tolist())[0]
            assert (found.sizes[i], found.joined[i], found.left[i]) == expected
    with pytest.raises(OutOfRange, match="no longer kept in such short steps"):
        store.series("a", steps(now - 100 * DAY_US, now - 90 * DAY_US, HOUR_US, zone))


def test_rolling_up_keeps_the_history_small() -> None:
    """A segment that changes every quarter of an hour for a year costs some 2,100 rows and not 35,040."""
    store = HistoryStore("UTC")
    for version, minute in enumerate(range(0, 365 * 1_440, 15), 1):
        store.fold([Entry(version, NOW + minute * MINUTE_US, (flips("a", 1, 1),))])
    assert store.nbytes < 22 * (2 * 1_440 / 15 + 63 * 24 + 365 + 100)


def test_days_are_those_of_the_zone_and_an_hour_shorter_when_clocks_go_forward() -> None:
    zone = zoneinfo.ZoneInfo("Europe/Stockholm")
    start = int(datetime(2024, 3, 30, 12, tzinfo=zone).timestamp()) * 1_000_000
    end = int(datetime(2024, 4, 1, 12, tzinfo=zone).timestamp()) * 1_000_000
    edges = steps(start, end, DAY_US, "Europe/Stockholm").tolist()
    starts = [datetime.fromtimestamp(us / 1e6, zone) for us in edges]
    assert [(d.day, d.hour) for d in starts] == [(30, 0), (31, 0), (1, 0), (1, 12)]
    assert np.diff(edges).tolist() == [24 * HOUR_US, 23 * HOUR_US, 12 * HOUR_US]


def test_short_steps_begin_at_whole_ones_of_the_day() -> None:
    start = int(datetime(2024, 3, 30, 12, 47, 11, tzinfo=UTC).timestamp()) * 1_000_000
    edges = steps(start, start + 3 * HOUR_US, HOUR_US, "UTC")
    shown = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(us)) for us in edges]
    assert [(d.hour, d.minute) for d in shown] == [(12, 0), (13, 0), (14, 0), (15, 0), (15, 48)]


@pytest.mark.parametrize("step_us", [0, -MINUTE_US, 30_000_000, MINUTE_US + 1, 36 * HOUR_US])
def test_steps_that_are_no_whole_minutes_or_days_are_refused(step_us: int) -> None:
    with pytest.raises(InvalidValue):
        steps(NOW, NOW + DAY_US, step_us, "UTC")


def test_a_range_of_too_many_steps_or_none_is_refused() -> None:
    with pytest.raises(LimitExceeded, match="history_steps"):
        steps(NOW, NOW + 100 * DAY_US, MINUTE_US, "UTC")
    for end in (NOW, NOW - 1):
        with pytest.raises(InvalidValue):
            steps(NOW, end, DAY_US, "UTC")


def test_a_deleted_segment_leaves_no_history_and_its_name_begins_anew() -> None:
    changes = Changes(STORE, "UTC", ChangeOptions())
    changes.publish(1, NOW, (flips("a", 5, 0), flips("b", 2, 0)))
    changes.publish(2, NOW + 5 * MINUTE_US, (flips("a", 0, 5),), ("a",))
    assert changes.sizes() == {"b": 2}
    assert changes.history("a", NOW - DAY_US, NOW + DAY_US, DAY_US, "UTC").joined.sum() == 0
    changes.publish(3, NOW + 6 * MINUTE_US, (flips("a", 1, 0),))
    assert changes.history("a", NOW - DAY_US, NOW + DAY_US, DAY_US, "UTC").sizes.tolist()[-1] == 1


def test_a_segment_may_begin_with_members() -> None:
    changes = Changes(STORE, "UTC", ChangeOptions())
    changes.begin("a", 1_000)
    changes.publish(1, NOW, (flips("a", 5, 2),))
    found = changes.history("a", NOW - 2 * DAY_US, NOW + 1, DAY_US, "UTC")
    assert found.sizes.tolist() == [1_000, 1_000, 1_003]


def test_counts_past_what_a_row_holds_are_kept_apart_and_not_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiers, "_U32_MAX", 10)
    store = HistoryStore("UTC")
    for i in range(60):
        store.fold([Entry(i + 1, NOW + i * MINUTE_US, (flips("a", 3, 1),))])
    store.fold([Entry(99, NOW + 200 * DAY_US, (flips("a", 1, 0),))])
    found = store.series("a", steps(NOW - DAY_US, NOW + 201 * DAY_US, DAY_US, "UTC"))
    assert found.joined.sum() == 181 and found.sizes[-1] == 121


@given(seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_kept_sizes_are_those_of_the_members(seed: int) -> None:
    story = Story(random.Random(seed))
    for _ in range(30):
        story.happens(step_us=DAY_US)
        sizes = {s: len(ids) for s, ids in story.members.items() if ids}
        assert {s: n for s, n in story.changes.sizes().items() if n} == sizes
