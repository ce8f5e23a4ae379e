"""What is left of an erased profile while the database runs: nothing but the memory that its key is refused."""

from __future__ import annotations

import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import NotFound
from headcount_engine.model.batches import Reason, Texts
from headcount_engine.model.values import Kind, ValueType
from tests.agreement.columns import MISSING, column, events, profiles

DAY = 86_400_000_000
NOW = 20_000 * DAY
SET = ValueType(Kind.TEXT_SET)


@pytest.fixture
def database() -> Database:
    made = Database.open(None, clock=ManualClock(NOW))
    made.write_profiles(
        profiles(
            ["ann", "bob", "cid"],
            column("email", Kind.TEXT, ["ann@x", "bob@x", MISSING], is_identifier=True),
            column("city", Kind.TEXT, ["Rome", "Rome", "Oslo"]),
            column("secret", Kind.TEXT, ["only ann", "only bob", MISSING]),
            column("age", Kind.INT, [1_234_567, 2, 3]),
            column("$tags", SET, [frozenset({"ann's own", "vip"}), frozenset({"vip"}), MISSING]),
        )
    )
    for step in range(5):
        made.write_events(
            events(
                ["ann", "bob"], ["buy", "view"], [NOW - step * DAY, NOW - step * DAY],
                column("page", Kind.TEXT, [f"ann's page {step}", f"page {step}"]),
                column("seen", SET, [frozenset({f"ann saw {step}", "all"}), frozenset({"all"})]),
                event_ids=[f"a{step}", f"b{step}"],
            )
        )  # fmt: skip
    return made


def texts_of(database: Database) -> set[str]:
    """Every text in every dictionary, and every key."""
    indexes = database._indexes
    found = set(indexes.identities.keys.slice(0, len(indexes.identities.keys)).to_list())
    for dictionary in (
        *(a.dictionary for a in indexes.attributes.all().values() if a.dictionary is not None),
        *indexes.events.texts.values(),
        *indexes.events.sets.values(),
    ):
        table = dictionary.elements if hasattr(dictionary, "elements") else dictionary.table
        found.update(table.slice(0, len(table)).to_list())
    return found


def test_an_erased_profile_is_in_no_answer(database: Database) -> None:
    database.erase_profile("ann")
    with pytest.raises(NotFound):
        database.get_profile("ann")
    assert database.count("everyone").count == 2 and database.count('not tag "vip"').count == 1
    assert database.count("age > 1000").count == 0 and database.count("did buy").count == 0
    assert database.count("not did buy").count == 2 and database.status().events == 5
    assert database.lookup("email", Texts.of(["ann@x", "bob@x"])) == [None, "bob"]
    assert not database.check("ann", ["everyone"]).is_known
    assert database.keys_of(database.members("everyone").ids).to_list() == ["bob", "cid"]


def test_texts_that_it_alone_had_are_overwritten_and_others_stay(database: Database) -> None:
    before = texts_of(database)
    own = {"ann", "ann@x", "only ann", "ann's own", *(f"ann's page {i}" for i in range(5))}
    own |= {f"ann saw {i}" for i in range(5)}
    assert own < before
    database.erase_profile("ann")
    after = texts_of(database)
    assert not own & after and before - own <= after
    assert {t for t in after - before if not t.startswith("\u212a")} == set()


def test_its_key_is_refused_until_it_is_created_anew_and_then_is_somebody_else(database: Database) -> None:
    database.erase_profile("ann")
    for receipt in (
        database.write_profiles(profiles(["ann", "dan"])),
        database.write_events(events(["ann", "dan"], "buy", [NOW, NOW])),
    ):
        (row,) = receipt.rejected
        assert (row.row, row.reason) == (0, Reason.ERASED_PROFILE) and "ann" not in row.message
    again = database.write_profiles(profiles(["ann"], column("age", Kind.INT, [5]), recreate=True))
    assert again.created == 1
    assert database.get_profile("ann").attributes == {"age": 5}
    assert database._indexes.identities.find(Texts.of(["ann"])).tolist() == [4]
    old = events(["ann"], "buy", [NOW], column("page", Kind.TEXT, ["ann's page 0"]), event_ids=["a0"])
    assert database.write_events(old).duplicates == 1
    assert database.write_events(events(["ann"], "buy", [NOW])).accepted == 1
    database.erase_profile("ann")
    assert database.write_profiles(profiles(["ann"])).rejected


def test_a_value_that_was_overwritten_can_be_given_again(database: Database) -> None:
    assert database.count('secret = "only ann"').count == 1
    database.erase_profile("ann")
    assert database.count('secret = "only ann"').count == 0
    taken = column("email", Kind.TEXT, ["ann@x"], is_identifier=True)
    database.write_profiles(profiles(["cid"], column("secret", Kind.TEXT, ["only ann"]), taken))
    assert database.count('secret = "only ann"').count == 1
    assert database.count('secret contains "ann"').count == 1
    assert database.lookup("email", Texts.of(["ann@x"])) == ["cid"]


def test_profiles_that_were_merged_into_it_go_with_it(database: Database) -> None:
    database.merge_profiles("cid", ["bob", "ann"], force=True)
    database.erase_profile("bob")
    assert database.count("everyone").count == 0
    for key in ("ann", "bob", "cid"):
        assert database.write_profiles(profiles([key])).rejected
    assert not {"ann", "bob", "cid", "ann@x", "bob@x"} & texts_of(database)
    assert database.write_profiles(profiles(["bob"], recreate=True)).created == 1
    assert database.write_profiles(profiles(["cid"])).rejected


def test_values_of_long_ago_go_when_erasures_are_completed(database: Database) -> None:
    database.write_profiles(profiles(["ann"], column("secret", Kind.TEXT, ["newer"])))
    database.erase_profile("ann")
    assert "only ann" in texts_of(database)
    assert database.complete_erasures() == 1 and database.complete_erasures() == 0
    assert "only ann" not in texts_of(database) and "only bob" in texts_of(database)


def test_erasing_nobody_changes_nothing(database: Database) -> None:
    database.erase_profile("ann")
    version = database.status().version
    for key in ("ann", "nobody"):
        with pytest.raises(NotFound):
            database.erase_profile(key)
    assert database.status().version == version


def test_a_reader_of_the_version_before_keeps_the_events_it_has(database: Database) -> None:
    before = database._indexes.events.types["buy"].view()
    database.erase_profile("ann")
    assert len(before) == 5 and len(database._indexes.events.types["buy"].view()) == 0


def test_many_erasures_leave_the_others_as_they_were() -> None:
    database = Database.open(None, clock=ManualClock(NOW))
    keys = [f"k{i:04}" for i in range(600)]
    database.write_profiles(profiles(keys, column("n", Kind.INT, list(range(600)))))
    database.write_events(events(keys, "buy", [NOW - i for i in range(600)]))
    for key in keys[::7]:
        database.erase_profile(key)
    kept = [key for key in keys if key not in set(keys[::7])]
    assert database.keys_of(database.members("everyone").ids).to_list() == kept
    assert database.keys_of(database.members("did buy").ids).to_list() == kept
    # Enough new ones that the table of keys is laid out anew.
    more = [f"m{i}" for i in range(3_000)]
    database.write_profiles(profiles(more))
    found = database.check_many(Texts.of([*keys, *more]), ["everyone"])
    assert found.is_known.sum() == len(kept) + 3_000
    assert len(database.write_profiles(profiles(keys)).rejected) == len(keys[::7])
