"""Event conditions for everyone: each run gives the slice of the window, kernels fold it by profile.

Cost is that of the events in the window (1.6 to 5 ns each) and one pass over the profiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import (
    Always,
    CountEvent,
    EventCount,
    EventSum,
    EventTest,
    NotEvent,
    NumberTest,
    PropertyTest,
    TypeSource,
)
from headcount_engine.conditions.spans import Span
from headcount_engine.conditions.tree import Function, Op
from headcount_engine.indexes import predicates
from headcount_engine.indexes.columns import widen
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.runs import Run
from headcount_engine.kernels import columns
from headcount_engine.kernels import events as kernels
from headcount_engine.limits import BLOCK_BITS, BLOCK_WORDS
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import F64, I64, U8, U32, U64, Mask

_NO_MASK: U8 = np.empty(0, dtype=np.uint8)
_EPSILON = 2.0**-53


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Events [start, end) of one run. `mask`: u8 per event, or empty if all pass. `source`: index of the source."""

    run: Run
    start: int
    end: int
    mask: U8
    source: int

    @property
    def profiles(self) -> U32:
        return self.run.profiles[self.start : self.end]

    def values(self, name: str) -> Stored | None:
        """A property over the slice; None if no event of the run has it."""
        held = self.run.properties.get(name)
        return None if held is None else held[self.start : self.end]


def slices(sources: tuple[TypeSource, ...], span: Span, deadline: Deadline) -> Iterator[Slice]:
    """The parts of all runs that lie in the span, with what passes `where`; empty ones are left out."""
    for number, source in enumerate(sources):
        for run in source.type.runs:
            start, end = run.between(span.first, span.last)
            if start == end:
                continue
            deadline.check()
            mask = _NO_MASK if source.where is None else event_mask(source.where, run, start, end)
            yield Slice(run, start, end, mask, number)


def event_mask(test: EventTest, run: Run, start: int, end: int) -> U8:
    """u8 per event of run[start:end]: 1 where the test holds."""
    match test:
        case Always(value):
            return np.full(end - start, value, dtype=np.uint8)
        case PropertyTest(name, predicate):
            held = run.properties.get(name)
            if held is None:
                return np.zeros(end - start, dtype=np.uint8)
            return predicates.mask_events(predicate, held[start:end])
        case NotEvent(child):
            mask = event_mask(child, run, start, end)
            return np.bitwise_xor(mask, 1, out=mask)
        case CountEvent(low, high, children):
            masks = [event_mask(c, run, start, end) for c in children]
            if low == len(masks):
                return _folded(np.bitwise_and, masks)
            if low == 1 and high == len(masks):
                return _folded(np.bitwise_or, masks)
            total = np.sum(masks, axis=0, dtype=np.uint16)
            return ((total >= low) & (total <= high)).astype(np.uint8)
        case _:
            assert_never(test)


def _folded(operation: np.ufunc, masks: list[U8]) -> U8:
    result = masks[0]
    for mask in masks[1:]:
        operation(result, mask, out=result)
    return result


# ------------------------------------------------------------------------------------------------ counts


def count_set(bound: EventCount, population: PopulationView, deadline: Deadline) -> Bitmap:
    """Profiles with `count.low` to `count.high` matching events; zero counts for whoever never did it."""
    low, high = bound.count.low, bound.count.high
    if low == 0 and high is None:
        return population.existing
    if low == 0:
        assert high is not None
        return population.existing - _at_least(bound, high + 1, None, population, deadline)
    return _at_least(bound, low, high, population, deadline)


def _at_least(
    bound: EventCount, low: int, high: int | None, population: PopulationView, deadline: Deadline
) -> Bitmap:
    words = np.zeros(population.blocks * BLOCK_WORDS, dtype=np.uint64)
    if low == 1 and high is None:
        for part in slices(bound.sources, bound.span, deadline):
            if len(part.mask):
                kernels.mark_masked(part.profiles, part.mask, words)
            else:
                kernels.mark(part.profiles, words)
        return bitmaps.from_words(words)
    top = low if high is None else high + 1
    counts = np.zeros(len(words) * 64, dtype=np.uint8 if top < 255 else np.uint32)
    for part in slices(bound.sources, bound.span, deadline):
        if len(part.mask):
            kernels.count_masked(part.profiles, part.mask, counts)
        else:
            kernels.count(part.profiles, counts)
    kernels.counts_to_words(counts, low, (1 << 62) if high is None else high, words)
    return bitmaps.from_words(words)


