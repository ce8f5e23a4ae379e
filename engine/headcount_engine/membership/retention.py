"""Who is kept in a segment for a while after the rule ceased to match: since when, for each of them.

It is history: it begins when the segment is defined, and no data tells it afterwards, so it is in the log and in
checkpoints. What is handed out is never changed; an edit puts other arrays in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.indexes.plain import Plain
from headcount_engine.model.batches import I64, U32

ENDED = int(np.iinfo(np.int64).min)
"""Instead of an instant: kept no longer."""


@dataclass(frozen=True, slots=True, eq=False)
class RetentionEdit:
    """Profiles of one segment, ascending u32, and the instant at which each ceased to match, or ENDED."""

    segment: str
    ids: U32
    since_us: I64

    def without(self, ids: I64) -> RetentionEdit:
        """The edit of everybody else."""
        others = ~np.isin(self.ids, ids)
        return RetentionEdit(self.segment, self.ids[others], self.since_us[others])


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """The profiles of one segment that ceased to match, ascending, and when; also those whose time is over."""

    ids: U32
    since_us: I64

    def at(self, now_us: int, retention_us: int) -> Bitmap:
        """Who is kept at an instant: those who ceased to match by then, and less than so long before."""
        if not len(self.ids):
            return EMPTY
        return bitmaps.from_ids(self.ids[(self.since_us > now_us - retention_us) & (self.since_us <= now_us)])

    def since_us_of(self, profile: int) -> int | None:
        """When one profile ceased to match; None if it is not among them."""
        at = int(np.searchsorted(self.ids, np.uint32(profile)))
        return int(self.since_us[at]) if at < len(self.ids) and int(self.ids[at]) == profile else None

    def over(self, before_us: int, now_us: int, retention_us: int) -> U32:
        """Whose time came to an end after one instant and up to another."""
        end_us = self.since_us + retention_us
        return self.ids[(end_us > before_us) & (end_us <= now_us)]


NOBODY = Kept(np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int64))


class RetentionStore:
    """Of all segments, by id."""

    def __init__(self) -> None:
        self._held: Mapping[str, Kept] = {}

    def all(self) -> Mapping[str, Kept]:
        """As of now; the mapping is replaced, never changed."""
        return self._held

    def of(self, segment: str) -> Kept:
        return self._held.get(segment, NOBODY)

    def after(self, edits: Iterable[RetentionEdit], removed: Iterable[str] = ()) -> Mapping[str, Kept]:
        """As it will be with these edits."""
        held = dict(self._held)
        for edit in edits:
            held[edit.segment] = _edited(held.get(edit.segment, NOBODY), edit)
        for id_ in removed:
            held.pop(id_, None)
        return {id_: kept for id_, kept in held.items() if len(kept.ids)}

    def publish(self, edits: Sequence[RetentionEdit], removed: Sequence[str] = ()) -> None:
        """Make edits true."""
        if edits or any(id_ in self._held for id_ in removed):
            self._held = self.after(edits, removed)

    def dump(self) -> Plain:
        return [[id_, kept.ids, kept.since_us] for id_, kept in self._held.items()]

    def restore(self, plain: Plain) -> None:
        """Take what was dumped."""
        rows = cast("list[tuple[str, U32, I64]]", plain)
        self._held = {id_: Kept(ids, since_us) for id_, ids, since_us in rows}


def _edited(kept: Kept, edit: RetentionEdit) -> Kept:
    stays = ~np.isin(kept.ids, edit.ids)
    enters = edit.since_us != ENDED
    ids = np.concatenate([kept.ids[stays], edit.ids[enters]])
    since = np.concatenate([kept.since_us[stays], edit.since_us[enters]])
    order = np.argsort(ids, kind="stable")
    return Kept(ids[order], since[order])
