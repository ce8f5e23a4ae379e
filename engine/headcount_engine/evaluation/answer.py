"""From a rule to an answer at one version: pin, bind, plan, execute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Condition
from headcount_engine.evaluation.execute import Execution
from headcount_engine.evaluation.fuse import Program
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.evaluation.prepare import Prepared, Ready
from headcount_engine.indexes.store import ReadView
from headcount_engine.kernels import fused
from headcount_engine.limits import BLOCK_BITS
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64

_MANY = 2_000
"""From here on a set is asked through its words."""
_FEW = 16
"""Up to this many profiles are asked one by one; more are looked up in the set."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Where and when rules are evaluated: a pinned view, a moment, and the saved segments."""

    view: ReadView
    moment: Moment
    definitions: Definitions
    deadline: Deadline
    present_us: int | None = None
    """The version's own now, where the moment may be another."""

    def binder(self) -> Binder:
        return Binder(self.view, self.moment, self.definitions, present_us=self.present_us)

    def execution(self) -> Execution:
        return Execution(self.view, self.deadline)


def count(question: Question, prepared: Prepared) -> tuple[int, list[str]]:
    """(how many, warnings). Raises InvalidRule, DeadlineExceeded, Cancelled.

    What can be asked again without binding is left with the prepared rule.
    """
    binder = question.binder()
    execution = question.execution()
    plan = execution.plan(binder.bind(prepared.condition))
    found = execution.count(plan)
    program = execution.program(plan)
    if program is not None:
        _leave(prepared, question, program, binder)
    return found, binder.warnings


def members(question: Question, rule: Condition) -> tuple[Bitmap, list[str]]:
    """(the set, warnings)."""
    binder = question.binder()
    execution = question.execution()
    return execution.members(execution.plan(binder.bind(rule))), binder.warnings


def sizes(question: Question, rules: list[Condition]) -> list[int]:
    """How many satisfy each of several rules; what they share is evaluated once."""
    binder = question.binder()
    execution = question.execution()
    return [execution.count(execution.plan(binder.bind(rule))) for rule in rules]


def check(question: Question, profile: int, rules: list[Condition]) -> list[bool]:
    """Whether one existing profile satisfies each rule; no scan."""
    binder = question.binder()
    one = OneProfile(profile, question.execution().set_of)
    return [one.holds(binder.bind(rule)) for rule in rules]


def check_many(question: Question, profiles: I64, rules: list[Prepared]) -> NDArray[np.bool_]:
    """bool of (n, rules); -1 stands for an unknown profile, which is in nothing."""
    results = np.zeros((len(profiles), len(rules)), dtype=np.bool_)
    binder = question.binder()
    known = np.flatnonzero(profiles >= 0)
    if len(known) <= _FEW:
        bound = [binder.bind(rule.condition) for rule in rules]
        set_of = question.execution().set_of
        for row in known.tolist():
            one = OneProfile(int(profiles[row]), set_of)
            results[row] = [one.holds(b) for b in bound]
        return results
    execution = question.execution()
    for column, rule in enumerate(rules):
        ready = rule.ready
        if ready is not None and ready.version == question.view.version:
            program = ready.program
        else:
            plan = execution.plan(binder.bind(rule.condition))
            made = execution.program(plan)
            if made is None:
                results[:, column] = contains(execution.members(plan), profiles)
                continue
            program = made
            _leave(rule, question, program, binder)
        found = np.empty(len(profiles), dtype=np.bool_)
        fused.test_bits(program.run(), profiles, found)
        results[:, column] = found
    return results


def _leave(prepared: Prepared, question: Question, program: Program, binder: Binder) -> None:
    """Leave what can be asked again without binding with the prepared rule."""
    if prepared.is_timeless:
        view = question.view
        warnings = tuple(dict.fromkeys(binder.warnings))
        prepared.ready = Ready(view.version, prepared.revision, program, view.population.count, warnings)


def contains(held: Bitmap, ids: I64) -> NDArray[np.bool_]:
    """bool per id: whether it is in the set; -1 is in none."""
    if len(ids) < _MANY:
        return np.fromiter((i >= 0 and i in held for i in ids.tolist()), dtype=np.bool_, count=len(ids))
    found = np.empty(len(ids), dtype=np.bool_)
    fused.test_bits(bitmaps.to_words(held, (int(ids.max()) >> BLOCK_BITS) + 1), ids, found)
    return found
