"""Event types whose raw events go: what can still be asked is exact, and what cannot is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import FailedPrecondition, HasDependents, InvalidRule, InvalidValue
from headcount_engine.indexes.totals import Totals
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import Reason
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events, profiles
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import DAY, NOW, digest, opened

EXACT = [
    "did view at least {n} times", "did view exactly {n} times", "never did view", "did view",
    "did view less than {n} times", "did any event at least {n} times", "first did view in last {n} days",
    "first did view before 2024-10-0{n}", "first did view at or after 2024-09-2{n}",
    "first did any event in last {n} days",
    "did view in last {n} days", "did view at least 2 times in last {n} days",
    "did view where page = \"/1\" in last {n} days", "days(view) >= 2 in last {n} days",
    "did buy where page = \"/1\"", "did view then buy within 1 days in last {n} days",
]  # fmt: skip


def names(database: Database, rule: str) -> list[str]:
    return sorted(database.keys_of(database.members(rule).ids).to_list())


def agree(limited: Database, unlimited: Database, rule: str) -> None:
    expected = names(unlimited, rule)
    assert names(limited, rule) == expected, rule
    assert limited.count(rule).count == len(expected)
    for key in names(unlimited, "everyone"):
        assert limited.check(key, [rule]).results == (key in expected,), (rule, key)


EVENT = st.tuples(st.integers(0, 5), st.booleans(), st.integers(0, 9), st.integers(0, 2))
ROUND = st.tuples(
    st.lists(EVENT, max_size=12), st.integers(0, 4), st.sampled_from(["", "expire", "merge", "erase"])
)


@given(st.lists(ROUND, min_size=2, max_size=8))
@settings(max_examples=15, deadline=None)
def test_what_is_answered_is_what_would_be_with_all_events_kept(
    rounds: list[tuple[list[tuple[int, bool, int, int]], int, str]],
) -> None:
    clocks = ManualClock(NOW), ManualClock(NOW)
    limited, unlimited = (Database.open(None, clock=clock) for clock in clocks)
    for database in (limited, unlimited):
        database.write_profiles(profiles([f"p{i}" for i in range(6)]))
        database.write_events(events(["p0"], "view", [NOW], column("page", Kind.TEXT, ["/1"])))
        database.write_events(events(["p0"], "buy", [NOW], column("page", Kind.TEXT, ["/1"])))
    limited.declare_retention({"view": 10 * DAY})
    for at, (given_events, days, then) in enumerate(rounds):
        for clock in clocks:
            clock.advance_to(clock.now_us() + days * DAY)
        now_us = clocks[0].now_us()
        present = set(names(unlimited, "everyone"))
        kept = [e for e in given_events if f"p{e[0]}" in present]
        if kept:
            batch = events(
                [f"p{who}" for who, *_ in kept],
                ["view" if is_view else "buy" for _, is_view, *_ in kept],
                [now_us - age * DAY + 1 for *_, age, _ in kept],
                column("page", Kind.TEXT, [f"/{page}" for *_, page in kept]),
            )
            assert limited.write_events(batch).accepted == unlimited.write_events(batch).accepted == len(kept)
        if then == "expire":
            limited.expire_events()
            held = limited._indexes.events.types["view"].view()
            assert all(run.ends[0] >= now_us - 10 * DAY for run in held.runs)
        pair = sorted(present)[at % 3 : at % 3 + 2]
        for database in (limited, unlimited):
            if then == "merge" and len(pair) == 2:
                database.merge_profiles(*pair)
            if then == "erase" and len(present) > 3:
                database.erase_profile(pair[0])
    for rule in EXACT:
        for n in (1, 3, 9):
            agree(limited, unlimited, rule.format(n=n))
    for key in names(unlimited, "everyone"):
        assert limited.get_profile(key).events == unlimited.get_profile(key).events


def old_views() -> tuple[Database, ManualClock]:
    clock = ManualClock(NOW)
    database = Database.open(None, clock=clock)
    page = column("page", Kind.TEXT, ["/a", "/b", "/a"])
    database.write_events(
        events(["ann", "ann", "bob"], "view", [NOW - 40 * DAY, NOW - DAY, NOW - 50 * DAY], page)
    )
    return database, clock


def test_raw_events_go_and_their_totals_stay() -> None:
    database, _ = old_views()
    database.declare_retention({"view": 30 * DAY})
    assert database.status().events == 3
    assert database.expire_events().accepted == 1
    assert database.status().events == 1
    retention = database._indexes.events.types["view"].view().retention
    assert retention is not None
    assert retention.totals.of(0) == (1, NOW - 40 * DAY, NOW - 40 * DAY)
    assert names(database, "did view at least 2 times") == ["ann"] and names(database, "did view") == [
        "ann",
        "bob",
    ]
    version = database.status().version
    assert database.expire_events().version == version


def test_events_older_than_the_retention_are_refused_by_row() -> None:
    database, _ = old_views()
    database.declare_retention({"view": 30 * DAY, "later": DAY})
    times = [NOW - 30 * DAY, NOW - 30 * DAY - 1, NOW - 31 * DAY]
    receipt = database.write_events(events(["a", "b", "c"], ["view", "view", "buy"], times))
    (row,) = receipt.rejected
    assert (row.row, row.field, row.reason) == (1, "time", Reason.OUTSIDE_WINDOW)
    assert database.write_events(events(["a"], "later", [NOW - 2 * DAY])).rejected


REFUSED = [
    'did view where page = "/a"', "did view in last 31 days", "did view before 2024-01-01",
    'first did view where page = "/a" in last 5 days', "days(view) >= 2",
    "did view more than 20 days ago", "did view then view within 1 days", "same page (did view at least 2 times)",
    'did any event where page = "/a"', "did any event in last 60 days", "did view this year",
    'last view has page = "/a"',
    "same page (did buy at least 2 times)", "did view at least 1 times per 7 days in at least 2 of last 6 periods",
    "distinct(view.page) > 1", "not (did view in last 31 days)",
]  # fmt: skip
TAKEN = [
    "did view in last 30 days", "did view at least 3 times", "never did view", "first did view in last 90 days",
    'did view where page = "/a" in last 30 days', "did view between 10 and 30 days ago", "did view this week",
    "did view then view within 1 days in last 20 days", "did buy before 2024-01-01",
]  # fmt: skip


def valid(rule: str) -> bool:
    """Whether the rule can be read and bound where nothing goes."""
    database, _ = old_views()
    database.write_events(events(["x"], "buy", [NOW], column("page", Kind.TEXT, ["/a"])))
    try:
        database.count(rule)
    except InvalidRule:
        return False
    return True


@pytest.mark.parametrize("rule", REFUSED)
def test_a_rule_that_needs_older_raw_events_is_refused(rule: str) -> None:
    assert valid(rule)
    database, _ = old_views()
    database.write_events(events(["x"], "buy", [NOW], column("page", Kind.TEXT, ["/a"])))
    database.create_segment(SegmentDraft("before", rule))
    with pytest.raises(HasDependents, match="before"):
        database.declare_retention({"view": 30 * DAY})
    database.delete_segment("before")
    database.declare_retention({"view": 30 * DAY})
    with pytest.raises(InvalidRule, match="kept for"):
        database.create_segment(SegmentDraft("after", rule))
    for ask in (database.count, database.members, lambda r: database.check("ann", [r])):
        with pytest.raises(InvalidRule, match="kept for"):
            ask(rule)


@pytest.mark.parametrize("rule", TAKEN)
def test_a_rule_that_looks_no_further_back_is_taken(rule: str) -> None:
    assert valid(rule)
    database, _ = old_views()
    database.write_events(events(["x"], "buy", [NOW], column("page", Kind.TEXT, ["/a"])))
    database.create_segment(SegmentDraft("before", rule))
    database.declare_retention({"view": 30 * DAY})
    database.create_segment(SegmentDraft("after", rule))
    assert database.get_segment("after").size == database.get_segment("before").size


def test_an_instant_of_the_past_that_needs_what_is_gone_is_refused() -> None:
    database, _ = old_views()
    database.declare_retention({"view": 30 * DAY})
    assert database.count("did view in last 30 days", at_us=NOW - 20 * DAY).count == 1
    database.expire_events()
    for rule in ("did view in last 30 days", "did view at least 1 times"):
        with pytest.raises(InvalidRule, match="no longer kept"):
            database.count(rule, at_us=NOW - 40 * DAY)
    assert database.count("did view in last 5 days", at_us=NOW - 10 * DAY).count == 0


def test_a_retention_is_sane_and_cannot_be_taken_back_once_events_are_gone() -> None:
    database, _ = old_views()
    for kept_us in (0, -DAY, 1_000):
        with pytest.raises(InvalidValue):
            database.declare_retention({"view": kept_us})
    database.declare_retention({"view": 60 * DAY})
    database.declare_retention({"view": None})
    assert database.count('did view where page = "/a"').count == 2
    database.declare_retention({"view": 30 * DAY})
    database.expire_events()
    with pytest.raises(FailedPrecondition):
        database.declare_retention({"view": None})
    database.declare_retention({"view": 45 * DAY})
    assert database.count("did view").count == 2


def test_writes_take_what_is_due_along() -> None:
    database, clock = old_views()
    database.declare_retention({"view": 30 * DAY})
    clock.advance_to(NOW + DAY)
    assert database.write_events(events(["cid"], "buy", [NOW])).accepted == 1
    assert database.status().events == 2 and database.count("did view").count == 2


def test_replay_equals_live_over_retention() -> None:
    files = CrashFiles()
    database = opened(files)
    page = column("page", Kind.TEXT, ["/a", "/b", "/a"])
    old = [NOW - 40 * DAY, NOW - DAY, NOW - 50 * DAY]
    database.write_events(events(["ann", "ann", "bob"], "view", old, page))
    database.declare_retention({"view": 30 * DAY, "nothing yet": DAY})
    database.write_events(events(["cid"], "buy", [NOW]))
    database.merge_profiles("ann", "bob")
    assert database.status().events == 2 and database.count("did view at least 3 times").count == 1
    assert digest(opened(CrashFiles(files.process_ended()))) == digest(database)
    database.checkpoint()
    again = opened(CrashFiles(files.process_ended()))
    assert digest(again) == digest(database) and again.count("did view at least 3 times").count == 1
    assert again.write_events(events(["x"], "nothing yet", [NOW - 2 * DAY])).rejected
    again.erase_profile("ann")
    assert not len(again._indexes.events.types["view"].view().retention.totals)  # type: ignore[union-attr]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-50, 50)), max_size=30), st.integers(0, 30))
def test_totals_add_up(gone: list[tuple[int, int]], cut: int) -> None:
    def arrays(part: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
        return np.array([p for p, _ in part], np.uint32), np.array([t for _, t in part], np.int64)

    totals = Totals().plus(*arrays(gone[:cut])).plus(*arrays(gone[cut:]))
    for profile in range(5):
        times = [t for p, t in gone if p == profile]
        assert totals.of(profile) == ((len(times), min(times), max(times)) if times else None)
    moved = totals.merged(1, 3)
    times = [t for p, t in gone if p in (1, 3)]
    assert moved.of(1) is None
    assert moved.of(3) == ((len(times), min(times), max(times)) if times else None)
    assert totals.without(2).of(2) is None and len(totals.without(2)) == len({p for p, _ in gone} - {2})
