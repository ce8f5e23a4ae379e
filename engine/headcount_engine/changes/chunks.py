"""Joins and leaves in arrays: many versions in a chunk that never changes once it is made.

The one total order is: version; within a version segments by id, code point by code point; within a segment those who
left before those who joined; each by dense id. A *group* is one segment in one version, a *half* its leaves or joins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import cast

import numpy as np
from numpy.typing import NDArray

from headcount_engine import bitmaps
from headcount_engine.errors import EngineError, StoreDamaged
from headcount_engine.model.batches import I64, U8, U32, Texts
from headcount_engine.model.changes import SegmentFlips

_ROARING_FROM = 4_096
"""Halves of fewer ids stay plain: four bytes an id, at hand without a detour."""
_NO_BYTES: U8 = np.zeros(0, dtype=np.uint8)


class ChangeKind(IntEnum):
    """What a record says."""

    JOINED = 1
    LEFT = 2
    INITIAL = 3
    """Was in when the listening began."""


@dataclass(frozen=True, slots=True, eq=False)
class ChangeBlock:
    """Consecutive records of one half.

    ids, causes  parallel, u32 ascending and u8 (`Cause`; 0 for initial members)
    first        the position of the first of them among all records of the version
    """

    version: int
    now_us: int
    segment: str
    kind: ChangeKind
    ids: U32
    causes: U8
    first: int

    def __len__(self) -> int:
        return len(self.ids)

    def cut(self, start: int, end: int) -> ChangeBlock:
        """Records start .. end - 1 of this block."""
        return ChangeBlock(
            self.version, self.now_us, self.segment, self.kind,
            self.ids[start:end], self.causes[start:end], self.first + start,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """The changes of one version as they were published; `removed`: segments that went with it."""

    version: int
    now_us: int
    flips: tuple[SegmentFlips, ...]
    removed: tuple[str, ...] = ()

    def blocks(self, index: int, segments: frozenset[str] | None) -> Iterator[ChangeBlock]:
        """The records from `index` on, of these segments or (None) of all."""
        at = 0
        for flips in sorted(self.flips, key=_segment):
            for kind, ids, causes in (
                (ChangeKind.LEFT, flips.left, flips.left_causes),
                (ChangeKind.JOINED, flips.joined, flips.joined_causes),
            ):
                first, at = at, at + len(ids)
                if at > index and len(ids) and (segments is None or flips.segment in segments):
                    block = ChangeBlock(self.version, self.now_us, flips.segment, kind, ids, causes, first)
                    yield block.cut(max(0, index - first), len(ids))


def _segment(flips: SegmentFlips) -> str:
    return flips.segment


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive versions that changed something, packed.

    segments      the ids that occur, ascending
    versions, nows_us, group_ends   i64 by version; the groups of version i end before group_ends[i]
    group_segment, left, joined     u32 by group: an index into `segments`, and how many left and joined
    ids           u32, of all halves that are not held as roaring, end to end
    big_at, big_ends, big_bytes     halves (2 * group, + 1 for joins) held as roaring, and their bytes
    run_ends, run_causes            causes of all records, run by run
    """

    segments: tuple[str, ...]
    versions: I64
    nows_us: I64
    group_ends: I64
    group_segment: U32
    left: U32
    joined: U32
    ids: U32
    big_at: I64
    big_ends: I64
    big_bytes: U8
    run_ends: I64
    run_causes: U8

    @property
    def first_version(self) -> int:
        return int(self.versions[0])

    @property
    def last_version(self) -> int:
        return int(self.versions[-1])

    @property
    def last_now_us(self) -> int:
        return int(self.nows_us[-1])

    @cached_property
    def nbytes(self) -> int:
        names = sum(map(len, self.segments)) + 8 * len(self.segments)
        return names + sum(array.nbytes for array in self._arrays())

    @cached_property
    def records(self) -> int:
        return int(self.record_ends[-1]) if len(self.record_ends) else 0

    @cached_property
    def record_ends(self) -> I64:
        """Where each half ends among the records of the chunk: i64 of two by group."""
        return np.cumsum(self._half_sizes())

    @cached_property
    def _id_ends(self) -> I64:
        """Where each half ends in `ids`; those held as roaring take no room there."""
        plain = self._half_sizes()
        plain[self.big_at] = 0
        return np.cumsum(plain)

    def _half_sizes(self) -> I64:
        sizes = np.empty(2 * len(self.left), dtype=np.int64)
        sizes[0::2], sizes[1::2] = self.left, self.joined
        return sizes

    def _arrays(self) -> list[NDArray[np.generic]]:
        return [
            self.versions, self.nows_us, self.group_ends, self.group_segment, self.left, self.joined, self.ids,
            self.big_at, self.big_ends, self.big_bytes, self.run_ends, self.run_causes,
        ]  # fmt: skip

    # ----------------------------------------------------------------------------------------------- reading

    def blocks(self, version: int, index: int, segments: frozenset[str] | None) -> Iterator[ChangeBlock]:
        """The records from (version, index) on, of these segments or (None) of all."""
        row = int(np.searchsorted(self.versions, np.int64(version)))
        if row == len(self.versions):
            return
        group = int(self.group_ends[row - 1]) if row else 0
        groups = np.arange(group, len(self.group_segment))
        if segments is not None:
            wanted = np.array([name in segments for name in self.segments], dtype=np.bool_)
            groups = groups[wanted[self.group_segment[group:]]]
        rows = np.searchsorted(self.group_ends, groups, side="right")
        for group, row in zip(groups.tolist(), rows.tolist(), strict=True):
            start = self._first_record(row)
            skipped = index if int(self.versions[row]) == version else 0
            for half in (2 * group, 2 * group + 1):
                first = self._record_start(half) - start
                count = int(self.record_ends[half]) - start - first
                if count and first + count > skipped:
                    yield self._block(row, half, first, max(0, skipped - first), count)

    def _first_record(self, row: int) -> int:
        """Where the records of a version begin."""
        return self._record_start(2 * int(self.group_ends[row - 1])) if row else 0

    def _record_start(self, half: int) -> int:
        return int(self.record_ends[half - 1]) if half else 0

    def _block(self, row: int, half: int, first: int, skipped: int, count: int) -> ChangeBlock:
        block = ChangeBlock(
            int(self.versions[row]),
            int(self.nows_us[row]),
            self.segments[self.group_segment[half // 2]],
            ChangeKind.JOINED if half % 2 else ChangeKind.LEFT,
            self._ids_of(half),
            self._causes_of(self._record_start(half), count),
            first,
        )
        return block.cut(skipped, count)

    def _ids_of(self, half: int) -> U32:
        big = int(np.searchsorted(self.big_at, np.int64(half)))
        if big < len(self.big_at) and int(self.big_at[big]) == half:
            start = int(self.big_ends[big - 1]) if big else 0
            return bitmaps.to_ids(bitmaps.deserialize(self.big_bytes[start : self.big_ends[big]].tobytes()))
        start = int(self._id_ends[half - 1]) if half else 0
        return self.ids[start : self._id_ends[half]]

    def _causes_of(self, start: int, count: int) -> U8:
        """Causes of records start .. start + count - 1: u8 of count."""
        first = int(np.searchsorted(self.run_ends, np.int64(start), side="right"))
        last = int(np.searchsorted(self.run_ends, np.int64(start + count)))
        ends = np.minimum(self.run_ends[first : last + 1], start + count)
        lengths = np.diff(ends, prepend=np.int64(start))
        return np.repeat(self.run_causes[first : last + 1], lengths)

    def flips(self) -> tuple[SegmentFlips, ...]:
        """All groups as they were published, whatever their versions."""
        found = []
        for group, code in enumerate(self.group_segment.tolist()):
            halves = []
            for half in (2 * group + 1, 2 * group):
                start = self._record_start(half)
                halves.append(
                    (self._ids_of(half), self._causes_of(start, int(self.record_ends[half]) - start))
                )
            (joined, joined_causes), (left, left_causes) = halves
            found.append(SegmentFlips(self.segments[code], joined, joined_causes, left, left_causes))
        return tuple(found)

    # ------------------------------------------------------------------------------------------ to disk and back

    def plain(self) -> list[NDArray[np.generic]]:
        """What `restore` takes. Arrays are shared, not copied, and the same each time."""
        names = Texts.of(self.segments)
        return [names.data, names.offsets, *self._arrays()]

    @staticmethod
    def restore(plain: Sequence[NDArray[np.generic]]) -> Chunk:
        """The chunk; raises StoreDamaged where the arrays do not fit together."""
        try:
            data, offsets, *arrays = plain
            names = Texts.of_bytes(data.tobytes(), cast("I64", offsets)).to_list()
            chunk = Chunk(tuple(names), *arrays)  # type: ignore[arg-type]
            if not chunk._fits():
                raise StoreDamaged("joins and leaves that do not fit together")
        except StoreDamaged:
            raise
        except (EngineError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise StoreDamaged("joins and leaves of another shape than their format has") from error
        return chunk

    def _fits(self) -> bool:
        groups = len(self.group_segment)
        halves = 2 * groups
        return (
            len(self.versions) == len(self.nows_us) == len(self.group_ends) > 0
            and groups == len(self.left) == len(self.joined)
            and _ascends(self.versions)
            and _ascends(self.group_ends)
            and int(self.group_ends[-1]) == groups
            and (not groups or int(self.group_segment.max()) < len(self.segments))
            and len(self.big_at) == len(self.big_ends)
            and (not len(self.big_at) or (int(self.big_at.min()) >= 0 and int(self.big_at.max()) < halves))
            and _ascends(self.big_at)
            and _ascends(self.big_ends)
            and len(self.big_bytes) == (int(self.big_ends[-1]) if len(self.big_ends) else 0)
            and len(self.ids) == (int(self._id_ends[-1]) if groups else 0)
            and len(self.run_ends) == len(self.run_causes)
            and _ascends(self.run_ends)
            and (int(self.run_ends[-1]) if len(self.run_ends) else 0) == self.records
        )


def _ascends(values: I64) -> bool:
    return not bool((np.diff(values) <= 0).any())


def pack(entries: Iterable[Entry]) -> Chunk | None:
    """The chunk of these versions, in their order; None if nothing changed in them."""
    kept = [
        (entry, [f for f in sorted(entry.flips, key=_segment) if len(f.left) or len(f.joined)])
        for entry in entries
    ]
    kept = [(entry, flips) for entry, flips in kept if flips]
    if not kept:
        return None
    groups = [f for _, flips in kept for f in flips]
    names = sorted({f.segment for f in groups})
    codes = {name: code for code, name in enumerate(names)}
    small: list[U32] = []
    big_at: list[int] = []
    big_ends: list[int] = []
    big: list[bytes] = []
    causes: list[U8] = []
    for group, flips in enumerate(groups):
        for half, ids in ((2 * group, flips.left), (2 * group + 1, flips.joined)):
            if len(ids) >= _ROARING_FROM and len(raw := bitmaps.from_ids(ids).serialize()) < 4 * len(ids):
                big_at.append(half)
                big.append(raw)
                big_ends.append(len(raw) + (big_ends[-1] if big_ends else 0))
            else:
                small.append(ids)
        causes += (flips.left_causes, flips.joined_causes)
    run_ends, run_causes = _runs(np.concatenate(causes))
    return Chunk(
        tuple(names),
        np.array([entry.version for entry, _ in kept], dtype=np.int64),
        np.array([entry.now_us for entry, _ in kept], dtype=np.int64),
        np.cumsum([len(flips) for _, flips in kept], dtype=np.int64),
        np.array([codes[f.segment] for f in groups], dtype=np.uint32),
        np.array([len(f.left) for f in groups], dtype=np.uint32),
        np.array([len(f.joined) for f in groups], dtype=np.uint32),
        np.concatenate(small) if small else np.zeros(0, dtype=np.uint32),
        np.array(big_at, dtype=np.int64),
        np.array(big_ends, dtype=np.int64),
        np.frombuffer(b"".join(big), dtype=np.uint8) if big else _NO_BYTES,
        run_ends,
        run_causes,
    )


def _runs(causes: U8) -> tuple[I64, U8]:
    """Where each run of one cause ends, and that cause."""
    ends = np.append(np.flatnonzero(np.diff(causes)) + 1, len(causes)).astype(np.int64)
    return ends, causes[ends - 1]


def merged(chunks: Sequence[Chunk]) -> Chunk:
    """One chunk of several that follow one another. One pass over their arrays."""
    names = sorted({name for chunk in chunks for name in chunk.segments})
    codes = {name: code for code, name in enumerate(names)}
    recoded = [
        np.array([codes[name] for name in chunk.segments], dtype=np.uint32)[chunk.group_segment]
        for chunk in chunks
    ]

    def end_to_end(parts: list[I64], lengths: list[int]) -> I64:
        """Positions within each chunk as positions within them all."""
        starts = np.cumsum([0, *lengths[:-1]])
        return np.concatenate([part + start for part, start in zip(parts, starts, strict=True)])

    groups = [len(chunk.group_segment) for chunk in chunks]
    return Chunk(
        tuple(names),
        np.concatenate([c.versions for c in chunks]),
        np.concatenate([c.nows_us for c in chunks]),
        end_to_end([c.group_ends for c in chunks], groups),
        np.concatenate(recoded),
        np.concatenate([c.left for c in chunks]),
        np.concatenate([c.joined for c in chunks]),
        np.concatenate([c.ids for c in chunks]),
        end_to_end([c.big_at for c in chunks], [2 * g for g in groups]),
        end_to_end([c.big_ends for c in chunks], [len(c.big_bytes) for c in chunks]),
        np.concatenate([c.big_bytes for c in chunks]),
        end_to_end([c.run_ends for c in chunks], [c.records for c in chunks]),
        np.concatenate([c.run_causes for c in chunks]),
    )
