"""A database whose live segments are looked at by key, each look being compared with a fresh evaluation."""

from __future__ import annotations

from collections.abc import Sequence

from headcount_engine.changes.cursors import Position
from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import Column
from headcount_engine.model.changes import Cause
from headcount_engine.model.durability import DurabilityOptions
from tests.agreement.columns import events
from tests.durability.crash_files import CrashFiles

DAY = 86_400_000_000
NOW = 20_000 * DAY
MANUAL = DurabilityOptions(is_automatic=False)


class Kept:
    """A database whose live segments are looked at by key."""

    def __init__(self, files: CrashFiles | None = None, now_us: int = NOW) -> None:
        self.clock = ManualClock(now_us)
        self.files = files
        self.database = Database.open(None, clock=self.clock, files=files, durability=MANUAL)

    def save(self, **rules: str) -> None:
        for name, rule in rules.items():
            self.database.create_segment(SegmentDraft(name, rule, name))

    def to(self, now_us: int) -> None:
        self.clock.advance_to(now_us)
        self.database.tick()

    def events(self, keys: Sequence[str], name: str, times_us: Sequence[int], *columns: Column) -> None:
        self.database.write_events(events(keys, name, times_us, *columns))

    def told(self) -> list[tuple[str, str, str, str]]:
        """(joined or left, segment, key, cause) of everything so far, in order."""
        found = []
        for block in self.database._changes.log.read(Position(1), None, 1 << 30).blocks:
            keys = self.database.keys_of(block.ids).to_list()
            for key, cause in zip(keys, block.causes.tolist(), strict=True):
                found.append((block.kind.name.lower(), block.segment, key, Cause(cause).name))
        return found

    def members(self, name: str) -> set[str]:
        """Who is kept in it, everything else having been compared with a fresh evaluation."""
        database = self.database
        database.check_live()
        held = database.live.members(name)
        assert held is not None
        definition = database._catalogue.get(name)
        if definition.rule is not None and not definition.state.is_frozen:
            assert held == database.segments.members_at(definition.rule, database.live_now_us()), name
        return set(database.keys_of(database.members(f'in segment "{name}"').ids).to_list())
