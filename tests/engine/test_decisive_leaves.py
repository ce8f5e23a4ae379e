"""The leaves that decide an answer are a smallest set whose change changes it, each counted once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.evaluation import changing
from headcount_engine.evaluation.changing import Count, Graph, smallest_change
from headcount_engine.model.answers import NO_DEADLINE, SegmentDraft
from headcount_engine.model.batches import Texts
from headcount_engine.model.segments import NamedPeople, SegmentKind
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events, profiles

NOW = 20_000 * 86_400_000_000
SECOND = 1_000_000
AGES = (None, 10, 25, 35, 50)
NAMES = (None, "", "x", "y", "z")
BUYS = (0, 1, 2, 3)
LEAVES = {
    "a": "a = true",
    "b": "b = true",
    "over 20": "age > 20",
    "over 40": "age > 40",
    "under 30": "age < 30",
    "aged": "age exists",
    "x": 'name = "x"',
    "x or y": 'name in ("x", "y")',
    "named": "name exists",
    "once": "did buy",
    "thrice": "did buy at least 3 times",
}
"""By a word, a leaf. Between them AGES, NAMES and BUYS are all that makes a difference to these."""
SEGMENTS = {
    "one": "a = true and age > 20",
    "two": 'not in segment "one" or did buy at least 3 times',
}


@dataclass(frozen=True)
class World:
    """Everybody that there can be, and which leaves hold for each."""

    database: Database
    keys: tuple[str, ...]
    held: dict[str, frozenset[str]]


@cache
def world() -> World:
    database = Database.open(None, clock=ManualClock(NOW))
    people = list(itertools.product((False, True), (False, True), AGES, NAMES, BUYS))
    keys = [f"p{i}" for i in range(len(people))]
    database.write_profiles(
        profiles(
            keys,
            column("a", Kind.BOOL, [p[0] for p in people]),
            column("b", Kind.BOOL, [p[1] for p in people]),
            column("age", Kind.INT, [p[2] for p in people]),
            column("name", Kind.TEXT, [p[3] for p in people]),
        )
    )
    buyers = [key for key, p in zip(keys, people, strict=True) for _ in range(p[4])]
    database.write_events(events(buyers, "buy", [NOW - SECOND] * len(buyers)))
    for name, rule in SEGMENTS.items():
        database.create_segment(SegmentDraft(name, rule))
    held = {word: in_rule(database, text) for word, text in LEAVES.items()}
    return World(database, tuple(keys), {key: frozenset(w for w in LEAVES if key in held[w]) for key in keys})


def in_rule(database: Database, rule: str) -> set[str]:
    return set(database.keys_of(database.members(rule).ids).to_list())


@st.composite
def rules(draw: st.DrawFn, depth: int = 3) -> str:
    kind = draw(st.integers(0, 7 if depth else 2))
    if kind <= 2:
        references = [f'in segment "{name}"' for name in SEGMENTS]
        return draw(st.sampled_from([*LEAVES.values(), *references, "a != true", "never did buy"]))
    inner = draw(st.lists(rules(depth - 1), min_size=1, max_size=3))
    several = ", ".join(inner)
    match kind:
        case 3:
            return f"not ({inner[0]})"
        case 4:
            return f"all of ({several})"
        case 5:
            return f"any of ({several})"
        case 6:
            return f"none of ({several})"
        case _:
            k = draw(st.integers(0, len(inner)))
            return f"{draw(st.sampled_from(('at least', 'exactly')))} {k} of ({several})"


def said(rule: str) -> set[str]:
    """The leaves that a rule says, by their words, also through segments."""
    for name, text in reversed(SEGMENTS.items()):
        rule = rule.replace(f'in segment "{name}"', text)
    rule = rule.replace("a != true", "a = true").replace("never did buy", "did buy ")
    found = {word for word, text in LEAVES.items() if text in rule and word != "once"}
    plain = rule.replace("did buy at least 3 times", "")
    return found | {"once"} if "did buy" in plain else found


@settings(max_examples=150, deadline=None)
@given(rule=rules(), data=st.data())
def test_no_smaller_set_of_leaves_changes_the_answer_and_this_one_does(
    rule: str, data: st.DataObject
) -> None:
    """Brute force: everybody else there can be, by how many leaves lie between them and the profile."""
    everybody = world()
    members, leaves = in_rule(everybody.database, rule), said(rule)
    words = {text: word for word, text in LEAVES.items()} | {"a != true": "a", "never did buy": "once"}
    for key in data.draw(st.lists(st.sampled_from(everybody.keys), min_size=3, max_size=3)):
        found = everybody.database.explain(key, rule).explanation
        assert found is not None and found.holds is (key in members)
        between = [
            (everybody.held[key] ^ everybody.held[other]) & leaves
            for other in everybody.keys
            if (other in members) is not found.holds
        ]
        if not between:
            assert found.decisive == ()
            continue
        decisive = {words[text] for text in found.decisive}
        assert len(decisive) == len(found.decisive) == min(map(len, between))
        assert decisive in between


CASES = [
    ('tag "vip" and not tag "vip"', ()),
    ('tag "vip" and age > 20 or not tag "vip" and age > 40', ("age > 40",)),
    ('at least 2 of (country = "SE", tag "vip", age > 50) and not in segment "vip"', ("age > 50",)),
    ("age > 60 and age < 20", ()),
    ("age > 60 and not age > 50", ()),
    ("age > 60 and age > 50", ("age > 60", "age > 50")),
    ('in segment "vip" or tag "vip"', ('tag "vip"',)),
    ('tag "vip" or not tag "vip"', ()),
]


@pytest.fixture
def somebody() -> Iterator[Database]:
    """One profile of 46 from Sweden without a tag."""
    database = Database.open(None, clock=ManualClock(NOW))
    database.write_profiles(
        profiles(["k"], column("age", Kind.INT, [46]), column("country", Kind.TEXT, ["SE"]))
    )
    database.create_segment(SegmentDraft("vip", 'tag "vip"'))
    yield database
    database.close()


@pytest.mark.parametrize(("rule", "decisive"), CASES)
def test_a_leaf_that_is_said_more_than_once_changes_everywhere(
    somebody: Database, rule: str, decisive: tuple[str, ...]
) -> None:
    """Each place was taken for a leaf of its own: the first of these was to become true by adding the tag."""
    found = somebody.explain("k", rule).explanation
    assert found is not None and found.decisive == decisive


def test_being_on_a_list_is_a_leaf(somebody: Database) -> None:
    somebody.create_segment(SegmentDraft("list", kind=SegmentKind.MANUAL))
    somebody.create_segment(SegmentDraft("both", 'tag "vip"', kind=SegmentKind.OVERRIDES))

    def decisive(rule: str) -> tuple[str, ...]:
        found = somebody.explain("k", rule).explanation
        assert found is not None
        return found.decisive

    assert decisive('in segment "list"') == ('in segment "list"',)
    assert decisive('in segment "list" and not in segment "list"') == ()
    assert decisive('in segment "both" and not tag "vip"') == ('on the list of segment "both"',)
    by_hand = [NamedPeople(Texts.of(["k"]))]
    somebody.add_members("both", by_hand)
    assert decisive('in segment "both"') == ('on the list of segment "both"',)
    somebody.remove_members("both", by_hand)
    assert set(decisive('in segment "both" and not tag "vip"')) == {
        'on the list of segment "both"',
        'removed by hand from segment "both"',
    }


def test_a_search_ends_at_its_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pairs of twelve leaves, of which none changes anything alone."""
    graph = Graph()
    places = [graph.add_leaf(False) for _ in range(12)]
    pairs = [graph.add(Count(1, 2, pair)) for pair in itertools.combinations(places, 2)]
    graph.add(Count(38, len(pairs), tuple(pairs)))
    exact = smallest_change(graph, (), NO_DEADLINE)
    assert exact is not None and graph.evaluate(exact) and len(exact) == 4
    monkeypatch.setattr(changing, "STEPS_MAX", -1)
    assert smallest_change(graph, (), NO_DEADLINE) is None


def test_a_rule_at_the_limit_is_explained_in_little_time() -> None:
    """A thousand leaves, each of a hundred distinct ones in ten places."""
    graph = Graph()
    places = [graph.add_leaf(i % 3 == 0) for i in range(100)]
    groups = [
        graph.add(Count(4, 10, tuple(places[(7 * i + j * (i % 9 + 1)) % 100] for j in range(10))))
        for i in range(100)
    ]
    graph.add(Count(60, 100, tuple(groups)))
    holds = graph.evaluate(frozenset())
    found = smallest_change(graph, (), NO_DEADLINE)
    assert found is not None and graph.evaluate(found) is not holds
