"""Value bitmaps: the profiles whose value in one column passes a predicate that is in use.

A bitmap is made by one scan when first asked for and then kept; the column only notes which ids changed. Whoever asks
next re-tests just these ids. So a write costs 4 bytes a changed row however many bitmaps exist, and a read pays for
what changed since the last one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.indexes.predicates import Coded, Predicate, Present, Range
from headcount_engine.indexes.ranges import RangeIndex
from headcount_engine.limits import BLOCK_WORDS
from headcount_engine.model.batches import U32, U64

_BITMAPS_KEPT = 4_096


class ChangedIds:
    """Ids that changed, in order of the commits; the oldest are forgotten past `ids_max`.

    Positions count ids ever noted. Written by the writer alone; `since` may run on any thread.
    """

    def __init__(self, ids_max: int = 1 << 16) -> None:
        self._parts: list[tuple[int, U32]] = []
        self.first = 0
        self.end = 0
        self._ids_max = ids_max

    def note(self, ids: U32, profiles: int) -> None:
        """Append changed ids (a column over `profiles` profiles keeps up to a quarter as many)."""
        if not len(ids):
            return
        parts = [*self._parts, (self.end, ids)]
        self.end += len(ids)
        bound = max(self._ids_max, profiles // 4)
        while parts and self.end - self.first > bound:
            start, dropped = parts.pop(0)
            self.first = start + len(dropped)
        self._parts = parts

    def since(self, position: int, end: int) -> U32 | None:
        """Ids noted in [position, end), repeats possible; None if some are forgotten."""
        parts = self._parts
        if position == end:
            return np.empty(0, dtype=np.uint32)
        if not parts or parts[0][0] > position:
            return None
        return np.concatenate([ids for start, ids in parts if position <= start < end])

    @property
    def nbytes(self) -> int:
        return 4 * (self.end - self.first)


class Kept:
    """A bitmap and up to which position of the column's changes it holds; its words once they are asked for."""

    __slots__ = ("_words", "bitmap", "position", "size")

    def __init__(self, position: int, bitmap: Bitmap) -> None:
        self.position = position
        self.bitmap = bitmap
        self.size = len(bitmap)
        self._words: tuple[U64, int] | None = None

    def words(self, blocks: int) -> tuple[U64, int]:
        """(words of at least `blocks` blocks, their address). As big as the population in bits; kept from then on."""
        held = self._words
        if held is None or len(held[0]) < blocks * BLOCK_WORDS:
            words = bitmaps.to_words(self.bitmap, blocks)
            held = self._words = (words, words.ctypes.data)
        return held

    @property
    def nbytes(self) -> int:
        held = self.bitmap.get_statistics()
        own = (
            held["n_bytes_array_containers"]
            + held["n_bytes_bitset_containers"]
            + held["n_bytes_run_containers"]
        )
        return int(own) + (0 if self._words is None else self._words[0].nbytes)


class ValueIndex:
    """The bitmaps in use of one column. Any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Predicate, Kept] = OrderedDict()
        self._lock = threading.Lock()
        self.ranges: RangeIndex | None = None
        self.ranges_asked = 0
        """How often a range of the column was counted."""

    def get(self, predicate: Predicate) -> Kept | None:
        """The bitmap of a predicate, if kept."""
        with self._lock:
            entry = self._kept.get(predicate)
            if entry is not None:
                self._kept.move_to_end(predicate)
            return entry

    def put(self, predicate: Predicate, position: int, bitmap: Bitmap) -> Kept:
        """Keep a bitmap unless a newer one is there; returns the one of that position."""
        fresh = Kept(position, bitmap)
        with self._lock:
            entry = self._kept.get(predicate)
            if entry is None or entry.position < position:
                self._kept[predicate] = fresh
                if len(self._kept) > _BITMAPS_KEPT:
                    self._kept.popitem(last=False)
        return fresh

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()

    @staticmethod
    def keeps(predicate: Predicate) -> bool:
        """Whether a predicate is worth a bitmap: one value, a table or presence; other ranges are scanned."""
        match predicate:
            case Range(low, high):
                return low == high
            case Present() | Coded():
                return True
            case _:
                return False

    @property
    def nbytes(self) -> int:
        with self._lock:
            ranges = 0 if self.ranges is None else self.ranges.nbytes
            return ranges + sum(kept.nbytes for kept in self._kept.values())


def merge_changes(base: Bitmap, changed: U32, passing: U32) -> Bitmap:
    """`base` with the changed ids re-decided: out, but for those in `passing`."""
    return (base - bitmaps.from_ids(changed)) | bitmaps.from_ids(passing)
