"""Two conditions about one thing, in worlds that are full of what lies at their edges: what is proved holds there.

Random scenes rarely have the one profile that gives a wrong proof away. Here every value of the pools is somebody's,
and somebody did something at every instant of them.
"""

from __future__ import annotations

from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headcount_engine.conditions import tree
from headcount_engine.conditions.tree import Condition, EventName, Events, NameKind
from headcount_engine.logic.relations import Proofs, Relation
from headcount_engine.model.values import Cell, ValueType
from tests.agreement.evaluated import LEAST_INT64
from tests.agreement.test_random_rules import ASIDE
from tests.logic.schemas import proofs
from tests.oracle.changes import Schema, Track, Upsert
from tests.oracle.condition_strategies import event_conditions, event_leaves, value_leaves
from tests.oracle.evaluate import members
from tests.oracle.pools import NOWS, cells, instants, windows
from tests.oracle.strategies import MIXED_SCHEMA, SCHEMA
from tests.oracle.world import Refused, World

EVENTS = ("view", "view item", "buy")
NAMES = (
    EventName("buy"), EventName("view"), EventName("view", NameKind.PREFIX), EventName("", NameKind.ANY),
)  # fmt: skip
SCHEMAS = pytest.mark.parametrize(
    "schema", [SCHEMA, MIXED_SCHEMA], ids=["one type a property", "mixed types"]
)


def taken(type_: ValueType, name: str, now_us: int) -> list[Cell]:
    """The pool without what the engine refuses as a value."""
    return [cell for cell in cells(type_, name, now_us) if cell != LEAST_INT64]


@cache
def of_values(schema: Schema, now_us: int) -> World:
    """Every value of every attribute's pool, and nobody's: changed at instants of the pool too."""
    pools = {name: taken(type_, name, now_us) for name, type_ in schema.attribute_types.items()}
    past = [us for us in instants(now_us) if us <= now_us]
    changes = [
        Upsert(
            f"p{i}",
            {name: pool[i] for name, pool in pools.items() if i < len(pool)},
            now_us=past[i % len(past)],
        )
        for i in range(max(map(len, pools.values())) + 1)
    ]
    return schema.world(changes)


@cache
def of_events(schema: Schema, now_us: int) -> World:
    """Someone with an event at each instant of the pool; others with two or three at any."""
    chance, pool = Random(now_us), instants(now_us)
    changes = []
    for i, us in enumerate(pool):
        name = EVENTS[i % 3]
        times = [us] if i % 3 < 2 else [us, *chance.choices(pool, k=chance.randint(0, 2))]
        for time_us in times:
            own = [(p, type_) for (event, p), type_ in schema.property_types.items() if event == name]
            properties = {
                p: chance.choice(taken(type_, p, now_us)) for p, type_ in own if chance.random() < 0.8
            }
            changes.append(Track(f"p{i}", name, time_us, properties, now_us=now_us))
    return schema.world(changes)


@SCHEMAS
@given(st.data())
@settings(max_examples=100)
def test_two_conditions_on_one_attribute(schema: Schema, data: st.DataObject) -> None:
    now_us = data.draw(st.sampled_from(NOWS))
    name = data.draw(st.sampled_from(sorted(schema.attribute_types)))
    is_tracked = name in schema.tracked
    leaves = value_leaves(name, schema.attribute_types[name], now_us, is_tracked=is_tracked)
    by_kind = {kind: st.one_of([leaf for own, leaf in leaves if own is kind]) for kind, _ in leaves}
    kinds = data.draw(st.lists(st.sampled_from(sorted(by_kind, key=str)), min_size=1, max_size=2))
    one, other = (data.draw(by_kind[kinds[i % len(kinds)]]) for i in range(2))
    aside = data.draw(st.sampled_from(ASIDE))
    assert_twins_hold(schema, of_values(schema, now_us), one, other, now_us + aside)


@st.composite
def counts(draw: DrawFn, schema: Schema, now_us: int) -> Condition:
    """Counts, days and different values of a few kinds of events; amounts and other leaves of them now and then."""
    name = draw(st.sampled_from(NAMES))
    where = draw(st.none() | event_conditions(schema, name, now_us))
    window = draw(st.none() | windows(now_us, is_past_only=True) | windows(now_us, is_past_only=True))
    count = draw(st.builds(tree.CountRange, st.integers(1, 2), st.none() | st.integers(2, 3)))
    return draw(
        st.sampled_from(
            (
                tree.Did(Events(name, where), count, window),
                tree.Did(Events(name), tree.AT_LEAST_ONCE, window),
                tree.ActiveDays(Events(name), count, window, getattr(window, "zone", None)),
            )
        )
    )


@SCHEMAS
@given(st.data())
@settings(max_examples=60)
def test_two_counts_of_events(schema: Schema, data: st.DataObject) -> None:
    now_us = data.draw(st.sampled_from(NOWS))
    others = event_leaves(schema, now_us, EVENTS)
    leaf = counts(schema, now_us)
    one = data.draw(leaf)
    other = data.draw(leaf | st.one_of(list(others.values())))
    assert_twins_hold(schema, of_events(schema, now_us), one, other, now_us)


@st.composite
def amounts(draw: DrawFn, schema: Schema, now_us: int) -> tuple[Condition, Condition]:
    """Two tests of one amount, or of how many different values there are."""
    aggregates = event_leaves(schema, now_us, EVENTS)[tree.Aggregate]
    one, other = draw(aggregates), draw(aggregates)
    assert isinstance(one, tree.Aggregate) and isinstance(other, tree.Aggregate)
    fits = one.property == other.property
    return one, tree.Aggregate(
        one.function, one.events, one.property, other.test if fits else one.test, one.window
    )


@SCHEMAS
@given(st.data())
@settings(max_examples=30)
def test_two_tests_of_one_amount(schema: Schema, data: st.DataObject) -> None:
    now_us = data.draw(st.sampled_from(NOWS))
    one, other = data.draw(amounts(schema, now_us))
    try:
        assert_twins_hold(schema, of_events(schema, now_us), one, other, now_us)
    except Refused:
        return


def assert_twins_hold(schema: Schema, world: World, one: Condition, other: Condition, now_us: int) -> None:
    first, second = members(world, one, now_us), members(world, other, now_us)
    others = set(world.profiles) - second
    assert_related(proofs(schema, one, other), first, second)
    assert_related(proofs(schema, one, tree.Not(other)), first, others)
    assert_related(
        proofs(schema, tree.AnyOf((one, other)), tree.Not(one)), first | second, set(world.profiles) - first
    )


def assert_related(found: Proofs, first: set[str], second: set[str]) -> None:
    match found.relation():
        case Relation.EQUAL:
            assert first == second
        case Relation.CONTAINS:
            assert first >= second
        case Relation.CONTAINED:
            assert first <= second
        case Relation.DISJOINT:
            assert not first & second
