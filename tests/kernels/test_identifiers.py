"""The table of event ids against a dict."""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels import identifiers, texts
from headcount_engine.model.batches import Texts

RANDOM = np.random.default_rng(23)
SLOTS = 256


def test_ids_are_entered_once_found_and_renewed() -> None:
    """Ids that share the first half and differ in the second, and that fall into one stretch of slots."""
    pool = [(int(a), int(b)) for a in (0, 1, 2, SLOTS, SLOTS + 1, SLOTS - 1) for b in range(20)]
    keys, checks = np.zeros(SLOTS, dtype=np.uint64), np.zeros(SLOTS, dtype=np.uint64)
    arrivals, digests = np.zeros(SLOTS, dtype=np.int64), np.zeros(SLOTS, dtype=np.uint32)
    expected: dict[tuple[int, int], tuple[int, int]] = {}
    for arrival in range(1, 8):
        chosen = [pool[i] for i in RANDOM.permutation(len(pool))[:30]]
        first, second = (np.array(half, dtype=np.uint64) for half in zip(*chosen, strict=True))
        came = np.full(30, arrival, dtype=np.int64)
        contents = RANDOM.integers(0, 2**32, 30).astype(np.uint32)
        new = identifiers.put_ids(first, second, came, contents, keys, checks, arrivals, digests)
        assert new == len(set(chosen) - expected.keys())
        expected |= dict(zip(chosen, zip(came.tolist(), contents.tolist(), strict=True), strict=True))
        asked_first, asked_second = (np.array(half, dtype=np.uint64) for half in zip(*pool, strict=True))
        slots = np.full(len(pool), -9, dtype=np.int64)
        identifiers.find_ids(asked_first, asked_second, keys, checks, arrivals, slots)
        for pair, slot in zip(pool, slots.tolist(), strict=True):
            if pair not in expected:
                assert slot == -1
                continue
            assert (int(keys[slot]), int(checks[slot])) == pair
            assert (int(arrivals[slot]), int(digests[slot])) == expected[pair]
    assert int((arrivals != 0).sum()) == len(expected)


def test_hashes_are_those_of_one_text_at_a_time() -> None:
    held = Texts.of(["", "a", "id 1", "id 2", "é" * 20])
    out = np.zeros(5, dtype=np.uint64)
    identifiers.hash_texts(held.data, held.offsets, np.uint64(9), out)
    single = [
        texts.hash_bytes(held.data, held.offsets[i], held.offsets[i + 1], np.uint64(9)) for i in range(5)
    ]
    assert out.tolist() == [int(value) for value in single] and len(set(out.tolist())) == 5
