"""Profiles that are merged and erased among everything else: the engine and the oracle tell the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.errors import NotFound
from headcount_engine.model.batches import Reason
from tests.agreement.columns import profiles
from tests.agreement.driving import Driven, assert_agree, one_by_one, played, rules
from tests.agreement.test_batches import small_runs
from tests.oracle.changes import Erase, Merge
from tests.oracle.strategies import SCHEMA
from tests.oracle.world import World


def assert_same_people(driven: Driven, world: World) -> None:
    """Who there is, where keys lead, who may come back, and what identifiers name."""
    database = driven.database
    for loser, _ in world.survivors.items():
        own = world.resolve(loser)
        if own in world.profiles:
            assert database.get_profile(loser).key == own
    for key in world.erased:
        with pytest.raises(NotFound):
            database.get_profile(key)
        (row,) = database.write_profiles(profiles([key])).rejected
        assert row.reason is Reason.ERASED_PROFILE
    for key, profile in world.profiles.items():
        held = database.get_profile(key)
        assert set(held.identifiers.items()) == profile.identifiers
        assert (held.tags, held.channels) == (profile.tags, profile.channels)


@given(st.data())
@settings(max_examples=30)
def test_merges_and_erasures_agree_with_the_oracle(data: st.DataObject) -> None:
    scene = data.draw(played(profiles_max=16, with_people=True))
    driven = scene.driven(one_by_one)
    assert_same_people(driven, scene.scene.world)
    for condition in data.draw(st.lists(rules(SCHEMA, scene.now_us), min_size=4, max_size=6)):
        assert_agree(driven, scene.scene.world, condition, scene.now_us)


@given(st.data())
@settings(max_examples=12)
def test_they_agree_in_small_runs_and_after_a_restart(data: st.DataObject) -> None:
    scene = data.draw(played(profiles_max=16, with_people=True))
    half = data.draw(st.integers(0, len(scene.scene.changes)))
    asked = data.draw(st.lists(rules(SCHEMA, scene.now_us), min_size=3, max_size=5))
    with small_runs(), tempfile.TemporaryDirectory() as folder:
        driven = Driven(scene.scene.schema, Path(folder))
        driven.play(scene.scene.changes[:half])
        driven.reopen()
        driven.play(scene.scene.changes[half:])
        driven.reopen()
        assert_same_people(driven, scene.scene.world)
        for condition in asked:
            assert_agree(driven, scene.scene.world, condition, scene.now_us)
        driven.database.close()


@given(st.data())
@settings(max_examples=15)
def test_everyone_can_be_merged_into_one_and_then_be_gone(data: st.DataObject) -> None:
    scene = data.draw(played(profiles_max=10))
    world, driven = scene.scene.world, scene.driven()
    keys = sorted(world.profiles)
    # What was said about a topic is compared elsewhere: the engine knows when it was told.
    for profile in world.profiles.values():
        profile.consents.clear()
    driven.database.merge_profiles(keys[0], keys[1:], force=True) if len(keys) > 1 else None
    now_us = driven.clock.now_us()
    for loser in keys[1:]:
        world.merge(keys[0], loser, now_us=now_us, force=True)
    asked = [
        rule
        for rule in data.draw(st.lists(rules(SCHEMA, scene.now_us), min_size=3, max_size=5))
        if "consent" not in repr(rule).lower()
    ]
    for rule in asked:
        assert_agree(driven, world, rule, scene.now_us)
    if keys:
        driven.database.erase_profile(keys[-1])
        world.erase(keys[-1])
        assert driven.database.status().events == 0 == len(world.events)
    for rule in asked:
        assert_agree(driven, world, rule, scene.now_us)


def test_scenes_do_merge_and_erase() -> None:
    """What the tests above draw holds merges and erasures, and not once in a while."""
    seen: set[type] = set()

    @given(played(profiles_max=16, with_people=True))
    @settings(max_examples=40, database=None)
    def look(scene: object) -> None:
        seen.update(type(change) for change in scene.scene.changes)  # type: ignore[attr-defined]

    look()
    assert {Merge, Erase} <= seen
