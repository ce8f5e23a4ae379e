"""What questions are given: the tier's data, and for those that need it a loaded engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench import living
from bench.asked import Asked
from bench.clocks import SharedClock
from bench.data import Data
from bench.generator import Files, write_parquet
from bench.loading import Load, load, new_database
from bench.measure import resident_bytes
from bench.segments import Definition, definitions
from bench.stream import EventStream
from bench.tiers import NOW_US, Tier
from headcount_engine import Database
from headcount_engine.kernels import jit


@dataclass(slots=True)
class Loaded:
    """A database with a tier in it."""

    database: Database
    cost: Load
    resident_bytes: int
    """What the process grew by while loading, with all compiled code there before."""


class Context:
    """One run on one tier. What is costly is made when first asked for, and not on any question's clock."""

    def __init__(self, tier: Tier, folder: Path, named: frozenset[str] = frozenset()) -> None:
        """`named`: the rows that were asked for by name, if not all are."""
        self.named = named
        self.tier = tier
        self.folder = folder
        self.files: Files = write_parquet(folder, tier)
        self.data = Data(self.files)
        self._answers: dict[Asked, int] = {}
        self.clock = SharedClock(folder / f"{tier}-clock", NOW_US)
        self._streams = 0
        self.saved = 0
        """Live segments in the loaded database."""
        self.live_resident_bytes = 0
        """What the process grew by while segments were saved."""
        self.seconds_without_segments: dict[int, float] = {}
        """What a batch of so many events took before there were live segments: the floor of those with them."""

    def answer(self, question: Asked) -> int:
        """The count worked out from the data, once."""
        if question not in self._answers:
            self._answers[question] = self.data.answer(question)
        return self._answers[question]

    @cached_property
    def loaded(self) -> Loaded:
        warm_kernels()
        # Once for nothing, so that the reader's own buffers and code do not count as the engine's.
        load(new_database(), self.files, batches=2)
        before = resident_bytes()
        database = new_database(self.clock)
        cost = load(database, self.files)
        return Loaded(database, cost, resident_bytes() - before)

    @cached_property
    def stream(self) -> EventStream:
        """Events that go on after the history; whoever writes them moves the clock along."""
        self._streams += 1
        return EventStream(self.tier, self.clock, self._streams)

    def renew_stream(self) -> None:
        """Go on where the clock is by now, after another process has moved it."""
        self.__dict__.pop("stream", None)

    def live(self, count: int) -> list[Definition]:
        """So many segments, live in the loaded database; those that are not there yet are saved."""
        made = definitions(count)
        if count > self.saved:
            before = resident_bytes()
            living.save(self.loaded.database, made[self.saved :])
            self.saved = count
            self.live_resident_bytes += resident_bytes() - before
        return made

    @property
    def segments(self) -> list[Definition]:
        """As many as the tier has."""
        return self.live(self.tier.size.segments)

    @cached_property
    def durable(self) -> dict[str, float]:
        """What a durable store of the tier costs: see bench.durable, which does it in processes of their own."""
        from bench import durable

        return durable.measured(self.tier, self.folder)


def warm_kernels() -> None:
    """Compile all kernels or read them from the cache: never on a question's clock."""
    for _ in jit.warm():
        pass
