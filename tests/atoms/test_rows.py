"""Rows for every profile, by shards: against a dict of lists. Ids on both sides of a shard's edge."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from headcount_engine.atoms.rows import SHARD_BITS, Rows, column_words, put_columns, shard_cuts

SHARD = 1 << SHARD_BITS
NEAR = [0, 1, 63, 64, 4095, 4096, SHARD - 1, SHARD, SHARD + 64, 2 * SHARD - 1, 2 * SHARD + 5]


def bits(row: np.ndarray) -> set[int]:
    return {64 * w + b for w, word in enumerate(row.tolist()) for b in range(64) if word >> b & 1}


def words_of(ids: set[int], blocks: int) -> np.ndarray:
    words = np.zeros(blocks * 1024, dtype=np.uint64)
    for id_ in ids:
        words[id_ >> 6] |= np.uint64(1 << (id_ & 63))
    return words


@pytest.mark.parametrize("top", [70, 5_000, 2 * SHARD + 6])
def test_what_is_written_is_read_back_whatever_the_rows_grow_to(top: int) -> None:
    random, rows = Random(top), Rows(np.uint64, 4)
    model: dict[int, list[int]] = {}
    there = [id_ for id_ in NEAR if id_ < top]
    for end in (1, 64, 65, top):
        rows.ensure(end)
        rows.widen(random.randint(1, 12))
        ids = sorted(id_ for id_ in there if id_ < end and random.random() < 0.8)
        given = np.array(ids, dtype=np.int64)
        own = np.array([[random.getrandbits(64) for _ in range(rows.width)] for _ in ids], dtype=np.uint64)
        rows.scatter(given, own.reshape(len(ids), rows.width))
        model |= dict(zip(ids, own.tolist(), strict=True))
        known = np.array([id_ for id_ in there if id_ < end], dtype=np.int64)
        for id_, row in zip(known.tolist(), rows.gather(known).tolist(), strict=True):
            wanted = model.get(id_, [])
            assert row == wanted + [0] * (rows.width - len(wanted))
            assert rows.row(id_).tolist() == row
    assert not rows.row(top + 10).any()


@pytest.mark.parametrize("columns", [1, 5, 6, 40])
def test_columns_are_put_and_read_as_words(columns: int) -> None:
    """Few columns go one by one, many of one word by blocks of 64 by 64 bits; the others stay as they are."""
    random, rows, top = Random(columns), Rows(np.uint64, 4), SHARD + 200
    rows.ensure(top)
    there = [id_ for id_ in NEAR if id_ < top]
    ids = np.array(there, dtype=np.int64)
    rows.scatter(ids, np.full((len(ids), rows.width), 0x5555_5555_5555_5555, dtype=np.uint64))
    before = {id_: bits(row) for id_, row in zip(there, rows.gather(ids), strict=True)}
    chosen = random.sample(range(128), columns)
    members = {at: {id_ for id_ in there if random.random() < 0.5} for at in chosen}
    # Words that are shorter than the rows say "nobody" about the rest.
    put_columns(rows, {at: words_of({i for i in who if i < SHARD}, 16) for at, who in members.items()})
    put_columns(rows, {at: words_of(who, 17) for at, who in members.items() if at % 2})
    members = {at: {i for i in who if at % 2 or i < SHARD} for at, who in members.items()}
    for id_, row in zip(there, rows.gather(ids), strict=True):
        expected = {at for at in before[id_] if at not in chosen} | {
            at for at in chosen if id_ in members[at]
        }
        assert bits(row) == expected, id_
    for at, who in members.items():
        assert (column_words(rows, at, 17) == words_of(who, 17)).all()


def test_cuts_name_every_shard_that_is_met() -> None:
    ids = np.array([5, SHARD - 1, 2 * SHARD, 2 * SHARD + 1], dtype=np.int64)
    assert shard_cuts(ids) == [(0, 0, 2), (2, 2, 4)]
    assert shard_cuts(ids[2:]) == [(2, 0, 2)]
    assert shard_cuts(ids[:0]) == []


@pytest.mark.parametrize("ids", [[-1, 3], [2, 70], [70]])
def test_rows_that_are_not_there_are_not_gathered(ids: list[int]) -> None:
    rows: Rows[np.uint64] = Rows(np.uint64, 4)
    rows.ensure(70)
    with pytest.raises(IndexError):
        rows.gather(np.array(ids, dtype=np.int64))
