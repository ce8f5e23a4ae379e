"""Retention over random histories of some seconds each, against an oracle that looks at every one of them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import AllOf, AnyOf, Condition, InSegment, InWindow, Not
from headcount_engine.conditions.windows import Ago, Duration, Unit, WithinLast, WithinNext
from headcount_engine.database import Database
from headcount_engine.model.answers import SegmentChanges, SegmentDraft
from headcount_engine.model.schema import AttributeDefinition
from headcount_engine.model.values import Instant, Kind, ValueType
from tests.agreement.columns import column, events, profiles
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import MANUAL
from tests.oracle.retention import Keeper, Keepers
from tests.oracle.world import World
from tests.oracle.writing import did

NOW = 20_000 * 86_400_000_000
SECOND = 1_000_000
"""Nothing happens and no window ends but at whole seconds, so that looking at these is looking at every instant."""
KEYS = ("a", "b", "c", "d")


class Both:
    """An engine that ticks only when told to, and an oracle that sees every second."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.files = CrashFiles()
        self.database = self._open()
        due = AttributeDefinition("due", ValueType(Kind.INSTANT))
        self.database.declare_attributes([due, AttributeDefinition("n", ValueType(Kind.INT))])
        self.world = World({"due": ValueType(Kind.INSTANT), "n": ValueType(Kind.INT)})
        self.keepers = Keepers(self.world)
        for key in KEYS:
            self.upsert(key, 0, None)
        self.buy("a", 0)

    def _open(self) -> Database:
        return Database.open(None, clock=self.clock, files=self.files, durability=MANUAL)

    @property
    def now_us(self) -> int:
        return self.clock.now_us()

    def save(self, keeper: Keeper) -> None:
        name = f"s{len(self.keepers.segments)}"
        rule, us = to_text(keeper.rule), keeper.retention_us
        draft = SegmentDraft(
            name, rule, name, retention_us=us, retention_is_for_unknown=keeper.is_for_unknown
        )
        self.database.create_segment(draft)
        self.keepers.segments[name] = keeper
        self.keepers.settle(self.now_us)

    def edit(self, name: str, rule: Condition | None, seconds: int) -> None:
        retention_us = seconds * SECOND
        text = None if rule is None else to_text(rule)
        self.database.update_segment(name, SegmentChanges(rule=text, retention_us=retention_us))
        keeper = self.keepers.segments[name]
        keeper.rule, keeper.retention_us = rule or keeper.rule, retention_us
        self.keepers.settle(self.now_us)

    def step(self, seconds: int, *, ticks: bool) -> None:
        for _ in range(seconds):
            self.clock.advance_to(self.now_us + SECOND)
            self.keepers.look(self.now_us)
        if ticks:
            self.database.tick()

    def upsert(self, key: str, n: int, due: int | None) -> None:
        if key in self.world.erased or key in self.world.survivors:
            return
        at = None if due is None else Instant(self.now_us + due * SECOND)
        self.database.write_profiles(
            profiles([key], column("n", Kind.INT, [n]), column("due", Kind.INSTANT, [at]))
        )
        self.world.upsert(key, {"n": n, "due": at})
        self.keepers.look(self.now_us)

    def know(self, key: str) -> None:
        if key not in self.world.profiles:
            return
        self.database.write_profiles(
            profiles([key], column("email", Kind.TEXT, [f"{key}@x"], is_identifier=True))
        )
        self.world.upsert(key, identifiers={("email", f"{key}@x")})
        self.keepers.look(self.now_us)

    def buy(self, key: str, ago: int) -> None:
        if key in self.world.erased or key in self.world.survivors:
            return
        time_us = self.now_us - ago * SECOND
        self.database.write_events(events([key], "buy", [time_us]))
        self.world.track(key, "buy", time_us)
        self.keepers.look(self.now_us)

    def merge(self, survivor: str, loser: str) -> None:
        if survivor == loser or not {survivor, loser} <= set(self.world.profiles):
            return
        self.database.merge_profiles(survivor, loser, force=True)
        self.world.merge(survivor, loser, force=True)
        self.keepers.look(self.now_us)

    def erase(self, key: str) -> None:
        if key not in self.world.profiles:
            return
        self.database.erase_profile(key)
        self.world.erase(key)
        self.keepers.look(self.now_us)

    def end(self, how: str, seed: int) -> None:
        if how == "checkpoint":
            self.database.checkpoint()
        held = self.files.image(Random(seed)) if how == "power" else self.files.process_ended()
        self.files = CrashFiles(held)
        self.database = self._open()

    def compare(self) -> None:
        if self.database.live_now_us() != self.now_us:
            return
        self.database.check_live()
        for name, keeper in self.keepers.segments.items():
            told = f"{name}: {to_text(keeper.rule)} for {keeper.retention_us} us, {(self.now_us - NOW) // SECOND} s in"
            held = self.database.live.members(name)
            assert held is not None
            found = set(self.database.keys_of(self.database.members(InSegment(name)).ids).to_list())
            assert found == self.world.segments[name], told
            again = self.database.members(AllOf((InSegment(name), InSegment(name)))).ids
            assert set(again.tolist()) == set(held), f"asked afresh: {told}"


