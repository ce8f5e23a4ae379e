"""What a count and a saved segment say of the rule itself, and which relations of two rules hold whatever the data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.conditions.text import parse
from headcount_engine.database import Database
from headcount_engine.logic import notes
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.batches import Column, EventBatch, ProfileBatch, Texts
from headcount_engine.model.schema import PropertyDefinition
from headcount_engine.model.values import Kind, ValueType

NOW_US = 1_700_000_000_000_000
NEVER = "this rule can never match: `orders > 5` and `orders < 3` exclude each other"
IDLE = "`orders > 3` (at 0) changes nothing here and could be left out"


@pytest.fixture
def shop() -> Iterator[Database]:
    """Ten profiles with 0 to 9 orders, of whom one bought something."""
    database = Database.open(None, clock=ManualClock(NOW_US))
    keys = Texts.of([f"p{i}" for i in range(10)])
    columns = (
        Column("orders", ValueType(Kind.INT), np.arange(10)),
        Column("plan", ValueType(Kind.TEXT), Texts.of(["free", "pro"] * 5)),
    )
    database.write_profiles(ProfileBatch(keys, columns))
    database.declare_properties([PropertyDefinition("buy", "amount", ValueType(Kind.INT))])
    database.write_events(EventBatch(Texts.of(["p1"]), "buy", np.array([NOW_US - 1])))
    yield database
    database.close()


def test_a_count_of_nobody_says_why_if_nobody_ever_can(shop: Database) -> None:
    found = shop.count("orders > 5 and orders < 3")
    assert (found.count, found.warnings) == (0, (NEVER,))
    assert shop.count("orders > 20").warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        "orders > 3 and orders > 4",
        "orders > 3 and orders > 4 and not did buy where amount > 3",
        'orders > 3 and orders > 4 and plan = "pro"',
    ],
)
def test_a_count_says_what_is_idle_in_each_way_of_asking(shop: Database, text: str) -> None:
    tree = parse(text)
    for _ in range(3):
        assert shop.count(text).warnings == (IDLE,)
        assert shop.count(tree).warnings == (IDLE,)
    assert shop.count(text, at_us=NOW_US - 5).warnings == (IDLE,)


def test_a_rule_is_proved_about_once_however_often_it_is_counted(
    shop: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[object] = []
    look = notes.notes
    monkeypatch.setattr(notes, "notes", lambda *given: looks.append(given) or look(*given))
    for _ in range(5):
        assert shop.count("did buy and did buy in last 7 days").warnings
        assert shop.count("orders > 3 and orders > 4").warnings
        assert shop.count(parse("orders > 3 and orders > 4")).warnings, "another tree that says the same"
    assert len(looks) == 2


def test_what_is_said_follows_the_segments_that_a_rule_names(shop: Database) -> None:
    shop.create_segment(SegmentDraft("many", "orders > 3"))
    rule = 'in segment "many" and orders > 2'
    assert shop.count(rule).warnings == ("`orders > 2` (at 1) changes nothing here and could be left out",)
    shop.update_segment("many", SegmentChanges(rule="orders > 1"))
    assert shop.count(rule).warnings == (
        '`in segment "many"` (at 0) changes nothing here and could be left out',
    )


def test_a_saved_segment_carries_what_is_said_of_its_rule(shop: Database) -> None:
    draft = SegmentDraft("none", "orders > 5 and orders < 3")
    assert shop.create_segment(draft, validate_only=True).warnings == (NEVER,)
    assert shop.create_segment(draft).warnings == (NEVER,)
    assert shop.get_segment("none").warnings == (NEVER,)
    assert shop.update_segment("none", SegmentChanges(rule="orders > 3 and orders > 4")).warnings == (IDLE,)
    assert shop.update_segment("none", SegmentChanges(rule="orders > 4")).warnings == ()


@pytest.mark.parametrize(
    ("old", "new", "relation", "proved"),
    [
        ("orders > 5", "not orders <= 5", "equal", "contained"),  # nobody is without orders today
        ("orders > 5", "orders >= 6", "equal", "equal"),
        ("orders > 5", "orders > 20", "disjoint", "contains"),  # nobody has so many today
        ("orders > 5", 'orders > 7 and plan = "pro"', "contains", "contains"),
        ("did buy in last 7 days", "did buy in last 30 days", "equal", "contained"),
        ('plan = "pro"', 'plan = "free"', "disjoint", "disjoint"),
        ('plan = "pro"', "orders in (0, 2)", "disjoint", None),
        ('plan = "pro"', "orders > 5", "overlapping", None),
    ],
)
def test_a_comparison_says_what_holds_whatever_the_data(
    shop: Database, old: str, new: str, relation: str, proved: str | None
) -> None:
    found = shop.compare(old, new)
    assert (found.relation, found.proved) == (relation, proved)
