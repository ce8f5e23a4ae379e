"""Who has which instant, in order: what a clock asks of a column of instants, dates or days of the year.

The entries (value, id) lie in sorted runs, the oldest and biggest first, each at least eight times as big as the next.
A change is a new run; it is merged with those before it that are not that much bigger. So an entry is written about
four times on the way to the first run, and a question is two binary searches in at most eight runs. Nothing is looked
for to be removed: an older entry of an id that has a newer one is stale until a merge meets both, and a question may
find it. Whoever asks tests what the profile has now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine.indexes.columns import widen
from headcount_engine.indexes.predicates import Stored
from headcount_engine.kernels import orders
from headcount_engine.model.batches import I64, U32

ABSENT = int(np.iinfo(np.int64).min)
GREATEST = int(np.iinfo(np.int64).max)
_RATIO = 8
_RADIX_MIN = 1_024
"""Below this many entries numpy's sort is the faster."""
_INT64 = np.dtype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """Entries in order of value; an id at most once. ABSENT among the values says that the id has none any more."""

    values: I64
    ids: U32

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where the values of [first, last] lie: [from, to)."""
        start = int(np.searchsorted(self.values, np.int64(first), side="left"))
        return start, int(np.searchsorted(self.values, np.int64(last), side="right"))


class InstantOrder:
    """The ids of one column in order of their values, nearly up to date. For the writer's thread alone.

    13.5 bytes an entry. Any i64 will do, except the least, which is "no value".
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []
        self._marks = np.zeros(0, dtype=np.uint64)

    @staticmethod
    def of(blocks: Sequence[Stored], absent: int) -> InstantOrder:
        """Of a whole column, block by block; `absent` stands for no value there. 60 ms for a million profiles."""
        parts, ids, base = [], [], 0
        for block in blocks:
            there = np.flatnonzero(block != absent)
            parts.append(block[there].astype(np.int64))
            ids.append((there + base).astype(np.uint32))
            base += len(block)
        return InstantOrder.of_pairs(
            np.concatenate([np.empty(0, dtype=np.uint32), *ids]),
            np.concatenate([np.empty(0, dtype=np.int64), *parts]),
        )

    @staticmethod
    def of_pairs(ids: U32, values: I64) -> InstantOrder:
        """Of ids, each once, and the value of each; none is ABSENT."""
        order = InstantOrder()
        order._cover(ids)
        if len(ids):
            order._runs.append(_sorted(ids, values))
        return order

    def note(self, ids: U32, values: Stored) -> None:
        """These ids, each once, now have these values: whole numbers of any width, whose least one is "no value".

        0.5 us a row, of which merges are most; every so often one rewrites all: 4 ms per million entries.
        """
        if not len(ids):
            return
        self._cover(ids)
        run = _sorted(ids, values if values.dtype == _INT64 else widen(values, _INT64))
        if not self._runs:
            start = int(np.searchsorted(run.values, np.int64(ABSENT), side="right"))
            run = _Run(run.values[start:], run.ids[start:])
        while self._runs and len(self._runs[-1].ids) < _RATIO * len(run.ids):
            run = self._merged(self._runs.pop(), run, is_last=not self._runs)
        if len(run.ids):
            self._runs.append(run)

    def between(self, first: int, last: int) -> U32:
        """Ascending ids, each once, that have a value in [first, last]; some that only had one may be among them."""
        first, last = max(first, ABSENT + 1), min(last, GREATEST)
        found = []
        if first <= last:
            for run in self._runs:
                start, end = run.span(first, last)
                if start < end:
                    found.append(run.ids[start:end])
        if not found:
            return np.empty(0, dtype=np.uint32)
        ids = np.sort(found[0] if len(found) == 1 else np.concatenate(found))
        if len(found) > 1:
            # Not np.unique, which hashes: 70 times the sort.
            ids = ids[np.append(True, ids[1:] != ids[:-1])]
        return ids

    def next_after(self, value: int) -> int | None:
        """The least value held that is greater; None if there is none. A stale one may make it too early."""
        if value >= GREATEST:
            return None
        nearest = None
        for run in self._runs:
            place = int(np.searchsorted(run.values, np.int64(max(value, ABSENT)), side="right"))
            if place < len(run.values):
                found = int(run.values[place])
                nearest = found if nearest is None else min(nearest, found)
        return nearest

    def reach(self, value: int, entries: int, *, is_down: bool) -> int | None:
        """How far to go from `value` for about so many entries: between the two lie at least as many in some run.

        At most as many in every run, but for equals. None: no run has that many on this side.
        """
        nearest = None
        for run in self._runs:
            start, end = run.span(value, value)
            place = start - entries if is_down else end + entries - 1
            if 0 <= place < len(run.values) and (found := int(run.values[place])) != ABSENT:
                if nearest is None:
                    nearest = found
                else:
                    nearest = max(nearest, found) if is_down else min(nearest, found)
        return nearest

    @property
    def nbytes(self) -> int:
        return self._marks.nbytes + sum(run.values.nbytes + run.ids.nbytes for run in self._runs)

    def _merged(self, older: _Run, newer: _Run, *, is_last: bool) -> _Run:
        size = len(older.ids) + len(newer.ids)
        values, ids = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.uint32)
        kept = int(
            orders.merge_pairs(
                older.values, older.ids, newer.values, newer.ids, is_last, self._marks, values, ids
            )
        )
        # A view of a much larger array would hold on to all of it.
        return (
            _Run(values[:kept], ids[:kept])
            if 2 * kept > size
            else _Run(values[:kept].copy(), ids[:kept].copy())
        )

    def _cover(self, ids: U32) -> None:
        """Make the marks long enough for these ids."""
        if len(ids) and (words := (int(ids.max()) >> 6) + 1) > len(self._marks):
            self._marks = np.zeros(max(words, 2 * len(self._marks)), dtype=np.uint64)

    def _check(self, blocks: Sequence[Stored], absent: int) -> None:
        """Compare with the column that it follows."""
        newest = dict[int, int]()
        for number, run in enumerate(self._runs):
            assert (run.values[1:] >= run.values[:-1]).all(), "a run is not in order"
            assert len(np.unique(run.ids)) == len(run.ids), "an id twice in a run"
            assert number > 0 or not len(run.values) or run.values[0] != ABSENT, (
                "the first run remembers absence"
            )
            if number:
                assert len(self._runs[number - 1].ids) >= _RATIO * len(run.ids), (
                    "a run is too big for its place"
                )
            newest.update(zip(run.ids.tolist(), run.values.tolist(), strict=True))
        stored = [value for block in blocks for value in block.tolist()]
        held = {i: value for i, value in newest.items() if value != ABSENT}
        assert held == {i: value for i, value in enumerate(stored) if value != absent}, (
            "not the column's values"
        )
        assert not self._marks.any(), "marks are left over"


def _sorted(ids: U32, values: I64) -> _Run:
    """Pairs in order of value, in arrays of their own."""
    if len(ids) < _RADIX_MIN:
        order = np.argsort(values, kind="stable")
        return _Run(values[order], ids[order])
    least = values.min()
    keys, own = (values - least).view(np.uint64), ids.astype(np.uint32)
    other_keys, other_ids = np.empty_like(keys), np.empty_like(own)
    counts = np.empty(1 << orders.DIGIT_BITS, dtype=np.int64)
    if orders.sort_pairs(keys, own, other_keys, other_ids, int(keys.max()).bit_length(), counts):
        keys, own = other_keys, other_ids
    return _Run(keys.view(np.int64) + least, own)
