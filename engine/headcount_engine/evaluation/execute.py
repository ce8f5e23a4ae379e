"""Carrying out a plan on bitmaps. The deadline is looked at between steps and between blocks of a scan."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import ColumnTest, EventCount, EventSum, Given
from headcount_engine.evaluation.events import count_set, sum_set
from headcount_engine.evaluation.plan import Everybody, Intersect, Leaf, Outside, Plan, Tally, Unite
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.kernels import events as kernels
from headcount_engine.model.answers import Deadline


class Execution:
    """One evaluation over one population. Sub-plans that occur twice are carried out once."""

    def __init__(self, population: PopulationView, deadline: Deadline) -> None:
        self._population = population
        self._deadline = deadline
        self._done: dict[int, Bitmap] = {}

    def members(self, plan: Plan) -> Bitmap:
        """The set of profiles; not to be mutated. Raises DeadlineExceeded or Cancelled."""
        done = self._done.get(id(plan))
        if done is None:
            self._deadline.check()
            done = self._done[id(plan)] = self._members(plan)
        return done

    def count(self, plan: Plan) -> int:
        """How many; the last step of an intersection, a union of two or a complement is only counted."""
        match plan:
            case Everybody(size):
                return size
            case Outside(child):
                return self._population.count - self.count(child)
            case Intersect(required, excluded):
                return self._count_intersection(required, excluded)
            case Unite(parts) if len(parts) == 2:
                return self.members(parts[0]).union_cardinality(self.members(parts[1]))
            case _:
                return len(self.members(plan))

    def _members(self, plan: Plan) -> Bitmap:
        match plan:
            case Everybody():
                return self._population.existing
            case Leaf(bound):
                return self._leaf(bound)
            case Outside(child):
                return self._population.existing - self.members(child)
            case Intersect(required, excluded):
                return self._intersect(required, excluded)
            case Unite(parts):
                return Bitmap.union(*(self.members(p) for p in parts))
            case Tally():
                return self._tally(plan)
            case _:
                assert_never(plan)

    def _leaf(self, bound: Given | ColumnTest | EventCount | EventSum) -> Bitmap:
        match bound:
            case Given(bitmap):
                return bitmap
            case ColumnTest(attribute, predicate):
                return attribute.column.bitmap(predicate, self._deadline)
            case EventCount():
                return count_set(bound, self._population, self._deadline)
            case EventSum():
                return sum_set(bound, self._population, self._deadline)
            case _:
                assert_never(bound)

    def _intersect(self, required: tuple[Plan, ...], excluded: tuple[Plan, ...]) -> Bitmap:
        result = self._ready_first(required)
        for plan in excluded:
            if not result:
                break
            result = result - self.members(plan)
        return result

    def _ready_first(self, required: tuple[Plan, ...]) -> Bitmap:
        """The intersection of what is required, in the order planned, stopping when nothing is left."""
        if not required:
            return self._population.existing
        result = self.members(required[0])
        for plan in required[1:]:
            if not result:
                break
            result = result & self.members(plan)
        return result

    def _count_intersection(self, required: tuple[Plan, ...], excluded: tuple[Plan, ...]) -> int:
        if not excluded:
            result = self._ready_first(required[:-1]) if len(required) > 1 else self.members(required[0])
            if len(required) == 1 or not result:
                return len(result)
            return result.intersection_cardinality(self.members(required[-1]))
        result = self._intersect(required, excluded[:-1])
        if not result:
            return 0
        return len(result) - result.intersection_cardinality(self.members(excluded[-1]))

    def _tally(self, plan: Tally) -> Bitmap:
        blocks = self._population.blocks
        counts = np.zeros(blocks << 16, dtype=np.uint32)
        for part in plan.parts:
            self._deadline.check()
            kernels.count(bitmaps.to_ids(self.members(part)), counts)
        words = np.empty(len(counts) // 64, dtype=np.uint64)
        kernels.counts_to_words(counts, plan.low, plan.high, words)
        found = bitmaps.from_words(words)
        return found & self._population.existing if plan.low == 0 else found

