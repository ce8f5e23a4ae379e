"""How long do a size and a membership over gRPC take while 100,000 events a second go into 1,000 live segments?

The process with the engine serves; the reader and the writer are processes of their own on the same machine. Messages
of 10,000 events are made beforehand and sent on one stream when they are due; each moves the clock along, so windows
lose as many as they gain, and the server's ticks are on. The reader asks in turns, one request at a time: first alone,
then beside the writer. The floor is the same reader while nothing is written.

A message holds the events of an hour or more of the history, so the clock runs that much faster than the world's; how
far answers may be behind it before a read ticks runs along, or every read beside the writer would carry out what the
message after it is about to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import cast

from bench import living
from bench.callers import calling
from bench.context import Context
from bench.measure import Timing
from bench.outcome import Floor, Kind, Outcome, took
from bench.serving import lent
from bench.tiers import DAYS, Tier
from headcount_engine.live_reads import TICK_US

ROW = "live_reads_while_ingesting"
QUESTION = "live count and one membership over gRPC while 100 k events/s go into 1,000 live segments"
EVENTS_A_SECOND = 100_000
ROWS = 10_000
IDLE_S, BUSY_S = 1.5, 4.0
BUSY_SMALL_S = 2.0
P50_RATIO, P99 = 2.0, 5e-3


def measure_live(context: Context) -> list[Outcome]:
    database, segment = context.loaded.database, context.segments[100].id
    database.tick()
    before, events = living.sizes(database), database.status().events
    busy_s = BUSY_SMALL_S if context.tier is Tier.S else BUSY_S
    options = {"tier": context.tier, "segment": segment}
    with lent(context) as address, _behind_as_far(context):
        with calling("read", address, seconds=IDLE_S, **options) as reader:
            reader.wait_ready()
            reader.begin()
            idle = reader.saw()
        with (
            calling(
                "write", address, tier=context.tier, clock=context.clock.path, rate=EVENTS_A_SECOND, rows=ROWS,
                seconds=busy_s + 1,
            ) as writer,
            calling("read", address, seconds=busy_s, **options) as reader,
        ):  # fmt: skip
            writer.wait_ready()
            reader.wait_ready()
            writer.begin()
            reader.begin()
            busy, wrote = reader.saw(), writer.saw()
    context.renew_stream()
    written = database.status().events - events
    if written != wrote["events"]:
        raise RuntimeError(f"{written:,} of {wrote['events']:,} events are counted")
    flips = living.check(database, before)
    rate = float(str(wrote["events"])) / float(str(wrote["seconds"]))
    note = f"beside {rate:,.0f} events/s, {flips / written:.2f} flips each"
    outcomes = []
    for case in ("count", "membership"):
        alone, beside = _timing(idle, case), _timing(busy, case)
        floor = Floor("the same reader while nothing is written", alone.p50)
        outcomes += [
            took(ROW, f"{case}, p50", beside, target=P50_RATIO * alone.p50, floor=floor, note=note),
            Outcome(ROW, f"{case}, p99", Kind.TIME, beside.p99, samples=beside.samples, target=P99),
            Outcome(ROW, f"{case}, p99 while nothing is written", Kind.TIME, alone.p99, samples=alone.samples,
                    is_beside=True),
        ]  # fmt: skip
    share = Outcome(ROW, "events that went in meanwhile", Kind.RATE, rate, samples=1, target=EVENTS_A_SECOND)
    return [*outcomes, share]


@contextlib.contextmanager
def _behind_as_far(context: Context) -> Iterator[None]:
    """The server's allowance for answers that are behind the clock, at the clock's pace."""
    reads = context.loaded.database.live_reads
    pace = EVENTS_A_SECOND * DAYS * 86_400 / context.tier.size.events
    reads._tick_us = int(TICK_US * pace)
    try:
        yield
    finally:
        reads._tick_us = TICK_US


def _timing(seen: dict[str, object], case: str) -> Timing:
    return Timing.of(cast("list[float]", seen[case]))
