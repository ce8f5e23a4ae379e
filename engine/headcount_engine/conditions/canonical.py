"""One form for leaves that mean the same, so that a condition and its opposite are told to be one."""

from __future__ import annotations

from dataclasses import replace

from headcount_engine.conditions.tree import (
    AT_LEAST_ONCE,
    NEVER,
    Compare,
    Condition,
    CountRange,
    Did,
    In,
    Op,
    SetMatch,
    SetOp,
)


def canonical(leaf: Condition) -> tuple[Condition, bool]:
    """(the positive form, whether the leaf is its opposite), so that a condition and its negation share an atom."""
    match leaf:
        case Compare(op=Op.NE, when_present=False):
            return replace(leaf, op=Op.EQ), True
        case In(negated=True, when_present=False):
            return replace(leaf, negated=False), True
        case SetMatch(op=SetOp.NONE_OF):
            return replace(leaf, op=SetOp.ANY_OF), True
        case Did(count=count) if count == NEVER:
            return replace(leaf, count=AT_LEAST_ONCE), True
        case Did(count=CountRange(0, int(high))):
            return replace(leaf, count=CountRange(high + 1, None)), True
        case _:
            return leaf, False
