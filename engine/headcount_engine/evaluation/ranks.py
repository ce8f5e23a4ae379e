"""Top and bottom: the first so many by value, ties by key, exactly that many."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import Ranked
from headcount_engine.conditions.tree import End
from headcount_engine.indexes.predicates import Present, passes
from headcount_engine.indexes.store import ReadView
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
    if wanted == len(ids):
        return bitmaps.from_ids(ids)
    place = len(ids) - wanted if bound.end is End.TOP else wanted - 1
    edge = np.partition(values, place)[place]
    before = values > edge if bound.end is End.TOP else values < edge
    tied = ids[values == edge]
    chosen = _first_by_key(tied, wanted - int(before.sum()), view)
    return bitmaps.from_ids(np.concatenate([ids[before], chosen]))


def _first_by_key(ids: I64, count: int, view: ReadView) -> I64:
    """Of equals, the first by the bytes of their keys."""
    if count == len(ids):
        return ids
    keys = view.keys_at(ids).to_list()
    order = sorted(range(len(ids)), key=lambda i: keys[i].encode())
    return ids[order[:count]]
