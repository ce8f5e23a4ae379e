"""The catalogue: names, references, circles, etags, pages, and sizes that are exact."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headcount_engine.conditions.tree import AllOf, Condition, HasTag, Not
from headcount_engine.database import Database
from headcount_engine.errors import (
    Aborted,
    AlreadyExists,
    HasDependents,
    InvalidRule,
    InvalidValue,
    LimitExceeded,
    NotFound,
    ReferenceCycle,
    UnknownName,
)
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_engine.model.answers import SegmentChanges, SegmentDraft, SegmentQuery
from headcount_engine.model.segments import SegmentKind, SegmentState
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events, profiles


@pytest.fixture
def database() -> Database:
    database = Database.open(None)
    database.write_profiles(profiles([f"p{i}" for i in range(10)], column("n", Kind.INT, list(range(10)))))
    return database


def create(database: Database, name: str, rule: str, id_: str = "") -> None:
    database.create_segment(SegmentDraft(name, rule, id_))


def rule(database: Database, segment: str, text: str) -> None:
    database.update_segment(segment, SegmentChanges(rule=text))


def test_sizes_follow_the_data_and_what_they_refer_to(database: Database) -> None:
    create(database, "high", "n >= 5")
    create(database, "top", 'in segment "high" and n >= 8')
    assert [s.size for s in database.list_segments().segments] == [5, 2]
    database.write_profiles(profiles(["p0", "p9"], column("n", Kind.INT, [100, None])))
    assert [s.size for s in database.list_segments().segments] == [5, 2]
    rule(database, "high", "n >= 100")
    assert (database.get_segment("high").size, database.get_segment("top").size) == (1, 1)
    assert database.memberships("p0").segments == ("high", "top")
    assert database.memberships("p1").segments == () and not database.memberships("nobody").is_known
    assert database.count('not in segment "top"').count == 9


@pytest.mark.parametrize("text", ['in segment "a"', 'not in segment "a" or n > 3', 'in segment "c"'])
def test_a_circle_of_one_two_or_three_is_refused_with_its_path(database: Database, text: str) -> None:
    create(database, "a", "n > 1")
    create(database, "b", 'in segment "a"')
    create(database, "c", 'in segment "b" and n > 2')
    before = [(s.id, s.rule, s.etag, s.size) for s in database.list_segments().segments]
    with pytest.raises(ReferenceCycle) as caught:
        rule(database, "a", text)
    expected = ("a", "c", "b", "a") if '"c"' in text else ("a", "a")
    assert caught.value.cycle == expected
    with pytest.raises(ReferenceCycle) as caught:
        rule(database, "a", 'in segment "b"')
    assert caught.value.cycle == ("a", "b", "a")
    assert [(s.id, s.rule, s.etag, s.size) for s in database.list_segments().segments] == before


def test_a_reference_to_what_is_not_there_is_refused_with_a_suggestion(database: Database) -> None:
    create(database, "buyers", "n > 1")
    for ask in (
        lambda: create(database, "x", 'in segment "buyerz"'),
        lambda: rule(database, "buyers", 'in segment "gone"'),
        lambda: database.count('in segment "buyerz"'),
        lambda: database.check("p1", ['in segment "buyerz"']),
        lambda: create(database, "itself", 'in segment "itself"'),
    ):
        with pytest.raises(InvalidRule):
            ask()
    with pytest.raises(UnknownName) as caught:
        database.count('in segment "buyerz"')
    assert caught.value.suggestions == ("buyers",)


def test_a_segment_in_use_is_not_deleted_and_its_users_are_named(database: Database) -> None:
    for name, text in (("a", "n > 1"), ("c", 'in segment "a"'), ("b", 'not in segment "a"')):
        create(database, name, text)
    with pytest.raises(HasDependents) as caught:
        database.delete_segment("a")
    assert caught.value.dependents == ("b", "c")
    database.delete_segment("b")
    database.delete_segment("c")
    database.delete_segment("a")
    assert database.list_segments().total_size == 0
    with pytest.raises(NotFound):
        database.get_segment("a")


def test_an_etag_that_is_no_longer_current_changes_nothing(database: Database) -> None:
    create(database, "a", "n > 1")
    old = database.get_segment("a").etag
    new = database.update_segment("a", SegmentChanges(rule="n > 2"), etag=old)
    assert new.etag != old and new.size == 7
    with pytest.raises(Aborted):
        database.update_segment("a", SegmentChanges(rule="n > 3"), etag=old)
    with pytest.raises(Aborted):
        database.delete_segment("a", etag=old)
    assert database.get_segment("a").rule == "n > 2"
    database.delete_segment("a", etag=new.etag)


def test_names_and_ids_are_unique_and_either_finds_the_segment(database: Database) -> None:
    create(database, "Caf\u00e9 lovers", "n > 1", "cafe")
    assert (
        database.get_segment("cafe").name
        == database.get_segment("Cafe\u0301 lovers").name
        == "Caf\u00e9 lovers"
    )
    for name, id_ in (("Cafe\u0301 lovers", ""), ("other", "cafe"), ("cafe", "")):
        with pytest.raises(AlreadyExists):
            create(database, name, "n > 2", id_)
    for name, id_ in (
        ("", ""),
        (" ", ""),
        ("a\nb", ""),
        ("x", "Upper"),
        ("x", "a/b"),
        ("x", "x" * 64),
        ("n" * 257, ""),
    ):
        with pytest.raises(InvalidValue):
            create(database, name, "n > 2", id_)
    create(database, "!!!", "n > 2")
    create(database, "!!! ", "n > 2")
    assert len({s.id for s in database.list_segments().segments}) == 3


def test_a_new_name_does_not_break_those_that_use_the_old(database: Database) -> None:
    create(database, "Old name", "n > 1", "a")
    create(database, "by name", 'in segment "Old name"')
    with pytest.raises(HasDependents):
        database.update_segment("a", SegmentChanges(name="New name"))
    rule(database, "by name", 'in segment "a"')
    assert database.update_segment("a", SegmentChanges(name="New name")).name == "New name"
    assert database.get_segment("by-name").size == 8
    with pytest.raises(NotFound):
        database.get_segment("Old name")


def test_rules_that_cannot_be_are_refused_when_saved(database: Database) -> None:
    for text in (
        "",
        "n >",
        "unknown_attribute = 1",
        'n = "text"',
        "n between 3 and 1",
        'n matches "("',
        "n in ()",
    ):
        with pytest.raises(InvalidRule):
            create(database, "x", text)
    assert database.list_segments().total_size == 0


def test_too_many_segments_are_refused() -> None:
    database = Database.open(None, limits=replace(DEFAULT_LIMITS, segments=2))
    create(database, "a", "everyone")
    create(database, "b", "everyone")
    with pytest.raises(LimitExceeded):
        create(database, "c", "everyone")


def test_pages_come_in_order_without_gaps_or_repeats(database: Database) -> None:
    for i in range(7):
        create(database, f"s{i}", f"n >= {i % 4}")
    for order in ("name", "name desc", "size", "size desc", "created", "updated desc"):
        found, token = [], ""
        while True:
            page = database.list_segments(SegmentQuery(order_by=order, page_size=3, page_token=token))
            found += page.segments
            token = page.next_page_token
            if not token:
                break
        assert len({s.id for s in found}) == len(found) == page.total_size == 7
        if order == "size desc":
            assert [s.size for s in found] == [10, 10, 9, 9, 8, 8, 7]
        if order == "name desc":
            assert [s.name for s in found] == [f"s{i}" for i in range(6, -1, -1)]
    for query in (SegmentQuery(order_by="rule"), SegmentQuery(page_token="x"), SegmentQuery(page_size=-1)):
        with pytest.raises(InvalidValue):
            database.list_segments(query)


def test_filters_hold_together(database: Database) -> None:
    for name, folder, labels in (("A", "f", {"k": "1"}), ("B", "f", {"k": "2"}), ("C", "g", {"k": "1"})):
        database.create_segment(SegmentDraft(name, "n > 1", "", f"about {name}", folder, labels))
    names = [
        [s.name for s in database.list_segments(query).segments]
        for query in (
            SegmentQuery(folder="f"), SegmentQuery(label="k=1"), SegmentQuery(label="k"),
            SegmentQuery(folder="f", label="k=1"), SegmentQuery(text="ABOUT b"), SegmentQuery(label="j"),
        )
    ]  # fmt: skip
    assert names == [["A", "B"], ["A", "C"], ["A", "B", "C"], ["A"], ["B"], []]


# ------------------------------------------------------------------------------------------------ limits


def nested(depth: int) -> Condition:
    condition: Condition = HasTag("a")
    for _ in range(depth - 1):
        condition = Not(condition)
    return condition


@pytest.mark.parametrize("depth", [65, 101, 10_000])
def test_a_rule_nested_too_deep_is_an_error_and_not_a_crash(database: Database, depth: int) -> None:
    tags = "(" * depth + 'tag "a"' + ")" * depth
    for ask in (
        lambda: database.count(nested(depth)),
        lambda: database.check("p1", [nested(depth)]),
        lambda: create(database, "deep", "not " * depth + 'tag "a"'),
        lambda: database.count("not " * depth + 'tag "a"'),
    ):
        with pytest.raises((LimitExceeded, InvalidRule)):
            ask()
    assert tags.count("(") == depth and database.list_segments().total_size == 0


def test_a_rule_of_64_levels_and_1000_leaves_is_answered(database: Database) -> None:
    assert database.count(nested(64)).count == 10
    tags = tuple(HasTag(f"t{i}") for i in range(1_001))
    assert database.count(AllOf(tags[:1_000])).count == 0
    with pytest.raises(LimitExceeded) as caught:
        database.count(AllOf(tags))
    assert caught.value.limit == "rule_leaves"
    text = " or ".join(f'tag "t{i}"' for i in range(1_001))
    with pytest.raises((LimitExceeded, InvalidRule)):
        database.count(text)


def test_long_chains_and_wide_graphs_of_references_are_answered_once_each(database: Database) -> None:
    """Twenty segments, each naming the one before twice: 2^20 paths."""
    create(database, "s0", "n >= 5")
    for i in range(1, 21):
        create(database, f"s{i}", f'in segment "s{i - 1}" or (in segment "s{i - 1}" and n >= 0)')
    assert database.get_segment("s20").size == 5
    assert len(database.memberships("p9").segments) == 21


def test_a_segment_comes_with_what_its_rule_should_be_looked_at_for(database: Database) -> None:
    nope = ("nobody has done 'nope' so far",)
    typo = SegmentDraft("Typo", "did nope at least 2 times or (did nope and n > 3)", "typo")
    assert database.create_segment(typo, validate_only=True).warnings == nope
    assert database.create_segment(typo).warnings == nope
    assert database.get_segment("typo").warnings == nope
    assert database.duplicate_segment("typo", "copy", "Copy").warnings == nope
    assert database.create_segment(SegmentDraft("Over", 'in segment "typo"')).warnings == nope
    assert [s.warnings for s in database.list_segments().segments] == [()] * 3
    held = SegmentDraft("Held", id="held", kind=SegmentKind.MANUAL, holding="did nope")
    assert database.create_segment(held, validate_only=True).warnings == nope
    assert database.create_segment(held).warnings == nope
    assert database.get_segment("held").warnings == ()
    fixed = SegmentChanges(rule="n > 3")
    assert database.update_segment("typo", fixed, validate_only=True).warnings == ()
    assert database.update_segment("typo", fixed).warnings == ()
    assert database.update_segment("typo", SegmentChanges(rule="did nope")).warnings == nope
    paused = database.update_segment("typo", SegmentChanges(state=SegmentState.PAUSED))
    assert paused.warnings == nope
    database.write_events(events(["p1"], "nope", [0]))
    assert database.get_segment("typo").warnings == database.get_segment("copy").warnings == ()
