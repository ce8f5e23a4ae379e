"""Typed values of profiles, one array per block of 65,536 ids.

A write stages its values per block, then publishes: in place where nobody looks, into a copy of the block where a
pinned reader does. A `ColumnView` is what one version holds; it stays true while its pin lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.indexes import predicates
from headcount_engine.indexes.predicates import Predicate, Range, Stored
from headcount_engine.indexes.ranges import RangeIndex
from headcount_engine.indexes.values import ChangedIds, Kept, ValueIndex, merge_changes
from headcount_engine.kernels import fused
from headcount_engine.limits import BLOCK_BITS, BLOCK_IDS, BLOCK_WORDS
from headcount_engine.model.answers import NO_DEADLINE, Deadline
from headcount_engine.model.batches import I64, U32, U64

_WHOLE = tuple(np.dtype(t) for t in ("int8", "int16", "int32", "int64"))
_CODES = tuple(np.dtype(t) for t in ("uint8", "uint16", "uint32"))
FLOAT = np.dtype("float64")


def narrowest(dtype: np.dtype[Any], values: Stored) -> np.dtype[Any]:
    """The narrowest dtype of the same family, at least `dtype`, that holds the values and an absent one."""
    if dtype.kind == "f" or not len(values):
        return dtype
    return narrowest_between(dtype, int(values.min()), int(values.max()))


def narrowest_between(dtype: np.dtype[Any], low: int, high: int) -> np.dtype[Any]:
    """The narrowest dtype of the same family of whole numbers, at least `dtype`, for low to high and an absent one."""
    for candidate in _WHOLE if dtype.kind == "i" else _CODES:
        info = np.iinfo(candidate)
        fits = info.min + (candidate.kind == "i") <= low and high <= info.max
        if candidate.itemsize >= dtype.itemsize and fits:
            return candidate
    return np.dtype("int64") if dtype.kind == "i" else np.dtype("uint32")


def widen(values: Stored, dtype: np.dtype[Any]) -> Stored:
    """A copy in a wider dtype of the same family, absent staying absent."""
    if values.dtype.kind == "i":
        wide = values.astype(dtype)
        wide[values == np.iinfo(values.dtype).min] = np.iinfo(dtype).min
        return wide
    return values.astype(dtype)


def cuts_by_block(ids: I64) -> list[tuple[int, int, int]]:
    """(block, from, to) for every block that the ascending ids fall in."""
    if not len(ids):
        return []
    blocks = ids >> BLOCK_BITS
    starts = np.flatnonzero(np.diff(blocks, prepend=-1))
    ends = np.append(starts[1:], len(ids))
    return list(zip(blocks[starts].tolist(), starts.tolist(), ends.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class ColumnEdit:
    """Staged values: `ids` ascending and each once; `values` in the column's new dtype. Decided, nothing to fail."""

    ids: I64
    values: Stored
    changed: U32
    dtype: np.dtype[Any]
    cuts: list[tuple[int, int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class ColumnView:
    """One column at one version. Blocks past the last one, and ids never written, are absent."""

    blocks: tuple[Stored, ...]
    dtype: np.dtype[Any]
    changes: ChangedIds
    position: int
    index: ValueIndex

    def words(self, predicate: Predicate, blocks: int, deadline: Deadline = NO_DEADLINE) -> U64:
        """A words array of `blocks` blocks by one scan; the deadline is looked at between blocks."""
        words = np.empty(blocks * BLOCK_WORDS, dtype=np.uint64)
        scan = self.scan(predicate)
        for b in range(blocks):
            scan(b, words[b * BLOCK_WORDS : (b + 1) * BLOCK_WORDS])
            if b % 16 == 15:
                deadline.check()
        return words

    def scan(self, predicate: Predicate) -> Callable[[int, U64], None]:
        """Writes the words of the block of a number into what it is given."""
        scan = predicates.scan_of(predicate, self.dtype, is_point=self._is_point)
        blocks = self.blocks

        def scanned(number: int, out: U64) -> None:
            if number < len(blocks):
                scan(blocks[number], out)
            else:
                out[:] = 0

        return scanned

    def bitmap(self, predicate: Predicate, deadline: Deadline = NO_DEADLINE) -> Bitmap:
        """Ids whose value passes: from the kept bitmap and what changed since, else by a scan."""
        kept = self.kept(predicate, deadline)
        if kept is not None:
            return kept.bitmap
        return bitmaps.from_words(self.words(predicate, len(self.blocks), deadline))

    def kept(self, predicate: Predicate, deadline: Deadline = NO_DEADLINE) -> Kept | None:
        """The kept bitmap as of this view, made or brought up to date; None for predicates that are only scanned."""
        kept = self.index.get(predicate)
        if kept is not None and kept.position == self.position:
            return kept
        if not self.index.keeps(predicate):
            return None
        if kept is not None and kept.position < self.position:
            changed = self.changes.since(kept.position, self.position)
            if changed is not None and len(changed) < len(self.blocks) * BLOCK_IDS // 4:
                ids = np.unique(changed)
                passing = predicates.passes(predicate, self.gather(ids.astype(np.int64)))
                bitmap = merge_changes(kept.bitmap, ids, ids[passing])
                return self.index.put(predicate, self.position, bitmap)
        bitmap = bitmaps.from_words(self.words(predicate, len(self.blocks), deadline))
        return self.index.put(predicate, self.position, bitmap)

    def count(self, predicate: Predicate, deadline: Deadline = NO_DEADLINE) -> int:
        """How many ids pass: by a kept bitmap, a range index, or a scan that makes no set."""
        kept = self.kept(predicate, deadline)
        if kept is not None:
            return kept.size
        if isinstance(predicate, Range) and (ranges := self._ranges()) is not None:
            changed = self.changes.since(ranges.position, self.position)
            if changed is not None:
                return self._count_range(predicate, ranges, np.unique(changed))
        return int(fused.count_bits(self.words(predicate, len(self.blocks), deadline)))

    def _count_range(self, predicate: Range, ranges: RangeIndex, changed: U32) -> int:
        """From the index as it was made, with the ids that changed since counted anew."""
        span = ranges.span(predicate)
        total = span[1] - span[0]
        if len(changed):
            now = predicates.passes(predicate, self.gather(changed.astype(np.int64)))
            total += int(now.sum()) - ranges.counted(span, changed)
        return total

    def _ranges(self) -> RangeIndex | None:
        """The range index to use, if any; made when a second range is asked for, and anew when much changed."""
        index = self.index
        index.ranges_asked += 1
        held = index.ranges
        if held is not None and held.position <= self.position:
            changed = self.changes.since(held.position, self.position)
            if changed is not None and len(changed) < len(self.blocks) * BLOCK_IDS // 8:
                return held
        if index.ranges_asked < 2 or self._is_point or not self.blocks:
            return None
        if held is not None and held.position > self.position:
            return None
        stored = np.concatenate(self.blocks)
        made = RangeIndex.of(stored, predicates.passes(predicates.Present(), stored), self.position)
        index.ranges = made
        return made

    def gather(self, ids: I64) -> Stored:
        """Stored values of ascending ids."""
        shape = (len(ids), 2) if self._is_point else (len(ids),)
        out = np.empty(shape, dtype=self.dtype)
        for block, start, end in cuts_by_block(ids):
            if block < len(self.blocks):
                out[start:end] = self.blocks[block][ids[start:end] & (BLOCK_IDS - 1)]
            else:
                out[start:end] = predicates.absent_value(self.dtype)
        return out

    def get(self, profile: int) -> int | float | tuple[float, float] | None:
        """One stored value; None if absent."""
        block = profile >> BLOCK_BITS
        if block >= len(self.blocks):
            return None
        value = self.blocks[block][profile & (BLOCK_IDS - 1)]
        if self._is_point:
            point = (float(value[0]), float(value[1]))
            return None if point[0] != point[0] else point
        scalar: int | float = value.item()
        if scalar != scalar or (self.dtype.kind != "f" and scalar == predicates.absent_value(self.dtype)):
            return None
        return scalar

    @property
    def _is_point(self) -> bool:
        return bool(self.blocks) and self.blocks[0].ndim == 2


class Column:
    """One attribute of every profile. Changed by the single writer; `pin` and `unpin` under the database's gate."""

    def __init__(self, dtype: np.dtype[Any], *, is_point: bool = False) -> None:
        self.dtype = dtype
        self._is_point = is_point
        self._blocks: tuple[Stored, ...] = ()
        self._made_at: list[int] = []
        self._pins = 0
        self._pinned_version = -1
        self._changes = ChangedIds()
        self._index = ValueIndex()

    @property
    def position(self) -> int:
        """How many changes there have been: as long as it stays, no value has changed."""
        return self._changes.end

    @property
    def ranges(self) -> RangeIndex | None:
        """The range index, if there is one and no value has changed since."""
        held = self._index.ranges
        return held if held is not None and held.position == self._changes.end else None

    def view(self) -> ColumnView:
        """The column as last published. Only true until the next publish unless pinned."""
        return ColumnView(self._blocks, self.dtype, self._changes, self._changes.end, self._index)

    def pin(self, version: int) -> ColumnView:
        """A view that stays true until `unpin`; `version` is the last published one."""
        self._pins += 1
        self._pinned_version = version
        return self.view()

    def unpin(self) -> None:
        self._pins -= 1

    def stage(self, ids: I64, values: Stored, cuts: list[tuple[int, int, int]]) -> ColumnEdit:
        """Decide what a publish will do: `ids` ascending, each once; `values` parallel, absent where to be unset."""
        absent = predicates.absent_value(values.dtype)
        there = values[values != absent] if values.dtype.kind != "f" else values
        dtype = self.dtype if self._is_point else narrowest(self.dtype, there)
        if self._blocks:
            old = self.view().gather(ids)
        else:
            old = np.full(values.shape, predicates.absent_value(self.dtype), dtype=self.dtype)
        wide = widen(old, values.dtype) if old.dtype != values.dtype else old
        differs = (wide != values) & ~((wide != wide) & (values != values))
        changed = differs.any(axis=1) if self._is_point else differs
        narrow = values if values.dtype == dtype else _narrow(values, dtype)
        return ColumnEdit(ids, narrow, ids[changed].astype(np.uint32), dtype, cuts)

    def publish(self, edit: ColumnEdit, version: int, profiles: int) -> None:
        """Make staged values visible as `version`. Cannot fail but for want of memory."""
        blocks = list(self._blocks)
        if edit.dtype.itemsize > self.dtype.itemsize:
            blocks = [widen(b, edit.dtype) for b in blocks]
            self._made_at = [version] * len(blocks)
            self.dtype = edit.dtype
        for block, start, end in edit.cuts:
            while len(blocks) <= block:
                blocks.append(self._new_block())
                self._made_at.append(version)
            if self._pins and self._made_at[block] <= self._pinned_version:
                blocks[block] = blocks[block].copy()
                self._made_at[block] = version
            blocks[block][edit.ids[start:end] & (BLOCK_IDS - 1)] = edit.values[start:end]
        self._blocks = tuple(blocks)
        self._changes.note(edit.changed, profiles)

    def _new_block(self) -> Stored:
        shape = (BLOCK_IDS, 2) if self._is_point else (BLOCK_IDS,)
        return np.full(shape, predicates.absent_value(self.dtype), dtype=self.dtype)

    @property
    def nbytes(self) -> int:
        return sum(b.nbytes for b in self._blocks) + self._changes.nbytes + self._index.nbytes

    def blocks(self) -> Iterator[Stored]:
        """The block arrays, for storing."""
        return iter(self._blocks)

    def restore(self, blocks: list[Stored], dtype: np.dtype[Any]) -> None:
        """Take stored blocks as the column's contents."""
        self.dtype = dtype
        self._blocks = tuple(blocks)
        self._made_at = [0] * len(blocks)


def _narrow(values: Stored, dtype: np.dtype[Any]) -> Stored:
    if dtype.kind != "i":
        return values.astype(dtype)
    absent = values == np.iinfo(values.dtype).min
    out = np.where(absent, 0, values).astype(dtype)
    out[absent] = np.iinfo(dtype).min
    return out
