"""A few profiles seen alone satisfy what they satisfy among everybody, staged or published."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.atoms import after as module
from headcount_engine.atoms.after import NO_CHANGES, After, Few
from headcount_engine.atoms.masks import Masks
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import InSegment, Rank, walk
from tests.agreement.driving import played, rules
from tests.agreement.evaluated import EVALUATED
from tests.membership.keeping import Kept
from tests.oracle.evaluate import members
from tests.oracle.strategies import SCHEMA
from tests.oracle.world import Refused


@pytest.mark.parametrize("scan_per_profile", [0, 2_000])
@given(st.data())
@settings(max_examples=12, deadline=None)
def test_a_few_profiles_seen_alone(scan_per_profile: int, data: st.DataObject) -> None:
    """Both ways of finding their events: by a scan of the run, and by its order by profile."""
    scene = data.draw(played(profiles_max=20))
    driven, world = scene.driven(), scene.scene.world
    database = driven.database
    after = After(database._indexes, NO_CHANGES)
    ids = np.array(
        sorted(data.draw(st.sets(st.integers(0, max(after.ids_end - 1, 0)), max_size=after.ids_end))),
        dtype=np.int64,
    )
    ids = ids[ids < after.ids_end]
    keys = database._indexes.identities.keys.take(ids).to_list()
    before, module._SCAN_PER_PROFILE = module._SCAN_PER_PROFILE, scan_per_profile
    try:
        few = Few(after, ids, frozenset(after.type_names()))
        assert few.keys_at(np.arange(len(ids), dtype=np.int64)).to_list() == keys
        binder = Binder(few, database._moment_at(scene.now_us), database._catalogue.view())
        for condition in data.draw(
            st.lists(rules(SCHEMA, scene.now_us, kinds=EVALUATED - {Rank, InSegment}), min_size=3, max_size=6)
        ):
            assert not any(isinstance(n, Rank) for n in walk(condition))
            try:
                expected = members(world, condition, scene.now_us)
            except Refused:
                continue
            mask = Masks(few).of(binder.bind(condition))
            assert {key for key, is_in in zip(keys, mask.tolist(), strict=True) if is_in} == expected & set(
                keys
            )
    finally:
        module._SCAN_PER_PROFILE = before


def test_nobody_has_what_is_asked_of_an_id_that_is_not_given_out() -> None:
    kept = Kept()
    kept.events(["a"], "buy", [0])
    after = After(kept.database._indexes, NO_CHANGES)
    nobody = Few(after, np.array([after.ids_end], dtype=np.int64), frozenset(), is_empty=True)
    binder = Binder(nobody, kept.database._moment_at(10), kept.database._catalogue.view())
    held = {
        "did buy": False,
        "never did buy": True,
        "everyone": True,
        'key in ("a")': False,
        'tag "x"': False,
    }
    for rule, expected in held.items():
        assert Masks(nobody).of(binder.bind(parse(rule))).tolist() == [expected], rule
