"""The tables of event ids against a dict."""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels import identifiers, texts
from headcount_engine.model.batches import I64, U32, U64, Texts

RANDOM = np.random.default_rng(23)
SIZE = 256


class Held:
    """One chunk of ids, the tables of two segments, and their addresses as kernels take them."""

    def __init__(self) -> None:
        self.halves: U64 = np.zeros(2 * 4096, dtype=np.uint64)
        self.tables = {s: np.full(SIZE, identifiers.EMPTY, dtype=np.uint32) for s in (0, 1023)}
        self.chunk_at: I64 = np.zeros(identifiers.CHUNKS + 1, dtype=np.int64)
        self.chunk_at[5] = self.halves.ctypes.data
        self.sizes: I64 = np.zeros(identifiers.SEGMENTS, dtype=np.int64)
        self.table_at: I64 = np.zeros(identifiers.SEGMENTS, dtype=np.int64)
        self.taken: I64 = np.zeros(identifiers.SEGMENTS, dtype=np.int64)
        for segment, table in self.tables.items():
            self.set_table(segment, table)
        self.count = 0

    def set_table(self, segment: int, table: U32) -> None:
        self.tables[segment] = table
        self.table_at[segment], self.sizes[segment] = table.ctypes.data, len(table)

    def put(self, first: U64, second: U64) -> I64:
        places = np.arange(self.count, self.count + len(first), dtype=np.int64) + (5 << 16)
        self.halves[2 * self.count : 2 * (self.count + len(first)) : 2] = first
        self.halves[2 * self.count + 1 : 2 * (self.count + len(first)) : 2] = second
        self.count += len(first)
        identifiers.put_ids(first, second, places, self.table_at, self.sizes, self.chunk_at, self.taken)
        return places

    def find(self, pairs: list[tuple[int, int]]) -> list[int]:
        first, second = (np.array(half, dtype=np.uint64) for half in zip(*pairs, strict=True))
        out = np.full(len(pairs), -9, dtype=np.int64)
        identifiers.find_ids(first, second, self.table_at, self.sizes, self.chunk_at, out)
        return [int(place) for place in out]


def pool_of_collisions() -> list[tuple[int, int]]:
    """Ids of two segments, at both ends of a table and all in one stretch of it, many with one tag or one half."""
    last = 1023 << 54
    starts = [last, last + 1, last + (1 << 24), last + (1 << 32) - 1, 3, (1 << 32) - 1]
    return [
        (start, second) for start in starts for second in [*range(16), *((i << 58) + 7 for i in range(1, 16))]
    ]


def test_ids_are_entered_once_found_and_led_to_where_they_came_last() -> None:
    pool, held, expected = pool_of_collisions(), Held(), dict[tuple[int, int], int]()
    for _ in range(12):
        chosen = [pool[i] for i in RANDOM.permutation(len(pool))[:40]]
        first, second = (np.array(half, dtype=np.uint64) for half in zip(*chosen, strict=True))
        places = held.put(first, second)
        expected |= dict(zip(chosen, places.tolist(), strict=True))
        assert held.find(pool) == [expected.get(pair, -1) for pair in pool]
        assert int(held.taken.sum()) == len(expected)
    assert held.find([(1 << 54, 0), (2, 99)]) == [-1, -1]


def test_a_segment_moves_into_a_table_of_another_size_with_all_that_is_still_there() -> None:
    pool, held = pool_of_collisions(), Held()
    first, second = (np.array(half, dtype=np.uint64) for half in zip(*pool, strict=True))
    places = held.put(first, second).tolist()
    of_last = sum(pair[0] >> 54 == 1023 for pair in pool)
    assert identifiers.count_ids(held.tables[1023], held.chunk_at) == of_last
    larger = np.full(4 * SIZE + 6, identifiers.EMPTY, dtype=np.uint32)
    assert identifiers.move_ids(held.tables[1023], held.chunk_at, 1023, larger) == of_last
    held.set_table(1023, larger)
    assert held.find(pool) == places
    # Once more with every entry doubled by a stranger's: those of another segment are left behind.
    mixed = np.concatenate([held.tables[0], held.tables[1023]])
    target = np.full(4 * SIZE, identifiers.EMPTY, dtype=np.uint32)
    assert identifiers.move_ids(mixed, held.chunk_at, 0, target) == len(pool) - of_last
    held.chunk_at[5] = 0
    assert held.find(pool) == [-1] * len(pool)
    assert identifiers.count_ids(held.tables[1023], held.chunk_at) == 0
    assert identifiers.move_ids(held.tables[1023], held.chunk_at, 1023, target) == 0


def test_hashes_are_those_of_one_text_at_a_time() -> None:
    held = Texts.of(["", "a", "id 1", "id 2", "é" * 20])
    out = np.zeros(5, dtype=np.uint64)
    identifiers.hash_texts(held.data, held.offsets, np.uint64(9), out)
    single = [
        texts.hash_bytes(held.data, held.offsets[i], held.offsets[i + 1], np.uint64(9)) for i in range(5)
    ]
    assert out.tolist() == [int(value) for value in single] and len(set(out.tolist())) == 5
