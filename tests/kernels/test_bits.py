"""Words to portable roaring bitmaps and back, against plain sets of ids."""

from __future__ import annotations

import numpy as np
import pytest
from pyroaring import BitMap

from headcount_engine import bitmaps
from headcount_engine.errors import InvalidValue, StoreDamaged
from headcount_engine.kernels import bits
from headcount_engine.limits import BLOCK_IDS, BLOCK_WORDS

RANDOM = np.random.default_rng(7)


def words_of(ids: np.ndarray | list[int], blocks: int) -> np.ndarray:
    """Words with the bits of `ids`, by numpy's own bit packing."""
    flags = np.zeros(blocks * BLOCK_IDS, dtype=np.uint8)
    flags[np.asarray(ids, dtype=np.int64)] = 1
    return np.packbits(flags, bitorder="little").view(np.uint64)


def some(count: int, first: int = 0) -> np.ndarray:
    """That many ids of one block, in order."""
    return first + np.sort(RANDOM.choice(BLOCK_IDS, count, replace=False))


SETS: dict[str, tuple[np.ndarray, int]] = {
    "nobody": (np.empty(0, np.int64), 1),
    "no block at all": (np.empty(0, np.int64), 0),
    "the first id": (np.array([0]), 1),
    "the last id": (np.array([BLOCK_IDS - 1]), 1),
    "the ends of a word": (np.array([63, 64, 127, 128]), 1),
    "4,095 ids": (some(4095), 1),
    "4,096 ids: the largest array": (some(4096), 1),
    "4,097 ids: the smallest bitset": (some(4097), 1),
    "all but one": (np.delete(np.arange(BLOCK_IDS), 4711), 1),
    "a full block": (np.arange(BLOCK_IDS), 1),
    "an empty block between": (np.concatenate([some(10), some(10, 2 * BLOCK_IDS)]), 3),
    "blocks at the end that are empty": (some(10), 3),
    "an array, a bitset and a full block": (
        np.concatenate([some(4096), some(5000, BLOCK_IDS), np.arange(2 * BLOCK_IDS, 3 * BLOCK_IDS)]),
        3,
    ),
}


@pytest.mark.parametrize("name", SETS)
def test_words_become_the_bitmap_of_their_ids(name: str) -> None:
    ids, blocks = SETS[name]
    words = words_of(ids, blocks)
    found = bitmaps.from_words(words)
    assert found == BitMap(ids.tolist())
    assert bits.count_bits(words) == len(ids)
    assert bitmaps.to_ids(found).tolist() == ids.tolist()


@pytest.mark.parametrize("name", SETS)
def test_a_packed_bitmap_is_byte_for_byte_what_roaring_writes(name: str) -> None:
    ids, blocks = SETS[name]
    words = words_of(ids, blocks)
    cardinalities = np.empty(blocks, dtype=np.int64)
    out = np.empty(bits.container_cardinalities(words, cardinalities), dtype=np.uint8)
    bits.pack_portable(words, cardinalities, out)
    assert out.tobytes() == BitMap(ids.tolist(), optimize=False).serialize()
    assert cardinalities.tolist() == [int(((ids >> 16) == block).sum()) for block in range(blocks)]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("has_runs", [False, True], ids=["plain", "run containers"])
def test_a_bitmap_becomes_its_words(name: str, has_runs: bool) -> None:
    ids, blocks = SETS[name]
    bitmap = BitMap(ids.tolist(), optimize=False)
    if has_runs:
        bitmap.run_optimize()
    assert bitmaps.to_words(bitmap, blocks).tolist() == words_of(ids, blocks).tolist()


@pytest.mark.parametrize("containers", [1, 2, 3, 4, 5, 9])
def test_run_containers_are_read_whether_or_not_offsets_follow(containers: int) -> None:
    """The format leaves the offsets out where there are runs and fewer than four containers."""
    ids = np.concatenate([np.arange(b * BLOCK_IDS + 100, b * BLOCK_IDS + 9_000) for b in range(containers)])
    ids = np.concatenate([ids, [containers * BLOCK_IDS + 5]])
    bitmap = BitMap(ids.tolist())
    bitmap.run_optimize()
    assert bitmap.get_statistics()["n_run_containers"] == containers
    assert bitmaps.to_words(bitmap, containers + 1).tolist() == words_of(ids, containers + 1).tolist()


def test_ids_past_the_words_are_left_out() -> None:
    for shape in (some(10), some(5_000), np.arange(BLOCK_IDS)):
        bitmap = BitMap(np.concatenate([shape, shape + BLOCK_IDS]).tolist())
        assert bitmaps.to_words(bitmap, 1).tolist() == words_of(shape, 1).tolist()
        bitmap.run_optimize()
        assert bitmaps.to_words(bitmap, 1).tolist() == words_of(shape, 1).tolist()
    assert bitmaps.to_words(BitMap([1, 2]), 0).tolist() == []


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.int64, np.uint64])
def test_ids_in_any_order_become_a_bitmap(dtype: type) -> None:
    ids = RANDOM.permutation(200).astype(dtype)
    assert bitmaps.from_ids(ids) == BitMap(range(200))
    assert not bitmaps.from_ids(ids[:0])


def test_many_ids_go_through_words() -> None:
    ids = RANDOM.permutation(3 * BLOCK_IDS)[:20_000].astype(np.uint32)
    ids = np.concatenate([ids, ids[:50]])
    assert bitmaps.from_ids(ids) == BitMap(ids.tolist())
    words = np.zeros(3 * BLOCK_WORDS, dtype=np.uint64)
    bits.ids_to_words(ids[:500], words)
    assert words.tolist() == words_of(ids[:500], 3).tolist()


@pytest.mark.parametrize(
    "ids",
    [np.array([1.5]), np.array([1.0]), np.array([True]), np.array([-1]), np.array([2**32]), np.array(["1"])],
    ids=["a fraction", "a double", "a bool", "negative", "33 bits", "a text"],
)
def test_what_is_no_id_is_refused(ids: np.ndarray) -> None:
    with pytest.raises(InvalidValue):
        bitmaps.from_ids(ids)


def test_words_come_in_whole_blocks() -> None:
    with pytest.raises(InvalidValue):
        bitmaps.from_words(np.zeros(BLOCK_WORDS - 1, dtype=np.uint64))


def test_ranges_have_their_start_and_not_their_end() -> None:
    assert bitmaps.from_range(3, 6) == BitMap([3, 4, 5])
    assert not bitmaps.from_range(3, 3)
    assert len(bitmaps.from_range(0, 1 << 32)) == 1 << 32
    for start, end in ((-1, 2), (2, 1), (0, (1 << 32) + 1)):
        with pytest.raises(InvalidValue):
            bitmaps.from_range(start, end)


def test_a_stored_bitmap_reads_back_or_is_refused() -> None:
    data = BitMap([1, 2, 70_000]).serialize()
    assert bitmaps.deserialize(data) == BitMap([1, 2, 70_000])
    for damaged in (b"", data[:3], data[:-1], data + b"\0", b"\0" * len(data)):
        with pytest.raises(StoreDamaged):
            bitmaps.deserialize(damaged)


def test_an_intersection_is_the_same_in_any_order() -> None:
    held = [BitMap(range(0, 1000, step)) for step in (2, 3, 5)]
    expected = BitMap(range(0, 1000, 30))
    assert bitmaps.smallest_first_and(held) == expected == bitmaps.smallest_first_and(held[::-1])
    assert not bitmaps.smallest_first_and([*held, BitMap()])
    assert held[0] == BitMap(range(0, 1000, 2))
