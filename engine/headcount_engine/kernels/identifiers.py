"""Tables of 128-bit hashes of event ids.

The hashes lie in chunks of 65,536, two words an id, in the order in which they came. A table holds where they lie, 32
bits an id: by open addressing with linear probing, in one segment for each value of the ten highest bits of the first
half, so that tables grow one small segment at a time. An entry is six bits of the second half, which spare most looks
into a chunk, then ten of the chunk's number and sixteen of the place in it.
"""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.kernels.machine import set_word_at, word_at
from headcount_engine.kernels.texts import hash_bytes
from headcount_engine.model.batches import I64, U8, U32, U64

SEGMENTS = 1 << 10
CHUNKS = (1 << 10) - 1
"""The last number is never given, so that no entry is EMPTY."""
CHUNK_IDS = 1 << 16
EMPTY = 0xFFFF_FFFF

_PLACE = np.uint64((1 << 26) - 1)
_LOW = np.uint64(0xFFFF_FFFF)
_TAG_SHIFT, _SEGMENT_SHIFT = np.uint64(58), np.uint64(54)
_FIVE, _SIXTEEN, _TWENTY_SIX, _THIRTY_TWO = (np.uint64(n) for n in (5, 16, 26, 32))


@kernel("(uint8[::1], int64[::1], uint64, uint64[::1])")
def hash_texts(data: U8, offsets: I64, seed: np.uint64, out: U64) -> None:
    """out[i] = the seeded hash of text i."""
    for i in range(len(out)):
        out[i] = hash_bytes(data, offsets[i], offsets[i + 1], seed)


@inline_kernel
def _start(first: np.uint64, size: int) -> int:
    """Where the probing of a segment of so many slots begins."""
    return int(np.int64(((first & _LOW) * np.uint64(size)) >> _THIRTY_TWO))


@inline_kernel
def _entry(table: int, slot: int) -> np.uint64:
    return (word_at(table, slot >> 1) >> (np.uint64(slot & 1) << _FIVE)) & _LOW


@inline_kernel
def _is_at(entry: np.uint64, first: np.uint64, second: np.uint64, chunks: I64) -> bool:
    """Whether an entry is of this id; those of chunks that are gone (address 0) are of none."""
    if (entry >> _TWENTY_SIX) != (second >> _TAG_SHIFT):
        return False
    place = entry & _PLACE
    chunk = chunks[np.int64(place >> _SIXTEEN)]
    at = 2 * int(np.int64(place & np.uint64(CHUNK_IDS - 1)))
    return bool(chunk != 0 and word_at(chunk, at) == first and word_at(chunk, at + 1) == second)


@kernel("(uint64[::1], uint64[::1], int64[::1], int64[::1], int64[::1], int64[::1])")
def find_ids(first: U64, second: U64, tables: I64, sizes: I64, chunks: I64, out: I64) -> None:
    """out[i] = the place (chunk * 65,536 + place in it) of the id (first[i], second[i]), or -1.

    `tables`, `chunks`: addresses; a segment's size is even, and 0 where it has no table.
    """
    for i in range(len(first)):
        out[i] = -1
        segment = np.int64(first[i] >> _SEGMENT_SHIFT)
        size = sizes[segment]
        if size == 0:
            continue
        slot = _start(first[i], size)
        while True:
            entry = _entry(tables[segment], slot)
            if entry == np.uint64(EMPTY):
                break
            if _is_at(entry, first[i], second[i], chunks):
                out[i] = np.int64(entry & _PLACE)
                break
            slot += 1
            if slot == size:
                slot = 0


@kernel("(uint64[::1], uint64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1])")
def put_ids(first: U64, second: U64, places: I64, tables: I64, sizes: I64, chunks: I64, taken: I64) -> None:
    """Enter ids where they lie, in the slot of an older sending if there is one; taken[s] counts the slots that this
    takes of segment s. Every table has room."""
    for i in range(len(first)):
        segment = np.int64(first[i] >> _SEGMENT_SHIFT)
        slot = _start(first[i], sizes[segment])
        while True:
            entry = _entry(tables[segment], slot)
            if entry == np.uint64(EMPTY) or _is_at(entry, first[i], second[i], chunks):
                break
            slot += 1
            if slot == sizes[segment]:
                slot = 0
        if entry == np.uint64(EMPTY):
            taken[segment] += 1
        made = ((second[i] >> _TAG_SHIFT) << _TWENTY_SIX) | np.uint64(places[i])
        shift = np.uint64(slot & 1) << _FIVE
        word = word_at(tables[segment], slot >> 1) & ~(_LOW << shift)
        set_word_at(tables[segment], slot >> 1, word | (made << shift))


@kernel("(uint32[::1], int64[::1])")
def count_ids(table: U32, chunks: I64) -> int:
    """How many entries of a segment lie in chunks that are there."""
    count = 0
    for slot in range(len(table)):
        if table[slot] != np.uint32(EMPTY):
            place = np.uint64(table[slot]) & _PLACE
            if chunks[np.int64(place >> _SIXTEEN)] != 0:
                count += 1
    return count


@kernel("(uint32[::1], int64[::1], int64, uint32[::1])")
def move_ids(table: U32, chunks: I64, segment: int, target: U32) -> int:
    """Enter what is still there of a segment into an empty table with room for it; how many that are.

    The number of a chunk that went is given again. An entry that was of the old one is left behind, unless what lies at
    its place now is of the same segment and tag; then it may stay.
    """
    moved = 0
    for old in range(len(table)):
        entry = np.uint64(table[old])
        if entry == np.uint64(EMPTY):
            continue
        place = entry & _PLACE
        chunk = chunks[np.int64(place >> _SIXTEEN)]
        if chunk == 0:
            continue
        at = 2 * int(np.int64(place & np.uint64(CHUNK_IDS - 1)))
        first, second = word_at(chunk, at), word_at(chunk, at + 1)
        if np.int64(first >> _SEGMENT_SHIFT) != segment or (second >> _TAG_SHIFT) != (entry >> _TWENTY_SIX):
            continue
        slot = _start(first, len(target))
        while target[slot] != np.uint32(EMPTY) and target[slot] != table[old]:
            slot += 1
            if slot == len(target):
                slot = 0
        if target[slot] == np.uint32(EMPTY):
            moved += 1
        target[slot] = table[old]
    return moved
