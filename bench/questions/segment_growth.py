"""What does a batch of 10,000 events cost with 10, 100, 1,000 and 10,000 live segments?

The batches, the clock and the checks are those of `load_rate`. Beside each: how long saving took for each segment that
came in addition, back-filled. Ten thousand take minutes to save, so they are asked about only where this row is named:
`make bench-segments` puts it into the results of tier M.
"""

from __future__ import annotations

import time

from bench.context import Context
from bench.measure import timed_each
from bench.outcome import Outcome, size, took
from bench.tiers import Tier

ROW = "segment_growth"
QUESTION = "cost against the number of live segments: a batch of 10 k events"
ROWS = 10_000
BUDGET_S = 1.0
WARM_BATCHES = 3
BEFORE, AFTER = (10, 100), (1_000, 10_000)
MOST = {Tier.L: 1_000}
"""Ten thousand segments of ten million profiles would take 40 GB."""


def measure(context: Context) -> list[Outcome]:
    return [outcome for count in BEFORE for outcome in _with(context, count)]


def measure_live(context: Context) -> list[Outcome]:
    most = MOST.get(context.tier, max(AFTER)) if ROW in context.named else 1_000
    return [outcome for count in AFTER if count <= most for outcome in _with(context, count)]


def case_of(count: int) -> str:
    """The name of the case with so many segments."""
    return f"batch of 10 k events, {count:,} live segments"


def _with(context: Context, count: int) -> list[Outcome]:
    database, were = context.loaded.database, context.saved
    started = time.perf_counter()
    context.live(count)
    took_s = time.perf_counter() - started
    for _ in range(WARM_BATCHES):
        context.stream.writer(database, ROWS)()()
    timing = timed_each(context.stream.writer(database, ROWS), budget_s=BUDGET_S)
    living_bytes = database.live.nbytes / context.tier.size.profiles
    note = (
        f"{took_s / (count - were) * 1e3:.1f} ms to save and fill each of the last {count - were:,}"
        if count > were
        else ""
    )
    return [
        took(ROW, case_of(count), timing, note=note),
        size(ROW, f"what is kept, per profile, {count:,} live segments", living_bytes, is_beside=True),
    ]
