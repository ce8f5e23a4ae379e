"""The log of joins and leaves: one total order, kept for a while, read from any position.

What is published stays in the tail as it was given until the tail is worth packing; chunks are packed arrays, merged
as they age so that there are few, and dropped whole from the old end. A reader takes references under the lock and
reads outside it: nobody waits for a reader, and a reader has no queue of its own that could fill.
"""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from headcount_engine.changes.chunks import ChangeBlock, Chunk, Entry, merged, pack
from headcount_engine.changes.cursors import Position
from headcount_engine.changes.options import ChangeOptions
from headcount_engine.errors import CursorTooOld, OutOfRange
from headcount_engine.indexes.state import Plain

_TAIL_VERSIONS_MAX = 256
_TAIL_GROUPS_MAX = 8_192
_CHUNK_BYTES_MAX = 4 << 20
"""Chunks are merged up to this: old enough ones never change again, so a checkpoint need not write them again."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Some of the log, from a position on.

    after             where to go on
    complete_version  everything up to this version that was asked for has been read by now
    now_us            the clock of the newest version that is complete or in `blocks`
    """

    blocks: tuple[ChangeBlock, ...]
    after: Position
    complete_version: int
    now_us: int

    @property
    def records(self) -> int:
        return sum(map(len, self.blocks))


class ChangeLog:
    """Published under the writer's turn; read from any thread."""

    def __init__(self, options: ChangeOptions) -> None:
        self._options = options
        self._news = threading.Condition(threading.Lock())
        self._tail: list[Entry] = []
        self._tail_groups = 0
        self._chunks: tuple[Chunk, ...] = ()
        self._chunk_bytes = 0
        self._oldest = 1
        self._before_oldest_us = 0
        self._version = 0
        self._now_us = 0
        self._is_closed = False
        self.records = 0
        """Records published by this process, replayed ones included."""

    # ----------------------------------------------------------------------------------------------- publishing

    def publish(self, entry: Entry) -> None:
        """Take the changes of the next version and wake those who wait. Costs an append; arrays are kept as given."""
        with self._news:
            self._version, self._now_us = entry.version, entry.now_us
            if entry.flips:
                self._tail.append(entry)
                self._tail_groups += len(entry.flips)
                self._news.notify_all()

    def settle(self, *, even_if_small: bool = False) -> None:
        """Pack the tail if it is worth it, and drop what is past retention. By the writer, not under the gate."""
        if (
            len(self._tail) >= _TAIL_VERSIONS_MAX
            or self._tail_groups >= _TAIL_GROUPS_MAX
            or (even_if_small and self._tail)
        ):
            chunk = pack(self._tail)
            chunks = self._chunks if chunk is None else _with(self._chunks, chunk)
            with self._news:
                self._chunks, self._tail, self._tail_groups = chunks, [], 0
            self._chunk_bytes = sum(chunk.nbytes for chunk in chunks)
        self._drop_old()

    def _drop_old(self) -> None:
        chunks = self._chunks
        excess = self._chunk_bytes - self._options.kept_bytes
        from_us = self._now_us - self._options.kept_us
        count = 0
        while count < len(chunks) and (excess > 0 or chunks[count].last_now_us < from_us):
            excess -= chunks[count].nbytes
            count += 1
        if count:
            last = chunks[count - 1]
            with self._news:
                self._chunks = chunks[count:]
                self._oldest, self._before_oldest_us = last.last_version + 1, last.last_now_us
            self._chunk_bytes = sum(chunk.nbytes for chunk in self._chunks)

    def close(self) -> None:
        """Wake all who wait, for good."""
        with self._news:
            self._is_closed = True
            self._news.notify_all()

    # -------------------------------------------------------------------------------------------------- reading

    @property
    def is_closed(self) -> bool:
        return self._is_closed

    @property
    def end(self) -> tuple[Position, int]:
        """The position after all that is published, and the clock of the newest version."""
        with self._news:
            return Position(self._version + 1), self._now_us

    @property
    def oldest(self) -> tuple[Position, int]:
        """The first position that can still be read, and the clock just before it."""
        with self._news:
            return Position(self._oldest), self._before_oldest_us

    @property
    def nbytes(self) -> int:
        """Of the packed part."""
        return self._chunk_bytes

    def mentions(self, segment: str) -> bool:
        """Whether a kept change is about this segment."""
        with self._news:
            chunks, tail = self._chunks, tuple(self._tail)
        return any(segment in chunk.segments for chunk in chunks) or any(
            flips.segment == segment for entry in tail for flips in entry.flips
        )

    def segments_since(self, version: int) -> set[str]:
        """The segments that changed after a version, as far as that is kept."""
        with self._news:
            chunks, tail = self._chunks, tuple(self._tail)
        found = {name for chunk in chunks if chunk.last_version > version for name in chunk.segments}
        return found | {flips.segment for entry in tail if entry.version > version for flips in entry.flips}

    def read(self, position: Position, segments: frozenset[str] | None, records_max: int) -> Stretch:
        """Up to so many records from a position on, of these segments or (None) of all.

        Raises CursorTooOld where they are no longer kept, OutOfRange for a position that was never reached.
        """
        with self._news:
            oldest, chunks, tail = self._oldest, self._chunks, tuple(self._tail)
            version, now_us = self._version, self._now_us
        check_kept(position, oldest, version)
        blocks: list[ChangeBlock] = []
        room = records_max
        for block in _blocks(chunks, tail, position, segments):
            if not room:
                # Just after what is out, or at the next version: nothing in between is skipped, asked for or not.
                last = blocks[-1]
                is_whole = block.version != last.version
                after = Position(block.version, 0 if is_whole else last.first + len(last))
                return Stretch(tuple(blocks), after, block.version - 1, blocks[-1].now_us)
            if len(block) > room:
                blocks.append(block.cut(0, room))
                after = Position(block.version, block.first + room)
                return Stretch(tuple(blocks), after, block.version - 1, block.now_us)
            blocks.append(block)
            room -= len(block)
        return Stretch(tuple(blocks), max(position, Position(version + 1)), version, now_us)

    def wait(self, position: Position, timeout_s: float) -> bool:
        """Wait until something is published at or after a position; whether there is.

        Returns early once the log is closed. Holds nothing that others need.
        """
        until = time.monotonic() + timeout_s
        with self._news:
            while not self._has_from(position) and not self._is_closed:
                left = until - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    break
            return self._has_from(position)

    def _has_from(self, position: Position) -> bool:
        if self._tail:
            return self._tail[-1].version >= position.version
        return bool(self._chunks) and self._chunks[-1].last_version >= position.version

    # --------------------------------------------------------------------------------------- to disk and back

    def capture(self) -> list[Plain]:
        """Everything kept, packed. By the writer, in its turn. Arrays are shared and never change."""
        self.settle(even_if_small=True)
        chunks: list[Plain] = [cast("Plain", chunk.plain()) for chunk in self._chunks]
        return [self._oldest, self._before_oldest_us, chunks]

    def restore(self, plain: Plain, version: int, now_us: int) -> None:
        """Take what was captured at a version; raises StoreDamaged."""
        oldest, before_us, chunks = cast("tuple[int, int, Sequence[Sequence[NDArray[np.generic]]]]", plain)
        self._chunks = tuple(Chunk.restore(chunk) for chunk in chunks)
        self._chunk_bytes = sum(chunk.nbytes for chunk in self._chunks)
        self._oldest, self._before_oldest_us = oldest, before_us
        self._version, self._now_us = version, now_us

    def begin_after(self, version: int, now_us: int) -> None:
        """Keep nothing of a version and those before it: a store that kept no changes until now."""
        self._oldest, self._before_oldest_us = version + 1, now_us
        self._version, self._now_us = version, now_us


