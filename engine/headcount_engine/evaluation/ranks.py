"""Top and bottom: the first so many by value, ties by key, exactly that many."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import Ranked
from headcount_engine.conditions.tree import End
from headcount_engine.indexes.predicates import Present, Stored, passes
from headcount_engine.indexes.store import ReadView
from headcount_engine.kernels import prefixes
from headcount_engine.model.batches import I64


def ranked_set(bound: Ranked, pool: Bitmap, view: ReadView) -> Bitmap:
    """The first of those in `pool` who have the attribute. One pass over their values; only ties look at keys."""
    ids = bitmaps.to_ids(pool).astype(np.int64)
    values = bound.attribute.column.gather(ids)
    there = passes(Present(), values)
    ids, values = ids[there], values[there]
    share = Fraction(bound.amount) * len(ids) / 100 if bound.is_percent else Fraction(bound.amount)
    wanted = min(math.ceil(share), len(ids))
    if wanted == 0:
        return bitmaps.EMPTY
    return bitmaps.from_ids(first_of(ids, values, wanted, bound.end, view))


def first_of(ids: I64, values: Stored, count: int, end: End, view: ReadView) -> I64:
    """The ids of the `count` first by their values, all of them present, ties by key; in no order. 0 < count."""
    if count >= len(ids):
        return ids
    place = len(ids) - count if end is End.TOP else count - 1
    edge = np.partition(values, place)[place]
    before = values > edge if end is End.TOP else values < edge
    chosen = _first_by_key(ids[values == edge], count - int(before.sum()), view)
    return np.concatenate([ids[before], chosen])


def _first_by_key(ids: I64, count: int, view: ReadView) -> I64:
    """Of equals, the first by the bytes of their keys: eight bytes at a time, of those that are still equal."""
    if count == len(ids):
        return ids
    keys = view.keys_at(ids)
    rows = np.arange(len(ids), dtype=np.int64)
    longest = int(np.diff(keys.offsets).max())
    chosen: list[I64] = []
    for start in range(0, longest, 8):
        words = np.empty(len(rows), dtype=np.uint64)
        prefixes.eight_bytes(keys.data, keys.offsets, rows, start, words)
        edge = np.partition(words, count - 1)[count - 1]
        before = words < edge
        chosen.append(rows[before])
        count -= int(before.sum())
        rows = rows[words == edge]
        if count == len(rows):
            break
    # Keys are all different and hold no zero bytes, so equals are told apart before their bytes run out.
    first: I64 = ids[np.concatenate([*chosen, rows[:count]])]
    return first
