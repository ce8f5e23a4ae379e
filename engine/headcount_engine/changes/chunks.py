"""Joins and leaves in arrays: many versions in a chunk that never changes once it is made.

The one total order is: version; within a version segments by id, code point by code point; within a segment those who
left before those who joined; each by dense id. A *group* is one segment in one version, a *half* its leaves or joins.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from operator import attrgetter
from typing import cast

import numpy as np
from numpy.typing import NDArray

from headcount_engine import bitmaps
from headcount_engine.errors import EngineError, StoreDamaged
from headcount_engine.model.batches import I64, U8, U32, Texts
from headcount_engine.model.changes import SegmentFlips

_ROARING_FROM = 4_096
"""Halves of fewer ids stay plain: four bytes an id, at hand without a detour."""
_GROUPS_AT_ONCE = 512
_NO_BYTES: U8 = np.zeros(0, dtype=np.uint8)
_NOBODY: U32 = np.zeros(0, dtype=np.uint32)
_SAME: U8 = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 64, axis=1)
"""Sixty-four of each cause, for the many small blocks that have one."""


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


_segment = attrgetter("segment")


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

    @property
    def records(self) -> int:
        return int(self._record_starts[-1])

    @cached_property
    def _record_starts(self) -> I64:
        """Where each half begins among the records of the chunk, and where the last one ends: two by group, + 1."""
        return np.concatenate([[0], np.cumsum(self._half_sizes())])

    @cached_property
    def _id_starts(self) -> I64:
        """The same in `ids`, where those held as roaring take no room."""
        plain = self._half_sizes()
        plain[self.big_at] = 0
        return np.concatenate([[0], np.cumsum(plain)])

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
        row = int(self.versions.searchsorted(np.int64(version)))
        if row == len(self.versions):
            return
        first = int(self.group_ends[row - 1]) if row else 0
        groups = np.arange(first, len(self.group_segment))
        if segments is not None:
            wanted = np.array([name in segments for name in self.segments], dtype=np.bool_)
            groups = groups[wanted[self.group_segment[first:]]]
        for at in range(0, len(groups), _GROUPS_AT_ONCE):
            for block in self._blocks_of(groups[at : at + _GROUPS_AT_ONCE]):
                if block.version != version or block.first >= index:
                    yield block
                elif block.first + len(block) > index:
                    yield block.cut(index - block.first, len(block))

    def _blocks_of(self, groups: I64) -> Iterator[ChangeBlock]:
        """All records of some groups."""
        halves = np.repeat(2 * groups, 2)
        halves[1::2] += 1
        starts, ends = self._record_starts[halves], self._record_starts[halves + 1]
        kept = ends > starts
        halves, starts, ends = halves[kept], starts[kept], ends[kept]
        rows = self.group_ends.searchsorted(halves // 2, side="right")
        row_groups = np.where(rows, self.group_ends[rows - 1], 0)
        firsts = starts - self._record_starts[2 * row_groups]
        runs = self.run_ends.searchsorted(starts, side="right")
        is_mixed = self.run_ends[runs] < ends
        columns = (
            self.versions[rows], self.nows_us[rows], self.group_segment[halves // 2], halves, starts, ends, firsts,
            self.run_causes[runs], is_mixed, np.isin(halves, self.big_at),
            self._id_starts[halves], self._id_starts[halves + 1],
        )  # fmt: skip
        for version, now_us, segment, half, start, end, first, cause, mixed, big, id_start, id_end in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            yield ChangeBlock(
                version,
                now_us,
                self.segments[segment],
                ChangeKind.JOINED if half & 1 else ChangeKind.LEFT,
                self._big_ids(half) if big else self.ids[id_start:id_end],
                self._causes_of(start, end) if mixed else _all_of(cause, end - start),
                first,
            )

    def _big_ids(self, half: int) -> U32:
        big = int(self.big_at.searchsorted(np.int64(half)))
        start = int(self.big_ends[big - 1]) if big else 0
        return bitmaps.to_ids(bitmaps.deserialize(self.big_bytes[start : self.big_ends[big]].tobytes()))

    def _causes_of(self, start: int, end: int) -> U8:
        """Causes of records start .. end - 1."""
        first = int(self.run_ends.searchsorted(np.int64(start), side="right"))
        last = int(self.run_ends.searchsorted(np.int64(end)))
        ends = np.minimum(self.run_ends[first : last + 1], end)
        return np.repeat(self.run_causes[first : last + 1], np.diff(ends, prepend=np.int64(start)))

    def flips(self) -> tuple[SegmentFlips, ...]:
        """The groups of the only version, as they were published."""
        found: dict[str, SegmentFlips] = {}
        for block in self.blocks(self.first_version, 0, None):
            other = found.get(
                block.segment, SegmentFlips(block.segment, _NOBODY, _NO_BYTES, _NOBODY, _NO_BYTES)
            )
            if block.kind is ChangeKind.JOINED:
                found[block.segment] = replace(other, joined=block.ids, joined_causes=block.causes)
            else:
                found[block.segment] = replace(other, left=block.ids, left_causes=block.causes)
        return tuple(found.values())

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
            and len(self.ids) == int(self._id_starts[-1])
            and len(self.run_ends) == len(self.run_causes)
            and _ascends(self.run_ends)
            and (int(self.run_ends[-1]) if len(self.run_ends) else 0) == self.records
        )


def _all_of(cause: int, count: int) -> U8:
    return _SAME[cause, :count] if count <= 64 else np.full(count, cause, dtype=np.uint8)


def _ascends(values: I64) -> bool:
    return not bool((np.diff(values) <= 0).any())


def pack(entries: Iterable[Entry]) -> Chunk | None:
    """The chunk of these versions, in their order; None if nothing changed in them."""
    kept = [
        (entry, flips)
        for entry in entries
        if (flips := [f for f in sorted(entry.flips, key=_segment) if len(f.left) or len(f.joined)])
    ]
    if not kept:
        return None
    groups = [f for _, flips in kept for f in flips]
    segments = [f.segment for f in groups]
    names = sorted(set(segments))
    codes = {name: code for code, name in enumerate(names)}
    ids = [half for f in groups for half in (f.left, f.joined)]
    causes = [half for f in groups for half in (f.left_causes, f.joined_causes)]
    sizes = np.fromiter(map(len, ids), dtype=np.int64, count=len(ids))
    big_at, big = _as_roaring(ids, sizes)
    is_plain = sizes > 0
    is_plain[big_at] = False
    run_ends, run_causes = _runs(np.concatenate(list(itertools.compress(causes, sizes.tolist()))))
    return Chunk(
        tuple(names),
        np.array([entry.version for entry, _ in kept], dtype=np.int64),
        np.array([entry.now_us for entry, _ in kept], dtype=np.int64),
        np.cumsum([len(flips) for _, flips in kept], dtype=np.int64),
        np.fromiter(map(codes.__getitem__, segments), dtype=np.uint32, count=len(segments)),
        sizes[0::2].astype(np.uint32),
        sizes[1::2].astype(np.uint32),
        np.concatenate([_NOBODY, *itertools.compress(ids, is_plain.tolist())]),
        np.array(big_at, dtype=np.int64),
        np.cumsum([len(raw) for raw in big], dtype=np.int64),
        np.frombuffer(b"".join(big), dtype=np.uint8),
        run_ends,
        run_causes,
    )


def _as_roaring(ids: Sequence[U32], sizes: I64) -> tuple[list[int], list[bytes]]:
    """The halves that take less room as roaring, and what they then are."""
    at: list[int] = []
    found: list[bytes] = []
    for half in np.flatnonzero(sizes >= _ROARING_FROM).tolist():
        raw = bitmaps.from_ids(ids[half]).serialize()
        if len(raw) < 4 * len(ids[half]):
            at.append(half)
            found.append(raw)
    return at, found


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
