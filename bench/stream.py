"""Events that go on after the history, with its density and rhythm, as long as anybody takes them.

Every window then loses as many as it gains: the steady state of a store in use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np

from bench.clocks import SharedClock
from bench.columns import numbered
from bench.generator import EVENT_CHUNK, Events, events
from bench.tiers import DAY_US, DAYS, START_US, Tier
from headcount_engine import Database
from headcount_engine.model.batches import EventBatch, Texts

_SEED = 9_000
_HISTORY_US = DAYS * DAY_US


class EventStream:
    """Takes up where the clock is: one history after the other, under other seeds.

    `series`: another one for each stream that begins within the same history, so that none repeats another.
    """

    def __init__(self, tier: Tier, clock: SharedClock, series: int = 0) -> None:
        self._clock = clock
        self._chunks = _chunks(tier, clock.now_us(), _SEED + 100 * series)
        self._chunk = next(self._chunks)
        newest = np.maximum.accumulate(self._chunk.times_us)
        self._at = int(np.searchsorted(newest, clock.now_us(), side="right"))
        self._ids = series * 100_000_000

    def take(self, rows: int) -> Events:
        """The next events; the few at the end of a chunk that do not make as many are left out."""
        if self._at + rows > len(self._chunk):
            self._chunk, self._at = next(self._chunks), 0
        self._at += rows
        return self._chunk.part(self._at - rows, self._at)

    def batch(self, rows: int, *, with_ids: bool = False) -> EventBatch:
        """The next events from text keys."""
        batch = self.take(rows).to_batch()
        if not with_ids:
            return batch
        self._ids += rows
        return dataclasses.replace(batch, event_ids=numbered("e", np.arange(self._ids - rows, self._ids), 10))

    def writer(
        self, database: Database, rows: int, *, with_ids: bool = False, by_id: bool = False
    ) -> Callable[[], Callable[[], object]]:
        """What makes a batch, moves the clock to its newest event, and returns the write of it.

        `by_id`: with the dense ids of the profiles, all of whom must be there, in place of their keys.
        """

        def prepare() -> Callable[[], object]:
            batch = self.batch(rows, with_ids=with_ids)
            if by_id and isinstance(batch.keys, Texts):
                batch = dataclasses.replace(batch, keys=database.profile_ids(batch.keys))
            self._clock.advance_to(int(batch.times_us.max()))
            return lambda: database.write_events(batch)

        return prepare


def _chunks(tier: Tier, from_us: int, seed: int) -> Iterator[Events]:
    """Chunks from the one on that has this instant in it."""
    epoch, within_us = divmod(from_us - START_US, _HISTORY_US)
    chunks = -(-tier.size.events // EVENT_CHUNK)
    first = min(within_us * chunks // _HISTORY_US, chunks - 1)
    while True:
        made = events(tier.size.events, tier.size.profiles, seed + epoch, first_chunk=first)
        for chunk in made:
            yield dataclasses.replace(chunk, times_us=chunk.times_us + epoch * _HISTORY_US)
        epoch, first = epoch + 1, 0
