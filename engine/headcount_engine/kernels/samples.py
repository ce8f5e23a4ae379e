"""MD5 (RFC 1321) of many short texts with a salt behind each: the bucket of a sample.

The engine hashes every key once per salt; through hashlib that would hold the GIL for a second per million.
"""

from __future__ import annotations

import math

import numpy as np

from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.model.batches import I64, U8, U32, U64

_SINES = np.array([int(abs(math.sin(i + 1)) * 2**32) & 0xFFFFFFFF for i in range(64)], dtype=np.uint32)
_TURNS = [7, 12, 17, 22] * 4 + [5, 9, 14, 20] * 4 + [4, 11, 16, 23] * 4 + [6, 10, 15, 21] * 4
_SHIFTS = np.array(_TURNS, dtype=np.uint32)


@inline_kernel
def _rotated(x: np.uint32, by: np.uint32) -> np.uint32:
    return np.uint32((x << by) | (x >> (np.uint32(32) - by)))


@inline_kernel
def _chunk(state: U32, block: U32, sines: U32, shifts: U32) -> None:
    """One MD5 round over 16 little-endian words."""
    a, b, c, d = state[0], state[1], state[2], state[3]
    for i in range(64):
        if i < 16:
            f = np.uint32((b & c) | (~b & d))
            g = i
        elif i < 32:
            f = np.uint32((d & b) | (~d & c))
            g = (5 * i + 1) & 15
        elif i < 48:
            f = np.uint32(b ^ c ^ d)
            g = (3 * i + 5) & 15
        else:
            f = np.uint32(c ^ (b | ~d))
            g = (7 * i) & 15
        turned = _rotated(np.uint32(f + a + sines[i] + block[g]), shifts[i])
        a, d, c, b = d, c, b, np.uint32(b + turned)
    state[0] = np.uint32(state[0] + a)
    state[1] = np.uint32(state[1] + b)
    state[2] = np.uint32(state[2] + c)
    state[3] = np.uint32(state[3] + d)


@kernel("(uint8[::1], int64[::1], uint8[::1], uint32[::1], uint32[::1], uint64[::1])")
def buckets(data: U8, offsets: I64, salt: U8, sines: U32, shifts: U32, out: U64) -> None:
    """out[i] = the first 8 bytes, big-endian, of MD5(text i + salt)."""
    state = np.empty(4, dtype=np.uint32)
    block = np.empty(16, dtype=np.uint32)
    for i in range(len(out)):
        size = offsets[i + 1] - offsets[i]
        total = size + len(salt)
        state[0], state[1] = np.uint32(0x67452301), np.uint32(0xEFCDAB89)
        state[2], state[3] = np.uint32(0x98BADCFE), np.uint32(0x10325476)
        chunks = (total + 8) // 64 + 1
        for chunk in range(chunks):
            for w in range(16):
                word = np.uint32(0)
                for byte in range(4):
                    at = chunk * 64 + w * 4 + byte
                    value = np.uint32(0)
                    if at < size:
                        value = np.uint32(data[offsets[i] + at])
                    elif at < total:
                        value = np.uint32(salt[at - size])
                    elif at == total:
                        value = np.uint32(0x80)
                    word |= np.uint32(value << np.uint32(8 * byte))
                block[w] = word
            if chunk == chunks - 1:
                bits = np.uint64(total) * np.uint64(8)
                block[14] = np.uint32(bits & np.uint64(0xFFFFFFFF))
                block[15] = np.uint32(bits >> np.uint64(32))
            _chunk(state, block, sines, shifts)
        result = np.uint64(0)
        for word_index in range(2):
            for byte in range(4):
                low = (state[word_index] >> np.uint32(8 * byte)) & np.uint32(255)
                result = (result << np.uint64(8)) | np.uint64(low)
        out[i] = result


def sample_buckets(data: U8, offsets: I64, salt: bytes) -> U64:
    """u64 per text: its bucket times 2**64."""
    out = np.empty(len(offsets) - 1, dtype=np.uint64)
    buckets(data, offsets, np.frombuffer(salt, dtype=np.uint8), _SINES, _SHIFTS, out)
    return out
