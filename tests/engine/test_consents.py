"""Answers about topics with their own instants: the newest stands, in whatever order and company they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import InvalidArgument, InvalidValue
from headcount_engine.indexes import state
from headcount_engine.ingest.joining import Joining
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import NOT_SAID, Column, ProfileBatch, Reason
from headcount_engine.model.schema import answered_attribute, changed_attribute
from headcount_engine.model.values import Cell, Instant, Kind
from tests.agreement.columns import column, profiles
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import NOW, digest, opened

NEWS = "$consent.news"
S = 1_000_000


@pytest.fixture
def database() -> Database:
    return Database.open(None, clock=ManualClock(NOW))


def said(answers: Sequence[bool], given_us: Sequence[int | None]) -> Column:
    instants = np.array([NOT_SAID if us is None else us for us in given_us], dtype=np.int64)
    return replace(column(NEWS, Kind.BOOL, answers), given_us=instants)


def answers(*rows: tuple[str, bool, int | None], all_or_nothing: bool = False) -> ProfileBatch:
    keys, held, given_us = zip(*rows, strict=True)
    return profiles(keys, said(held, given_us), all_or_nothing=all_or_nothing)


def of(database: Database, key: str) -> tuple[Cell | None, Cell | None, Cell | None]:
    """(what is said, when that changed, when it was last said)."""
    held = database.get_profile(key).attributes
    return held.get(NEWS), held.get(changed_attribute(NEWS)), held.get(answered_attribute(NEWS))


def test_an_older_answer_that_arrives_later_changes_nothing(database: Database) -> None:
    for is_subscribed, at in ((True, NOW - 10), (True, NOW - 2), (False, NOW - 5), (False, NOW - 20)):
        receipt = database.write_profiles(answers(("a", is_subscribed, at)))
        assert (receipt.accepted, receipt.rejected) == (1, ())
    assert of(database, "a") == (True, Instant(NOW - 10), Instant(NOW - 2))
    assert database.count('consent "news"').count == 1 == sum(database.check("a", ['consent "news"']).results)
    database.write_profiles(answers(("a", False, NOW - 2)))
    assert of(database, "a") == (False, Instant(NOW - 2), Instant(NOW - 2))


def test_rows_of_one_profile_are_taken_in_turns_as_if_sent_one_by_one(database: Database) -> None:
    rows = [
        ("a", True, NOW - 3),
        ("b", True, None),
        ("a", False, NOW - 9),
        ("a", False, NOW - 1),
        ("b", False, NOW),
    ]
    apart = Database.open(None, clock=ManualClock(NOW))
    for row in rows:
        apart.write_profiles(answers(row))
    receipt = database.write_profiles(answers(*rows))
    assert receipt.accepted == 5
    for key in "ab":
        assert of(database, key) == of(apart, key)
    with pytest.raises(InvalidArgument, match="all or nothing"):
        database.write_profiles(answers(*rows, all_or_nothing=True))
    with pytest.raises(InvalidValue, match="a topic twice"):
        database.write_profiles(profiles(["a"], said([True], [NOW]), said([False], [NOW - 1])))


def test_what_is_said_without_an_instant_is_said_now_and_always_stands(database: Database) -> None:
    database.write_profiles(answers(("a", True, NOW + 200 * S)))
    database.write_profiles(profiles(["a"], column(NEWS, Kind.BOOL, [False])))
    assert of(database, "a") == (False, Instant(NOW + 200 * S), Instant(NOW + 200 * S))
    database.write_profiles(profiles(["b"], column(NEWS, Kind.BOOL, [False])))
    database.write_profiles(answers(("b", True, NOW - 1)))
    assert of(database, "b") == (False, Instant(NOW), Instant(NOW))


def test_answers_from_far_ahead_or_from_no_year_are_turned_away_row_by_row(database: Database) -> None:
    receipt = database.write_profiles(
        answers(
            ("a", True, NOW + 300 * S), ("b", True, NOW + 300 * S + 1), ("c", True, 1 << 62), ("d", True, NOW)
        )
    )
    assert receipt.accepted == 2
    assert [(r.row, r.field, r.reason) for r in receipt.rejected] == [
        (1, NEWS, Reason.OUTSIDE_WINDOW),
        (2, NEWS, Reason.BAD_TIME),
    ]


def test_of_two_that_are_merged_the_newest_answer_stands(database: Database) -> None:
    """One said no twice and the other yes in between: it was the second no that was last."""
    for row in (("a", False, NOW - 9), ("a", False, NOW - 1), ("b", True, NOW - 5), ("c", True, NOW - 5)):
        database.write_profiles(answers(row))
    database.merge_profiles("b", "a")
    assert of(database, "b") == (False, Instant(NOW - 9), Instant(NOW - 1))
    database.write_profiles(answers(("b", True, NOW - 2)))
    assert of(database, "b")[0] is False
    database.merge_profiles("b", "c")
    assert of(database, "b") == (False, Instant(NOW - 9), Instant(NOW - 1))


def test_live_segments_follow_and_how_long_it_has_held_counts_from_the_answer(database: Database) -> None:
    database.write_profiles(answers(("a", True, NOW - 60 * S), ("b", True, NOW - 10 * S)))
    database.create_segment(SegmentDraft("News", 'consent "news"', "news"))
    database.write_profiles(answers(("a", False, NOW - 90 * S), ("b", False, NOW - 9 * S)))
    assert database.memberships("a").segments == ("news",) and database.memberships("b").segments == ()
    held = "`$consent.news` has been true for at least {} seconds"
    assert [database.count(held.format(seconds)).count for seconds in (60, 61)] == [1, 0]
    database.create_segment(SegmentDraft("Long", held.format(70), "long"))
    clock = database._clock
    assert isinstance(clock, ManualClock)
    clock.advance_to(NOW + 10 * S)
    database.tick()
    assert database.memberships("a").segments == ("long", "news")
    database.check_live()


def test_answers_outlive_restarts(database: Database) -> None:
    files = CrashFiles()
    stored = opened(files)
    stored.write_profiles(answers(("a", True, NOW - 10), ("b", True, None)))
    stored.write_profiles(answers(("a", True, NOW - 2)))
    assert digest(opened(CrashFiles(files.process_ended()))) == digest(stored)
    stored.checkpoint()
    again = opened(CrashFiles(files.process_ended()))
    assert digest(again) == digest(stored)
    again.write_profiles(answers(("a", False, NOW - 5)))
    assert of(again, "a") == (True, Instant(NOW - 10), Instant(NOW - 2))
    again.erase_profile("a")
    assert not len(np.flatnonzero(again._indexes.attributes.all()[answered_attribute(NEWS)].column.view().gather(
        np.array([0], dtype=np.int64)
    ) != NOT_SAID))  # fmt: skip


def test_a_store_that_knows_changes_only_goes_on_from_them(database: Database) -> None:
    database.write_profiles(answers(("a", True, NOW - 5), ("b", True, NOW - 5), ("c", True, NOW - 5)))
    tree, release = state.capture(database._indexes, 1)
    release()
    parts = cast("list[state.Plain]", tree)
    attributes = cast("list[list[list[state.Plain]]]", parts[2])
    parts[2] = [a for a in attributes if a[0][0] != answered_attribute(NEWS)]
    old = Database.open(None, clock=ManualClock(NOW))
    state.restore(old._indexes, parts)
    old.merge_profiles("b", "c")
    old.write_profiles(profiles(["b"], column(NEWS, Kind.TEXT, ["no answer"])))
    old.write_profiles(answers(("a", False, NOW - 9)))
    assert of(old, "a") == (True, Instant(NOW - 5), None)
    old.write_profiles(answers(("a", False, NOW - 1)))
    assert of(old, "a") == (False, Instant(NOW - 1), Instant(NOW - 1))


def test_writes_that_share_a_commit_keep_the_instants_of_their_answers() -> None:
    plain = profiles(["c"], column(NEWS, Kind.BOOL, [False]))
    without = profiles(["d"], column("age", Kind.INT, [7]))
    joining = Joining(answers(("a", True, NOW - 5), ("b", True, None)), lambda keys: np.full(len(keys), -1))
    assert joining.takes(plain) and joining.takes(without)
    joined = joining.joined()
    assert isinstance(joined, ProfileBatch)
    (news,) = (c for c in joined.columns if c.name == NEWS)
    assert news.given_us is not None and news.given_us.tolist() == [NOW - 5, NOT_SAID, NOT_SAID, NOT_SAID]
