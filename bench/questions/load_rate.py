"""How fast are batches written in process?

The row itself wants 1,000 live segments behind the writes and waits for them. Beside it, from text keys and without
segments: the initial load, and batches of 1 to 100,000 events that go on after it, on data that was not loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bench.context import Context
from bench.generator import EVENT_CHUNK, events
from bench.measure import Timing, timed_each
from bench.outcome import Kind, Outcome, rate, waits
from headcount_engine.model.batches import EventBatch

ROW = "load_rate"
QUESTION = "batch write in process, batches of 10 k, 1,000 live segments: from dense ids; from text keys"
SIZES = (1, 100, 1_000, 10_000, 100_000)


def measure(context: Context) -> list[Outcome]:
    cost = context.loaded.cost
    return [
        waits(ROW, "from dense ids", Kind.RATE, "live segments, and batches by dense id", 300_000),
        waits(ROW, "from text keys", Kind.RATE, "live segments", 200_000),
        rate(ROW, "load of profiles, 30 attributes, no segments", cost.profiles,
             Timing(cost.profile_seconds, cost.profile_seconds, cost.profile_seconds, 0, 1), is_beside=True),
        rate(ROW, "load of events, batches of 100,000, no segments", cost.events,
             Timing(cost.event_seconds, cost.event_seconds, cost.event_seconds, 0, 1), is_beside=True),
        *(_batches(context, rows) for rows in SIZES),
        _batches(context, 10_000, with_ids=True),
    ]  # fmt: skip


def _batches(context: Context, rows: int, *, with_ids: bool = False) -> Outcome:
    database, parts = context.loaded.database, _parts(context, rows, with_ids)

    def prepare() -> Callable[[], object]:
        batch = next(parts)
        return lambda: database.write_events(batch)

    timing = timed_each(prepare, budget_s=1.0)
    ids = " with event ids" if with_ids else ""
    return rate(ROW, f"events{ids} in batches of {rows:,}, no segments", rows, timing, is_beside=True)


def _parts(context: Context, rows: int, with_ids: bool) -> Iterator[EventBatch]:
    """The last chunk of the history under another seed, cut into batches, over and over with fresh chunks."""
    total = context.tier.size.events
    last = -(-total // EVENT_CHUNK) - 1
    seed = 1_000 + rows + with_ids
    while True:
        for chunk in events(total, context.tier.size.profiles, seed, with_ids=with_ids, first_chunk=last):
            for start in range(0, len(chunk) - rows + 1, rows):
                yield chunk.part(start, start + rows).to_batch()
        seed += 1
