"""Tables of 128-bit hashes of event ids: open addressing, linear probing, kept at most seven eighths full."""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels.jit import kernel
from headcount_engine.kernels.texts import hash_bytes
from headcount_engine.model.batches import I64, U8, U32, U64


@kernel("(uint8[::1], int64[::1], uint64, uint64[::1])")
def hash_texts(data: U8, offsets: I64, seed: np.uint64, out: U64) -> None:
    """out[i] = the seeded hash of text i."""
    for i in range(len(out)):
        out[i] = hash_bytes(data, offsets[i], offsets[i + 1], seed)


@kernel("(uint64[::1], uint64[::1], uint64[::1], uint64[::1], int64[::1], int64[::1])")
def find_ids(first: U64, second: U64, keys: U64, checks: U64, arrivals: I64, out: I64) -> None:
    """out[i] = the slot that holds (first[i], second[i]), or -1; an arrival of 0 marks a free slot."""
    mask = np.uint64(len(keys) - 1)
    for i in range(len(first)):
        slot = first[i] & mask
        out[i] = -1
        while arrivals[slot] != 0:
            if keys[slot] == first[i] and checks[slot] == second[i]:
                out[i] = np.int64(slot)
                break
            slot = (slot + np.uint64(1)) & mask


@kernel(
    "(uint64[::1], uint64[::1], int64[::1], uint32[::1], uint64[::1], uint64[::1], int64[::1], uint32[::1])"
)
def put_ids(
    first: U64, second: U64, came: I64, contents: U32, keys: U64, checks: U64, arrivals: I64, digests: U32
) -> int:
    """Enter ids with their arrival and content, over the older entry of one that is there; returns how many are new."""
    mask = np.uint64(len(keys) - 1)
    new = 0
    for i in range(len(first)):
        slot = first[i] & mask
        while arrivals[slot] != 0 and not (keys[slot] == first[i] and checks[slot] == second[i]):
            slot = (slot + np.uint64(1)) & mask
        if arrivals[slot] == 0:
            new += 1
        keys[slot] = first[i]
        checks[slot] = second[i]
        arrivals[slot] = came[i]
        digests[slot] = contents[i]
    return new
