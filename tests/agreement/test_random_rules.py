"""Random rules over random people: every way of asking the engine gives what the oracle gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.conditions.tree import AllOf, AnyOf, Condition, Everyone, Not
from tests.agreement.driving import Driven, assert_agree, played, rules
from tests.agreement.evaluated import EVALUATED
from tests.oracle.changes import Schema
from tests.oracle.condition_strategies import GROUP_KINDS
from tests.oracle.pools import DURATIONS
from tests.oracle.strategies import MIXED_SCHEMA, SCHEMA, Scene

ASIDE = (0, -1, 1, *(duration.us + d for duration in DURATIONS for d in (-1, 0, 1)), -DURATIONS[-1].us)
"""Later and earlier instants: the scenes have events and dates at the edges of windows that end then."""


@pytest.mark.parametrize("schema", [SCHEMA, MIXED_SCHEMA], ids=["one type a property", "mixed types"])
@given(st.data())
@settings(max_examples=30)
def test_the_engine_and_the_oracle_agree(schema: Schema, data: st.DataObject) -> None:
    _agree_on_a_scene(schema, data)


def _agree_on_a_scene(schema: Schema, data: st.DataObject) -> None:
    scene = data.draw(played(schema))
    driven, world = scene.driven(), scene.scene.world
    for condition in data.draw(st.lists(rules(schema, scene.now_us), min_size=4, max_size=8)):
        for aside in (0, data.draw(st.sampled_from(ASIDE))):
            assert_agree(driven, world, condition, scene.now_us + aside)


@pytest.mark.long
@pytest.mark.parametrize("schema", [SCHEMA, MIXED_SCHEMA], ids=["one type a property", "mixed types"])
@given(st.data())
@settings(max_examples=600)
def test_the_engine_and_the_oracle_agree_on_many_more(schema: Schema, data: st.DataObject) -> None:
    _agree_on_a_scene(schema, data)


LEAVES = sorted(EVALUATED - GROUP_KINDS - {Everyone}, key=lambda kind: kind.__name__)


@pytest.mark.parametrize("kind", LEAVES, ids=[kind.__name__ for kind in LEAVES])
@given(st.data())
@settings(max_examples=6)
def test_each_kind_of_leaf_agrees(kind: type, data: st.DataObject) -> None:
    scene = data.draw(played(profiles_max=20))
    driven, world = scene.driven(), scene.scene.world
    leaves = rules(SCHEMA, scene.now_us, kinds=frozenset({kind}))
    for condition in data.draw(st.lists(leaves, min_size=5, max_size=5)):
        aside = data.draw(st.sampled_from(ASIDE))
        assert_agree(driven, world, condition, scene.now_us + aside)


@given(st.data())
@settings(max_examples=10)
def test_now_is_the_clock_where_no_instant_is_named(data: st.DataObject) -> None:
    scene = data.draw(played(profiles_max=12))
    driven = scene.driven()
    driven.clock.advance_to(scene.now_us)
    condition = data.draw(rules(SCHEMA, scene.now_us))
    answer = driven.database.count(condition)
    assert answer.now_us == scene.now_us
    assert answer.count == driven.database.count(condition, at_us=scene.now_us).count


@given(st.data())
@settings(max_examples=20)
def test_two_conditions_add_up(data: st.DataObject) -> None:
    scene = data.draw(played())
    driven = scene.driven()
    a, b = data.draw(rules(SCHEMA, scene.now_us)), data.draw(rules(SCHEMA, scene.now_us))

    def count(condition: Condition) -> int:
        return driven.database.count(condition, at_us=scene.now_us).count

    assert count(AllOf((a, b))) + count(AnyOf((a, b))) == count(a) + count(b)
    assert count(a) + count(Not(a)) == count(Everyone())
    assert count(Not(Not(a))) == count(a)
    assert count(AllOf((Not(a), Not(b)))) == count(Not(AnyOf((a, b))))
    assert count(AllOf((a, Not(a)))) == 0


@given(st.data())
@settings(max_examples=12)
def test_asking_again_after_more_was_written_agrees(data: st.DataObject) -> None:
    """Kept bitmaps and tables are brought up to date, not answered from as they were."""
    played_scene = data.draw(played())
    scene = played_scene.scene
    asked = data.draw(st.lists(rules(SCHEMA, scene.now_us), min_size=2, max_size=4))
    driven = Driven(scene.schema)
    done = 0
    for end in (len(scene.changes) // 2, len(scene.changes) * 3 // 4, len(scene.changes)):
        driven.play(scene.changes[done:end])
        done = end
        world = Scene(scene.schema, scene.changes[:end], scene.now_us).world
        for condition in asked:
            assert_agree(driven, world, condition, scene.now_us)
