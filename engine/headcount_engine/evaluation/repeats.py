"""`same p (did x at least k times in W)` for everyone: some value of p occurs k times among one profile's events.

The commonest keyed condition gets a path of its own: pairs of profile and value are spread over buckets by profile,
each small enough for a table in the second-level cache, and counted bucket by bucket, on all cores.
"""

from __future__ import annotations

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import EventCount, Keyed
from headcount_engine.evaluation.counts import shares_of
from headcount_engine.evaluation.slices import Slice, slices
from headcount_engine.evaluation.spaces import People
from headcount_engine.evaluation.threads import side_by_side
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.kernels import histories as kernels
from headcount_engine.limits import BLOCK_WORDS
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64, U64
from headcount_engine.model.values import Kind

_BUCKET_EVENTS = 1 << 13
_PLAIN = frozenset({Kind.TEXT, Kind.BOOL, Kind.INT, Kind.DECIMAL, Kind.DATE, Kind.INSTANT})


def repeats_set(bound: Keyed, people: PopulationView, deadline: Deadline) -> Bitmap | None:
    """The profiles, or None if the condition is not of this shape or its values are not whole numbers of 32 bits."""
    child = bound.child
    if not isinstance(child, EventCount) or child.count.low < 1 or child.count.high is not None:
        return None
    kinds = {f.type for f in bound.fields}
    if len(kinds) != 1 or next(iter(kinds)).kind not in _PLAIN:
        return None
    found = slices(People(people), child.sources, child.span, deadline)
    parts = [part for part in found if bound.property in part.run.properties]
    if any(p.run.properties[bound.property].dtype.itemsize > 4 for p in parts):
        return None
    return _count(bound.property, child.count.low, parts, people, deadline)


def _count(
    name: str, at_least: int, parts: list[Slice], people: PopulationView, deadline: Deadline
) -> Bitmap:
    total = sum(len(p) for p in parts)
    buckets = max(1, total // _BUCKET_EVENTS)
    shift = max((people.ids_end // buckets).bit_length(), 6)
    used = (people.ids_end >> shift) + 1
    spread = side_by_side(shares_of(parts), lambda share: _spread(name, share, shift, used))
    deadline.check()
    workers = len(spread)
    groups = [range(used * w // workers, used * (w + 1) // workers) for w in range(workers)]
    found = side_by_side(groups, lambda group: _marked(group, spread, at_least, people.blocks))
    for other in found[1:]:
        found[0] |= other
    return bitmaps.from_words(found[0])


def _spread(name: str, parts: list[Slice], shift: int, buckets: int) -> tuple[U64, I64]:
    """(pairs by bucket, where each bucket ends; the first begins at 0)."""
    sizes = np.zeros(buckets, dtype=np.int64)
    valued = [(p, p.values(name)) for p in parts]
    for part, values in valued:
        assert values is not None
        kernels.size_buckets(part.members, values, part.mask, shift, sizes)
    ends = np.cumsum(sizes)
    places = ends - sizes
    pairs = np.empty(int(ends[-1]), dtype=np.uint64)
    for part, values in valued:
        assert values is not None
        kernels.fill_buckets(part.members, values, part.mask, shift, places, pairs)
    return pairs, ends


def _marked(group: range, spread: list[tuple[U64, I64]], at_least: int, blocks: int) -> U64:
    """Words of the profiles in some buckets with a pair that occurs often enough."""
    words = np.zeros(blocks * BLOCK_WORDS, dtype=np.uint64)
    keys = np.empty(0, dtype=np.uint64)
    counts = np.empty(0, dtype=np.uint32)
    for bucket in group:
        pieces = [pairs[(ends[bucket - 1] if bucket else 0) : ends[bucket]] for pairs, ends in spread]
        total = sum(len(p) for p in pieces)
        if total < at_least:
            continue
        slots = 1 << (2 * total).bit_length()
        if len(keys) < slots:
            keys, counts = np.empty(slots, dtype=np.uint64), np.empty(slots, dtype=np.uint32)
        counts[:slots] = 0
        for piece in pieces:
            kernels.mark_repeats(piece, keys[:slots], counts[:slots], at_least, words)
    return words
