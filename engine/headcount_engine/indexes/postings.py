"""Postings: where in a run the events are that carry one value of a coded property.

A filter on a value passes few events of a window, and looking at all of them to find these costs more than counting
them. So the second time that a property of a run is filtered by a value, its events are put in order of their codes, in
chunks of 65,536. A chunk may cover the front part of its events only, when a run grows; the rest is looked through.
6 bytes an event, of the chunks that were asked for.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headcount_engine.indexes.predicates import Stored
from headcount_engine.model.batches import U32

CHUNK = 1 << 16
"""Events of a chunk: a place in it takes 16 bits."""
_CODE_MAX = 1 << 15
"""A chunk with greater codes is not put in order: where each code begins would take more than its events."""
_WORTH = 1 << 12
"""Events that a chunk may lack before it is made anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Posted:
    """The first `covers` events of a chunk by (code, position).

    profiles  u32: whose each is
    places    u16: where in the chunk each is
    starts    u32 by code: where its events begin; one entry more than the greatest code has
    """

    covers: int
    profiles: U32
    places: NDArray[np.uint16]
    starts: U32

    @staticmethod
    def of(profiles: U32, codes: Stored) -> Posted:
        """Some 10 ns an event. A chunk with great codes covers nothing."""
        top = int(codes.max())
        if top > _CODE_MAX:
            return Posted(0, profiles[:0], np.empty(0, dtype=np.uint16), np.zeros(1, dtype=np.uint32))
        narrow = codes.astype(np.uint16)
        places = np.argsort(narrow, kind="stable").astype(np.uint16)
        starts = np.zeros(top + 2, dtype=np.uint32)
        np.cumsum(np.bincount(narrow, minlength=top + 1), out=starts[1:])
        return Posted(len(codes), profiles[places], places, starts)

    def between(self, code: int, first: int, end: int) -> U32:
        """Whose the events with a code at places [first, end) are, in order."""
        if code + 1 >= len(self.starts):
            return self.profiles[:0]
        low, high = self.starts.item(code), self.starts.item(code + 1)
        if first > 0 or end < self.covers:
            places = self.places[low:high]
            # Ends past the places are cut off, or they would not be of 16 bits.
            begin = places.searchsorted(np.uint16(first), side="left") if first < CHUNK else high - low
            finish = places.searchsorted(np.uint16(end), side="left") if end < CHUNK else high - low
            low, high = low + int(begin), low + int(finish)
        return self.profiles[low:high]

    @property
    def nbytes(self) -> int:
        return self.profiles.nbytes + self.places.nbytes + self.starts.nbytes


class Postings:
    """The chunks of one run that have been put in order, by property. Any thread; a growing run keeps them."""

    def __init__(self) -> None:
        self._chunks: dict[tuple[str, int], Posted] = {}
        self._asked: set[str] = set()
        self._refused: set[tuple[str, int]] = set()
        self._lock = threading.Lock()

    def members(
        self, name: str, codes: tuple[int, ...], profiles: U32, column: Stored, start: int, end: int
    ) -> tuple[list[U32], list[tuple[int, int]]]:
        """Whose the events in [start, end) with one of the codes are, and the stretches still to be looked through.

        `profiles` and `column` are the run's own. Codes are not 0, and each is there once.
        """
        if name not in self._asked:
            self._asked.add(name)
            return [], [(start, end)]
        found: list[U32] = []
        rest: list[tuple[int, int]] = []
        for number in range(start // CHUNK, (end + CHUNK - 1) // CHUNK):
            base = number * CHUNK
            first, last = max(start - base, 0), min(end - base, CHUNK)
            posted = self._chunk(name, number, profiles[base : base + CHUNK], column[base : base + CHUNK])
            covered = min(last, posted.covers)
            if first < covered:
                found += (posted.between(code, first, covered) for code in codes)
            if covered < last:
                rest.append((base + max(first, covered), base + last))
        return found, rest

    def _chunk(self, name: str, number: int, profiles: U32, codes: Stored) -> Posted:
        key = name, number
        held = self._chunks.get(key)
        if held is not None and (len(codes) - held.covers < _WORTH or key in self._refused):
            return held
        with self._lock:
            held = self._chunks.get(key)
            if held is None or (len(codes) - held.covers >= _WORTH and key not in self._refused):
                held = self._chunks[key] = Posted.of(profiles, codes)
                if not held.covers:
                    self._refused.add(key)
            return held

    @property
    def nbytes(self) -> int:
        with self._lock:
            return sum(posted.nbytes for posted in self._chunks.values())
