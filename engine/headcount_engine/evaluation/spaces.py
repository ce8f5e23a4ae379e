"""Who a set is about: people, or inside `same` pairs of a profile and a value.

A keyed condition is an ordinary one over pairs: each event counts for the pair of its profile and the value that it
carries, and what is known of a profile holds for all its pairs. So every leaf is written once, over a space.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.indexes.runs import Run
from headcount_engine.kernels import histories
from headcount_engine.limits import BLOCK_WORDS
from headcount_engine.model.batches import I64, U32


class Space(Protocol):
    """Members are numbered from 0; sets of them are bitmaps."""

    @property
    def blocks(self) -> int:
        """Blocks that cover all members."""
        ...

    @property
    def everyone(self) -> Bitmap: ...

    @property
    def size(self) -> int: ...

    def members_of(self, run: Run, start: int, end: int) -> tuple[I64 | None, U32]:
        """Whose the events run[start:end] are: (which of them, their members); None: all of them, in order."""
        ...

    def lift(self, people: Bitmap) -> Bitmap:
        """The members that belong to these profiles."""
        ...


class People:
    """Members are profiles."""

    def __init__(self, population: PopulationView) -> None:
        self.blocks = population.blocks
        self.everyone = population.existing
        self.size = population.count

    def members_of(self, run: Run, start: int, end: int) -> tuple[I64 | None, U32]:
        return None, run.profiles[start:end]

    def lift(self, people: Bitmap) -> Bitmap:
        return people


class Pairs:
    """Members are pairs of a profile and a value that some event of it carries.

    `owners`: the profile of each pair. `values`: for each run the events that carry something, and what, as u32 keys:
    (positions or None for all, keys); `table`: the pairs, as enter_pairs leaves it.
    """

    def __init__(
        self,
        owners: U32,
        carried: dict[int, tuple[I64, U32]],
        table: tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], U32],
        people: PopulationView,
    ) -> None:
        self._owners = owners
        self._carried = carried
        self._table = table
        self._people = people
        self.size = len(owners)
        self.blocks = (len(owners) + 65_535) >> 16
        self.everyone = bitmaps.from_range(0, len(owners))

    def members_of(self, run: Run, start: int, end: int) -> tuple[I64 | None, U32]:
        """Events without the property, or whose pair is none of ours, are left out; one with a set comes repeatedly."""
        held = self._carried.get(id(run))
        if held is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.uint32)
        rows, keys = held
        first, last = np.searchsorted(rows, [start, end])
        rows, keys = rows[first:last], keys[first:last]
        numbers = np.empty(len(rows), dtype=np.uint32)
        histories.find_pairs(run.profiles[rows], keys, *self._table, numbers)
        ours = numbers > 0
        return rows[ours] - start, numbers[ours] - np.uint32(1)

    def lift(self, people: Bitmap) -> Bitmap:
        words = np.zeros(self.blocks * BLOCK_WORDS, dtype=np.uint64)
        histories.lift_words(self._owners, bitmaps.to_words(people, self._people.blocks), words)
        return bitmaps.from_words(words)

    def owners_of(self, pairs: Bitmap) -> Bitmap:
        """The profiles that some of the pairs belong to."""
        return bitmaps.from_ids(np.unique(self._owners[bitmaps.to_ids(pairs)]))
