"""Live segments hold, after every batch and tick, whom a fresh evaluation finds; joins and leaves add up to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.changes.chunks import ChangeKind
from headcount_engine.changes.cursors import Position
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import Condition, Everyone, Rank, walk
from headcount_engine.model.answers import SegmentDraft
from tests.agreement.driving import Driven, played, rules
from tests.agreement.evaluated import EVALUATED
from tests.agreement.test_random_rules import ASIDE
from tests.oracle.changes import Change, Define
from tests.oracle.condition_strategies import GROUP_KINDS
from tests.oracle.strategies import MIXED_SCHEMA, SCHEMA

LEAVES = sorted(EVALUATED - GROUP_KINDS - {Everyone}, key=lambda kind: kind.__name__)


class Followed:
    """A database with some conditions kept as live segments, compared after every step."""

    def __init__(self, driven: Driven, conditions: Sequence[Condition]) -> None:
        self.driven = driven
        self.rules = {f"s{i}": condition for i, condition in enumerate(conditions)}
        for name, condition in self.rules.items():
            driven.database.create_segment(SegmentDraft(name, to_text(condition), name))
        self._folded = dict.fromkeys(self.rules, Bitmap())
        self._read = Position(1)

    def play(self, changes: Sequence[Change], size: int) -> None:
        """Let changes happen, so many at a time."""
        for start in range(0, len(changes), size):
            self.driven.play(changes[start : start + size])
            self.compare()

    def tick(self, now_us: int) -> None:
        self.driven.clock.advance_to(now_us)
        self.driven.database.tick()
        assert self.driven.database.status().now_us == now_us
        self.compare()

    def compare(self) -> None:
        """Members, sizes, single memberships and folded changes are what a fresh evaluation gives."""
        database = self.driven.database
        database.check_live()
        now_us = database.live_now_us()
        stretch = database._changes.log.read(self._read, None, 1 << 40)
        self._read = stretch.after
        for block in stretch.blocks:
            if block.segment in self._folded:
                held, ids = self._folded[block.segment], bitmaps.from_ids(block.ids)
                if block.kind is ChangeKind.JOINED:
                    assert not held & ids, "joined twice"
                else:
                    assert ids <= held, "left without being in"
                self._folded[block.segment] = held ^ ids
        for name, condition in self.rules.items():
            fresh = database.segments.members_at(condition, now_us)
            held_now = database.live.members(name)
            assert held_now == fresh, f"{to_text(condition)} at {now_us}: {set(held_now ^ fresh)}"
            assert database.live.size(name) == len(fresh)
            assert self._folded[name] == fresh, f"changes of {to_text(condition)}"


def is_live(condition: Condition) -> bool:
    return not any(isinstance(n, Rank) and n.within is not None for n in walk(condition))


def _conditions(data: st.DataObject, found: Iterable[Condition]) -> list[Condition]:
    return [condition for condition in found if is_live(condition)]


def _follow(data: st.DataObject, schema: object, kinds: frozenset[type], count: int, people: int) -> None:
    scene = data.draw(played(schema, profiles_max=people))
    wanted = st.lists(
        rules(schema, scene.now_us, kinds=kinds).filter(is_live), min_size=count, max_size=count
    )
    conditions = data.draw(wanted)
    driven = Driven(scene.scene.schema)
    changes = scene.scene.changes
    definitions = [c for c in changes if isinstance(c, Define)]
    driven.play(definitions)
    followed = Followed(driven, conditions)
    followed.compare()
    others = [c for c in changes if not isinstance(c, Define)]
    followed.play(
        sorted(others, key=lambda c: getattr(c, "now_us", -(1 << 62))), data.draw(st.integers(1, 12))
    )
    asides = sorted(data.draw(st.lists(st.sampled_from(ASIDE), min_size=2, max_size=6)))
    for aside in asides:
        if scene.now_us + aside >= driven.clock.now_us():
            followed.tick(scene.now_us + aside)


@pytest.mark.parametrize("kind", LEAVES, ids=[kind.__name__ for kind in LEAVES])
@given(st.data())
@settings(max_examples=3, deadline=None)
def test_each_kind_of_leaf_is_kept_current(kind: type, data: st.DataObject) -> None:
    _follow(data, SCHEMA, frozenset({kind}), 5, 15)


@pytest.mark.long
@pytest.mark.parametrize("kind", LEAVES, ids=[kind.__name__ for kind in LEAVES])
@given(st.data())
@settings(max_examples=40, deadline=None)
def test_each_kind_of_leaf_is_kept_current_in_many_more(kind: type, data: st.DataObject) -> None:
    _follow(data, SCHEMA, frozenset({kind}), 5, 25)


@pytest.mark.parametrize("schema", [SCHEMA, MIXED_SCHEMA], ids=["one type a property", "mixed types"])
@given(st.data())
@settings(max_examples=8, deadline=None)
def test_random_rules_are_kept_current(schema: object, data: st.DataObject) -> None:
    _follow(data, schema, EVALUATED, 8, 25)


@pytest.mark.long
@pytest.mark.parametrize("schema", [SCHEMA, MIXED_SCHEMA], ids=["one type a property", "mixed types"])
@given(st.data())
@settings(max_examples=300, deadline=None)
def test_many_more_random_rules_are_kept_current(schema: object, data: st.DataObject) -> None:
    _follow(data, schema, EVALUATED, 10, 40)
