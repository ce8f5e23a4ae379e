"""The lists that segments hold: who was added, who was removed, and who was in when a segment was paused.

A bitmap here is never changed; an edit puts another in its place. So a reader keeps what it took, and a version is the
mapping as it was then. Changed by the single writer under the gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.model.batches import U32
from headcount_engine.model.segments import ListName

_NOBODY: U32 = np.zeros(0, dtype=np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class SegmentLists:
    """What one segment holds. `added` is the members of a manual one; `frozen` is None while it is not frozen."""

    added: Bitmap = EMPTY
    removed: Bitmap = EMPTY
    frozen: Bitmap | None = None

    def named(self, which: ListName) -> Bitmap:
        """One of the lists; the frozen members of a segment that is not frozen are nobody."""
        match which:
            case ListName.ADDED:
                return self.added
            case ListName.REMOVED:
                return self.removed
            case ListName.FROZEN:
                return EMPTY if self.frozen is None else self.frozen
            case _:
                assert_never(which)


NO_LISTS = SegmentLists()


@dataclass(frozen=True, slots=True, eq=False)
class ListEdit:
    """What happens to one list: `entered` and `gone` are u32, ascending; no id is in both."""

    segment: str
    which: ListName
    entered: U32
    gone: U32

    @staticmethod
    def between(segment: str, which: ListName, old: Bitmap, new: Bitmap) -> ListEdit | None:
        """The edit that makes `new` of `old`; None where there is nothing to do."""
        if old == new:
            return None
        return ListEdit(segment, which, bitmaps.to_ids(new - old), bitmaps.to_ids(old - new))


class ListStore:
    """The lists of all segments by id. Segments without any are not in it."""

    def __init__(self) -> None:
        self._held: Mapping[str, SegmentLists] = {}

    def all(self) -> Mapping[str, SegmentLists]:
        """As of now; the mapping is replaced, never changed."""
        return self._held

    def of(self, segment: str) -> SegmentLists:
        return self._held.get(segment, NO_LISTS)

    def publish(self, edits: Iterable[ListEdit]) -> None:
        """Apply edits in their order."""
        held = dict(self._held)
        for edit in edits:
            old = held.get(edit.segment, NO_LISTS)
            bitmap = bitmaps.copy(old.named(edit.which))
            bitmap |= bitmaps.from_ids(edit.entered)
            bitmap -= bitmaps.from_ids(edit.gone)
            new = _with(old, edit.which, bitmap)
            if new.added or new.removed or new.frozen is not None:
                held[edit.segment] = new
            else:
                held.pop(edit.segment, None)
        self._held = held

    def after(self, edits: Iterable[ListEdit]) -> Mapping[str, SegmentLists]:
        """As they will be with these edits."""
        future = ListStore()
        future._held = self._held
        future.publish(edits)
        return future._held

    def remove(self, segment: str) -> None:
        """Forget a segment that was deleted."""
        if segment in self._held:
            self._held = {id_: lists for id_, lists in self._held.items() if id_ != segment}

    # ------------------------------------------------------------------------------------- people who come and go

    def without(self, profiles: Bitmap) -> tuple[ListEdit, ...]:
        """The edits that take erased profiles off every list."""
        return tuple(
            ListEdit(segment, which, _NOBODY, bitmaps.to_ids(there))
            for segment, lists in self._held.items()
            for which in ListName
            if (there := lists.named(which) & profiles)
        )

    def moved(self, loser: int, survivor: int) -> tuple[ListEdit, ...]:
        """The edits by which a profile that is merged away leaves its places to another."""
        gone, entered = (np.array([id_], dtype=np.uint32) for id_ in (loser, survivor))
        return tuple(
            ListEdit(segment, which, _NOBODY if survivor in lists.named(which) else entered, gone)
            for segment, lists in self._held.items()
            for which in ListName
            if loser in lists.named(which)
        )

    # ------------------------------------------------------------------------------------------------ at rest

    def dump(self) -> list[tuple[str, str, bytes]]:
        """(segment, list, serialised bitmap) of every list that holds somebody."""
        return [
            (segment, which.value, lists.named(which).serialize())
            for segment, lists in self._held.items()
            for which in ListName
            if lists.named(which)
        ]

    def restore(self, dumped: Iterable[tuple[str, str, bytes]]) -> None:
        """Fill an empty store with what `dump` gave. Raises StoreDamaged."""
        held: dict[str, SegmentLists] = {}
        for segment, which, data in dumped:
            old = held.get(segment, NO_LISTS)
            held[segment] = _with(old, ListName(which), bitmaps.deserialize(data))
        self._held = held

    @property
    def nbytes(self) -> int:
        """Roughly: what the bitmaps take when serialised."""
        return sum(
            bitmap.get_statistics()["n_bytes_array_containers"]
            + bitmap.get_statistics()["n_bytes_run_containers"]
            + bitmap.get_statistics()["n_bytes_bitset_containers"]
            for lists in self._held.values()
            for bitmap in (lists.added, lists.removed, lists.named(ListName.FROZEN))
        )

    def _check(self) -> None:
        """No list of nobody is kept, and no segment without lists."""
        for segment, lists in self._held.items():
            assert lists.added or lists.removed or lists.frozen, segment


def _with(lists: SegmentLists, which: ListName, bitmap: Bitmap) -> SegmentLists:
    match which:
        case ListName.ADDED:
            return replace(lists, added=bitmap)
        case ListName.REMOVED:
            return replace(lists, removed=bitmap)
        case ListName.FROZEN:
            return replace(lists, frozen=bitmap if bitmap else None)
        case _:
            assert_never(which)