# ------------------------------------------------------------------------------------------------ sums


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """Per profile id: how many values, their sum as a double and how far that may be off.

    `exact`: whole sums scaled by 10**digits as i64, where they fit.
    """

    counts: U32
    approximate: F64
    error: F64
    exact: I64 | None


def sum_set(bound: EventSum, population: PopulationView, deadline: Deadline) -> Bitmap:
    """Profiles whose sum (0 for none) or average (of at least one) passes, decided exactly.

    Whole sums that fit int64 are compared as integers. Otherwise doubles decide where they are clear of the operand by
    more than their error bound, and the rest are summed again exactly from their events.
    """
    parts = list(slices(bound.sources, bound.span, deadline))
    ids = population.blocks << BLOCK_BITS
    digits = max(bound.digits, default=0)
    words = np.zeros(ids // 64, dtype=np.uint64)
    sums = _accumulate(bound, parts, ids, digits)
    if sums.exact is not None and bound.function is Function.SUM and bound.test.op not in (None, Op.NE):
        low, high = _whole_range(bound.test, digits)
        if low <= high:
            columns.range_to_words(sums.exact, np.int64(low), np.int64(high), words)
    else:
        _decide_by_double(bound, parts, sums, words)
    found = bitmaps.from_words(words)
    return found & population.existing


def _accumulate(bound: EventSum, parts: list[Slice], ids: int, digits: int) -> _Sums:
    counts = np.zeros(ids, dtype=np.uint32)
    uniform = all(d == digits for d in bound.digits)
    if uniform and digits >= 0:
        if _fits_int64(parts, bound.property):
            exact = np.zeros(ids, dtype=np.int64)
            for part, values in _valued(parts, bound.property):
                kernels.sum_whole(part.profiles, values, part.mask, exact, counts)
            scaled = exact.astype(np.float64) / 10.0**digits
            return _Sums(counts, scaled, np.abs(scaled) * 2**-50, exact)
        highs, lows = np.zeros(ids, dtype=np.int64), np.zeros(ids, dtype=np.int64)
        for part, values in _valued(parts, bound.property):
            kernels.sum_whole_wide(part.profiles, values, part.mask, highs, lows, counts)
        wide = (highs.astype(np.float64) * 2.0**32 + lows) / 10.0**digits
        return _Sums(counts, wide, np.abs(wide) * 2**-48, None)
    sums, magnitudes = np.zeros(ids), np.zeros(ids)
    for part, values in _valued(parts, bound.property):
        scale = max(bound.digits[part.source], 0)
        kernels.sum_float(part.profiles, _doubles(values, scale), part.mask, sums, magnitudes, counts)
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
    for part, values in _valued(parts, name):
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
    passing = _compare_doubles(bound.test, value)
    near = np.zeros(len(value), dtype=np.bool_)
    for operand in bound.test.operands:
        limit = _as_double(operand)
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


def _compare_doubles(test: NumberTest, values: F64) -> Mask:
    limits = [_as_double(o) for o in test.operands]
    match test.op:
        case None:
            return np.isin(values, limits) != test.negated
        case Op.EQ:
            return values == limits[0]
        case Op.NE:
            return values != limits[0]
        case Op.LT:
            return values < limits[0]
        case Op.LE:
            return values <= limits[0]
        case Op.GT:
            return values > limits[0]
        case _:
            above = values >= limits[0]
            return above & (values <= limits[1]) if len(limits) == 2 else above


def _decide_exactly(bound: EventSum, parts: list[Slice], near: Mask, passing: Mask) -> None:
    """Gather the values of the profiles in question and test their exact sums."""
    chosen = np.packbits(near, bitorder="little").view(np.uint64)
    profiles: list[U32] = []
    numbers: list[list[Fraction | float]] = []
    for part, values in _valued(parts, bound.property):
        rows = np.empty(part.end - part.start, dtype=np.int64)
        rows = rows[: kernels.select_rows(part.profiles, part.mask, chosen, rows)]
        held = values[rows]
        there = ~np.isnan(held) if held.dtype.kind == "f" else held != predicates.absent_value(held.dtype)
        profiles.append(part.profiles[rows][there])
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

    If all values are whole or decimal the sum is exact; if any is a double, it is the exact sum rounded once.
    """
    if bound.function is Function.AVG and not values:
        return False
    if any(isinstance(v, float) for v in values):
        rounded = math.fsum(float(v) for v in values)
        if bound.function is Function.AVG:
            rounded /= len(values)
        return math.isfinite(rounded) and bound.test(rounded)
    total = sum((Fraction(v) for v in values), Fraction(0))
    return bound.test(total / len(values) if bound.function is Function.AVG else total)
