"""How long do all the live segments that one profile is in take, of a thousand?

By key, in process, another profile each time. The floor asks a thousand ready bitmaps.
"""

from __future__ import annotations

import itertools

import numpy as np

from bench.context import Context
from bench.generator import KEY_DIGITS
from bench.measure import timed
from bench.outcome import Floor, Outcome, took
from bench.tiers import SEED
from headcount_engine import bitmaps
from headcount_engine.conditions.tree import InSegment

ROW = "memberships_of_a_profile"
QUESTION = "all of 1,000 segments one profile is in"
TARGET = 20e-6
KEYS = 300


def measure_live(context: Context) -> list[Outcome]:
    database = context.loaded.database
    sets = {d.id: bitmaps.from_ids(database.members(InSegment(d.id)).ids) for d in context.segments}
    own = set(sets)
    numbers = np.random.default_rng(SEED + 1).integers(0, context.tier.size.profiles, KEYS).tolist()
    keys = [f"c{i:0{KEY_DIGITS}d}" for i in numbers]
    held = 0
    for key, number in zip(keys, numbers, strict=True):
        found = set(database.memberships(key).segments) & own
        if found != {id_ for id_, members in sets.items() if number in members}:
            raise RuntimeError(f"the memberships of {key} are not those of the segments' members")
        held += len(found)
    next_key, next_number = itertools.cycle(keys), itertools.cycle(numbers)

    def every_bitmap() -> list[str]:
        number = next(next_number)
        return [id_ for id_, members in sets.items() if number in members]

    return [
        took(
            ROW, "all memberships", timed(lambda: database.memberships(next(next_key))), target=TARGET,
            floor=Floor("raw pyroaring, `id in bitmap` of every segment", timed(every_bitmap, budget_s=0.2).p50),
            note=f"{held / KEYS:.0f} of {len(sets):,} on average",
        )
    ]  # fmt: skip
