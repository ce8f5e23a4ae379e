"""From a rule to an answer at one version: pin, bind, plan, execute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Condition
from headcount_engine.evaluation.execute import Execution
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.evaluation.prepare import Prepared, Ready
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64

_FEW = 16
"""Up to this many profiles are asked one by one; more are looked up in the set."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Where and when rules are evaluated: a pinned view, a moment, and the saved segments."""

    view: ReadView
    moment: Moment
    definitions: Definitions
    deadline: Deadline

    def binder(self) -> Binder:
        return Binder(self.view, self.moment, self.definitions)

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
    if prepared.is_timeless:
        program = execution.program(plan)
        if program is not None:
            view = question.view
            warnings = tuple(dict.fromkeys(binder.warnings))
            prepared.ready = Ready(view.version, prepared.revision, program, view.population.count, warnings)
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
    one = OneProfile(question.view, profile, question.deadline)
    return [one.holds(binder.bind(rule)) for rule in rules]


def check_many(question: Question, profiles: I64, rules: list[Condition]) -> NDArray[np.bool_]:
    """bool of (n, rules); -1 stands for an unknown profile, which is in nothing."""
    results = np.zeros((len(profiles), len(rules)), dtype=np.bool_)
    binder = question.binder()
    known = np.flatnonzero(profiles >= 0)
    if len(known) <= _FEW:
        bound = [binder.bind(rule) for rule in rules]
        for row in known.tolist():
            one = OneProfile(question.view, int(profiles[row]), question.deadline)
            results[row] = [one.holds(b) for b in bound]
        return results
    execution = question.execution()
    ids = profiles[known]
    for column, rule in enumerate(rules):
        held = execution.members(execution.plan(binder.bind(rule)))
        results[known, column] = contains(held, ids)
    return results


def contains(held: Bitmap, ids: I64) -> NDArray[np.bool_]:
    """bool per id: whether it is in the set."""
    return np.fromiter((i in held for i in ids.tolist()), dtype=np.bool_, count=len(ids))
