"""Whatever is proved of random rules holds in every random world, at every now: the oracle is asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headcount_engine.conditions import tree
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import Condition
from headcount_engine.logic.notes import idle, without
from headcount_engine.logic.relations import Relation
from tests.agreement.driving import played, rules
from tests.agreement.test_random_rules import ASIDE
from tests.logic.schemas import proofs
from tests.oracle.changes import Schema
from tests.oracle.condition_strategies import value_leaves
from tests.oracle.evaluate import members
from tests.oracle.pools import windows
from tests.oracle.strategies import MIXED_SCHEMA, SCHEMA
from tests.oracle.world import World

TIMELESS_OR_NOT = sorted(SCHEMA.attribute_types)


@st.composite
def akin(draw: DrawFn, schema: Schema, now_us: int) -> tuple[Condition, Condition]:
    """Two rules of a few conditions that are about the same few things, so that there is something to prove."""
    leaves: list[Condition] = []
    for _ in range(draw(st.integers(1, 2))):
        if draw(st.integers(0, 2)):
            name = draw(st.sampled_from(TIMELESS_OR_NOT))
            is_tracked = name in schema.tracked
            own = [
                leaf
                for _, leaf in value_leaves(name, schema.attribute_types[name], now_us, is_tracked=is_tracked)
            ]
            leaves += draw(st.lists(st.one_of(own), min_size=2, max_size=4))
        else:
            leaves += _varied(draw, draw(rules(schema, now_us, 1)), now_us)
    return _grouped(draw, leaves), _grouped(draw, leaves)


def _varied(draw: DrawFn, leaf: Condition, now_us: int) -> list[Condition]:
    """A condition and some that are nearly the same: other counts, windows, without what events must pass."""
    found = [leaf]
    counts = st.builds(tree.CountRange, st.integers(0, 2), st.none() | st.integers(2, 3))
    for _ in range(3):
        last = draw(st.sampled_from(found))
        if isinstance(last, tree.Did | tree.ActiveDays | tree.Aggregate):
            other = draw(st.sampled_from(("count", "window", "where", "did")))
            if other == "count" and not isinstance(last, tree.Aggregate):
                last = replace(last, count=draw(counts))
            if other == "window" and not isinstance(last, tree.ActiveDays):
                last = replace(last, window=draw(st.none() | windows(now_us, is_past_only=True)))
            if other == "where":
                last = replace(last, events=tree.Events(last.events.name))
            if other == "did":
                last = tree.Did(last.events, draw(counts), last.window)
        elif isinstance(last, tree.FirstTime):
            last = replace(last, window=draw(windows(now_us, is_past_only=True)))
        elif isinstance(last, tree.Bucket):
            last = replace(last, high=Decimal(1))
        elif isinstance(last, tree.Rank):
            last = replace(last, amount=last.amount + 1) if last.amount < 99 else last
        found.append(last)
    return found


def _grouped(draw: DrawFn, leaves: list[Condition], depth: int = 2) -> Condition:
    inner = st.sampled_from(leaves)
    if not depth:
        return draw(inner)
    shape = draw(st.integers(0, 9))
    if shape < 3:
        return draw(inner)
    if shape == 3:
        return tree.Not(_grouped(draw, leaves, depth - 1))
    children = tuple(_grouped(draw, leaves, depth - 1) for _ in range(draw(st.integers(1, 3))))
    if shape < 6:
        return tree.AllOf(children)
    if shape < 8:
        return tree.AnyOf(children)
    if shape == 8:
        return tree.NoneOf(children)
    k = draw(st.integers(0, len(children)))
    return draw(st.sampled_from((tree.AtLeast(k, children), tree.Exactly(k, children))))


def assert_holds(schema: Schema, world: World, one: Condition, other: Condition, now_us: int) -> int:
    """How much was proved, all of which is so in the world."""
    found = proofs(schema, one, other, world=world)
    first, second = (members(world, rule, now_us) for rule in (one, other))
    texts = f"{to_text(one)}\n{to_text(other)}"
    relation = found.relation()
    if found.never():
        assert not first, texts
    if found.always():
        assert first == set(world.profiles), texts
    match relation:
        case Relation.EQUAL:
            assert first == second, texts
        case Relation.CONTAINS:
            assert first >= second, texts
        case Relation.CONTAINED:
            assert first <= second, texts
        case Relation.DISJOINT:
            assert not first & second, texts
    dropped = {tuple(map(int, path.split("."))) for path, _ in idle(one, proofs(schema, one, world=world))}
    assert members(world, without(one, dropped), now_us) == first, to_text(one)
    return (relation is not None) + found.never() + found.always() + bool(dropped)


def _holds_in_a_scene(schema: Schema, data: st.DataObject) -> None:
    scene = data.draw(played(schema, 30))
    world = scene.scene.world
    for _ in range(6):
        one, other = data.draw(akin(schema, scene.now_us))
        for aside in (0, data.draw(st.sampled_from(ASIDE))):
            assert_holds(schema, world, one, other, scene.now_us + aside)


SCHEMAS = pytest.mark.parametrize(
    "schema", [SCHEMA, MIXED_SCHEMA], ids=["one type a property", "mixed types"]
)


@SCHEMAS
@given(st.data())
@settings(max_examples=40)
def test_what_is_proved_of_rules_that_are_akin_holds(schema: Schema, data: st.DataObject) -> None:
    _holds_in_a_scene(schema, data)


@pytest.mark.long
@SCHEMAS
@given(st.data())
@settings(max_examples=1_500)
def test_what_is_proved_of_many_more_holds(schema: Schema, data: st.DataObject) -> None:
    _holds_in_a_scene(schema, data)


@SCHEMAS
@given(st.data())
@settings(max_examples=20)
def test_what_is_proved_of_any_rules_holds(schema: Schema, data: st.DataObject) -> None:
    scene = data.draw(played(schema, 20, with_people=True))
    world = scene.scene.world
    drawn = data.draw(st.lists(rules(schema, scene.now_us), min_size=3, max_size=3))
    for one in drawn:
        assert_holds(schema, world, one, data.draw(st.sampled_from(drawn)), scene.now_us)
