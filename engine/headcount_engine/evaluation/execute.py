"""Carrying out a plan on bitmaps. The deadline is looked at between steps and between blocks of a scan."""

from __future__ import annotations

import time
from typing import assert_never

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import (
    AboutProfile,
    Bound,
    ColumnTest,
    EventCount,
    EventDays,
    EventDistinct,
    EventExtreme,
    EventSequence,
    EventSum,
    Given,
    Keyed,
    Ranked,
    Sampled,
    SetLeaf,
)
from headcount_engine.evaluation.counts import count_members, count_set
from headcount_engine.evaluation.fuse import Program, compile_plan
from headcount_engine.evaluation.histories import (
    days_set,
    distinct_set,
    extreme_set,
    pair_space,
    sequence_set,
)
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.evaluation.plan import Everybody, Intersect, Leaf, Outside, Plan, Planner, Tally, Unite
from headcount_engine.evaluation.ranks import ranked_set
from headcount_engine.evaluation.repeats import repeats_set
from headcount_engine.evaluation.spaces import People, Space
from headcount_engine.evaluation.sums import sum_set
from headcount_engine.indexes.predicates import passes
from headcount_engine.indexes.store import ReadView
from headcount_engine.kernels import events as kernels
from headcount_engine.kernels import fused
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import U64

_CELL_NS = 6.0
"""Reading one profile's value and testing it."""
_ASK_NS = 40_000.0
"""Asking one profile about its events."""


