"""Beginnings of texts as numbers in the order of the texts' bytes: the first of many are found without a sort."""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels.jit import kernel
from headcount_engine.model.batches import I64, U8, U64


@kernel("(uint8[::1], int64[::1], int64[::1], int64, uint64[::1])")
def eight_bytes(data: U8, offsets: I64, rows: I64, start: int, out: U64) -> None:
    """out[i] = bytes start .. start + 7 of text rows[i], the first the highest; past the end of the text zeros."""
    for i in range(len(rows)):
        first, end = offsets[rows[i]] + start, offsets[rows[i] + 1]
        word = np.uint64(0)
        for j in range(8):
            byte = np.uint64(data[first + j]) if first + j < end else np.uint64(0)
            word = (word << np.uint64(8)) | byte
        out[i] = word
