"""Who exists: keys to dense ids and back, and the bitmap of existing profiles."""

from __future__ import annotations

from dataclasses import dataclass, field

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.indexes.texts import TextTable
from headcount_engine.limits import BLOCK_BITS
from headcount_engine.model.batches import I64, U64, Texts


@dataclass(frozen=True, slots=True, eq=False)
class PopulationView:
    """The profiles of one version. `ids_end`: ids given out so far; `existing`: those that exist; `count`: how many."""

    ids_end: int
    existing: Bitmap
    count: int
    _words: list[tuple[U64, int]] = field(default_factory=list)

    @property
    def blocks(self) -> int:
        """Blocks that cover all ids."""
        return ((self.ids_end - 1) >> BLOCK_BITS) + 1 if self.ids_end else 0

    @property
    def words(self) -> tuple[U64, int]:
        """(words of the existing profiles, their address); kept from the first use on."""
        if not self._words:
            words = bitmaps.to_words(self.existing, self.blocks)
            self._words.append((words, words.ctypes.data))
        return self._words[0]


class Identities:
    """Keys in the order of their dense ids. Changed by the single writer."""

    def __init__(self) -> None:
        self.keys = TextTable()
        self._view = PopulationView(0, bitmaps.EMPTY, 0)

    def view(self) -> PopulationView:
        return self._view

    def find(self, keys: Texts) -> I64:
        """Dense id of each key, -1 where no such profile has been published: i64 of n."""
        view = self._view
        ids = self.keys.find(keys)
        ids[ids >= view.ids_end] = -1
        return ids

    def publish(self, new_keys: Texts) -> None:
        """Give the next ids to keys that are all new and all different."""
        if not len(new_keys):
            return
        start = self._view.ids_end
        self.keys.intern(new_keys)
        end = len(self.keys)
        existing = bitmaps.copy(self._view.existing)
        existing.add_range(start, end)
        self._view = PopulationView(end, existing, self._view.count + end - start)

    def restore(self, keys: Texts, existing: Bitmap) -> None:
        """Take stored keys as the contents."""
        self.keys.intern(keys)
        self._view = PopulationView(len(keys), existing, len(existing))

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes
