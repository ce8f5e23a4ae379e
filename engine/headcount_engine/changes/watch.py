"""Watching segments: the members at one version first, if asked, then every change after it, without gap or overlap.

A watch holds positions and, while it gives out initial members, bitmaps that nobody changes; never a lock or a pin. It
reads the log when it is asked for more, so a reader can be as slow as the log is long. The initial members at a version
that has passed are those of now with every change since undone, so a cursor within them can be resumed too.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, assert_never

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.changes.chunks import ChangeBlock, ChangeKind
from headcount_engine.changes.cursors import Cursor, Position, Within
from headcount_engine.changes.feed import Changes
from headcount_engine.changes.log import ChangeLog, check_kept
from headcount_engine.errors import Cancelled, ReaderTooSlow
from headcount_engine.model.answers import NO_DEADLINE, Deadline

ITEM_RECORDS = 1_000
"""Of one item: about 130 KB as a message with keys."""
_UNDO_RECORDS = 100_000
_LOOK_EVERY_S = 0.25
"""How often one who waits looks whether the caller is still there."""


class Start(Enum):
    """Where to begin without a cursor."""

    OLDEST = "oldest"
    """With the oldest change that is kept."""
    NOW = "now"
    """With the next change."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Members of segments, all at one version and its clock."""

    version: int
    now_us: int
    of: Mapping[str, Bitmap]


