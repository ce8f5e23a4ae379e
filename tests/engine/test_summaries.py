"""What a profile did, in numbers, against a plain count of what was written."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.answers import EventSummary
from headcount_engine.model.batches import EventBatch, Texts
from tests.agreement.columns import events, profiles

DAY = 86_400_000_000
NOW = 20_000 * DAY
Written = tuple[str, str, int]
EVENT = st.tuples(
    st.sampled_from(["a", "b", "c"]), st.sampled_from(["view", "buy"]), st.integers(NOW - 9, NOW + 9)
)


def summed(written: list[Written], key: str, now_us: int) -> tuple[EventSummary, ...]:
    """What is expected of one profile."""
    found = []
    for name in sorted({name for _, name, _ in written}):
        times = [at for who, what, at in written if (who, what) == (key, name) and at <= now_us]
        if times:
            found.append(EventSummary(name, len(times), min(times), max(times)))
    return tuple(found)


@given(st.lists(st.lists(EVENT, min_size=1, max_size=12), max_size=6), st.booleans(), st.integers(0, 9))
@settings(max_examples=40, deadline=None)
def test_a_profile_is_told_how_often_and_when_it_did_what(
    batches: list[list[Written]], is_merged: bool, later: int
) -> None:
    clock = ManualClock(NOW)
    database = Database.open(None, clock=clock)
    database.write_profiles(profiles(["a", "b", "c"]))
    written: list[Written] = []
    for batch in batches:
        keys, names, times = zip(*batch, strict=True)
        database.write_events(events(keys, names, times))
        written += batch
    if is_merged:
        database.merge_profiles("a", "b")
        written = [("a" if who == "b" else who, what, at) for who, what, at in written]
    clock.advance_to(NOW + later)
    for key in ("a", "c") if is_merged else ("a", "b", "c"):
        profile = database.get_profile(key)
        assert profile.now_us == NOW + later
        assert profile.events == summed(written, key, NOW + later)
        assert database.keys_of(np.array([profile.id], dtype=np.uint32)).to_list() == [key]


def test_a_long_run_is_looked_through_until_its_order_by_profile_pays() -> None:
    count = 70_000
    database = Database.open(None, clock=ManualClock(NOW))
    keys = [f"p{i % 7}" for i in range(count)]
    times = np.arange(count, dtype=np.int64) + NOW - count // 2
    database.write_events(EventBatch(Texts.of(keys), "view", times, ()))
    (run,) = database._indexes.events.types["view"].view().runs
    own = times[3::7][times[3::7] <= NOW]
    expected = (EventSummary("view", len(own), int(own[0]), int(own[-1])),)
    for _ in range(40):
        assert database.get_profile("p3").events == expected
    assert run.permutations.nbytes > 0


def test_many_profiles_read_at_once_come_without_what_they_did() -> None:
    database = Database.open(None, clock=ManualClock(NOW))
    database.write_events(events(["a"], "view", [NOW]))
    assert database.get_profile("a", with_events=False).events == ()
