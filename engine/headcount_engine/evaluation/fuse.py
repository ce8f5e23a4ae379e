"""Plans whose sets are all at hand as words, as one pass over them.

Dense sets are combined fastest as words in one fused pass, sparse ones as roaring bitmaps, smallest first. A plan is
fused if every leaf is a kept bitmap and no required one is sparse (under one id in 64).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

import numpy as np

from headcount_engine.conditions.bound import ColumnTest
from headcount_engine.evaluation.plan import Everybody, Intersect, Leaf, Outside, Plan, Tally, Unite
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.kernels import fused
from headcount_engine.limits import BLOCK_IDS, BLOCK_WORDS
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64, U64

_SPARSE = 64
_FUSED_AT = 2
"""Leaves from which on a pass over words pays."""
_FUSED_MOST = 1_000
"""Leaves up to which one is made: as many as a rule may have."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A fused plan: operands by address (`held` keeps them alive), codes of `kernels.fused`, length in words."""

    held: list[U64]
    operands: I64
    codes: I64
    words: int

    def count(self) -> int:
        """How many ids the result has."""
        stack = np.empty((fused.DEPTH_MAX, fused.CHUNK_WORDS), dtype=np.uint64)
        return int(fused.count_program(self.operands, self.codes, self.words, stack))

    def run(self) -> U64:
        """The result as words."""
        stack = np.empty((fused.DEPTH_MAX, fused.CHUNK_WORDS), dtype=np.uint64)
        out = np.empty(self.words, dtype=np.uint64)
        fused.run_program(self.operands, self.codes, stack, out)
        return out


class _NotFusible(Exception):
    """Some leaf is not at hand as words, or roaring does better."""


class _Compiler:
    def __init__(self, population: PopulationView, deadline: Deadline) -> None:
        self._population = population
        self._deadline = deadline
        self._blocks = population.blocks
        self._addresses: list[int] = []
        self._numbers: dict[int, int] = {}
        self.held: list[U64] = []
        self.codes: list[int] = []

    def program(self, plan: Plan) -> Program:
        self._push(plan, 0)
        operands = np.array(self._addresses, dtype=np.int64)
        return Program(self.held, operands, np.array(self.codes, dtype=np.int64), self._blocks * BLOCK_WORDS)

    def _operand(self, plan: Plan) -> int | None:
        """The number of a set at hand; None if the plan must be computed."""
        match plan:
            case Everybody():
                words, address = self._population.words
            case Leaf(ColumnTest(attribute, predicate)):
                kept = attribute.column.kept(predicate, self._deadline)
                if kept is None:
                    raise _NotFusible
                words, address = kept.words(self._blocks)
            case Leaf():
                raise _NotFusible
            case _:
                return None
        number = self._numbers.get(address)
        if number is None:
            number = self._numbers[address] = len(self.held)
            self.held.append(words)
            self._addresses.append(address)
        return number

    def _push(self, plan: Plan, depth: int) -> None:
        """Code that leaves the plan's words on top of the stack."""
        if depth >= fused.DEPTH_MAX:
            raise _NotFusible
        number = self._operand(plan)
        if number is not None:
            self.codes.append(fused.LOAD + 8 * number)
            return
        match plan:
            case Outside(child):
                self._push(Everybody(0), depth)
                self._combine(child, depth, fused.WITHOUT, fused.WITHOUT_TOP)
            case Intersect(required, excluded):
                rest = required[1:]
                self._push(required[0] if required else Everybody(0), depth)
                for part in rest:
                    self._combine(part, depth, fused.AND, fused.AND_TOP)
                for part in excluded:
                    self._combine(part, depth, fused.WITHOUT, fused.WITHOUT_TOP)
            case Unite(parts):
                self._push(parts[0], depth)
                for part in parts[1:]:
                    self._combine(part, depth, fused.OR, fused.OR_TOP)
            case Tally():
                raise _NotFusible
            case Everybody() | Leaf():
                raise AssertionError("operands are pushed above")
            case _:
                assert_never(plan)

    def _combine(self, plan: Plan, depth: int, with_operand: int, with_top: int) -> None:
        number = self._operand(plan)
        if number is not None:
            self.codes.append(with_operand + 8 * number)
        else:
            self._push(plan, depth + 1)
            self.codes.append(with_top)


def compile_plan(plan: Plan, population: PopulationView, deadline: Deadline) -> Program | None:
    """The plan as one pass over words, or None if that is impossible or would not pay."""
    if not _is_worth_it(plan) or _is_sparse(plan, population.ids_end):
        return None
    try:
        return _Compiler(population, deadline).program(plan)
    except _NotFusible:
        return None


def _is_worth_it(plan: Plan) -> bool:
    """Whether there are enough leaves, all on columns, and not too many.

    A part that is used twice is expanded twice: of a graph of shared parts only as much is looked at as may be fused.
    """
    leaves = 0
    pending = [plan]
    while pending:
        match pending.pop():
            case Outside(child):
                leaves += 1
                pending.append(child)
            case Intersect(required, excluded):
                pending += (*required, *excluded)
            case Unite(parts):
                pending += parts
            case Leaf(ColumnTest()) | Everybody():
                leaves += 1
            case Leaf() | Tally():
                return False
            case other:
                assert_never(other)
        if leaves + len(pending) > _FUSED_MOST:
            return False
    return leaves >= _FUSED_AT


def _is_sparse(plan: Plan, ids: int) -> bool:
    """Whether some required set is so small that starting from it beats a pass over everything."""
    if not isinstance(plan, Intersect):
        return False
    return any(isinstance(p, Leaf) and p.size * _SPARSE < max(ids, BLOCK_IDS) for p in plan.required)
