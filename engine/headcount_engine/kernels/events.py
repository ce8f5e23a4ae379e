"""Loops over slices of event runs: which profiles did it, how often, how much.

A slice is contiguous in time; `profiles` (u32) and every property column run in parallel. `mask` (u8) has an entry per
event of the slice, 0 where the event's properties do not pass. Accumulators are dense by profile id.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headcount_engine.kernels.jit import kernel
from headcount_engine.kernels.machine import between_64
from headcount_engine.model.batches import F64, I64, U8, U32, U64

_VALUES = ("uint8", "uint16", "uint32", "int8", "int16", "int32", "int64", "float64")
_CODES = ("uint8", "uint16", "uint32")
_WHOLE = ("int8", "int16", "int32", "int64")


@kernel(*(f"({t}[::1], {t}, {t}, uint8[::1])" for t in _VALUES))
def range_to_mask(values: NDArray[Any], low: Any, high: Any, mask: U8) -> None:
    """mask[i] = low <= values[i] <= high."""
    for i in range(len(mask)):
        mask[i] = np.uint8((values[i] >= low) & (values[i] <= high))


@kernel(*(f"({t}[::1], uint8[::1], uint8[::1])" for t in _CODES))
def table_to_mask(codes: NDArray[Any], passes: U8, mask: U8) -> None:
    """mask[i] = passes[codes[i]]."""
    for i in range(len(mask)):
        mask[i] = passes[codes[i]]


@kernel(*(f"({t}[::1], {t}[::1], uint8[::1])" for t in _VALUES))
def list_to_mask(values: NDArray[Any], listed: NDArray[Any], mask: U8) -> None:
    """mask[i] = values[i] in the sorted `listed`."""
    for i in range(len(mask)):
        low, high = 0, len(listed)
        while low < high:
            middle = (low + high) >> 1
            if listed[middle] < values[i]:
                low = middle + 1
            else:
                high = middle
        mask[i] = np.uint8(low < len(listed) and listed[low] == values[i])


@kernel("(uint32[::1], uint64[::1])")
def mark(profiles: U32, words: U64) -> None:
    """Set the bit of every profile in the slice."""
    for i in range(len(profiles)):
        words[profiles[i] >> np.uint32(6)] |= np.uint64(1) << np.uint64(profiles[i] & np.uint32(63))


@kernel("(uint32[::1], uint8[::1], uint64[::1], uint64[::1])")
def mark_masked(profiles: U32, mask: U8, eights: U64, words: U64) -> None:
    """Set the bit of every profile with an event that passes.

    `eights` is the mask eight entries at a time (without a last incomplete eight): most filters pass few, so most of
    the mask is skipped in these.
    """
    for j in range(len(eights)):
        if eights[j] != np.uint64(0):
            for i in range(8 * j, 8 * j + 8):
                if mask[i]:
                    words[profiles[i] >> np.uint32(6)] |= np.uint64(1) << np.uint64(
                        profiles[i] & np.uint32(63)
                    )
    for i in range(8 * len(eights), len(profiles)):
        if mask[i]:
            words[profiles[i] >> np.uint32(6)] |= np.uint64(1) << np.uint64(profiles[i] & np.uint32(63))


@kernel("(uint32[::1], uint8[::1])", "(uint32[::1], uint32[::1])")
def count(profiles: U32, counts: NDArray[Any]) -> None:
    """counts[profile] += 1 for every event; stops at the dtype's maximum."""
    top = np.iinfo(counts.dtype).max
    for i in range(len(profiles)):
        profile = profiles[i]
        if counts[profile] != top:
            counts[profile] += 1


@kernel(
    "(uint32[::1], uint8[::1], uint64[::1], uint8[::1])",
    "(uint32[::1], uint8[::1], uint64[::1], uint32[::1])",
)
def count_masked(profiles: U32, mask: U8, eights: U64, counts: NDArray[Any]) -> None:
    """As count, for the events that pass; `eights` as in mark_masked."""
    top = np.iinfo(counts.dtype).max
    for j in range(len(eights)):
        if eights[j] != np.uint64(0):
            for i in range(8 * j, 8 * j + 8):
                if mask[i] and counts[profiles[i]] != top:
                    counts[profiles[i]] += 1
    for i in range(8 * len(eights), len(profiles)):
        if mask[i] and counts[profiles[i]] != top:
            counts[profiles[i]] += 1


@kernel("(uint8[::1], uint8[::1])", "(uint32[::1], uint32[::1])")
def add_counts(counts: NDArray[Any], more: NDArray[Any]) -> None:
    """counts += more, stopping at the dtype's maximum."""
    top = np.iinfo(counts.dtype).max
    for i in range(len(counts)):
        if more[i] > top - counts[i]:
            counts[i] = top
        else:
            counts[i] += more[i]


