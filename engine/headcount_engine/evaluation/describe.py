"""A plan as text: each step with estimated and actual size and time."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from headcount_engine.conditions.bound import (
    AboutProfile,
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
    TypeSource,
)
from headcount_engine.conditions.tree import CountRange
from headcount_engine.evaluation.execute import Execution
from headcount_engine.evaluation.plan import Everybody, Intersect, Leaf, Outside, Plan, Tally, Unite
from headcount_engine.evaluation.wording import wording
from headcount_engine.model.answers import PlanStep


def steps(plan: Plan, execution: Execution, count: int, took_us: float) -> PlanStep:
    """The tree of steps; the root's size and time are those of the whole count."""

    def step(node: Plan, prefix: str = "") -> PlanStep:
        size, took = execution.recorded(node)
        return PlanStep(prefix + _title(node), node.size, size, node.cost_ns / 1e3, took, _inner(node, step))

    root = step(plan)
    return PlanStep(root.text, root.estimated_size, count, root.estimated_us, took_us, root.children)


def _inner(node: Plan, step: Callable[[Plan, str], PlanStep]) -> tuple[PlanStep, ...]:
    match node:
        case Everybody() | Leaf():
            return ()
        case Outside(child):
            return (step(child, ""),)
        case Intersect(required, excluded):
            return (*(step(p, "") for p in required), *(step(p, "without ") for p in excluded))
        case Unite(parts) | Tally(_, _, parts):
            return tuple(step(p, "") for p in parts)
        case _:
            assert_never(node)


def _title(node: Plan) -> str:
    match node:
        case Everybody():
            return "everyone"
        case Leaf(bound):
            return _leaf(bound)
        case Outside():
            return "everyone without"
        case Intersect():
            return "intersect"
        case Unite():
            return "unite"
        case Tally(low, high, parts):
            return f"{low} to {high} of {len(parts)}"
        case _:
            assert_never(node)


def _leaf(bound: SetLeaf | AboutProfile) -> str:
    match bound:
        case Given():
            return "given set"
        case ColumnTest(attribute, predicate):
            how = "bitmap" if attribute.column.index.get(predicate) is not None else "scan"
            return f"{how} {wording(attribute, predicate)}"
        case Ranked(attribute, end, amount, is_percent):
            return f"rank {end.value} {amount}{'%' if is_percent else ''} by {attribute.definition.name}"
        case Sampled():
            return "sample"
        case EventCount(sources, _, count):
            return f"count {_names(sources)} {_count(count)}"
        case EventSum(function, sources, property=name):
            return f"{function.value} {_names(sources)}.{name}"
        case EventDistinct(sources, property=name):
            return f"distinct {_names(sources)}.{name}"
        case EventDays(sources, _, _, count):
            return f"days {_names(sources)} {_count(count)}"
        case EventExtreme(sources, is_latest=is_latest):
            return f"{'last' if is_latest else 'first'} {_names(sources)}"
        case EventSequence(first, then, is_negated=is_negated):
            return f"sequence {_names(first)} then {'not ' if is_negated else ''}{_names(then)}"
        case Keyed(name):
            return f"same {name}"
        case AboutProfile():
            return "of the whole profile"
        case _:
            assert_never(bound)


def _names(sources: tuple[TypeSource, ...]) -> str:
    names = sorted({s.type.name for s in sources})
    return (
        ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        if names
        else "nothing"
    )


def _count(count: CountRange) -> str:
    if count.high is None:
        return f">= {count.low}"
    return f"= {count.low}" if count.low == count.high else f"{count.low}..{count.high}"


def to_lines(step: PlanStep, depth: int = 0) -> list[str]:
    """One line a step: indentation, title, actual of estimated size, actual of estimated time."""
    size = "-" if step.size is None else f"{step.size:,}"
    took = "-" if step.took_us is None else f"{step.took_us:,.0f}"
    line = f"{'  ' * depth}{step.text}  [{size} of ~{step.estimated_size:,}; {took} of ~{step.estimated_us:,.0f} us]"
    return [line, *(inner for child in step.children for inner in to_lines(child, depth + 1))]
