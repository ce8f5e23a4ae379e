"""The random worlds and conditions are worth asking: they bind, they disagree about people, they reach the edges."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st

from headcount_engine.conditions.tree import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Exists,
    HasTag,
    Not,
    Same,
    TextMatch,
    walk,
)
from tests.oracle.checks import check
from tests.oracle.condition_strategies import ALL_KINDS, EVENT_KINDS, GROUP_KINDS
from tests.oracle.evaluate import matches, members
from tests.oracle.strategies import MIXED_SCHEMA, SCHEMA, SEGMENTS, Scene, conditions_for, questions, scenes

_SLOW = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
_KINDS = sorted(ALL_KINDS, key=lambda kind: kind.__name__)


@given(questions())
@_SLOW
def test_a_random_condition_binds_and_not_is_its_complement(question: tuple[Scene, Condition]) -> None:
    scene, condition = question
    world = scene.world
    inside, outside = members(world, condition, scene.now_us), members(world, Not(condition), scene.now_us)
    assert inside | outside == set(world.profiles) and not inside & outside
    assert inside == {key for key in world.profiles if matches(world, condition, key, scene.now_us)}


@given(st.data(), scenes(MIXED_SCHEMA, profiles_max=8))
@_SLOW
def test_two_random_conditions_add_up(data: st.DataObject, scene: Scene) -> None:
    conditions = conditions_for(MIXED_SCHEMA, scene.now_us, leaves_max=3)
    a, b = data.draw(conditions), data.draw(conditions)
    world, now_us = scene.world, scene.now_us
    both, either = members(world, AllOf((a, b)), now_us), members(world, AnyOf((a, b)), now_us)
    assert len(both) + len(either) == len(members(world, a, now_us)) + len(members(world, b, now_us))


@pytest.mark.parametrize("kind", _KINDS, ids=[kind.__name__ for kind in _KINDS])
def test_each_kind_of_node_tells_some_people_from_others(kind: type) -> None:
    """Everyone excepted, which tells nobody apart."""
    kinds = frozenset({kind}) if kind not in GROUP_KINDS else frozenset({kind, HasTag, Exists})

    def splits(question: tuple[Scene, Condition]) -> bool:
        scene, condition = question
        if not any(type(node) is kind for node in walk(condition)):
            return False
        found = members(scene.world, condition, scene.now_us)
        return 0 < len(found) < len(scene.world.profiles) or kind.__name__ == "Everyone"

    asked = questions(kinds=kinds, profiles_max=6)
    find(asked, splits, settings=settings(_SLOW, max_examples=2_000, database=None, phases=[Phase.generate]))


@given(conditions_for(kinds=frozenset({Compare, TextMatch, AllOf})))
@_SLOW
def test_kinds_restrict_the_nodes(condition: Condition) -> None:
    assert {type(node) for node in walk(condition)} <= {Compare, TextMatch, AllOf}
    check(SCHEMA.world(), condition)


@given(scenes())
@_SLOW
def test_a_scene_can_be_played_again_and_holds_the_segments(scene: Scene) -> None:
    assert scene.world == scene.world
    assert set(scene.world.segments) == set(SEGMENTS)
    assert all(event.key in scene.world.profiles for event in scene.world.events)


@given(questions(kinds=GROUP_KINDS | EVENT_KINDS | {Same}, profiles_max=10))
@_SLOW
def test_18_events_after_now_change_no_answer(question: tuple[Scene, Condition]) -> None:
    scene, condition = question
    world = scene.world
    before = members(world, condition, scene.now_us)
    world.events = [event for event in world.events if event.time_us <= scene.now_us]
    assert members(world, condition, scene.now_us) == before


@given(
    questions(kinds=GROUP_KINDS | EVENT_KINDS | {Same}, profiles_max=10), st.randoms(use_true_random=False)
)
@_SLOW
def test_25_arrival_matters_only_between_events_of_one_instant(
    question: tuple[Scene, Condition], random: Random
) -> None:
    scene, condition = question
    world = scene.world
    world.events = list({(event.key, event.time_us): event for event in world.events}.values())
    before = members(world, condition, scene.now_us)
    random.shuffle(world.events)
    assert members(world, condition, scene.now_us) == before
