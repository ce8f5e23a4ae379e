"""Equals on the edge of a rank, near the last one that is in: a stretch of them in order of their keys.

A value can have a million holders, of whom a rank takes the first so many by key. The stretch reaches some way to both
sides of the last one taken, so that comings and goings move it along without a look at the rest; when it runs out, a
new one is cut from the whole group.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass

import numpy as np

from headcount_engine.kernels import orders
from headcount_engine.model.batches import I64, U8, U32, Mask, Texts

_REACH = 512
_SHARE = 64
_SINGLY = 8
"""Comings and goings of up to the eighth part of a stretch are entered one by one; making a new list takes longer."""
_PAST_ALL_IDS = 1 << 32

Entry = tuple[bytes, int]
"""A key in UTF-8 and its id."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """All of a group whose key comes after `after` and not after `last`.

    entries  ascending, so by key
    after    None: from the first one
    last     None: to the last one
    skipped  how many of the group are not after `after`
    """

    entries: list[Entry]
    after: bytes | None
    last: bytes | None
    skipped: int

    @staticmethod
    def around(keys: Texts, ids: U32, place: int) -> Stretch:
        """Of the whole group, around its `place`-th (from 1) by key. 0.1 us for each of the group."""
        reach = _reach(len(ids))
        first, end = max(0, place - reach), min(len(ids), place + reach)
        order = np.arange(len(ids), dtype=np.int64)
        data, offsets = _owned(keys)
        stack = np.empty(orders.STACK, dtype=np.int64)
        orders.select_texts(data, offsets, order, max(0, first - 1), end, stack)
        chosen = order[max(0, first - 1) : end]
        entries = _entries(keys, ids, chosen)
        after = None if first == 0 else entries.pop(0)[0]
        return Stretch(entries, after, None if end == len(ids) else entries[-1][0], first)

    def changed(self, keys: Texts, ids: U32, gone: Mask, come: Mask) -> Stretch:
        """After some of these left the group and others joined it."""
        skipped = self.skipped
        within = np.ones(len(ids), dtype=np.bool_) if self.last is None else at_most(keys, self.last)
        if self.after is not None:
            early = at_most(keys, self.after)
            within &= ~early
            skipped += int(np.count_nonzero(early & come)) - int(np.count_nonzero(early & gone))
        # Who had the value and gets it again is no row of a batch.
        leaving, joining = (_entries(keys, ids, np.flatnonzero(within & part)) for part in (gone, come))
        entries = self.entries
        if _SINGLY * (len(leaving) + len(joining)) > len(entries):
            left = frozenset(leaving)
            entries = sorted([entry for entry in entries if entry not in left] + joining)
        elif leaving or joining:
            entries = entries.copy()
            for entry in leaving:
                del entries[bisect_left(entries, entry)]
            for entry in joining:
                insort(entries, entry)
        return Stretch(entries, self.after, self.last, skipped)

    def has(self, place: int) -> bool:
        """Whether the `place`-th (from 1) of the group is in the stretch."""
        return 0 < place - self.skipped <= len(self.entries)

    def trimmed(self, place: int, group: int) -> Stretch:
        """Cut around the `place`-th, which it has, if it has grown to twice its size for a group of so many."""
        last = None if place == group else self.last
        reach = _reach(group)
        if len(self.entries) <= 4 * reach:
            return Stretch(self.entries, self.after, last, self.skipped)
        at = place - self.skipped
        first, end = max(0, at - reach), min(len(self.entries), at + reach)
        after = self.after if first == 0 else self.entries[first - 1][0]
        if end < len(self.entries):
            last = self.entries[end - 1][0]
        return Stretch(self.entries[first:end], after, last, self.skipped + first)

    def key_at(self, place: int) -> bytes:
        """Key of the `place`-th of the group, which it has."""
        return self.entries[place - self.skipped - 1][0]

    def across(self, one: bytes | None, other: bytes | None) -> list[int]:
        """Ids whose key comes after the lesser of two keys and not after the greater; a None is past every key.

        Neither lies outside the stretch, and a None is only asked for where it goes on to the last.
        """
        lesser, greater = _apart(one, other)
        if lesser is None:
            return []
        start = bisect_right(self.entries, (lesser, _PAST_ALL_IDS))
        end = len(self.entries) if greater is None else bisect_right(self.entries, (greater, _PAST_ALL_IDS))
        return [who for _, who in self.entries[start:end]]

    @property
    def nbytes(self) -> int:
        """Roughly: an entry is a tuple, its two objects and a place in the list."""
        return sum(140 + len(key) for key, _ in self.entries)

    def _check(self, group: list[Entry]) -> None:
        """Compare with the whole group, ascending."""
        held = [e for e in group if (self.after is None or e[0] > self.after)]
        assert self.skipped == len(group) - len(held), "others come before the stretch"
        assert self.entries == [e for e in held if self.last is None or e[0] <= self.last], "not that stretch"


def at_most(keys: Texts, key: bytes) -> Mask:
    """Which of the keys do not come after `key` in byte order. 10 ns a key."""
    out: U8 = np.empty(len(keys), dtype=np.uint8)
    data, offsets = _owned(keys)
    orders.texts_at_most(data, offsets, np.array(bytearray(key), dtype=np.uint8), out)
    return out.view(np.bool_)


def crossing(keys: Texts, one: bytes | None, other: bytes | None) -> Mask:
    """Which of the keys come after the lesser of two and not after the greater; a None is past every key."""
    lesser, greater = _apart(one, other)
    if lesser is None:
        return np.zeros(len(keys), dtype=np.bool_)
    past = ~at_most(keys, lesser)
    return past if greater is None else past & at_most(keys, greater)


def _apart(one: bytes | None, other: bytes | None) -> tuple[bytes | None, bytes | None]:
    """The lesser and the greater of two keys, where None is past every key."""
    if one is None or (other is not None and other < one):
        return other, one
    return one, other


def _reach(group: int) -> int:
    return _REACH + group // _SHARE


def _owned(texts: Texts) -> tuple[U8, I64]:
    """Bytes and offsets as kernels are compiled for them: read-only arrays, which texts from Python are, get copied."""
    return np.require(texts.data, None, ["C", "W"]), np.require(texts.offsets, None, ["C", "W"])


def _entries(keys: Texts, ids: U32, rows: I64) -> list[Entry]:
    raw, starts, ends = keys.data, keys.offsets[rows].tolist(), keys.offsets[rows + 1].tolist()
    pairs = zip(starts, ends, strict=True)
    return [
        (raw[start:end].tobytes(), who) for (start, end), who in zip(pairs, ids[rows].tolist(), strict=True)
    ]
