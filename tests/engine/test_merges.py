"""What two profiles become one, and what that one has."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import FailedPrecondition, InvalidArgument, NotFound
from headcount_engine.model.batches import Change, Texts
from headcount_engine.model.schema import AttributeDefinition, consent_attribute
from headcount_engine.model.values import Instant, Kind, Point, ValueType
from tests.agreement.columns import MISSING, column, events, profiles

DAY = 86_400_000_000
NOW = 20_000 * DAY
SET = ValueType(Kind.TEXT_SET)


@pytest.fixture
def database() -> Database:
    made = Database.open(None, clock=ManualClock(NOW))
    made.declare_attributes([AttributeDefinition("plan", ValueType(Kind.TEXT), is_tracked=True)])
    return made


def test_the_survivors_value_wins_and_the_losers_fills_what_is_absent(database: Database) -> None:
    database.write_profiles(
        profiles(
            ["a", "b", "c"],
            column("plan", Kind.TEXT, ["pro", "free", "gold"]),
            column("city", Kind.TEXT, [MISSING, "Rome", "Oslo"]),
            column("age", Kind.INT, [MISSING, MISSING, 7]),
            column("home", Kind.POINT, [MISSING, Point(1.0, 2.0), Point(3.0, 4.0)]),
        )
    )
    receipt = database.merge_profiles("a", ["b", "c"])
    assert (receipt.accepted, receipt.created) == (2, 0)
    assert database.get_profile("a").attributes == {
        "plan": "pro", "$changed.plan": Instant(NOW), "city": "Rome", "age": 7, "home": Point(1.0, 2.0),
    }  # fmt: skip
    assert database.count("everyone").count == 1
    assert database.count('city = "Rome"').count == 1 and database.count('city = "Oslo"').count == 0


def test_sets_unite(database: Database) -> None:
    database.write_profiles(
        profiles(
            ["a", "b", "c"],
            column("$tags", SET, [frozenset("xy"), frozenset("yz"), MISSING]),
            column("likes", SET, [MISSING, frozenset("p"), frozenset("q")]),
        )
    )
    database.merge_profiles("a", ["b", "c"])
    profile = database.get_profile("a")
    assert profile.tags == frozenset("xyz") and profile.attributes["likes"] == frozenset("pq")


def test_the_later_change_of_consent_wins(database: Database) -> None:
    clock = database._clock
    assert isinstance(clock, ManualClock)
    for at, key, said in (
        (NOW, "a", True),
        (NOW + 1, "b", False),
        (NOW + 2, "c", True),
        (NOW + 1, "d", True),
    ):
        clock.advance_to(at)
        database.write_profiles(profiles([key], column(consent_attribute("news"), Kind.BOOL, [said])))
    database.merge_profiles("a", "b")
    assert database.get_profile("a").attributes[consent_attribute("news")] is False
    database.merge_profiles("c", "a")
    held = database.get_profile("c").attributes
    assert held[consent_attribute("news")] is True
    assert held[f"$changed.{consent_attribute('news')}"] == Instant(NOW + 2)


def test_the_instant_of_a_change_goes_with_the_value(database: Database) -> None:
    clock = database._clock
    assert isinstance(clock, ManualClock)
    database.write_profiles(profiles(["b", "c"], column("plan", Kind.TEXT, ["pro", "free"])))
    clock.advance_to(NOW + DAY)
    database.write_profiles(profiles(["a"]))
    database.merge_profiles("a", "b")
    assert database.get_profile("a").attributes["$changed.plan"] == Instant(NOW)
    database.merge_profiles("c", "a")
    held = database.get_profile("c").attributes
    assert (held["plan"], held["$changed.plan"]) == ("free", Instant(NOW))


def test_events_count_for_the_survivor_whatever_run_they_are_in(database: Database) -> None:
    for step in range(30):
        database.write_events(events(["a", "b"], "buy", [NOW - step * DAY, NOW - step * DAY - 1]))
    before = database.members("did buy at least 31 times")
    assert not len(before.ids)
    database.merge_profiles("a", "b")
    assert database.count("did buy at least 60 times").count == 1
    assert database.check("b", ["did buy at least 60 times"]).results == (True,)
    database.write_events(events(["b"], "buy", [NOW]))
    assert database.count("did buy exactly 61 times").count == 1
    assert database.status().events == 61 and database.count("everyone").count == 1


def test_the_losers_key_leads_to_the_survivor_ever_after_also_through_others(database: Database) -> None:
    database.write_profiles(profiles(["a", "b", "c", "d"]))
    database.merge_profiles("b", "a")
    database.merge_profiles("c", "b")
    for key in ("a", "b", "c"):
        assert database.get_profile(key).key == "c"
    batch = profiles(
        ["a", "b", "d"],
        column("$tags", SET, [frozenset("x"), frozenset("y"), frozenset("z")], change=Change.ADD),
    )
    database.write_profiles(batch)
    assert database.get_profile("c").tags == frozenset("xy")
    assert database.write_profiles(profiles(["a"])).created == 0
    found = database.check_many(Texts.of(["a", "c", "d", "e"]), ["everyone"])
    assert found.is_known.tolist() == [True, True, True, False]
    by_id = database.check_many(np.array([0, 2, 3, 4, 2**32 - 1]), ["everyone", 'key in ("c")'])
    assert by_id.is_known.tolist() == [True, True, True, False, False]
    assert by_id.results.tolist() == [
        [True, True],
        [True, True],
        [True, False],
        [False, False],
        [False, False],
    ]
    assert database.count('key in ("a")').count == 1


def test_two_known_profiles_are_merged_only_with_force_and_both_identifiers_lead_on(
    database: Database,
) -> None:
    email = column("email", Kind.TEXT, ["a@x", "b@x", MISSING], is_identifier=True)
    phone = column("phone", Kind.TEXT, [MISSING, "2", MISSING], is_identifier=True)
    database.write_profiles(profiles(["a", "b", "c"], email, phone))
    database.merge_profiles("a", "c")
    version = database.status().version
    with pytest.raises(FailedPrecondition):
        database.merge_profiles("a", "b")
    assert database.status().version == version
    database.merge_profiles("a", "b", force=True)
    assert database.lookup("email", Texts.of(["a@x", "b@x"])) == ["a", "a"]
    assert database.lookup("phone", Texts.of(["2"])) == ["a"]
    assert database.get_profile("a").identifiers == {"email": "a@x", "phone": "2"}
    taken = database.write_profiles(profiles(["d"], column("email", Kind.TEXT, ["b@x"], is_identifier=True)))
    assert len(taken.rejected) == 1
    database.write_profiles(profiles(["e"], column("email", Kind.TEXT, ["e@x"], is_identifier=True)))
    database.merge_profiles("e", "a", force=True)
    assert database.lookup("email", Texts.of(["a@x", "b@x", "e@x"])) == ["e", "e", "e"]


def test_a_merge_that_cannot_be_changes_nothing(database: Database) -> None:
    database.write_profiles(profiles(["a", "b"]))
    version = database.status().version
    for survivor, loser, error in (("a", "a", InvalidArgument), ("a", "x", NotFound), ("x", "a", NotFound)):
        with pytest.raises(error):
            database.merge_profiles(survivor, loser)
    assert database.status().version == version
    database.merge_profiles("a", "b")
    again = database.merge_profiles("a", "b")
    assert (again.accepted, again.version) == (0, version + 1)


def test_a_reader_keeps_the_events_of_its_version(database: Database) -> None:
    database.write_events(events(["a", "b", "b"], "buy", [NOW - 2, NOW - 1, NOW]))
    (run,) = database._indexes.events.types["buy"].view().runs
    assert run.permutations.rows_of(run.profiles, 1).tolist() == [1, 2]
    database.merge_profiles("a", "b")
    assert run.profiles.tolist() == [0, 1, 1]
    (merged,) = database._indexes.events.types["buy"].view().runs
    assert merged.profiles.tolist() == [0, 0, 0] and merged.permutations is not run.permutations