def _seconds(count: int) -> Duration:
    return Duration(count, Unit.SECONDS)


@st.composite
def rules(draw: st.DrawFn, earlier: int, depth: int = 2) -> Condition:
    kind = draw(st.integers(0, 7 if depth else 4))
    length = draw(st.integers(1, 12))
    match kind:
        case 0 | 1:
            return did("buy", draw(st.integers(1, 2)), window=WithinLast(_seconds(length)))
        case 2:
            return did("buy", 1, window=Ago(_seconds(length), _seconds(length + draw(st.integers(1, 6)))))
        case 3:
            return InWindow("due", draw(st.sampled_from((WithinNext, WithinLast)))(_seconds(length)))
        case 4 if earlier:
            return InSegment(f"s{draw(st.integers(0, earlier - 1))}")
        case 4 | 5:
            return Not(draw(rules(earlier, 0)))
        case 6:
            return AllOf((draw(rules(earlier, depth - 1)), draw(rules(earlier, depth - 1))))
        case _:
            return AnyOf((draw(rules(earlier, depth - 1)), draw(rules(earlier, depth - 1))))


def _play(data: st.DataObject, steps: int) -> None:
    both = Both()
    for earlier in range(3):
        rule = data.draw(rules(earlier))
        both.save(Keeper(rule, SECOND * data.draw(st.integers(1, 10)), data.draw(st.booleans())))
        both.compare()
    keys, small = st.sampled_from(KEYS), st.integers(0, 10)
    for _ in range(steps):
        match data.draw(st.integers(0, 11)):
            case 0 | 1 | 2:
                both.step(data.draw(st.integers(1, 15)), ticks=data.draw(st.booleans()))
            case 3 | 4 | 5:
                both.buy(data.draw(keys), data.draw(st.integers(-8, 10)))
            case 6 | 7:
                both.upsert(data.draw(keys), data.draw(small), data.draw(st.none() | st.integers(-10, 15)))
            case 8:
                both.know(data.draw(keys))
            case 9:
                name = data.draw(st.sampled_from(sorted(both.keepers.segments)))
                rule = data.draw(st.none() | rules(int(name[1:])))
                both.edit(name, rule, data.draw(st.integers(1, 10)))
            case 10:
                both.end(data.draw(st.sampled_from(("killed", "checkpoint", "power"))), data.draw(small))
            case _:
                if data.draw(st.booleans()):
                    both.merge(data.draw(keys), data.draw(keys))
                elif data.draw(st.booleans()):
                    both.erase(data.draw(keys))
        both.compare()
    both.step(25, ticks=True)
    both.compare()


@given(st.data())
@settings(max_examples=20, deadline=None)
def test_every_second_of_retention_is_as_the_oracle_says(data: st.DataObject) -> None:
    _play(data, 15)


@pytest.mark.long
@given(st.data())
@settings(max_examples=1_500, deadline=None)
def test_every_second_of_many_more_retentions(data: st.DataObject) -> None:
    _play(data, 30)
