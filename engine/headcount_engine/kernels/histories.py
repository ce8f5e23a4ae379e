"""Loops over events grouped by profile (or by profile and value): order, days, sequences, latest, pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.model.batches import I64, U8, U32, U64

_KEYS = ("uint8", "uint16", "uint32", "int8", "int16", "int32")


@kernel("(uint32[::1], int64[::1], int64[::1])")
def group_by_profile(profiles: U32, starts: I64, order: I64) -> None:
    """Stable counting sort: `order` lists the positions by profile; `starts` (ids + 1, zeroed) where each begins."""
    for i in range(len(profiles)):
        starts[np.int64(profiles[i]) + 1] += 1
    for p in range(1, len(starts)):
        starts[p] += starts[p - 1]
    for i in range(len(profiles)):
        profile = profiles[i]
        order[starts[profile]] = i
        starts[profile] += 1
    for p in range(len(starts) - 1, 0, -1):
        starts[p] = starts[p - 1]
    starts[0] = 0


@kernel("(uint32[::1], int64[::1], uint32[::1])")
def count_changes(profiles: U32, values: I64, counts: U32) -> None:
    """counts[p] = how many different values, for events sorted by (profile, value)."""
    for i in range(len(profiles)):
        if i == 0 or profiles[i] != profiles[i - 1] or values[i] != values[i - 1]:
            counts[profiles[i]] += np.uint32(1)


@kernel(
    "(uint32[::1], int64[::1], int64[::1], int64[::1], uint8[::1], uint8[::1], boolean,"
    " int64[::1], int64[::1], int64[::1], uint8[::1])"
)
def keep_extreme(
    profiles: U32,
    times: I64,
    batches: I64,
    rows: I64,
    mask: U8,
    passes: U8,
    latest: bool,
    best_times: I64,
    best_batches: I64,
    best_rows: I64,
    best_passes: U8,
) -> None:
    """Keep for each profile whether its latest (or first) event passes, in (time, batch, row) order.

    `best_batches` starts as -1: none yet. An empty mask takes all events. Positions in one batch are in order, so a
    tie in all three goes to the later position, or for the first to the earlier.
    """
    everything = len(mask) == 0
    for i in range(len(profiles)):
        if not everything and mask[i] == 0:
            continue
        p = profiles[i]
        if best_batches[p] >= 0:
            if times[i] != best_times[p]:
                newer = times[i] > best_times[p]
            elif batches[i] != best_batches[p]:
                newer = batches[i] > best_batches[p]
            else:
                newer = rows[i] >= best_rows[p]
            if newer != latest:
                continue
        best_times[p] = times[i]
        best_batches[p] = batches[i]
        best_rows[p] = rows[i]
        best_passes[p] = passes[i]


@kernel("(uint32[::1], int64[::1], uint8[::1], uint8[::1], int64, uint64[::1])")
def followed(profiles: U32, times: I64, is_first: U8, is_then: U8, within_us: int, words: U64) -> None:
    """Profiles with a `first` and, later in the order, a `then` at most `within_us` after it.

    Events sorted by (profile, time, arrival). The latest `first` before a `then` is the nearest, so one pass tells.
    """
    open_us = np.int64(0)
    is_open = False
    for i in range(len(profiles)):
        if i == 0 or profiles[i] != profiles[i - 1]:
            is_open = False
        if is_then[i] and is_open and times[i] - open_us <= within_us:
            words[profiles[i] >> np.uint32(6)] |= np.uint64(1) << np.uint64(profiles[i] & np.uint32(63))
        if is_first[i]:
            open_us = times[i]
            is_open = True


@kernel("(uint32[::1], int64[::1], uint8[::1], uint8[::1], int64, int64, uint64[::1])")
def not_followed(
    profiles: U32, times: I64, is_first: U8, is_then: U8, within_us: int, ripe_us: int, words: U64
) -> None:
    """Profiles with a `first`, at `ripe_us` or before, that no later `then` follows within `within_us`.

    Sorted as for `followed`; walks backwards, remembering the next `then`.
    """
    next_us = np.int64(0)
    is_next = False
    for j in range(len(profiles)):
        i = len(profiles) - 1 - j
        if j == 0 or profiles[i] != profiles[i + 1]:
            is_next = False
        if is_first[i] and times[i] <= ripe_us and not (is_next and next_us - times[i] <= within_us):
            words[profiles[i] >> np.uint32(6)] |= np.uint64(1) << np.uint64(profiles[i] & np.uint32(63))
        if is_then[i]:
            next_us = times[i]
            is_next = True


@inline_kernel
def _slot(key: np.uint64, mask: np.uint64) -> np.uint64:
    key ^= key >> np.uint64(31)
    key *= np.uint64(0x9E3779B97F4A7C15)
    key ^= key >> np.uint64(29)
    return key & mask


@kernel("(uint32[::1], uint32[::1], uint64[::1], uint32[::1], int64, uint32[::1], uint32[::1])")
def enter_pairs(
    profiles: U32, values: U32, keys: U64, numbers: U32, count: int, owners: U32, out: U32
) -> int:
    """Number the different (profile, value) pairs from `count` on; out[i] = number + 1 of event i's pair.

    `keys` and `numbers` are an open-addressing table with room for all (number + 1, 0 is free); `owners[n]` becomes
    the profile of pair n. Returns the new count.
    """
    mask = np.uint64(len(keys) - 1)
    for i in range(len(profiles)):
        key = (np.uint64(profiles[i]) << np.uint64(32)) | np.uint64(values[i])
        slot = _slot(key, mask)
        while numbers[slot] != 0 and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        if numbers[slot] == 0:
            keys[slot] = key
            owners[count] = profiles[i]
            count += 1
            numbers[slot] = np.uint32(count)
        out[i] = numbers[slot]
    return count


@kernel("(uint32[::1], uint32[::1], uint64[::1], uint32[::1], uint32[::1])")
def find_pairs(profiles: U32, values: U32, keys: U64, numbers: U32, out: U32) -> None:
    """out[i] = number + 1 of event i's pair in the table, or 0."""
    mask = np.uint64(len(keys) - 1)
    for i in range(len(profiles)):
        key = (np.uint64(profiles[i]) << np.uint64(32)) | np.uint64(values[i])
        slot = _slot(key, mask)
        while numbers[slot] != 0 and keys[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        out[i] = numbers[slot]


@kernel("(uint32[::1], uint64[::1], uint64[::1])")
def lift_words(owners: U32, profile_words: U64, words: U64) -> None:
    """Bit of pair n = bit of its profile."""
    for n in range(len(owners)):
        owner = owners[n]
        bit = (profile_words[owner >> np.uint32(6)] >> np.uint64(owner & np.uint32(63))) & np.uint64(1)
        words[n >> 6] |= bit << np.uint64(n & 63)


@kernel(*(f"(uint32[::1], {t}[::1], uint8[::1], int64, int64[::1])" for t in _KEYS))
def size_buckets(profiles: U32, values: NDArray[Any], mask: U8, shift: int, ends: I64) -> None:
    """Count into ends[profile >> shift] the events that pass (an empty mask: all) and have a value."""
    absent = np.iinfo(values.dtype).min
    everything = len(mask) == 0
    for i in range(len(profiles)):
        if (everything or mask[i]) and values[i] != absent:
            ends[profiles[i] >> np.uint32(shift)] += 1


@kernel(*(f"(uint32[::1], {t}[::1], uint8[::1], int64, int64[::1], uint64[::1])" for t in _KEYS))
def fill_buckets(profiles: U32, values: NDArray[Any], mask: U8, shift: int, places: I64, out: U64) -> None:
    """Put profile << 32 | value of the same events at places[bucket] of `out`, which moves on."""
    absent = np.iinfo(values.dtype).min
    everything = len(mask) == 0
    for i in range(len(profiles)):
        if (everything or mask[i]) and values[i] != absent:
            bucket = profiles[i] >> np.uint32(shift)
            key = np.uint64(np.uint32(np.int64(values[i]) & np.int64(0xFFFFFFFF)))
            out[places[bucket]] = (np.uint64(profiles[i]) << np.uint64(32)) | key
            places[bucket] += 1


@kernel("(uint64[::1], uint64[::1], uint32[::1], int64, uint64[::1])")
def mark_repeats(pairs: U64, keys: U64, counts: U32, at_least: int, words: U64) -> None:
    """Set the profile's bit of each pair that occurs `at_least` times.

    `keys` and `counts` (zeroed) are a table with room for all pairs twice; several calls may share it.
    """
    mask = np.uint64(len(keys) - 1)
    for i in range(len(pairs)):
        pair = pairs[i]
        slot = _slot(pair, mask)
        while counts[slot] != 0 and keys[slot] != pair:
            slot = (slot + np.uint64(1)) & mask
        keys[slot] = pair
        counts[slot] += np.uint32(1)
        if counts[slot] == at_least:
            profile = pair >> np.uint64(32)
            words[profile >> np.uint64(6)] |= np.uint64(1) << (profile & np.uint64(63))
