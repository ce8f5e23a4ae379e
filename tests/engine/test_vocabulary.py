"""What rules can name, how many profiles have it, and whether anybody declared it."""

from __future__ import annotations

from typing import cast

import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import DeadlineExceeded
from headcount_engine.indexes import state
from headcount_engine.indexes.events import Inferred
from headcount_engine.indexes.store import Indexes
from headcount_engine.model.answers import Deadline, Need, SchemaView
from headcount_engine.model.batches import Change
from headcount_engine.model.schema import AttributeDefinition, PropertyDefinition
from headcount_engine.model.values import Kind, ValueType
from tests.agreement.columns import MISSING, column, events, profiles
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import DAY, NOW, opened

SET = Kind.TEXT_SET


def filled(database: Database) -> Database:
    database.declare_attributes([AttributeDefinition("plan", ValueType(Kind.TEXT), is_tracked=True)])
    database.declare_properties([PropertyDefinition("buy", "amount", ValueType(Kind.INT))])
    database.declare_retention({"view": 30 * DAY})
    database.write_profiles(
        profiles(
            ["a", "b", "c", "d"],
            column("plan", Kind.TEXT, ["pro", None, "free", "pro"]),
            column("empty", Kind.TEXT, ["", MISSING, MISSING, MISSING]),
            column("email", Kind.TEXT, ["a@x", "b@x", MISSING, MISSING], is_identifier=True),
            column("$tags", SET, [frozenset({"vip"}), frozenset({"old"}), MISSING, frozenset({"gone"})]),
            column("$channels", SET, [frozenset({"push"}), MISSING, MISSING, MISSING]),
        )
    )
    database.write_profiles(
        profiles(["b"], column("$tags", SET, [frozenset({"old", "never"})], change=Change.REMOVE))
    )
    page = column("page", Kind.TEXT, ["/", "/", "/", "/x"])
    database.write_events(
        events(["a", "a", "b", "d"], "view", [NOW - DAY, NOW - 2 * DAY, NOW - 40 * DAY + 1, NOW + DAY], page)
    )
    database.write_events(events(["c"], "buy", [NOW], column("shop", Kind.TEXT, ["s"])))
    database.write_events(events(["d"], "later", [NOW + DAY]))
    return database


def inferred(view: SchemaView) -> tuple[set[str], set[str], set[str]]:
    """The names of attributes, of properties and of events that nobody declared."""
    return (
        {a.name for a in view.attributes if a.is_inferred},
        {f"{p.event}.{p.name}" for p in view.properties if p.is_inferred},
        set(view.inferred_events),
    )


def test_counts_are_those_of_the_rules_that_ask_for_each() -> None:
    clock = ManualClock(NOW - 10 * DAY)
    database = filled(Database.open(None, clock=clock))
    clock.advance_to(NOW)
    database.expire_events()
    view, counts = database.vocabulary.counted()
    assert counts.attributes == {"email": 2, "empty": 1, "plan": 3}
    assert counts.events == {"buy": 1, "later": 0, "view": 2} and view.events["view"] == 3
    assert (counts.version, counts.now_us) == (database.status().version, NOW)
    for name, count in counts.attributes.items():
        assert database.count(f"{name} exists").count == count
    database.merge_profiles("a", "c")
    database.erase_profile("b")
    _, counts = database.vocabulary.counted()
    assert counts.attributes == {"email": 1, "empty": 1, "plan": 2}
    assert counts.events == {"buy": 1, "later": 0, "view": 1}
    clock.advance_to(NOW + DAY)
    assert database.vocabulary.counted()[1].events == {"buy": 1, "later": 1, "view": 2}
    with pytest.raises(DeadlineExceeded):
        database.vocabulary.counted(Need(deadline=Deadline(0.0)))


def test_tags_and_channels_are_those_that_some_profile_has_or_had() -> None:
    database = filled(Database.open(None, clock=ManualClock(NOW - 10 * DAY)))
    assert database.vocabulary.tags() == ("gone", "old", "vip")
    assert database.vocabulary.channels() == ("push",)
    database.erase_profile("d")
    database.complete_erasures()
    assert database.vocabulary.tags() == ("vip",), "texts that nobody holds any more go along"


def test_what_came_with_data_stays_inferred_through_restarts() -> None:
    files = CrashFiles()
    database = filled(opened(files, NOW - 10 * DAY))
    expected = ({"empty", "email"}, {"view.page", "buy.shop"}, {"later"})
    assert inferred(database.schema()) == expected
    database.declare_attributes([AttributeDefinition("empty", ValueType(Kind.TEXT))])
    database.declare_properties([PropertyDefinition("later", "x", ValueType(Kind.INT))])
    assert inferred(database.schema()) == expected
    assert inferred(opened(CrashFiles(files.process_ended()), NOW).schema()) == expected
    database.checkpoint()
    again = opened(CrashFiles(files.process_ended()), NOW)
    assert inferred(again.schema()) == expected
    again.write_events(events(["a"], "later", [NOW], column("x", Kind.INT, [1])))
    assert inferred(again.schema()) == expected


def test_checkpoints_that_do_not_tell_what_was_inferred_are_read() -> None:
    database = filled(Database.open(None, clock=ManualClock(NOW - 10 * DAY)))
    tree, release = state.capture(database._indexes, 1)
    release()
    parts = cast("list[state.Plain]", tree)
    for attribute in cast("list[list[list[state.Plain]]]", parts[2]):
        attribute[0].pop()
    for type_ in cast("list[list[state.Plain]]", parts[7]):
        type_.pop()
    indexes = Indexes()
    state.restore(indexes, parts)
    assert not any(a.definition.is_inferred for a in indexes.attributes.all().values())
    assert all(held.inferred == Inferred(False) for held in indexes.events.types.values())
    assert {n: a.definition for n, a in indexes.attributes.all().items()} == {
        n: a.definition for n, a in database._indexes.attributes.all().items()
    }
