"""Scans of one block of a column into words: bit i is set where value i passes.

A block has 65,536 values and 1,024 words; shorter arrays work too if they are a multiple of 64. Absent values are the
least value of the dtype (0 for codes, NaN for floats), which no range includes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.kernels.machine import between_64
from headcount_engine.model.batches import F64, I64, U8, U64

_WIDTHS = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64", "float64")
_CODES = ("uint8", "uint16", "uint32")
_WHOLE = ("int8", "int16", "int32", "int64")


@kernel(*(f"({t}[::1], {t}, {t}, uint64[::1])" for t in _WIDTHS))
def range_to_words(values: NDArray[Any], low: Any, high: Any, words: U64) -> None:
    """low <= value <= high; both bounds in the column's own dtype. 0.03 ns a value of 8 bits, 0.2 ns of 64."""
    for w in range(len(words)):
        words[w] = between_64(values, w * 64, low, high)


@kernel(*(f"({t}[::1], uint8[::1], uint64[::1])" for t in _CODES))
def table_to_words(codes: NDArray[Any], passes: U8, words: U64) -> None:
    """passes[code] != 0; `passes` covers every code in the column."""
    for w in range(len(words)):
        word = np.uint64(0)
        first = w * 64
        for i in range(64):
            word |= np.uint64(passes[codes[first + i]] != 0) << np.uint64(i)
        words[w] = word


@kernel(*(f"({t}[::1], {t}[::1], uint64[::1])" for t in _WIDTHS))
def list_to_words(values: NDArray[Any], listed: NDArray[Any], words: U64) -> None:
    """value in `listed`, which is sorted, without the absent value, of the column's dtype."""
    for w in range(len(words)):
        word = np.uint64(0)
        first = w * 64
        for i in range(64):
            value = values[first + i]
            low, high = 0, len(listed)
            while low < high:
                middle = (low + high) >> 1
                if listed[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            if low < len(listed) and listed[low] == value:
                word |= np.uint64(1) << np.uint64(i)
        words[w] = word


@inline_kernel
def distance_m(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Great-circle distance in metres by the haversine formula, on the mean Earth radius 6,371,008.8 m."""
    a, b = math.radians(latitude), math.radians(to_latitude)
    half_dy = math.sin((b - a) / 2)
    half_dx = math.sin(math.radians(to_longitude - longitude) / 2)
    h = half_dy * half_dy + math.cos(a) * math.cos(b) * half_dx * half_dx
    return 2 * 6_371_008.8 * math.asin(min(1.0, math.sqrt(h)))


@kernel("(float64[:, ::1], float64, float64, float64, uint64[::1])")
def radius_to_words(points: F64, latitude: float, longitude: float, radius_m: float, words: U64) -> None:
    """Points (latitude, longitude; NaN if absent) at most `radius_m` metres away."""
    band = math.degrees(radius_m / 6_371_008.8) + 1e-9
    for w in range(len(words)):
        word = np.uint64(0)
        for i in range(64):
            y = points[w * 64 + i, 0]
            if abs(y - latitude) <= band:
                x = points[w * 64 + i, 1]
                word |= np.uint64(distance_m(y, x, latitude, longitude) <= radius_m) << np.uint64(i)
        words[w] = word


@kernel("(float64[:, ::1], float64, float64, float64, float64, uint64[::1])")
def box_to_words(points: F64, south: float, west: float, north: float, east: float, words: U64) -> None:
    """Points inside the box, borders included; west > east crosses the antimeridian."""
    for w in range(len(words)):
        word = np.uint64(0)
        for i in range(64):
            y, x = points[w * 64 + i, 0], points[w * 64 + i, 1]
            inside = (y >= south) & (y <= north)
            if west <= east:
                inside &= (x >= west) & (x <= east)
            else:
                inside &= (x >= west) | (x <= east)
            word |= np.uint64(inside) << np.uint64(i)
        words[w] = word


@kernel("(float64[:, ::1], uint64[::1])")
def points_to_words(points: F64, words: U64) -> None:
    """Points that are present."""
    for w in range(len(words)):
        word = np.uint64(0)
        for i in range(64):
            y = points[w * 64 + i, 0]
            word |= np.uint64(y == y) << np.uint64(i)
        words[w] = word


@kernel("(int64[::1], int64[::1], uint8[::1])")
def mark_last_rows(ids: I64, sorted_rows: I64, keep: U8) -> None:
    """With rows stably sorted by id, keep[j] = 1 where sorted_rows[j] is the last row of its id."""
    n = len(sorted_rows)
    for j in range(n):
        last = j + 1 == n or ids[sorted_rows[j]] != ids[sorted_rows[j + 1]]
        keep[j] = np.uint8(last)


@kernel("(int32[::1], uint8[::1], uint64[::1])", "(int64[::1], uint8[::1], uint64[::1])")
def month_days_to_words(days: NDArray[Any], passes: U8, words: U64) -> None:
    """passes[32 * month + day of the month] for days since 1970-01-01; the least value of the dtype is absent.

    The civil date follows Howard Hinnant's days-to-civil algorithm, in eras of 400 years that begin in March.
    """
    absent = np.iinfo(days.dtype).min
    for w in range(len(words)):
        word = np.uint64(0)
        for i in range(64):
            value = days[w * 64 + i]
            if value != absent:
                shifted = np.int64(value) + 719468
                of_era = shifted - (shifted // 146097) * 146097
                year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
                of_year = of_era - (365 * year + year // 4 - year // 100)
                month = (5 * of_year + 2) // 153
                day = of_year - (153 * month + 2) // 5 + 1
                month = month + 3 if month < 10 else month - 9
                word |= np.uint64(passes[32 * month + day] != 0) << np.uint64(i)
        words[w] = word


@kernel(*(f"({t}[::1], {t})" for t in (*_CODES, *_WHOLE)))
def extent(values: NDArray[Any], absent: Any) -> tuple[int, int]:
    """The least and the greatest value but for absent ones; (1, 0) where there is none."""
    first = 0
    while first < len(values) and values[first] == absent:
        first += 1
    if first == len(values):
        return 1, 0
    low, high = values[first], values[first]
    for i in range(first, len(values)):
        value = values[i] if values[i] != absent else low
        low, high = min(low, value), max(high, value)
    return int(low), int(high)
