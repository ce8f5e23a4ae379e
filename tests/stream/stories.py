"""Made-up histories of segments: what is published, version by version, and what the world is after each."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.changes.chunks import ChangeKind
from headcount_engine.changes.cursors import Cursor
from headcount_engine.changes.feed import Changes
from headcount_engine.changes.options import ChangeOptions
from headcount_engine.changes.watch import Members, Start, Watch, WatchItem, cursor_after
from headcount_engine.model.changes import SegmentFlips
from tests.stream.validators import INITIAL, JOINED, LEFT, Heard, Stream, Told

NOW = 1_700_000_000_000_000
MINUTE = 60_000_000
STORE = b"store of the test"
AT_ONCE = ChangeOptions(progress_every_s=0.0)
_CHANGES = {ChangeKind.JOINED: JOINED, ChangeKind.LEFT: LEFT, ChangeKind.INITIAL: INITIAL}


def u32(ids: Collection[int]) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    return np.array(sorted(ids), dtype=np.uint32)


@dataclass
class Story:
    """A world of segments and profiles in which things happen, and the changes that come of it."""

    chance: random.Random
    changes: Changes = field(default_factory=lambda: Changes(STORE, "UTC", AT_ONCE))
    profiles: int = 12
    names: tuple[str, ...] = ("b", "a", "z", "vip")
    now_us: int = NOW
    version: int = 0
    members: dict[str, frozenset[int]] = field(default_factory=dict)
    at: dict[int, dict[str, frozenset[int]]] = field(default_factory=lambda: {0: {}})
    truth: list[Heard] = field(default_factory=list)
    clock: dict[int, int] = field(default_factory=dict)

    def happens(self, *, quiet: float = 0.2, gone: float = 0.05, step_us: int = 1_000_000) -> None:
        """One version: some segments change, or none; sometimes one is deleted."""
        self.now_us += self.chance.randrange(step_us)
        flips: list[SegmentFlips] = []
        for name in self.chance.sample(self.names, len(self.names)):
            if self.chance.random() < quiet:
                continue
            was = self.members.get(name, frozenset())
            flipped = {p for p in range(self.profiles) if self.chance.random() < 0.3}
            if flips_now := self._flips(name, was, was ^ flipped):
                flips.append(flips_now)
        removed: tuple[str, ...] = ()
        if self.members and self.chance.random() < gone:
            removed = (self.chance.choice(sorted(self.members)),)
            flips = [f for f in flips if f.segment not in removed]
            if last := self._flips(
                removed[0], self.at[self.version].get(removed[0], frozenset()), frozenset()
            ):
                flips.append(last)
        self.publish(tuple(flips), removed)

    def _flips(self, name: str, was: frozenset[int], now: frozenset[int]) -> SegmentFlips | None:
        if was == now:
            return None
        joined, left = u32(now - was), u32(was - now)
        causes = [
            np.array([self.chance.randint(1, 9) for _ in ids], dtype=np.uint8) for ids in (joined, left)
        ]
        return SegmentFlips(name, joined, causes[0], left, causes[1])

    def publish(self, flips: tuple[SegmentFlips, ...], removed: tuple[str, ...] = ()) -> None:
        self.version += 1
        self.clock[self.version] = self.now_us
        members = dict(self.members)
        for f in sorted(flips, key=lambda f: f.segment):
            members[f.segment] = members.get(f.segment, frozenset()) - frozenset(f.left.tolist()) | frozenset(
                f.joined.tolist()
            )
            for change, ids, causes in ((LEFT, f.left, f.left_causes), (JOINED, f.joined, f.joined_causes)):
                for profile, cause in zip(ids.tolist(), causes.tolist(), strict=True):
                    self.truth.append(Heard(self.version, self.now_us, f.segment, change, profile, cause))
        self.members = {name: ids for name, ids in members.items() if name not in removed}
        self.at[self.version] = dict(self.members)
        self.changes.publish(self.version, self.now_us, flips, removed)
        self.changes.settle()

    def members_now(self, segments: Collection[str] | None) -> Members:
        """As a source of members, for watches."""
        wanted = (
            self.members if segments is None else {s: self.members[s] for s in segments if s in self.members}
        )
        held = {s: bitmaps.from_ids(u32(ids)) for s, ids in wanted.items()}
        return Members(self.version, self.now_us, held)

    def watch(
        self, start: str | Cursor | Start, segments: frozenset[str] | None = None, *, initial: bool = False
    ) -> Watch:
        begin = self.changes.cursors.decode(start) if isinstance(start, str) else start
        return Watch(self.changes, self, segments, begin, with_initial_members=initial)

    def heard(self, watch: Watch) -> Stream:
        """All that there is for a watch by now."""
        stream: list[Heard | Told] = []
        while (item := watch.take(0)) is not None:
            stream += self.of_item(item)
        return stream

    def of_item(self, item: WatchItem) -> Stream:
        encode = self.changes.cursors.encode
        found: list[Heard | Told] = [
            Heard(
                block.version, block.now_us, block.segment, _CHANGES[block.kind],
                int(profile), int(cause), encode(cursor_after(block, i)),
            )
            for block in item.blocks
            for i, (profile, cause) in enumerate(zip(block.ids.tolist(), block.causes.tolist(), strict=True))
        ]  # fmt: skip
        return [*found, Told(item.version, encode(item.cursor))]

    def members_of(self, version: int, segments: frozenset[str] | None) -> dict[str, frozenset[int]]:
        return {s: ids for s, ids in self.at[version].items() if segments is None or s in segments}
