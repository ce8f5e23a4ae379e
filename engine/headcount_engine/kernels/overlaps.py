"""Sizes of all pairwise intersections of many sets of words, kept in the caches."""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels.jit import kernel
from headcount_engine.kernels.machine import ones
from headcount_engine.model.batches import I64, U64


@kernel("(uint64[:, :, ::1], int64, int64, int64[:, ::1])")
def add_intersections(words: U64, first: int, last: int, sizes: I64) -> None:
    """sizes[i, j] += bits that sets i and j have in common in the chunks `first` to before `last`, for j >= i.

    `words` is (chunks, sets, words of a chunk): what is compared lies side by side, and one chunk of all sets fits the
    second-level cache. Two by two, so that each word that is loaded serves twice; 0.25 ns a pair of words.
    """
    count, length = words.shape[1], words.shape[2]
    for c in range(first, last):
        for i in range(0, count, 2):
            other_i = min(i + 1, count - 1)
            for j in range(i, count, 2):
                other_j = min(j + 1, count - 1)
                both, right, below, across = np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0)
                for w in range(length):
                    a, b = words[c, i, w], words[c, other_i, w]
                    x, y = words[c, j, w], words[c, other_j, w]
                    both += ones(a & x)
                    right += ones(a & y)
                    below += ones(b & x)
                    across += ones(b & y)
                sizes[i, j] += np.int64(both)
                if other_j > j:
                    sizes[i, other_j] += np.int64(right)
                if other_i > i:
                    if j > i:
                        sizes[other_i, j] += np.int64(below)
                    if other_j > j:
                        sizes[other_i, other_j] += np.int64(across)
