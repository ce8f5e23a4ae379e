"""Counts of the values of one block for those profiles whose bit is set: one pass, no set for each value.

`words` has one bit for each value of the block. Absent values are the least value of the dtype (0 for codes, NaN).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headcount_engine.kernels.bits import trailing_zeros
from headcount_engine.kernels.jit import kernel
from headcount_engine.model.batches import I64, U64

_CODES = ("uint8", "uint16", "uint32")
_WHOLE = ("int8", "int16", "int32", "int64")
_NUMBERS = (*((t, "int64") for t in _WHOLE), ("float64", "float64"))


@kernel(*(f"({t}[::1], uint64[::1], int64[::1])" for t in _CODES))
def count_codes(codes: NDArray[Any], words: U64, counts: I64) -> None:
    """counts[code] += 1 for every profile whose bit is set; `counts` covers every code in the block."""
    for w in range(len(words)):
        word = words[w]
        while word != np.uint64(0):
            counts[codes[w * 64 + trailing_zeros(word)]] += 1
            word &= word - np.uint64(1)


@kernel(*(f"({t}[::1], {e}, {e}[::1], uint64[::1], int64[::1])" for t, e in _NUMBERS))
def count_ranges(values: NDArray[Any], absent: Any, edges: NDArray[Any], words: U64, counts: I64) -> None:
    """counts[0]: those without a value; counts[1 + k]: those with k of the ascending edges at or below their value."""
    for w in range(len(words)):
        word = words[w]
        while word != np.uint64(0):
            value = values[w * 64 + trailing_zeros(word)]
            word &= word - np.uint64(1)
            if value == absent or value != value:
                counts[0] += 1
                continue
            low, high = 0, len(edges)
            while low < high:
                middle = (low + high) >> 1
                if edges[middle] <= value:
                    low = middle + 1
                else:
                    high = middle
            counts[1 + low] += 1


@kernel(*(f"({t}[::1], {e}, {e}[::1], uint64[::1], int64[::1])" for t, e in _NUMBERS))
def count_listed(values: NDArray[Any], absent: Any, listed: NDArray[Any], words: U64, counts: I64) -> None:
    """counts[0]: those without a value; counts[1]: with one that is not listed; counts[2 + k]: with listed[k].

    `listed` is ascending.
    """
    for w in range(len(words)):
        word = words[w]
        while word != np.uint64(0):
            value = values[w * 64 + trailing_zeros(word)]
            word &= word - np.uint64(1)
            if value == absent or value != value:
                counts[0] += 1
                continue
            low, high = 0, len(listed)
            while low < high:
                middle = (low + high) >> 1
                if listed[middle] < value:
                    low = middle + 1
                else:
                    high = middle
            counts[2 + low if low < len(listed) and listed[low] == value else 1] += 1


@kernel(*(f"({t}[::1], {e}, uint64[::1], {e}[::1], int64[::1])" for t, e in _NUMBERS))
def find_ends(values: NDArray[Any], absent: Any, words: U64, ends: NDArray[Any], counted: I64) -> None:
    """Widen ends[0] .. ends[1] to hold every value, and add their number to counted[0].

    While counted[0] is 0, `ends` holds nothing.
    """
    for w in range(len(words)):
        word = words[w]
        while word != np.uint64(0):
            value = values[w * 64 + trailing_zeros(word)]
            word &= word - np.uint64(1)
            if value == absent or value != value:
                continue
            if counted[0] == 0 or value < ends[0]:
                ends[0] = value
            if counted[0] == 0 or value > ends[1]:
                ends[1] = value
            counted[0] += 1


@kernel("(uint64[::1], int64, int64[::1])")
def add_weight(words: U64, weight: int, scores: I64) -> None:
    """scores[id] += weight for every bit that is set."""
    for w in range(len(words)):
        word = words[w]
        while word != np.uint64(0):
            scores[w * 64 + trailing_zeros(word)] += weight
            word &= word - np.uint64(1)
