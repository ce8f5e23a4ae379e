"""Set algebra over words in one pass: a small postfix program run on chunks that stay in the first-level cache.

Five operands over a million ids cost some 10 us, where one operator at a time through whole bitmaps costs ten times
that. Operands are passed as addresses, so that a program over any number of them is the same compiled code; the caller
keeps the arrays alive.
"""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.kernels.machine import ones, word_at
from headcount_engine.model.batches import I64, U64, Mask

LOAD = 0
"""Push operand `arg`."""
AND = 1
OR = 2
WITHOUT = 3
"""Combine the top with operand `arg`."""
AND_TOP = 4
OR_TOP = 5
WITHOUT_TOP = 6
"""Combine the one below the top with the top, which goes."""

DEPTH_MAX = 16
CHUNK_WORDS = 256


@inline_kernel
def _run_chunk(operands: I64, codes: I64, first: int, count: int, stack: U64) -> None:
    """Run the program over `count` words from `first`; the result is stack[0]."""
    top = -1
    for step in range(len(codes)):
        code = codes[step] & 7
        address = operands[codes[step] >> 3] if code <= WITHOUT else 0
        if code == LOAD:
            top += 1
            for i in range(count):
                stack[top, i] = word_at(address, first + i)
        elif code == AND:
            for i in range(count):
                stack[top, i] &= word_at(address, first + i)
        elif code == OR:
            for i in range(count):
                stack[top, i] |= word_at(address, first + i)
        elif code == WITHOUT:
            for i in range(count):
                stack[top, i] &= ~word_at(address, first + i)
        else:
            top -= 1
            for i in range(count):
                if code == AND_TOP:
                    stack[top, i] &= stack[top + 1, i]
                elif code == OR_TOP:
                    stack[top, i] |= stack[top + 1, i]
                else:
                    stack[top, i] &= ~stack[top + 1, i]


@kernel("(int64[::1], int64[::1], int64, uint64[:, ::1])")
def count_program(operands: I64, codes: I64, words: int, stack: U64) -> int:
    """How many bits the program's result has. Each code is `op + 8 * arg`; `stack` is (DEPTH_MAX, CHUNK_WORDS)."""
    total = np.uint64(0)
    for first in range(0, words, CHUNK_WORDS):
        count = min(CHUNK_WORDS, words - first)
        _run_chunk(operands, codes, first, count, stack)
        for i in range(count):
            total += ones(stack[0, i])
    return int(total)


@kernel("(int64[::1], int64[::1], uint64[:, ::1], uint64[::1])")
def run_program(operands: I64, codes: I64, stack: U64, out: U64) -> None:
    """Write the program's result to `out`."""
    for first in range(0, len(out), CHUNK_WORDS):
        count = min(CHUNK_WORDS, len(out) - first)
        _run_chunk(operands, codes, first, count, stack)
        for i in range(count):
            out[first + i] = stack[0, i]


@kernel("(uint64[::1],)")
def count_bits(words: U64) -> int:
    """Number of set bits."""
    total = np.uint64(0)
    for i in range(len(words)):
        total += ones(words[i])
    return int(total)


@kernel("(uint64[::1], int64[::1], boolean[::1])")
def test_bits(words: U64, ids: I64, out: Mask) -> None:
    """out[i] = whether bit ids[i] is set; false for negative ids and those past the words."""
    for i in range(len(ids)):
        held = ids[i]
        inside = 0 <= held < 64 * len(words)
        out[i] = inside and (words[held >> 6] >> np.uint64(held & 63)) & np.uint64(1) != np.uint64(0)
