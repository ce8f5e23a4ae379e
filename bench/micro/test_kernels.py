"""The kernels by themselves, timed by pytest-benchmark: one call each on a million of what they work on."""

from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bench.columns import numbered
from headcount_engine import bitmaps
from headcount_engine.indexes.texts import TextTable
from headcount_engine.kernels import columns, events
from headcount_engine.limits import BLOCK_IDS

N = 16 * BLOCK_IDS
RANDOM = np.random.Generator(np.random.SFC64(3))


def _name(benchmark: BenchmarkFixture, what: str, items: int = N) -> None:
    benchmark.extra_info.update(what=what, items=items)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float64"])
def test_a_range_scan_of_a_column_to_words(benchmark: BenchmarkFixture, dtype: str) -> None:
    values = RANDOM.integers(0, 100, N).astype(dtype)
    words = np.empty(N // 64, dtype=np.uint64)
    low, high = values.dtype.type(20), values.dtype.type(60)
    _name(benchmark, f"range scan of {dtype} to words")
    benchmark(columns.range_to_words, values, low, high, words)


def test_a_table_scan_of_codes_to_words(benchmark: BenchmarkFixture) -> None:
    codes = RANDOM.integers(0, 200, N).astype(np.uint8)
    passes = (np.arange(256) % 3 == 0).astype(np.uint8)
    _name(benchmark, "table scan of uint8 codes to words")
    benchmark(columns.table_to_words, codes, passes, np.empty(N // 64, dtype=np.uint64))


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5])
def test_words_become_a_bitmap(benchmark: BenchmarkFixture, share: float) -> None:
    bits = RANDOM.random(N) < share
    words = np.packbits(bits, bitorder="little").view(np.uint64)
    _name(benchmark, f"words to a bitmap, {share:.1%} set")
    assert len(benchmark(bitmaps.from_words, words)) == int(bits.sum())


def test_events_are_counted_by_profile(benchmark: BenchmarkFixture) -> None:
    profiles = RANDOM.integers(0, N, N).astype(np.uint32)
    counts = np.zeros(N, dtype=np.uint8)
    _name(benchmark, "events counted by profile, random order")
    benchmark(events.count, profiles, counts)


def test_events_on_one_page_are_counted_by_profile(benchmark: BenchmarkFixture) -> None:
    profiles = RANDOM.integers(0, N, N).astype(np.uint32)
    mask = (RANDOM.random(N) < 0.13).astype(np.uint8)
    counts = np.zeros(N, dtype=np.uint8)
    _name(benchmark, "events counted by profile where a mask holds, 13 %")
    benchmark(events.count_masked, profiles, mask, mask.view(np.uint64), counts)


def test_keys_are_found(benchmark: BenchmarkFixture) -> None:
    table = TextTable()
    table.intern(numbered("c", np.arange(N), 8))
    wanted = numbered("c", RANDOM.integers(0, N, 100_000), 8)
    _name(benchmark, "text keys found among a million, 100,000 at once", 100_000)
    assert int(benchmark(table.find, wanted).min()) >= 0
