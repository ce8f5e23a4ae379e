"""Flips of rows as arrays: (row, slot, now in, cause) each, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from headcount_engine.atoms.rows import Turned
from headcount_engine.atoms.tallies import Toggles
from headcount_engine.kernels import members as kernels
from headcount_engine.membership.sets import Flipped
from headcount_engine.model.batches import I64, U32, U64
from headcount_engine.model.changes import Cause, SegmentFlips

NO_IDS: I64 = np.empty(0, dtype=np.int64)
NO_FLIPS = Flipped(NO_IDS, np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.uint32))
_FLIPS_LEAST = 1 << 12


def net(parts: Sequence[I64]) -> I64:
    """Flips in turn, without those that were taken back; of several causes the least."""
    if len(parts) == 1:
        return parts[0]
    flips = np.concatenate(parts)
    order = np.lexsort((np.arange(len(flips)), flips[:, 1], flips[:, 0]))
    flips = flips[order]
    starts = np.flatnonzero(np.any(np.diff(flips[:, :2], axis=0, prepend=-1) != 0, axis=1))
    if not len(starts):
        return flips
    ends = np.append(starts[1:], len(flips))
    causes = np.minimum.reduceat(flips[:, 3], starts)
    last = flips[ends - 1]
    last[:, 3] = causes
    found: I64 = last[(ends - starts) % 2 == 1]
    return found


def together(parts: Sequence[Toggles]) -> Toggles:
    """Toggles of several reasons, one after the other."""
    if not parts:
        return Toggles(NO_IDS, NO_IDS, np.empty(0, dtype=np.uint8))
    return Toggles(
        np.concatenate([p.ids for p in parts]),
        np.concatenate([p.atoms for p in parts]),
        np.concatenate([p.causes for p in parts]),
    )


def between(ids: I64, before: U64, after: U64, cause: Cause) -> Toggles:
    """The atoms in which two states of some rows differ."""
    flips = differences(before, after, cause)
    return Toggles(ids[flips[:, 0]], flips[:, 1].copy(), flips[:, 3].astype(np.uint8))


def differences(before: U64, after: U64, cause: Cause) -> I64:
    """(row, bit, now set, cause) wherever two states of some rows differ."""
    parts = []
    first = 0
    out = np.empty((max(_FLIPS_LEAST, 64 * before.shape[1]), 4), dtype=np.int64)
    while first < len(before):
        first, found = kernels.differences(before, after, int(cause), first, out)
        parts.append(out[:found].copy())
    return np.concatenate(parts) if parts else np.empty((0, 4), dtype=np.int64)


def turned_bits(ids: I64, bits: I64, first_new: int) -> Turned:
    """Bits of the rows that are there already."""
    if not len(ids) or int(ids.max()) < first_new:
        return Turned(ids, np.ascontiguousarray(bits))
    old = ids < first_new
    return Turned(ids[old], bits[old])


def by_segment(
    flips: I64, ids: I64, names: Mapping[int, str]
) -> tuple[Flipped, I64, tuple[SegmentFlips, ...]]:
    """Flips of rows of `ids` by segment: for sets, for sizes, for those who watch. `names`: segments by slot."""
    if not len(flips):
        return NO_FLIPS, NO_IDS, ()
    flips = flips[np.argsort(flips[:, 1] * len(ids) + flips[:, 0], kind="stable")]
    slots = flips[:, 1]
    starts = np.flatnonzero(np.diff(slots, prepend=-1))
    who = ids[flips[:, 0]].astype(np.uint32)
    is_join = flips[:, 2] == 1
    causes = flips[:, 3].astype(np.uint8)
    growth = np.add.reduceat(2 * flips[:, 2] - 1, starts)
    flipped = Flipped(slots[starts], np.append(starts, len(slots)), who)
    # Joins apart from leaves, each by segment, so that a segment's are two slices.
    order = np.argsort(is_join, kind="stable")
    left = int((~is_join).sum())
    who, causes, by = who[order], causes[order], slots[order]
    found = slots[starts]
    edges = [np.searchsorted(by[:left], found, side=side).tolist() for side in ("left", "right")] + [
        (np.searchsorted(by[left:], found, side=side) + left).tolist() for side in ("left", "right")
    ]
    told = []
    for place, slot in enumerate(found.tolist()):
        id_ = names.get(slot)
        if id_ is not None:
            out, into = (slice(edges[i][place], edges[i + 1][place]) for i in (0, 2))
            told.append(SegmentFlips(id_, who[into], causes[into], who[out], causes[out]))
    told.sort(key=lambda f: f.segment)
    return flipped, growth, tuple(told)


def told_of(segment: str, joined: U32, left: U32, cause: Cause) -> SegmentFlips:
    """What those who watch are told of one segment where all have one cause."""
    return SegmentFlips(
        segment,
        joined,
        np.full(len(joined), int(cause), dtype=np.uint8),
        left,
        np.full(len(left), int(cause), dtype=np.uint8),
    )
