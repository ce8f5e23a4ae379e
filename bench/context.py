"""What questions are given: the tier's data, and for those that need it a loaded engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bench.asked import Asked
from bench.data import Data
from bench.generator import Files, write_parquet
from bench.loading import Load, load, new_database
from bench.measure import resident_bytes
from bench.segments import Definition, definitions
from bench.tiers import Tier
from headcount_engine import Database
from headcount_engine.kernels import jit
from headcount_engine.model.answers import SegmentDraft


@dataclass(slots=True)
class Loaded:
    """A database with a tier in it."""

    database: Database
    cost: Load
    resident_bytes: int
    """What the process grew by while loading, with all compiled code there before."""


class Context:
    """One run on one tier. What is costly is made when first asked for, and not on any question's clock."""

    def __init__(self, tier: Tier, folder: Path) -> None:
        self.tier = tier
        self.folder = folder
        self.files: Files = write_parquet(folder, tier)
        self.data = Data(self.files)
        self._answers: dict[Asked, int] = {}

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
        database = new_database()
        cost = load(database, self.files)
        return Loaded(database, cost, resident_bytes() - before)

    @cached_property
    def segments(self) -> list[Definition]:
        """A thousand definitions, saved in the loaded database."""
        made = definitions(self.tier.size.segments)
        for definition in made:
            self.loaded.database.create_segment(SegmentDraft(definition.name, definition.rule, definition.id))
        return made

    @cached_property
    def durable(self) -> dict[str, float]:
        """What a durable store of the tier costs: see bench.durable, which does it in processes of their own."""
        from bench import durable

        return durable.measured(self.tier, self.folder)


def warm_kernels() -> None:
    """Compile all kernels or read them from the cache: never on a question's clock."""
    for _ in jit.warm():
        pass
