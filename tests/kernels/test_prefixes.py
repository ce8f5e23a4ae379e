"""Beginnings of texts as numbers, against slices of bytes."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.kernels import prefixes
from headcount_engine.model.batches import Texts

WORDS = ["", "a", "b", "ab", "12345678", "123456789", "1234567", "\u00e9\u00e9", "\U0001f600" * 5, "x" * 200]


@pytest.mark.parametrize("start", [0, 1, 7, 8, 16, 192, 200, 400])
def test_eight_bytes_are_those_of_the_text_and_zeros_behind_it(start: int) -> None:
    texts, rows = Texts.of(WORDS), np.array([9, 0, 3, 3, 8, 7, 6, 5, 4, 2, 1], dtype=np.int64)
    out = np.empty(len(rows), dtype=np.uint64)
    prefixes.eight_bytes(texts.data, texts.offsets, rows, start, out)
    parts = [WORDS[row].encode()[start : start + 8].ljust(8, b"\0") for row in rows.tolist()]
    assert out.tolist() == [int.from_bytes(part, "big") for part in parts]


def test_the_numbers_order_as_the_bytes_do() -> None:
    texts, rows = Texts.of(WORDS), np.arange(len(WORDS), dtype=np.int64)
    out = np.empty(len(rows), dtype=np.uint64)
    prefixes.eight_bytes(texts.data, texts.offsets, rows, 0, out)
    firsts = [word.encode()[:8] for word in WORDS]
    assert [firsts[i] for i in np.argsort(out, kind="stable")] == sorted(firsts)
