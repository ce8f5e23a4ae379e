"""Texts as bytes: hashing, a table that probes without Python objects, and a quick look at what a text holds.

The table is open addressing with linear probing over u32 slots, each 0 (free) or 1 + the number of a text in the
arena; it is kept at most half full. The hash multiplies and folds eight bytes at a time and is seeded, so that chosen
texts cannot be made to collide.
"""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.model.batches import I64, U8, U32

PLAIN = 0
EMPTY = 1
CONTROL = 2
"""ASCII control characters, DEL included."""
UNICODE = 3
"""Bytes past ASCII: look at it with care."""
LONG = 4

_STAGE = 64

_K0 = 0x9E3779B97F4A7C15
_K1 = 0xD6E8FEB86659FD93


@inline_kernel
def _mix(h: np.uint64) -> np.uint64:
    h ^= h >> np.uint64(32)
    h *= np.uint64(_K1)
    h ^= h >> np.uint64(29)
    return h


@inline_kernel
def hash_bytes(data: U8, start: int, end: int, seed: np.uint64) -> np.uint64:
    """Seeded 64-bit hash of data[start:end]."""
    h = seed ^ (np.uint64(end - start) * np.uint64(_K0))
    at = start
    while at + 8 <= end:
        word = np.uint64(0)
        for i in range(8):
            word |= np.uint64(data[at + i]) << np.uint64(8 * i)
        h = _mix(h ^ word) * np.uint64(_K0)
        at += 8
    word = np.uint64(0)
    shift = 0
    while at < end:
        word |= np.uint64(data[at]) << np.uint64(shift)
        shift += 8
        at += 1
    return _mix(_mix(h ^ word) * np.uint64(_K0))


@inline_kernel
def _same(a: U8, a_start: int, a_end: int, b: U8, b_start: int, b_end: int) -> bool:
    if a_end - a_start != b_end - b_start:
        return False
    for i in range(a_end - a_start):
        if a[a_start + i] != b[b_start + i]:
            return False
    return True


@kernel("(uint8[::1], uint8[::1], int64[::1], uint32[::1], uint64, int64)")
def find_text(text: U8, arena: U8, starts: I64, table: U32, seed: np.uint64, count: int) -> int:
    """The number of one text among the first `count` of the arena, or -1: as `find_texts`."""
    mask = np.uint64(len(table) - 1)
    slot = hash_bytes(text, 0, len(text), seed) & mask
    while table[slot] != 0:
        number = np.int64(table[slot]) - 1
        if number < count and _same(text, 0, len(text), arena, starts[number], starts[number + 1]):
            return int(number)
        slot = (slot + np.uint64(1)) & mask
    return -1


@kernel("(uint8[::1], int64[::1], uint8[::1], int64[::1], uint32[::1], uint64, int64, int64[::1])")
def find_texts(
    data: U8, offsets: I64, arena: U8, starts: I64, table: U32, seed: np.uint64, count: int, out: I64
) -> None:
    """out[i] = the number of text i in the arena, or -1. 0.2 us a text when the table is not in cache.

    Works on 64 texts at a time, a step for all of them before the next one: hashes, slots, starts, bytes. So the
    machine has many cache misses under way instead of one.

    The writer may enter texts into the same table meanwhile, with larger arrays behind them than these: only the
    first `count` texts are looked at.
    """
    mask = np.uint64(len(table) - 1)
    slots = np.empty(_STAGE, dtype=np.uint64)
    numbers = np.empty(_STAGE, dtype=np.int64)
    begins = np.empty(_STAGE, dtype=np.int64)
    for first in range(0, len(offsets) - 1, _STAGE):
        many = min(_STAGE, len(offsets) - 1 - first)
        for k in range(many):
            slots[k] = hash_bytes(data, offsets[first + k], offsets[first + k + 1], seed) & mask
        for k in range(many):
            numbers[k] = np.int64(table[slots[k]]) - 1
        for k in range(many):
            begins[k] = starts[numbers[k]] if 0 <= numbers[k] < count else -1
        for k in range(many):
            start, end = offsets[first + k], offsets[first + k + 1]
            number, slot = numbers[k], slots[k]
            if begins[k] >= 0 and _same(data, start, end, arena, begins[k], starts[number + 1]):
                out[first + k] = number
                continue
            out[first + k] = -1
            while table[slot] != 0:
                number = np.int64(table[slot]) - 1
                if number < count and _same(data, start, end, arena, starts[number], starts[number + 1]):
                    out[first + k] = number
                    break
                slot = (slot + np.uint64(1)) & mask


@kernel("(uint8[::1], int64[::1], uint8[::1], int64[::1], uint32[::1], uint64, int64, int64[::1])")
def intern_texts(
    data: U8, offsets: I64, arena: U8, starts: I64, table: U32, seed: np.uint64, count: int, out: I64
) -> int:
    """As find_texts, but texts that are missing are appended to the arena; returns the new number of texts.

    The caller has made room: arena for all bytes of `data`, starts and table for all texts.
    """
    mask = np.uint64(len(table) - 1)
    for i in range(len(offsets) - 1):
        slot = hash_bytes(data, offsets[i], offsets[i + 1], seed) & mask
        found = False
        while table[slot] != 0:
            number = np.int64(table[slot]) - 1
            if _same(data, offsets[i], offsets[i + 1], arena, starts[number], starts[number + 1]):
                out[i] = number
                found = True
                break
            slot = (slot + np.uint64(1)) & mask
        if not found:
            at = starts[count]
            for j in range(offsets[i + 1] - offsets[i]):
                arena[at + j] = data[offsets[i] + j]
            starts[count + 1] = at + offsets[i + 1] - offsets[i]
            out[i] = count
            count += 1
            table[slot] = np.uint32(count)
    return count


@kernel("(uint8[::1], int64[::1], int64[::1], int64, int64, uint64, uint32[::1])")
def fill_table(
    arena: U8, starts: I64, blanks: I64, first: int, count: int, seed: np.uint64, table: U32
) -> None:
    """Enter texts first .. count - 1, all different, into a table that has none of them.

    `blanks` (ascending) are left out: nobody looks for them, and many alike would make long chains.
    """
    mask = np.uint64(len(table) - 1)
    at = np.searchsorted(blanks, first)
    for number in range(first, count):
        if at < len(blanks) and blanks[at] == number:
            at += 1
            continue
        slot = hash_bytes(arena, starts[number], starts[number + 1], seed) & mask
        while table[slot] != 0:
            slot = (slot + np.uint64(1)) & mask
        table[slot] = np.uint32(number + 1)


@kernel("(uint8[::1], int64[::1], int64, uint8[::1])")
def classify_texts(data: U8, offsets: I64, bytes_max: int, out: U8) -> None:
    """out[i] = PLAIN, EMPTY, CONTROL, UNICODE or LONG."""
    for i in range(len(offsets) - 1):
        start, end = offsets[i], offsets[i + 1]
        kind = PLAIN
        if start == end:
            kind = EMPTY
        elif end - start > bytes_max:
            kind = LONG
        else:
            for j in range(start, end):
                if data[j] >= 128:
                    kind = UNICODE
                    break
                if data[j] < 32 or data[j] == 127:
                    kind = CONTROL
        out[i] = kind


@kernel("(uint8[::1], int64[::1], uint8[::1], int64[::1])")
def gather_texts(arena: U8, starts: I64, out: U8, offsets: I64) -> None:
    """Copy texts that lie at `starts` in the arena to `out` at `offsets` (n + 1)."""
    for i in range(len(starts)):
        for j in range(offsets[i + 1] - offsets[i]):
            out[offsets[i] + j] = arena[starts[i] + j]
