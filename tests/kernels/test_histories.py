"""Events grouped by profile: order, distinct values, latest, sequences and pairs, against lists per profile."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.kernels import histories

RANDOM = np.random.default_rng(17)
N, PROFILES = 300, 64


def flags(words: np.ndarray) -> list[bool]:
    return np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool).tolist()


def people(n: int = N) -> np.ndarray:
    return RANDOM.choice([0, 1, 2, 5, 30, 63], n).astype(np.uint32)


def test_grouping_is_a_stable_sort() -> None:
    for who in (people(), people(0)):
        starts, order = np.zeros(PROFILES + 1, dtype=np.int64), np.empty(len(who), dtype=np.int64)
        histories.group_by_profile(who, starts, order)
        assert order.tolist() == np.argsort(who, kind="stable").tolist()
        assert starts.tolist() == [int((who < p).sum()) for p in range(PROFILES + 1)]


def test_different_values_are_counted() -> None:
    who, values = people(), RANDOM.integers(-3, 3, N)
    order = np.lexsort((values, who))
    counts = np.zeros(PROFILES, dtype=np.uint32)
    histories.count_changes(who[order], values[order], counts)
    assert counts.tolist() == [len(set(values[who == p].tolist())) for p in range(PROFILES)]


@pytest.mark.parametrize("latest", [True, False])
@pytest.mark.parametrize("is_masked", [True, False])
def test_the_latest_or_first_event_is_kept_over_several_slices(latest: bool, is_masked: bool) -> None:
    who, times, batches, rows = people(), *(RANDOM.integers(0, 4, N) for _ in range(3))
    mask, passes = (RANDOM.choice([0, 1], N).astype(np.uint8) for _ in range(2))
    best = [np.zeros(PROFILES, np.int64), np.full(PROFILES, -1, np.int64), np.zeros(PROFILES, np.int64)]
    best_passes = np.zeros(PROFILES, dtype=np.uint8)
    for part in (slice(0, 120), slice(120, 121), slice(121, N)):
        taken = mask[part] if is_masked else np.empty(0, dtype=np.uint8)
        held = (who[part], times[part], batches[part], rows[part])
        histories.keep_extreme(*held, taken, passes[part], latest, *best, best_passes)
    for p in range(PROFILES):
        own = [i for i in range(N) if who[i] == p and (mask[i] or not is_masked)]
        if not own:
            assert best[1][p] == -1
            continue
        chosen = max(own, key=lambda i: (times[i], batches[i], rows[i], i))
        if not latest:
            chosen = min(own, key=lambda i: (times[i], batches[i], rows[i], i))
        assert best_passes[p] == passes[chosen] and best[0][p] == times[chosen]


@pytest.mark.parametrize("within_us", [0, 1, 3, 100])
def test_sequences_are_those_that_two_loops_find(within_us: int) -> None:
    for _ in range(30):
        n = int(RANDOM.integers(0, 40))
        who, times = people(n), RANDOM.integers(0, 12, n).astype(np.int64)
        order = np.lexsort((times, who))
        who, times = who[order], times[order]
        first, then = (RANDOM.choice([0, 0, 1], n).astype(np.uint8) for _ in range(2))

        later = [
            any(then[j] and who[j] == who[i] and times[j] - times[i] <= within_us for j in range(i + 1, n))
            for i in range(n)
        ]
        words = np.zeros(1, dtype=np.uint64)
        histories.followed(who, times, first, then, within_us, words)
        assert flags(words) == [
            any(first[i] and who[i] == p and later[i] for i in range(n)) for p in range(PROFILES)
        ]
        for ripe_us in (-1, 5, 100):
            words[:] = 0
            histories.not_followed(who, times, first, then, within_us, ripe_us, words)
            assert flags(words) == [
                any(first[i] and who[i] == p and times[i] <= ripe_us and not later[i] for i in range(n))
                for p in range(PROFILES)
            ]


def test_pairs_are_numbered_once_and_found() -> None:
    who, values = people(), RANDOM.integers(0, 6, N).astype(np.uint32)
    keys, numbers = np.zeros(1024, dtype=np.uint64), np.zeros(1024, dtype=np.uint32)
    owners, out = np.zeros(N, dtype=np.uint32), np.zeros(N, dtype=np.uint32)
    half = N // 2
    count = histories.enter_pairs(who[:half], values[:half], keys, numbers, 0, owners, out[:half])
    count = histories.enter_pairs(who[half:], values[half:], keys, numbers, count, owners, out[half:])
    expected: dict[tuple[int, int], int] = {}
    for pair in zip(who.tolist(), values.tolist(), strict=True):
        expected.setdefault(pair, len(expected) + 1)
    assert out.tolist() == [expected[p] for p in zip(who.tolist(), values.tolist(), strict=True)]
    assert count == len(expected) and owners[:count].tolist() == [who_ for who_, _ in expected]
    asked = np.array([0, 0, 5, 33, 0], dtype=np.uint32), np.array([0, 77, 3, 1, 2**32 - 1], dtype=np.uint32)
    found = np.full(5, 9, dtype=np.uint32)
    histories.find_pairs(*asked, keys, numbers, found)
    assert found.tolist() == [expected.get((int(p), int(v)), 0) for p, v in zip(*asked, strict=True)]
    profile_words, words = (
        np.array([0b100101], dtype=np.uint64),
        np.zeros((count + 63) // 64, dtype=np.uint64),
    )
    histories.lift_words(owners[:count], profile_words, words)
    assert flags(words)[:count] == [int(owner) in (0, 2, 5) for owner in owners[:count]]
    assert not any(flags(words)[count:])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int8", "int16", "int32"])
@pytest.mark.parametrize("is_masked", [True, False])
def test_events_are_put_into_buckets_and_repeats_of_a_pair_are_marked(dtype: str, is_masked: bool) -> None:
    info, shift = np.iinfo(dtype), 3
    pool = [info.min, info.min + 1, 1, 2, 3, info.max]
    who, values = people(), RANDOM.choice(np.array(pool, dtype=dtype), N)
    mask = RANDOM.choice([0, 1, 1], N).astype(np.uint8) if is_masked else np.empty(0, dtype=np.uint8)
    taken = [i for i in range(N) if values[i] != info.min and (not is_masked or mask[i])]
    sizes = np.zeros(PROFILES >> shift, dtype=np.int64)
    histories.size_buckets(who, values, mask, shift, sizes)
    assert sizes.tolist() == [sum(who[i] >> shift == b for i in taken) for b in range(PROFILES >> shift)]
    places = np.append(0, np.cumsum(sizes))[:-1].astype(np.int64)
    pairs = np.zeros(len(taken), dtype=np.uint64)
    histories.fill_buckets(who, values, mask, shift, places, pairs)
    assert places.tolist() == np.cumsum(sizes).tolist()
    wanted = sorted(taken, key=lambda i: who[i] >> shift)
    assert pairs.tolist() == [(int(who[i]) << 32) | (int(values[i]) & 0xFFFFFFFF) for i in wanted]
    for at_least in (1, 2, 12):
        keys, counts = np.zeros(1024, dtype=np.uint64), np.zeros(1024, dtype=np.uint32)
        words = np.zeros(1, dtype=np.uint64)
        half = len(pairs) // 2
        for part in (pairs[:half], pairs[half:]):
            histories.mark_repeats(part, keys, counts, at_least, words)
        often = {
            int(who[i])
            for i in taken
            if sum(who[j] == who[i] and values[j] == values[i] for j in taken) >= at_least
        }
        assert flags(words) == [p in often for p in range(PROFILES)]
