"""Loops over a dictionary of sets: set i is elements[starts[i]:starts[i + 1]], codes ascending, each once."""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels.jit import kernel
from headcount_engine.model.batches import I64, U8, U32


@kernel("(uint32[::1], int64[::1], int64, int64, uint8[::1], uint32[::1])")
def count_passing(elements: U32, starts: I64, first: int, count: int, passes: U8, out: U32) -> None:
    """out[i - first] = how many elements of set i have passes[element] != 0, for sets first .. count - 1."""
    for i in range(first, count):
        total = np.uint32(0)
        for j in range(starts[i], starts[i + 1]):
            if passes[elements[j]] != 0:
                total += np.uint32(1)
        out[i - first] = total
