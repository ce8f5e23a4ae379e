"""Who the members of an audience are by now: those erased since are nobody, those merged since are one person.

A resolved audience keeps its members as places, in order of id. A person has all the places of the profiles that
became one with it, and is given at the first of them: so each comes once, also to a reader who had passed that place
before the merge, and every offset goes on meaning what it meant. Who was merged into a profile that has no place of its
own leaves it his, as on any list.
"""

from __future__ import annotations

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.model.batches import I64

_NOBODY: I64 = np.zeros(0, dtype=np.int64)


class Standing:
    """The places of one audience under one population. Linear in the profiles that were ever merged."""

    def __init__(self, members: Bitmap, population: PopulationView) -> None:
        self._members = members
        self._population = population
        self._places = self._persons = _NOBODY
        redirects = population.redirects
        if len(redirects.losers):
            losers = bitmaps.to_ids(bitmaps.from_ids(redirects.losers) & members).astype(np.int64)
            persons, first = np.unique(redirects.resolve(losers), return_index=True)
            places = losers[first]
            with_own = bitmaps.to_ids(bitmaps.from_ids(persons) & members)
            stands_elsewhere = (places < persons) | ~np.isin(persons, with_own)
            self._places, self._persons = places[stands_elsewhere], persons[stands_elsewhere]

    def of(self, part: Bitmap) -> Bitmap:
        """Who stands at these of the audience's places; the same set where nobody was erased or merged."""
        population = self._population
        if population.count == population.ids_end:
            return part
        there = part & population.existing
        if not len(self._places):
            return there
        places = bitmaps.to_ids(bitmaps.from_ids(self._places) & part)
        entered = self._persons[np.isin(self._places, places)]
        return (there - bitmaps.from_ids(self._persons)) | bitmaps.from_ids(entered)

    def all(self) -> Bitmap:
        """Everybody."""
        return self.of(self._members)
