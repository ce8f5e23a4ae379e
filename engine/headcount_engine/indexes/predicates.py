"""Tests on stored values: what is left of an attribute or property leaf once names, types and codes are resolved.

A predicate is about one value as it is stored (a code, an integer, a double, a point) and never holds for an absent
one; negation is set difference above it. Each runs four ways that agree: over a block into words, over events into a
mask, over a gathered array, and on one value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from headcount_engine.kernels import columns, events
from headcount_engine.model.batches import U8, U64, Mask
from headcount_engine.model.instants import local_days

Stored = NDArray[Any]
"""Values of one column, of a dtype known only at run time.

Codes are u8, u16 or u32, whole numbers i8 to i64, doubles f64, points f64 of (n, 2).
"""


@dataclass(frozen=True, slots=True)
class Present:
    """Any value at all."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No value: the operand cannot be equal to anything stored."""


@dataclass(frozen=True, slots=True)
class Range:
    """low <= value <= high, in stored units; codes and numbers. Infinite ends for doubles only."""

    low: int | float
    high: int | float


@dataclass(frozen=True, slots=True)
class Listed:
    """One of these stored values, ascending."""

    values: tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Coded:
    """Codes whose entry in a table is not 0. `key` says which condition the table decides; equal keys mean equal."""

    key: Hashable
    table: U8 = field(compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """At most `radius_m` metres from a point."""

    latitude: float
    longitude: float
    radius_m: float


@dataclass(frozen=True, slots=True)
class Inside:
    """In a box, borders included."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True)
class MonthDays:
    """A day whose (month, day) is wanted: as 32 * month + day. `zone`: stored are instants, taken as days there."""

    wanted: frozenset[int]
    zone: str | None

    def days(self, values: Stored) -> Stored:
        """Stored values as days, absent as the least integer."""
        if self.zone is None:
            return values
        absent = np.iinfo(np.int64).min
        days = np.full(len(values), absent, dtype=np.int64)
        there = values != absent
        days[there] = local_days(values[there], self.zone)
        return days


Predicate = Present | Nothing | Range | Listed | Coded | Near | Inside | MonthDays


def absent_value(dtype: np.dtype[Any]) -> int | float:
    """What stands for "no value" in a column: 0 for codes, the least integer, NaN."""
    if dtype.kind == "u":
        return 0
    return int(np.iinfo(dtype).min) if dtype.kind == "i" else math.nan


@lru_cache(maxsize=4096)
def bounds_in(predicate: Present | Range, dtype: np.dtype[Any]) -> tuple[Any, Any] | None:
    """Both ends in the column's dtype, the absent value left out; None if nothing can pass."""
    if dtype.kind == "f":
        low, high = (
            (-math.inf, math.inf) if isinstance(predicate, Present) else (predicate.low, predicate.high)
        )
        return (dtype.type(low), dtype.type(high)) if low <= high else None
    info = np.iinfo(dtype)
    first, last = (1 if dtype.kind == "u" else int(info.min) + 1), int(info.max)
    if isinstance(predicate, Range):
        first, last = int(max(first, predicate.low)), int(min(last, predicate.high))
    return (dtype.type(first), dtype.type(last)) if first <= last else None


def _listed(predicate: Listed, dtype: np.dtype[Any]) -> Stored:
    if dtype.kind == "f":
        return np.array(predicate.values, dtype=dtype)
    bounds = bounds_in(Present(), dtype)
    assert bounds is not None
    return np.array([v for v in predicate.values if bounds[0] <= v <= bounds[1]], dtype=dtype)


Scan = Callable[[Stored, U64], None]
"""Writes the words of one block of values; what was there is overwritten."""


def scan_of(predicate: Predicate, dtype: np.dtype[Any], *, is_point: bool = False) -> Scan:
    """The scan of a predicate over blocks of a column of this dtype, made once for all of them."""
    match predicate:
        case Nothing():
            return _nothing_passes
        case Present() | Range() if not is_point:
            bounds = bounds_in(predicate, dtype)
            if bounds is None:
                return _nothing_passes
            low, high = bounds
            return lambda values, words: columns.range_to_words(values, low, high, words)
        case Present() | Range():
            return columns.points_to_words
        case Listed():
            listed = _listed(predicate, dtype)
            return lambda values, words: columns.list_to_words(values, listed, words)
        case Coded(_, table):
            return lambda values, words: columns.table_to_words(values, table, words)
        case Near(latitude, longitude, radius_m):
            return lambda values, words: columns.radius_to_words(values, latitude, longitude, radius_m, words)
        case Inside(south, west, north, east):
            return lambda values, words: columns.box_to_words(values, south, west, north, east, words)
        case MonthDays(wanted):
            days = np.zeros(32 * 13, dtype=np.uint8)
            days[list(wanted)] = 1
            return lambda values, words: columns.month_days_to_words(predicate.days(values), days, words)
        case _:
            assert_never(predicate)


def _nothing_passes(values: Stored, words: U64) -> None:
    words[:] = 0


def block_words(predicate: Predicate, values: Stored, words: U64) -> None:
    """Words of one block; `words` is overwritten."""
    scan_of(predicate, values.dtype, is_point=values.ndim == 2)(values, words)


def mask_events(predicate: Predicate, values: Stored) -> U8:
    """u8 per event of a slice: 1 where the property passes."""
    mask = np.empty(len(values), dtype=np.uint8)
    match predicate:
        case Nothing():
            mask[:] = 0
        case Present() | Range() if values.ndim == 1:
            bounds = bounds_in(predicate, values.dtype)
            if bounds is None:
                mask[:] = 0
            else:
                events.range_to_mask(values, bounds[0], bounds[1], mask)
        case Listed():
            events.list_to_mask(values, _listed(predicate, values.dtype), mask)
        case Coded(_, table):
            events.table_to_mask(values, table, mask)
        case Present() | Range() | Near() | Inside() | MonthDays():
            words = np.zeros((len(values) + 63) // 64, dtype=np.uint64)
            padded = np.full(
                (len(words) * 64, *values.shape[1:]), absent_value(values.dtype), dtype=values.dtype
            )
            padded[: len(values)] = values
            block_words(predicate, padded, words)
            mask[:] = np.unpackbits(words.view(np.uint8), bitorder="little")[: len(values)]
        case _:
            assert_never(predicate)
    return mask


def passes(predicate: Predicate, values: Stored) -> Mask:
    """bool per value of a gathered array."""
    return mask_events(predicate, np.ascontiguousarray(values)).view(np.bool_)


def holds(predicate: Predicate, value: int | float | tuple[float, float] | None) -> bool:
    """Whether one stored value passes; None is absent."""
    if value is None:
        return False
    match predicate:
        case Present():
            return True
        case Nothing():
            return False
        case Range(low, high):
            assert not isinstance(value, tuple)
            return low <= value <= high
        case Listed(values):
            return value in values
        case Coded(_, table):
            assert isinstance(value, int)
            return bool(table[value])
        case Near(latitude, longitude, radius_m):
            assert isinstance(value, tuple)
            # The same band as the kernel's, so that both ways agree to the last bit.
            band = math.degrees(radius_m / 6_371_008.8) + 1e-9
            return abs(value[0] - latitude) <= band and bool(
                columns.distance_m(value[0], value[1], latitude, longitude) <= radius_m
            )
        case Inside(south, west, north, east):
            assert isinstance(value, tuple)
            y, x = value
            across = west <= x <= east if west <= east else x >= west or x <= east
            return south <= y <= north and across
        case MonthDays():
            return bool(passes(predicate, np.array([value], dtype=np.int64))[0])
        case _:
            assert_never(predicate)