class MemberSource(Protocol):
    """Where present members come from."""

    def members_now(self, segments: Collection[str] | None) -> Members:
        """Members of these segments, or (None) of all, at the newest version; ids that name none are left out."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class WatchItem:
    """What comes next: some records, or none in a mark of progress.

    version, now_us  everything up to this version has been given out with this item, and the clock it had
    cursor           where to go on after this item
    """

    version: int
    now_us: int
    blocks: tuple[ChangeBlock, ...]
    cursor: Cursor

    @property
    def records(self) -> int:
        return sum(map(len, self.blocks))


def cursor_after(block: ChangeBlock, index: int) -> Cursor:
    """Where to go on just after record `index` of a block."""
    if block.kind is ChangeKind.INITIAL:
        return Within(block.version, block.now_us, block.segment, int(block.ids[index]))
    return Position(block.version, block.first + index + 1)


class Watch:
    """One reader's way through the changes. For one thread.

    segments   ids to hear of; None for all, those that come later too
    start      a cursor as an item or `cursor_after` gave it, or a Start
    with_initial_members  begin with who is in: at the version that `start` stands for, if it is not a cursor
    """

    def __init__(
        self,
        changes: Changes,
        source: MemberSource,
        segments: frozenset[str] | None,
        start: Cursor | Start,
        *,
        with_initial_members: bool = False,
    ) -> None:
        self._log = changes.log
        self._options = changes.options
        self._changes = changes
        self._segments = segments
        self._pending: Iterator[WatchItem] | None = None
        self._position = self._begin(source, start, with_initial_members)
        self._told_version = -1
        self._told_at = 0.0
        self._left_at = time.monotonic()
        self._left_records = self._log.records

    def _begin(self, source: MemberSource, start: Cursor | Start, with_members: bool) -> Position:
        log = self._log
        match start:
            case Start.NOW if with_members:
                members = source.members_now(self._segments)
                return self._with_initial(members, None)
            case Start.NOW:
                return log.end[0]
            case Start.OLDEST:
                position, now_us = log.oldest
                if with_members:
                    # Undone up to here, then done again: the members before the oldest change, and all of them.
                    members = members_at(log, source, position.version - 1, now_us, self._segments)
                    return self._with_initial(members, None)
                return position
            case Position():
                check_kept(start, log.oldest[0].version, log.end[0].version - 1)
                return start
            case Within():
                members = members_at(log, source, start.version, start.now_us, self._segments)
                return self._with_initial(members, start)
            case _:
                assert_never(start)

    def _with_initial(self, members: Members, after: Within | None) -> Position:
        self._pending = _initial_items(members, after)
        return Position(members.version + 1)

    @property
    def position(self) -> Position:
        """The next change that this watch will read, once the initial members are out."""
        return self._position

    def take(self, timeout_s: float, deadline: Deadline = NO_DEADLINE) -> WatchItem | None:
        """The next item; None if nothing came within the time.

        The first item comes at once, be it only a mark that tells the cursor. Raises CursorTooOld where the reader was
        overtaken, ReaderTooSlow where it was away for too long while much happened, and what the deadline raises;
        Cancelled when the database closes.
        """
        self._check_pace()
        item = self._next(time.monotonic() + timeout_s, deadline)
        if item is not None:
            self._told_version, self._told_at = item.version, time.monotonic()
        self._left_at, self._left_records = time.monotonic(), self._log.records
        return item

    def _check_pace(self) -> None:
        missed = self._log.records - self._left_records
        away_s = time.monotonic() - self._left_at
        if self._pending is None and missed > self._options.missed_records and away_s > self._options.away_s:
            raise ReaderTooSlow(self._changes.cursors.encode(self._position))

    def _next(self, until: float, deadline: Deadline) -> WatchItem | None:
        while True:
            deadline.check()
            if self._pending is not None:
                item = next(self._pending, None)
                if item is not None:
                    return item
                self._pending = None
            item = self._read()
            if item is not None:
                return item
            left = until - time.monotonic()
            if left <= 0:
                return None
            due = self._told_at + self._options.progress_every_s - time.monotonic()
            # A mark that is due while no version came has to wait for one, which wakes nobody.
            pause = min(due, _LOOK_EVERY_S) if due > 0 else _LOOK_EVERY_S
            self._log.wait(self._position, min(left, pause))
            if self._log.is_closed:
                raise Cancelled

    def _read(self) -> WatchItem | None:
        """Changes that are there, else a mark if one is due."""
        stretch = self._log.read(self._position, self._segments, ITEM_RECORDS)
        self._position = stretch.after
        is_due = (
            stretch.complete_version > self._told_version
            and time.monotonic() >= self._told_at + self._options.progress_every_s
        )
        if not stretch.blocks and not is_due:
            return None
        return WatchItem(stretch.complete_version, stretch.now_us, stretch.blocks, stretch.after)


def _initial_items(members: Members, after: Within | None) -> Iterator[WatchItem]:
    """The members, some at a time, segments by id and members by dense id; those up to `after` were given out."""
    blocks: list[ChangeBlock] = []
    room = ITEM_RECORDS
    for segment in sorted(members.of):
        if after is not None and segment < after.segment:
            continue
        ids = bitmaps.to_ids(members.of[segment])
        at = 0
        if after is not None and segment == after.segment:
            at = int(np.searchsorted(ids, np.int64(after.last_id), side="right"))
        while at < len(ids):
            taken = ids[at : at + room]
            causes = np.zeros(len(taken), dtype=np.uint8)
            blocks.append(
                ChangeBlock(members.version, members.now_us, segment, ChangeKind.INITIAL, taken, causes, at)
            )
            at += len(taken)
            room -= len(taken)
            if not room:
                last = Within(members.version, members.now_us, segment, int(taken[-1]))
                yield WatchItem(max(members.version - 1, 0), members.now_us, tuple(blocks), last)
                blocks, room = [], ITEM_RECORDS
    # The last item also says that all of the version is out.
    yield WatchItem(members.version, members.now_us, tuple(blocks), Position(members.version + 1))


def members_at(
    log: ChangeLog, source: MemberSource, version: int, now_us: int, segments: frozenset[str] | None
) -> Members:
    """The members of segments (None: of all) as they were at a version: those of now, with every change since undone.

    The first change of a profile after the version tells where it was: who then joined was out, who left was in.
    Raises CursorTooOld where the changes since are not all kept.
    """
    position = Position(version + 1)
    check_kept(position, log.oldest[0].version, log.end[0].version - 1)
    present = source.members_now(segments)
    changed = log.segments_since(version)
    was_in: dict[str, Bitmap] = {}
    was_out: dict[str, Bitmap] = {}
    while position.version <= present.version:
        stretch = log.read(position, segments, _UNDO_RECORDS)
        position = stretch.after
        for block in stretch.blocks:
            if block.version > present.version:
                break
            came_in, went_out = was_out.get(block.segment, EMPTY), was_in.get(block.segment, EMPTY)
            fresh = bitmaps.from_ids(block.ids) - came_in - went_out
            if block.kind is ChangeKind.JOINED:
                was_out[block.segment] = came_in | fresh
            else:
                was_in[block.segment] = went_out | fresh
    names = {*present.of, *(s for s in changed if segments is None or s in segments)}
    members = {s: (present.of.get(s, EMPTY) - was_out.get(s, EMPTY)) | was_in.get(s, EMPTY) for s in names}
    return Members(version, now_us, members)
