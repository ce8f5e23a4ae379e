"""Leaves on attributes for some profiles: the bound form over gathered values, a mask out. No bitmaps, no scan."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import numpy as np

from headcount_engine.conditions.bound import (
    AboutProfile,
    All,
    And,
    Bound,
    ColumnTest,
    Complement,
    CountOf,
    EventCount,
    EventDays,
    EventDistinct,
    EventExtreme,
    EventSequence,
    EventSum,
    Given,
    Keyed,
    Or,
    Ranked,
    Sampled,
)
from headcount_engine.evaluation.execute import Execution
from headcount_engine.indexes.predicates import passes
from headcount_engine.model.answers import NO_DEADLINE
from headcount_engine.model.batches import Mask

if TYPE_CHECKING:
    from headcount_engine.atoms.after import Few


class Masks:
    """Evaluates bound rules for the profiles of one view. Columns are tested as arrays, all else on the set path."""

    def __init__(self, few: Few) -> None:
        self._few = few
        self._execution: Execution | None = None

    def of(self, bound: Bound) -> Mask:
        """bool per profile of the view."""
        match bound:
            case All():
                return np.ones(len(self._few), dtype=np.bool_)
            case ColumnTest(attribute, predicate):
                return passes(predicate, self._few.values(attribute.definition.name))
            case Complement(child):
                return ~self.of(child)
            case And(children):
                return np.asarray(np.logical_and.reduce([self.of(c) for c in children]))
            case Or(children):
                return np.asarray(np.logical_or.reduce([self.of(c) for c in children]))
            case CountOf(low, high, children):
                total = np.sum([self.of(c) for c in children], axis=0)
                return np.asarray((total >= low) & (total <= high))
            case (
                Given() | Ranked() | Sampled() | EventCount() | EventSum() | EventDistinct() | EventDays()
                | EventExtreme() | EventSequence() | Keyed() | AboutProfile()
            ):  # fmt: skip
                return self._by_sets(bound)
            case _:
                assert_never(bound)

    def _by_sets(self, bound: Bound) -> Mask:
        if self._execution is None:
            self._execution = Execution(self._few, NO_DEADLINE)
        mask = np.zeros(len(self._few), dtype=np.bool_)
        mask[list(self._execution.set_of(bound))] = True
        return mask
