"""Counts of events for everyone in a space: 1.6 to 5 ns per event in the window, and one pass over the members.

A long slice is cut in as many parts as there are cores; each part has counters of its own, which are added up.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import EventCount
from headcount_engine.evaluation.slices import Slice, slices
from headcount_engine.evaluation.spaces import Space
from headcount_engine.evaluation.threads import WORKERS, side_by_side
from headcount_engine.indexes.totals import Totals
from headcount_engine.kernels import events as kernels
from headcount_engine.kernels import fused
from headcount_engine.limits import BLOCK_WORDS
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import U8, U32, U64

_SPLIT_AT = 1 << 18
"""Events from which on two threads pay for counters of their own."""

Counts = U8 | U32


def count_set(bound: EventCount, space: Space, deadline: Deadline) -> Bitmap:
    """Members with `count.low` to `count.high` matching events; zero counts for whoever never did it."""
    low, high = bound.count.low, bound.count.high
    if low == 0:
        if high is None:
            return space.everyone
        return space.everyone - bitmaps.from_words(_at_least(bound, high + 1, None, space, deadline))
    return bitmaps.from_words(_at_least(bound, low, high, space, deadline))


def count_members(bound: EventCount, space: Space, deadline: Deadline) -> int:
    """How many members there are, without making the set."""
    low, high = bound.count.low, bound.count.high
    if low == 0:
        if high is None:
            return space.size
        return space.size - int(fused.count_bits(_at_least(bound, high + 1, None, space, deadline)))
    return int(fused.count_bits(_at_least(bound, low, high, space, deadline)))


def _at_least(bound: EventCount, low: int, high: int | None, space: Space, deadline: Deadline) -> U64:
    """Words of the members with `low` to `high` events, `low` at least 1."""
    shares = shares_of(list(slices(space, bound.sources, bound.span, deadline)))
    words = space.blocks * BLOCK_WORDS
    if low == 1 and high is None:
        parts = side_by_side(shares, _marker(words))
        for other in parts[1:]:
            parts[0] |= other
        for totals in bound.gone:
            kernels.mark(totals.profiles, parts[0])
        return parts[0]
    top = low if high is None else high + 1
    counted = side_by_side(shares, _counter(words * 64, top < 255))
    for more in counted[1:]:
        kernels.add_counts(counted[0], more)
    for totals in bound.gone:
        _add_gone(counted[0], totals)
    found = np.empty(words, dtype=np.uint64)
    kernels.counts_to_words(counted[0], low, (1 << 62) if high is None else high, found)
    return found


def _add_gone(counts: Counts, totals: Totals) -> None:
    """Add events that are no longer kept, stopping at the dtype's maximum."""
    held = counts[totals.profiles].astype(np.int64) + totals.counts
    counts[totals.profiles] = np.minimum(held, np.iinfo(counts.dtype).max).astype(counts.dtype)


def shares_of(parts: list[Slice]) -> list[list[Slice]]:
    """The slices in as many groups of about equal length as are worth a thread; at least one group."""
    total = sum(len(p) for p in parts)
    workers = min(WORKERS, 1 + total // _SPLIT_AT)
    if workers == 1:
        return [parts]
    shares: list[list[Slice]] = [[] for _ in range(workers)]
    for part in parts:
        for number, piece in enumerate(part.cut(workers)):
            shares[number].append(piece)
    return shares


def _counter(members: int, is_small: bool) -> Callable[[list[Slice]], Counts]:
    def work(parts: list[Slice]) -> Counts:
        counts: Counts = np.zeros(members, dtype=np.uint8) if is_small else np.zeros(members, dtype=np.uint32)
        for part in parts:
            if part.where is not None:
                mask = part.mask
                kernels.count_masked(part.members, mask, eights(mask), counts)
            else:
                kernels.count(part.members, counts)
        return counts

    return work


def _marker(words: int) -> Callable[[list[Slice]], U64]:
    def work(parts: list[Slice]) -> U64:
        found = np.zeros(words, dtype=np.uint64)
        for part in parts:
            if part.where is not None:
                mask = part.mask
                kernels.mark_masked(part.members, mask, eights(mask), found)
            else:
                kernels.mark(part.members, found)
        return found

    return work


def eights(mask: U8) -> U64:
    """The mask eight entries at a time, without a last incomplete eight."""
    if mask.ctypes.data % 8:
        mask = mask.copy()
    return mask[: len(mask) // 8 * 8].view(np.uint64)
