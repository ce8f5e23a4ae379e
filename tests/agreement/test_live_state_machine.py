"""Live segments through anything that can happen, in any order: after every step they are what the oracle says."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from headcount_engine.conditions.tree import (
    AllOf,
    Anniversary,
    AnyOf,
    Condition,
    Did,
    HasBeen,
    InSegment,
    InWindow,
    Same,
)
from headcount_engine.model.segments import ImportMode, SegmentKind, SegmentState
from tests.agreement.driving import rules
from tests.agreement.living import DRAFT, KEYS, LIVE, MANUAL_KIND, OVERRIDES, RULE, Living
from tests.oracle.calendars import DAY_US
from tests.oracle.condition_strategies import EVENT_KINDS, GROUP_KINDS
from tests.oracle.pools import NOWS, instants
from tests.oracle.strategies import SCHEMA, SEGMENTS, TOPICS
from tests.oracle.writing import did

NAMES = (*SEGMENTS, "s1", "s2", "s3", "s4", "s5", "s6")
PEOPLE = KEYS[:14]
STEPS = (1, 999, 1_000_000, 3_600_000_000, DAY_US, 7 * DAY_US, 30 * DAY_US, 100 * DAY_US)
TURNING = EVENT_KINDS | GROUP_KINDS | {Same, InWindow, Anniversary, HasBeen}
"""What time alone can change."""
SEEDS = st.integers(0, 2**32 - 1)


class LiveSegmentsMachine(RuleBasedStateMachine):
    """One database, its clock, its people and its segments."""

    def __init__(self) -> None:
        super().__init__()
        self.living: Living | None = None

    @initialize(base_us=st.sampled_from(NOWS), days=st.sampled_from((0, 2, 61)), data=st.data(), seed=SEEDS)
    def begin(self, base_us: int, days: int, data: st.DataObject, seed: int) -> None:
        self.living = living = Living(SCHEMA, base_us, base_us - days * DAY_US)
        random = Random(seed)
        living.write([living.row(random, PEOPLE) for _ in range(20)])
        for name in SEGMENTS:
            kind = {"list": MANUAL_KIND, "overridden": OVERRIDES}.get(name, RULE)
            condition = self._condition(data) if name != "nested" else self._nested(random)
            living.create(name, kind, LIVE, condition, random.sample(PEOPLE, 4))
        for name in ("s1", "s2", "s3"):
            living.create(name, RULE, LIVE, self._condition(data), ())

    def _condition(self, data: st.DataObject) -> Condition:
        assert self.living is not None
        base_us = self.living.base_us
        return data.draw(rules(SCHEMA, base_us, 3) | rules(SCHEMA, base_us, 2, kinds=TURNING))

    @staticmethod
    def _nested(random: Random) -> Condition:
        parts: list[Condition] = [InSegment(name) for name in SEGMENTS[:3]]
        either = random.choice((AnyOf, AllOf))
        counted = did("view", 1)
        assert isinstance(counted, Did)
        return either((*parts, Same("offer", AllOf((counted, AnyOf(tuple(parts)))))))

    # ------------------------------------------------------------------------------------------------ data

    @rule(count=st.integers(1, 8), seed=SEEDS)
    def write(self, count: int, seed: int) -> None:
        """New, late, future, repeated and partly invalid rows."""
        random = Random(seed)
        assert self.living is not None
        self.living.write([self.living.row(random, PEOPLE) for _ in range(count)])

    @rule(count=st.integers(1, 4), seed=SEEDS)
    def write_for_those_who_are_there(self, count: int, seed: int) -> None:
        random = Random(seed)
        assert self.living is not None
        rows = [self.living.row(random, PEOPLE) for _ in range(count)]
        self.living.write([replace(row, create=False) for row in rows])

    @rule(key=st.sampled_from(PEOPLE), topic=st.sampled_from(TOPICS), is_subscribed=st.booleans())
    def consent(self, key: str, topic: str, is_subscribed: bool) -> None:
        assert self.living is not None
        self.living.consent(key, topic, is_subscribed)

    # ------------------------------------------------------------------------------------------------ the clock

    @rule(step_us=st.sampled_from(STEPS), ticks=st.booleans())
    def step(self, step_us: int, ticks: bool) -> None:
        assert self.living is not None
        self._to(self.living.now_us + step_us, ticks)

    @rule(ahead=st.integers(0, 12), ticks=st.booleans())
    def step_to_an_edge(self, ahead: int, ticks: bool) -> None:
        assert self.living is not None
        later = [us for us in instants(self.living.base_us) if us > self.living.now_us]
        if later:
            self._to(later[min(ahead, len(later) - 1)], ticks)

    def _to(self, now_us: int, ticks: bool) -> None:
        assert self.living is not None
        self.living.driven.clock.advance_to(now_us)
        if ticks:
            self.living.database.tick()
            assert self.living.database.live_now_us() == now_us

    # ------------------------------------------------------------------------------------------------ people

    @rule(survivor=st.sampled_from(PEOPLE), loser=st.sampled_from(PEOPLE), force=st.booleans())
    def merge(self, survivor: str, loser: str, force: bool) -> None:
        assert self.living is not None
        self.living.merge(survivor, loser, force)

    @rule(key=st.sampled_from(PEOPLE))
    def erase(self, key: str) -> None:
        assert self.living is not None
        self.living.erase(key)

    @rule(key=st.sampled_from(PEOPLE))
    def recreate(self, key: str) -> None:
        assert self.living is not None
        self.living.recreate(key)

    # ------------------------------------------------------------------------------------------------ segments

    @rule(
        name=st.sampled_from(NAMES),
        kind=st.sampled_from((RULE, RULE, MANUAL_KIND, OVERRIDES)),
        state=st.sampled_from((LIVE, LIVE, DRAFT)),
        data=st.data(),
        seed=SEEDS,
    )
    def define_or_edit(
        self, name: str, kind: SegmentKind, state: SegmentState, data: st.DataObject, seed: int
    ) -> None:
        assert self.living is not None
        condition = self._condition(data)
        if name in self.living.saved:
            self.living.edit_rule(name, condition)
        else:
            self.living.create(name, kind, state, condition, Random(seed).sample(PEOPLE, 3))

    @precondition(lambda self: self.living is not None and self.living.saved)
    @rule(data=st.data(), state=st.sampled_from(list(SegmentState)))
    def set_state(self, data: st.DataObject, state: SegmentState) -> None:
        assert self.living is not None
        self.living.set_state(data.draw(st.sampled_from(sorted(self.living.saved))), state)

    @precondition(lambda self: self.living is not None and self.living.saved)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        assert self.living is not None
        self.living.delete(data.draw(st.sampled_from(sorted(self.living.saved))))

    @precondition(lambda self: self.living is not None and self.living.saved)
    @rule(
        data=st.data(),
        mode=st.sampled_from(ImportMode),
        keys=st.lists(st.sampled_from((*PEOPLE, "nobody")), max_size=6),
    )
    def edit_list(self, data: st.DataObject, mode: ImportMode, keys: list[str]) -> None:
        assert self.living is not None
        lists = [n for n, s in self.living.saved.items() if s.kind is not RULE] or sorted(self.living.saved)
        self.living.edit_list(data.draw(st.sampled_from(lists)), mode, keys)

    # ------------------------------------------------------------------------------------------------ the store

    @rule()
    def checkpoint(self) -> None:
        assert self.living is not None
        self.living.database.checkpoint()

    @rule(how=st.sampled_from(("closed", "killed", "power")), seed=SEEDS)
    def reopen(self, how: str, seed: int) -> None:
        assert self.living is not None
        self.living.driven.end(how, seed)

    @invariant()
    def is_as_the_oracle_says(self) -> None:
        if self.living is not None:
            self.living.compare()

    def teardown(self) -> None:
        if self.living is not None:
            self.living.database.close()


class TestAnyOrder(LiveSegmentsMachine.TestCase):
    settings = settings(max_examples=8, stateful_step_count=25, deadline=None)


@pytest.mark.long
class TestManyMoreOrders(LiveSegmentsMachine.TestCase):
    settings = settings(max_examples=400, stateful_step_count=50, deadline=None)