def check_kept(position: Position, oldest: int, version: int) -> None:
    """Raises CursorTooOld, OutOfRange."""
    if position.version < oldest:
        raise CursorTooOld(position.version, oldest)
    if position.version > version + 1:
        raise OutOfRange(
            f"the cursor is at version {position.version} and the store at {version}: it lost what it had not yet "
            "written, or was restored; start again from now with the initial members"
        )


def _blocks(
    chunks: tuple[Chunk, ...], tail: tuple[Entry, ...], position: Position, segments: frozenset[str] | None
) -> Iterator[ChangeBlock]:
    first = bisect.bisect_left(chunks, position.version, key=_last_version)
    for chunk in chunks[first:]:
        yield from chunk.blocks(position.version, position.index, segments)
    for entry in tail[bisect.bisect_left(tail, position.version, key=_version) :]:
        yield from entry.blocks(position.index if entry.version == position.version else 0, segments)


def _last_version(chunk: Chunk) -> int:
    return chunk.last_version


def _version(entry: Entry) -> int:
    return entry.version


def _with(chunks: tuple[Chunk, ...], new: Chunk) -> tuple[Chunk, ...]:
    """The chunks and a newer one; neighbours of like size become one, so that their number stays near the logarithm
    of the number of packings, beside those that are full."""
    kept, last = list(chunks), new
    while kept and kept[-1].nbytes < 2 * last.nbytes and kept[-1].nbytes + last.nbytes <= _CHUNK_BYTES_MAX:
        last = merged([kept.pop(), last])
    return (*kept, last)
