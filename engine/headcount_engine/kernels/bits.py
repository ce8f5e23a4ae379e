"""Words to roaring's portable format and back.

Bit i of word w stands for id 64 * w + i. The format is the public RoaringFormatSpec: cookie 12346 (12347 with runs),
one u16 key and u16 cardinality - 1 per container, u32 offsets, then arrays of u16 (up to 4,096 ids) or 8 KiB bitmaps.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.model.batches import I64, U8, U32, U64

ARRAY_MAX = 4096
BLOCK_WORDS = 1024


@inline_kernel
def popcount(word: np.uint64) -> np.int64:
    """Number of set bits."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@inline_kernel
def trailing_zeros(word: np.uint64) -> np.int64:
    """Index of the lowest set bit; the word is not 0."""
    return popcount((word & (~word + np.uint64(1))) - np.uint64(1))


@kernel("(uint64[::1],)")
def count_bits(words: U64) -> np.int64:
    """Number of set bits in all words."""
    total = np.int64(0)
    for i in range(len(words)):
        total += popcount(words[i])
    return total


@kernel("(uint64[::1], int64[::1])")
def container_cardinalities(words: U64, cardinalities: I64) -> np.int64:
    """Fill `cardinalities` (one per block of 1,024 words) and return the size in bytes of the portable form."""
    size = np.int64(8)
    for block in range(len(cardinalities)):
        total = np.int64(0)
        for i in range(block * BLOCK_WORDS, (block + 1) * BLOCK_WORDS):
            total += popcount(words[i])
        cardinalities[block] = total
        if total > 0:
            size += 8 + (2 * total if total <= ARRAY_MAX else 8192)
    return size


@inline_kernel
def _put32(out: U8, at: int, value: int) -> None:
    for i in range(4):
        out[at + i] = np.uint8((value >> (8 * i)) & 255)


@kernel("(uint64[::1], int64[::1], uint8[::1])")
def pack_portable(words: U64, cardinalities: I64, out: U8) -> None:
    """Write the portable form of `words` to `out`, sized by container_cardinalities."""
    containers = 0
    for block in range(len(cardinalities)):
        if cardinalities[block] > 0:
            containers += 1
    _put32(out, 0, 12346)
    _put32(out, 4, containers)
    header = 8
    offsets = 8 + 4 * containers
    at = 8 + 8 * containers
    for block in range(len(cardinalities)):
        total = cardinalities[block]
        if total == 0:
            continue
        _put32(out, header, block | ((total - 1) << 16))
        header += 4
        _put32(out, offsets, at)
        offsets += 4
        first = block * BLOCK_WORDS
        if total <= ARRAY_MAX:
            for i in range(BLOCK_WORDS):
                word = words[first + i]
                while word != np.uint64(0):
                    low = i * 64 + trailing_zeros(word)
                    out[at] = np.uint8(low & 255)
                    out[at + 1] = np.uint8(low >> 8)
                    at += 2
                    word &= word - np.uint64(1)
        else:
            for i in range(BLOCK_WORDS):
                word = words[first + i]
                for byte in range(8):
                    out[at + byte] = np.uint8((word >> np.uint64(8 * byte)) & np.uint64(255))
                at += 8


@inline_kernel
def _get16(data: U8, at: int) -> np.int64:
    return np.int64(data[at]) | (np.int64(data[at + 1]) << 8)


@inline_kernel
def _get32(data: U8, at: int) -> np.int64:
    return _get16(data, at) | (_get16(data, at + 2) << 16)


@inline_kernel
def _set_run(words: U64, first_word: int, start: int, end: int) -> None:
    for i in range(start, end + 1):
        words[first_word + (i >> 6)] |= np.uint64(1) << np.uint64(i & 63)


@kernel("(uint8[::1], uint64[::1])")
def unpack_portable(data: U8, words: U64) -> None:
    """Set in `words` (zeroed) the bits of a well-formed portable bitmap; ids past the words are left out."""
    cookie: Any = _get32(data, 0)
    has_runs = (cookie & 0xFFFF) == 12347
    at: Any = 4
    flags: Any = 0
    if has_runs:
        containers: Any = (cookie >> 16) + 1
        flags = at
        at += (containers + 7) // 8
    else:
        containers = _get32(data, 4)
        at = 8
    header = at
    at += 4 * containers
    if not has_runs or containers >= 4:
        at += 4 * containers
    for c in range(containers):
        block: Any = _get16(data, header + 4 * c)
        total = _get16(data, header + 4 * c + 2) + 1
        inside = (block + 1) * BLOCK_WORDS <= len(words)
        first = block * BLOCK_WORDS
        if has_runs and (data[flags + c // 8] >> (c % 8)) & 1:
            runs = _get16(data, at)
            at += 2
            for _ in range(runs):
                start: Any = _get16(data, at)
                if inside:
                    _set_run(words, first, start, start + _get16(data, at + 2))
                at += 4
        elif total <= ARRAY_MAX:
            if inside:
                for i in range(total):
                    low = _get16(data, at + 2 * i)
                    words[first + (low >> 6)] |= np.uint64(1) << np.uint64(low & 63)
            at += 2 * total
        else:
            if inside:
                for i in range(BLOCK_WORDS):
                    low32 = np.uint64(_get32(data, at + 8 * i))
                    words[first + i] |= low32 | (np.uint64(_get32(data, at + 8 * i + 4)) << np.uint64(32))
            at += 8192


@kernel("(uint32[::1], uint64[::1])")
def ids_to_words(ids: U32, words: U64) -> None:
    """Set the bits of `ids`."""
    for i in range(len(ids)):
        words[ids[i] >> np.uint32(6)] |= np.uint64(1) << np.uint64(ids[i] & np.uint32(63))
