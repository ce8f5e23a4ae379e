"""Sums and averages over events for everyone in a space, decided exactly.

Whole sums that fit int64 are compared as integers. Otherwise doubles decide where they are clear of the operand by
more than their error bound, and the rest are summed again exactly from their events. Nothing keeps a running float
sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import EventSum, NumberTest
from headcount_engine.conditions.tree import Function, Op
from headcount_engine.evaluation.slices import Slice, slices
from headcount_engine.evaluation.spaces import Space
from headcount_engine.indexes import predicates
from headcount_engine.indexes.columns import widen
from headcount_engine.indexes.predicates import Stored
from headcount_engine.kernels import columns
from headcount_engine.kernels import events as kernels
from headcount_engine.limits import BLOCK_BITS
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import F64, I64, U32, U64, Mask

_EPSILON = 2.0**-53


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Per profile id: how many values, their sum as a double and how far that may be off.

    `exact`: whole sums scaled by 10**digits as i64, where they fit.
    """

    counts: U32
    approximate: F64
    error: F64
    exact: I64 | None


def sum_set(bound: EventSum, space: Space, deadline: Deadline) -> Bitmap:
    """Members whose sum (0 for none) or average (of at least one) passes."""
    parts = list(slices(space, bound.sources, bound.span, deadline))
    ids = space.blocks << BLOCK_BITS
    digits = max(bound.digits, default=0)
    words = np.zeros(ids // 64, dtype=np.uint64)
    sums = _accumulate(bound, parts, ids, digits)
    if sums.exact is not None and bound.function is Function.SUM and bound.test.op not in (None, Op.NE):
        low, high = _whole_range(bound.test, digits)
        if low <= high:
            columns.range_to_words(sums.exact, np.int64(low), np.int64(high), words)
    else:
        _decide_by_double(bound, parts, sums, words)
    return bitmaps.from_words(words) & space.everyone


def _accumulate(bound: EventSum, parts: list[Slice], ids: int, digits: int) -> _Sums:
    counts = np.zeros(ids, dtype=np.uint32)
    uniform = all(d == digits for d in bound.digits)
    if uniform and digits >= 0:
        if _fits_int64(parts, bound.property):
            exact = np.zeros(ids, dtype=np.int64)
            for part, values in _valued(parts, bound.property):
                kernels.sum_whole(part.members, values, part.mask, exact, counts)
            scaled = exact.astype(np.float64) / 10.0**digits
            return _Sums(counts, scaled, np.abs(scaled) * 2**-50, exact)
        highs, lows = np.zeros(ids, dtype=np.int64), np.zeros(ids, dtype=np.int64)
        for part, values in _valued(parts, bound.property):
            kernels.sum_whole_wide(part.members, values, part.mask, highs, lows, counts)
        wide = (highs.astype(np.float64) * 2.0**32 + lows) / 10.0**digits
        return _Sums(counts, wide, np.abs(wide) * 2**-48, None)
    sums, magnitudes = np.zeros(ids), np.zeros(ids)
    for part, values in _valued(parts, bound.property):
        scale = max(bound.digits[part.source], 0)
        kernels.sum_float(part.members, _doubles(values, scale), part.mask, sums, magnitudes, counts)
    return _Sums(counts, sums, magnitudes * (counts + 4.0) * (2 * _EPSILON), None)


def _valued(parts: list[Slice], name: str) -> Iterator[tuple[Slice, Stored]]:
    for part in parts:
        values = part.values(name)
        if values is not None:
            yield part, values


def _doubles(values: Stored, digits: int) -> F64:
    if values.dtype.kind == "f":
        return values
    doubles = values.astype(np.float64) / 10.0**digits
    doubles[values == predicates.absent_value(values.dtype)] = math.nan
    return doubles


def _fits_int64(parts: list[Slice], name: str) -> bool:
    """Whether no sum over these events can leave int64."""
    bound = 0
    for _, values in _valued(parts, name):
        if values.dtype.itemsize < 8:
            bound += len(values) << (8 * values.dtype.itemsize - 1)
        else:
            there = values[values != predicates.absent_value(values.dtype)]
            if len(there):
                bound += len(there) * max(int(there.max()), -int(there.min()))
        if bound >= 1 << 62:
            return False
    return True


def _whole_range(test: NumberTest, digits: int) -> tuple[int, int]:
    """The scaled integers that pass a comparison other than != and `in`."""
    least, most = -(1 << 63), (1 << 63) - 1
    first = test.operands[0] * 10**digits
    match test.op:
        case Op.EQ:
            low, high = math.ceil(first), math.floor(first)
        case Op.LT:
            low, high = least, math.ceil(first) - 1
        case Op.LE:
            low, high = least, math.floor(first)
        case Op.GT:
            low, high = math.floor(first) + 1, most
        case _:
            last = test.operands[1] * 10**digits if len(test.operands) == 2 else Fraction(most)
            low, high = math.ceil(first), math.floor(last)
    return max(low, least), min(high, most)


def _decide_by_double(bound: EventSum, parts: list[Slice], sums: _Sums, words: U64) -> None:
    """Set the bits of profiles that pass; those too near an operand to tell are summed exactly."""
    value, error = sums.approximate, sums.error
    if bound.function is Function.AVG:
        there = sums.counts > 0
        divisor = np.maximum(sums.counts, 1)
        value, error = value / divisor, error / divisor + np.abs(value / divisor) * (4 * _EPSILON)
    passing = compare_doubles(bound.test, value)
    near = np.zeros(len(value), dtype=np.bool_)
    for limit in map(_as_double, bound.test.operands):
        near |= ~(np.abs(value - limit) > error + abs(limit) * (4 * _EPSILON))
    near &= sums.counts > 0
    if bound.function is Function.AVG:
        passing &= there
    if near.any():
        _decide_exactly(bound, parts, near, passing)
    words |= np.packbits(passing, bitorder="little").view(np.uint64)


def _as_double(operand: Fraction) -> float:
    try:
        return float(operand)
    except OverflowError:
        return math.inf if operand > 0 else -math.inf


def compare_doubles(test: NumberTest, values: F64) -> Mask:
    """bool per value: the test with operands as doubles; exact for whole values and operands below 2**53."""
    limits = [_as_double(o) for o in test.operands]
    match test.op:
        case None:
            return np.asarray(np.isin(values, limits) != test.negated)
        case Op.EQ:
            return np.asarray(values == limits[0])
        case Op.NE:
            return np.asarray(values != limits[0])
        case Op.LT:
            return np.asarray(values < limits[0])
        case Op.LE:
            return np.asarray(values <= limits[0])
        case Op.GT:
            return np.asarray(values > limits[0])
        case _:
            above = values >= limits[0]
            return np.asarray(above & (values <= limits[1]) if len(limits) == 2 else above)


def _decide_exactly(bound: EventSum, parts: list[Slice], near: Mask, passing: Mask) -> None:
    """Gather the values of the profiles in question and test their exact sums."""
    chosen = np.packbits(near, bitorder="little").view(np.uint64)
    profiles: list[U32] = []
    numbers: list[list[Fraction | float]] = []
    for part, values in _valued(parts, bound.property):
        rows = np.empty(len(part), dtype=np.int64)
        rows = rows[: kernels.select_rows(part.members, part.mask, chosen, rows)]
        held = values[rows]
        there = ~np.isnan(held) if held.dtype.kind == "f" else held != predicates.absent_value(held.dtype)
        profiles.append(part.members[rows][there])
        numbers.append(as_numbers(held[there], bound.digits[part.source]))
    by_profile: dict[int, list[Fraction | float]] = {}
    for ids, held_numbers in zip(profiles, numbers, strict=True):
        for profile, number in zip(ids.tolist(), held_numbers, strict=True):
            by_profile.setdefault(profile, []).append(number)
    for profile, held_numbers in by_profile.items():
        passing[profile] = total_passes(bound, held_numbers)


def as_numbers(values: Stored, digits: int) -> list[Fraction | float]:
    """Stored numbers as exact ones: doubles stay doubles, scaled integers become fractions."""
    if digits < 0:
        return [float(v) for v in values.tolist()]
    scale = 10**digits
    return [Fraction(int(v), scale) for v in widen(values, np.dtype("int64")).tolist()]


def total_passes(bound: EventSum, values: list[Fraction | float]) -> bool:
    """The test on one profile's values, exactly: both evaluators end here.

    If all values are whole or decimal the sum is exact; if any is a double, it is the exact sum rounded once (and
    stays exact where no double can hold it).
    """
    if bound.function is Function.AVG and not values:
        return False
    total = sum((Fraction(v) for v in values), Fraction(0))
    mean = Fraction(total, len(values)) if bound.function is Function.AVG else total
    if not any(isinstance(v, float) for v in values):
        return bound.test(mean)
    try:
        rounded = total.numerator / total.denominator
    except OverflowError:
        return bound.test(mean)
    return bound.test(rounded / len(values) if bound.function is Function.AVG else rounded)
