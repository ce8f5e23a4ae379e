"""Folding slices of events by profile, against loops over dicts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from headcount_engine.kernels import events

RANDOM = np.random.default_rng(13)
N, PROFILES = 405, 128
CODES = ("uint8", "uint16", "uint32")
WHOLE = ("int8", "int16", "int32", "int64")


def profiles() -> np.ndarray:
    """Few profiles with many events each, and the last one."""
    held = RANDOM.integers(0, 20, N)
    held[:3] = PROFILES - 1
    return held.astype(np.uint32)


def mask() -> np.ndarray:
    return RANDOM.choice([0, 1], N).astype(np.uint8)


def eights(held: np.ndarray) -> np.ndarray:
    """A mask eight entries at a time, without a last incomplete eight."""
    return held[: len(held) // 8 * 8].view(np.uint64)


NO_MASK = np.empty(0, dtype=np.uint8)


def flags(words: np.ndarray) -> list[bool]:
    return np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool).tolist()


@pytest.mark.parametrize("dtype", [*CODES, *WHOLE, "float64"])
def test_properties_pass_a_range_or_a_list(dtype: str) -> None:
    values = RANDOM.integers(0, 9, N).astype(dtype)
    if dtype == "float64":
        values[::7] = math.nan
    out = np.full(N, 9, dtype=np.uint8)
    low, high = np.dtype(dtype).type(2), np.dtype(dtype).type(5)
    events.range_to_mask(values, low, high, out)
    assert out.tolist() == ((values >= 2) & (values <= 5)).astype(int).tolist()
    for listed in ([], [3], [0, 4, 8], [100]):
        events.list_to_mask(values, np.array(listed, dtype=dtype), out)
        assert out.tolist() == np.isin(values, listed).astype(int).tolist()


@pytest.mark.parametrize("dtype", CODES)
def test_properties_pass_a_table(dtype: str) -> None:
    codes, passes = RANDOM.integers(0, 9, N).astype(dtype), RANDOM.choice([0, 1], 9).astype(np.uint8)
    out = np.full(N, 9, dtype=np.uint8)
    events.table_to_mask(codes, passes, out)
    assert out.tolist() == [passes[code] for code in codes]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_profiles_with_an_event_are_marked(share: float) -> None:
    who, chosen = profiles(), (RANDOM.random(N) < share).astype(np.uint8)
    chosen[-1] = 1
    words = np.zeros(PROFILES // 64, dtype=np.uint64)
    words[0] = np.uint64(1 << 50)
    events.mark(who, words)
    assert flags(words) == [p in {50, *who.tolist()} for p in range(PROFILES)]
    words[:] = 0
    events.mark_masked(who, chosen, eights(chosen), words)
    assert flags(words) == [p in who[chosen == 1].tolist() for p in range(PROFILES)]


@pytest.mark.parametrize("dtype", ["uint8", "uint32"])
def test_events_are_counted_and_ranges_of_counts_found(dtype: str) -> None:
    who, chosen = profiles(), mask()
    counts = np.zeros(PROFILES, dtype=dtype)
    events.count(who, counts)
    assert counts.tolist() == [Counter(who.tolist())[p] for p in range(PROFILES)]
    events.count_masked(who, chosen, eights(chosen), counts)
    both = Counter(who.tolist()) + Counter(who[chosen == 1].tolist())
    assert counts.tolist() == [both[p] for p in range(PROFILES)]
    for low, high in ((0, 0), (1, 1 << 62), (20, 30), (31, 30)):
        words = np.full(PROFILES // 64, 7, dtype=np.uint64)
        events.counts_to_words(counts, low, high, words)
        assert flags(words) == [low <= both[p] <= high for p in range(PROFILES)]


@pytest.mark.parametrize("count", [254, 255, 256, 600])
def test_a_count_stops_at_the_end_of_its_dtype(count: int) -> None:
    counts = np.zeros(64, dtype=np.uint8)
    who = np.full(count, 3, dtype=np.uint32)
    events.count(who, counts)
    assert counts[3] == min(count, 255)
    counts[:] = 0
    every = np.ones(count, dtype=np.uint8)
    events.count_masked(who, every, eights(every), counts)
    assert counts[3] == min(count, 255) and counts.sum() == counts[3]


@pytest.mark.parametrize("dtype", WHOLE)
@pytest.mark.parametrize("is_masked", [False, True])
def test_whole_numbers_are_summed(dtype: str, is_masked: bool) -> None:
    info = np.iinfo(dtype)
    pool = [info.min, info.min + 1, info.max, -1, 0, 1, 17]
    who, values, chosen = profiles(), RANDOM.choice(np.array(pool, dtype=dtype), N), mask()
    taken = chosen if is_masked else NO_MASK
    sums: dict[int, int] = defaultdict(int)
    counts: Counter[int] = Counter()
    for i in range(N):
        if values[i] != info.min and (not is_masked or chosen[i]):
            sums[int(who[i])] += int(values[i])
            counts[int(who[i])] += 1
    found, highs, lows = (np.zeros(PROFILES, dtype=np.int64) for _ in range(3))
    number = np.zeros(PROFILES, dtype=np.uint32)
    events.sum_whole_wide(who, values, taken, highs, lows, number)
    assert [int(h) * 2**32 + int(low) for h, low in zip(highs, lows, strict=True)] == [
        sums[p] for p in range(PROFILES)
    ]
    assert number.tolist() == [counts[p] for p in range(PROFILES)] and (lows >= 0).all()
    if dtype != "int64":
        number[:] = 0
        events.sum_whole(who, values, taken, found, number)
        assert found.tolist() == [sums[p] for p in range(PROFILES)]
        assert number.tolist() == [counts[p] for p in range(PROFILES)]


@pytest.mark.parametrize("is_masked", [False, True])
def test_doubles_are_summed_with_their_magnitudes(is_masked: bool) -> None:
    who, chosen = profiles(), mask()
    values = RANDOM.choice([0.5, -0.25, 3.0, math.nan], N)
    sums, magnitudes = np.zeros(PROFILES), np.zeros(PROFILES)
    counts = np.zeros(PROFILES, dtype=np.uint32)
    events.sum_float(who, values, chosen if is_masked else NO_MASK, sums, magnitudes, counts)
    for p in range(PROFILES):
        own = [v for i, v in enumerate(values) if who[i] == p and v == v and (chosen[i] or not is_masked)]
        assert (sums[p], magnitudes[p], counts[p]) == (sum(own), sum(map(abs, own)), len(own))


@pytest.mark.parametrize("is_masked", [False, True])
def test_rows_of_chosen_profiles_are_selected(is_masked: bool) -> None:
    who, chosen = profiles(), mask()
    words = np.array([0b1011, 1 << 63], dtype=np.uint64)
    out = np.full(N, -1, dtype=np.int64)
    n = events.select_rows(who, chosen if is_masked else NO_MASK, words, out)
    wanted = [i for i in range(N) if who[i] in (0, 1, 3, 127) and (chosen[i] or not is_masked)]
    assert out[:n].tolist() == wanted


def test_one_profile_is_found_by_looking_and_by_permutation() -> None:
    who = profiles()
    order = np.argsort(who, kind="stable").astype(np.uint32)
    for profile in (0, 7, 19, 60, PROFILES - 1):
        for start in (0, 100, N):
            out = np.full(N, -1, dtype=np.int64)
            n = events.rows_of_profile(who, start, np.uint32(profile), out)
            assert out[:n].tolist() == [i for i in range(start, N) if who[i] == profile]
        first, end = events.find_in_permutation(who, order, np.uint32(profile))
        assert order[first:end].tolist() == [i for i in range(N) if who[i] == profile]
    none = events.find_in_permutation(who[:0], order[:0], np.uint32(3))
    assert none[0] == none[1]


@pytest.mark.parametrize("dtype", ["uint8", "uint32"])
def test_counts_are_added_up_to_the_end_of_their_dtype(dtype: str) -> None:
    top = int(np.iinfo(dtype).max)
    pairs = [(0, 0), (1, 2), (top, 0), (0, top), (top, top), (top - 1, 1), (top - 1, 2), (top // 2, top // 2)]
    counts, more = (np.array(half, dtype=dtype) for half in zip(*pairs, strict=True))
    events.add_counts(counts, more)
    assert counts.tolist() == [min(a + b, top) for a, b in pairs]