@kernel("(uint8[::1], int64, int64, uint64[::1])", "(uint32[::1], int64, int64, uint64[::1])")
def counts_to_words(counts: NDArray[Any], low: int, high: int, words: U64) -> None:
    """Bit of profile p = low <= counts[p] <= high; `counts` has 64 entries a word, `low` is at least 0."""
    top = int(np.iinfo(counts.dtype).max)
    if low > min(top, high):
        words[:] = np.uint64(0)
        return
    first, last = counts.dtype.type(low), counts.dtype.type(min(high, top))
    for w in range(len(words)):
        words[w] = between_64(counts, w * 64, first, last)


@kernel(*(f"(uint32[::1], {t}[::1], uint8[::1], int64[::1], uint32[::1])" for t in _WHOLE))
def sum_whole(profiles: U32, values: NDArray[Any], mask: U8, sums: I64, counts: U32) -> None:
    """Add present values of events that pass to sums[profile] and count them; an empty mask passes all.

    The caller has made sure that no sum can leave int64.
    """
    absent = np.iinfo(values.dtype).min
    everything = len(mask) == 0
    for i in range(len(profiles)):
        if values[i] != absent and (everything or mask[i]):
            sums[profiles[i]] += np.int64(values[i])
            counts[profiles[i]] += np.uint32(1)


@kernel(*(f"(uint32[::1], {t}[::1], uint8[::1], int64[::1], int64[::1], uint32[::1])" for t in _WHOLE))
def sum_whole_wide(profiles: U32, values: NDArray[Any], mask: U8, highs: I64, lows: I64, counts: U32) -> None:
    """As sum_whole in 96 bits: the sum is highs * 2**32 + lows with 0 <= lows < 2**32."""
    absent = np.iinfo(values.dtype).min
    everything = len(mask) == 0
    for i in range(len(profiles)):
        if values[i] != absent and (everything or mask[i]):
            profile = profiles[i]
            value = np.int64(values[i])
            low = lows[profile] + (value & np.int64(0xFFFFFFFF))
            highs[profile] += (value >> np.int64(32)) + (low >> np.int64(32))
            lows[profile] = low & np.int64(0xFFFFFFFF)
            counts[profile] += np.uint32(1)


@kernel("(uint32[::1], float64[::1], uint8[::1], float64[::1], float64[::1], uint32[::1])")
def sum_float(profiles: U32, values: F64, mask: U8, sums: F64, magnitudes: F64, counts: U32) -> None:
    """Plain sums, sums of magnitudes (for the error bound) and counts of present values of events that pass."""
    everything = len(mask) == 0
    for i in range(len(profiles)):
        value = values[i]
        if value == value and (everything or mask[i]):
            sums[profiles[i]] += value
            magnitudes[profiles[i]] += abs(value)
            counts[profiles[i]] += np.uint32(1)


@kernel("(uint32[::1], uint8[::1], uint64[::1], int64[::1])")
def select_rows(profiles: U32, mask: U8, words: U64, out: I64) -> int:
    """Positions of events that pass and whose profile's bit is set; returns how many. An empty mask passes all."""
    everything = len(mask) == 0
    n = 0
    for i in range(len(profiles)):
        profile = profiles[i]
        chosen = (words[profile >> np.uint32(6)] >> np.uint64(profile & np.uint32(63))) & np.uint64(1)
        if chosen != np.uint64(0) and (everything or mask[i]):
            out[n] = i
            n += 1
    return n


@kernel("(uint32[::1], int64, uint32, int64[::1])")
def rows_of_profile(profiles: U32, start: int, profile: np.uint32, out: I64) -> int:
    """Positions (from `start` on) of one profile's events, by looking at each; returns how many."""
    n = 0
    for i in range(start, len(profiles)):
        if profiles[i] == profile:
            out[n] = i
            n += 1
    return n


@kernel("(uint32[::1], uint32[::1], uint32)")
def find_in_permutation(profiles: U32, permutation: U32, profile: np.uint32) -> tuple[int, int]:
    """Where the profile's events lie in a permutation that sorts the events by (profile, position): [from, to)."""
    low, high = 0, len(permutation)
    while low < high:
        middle = (low + high) >> 1
        if profiles[permutation[middle]] < profile:
            low = middle + 1
        else:
            high = middle
    end = low
    while end < len(permutation) and profiles[permutation[end]] == profile:
        end += 1
    return low, end
