"""Counts of values under a mask, against plain Python."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from headcount_engine.kernels import breakdowns

RANDOM = np.random.default_rng(31)
N = 256
CODES = ("uint8", "uint16", "uint32")
NUMBERS = ("int8", "int16", "int32", "int64", "float64")


def masks() -> list[np.ndarray]:
    """Some, none and all."""
    return [RANDOM.random(N) < 0.4, np.zeros(N, dtype=np.bool_), np.ones(N, dtype=np.bool_)]


def words_of(mask: np.ndarray) -> np.ndarray:
    return np.packbits(mask, bitorder="little").view(np.uint64)


def numbers(dtype: str) -> tuple[np.ndarray, int | float]:
    """Values that repeat, the ends of the dtype and the absent value; and that value."""
    if dtype == "float64":
        values = RANDOM.choice([-1.5, -0.0, 0.0, 0.1, 5e-324, 1e300, -math.inf, math.inf, math.nan], N)
        return values, math.nan
    info = np.iinfo(dtype)
    few = [info.min, info.min + 1, info.max - 1, info.max, -3, 0, 1, 2, 5]
    return RANDOM.choice(np.array(few, dtype=dtype), N), int(info.min)


def wide(values: list[float], dtype: str) -> np.ndarray:
    return np.array(values, dtype="float64" if dtype == "float64" else "int64")


def is_absent(value: float, absent: float) -> bool:
    return value == absent or value != value


@pytest.mark.parametrize("dtype", CODES)
def test_codes_are_counted_where_the_bit_is_set(dtype: str) -> None:
    codes = RANDOM.integers(0, 9, N).astype(dtype)
    for mask in masks():
        counts = np.full(9, 100, dtype=np.int64)
        breakdowns.count_codes(codes, words_of(mask), counts)
        assert counts.tolist() == (np.bincount(codes[mask], minlength=9) + 100).tolist()


@pytest.mark.parametrize("dtype", NUMBERS)
def test_ranges_begin_at_their_edges_and_the_absent_stand_apart(dtype: str) -> None:
    values, absent = numbers(dtype)
    edge_lists: list[list[float]] = [[], [0], [-3, 0, 2], [0.1, 0.2] if dtype == "float64" else [1, 2, 3]]
    for mask in masks():
        for edges in edge_lists:
            counts = np.zeros(len(edges) + 2, dtype=np.int64)
            breakdowns.count_ranges(values, absent, wide(edges, dtype), words_of(mask), counts)
            expected = [0] * len(counts)
            for value in values[mask].tolist():
                place = 0 if is_absent(value, absent) else 1 + sum(edge <= value for edge in edges)
                expected[place] += 1
            assert counts.tolist() == expected


@pytest.mark.parametrize("dtype", NUMBERS)
def test_listed_values_are_counted_apart_from_the_others(dtype: str) -> None:
    values, absent = numbers(dtype)
    there = sorted({v for v in values.tolist() if not is_absent(v, absent)})
    for mask in masks():
        for listed in ([], there[1::2], there, [0, 77]):
            counts = np.zeros(len(listed) + 2, dtype=np.int64)
            breakdowns.count_listed(values, absent, wide(listed, dtype), words_of(mask), counts)
            seen = Counter(v for v in values[mask].tolist() if not is_absent(v, absent))
            assert counts[2:].tolist() == [seen[v] for v in listed]
            assert counts[1] == sum(n for v, n in seen.items() if v not in listed)
            assert counts.sum() == mask.sum()


@pytest.mark.parametrize("dtype", NUMBERS)
def test_the_ends_hold_every_value_that_is_there(dtype: str) -> None:
    values, absent = numbers(dtype)
    for mask in masks():
        ends, counted = wide([7, 7], dtype), np.zeros(1, dtype=np.int64)
        breakdowns.find_ends(values[:128], absent, words_of(mask)[:2], ends, counted)
        breakdowns.find_ends(values[128:], absent, words_of(mask)[2:], ends, counted)
        there = [v for v in values[mask].tolist() if not is_absent(v, absent)]
        assert counted[0] == len(there)
        assert ends.tolist() == ([min(there), max(there)] if there else [7, 7])


def test_a_weight_goes_to_every_bit() -> None:
    for mask in masks():
        scores = np.arange(N, dtype=np.int64)
        breakdowns.add_weight(words_of(mask), -3, scores)
        assert scores.tolist() == (np.arange(N) - 3 * mask).tolist()
