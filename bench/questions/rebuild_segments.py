"""How long does it take to work out 1,000 segments from nothing?

The row is about live segments and waits for them. Beside it, what stands today: the exact sizes of all saved segments,
each evaluated, conditions that they share only once.
"""

from __future__ import annotations

from bench.context import Context
from bench.measure import timed
from bench.outcome import Kind, Outcome, took, waits
from bench.tiers import Tier
from headcount_engine.model.answers import SegmentQuery

ROW = "rebuild_segments"
QUESTION = "rebuild of 1,000 segments from nothing"
TARGETS = {Tier.M: 0.5}


def measure(context: Context) -> list[Outcome]:
    database, number = context.loaded.database, len(context.segments)
    query = SegmentQuery(page_size=number)
    timing = timed(lambda: database.list_segments(query), budget_s=1.0, samples_min=3, warm_runs=1)
    return [
        waits(ROW, "rebuild", Kind.TIME, "live segments", TARGETS.get(context.tier)),
        took(ROW, f"sizes of {number:,} saved segments, evaluated each time", timing, is_beside=True),
    ]