class Execution:
    """One evaluation over one version. Sub-rules that occur twice are carried out once.

    `space` is who the sets are about: people, unless this is the inside of a `same`.
    """

    def __init__(self, view: ReadView, deadline: Deadline, *, records: bool = False) -> None:
        """`records`: keep the time of every step, for `recorded`."""
        self._times_us: dict[int, float] | None = {} if records else None
        self._view = view
        self._deadline = deadline
        self._space: Space = People(view.population)
        self._outer: Execution | None = None
        self._planner = Planner(view.population)
        self._done: dict[int, Bitmap] = {}
        self._programs: dict[int, Program | None] = {}

    def _inside(self, space: Space) -> Execution:
        """The same evaluation over another space."""
        inner = Execution(self._view, self._deadline)
        inner._space = space
        inner._outer = self
        inner._planner = Planner(self._view.population, space.size)
        return inner

    def plan(self, bound: Bound) -> Plan:
        """The plan of a bound rule; equal parts share theirs."""
        return self._planner.plan(bound)

    def set_of(self, bound: Bound) -> Bitmap:
        """The set of a bound rule, for whoever has no plan."""
        return self.members(self.plan(bound))

    def members(self, plan: Plan) -> Bitmap:
        """The set; not to be mutated. Raises DeadlineExceeded or Cancelled."""
        done = self._done.get(id(plan))
        if done is None:
            self._deadline.check()
            started = time.perf_counter()
            done = self._done[id(plan)] = self._members(plan)
            if self._times_us is not None:
                self._times_us[id(plan)] = (time.perf_counter() - started) * 1e6
        return done

    def recorded(self, plan: Plan) -> tuple[int | None, float | None]:
        """(size, microseconds) of a step whose set was made; (None, None) where it was only counted, or not needed."""
        done = self._done.get(id(plan))
        if done is None or self._times_us is None:
            return None, None
        return len(done), self._times_us.get(id(plan))

    def count(self, plan: Plan) -> int:
        """How many; the last step of an intersection, a union of two or a complement is only counted."""
        program = self.program(plan)
        if program is not None:
            return program.count()
        match plan:
            case Everybody():
                return self._space.size
            case Outside(child):
                return self._space.size - self.count(child)
            case Intersect(required, excluded):
                return self._count_intersection(required, excluded)
            case Leaf(ColumnTest(attribute, predicate)) if self._outer is None and id(plan) not in self._done:
                return attribute.column.count(predicate, self._deadline)
            case Leaf(EventCount() as counted) if id(plan) not in self._done:
                return count_members(counted, self._space, self._deadline)
            case Tally() if plan.low > 0:
                return int(fused.count_bits(self._tally(plan)))
            case Unite(parts) if len(parts) == 2:
                return self.members(parts[0]).union_cardinality(self.members(parts[1]))
            case _:
                return len(self.members(plan))

    def program(self, plan: Plan) -> Program | None:
        """The plan as one pass over words, where that is the best way; people only."""
        if self._outer is not None or isinstance(plan, Everybody | Leaf):
            return None
        if id(plan) not in self._programs:
            self._programs[id(plan)] = compile_plan(plan, self._view.population, self._deadline)
        return self._programs[id(plan)]

    def _members(self, plan: Plan) -> Bitmap:
        match plan:
            case Everybody():
                return self._space.everyone
            case Leaf(bound):
                return self._leaf(bound)
            case _ if (program := self.program(plan)) is not None:
                return bitmaps.from_words(program.run())
            case Outside(child):
                return self._space.everyone - self.members(child)
            case Intersect(required, excluded):
                return self._intersect(required, excluded)
            case Unite(parts):
                return Bitmap.union(*(self.members(p) for p in parts))
            case Tally(low):
                found = bitmaps.from_words(self._tally(plan))
                return found & self._space.everyone if low == 0 else found
            case _:
                assert_never(plan)

    def _leaf(self, bound: SetLeaf | AboutProfile) -> Bitmap:
        match bound:
            case Given(bitmap):
                return self._space.lift(bitmap)
            case ColumnTest(attribute, predicate):
                return self._space.lift(attribute.column.bitmap(predicate, self._deadline))
            case Sampled(buckets, low, high):
                inside = (buckets >= np.uint64(min(low, 2**64 - 1))) & (buckets <= np.uint64(high - 1))
                found = bitmaps.from_ids(np.flatnonzero(inside)) & self._view.population.existing
                return self._space.lift(found)
            case Ranked():
                return self._ranked(bound)
            case EventCount():
                return count_set(bound, self._space, self._deadline)
            case EventSum():
                return sum_set(bound, self._space, self._deadline)
            case EventDistinct():
                return distinct_set(bound, self._space, self._deadline)
            case EventDays():
                return days_set(bound, self._space, self._deadline)
            case EventExtreme():
                return extreme_set(bound, self._space, self._deadline)
            case EventSequence():
                return sequence_set(bound, self._space, self._deadline)
            case Keyed():
                return self._keyed(bound)
            case AboutProfile(child):
                outer = self._outer or self
                return self._space.lift(outer.members(outer.plan(child)))
            case _:
                assert_never(bound)

    def _keyed(self, bound: Keyed) -> Bitmap:
        repeated = repeats_set(bound, self._view.population, self._deadline)
        if repeated is not None:
            return repeated
        pairs = pair_space(bound, self._view.population, self._deadline)
        inner = self._inside(pairs)
        return pairs.owners_of(inner.members(inner.plan(bound.child)))

    def _ranked(self, bound: Ranked) -> Bitmap:
        pool = (
            self._view.population.existing if bound.within is None else self.members(self.plan(bound.within))
        )
        return ranked_set(bound, pool, self._view)

    def _intersect(self, required: tuple[Plan, ...], excluded: tuple[Plan, ...]) -> Bitmap:
        result = self._common(required)
        for plan in excluded:
            if not result:
                break
            without = (
                self._kept_of(result, plan) if self._is_worth_asking(result, plan) else self.members(plan)
            )
            result = result - without
        return result

    def _common(self, required: tuple[Plan, ...]) -> Bitmap:
        """The intersection of what is required, in the order planned, stopping when nothing is left."""
        if not required:
            return self._space.everyone
        result = self.members(required[0])
        for plan in required[1:]:
            if not result:
                break
            result = (
                self._kept_of(result, plan)
                if self._is_worth_asking(result, plan)
                else result & self.members(plan)
            )
        return result

    def _is_worth_asking(self, candidates: Bitmap, plan: Plan) -> bool:
        """Whether asking the candidates one by one is cheaper than making the whole set; people only."""
        if self._outer is not None or id(plan) in self._done or not isinstance(plan, Leaf):
            return False
        each_ns = _CELL_NS if isinstance(plan.bound, ColumnTest) else _ASK_NS
        return len(candidates) * each_ns < plan.cost_ns

    def _kept_of(self, candidates: Bitmap, plan: Plan) -> Bitmap:
        """Those of a few candidates that are in the plan's set, without making it."""
        assert isinstance(plan, Leaf)
        self._deadline.check()
        ids = bitmaps.to_ids(candidates)
        bound = plan.bound
        if isinstance(bound, ColumnTest):
            column = bound.attribute.column
            return bitmaps.from_ids(ids[passes(bound.predicate, column.gather(ids.astype(np.int64)))])
        held = [profile for profile in ids.tolist() if OneProfile(profile, self.set_of).holds(bound)]
        return bitmaps.from_ids(np.array(held, dtype=np.int64))

    def _count_intersection(self, required: tuple[Plan, ...], excluded: tuple[Plan, ...]) -> int:
        if not excluded:
            result = self._common(required[:-1]) if len(required) > 1 else self.members(required[0])
            if len(required) == 1 or not result:
                return len(result)
            if self._is_worth_asking(result, required[-1]):
                return len(self._kept_of(result, required[-1]))
            return result.intersection_cardinality(self.members(required[-1]))
        result = self._intersect(required, excluded[:-1])
        if not result:
            return 0
        if self._is_worth_asking(result, excluded[-1]):
            return len(result) - len(self._kept_of(result, excluded[-1]))
        return len(result) - result.intersection_cardinality(self.members(excluded[-1]))

    def _tally(self, plan: Tally) -> U64:
        """Words of who is in low to high of the parts; with low = 0 of ids that do not exist too."""
        counts = np.zeros(self._space.blocks << 16, dtype=np.uint32)
        for part in plan.parts:
            self._deadline.check()
            kernels.count(bitmaps.to_ids(self.members(part)), counts)
        words = np.empty(len(counts) // 64, dtype=np.uint64)
        kernels.counts_to_words(counts, plan.low, plan.high, words)
        return words
