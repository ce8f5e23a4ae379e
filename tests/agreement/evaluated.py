"""What the engine can be asked and told so far. The only place that knows: nothing else leaves anything out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from headcount_engine.conditions.tree import Aggregate, Condition, Function, walk
from headcount_engine.model.values import Cell
from tests.oracle.changes import Change, Consent, Define, Erase, Merge, Track, Upsert
from tests.oracle.condition_strategies import ALL_KINDS
from tests.oracle.world import Overridden

NOT_YET: frozenset[type] = frozenset()
EVALUATED: frozenset[type] = ALL_KINDS - NOT_YET
FUNCTIONS: frozenset[Function] = frozenset(Function)
HAS_DEDUPLICATION = True
LEAST_INT64 = -(2**63)
"""Stands for "absent" in a column, so the engine refuses it as a value, where the oracle takes it."""


def is_evaluated(condition: Condition) -> bool:
    """Whether every node is of a kind that the engine evaluates."""
    return all(
        type(node) in EVALUATED and (not isinstance(node, Aggregate) or node.function in FUNCTIONS)
        for node in walk(condition)
    )


def is_taken(change: Change) -> bool:
    """Whether the engine has a write for the change."""
    match change:
        case Consent() | Merge() | Erase():
            return True
        case Define(_, set()):
            return True
        case Define(_, Overridden(rule)):
            return is_evaluated(rule)
        case Define(_, rule):
            return is_evaluated(rule)
        case Upsert():
            return not _has_least(change.attributes.values())
        case Track():
            return not _has_least(change.properties.values()) and (HAS_DEDUPLICATION or change.id is None)
        case _:
            assert_never(change)


def _has_least(cells: Iterable[Cell | None]) -> bool:
    return any(isinstance(cell, int) and cell == LEAST_INT64 for cell in cells)
