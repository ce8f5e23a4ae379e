"""The members of live segments as bitmaps, derived from flips when somebody wants a set.

A commit leaves its flips as they are, by segment, in one list for all; a segment remembers up to where it has been
folded. So publishing costs the same however many segments flip, and a set that nobody wants costs next to nothing.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.model.batches import I64, U32

_PENDING_MAX = 1 << 22
"""Flips that may wait, of all segments together, before every set is folded: 16 MB."""
_SINGLE_MAX = 64
"""Versions whose flips may wait apart, before they are joined."""


@dataclass(frozen=True, slots=True, eq=False)
class Flipped:
    """The flips of one version: `ids` of slots[i] are ids[starts[i]:starts[i + 1]], slots ascending."""

    slots: I64
    starts: I64
    ids: U32

    def of(self, slot: int) -> U32 | None:
        """Who joined or left one segment."""
        at = int(np.searchsorted(self.slots, slot))
        if at == len(self.slots) or int(self.slots[at]) != slot:
            return None
        return self.ids[self.starts[at] : self.starts[at + 1]]


def joined(parts: Sequence[Flipped]) -> Flipped:
    """The flips of several versions as one; ids that flipped more than once are in it as often."""
    slots = np.concatenate([np.repeat(p.slots, np.diff(p.starts)) for p in parts])
    order = np.argsort(slots, kind="stable")
    found, starts = np.unique(slots[order], return_index=True)
    return Flipped(found, np.append(starts, len(slots)), np.concatenate([p.ids for p in parts])[order])


class MemberSets:
    """The sets of all live segments, by slot. Published by the writer under the gate; folded by whoever asks.

    Flips wait in the order of their versions; as they get many, those of lately are joined, and with them what was
    joined before if that is not much larger. So few parts wait, however many versions they are of.
    """

    def __init__(self) -> None:
        self._folded: dict[int, tuple[Bitmap, int]] = {}
        """By slot, a set and the number of versions that it has seen."""
        self._pending: list[Flipped] = []
        self._ends: list[int] = []
        """How many versions with flips there were up to the end of each that is pending."""
        self._blocks = 0
        """How many of the pending ones, from the first, are joined ones."""
        self._versions = 0
        self._pending_ids = 0
        self._lock = threading.Lock()

    def publish(self, flipped: Flipped) -> None:
        """Who was in is out, and the other way round. Under the gate."""
        if not len(flipped.ids):
            return
        with self._lock:
            self._versions += 1
            self._pending.append(flipped)
            self._ends.append(self._versions)
            self._pending_ids += len(flipped.ids)

    def settle(self) -> None:
        """Join what is pending, or fold all of it where it is much. By the writer, between two publishes."""
        if self._pending_ids > _PENDING_MAX:
            self._fold_all()
        elif len(self._pending) >= self._blocks + _SINGLE_MAX:
            self._join()

    def replace(self, slot: int, bitmap: Bitmap) -> None:
        """One set as it is now. Under the gate."""
        with self._lock:
            self._folded[slot] = (bitmap, self._versions)

    def fold(self, slot: int) -> Bitmap:
        """A set as last published; not to be mutated. Under the gate, or a newer one may be met."""
        with self._lock:
            bitmap, seen = self._folded.get(slot, (EMPTY, 0))
            first = bisect_right(self._ends, seen)
            parts = [ids for f in self._pending[first:] if (ids := f.of(slot)) is not None]
            if parts:
                ids = np.sort(np.concatenate(parts))
                # Back and forth is no change: who flipped an odd number of times is on the other side.
                starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
                odd = np.diff(np.append(starts, len(ids))) % 2 == 1
                bitmap = bitmap ^ bitmaps.from_ids(ids[starts[odd]])
            self._folded[slot] = (bitmap, self._versions)
            return bitmap

    def _join(self) -> None:
        """Join the versions of lately, and earlier ones with them, from the last that are no larger together."""
        first, size = self._blocks, sum(len(f.ids) for f in self._pending[self._blocks :])
        while first and len(self._pending[first - 1].ids) <= size:
            first -= 1
            size += len(self._pending[first].ids)
        before = self._ends[first - 1] if first else 0
        # A set that has seen some of what is joined and not the rest could not be told from it.
        for slot, (_, seen) in list(self._folded.items()):
            if before < seen < self._versions:
                self.fold(slot)
        block = joined(self._pending[first:])
        with self._lock:
            self._pending[first:] = [block]
            self._ends[first:] = [self._versions]
            self._blocks = first + 1

    def _fold_all(self) -> None:
        """A set at a time, so that nobody waits for all of them."""
        for slot in {*self._folded, *(slot for f in self._pending for slot in f.slots.tolist())}:
            self.fold(slot)
        with self._lock:
            self._pending, self._ends = [], []
            self._blocks, self._pending_ids = 0, 0

    @property
    def nbytes(self) -> int:
        return 4 * self._pending_ids + sum(len(b) // 4 for b, _ in self._folded.values())
