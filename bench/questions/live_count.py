"""How long do the size of a live segment and one membership in it take, in process?

Asked of the database as a caller in the same process would. Beside: the same without an answer around it, as the engine
keeps them. The floors have ready bitmaps.
"""

from __future__ import annotations

import itertools

import numpy as np

from bench import living
from bench.context import Context
from bench.generator import KEY_DIGITS
from bench.measure import timed
from bench.outcome import Floor, Outcome, took
from bench.tiers import SEED
from headcount_engine import bitmaps
from headcount_engine.conditions.tree import InSegment

ROW = "live_count"
QUESTION = "count of a live segment; one membership, in process"
TARGET = 1e-6
KEYS = 1_000


def measure_live(context: Context) -> list[Outcome]:
    database = context.loaded.database
    chosen = context.segments[100]
    rule = InSegment(chosen.id)
    members = bitmaps.from_ids(database.members(rule).ids)
    size = database.count(rule).count
    if size != len(members) or size != database.count(chosen.rule).count:
        raise RuntimeError("the size of a live segment is not that of its rule")
    living.check(database)
    numbers = np.random.default_rng(SEED).integers(0, context.tier.size.profiles, KEYS).tolist()
    keys = [f"c{i:0{KEY_DIGITS}d}" for i in numbers]
    if any(
        database.check(k, [rule]).results[0] != (i in members) for k, i in zip(keys, numbers, strict=True)
    ):
        raise RuntimeError("the memberships of a live segment are not those of its members")
    next_key, next_number = itertools.cycle(keys), itertools.cycle(numbers)
    live = database.live
    return [
        took(
            ROW, "count", timed(lambda: database.count(rule)), target=TARGET, answer=size,
            floor=Floor("raw pyroaring, the length of a ready bitmap", timed(lambda: len(members), budget_s=0.1).p50),
        ),
        took(
            ROW, "one membership", timed(lambda: database.check(next(next_key), [rule])), target=TARGET,
            floor=Floor(
                "raw pyroaring, `id in bitmap`", timed(lambda: next(next_number) in members, budget_s=0.1).p50
            ),
        ),
        took(ROW, "count, as it is kept", timed(lambda: live.size(chosen.id), budget_s=0.2), is_beside=True),
        took(
            ROW, "one membership by dense id, as it is kept",
            timed(lambda: live.holds(next(next_number), chosen.id), budget_s=0.2), is_beside=True,
        ),
    ]  # fmt: skip
