"""The members of live segments as bitmaps, derived from flips when somebody wants a set.

A commit leaves its flips as they are, by segment, in one list for all; a segment remembers up to where it has been
folded. So publishing costs the same however many segments flip, and a set that nobody wants costs next to nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.model.batches import I64, U32

_PENDING_MAX = 1 << 22
"""Flips that may wait, of all segments together, before every set is folded: 16 MB."""


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


class MemberSets:
    """The sets of all live segments, by slot. Published by the writer under the gate; folded by whoever asks."""

    def __init__(self) -> None:
        self._folded: dict[int, tuple[Bitmap, int]] = {}
        self._pending: list[Flipped] = []
        self._first = 0
        """How many flips of versions went before the first that is pending."""
        self._pending_ids = 0
        self._lock = threading.Lock()

    def publish(self, flipped: Flipped) -> None:
        """Who was in is out, and the other way round. Under the gate."""
        if not len(flipped.ids):
            return
        with self._lock:
            self._pending.append(flipped)
            self._pending_ids += len(flipped.ids)
            if self._pending_ids > _PENDING_MAX:
                self._fold_all()

    def replace(self, slot: int, bitmap: Bitmap) -> None:
        """One set as it is now. Under the gate."""
        with self._lock:
            self._folded[slot] = (bitmap, self._first + len(self._pending))

    def fold(self, slot: int) -> Bitmap:
        """A set as last published; not to be mutated. Under the gate, or a newer one may be met."""
        with self._lock:
            return self._fold(slot)

    def _fold(self, slot: int) -> Bitmap:
        bitmap, seen = self._folded.get(slot, (EMPTY, self._first))
        parts = [ids for f in self._pending[seen - self._first :] if (ids := f.of(slot)) is not None]
        if parts:
            ids = np.sort(np.concatenate(parts))
            # Back and forth is no change: who flipped an odd number of times is on the other side.
            starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
            odd = np.diff(np.append(starts, len(ids))) % 2 == 1
            bitmap = bitmap ^ bitmaps.from_ids(ids[starts[odd]])
        self._folded[slot] = (bitmap, self._first + len(self._pending))
        return bitmap

    def _fold_all(self) -> None:
        for slot in {*self._folded, *(slot for f in self._pending for slot in f.slots.tolist())}:
            self._fold(slot)
        self._first += len(self._pending)
        self._pending, self._pending_ids = [], 0

    @property
    def nbytes(self) -> int:
        return 4 * self._pending_ids + sum(len(b) // 4 for b, _ in self._folded.values())
