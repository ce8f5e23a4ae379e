"""The members of one live segment as a bitmap, derived from its flips when somebody wants the set."""

from __future__ import annotations

import threading

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.model.batches import U32

_PENDING_MAX = 1 << 16


class MemberSet:
    """A bitmap and the flips since it was folded. Published under the gate by the writer; folded by whoever asks."""

    def __init__(self, bitmap: Bitmap = EMPTY) -> None:
        self._folded = bitmap
        self._pending: list[U32] = []
        self._pending_ids = 0
        self._lock = threading.Lock()

    def publish(self, flipped: U32) -> None:
        """These ids joined or left: who was in is out, and the other way round. Under the gate."""
        with self._lock:
            self._pending.append(flipped)
            self._pending_ids += len(flipped)
        if self._pending_ids > _PENDING_MAX:
            self.fold()

    def replace(self, bitmap: Bitmap) -> None:
        """The whole set anew. Under the gate."""
        with self._lock:
            self._folded, self._pending, self._pending_ids = bitmap, [], 0

    def fold(self) -> Bitmap:
        """The set as last published; not to be mutated. Under the gate, or a newer one may be met."""
        with self._lock:
            if self._pending:
                flipped = np.concatenate(self._pending)
                ids, counts = np.unique(flipped, return_counts=True)
                self._folded = self._folded ^ bitmaps.from_ids(ids[counts % 2 == 1])
                self._pending, self._pending_ids = [], 0
            return self._folded

    @property
    def nbytes(self) -> int:
        return 4 * self._pending_ids + len(self._folded) // 4
