"""Who exists: keys to dense ids and back, and the bitmap of existing profiles.

A profile that was merged into another keeps its id and its key, which lead to the other; one that was erased keeps
only its id. Neither id is given out again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.indexes.texts import TextTable
from headcount_engine.limits import BLOCK_BITS
from headcount_engine.model.batches import I64, U32, U64, Mask, Texts

_NOBODY: U32 = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Redirects:
    """Where the keys of merged profiles lead. `losers`: u32, ascending; `survivors`: u32 parallel, none a loser."""

    losers: U32 = field(default_factory=lambda: _NOBODY)
    survivors: U32 = field(default_factory=lambda: _NOBODY)

    def resolve(self, ids: I64) -> I64:
        """The ids with losers replaced by their survivors; the same array where there is nothing to replace."""
        if not len(self.losers):
            return ids
        at = np.minimum(np.searchsorted(self.losers, ids), len(self.losers) - 1)
        return np.where(self.losers[at] == ids, self.survivors[at], ids).astype(np.int64)

    def into(self, survivor: int) -> U32:
        """The profiles that were merged into one, straight or through others: u32, ascending."""
        found: U32 = self.losers[self.survivors == survivor]
        return found

    def merged(self, loser: int, survivor: int) -> Redirects:
        """After one more merge."""
        survivors = np.where(self.survivors == loser, np.uint32(survivor), self.survivors).astype(np.uint32)
        at = int(np.searchsorted(self.losers, loser))
        return Redirects(
            np.insert(self.losers, at, np.uint32(loser)), np.insert(survivors, at, np.uint32(survivor))
        )

    def without(self, survivor: int) -> Redirects:
        """After the survivor was erased."""
        kept = self.survivors != survivor
        return Redirects(self.losers[kept], self.survivors[kept])


@dataclass(frozen=True, slots=True, eq=False)
class MergeEdit:
    """A profile that ends in another. Both are dense ids."""

    survivor: int
    loser: int


@dataclass(frozen=True, slots=True, eq=False)
class PopulationView:
    """The profiles of one version. `ids_end`: ids given out so far; `existing`: those that exist; `count`: how many."""

    ids_end: int
    existing: Bitmap
    count: int
    redirects: Redirects = field(default_factory=Redirects)
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
        """Dense id of each key, a merged profile's being its survivor's, -1 where none has been published: i64 of n."""
        return self.find_in(self._view, keys)

    def find_in(self, view: PopulationView, keys: Texts) -> I64:
        """As `find`, as of a version."""
        ids = self.keys.find(keys)
        ids[ids >= view.ids_end] = -1
        return view.redirects.resolve(ids)

    def find_one_in(self, view: PopulationView, key: str) -> int:
        """As `find_in`, of one key."""
        found = self.keys.find_one(key)
        if not 0 <= found < view.ids_end:
            return -1
        return found if not len(view.redirects.losers) else int(view.redirects.resolve(np.array([found]))[0])

    def are_gone(self, ids: I64) -> Mask:
        """Which of these ids belong to nobody any more, and lead to nobody: erased ones. bool of n."""
        view = self._view
        if view.count == view.ids_end:
            return np.zeros(len(ids), dtype=np.bool_)
        return np.isin(ids, bitmaps.to_ids(bitmaps.from_range(0, view.ids_end) - view.existing))

    def keys_at(self, ids: I64) -> Texts:
        """Keys of dense ids, in that order; empty for those that were erased."""
        texts, blanks = self.keys.take(ids), self.keys.blanks
        if not len(blanks) or not (gone := np.isin(ids, blanks)).any():
            return texts
        offsets = np.zeros(len(ids) + 1, dtype=np.int64)
        np.cumsum(np.where(gone, 0, np.diff(texts.offsets)), out=offsets[1:])
        return Texts(texts.take(np.flatnonzero(~gone)).data, offsets)

    def publish(self, new_keys: Texts) -> None:
        """Give the next ids to keys that are all new and all different."""
        if not len(new_keys):
            return
        start = self._view.ids_end
        self.keys.intern(new_keys)
        end = len(self.keys)
        existing = bitmaps.copy(self._view.existing)
        existing.add_range(start, end)
        self._view = PopulationView(end, existing, self._view.count + end - start, self._view.redirects)

    def merge(self, edit: MergeEdit) -> None:
        """Take a profile out of those that exist and let its key lead to another."""
        self._leave(edit.loser, self._view.redirects.merged(edit.loser, edit.survivor))

    def erase(self, profile: int) -> None:
        """Take a profile out of those that exist, and what was merged into it out of what leads anywhere."""
        self._leave(profile, self._view.redirects.without(profile))

    def _leave(self, profile: int, redirects: Redirects) -> None:
        existing = bitmaps.copy(self._view.existing)
        existing.discard(profile)
        self._view = PopulationView(self._view.ids_end, existing, self._view.count - 1, redirects)

    def restore(self, keys: Texts, existing: Bitmap, redirects: Redirects) -> None:
        """Take stored keys as the contents."""
        self.keys.extend(keys)
        self._view = PopulationView(len(keys), existing, len(existing), redirects)

    @property
    def nbytes(self) -> int:
        return self.keys.nbytes
