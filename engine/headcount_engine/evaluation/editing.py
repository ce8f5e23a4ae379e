"""What someone who edits a rule wants to see: the size of every node, what an edit changes, how it is evaluated."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import Condition, Same, children
from headcount_engine.errors import InvalidArgument
from headcount_engine.evaluation.answer import Question
from headcount_engine.evaluation.describe import steps
from headcount_engine.evaluation.execute import Execution
from headcount_engine.indexes.attributes import AttributeView, to_cell
from headcount_engine.indexes.predicates import Present, passes
from headcount_engine.indexes.store import ReadView
from headcount_engine.logic.relations import Proofs
from headcount_engine.model.answers import PlanStep, Sized, ValueChange
from headcount_engine.model.batches import I64
from headcount_engine.model.instants import format_date, format_instant
from headcount_engine.model.values import Cell, Date, Instant, Kind, Point, ValueType

_VALUES_SHOWN = 1_000


def node_sizes(question: Question, rule: Condition) -> tuple[Sized, list[str]]:
    """The exact size of every node, in one evaluation; equal nodes are evaluated once."""
    binder = question.binder()
    execution = question.execution()

    def size(node: Condition) -> Sized:
        inner = tuple(size(child) for child in children(node) if _is_shown(node))
        return Sized(to_text(node), execution.count(execution.plan(binder.bind(node))), inner)

    return size(rule), binder.warnings


def _is_shown(node: Condition) -> bool:
    """Whether the parts of a node are conditions on whole profiles (those of a `same` are not)."""
    return not isinstance(node, Same)


def compare(
    question: Question, old: Condition, new: Condition, attributes: Sequence[str]
) -> tuple[int, int, int, int, str, str | None, dict[str, tuple[ValueChange, ...]]]:
    """(old size, new size, joins, leaves, relation, what is proved, joins and leaves by value of each attribute)."""
    binder = question.binder()
    execution = question.execution()
    before, after = (execution.members(execution.plan(binder.bind(rule))) for rule in (old, new))
    joined, left = after - before, before - after
    everyone = question.view.population.existing
    by_attribute = {name: _by_value(binder.attribute(name), joined, left, everyone) for name in attributes}
    proved = Proofs((old, new), _ViewTypes(question.view), question.definitions, question.moment).relation()
    relations = _relation(before, after), None if proved is None else proved.value
    return len(before), len(after), len(joined), len(left), *relations, by_attribute


class _ViewTypes:
    """The types of what is pinned."""

    def __init__(self, view: ReadView) -> None:
        self._view = view

    def attribute(self, name: str) -> ValueType | None:
        held = self._view.attribute(name)
        return None if held is None else held.definition.type

    def event_property(self, event: str, name: str) -> ValueType | None:
        held = self._view.event_types.get(event)
        return None if held is None else held.properties.get(name)


def _relation(old: Bitmap, new: Bitmap) -> str:
    if old == new:
        return "equal"
    if old.isdisjoint(new):
        return "disjoint"
    if new <= old:
        return "contains"
    return "contained" if old <= new else "overlapping"


def _by_value(
    attribute: AttributeView, joined: Bitmap, left: Bitmap, everyone: Bitmap
) -> tuple[ValueChange, ...]:
    """Joins and leaves by value, most first; at most 1,000 values."""
    if attribute.definition.type.kind is Kind.POINT:
        raise InvalidArgument(f"{attribute.definition.name!r} is a point: it has no values to list")
    joins, leaves = (_counts(attribute, held) for held in (joined, left))
    totals = _counts(attribute, everyone) if joins or leaves else {}
    values = sorted(
        joins.keys() | leaves.keys(), key=lambda v: (-joins.get(v, 0) - leaves.get(v, 0), str(v or ""))
    )[:_VALUES_SHOWN]
    shown = {stored: _shown(_cell(attribute, stored)) for stored in values}
    return tuple(ValueChange(shown[v], joins.get(v, 0), leaves.get(v, 0), totals.get(v, 0)) for v in values)


Held = int | float | None


def _counts(attribute: AttributeView, held: Bitmap) -> dict[Held, int]:
    """How many have each stored value; None is absent."""
    ids: I64 = bitmaps.to_ids(held).astype(np.int64)
    if not len(ids):
        return {}
    stored = attribute.column.gather(ids)
    there = passes(Present(), stored)
    values, counts = np.unique(stored[there], return_counts=True)
    found: dict[Held, int] = dict(zip(values.tolist(), counts.tolist(), strict=True))
    absent = len(ids) - int(there.sum())
    return found | {None: absent} if absent else found


def _cell(attribute: AttributeView, stored: Held) -> Cell | None:
    return to_cell(stored, attribute.definition.type, attribute.dictionary)


def _shown(cell: Cell | None) -> str | None:
    match cell:
        case None:
            return None
        case bool():
            return "true" if cell else "false"
        case frozenset():
            return ", ".join(sorted(cell))
        case Instant(us):
            return format_instant(us)
        case Date(days):
            return format_date(days)
        case Point(latitude, longitude):
            return f"({latitude}, {longitude})"
        case _:
            return str(cell)


def describe(question: Question, rule: Condition) -> PlanStep:
    """The plan of a rule as carried out to count it: estimated and actual sizes and times of every step."""
    started = time.perf_counter()
    execution = Execution(question.view, question.deadline, records=True)
    plan = execution.plan(question.binder().bind(rule))
    count = execution.count(plan)
    took_us = (time.perf_counter() - started) * 1e6
    return steps(plan, execution, count, took_us)
