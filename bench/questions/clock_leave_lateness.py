"""How late does a subscriber hear of a leave that time alone brings?

A thousand profiles join by an event each that is nearly an hour old; the condition is of the last hour, and the clock
runs. Each is due to leave at an instant of its own within the next seconds; late is from there to the subscriber's
having it, in a process of its own. The server ticks every 250 ms, with 1,000 other live segments. Beside: how many
joins and leaves one tick over a day without a write brings in a second; and a midnight at which all segments of those
who did something yesterday change at once: how long that one version takes, and how long a read waits for it at most.
"""

from __future__ import annotations

import threading
import time
from typing import cast

import numpy as np

from bench import living
from bench.callers import calling
from bench.columns import numbered
from bench.context import Context
from bench.generator import KEY_DIGITS
from bench.measure import Timing
from bench.outcome import Kind, Outcome, rate, took
from bench.serving import lent
from bench.tiers import DAY_US, SEED
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import EventBatch
from headcount_server.config import ServerConfig

ROW = "clock_leave_lateness"
QUESTION = "lateness of a clock-driven leave"
SEGMENT, EVENT = "bench-leave", "bench_leave"
PROFILES = 1_000
FIRST_S, LAST_S = 1.0, 4.0
HOUR_US = 3_600_000_000
MORE_S = 0.1


def measure_live(context: Context) -> list[Outcome]:
    return [*_lateness(context), *_midnight(context), _leaves_of_a_tick(context)]


def _lateness(context: Context) -> list[Outcome]:
    database, clock, number = context.loaded.database, context.clock, len(context.segments)
    database.create_segment(SegmentDraft("Leave", f"did {EVENT} in last 1 hours", SEGMENT))
    keys = numbered("c", np.arange(PROFILES), KEY_DIGITS)
    after = np.random.default_rng(SEED).uniform(FIRST_S, LAST_S, PROFILES)
    with (
        lent(context) as address,
        calling("listen", address, segment=SEGMENT, joins=PROFILES, leaves=PROFILES) as listener,
    ):
        listener.wait_ready()
        clock.run()
        times = clock.now_us() - HOUR_US + (after * 1e6).astype(np.int64)
        database.write_events(EventBatch(keys, EVENT, times))
        left = cast("dict[str, float]", listener.saw()["left"])
        due = {
            key: clock.monotonic_at(at + HOUR_US)
            for key, at in zip(keys.to_list(), times.tolist(), strict=True)
        }
    clock.stand()
    context.renew_stream()
    database.delete_segment(SEGMENT)
    late = [left[key] - due[key] for key in due]
    if len(left) != PROFILES or min(late) < 0:
        raise RuntimeError("somebody left before the time, or not at all")
    timing = Timing.of(late)
    tick_s = ServerConfig().tick_ms / 1e3
    note = f"{PROFILES:,} leaves, a tick every {tick_s * 1e3:g} ms, {number:,} other live segments"
    return [
        Outcome(
            ROW, "p99 past the tick interval", Kind.TIME, max(0.0, timing.p99 - tick_s), samples=timing.samples,
            target=MORE_S, note=note,
        ),
        took(ROW, "from due to heard", timing, is_beside=True),
    ]  # fmt: skip


def _leaves_of_a_tick(context: Context) -> Outcome:
    database, clock = context.loaded.database, context.clock
    database.tick()
    before = living.sizes(database)
    clock.advance_to(clock.now_us() + DAY_US)
    started = time.perf_counter()
    database.tick()
    took_s = time.perf_counter() - started
    flips = living.check(database, before)
    context.renew_stream()
    note = f"{flips:,} in one tick"
    return rate(
        ROW,
        "joins and leaves of a tick over a day",
        flips,
        Timing.of([took_s]),
        note=note,
        is_beside=True,
    )


def _midnight(context: Context) -> list[Outcome]:
    database, clock = context.loaded.database, context.clock
    types = sorted(database._indexes.events.types)
    names = [f"{SEGMENT}-{name}" for name in types]
    for name, id_ in zip(types, names, strict=True):
        database.create_segment(SegmentDraft(id_, f"did {name} yesterday", id_))
    midnight_us = (clock.now_us() // DAY_US + 1) * DAY_US
    clock.advance_to(midnight_us - 1)
    before = living.sizes(database)
    waits, ended = [0.0], threading.Event()

    def read() -> None:
        while not ended.wait(0.0005):
            started = time.perf_counter()
            database.live_reads.sizes(names[:1])
            waits.append(time.perf_counter() - started)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    clock.advance_to(midnight_us)
    started = time.perf_counter()
    database.tick()
    took_s = time.perf_counter() - started
    ended.set()
    reader.join()
    flips = living.check(database, before)
    context.renew_stream()
    for id_ in names:
        database.delete_segment(id_)
    note = f"{flips:,} joins and leaves in one version"
    return [
        took(ROW, "a midnight", Timing.of([took_s]), note=note, is_beside=True),
        took(
            ROW, "the longest that a read waits meanwhile", Timing.of([max(waits)]), note=note, is_beside=True
        ),
    ]
