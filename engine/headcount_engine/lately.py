"""Counts of rules whose conditions were asked lately, in whatever other rule: without binding and planning.

A range alone is counted by the order of its column, as long as no value has changed since that was made.

Everything is looked up under the gate: the version, who exists, and for each condition a set that is true as long as
its column has not changed. So nothing has to be pinned unless a set is made first.
"""

from __future__ import annotations

import threading
import time
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass

from headcount_engine.asking import Asker
from headcount_engine.conditions.tree import Between, Compare, Condition
from headcount_engine.evaluation.fuse import Program
from headcount_engine.evaluation.leaf_sets import LeafSet, LeafSets, NotKept, compiled, names_of, range_of
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.indexes.predicates import Range
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.commit import Gate
from headcount_engine.limits import Limits
from headcount_engine.model.answers import CountAnswer, Need
from headcount_engine.read_view import PinnedView

_TRIES = 3
"""How often sets are made before writes that get in between have won."""
_PROGRAMS_KEPT = 1_024


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """A rule with its program at a version, how many profiles there were, and what is to be said of names and rule."""

    rule: Condition
    version: int
    program: Program
    total: int
    warnings: tuple[str, ...]
    notes: tuple[str, ...]


class LatelyAsked:
    """Any thread."""

    def __init__(self, indexes: Indexes, gate: Gate, asker: Asker, limits: Limits) -> None:
        self._indexes = indexes
        self._gate = gate
        self._asker = asker
        self._sets = LeafSets(limits)
        self._programs: OrderedDict[int, _Held] = OrderedDict()
        """By the id of the rule, which is held so that no other can have it."""
        self._lock = threading.Lock()

    def count(self, rule: Condition, need: Need) -> CountAnswer | None:
        """How many satisfy conditions of the kind that is kept, or a range of a column whose order is kept.

        None for any other rule.
        """
        started_ns = time.perf_counter_ns()
        if isinstance(rule, Between | Compare):
            attribute = self._indexes.attributes.get(unicodedata.normalize("NFC", rule.attribute))
            predicate = None if attribute is None else range_of(rule, attribute)
            if attribute is not None and predicate is not None:
                return self._count_range(attribute, predicate, need, started_ns)
        held = self._programs.get(id(rule))
        if held is None:
            try:
                leaves = self._sets.leaves_of(rule)
            except NotKept:
                return None
            self._asker.wait_for(need)
        else:
            self._asker.wait_for(need)
            with self._gate.lock:
                version, now_us = self._gate.version, self._asker.now_us()
            if held.version == version:
                return _answer(held, now_us, started_ns)
            leaves = self._sets.leaves_of(rule)
        try:
            sets, population, version, now_us = self._found(leaves, need)
        except NotKept:
            return None
        program = compiled(rule, leaves, sets, population)
        warnings = tuple(dict.fromkeys(found.warning for found in sets if found.warning is not None))
        notes = self._asker.notes(rule) if held is None else held.notes
        held = _Held(rule, version, program, population.count, warnings, notes)
        with self._lock:
            self._programs[id(rule)] = held
            if len(self._programs) > _PROGRAMS_KEPT:
                self._programs.popitem(last=False)
        return _answer(held, now_us, started_ns)

    def _count_range(
        self, attribute: Attribute, predicate: Range, need: Need, started_ns: int
    ) -> CountAnswer | None:
        self._asker.wait_for(need)
        with self._gate.lock:
            version, now_us = self._gate.version, self._asker.now_us()
            total = self._indexes.identities.view().count
            ranges = attribute.column.ranges
        if ranges is None:
            return None
        first, end = ranges.span(predicate)
        return CountAnswer(
            end - first, total, version, now_us, (time.perf_counter_ns() - started_ns) // 1_000
        )

    def _found(self, leaves: list[Condition], need: Need) -> tuple[list[LeafSet], PopulationView, int, int]:
        """(the set of each condition, who exists, the version, its now); what is not there is made. Raises NotKept."""
        for _ in range(_TRIES):
            with self._gate.lock:
                version, now_us = self._gate.version, self._asker.now_us()
                population = self._indexes.identities.view()
                found = self._sets.found(leaves, self._indexes, population.blocks)
            sets = [held for held in found if held is not None]
            if len(sets) == len(leaves):
                return sets, population, version, now_us
            missing = [leaf for leaf, held in zip(leaves, found, strict=True) if held is None]
            with PinnedView(self._indexes, self._gate, names_of(missing)) as view:
                for leaf in missing:
                    self._sets.make(leaf, self._indexes, view, need.deadline)
        raise NotKept


def _answer(held: _Held, now_us: int, started_ns: int) -> CountAnswer:
    found = held.program.count()
    engine_us = (time.perf_counter_ns() - started_ns) // 1_000
    return CountAnswer(found, held.total, held.version, now_us, engine_us, held.warnings + held.notes)
