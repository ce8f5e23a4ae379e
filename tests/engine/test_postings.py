"""Postings find the events with a value that looking at each finds, whatever part of a run and however it grows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from headcount_engine import Database
from headcount_engine.clock import ManualClock
from headcount_engine.conditions.text import parse
from headcount_engine.indexes.postings import CHUNK, Postings
from headcount_engine.model.batches import Column, EventBatch, Texts
from headcount_engine.model.values import Kind, ValueType

RANDOM = np.random.default_rng(5)
ROWS = 2 * CHUNK + 5_000
PROFILES = RANDOM.integers(0, 500, ROWS).astype(np.uint32)


def expected(column: np.ndarray, codes: tuple[int, ...], start: int, end: int) -> Counter[int]:
    return Counter(PROFILES[start:end][np.isin(column[start:end], codes)].tolist())


def found(
    postings: Postings, column: np.ndarray, codes: tuple[int, ...], start: int, end: int
) -> Counter[int]:
    """What the postings find, and in the rest what looking finds."""
    members, rest = postings.members("page", codes, PROFILES[: len(column)], column, start, end)
    total = Counter(np.concatenate([np.zeros(0, np.uint32), *members]).tolist())
    for a, b in rest:
        assert start <= a < b <= end
        total += expected(column, codes, a, b)
    return total


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_any_stretch_is_found(dtype: str) -> None:
    column, postings = RANDOM.integers(0, 4, ROWS).astype(dtype), Postings()
    edges = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, ROWS - 1, ROWS]
    for start in edges:
        for end in (e for e in edges if e > start):
            for codes in ((1,), (2,), (2, 3), (200,)):
                assert found(postings, column, codes, start, end) == expected(column, codes, start, end)


def test_the_first_time_everything_is_looked_through_and_then_nothing() -> None:
    column, postings = RANDOM.integers(0, 20, ROWS).astype(np.uint8), Postings()
    assert postings.members("page", (1,), PROFILES, column, 5, ROWS) == ([], [(5, ROWS)])
    assert postings.nbytes == 0
    members, rest = postings.members("page", (1,), PROFILES, column, 5, ROWS)
    assert not rest and sum(map(len, members)) == (column[5:] == 1).sum()
    assert 6 * ROWS <= postings.nbytes < 7 * ROWS


def test_a_run_that_grows_keeps_what_was_put_in_order_until_much_is_missing() -> None:
    column, postings = RANDOM.integers(0, 9, ROWS).astype(np.uint8), Postings()
    for rows in (10, 3_000, 4_000, 9_000, CHUNK - 1, CHUNK, CHUNK + 10, ROWS):
        for start in (0, rows // 2):
            assert found(postings, column[:rows], (2, 5), start, rows) == expected(
                column, (2, 5), start, rows
            )
    wide = column.astype(np.uint16)  # As a column that grows wider with its run.
    assert found(postings, wide, (2,), 0, ROWS) == expected(column, (2,), 0, ROWS)


def test_a_chunk_with_great_codes_is_looked_through() -> None:
    column, postings = RANDOM.integers(0, 1 << 20, ROWS).astype(np.uint32), Postings()
    for _ in range(3):
        assert postings.members("page", (7,), PROFILES, column, 0, ROWS)[0] == []
        assert found(postings, column, (7,), 0, ROWS) == expected(column, (7,), 0, ROWS)
    assert postings.nbytes < 1_000


def test_counts_stay_the_same_when_postings_are_made_and_runs_grow_and_merge() -> None:
    now_us = 1_700_000_000_000_000
    database = Database.open(None, clock=ManualClock(now_us))
    held: list[tuple[int, int, int]] = []
    rules = {
        (codes, days): parse(
            f"did any event where page in ({', '.join(repr(f'page-{c}') for c in codes)}) at least 2 times in"
            f" last {days} days".replace("'", '"')
        )
        for codes in ((1,), (2, 4), (9,))
        for days in (1, 7, 40)
    }
    for batch in range(12):
        rows = 6_000
        who, pages = RANDOM.integers(0, 3_000, rows), RANDOM.integers(0, 6, rows)
        newest = now_us - (1 + batch % 3) * 1_000_000
        times = np.sort(newest - RANDOM.integers(0, 30 * 86_400_000_000, rows))
        database.write_events(
            EventBatch(
                Texts.of([f"p{w}" for w in who.tolist()]),
                Texts.of(["view"] * rows),
                times,
                (
                    Column(
                        "page", ValueType(Kind.TEXT), Texts.of([f"page-{p}" for p in pages.tolist()]), None
                    ),
                ),
            )
        )
        held += zip(who.tolist(), times.tolist(), pages.tolist(), strict=True)
        for (codes, days), rule in rules.items():
            since = now_us - days * 86_400_000_000
            often = Counter(w for w, t, p in held if t > since and p in codes)
            assert database.count(rule).count == sum(1 for n in often.values() if n >= 2)
    runs = database._indexes.events.views()["view"].runs
    assert any(run.postings.nbytes for run in runs)
