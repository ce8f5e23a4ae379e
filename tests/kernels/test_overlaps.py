"""Sizes of intersections, against numpy's own."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.kernels import overlaps

RANDOM = np.random.default_rng(29)


@pytest.mark.parametrize("sets", [1, 2, 3, 4, 7])
def test_every_pair_is_counted_once_and_chunks_add_up(sets: int) -> None:
    flags = RANDOM.random((sets, 3 * 4 * 64)) < RANDOM.random((sets, 1))
    words = np.packbits(flags, axis=1, bitorder="little").view(np.uint64)
    by_chunk = np.ascontiguousarray(words.reshape(sets, 3, 4).transpose(1, 0, 2))
    found = np.zeros((sets, sets), dtype=np.int64)
    overlaps.add_intersections(by_chunk, 0, 2, found)
    overlaps.add_intersections(by_chunk, 2, 3, found)
    expected = np.triu(flags.astype(np.int64) @ flags.T.astype(np.int64))
    assert found.tolist() == expected.tolist()
    overlaps.add_intersections(by_chunk, 3, 3, found)
    assert found.tolist() == expected.tolist()
