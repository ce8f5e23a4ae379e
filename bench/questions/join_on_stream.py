"""How long after a write was acknowledged does a subscriber hear of the join it made, at 20,000 events a second?

Four processes: the one with the engine serves; one writes 20,000 events a second in messages of 1,000; one records
single events, each of which makes another profile join a segment; one listens. A join that comes before the
acknowledgement of its write counts as 0.
"""

from __future__ import annotations

from typing import cast

from bench.callers import PROBE_EVENT, calling
from bench.context import Context
from bench.measure import Timing
from bench.outcome import Kind, Outcome, took
from bench.serving import lent
from headcount_engine.model.answers import SegmentDraft

ROW = "join_on_stream"
QUESTION = "acknowledged write -> join on a subscriber's stream, at 20 k events/s"
EVENTS_A_SECOND, ROWS = 20_000, 1_000
PROBES_A_SECOND, SECONDS = 100, 3.0
P50, P99 = 3e-3, 15e-3
SEGMENT = "bench-probe"


def measure_live(context: Context) -> list[Outcome]:
    database, number = context.loaded.database, len(context.segments)
    database.create_segment(SegmentDraft("Probe", f"did {PROBE_EVENT} at least 1 times", SEGMENT))
    probes = int(PROBES_A_SECOND * SECONDS)
    clock = {"clock": context.clock.path, "tier": context.tier}
    with (
        lent(context) as address,
        calling("listen", address, segment=SEGMENT, joins=probes) as listener,
        calling("write", address, rate=EVENTS_A_SECOND, rows=ROWS, seconds=SECONDS + 1, **clock) as writer,
        calling("probe", address, rate=PROBES_A_SECOND, seconds=SECONDS, **clock) as probe,
    ):
        for each in (listener, writer, probe):
            each.wait_ready()
        writer.begin()
        probe.begin()
        probed = cast("dict[str, dict[str, float]]", probe.saw())
        joined = cast("dict[str, float]", listener.saw()["joined"])
        wrote = writer.saw()
    context.renew_stream()
    acknowledged, sent = probed["acknowledged"], probed["sent"]
    database.delete_segment(SEGMENT)
    if set(joined) != set(acknowledged) or len(joined) != probes:
        raise RuntimeError(f"{len(joined)} of {probes} joins were heard of")
    timing = Timing.of([max(0.0, joined[key] - acknowledged[key]) for key in acknowledged])
    rate = float(str(wrote["events"])) / float(str(wrote["seconds"]))
    note = f"{probes} joins beside {rate:,.0f} events/s, {number:,} live segments"
    return [
        took(ROW, "p50", timing, target=P50, note=note),
        Outcome(ROW, "p99", Kind.TIME, timing.p99, samples=timing.samples, target=P99),
        Outcome(ROW, "events that went in meanwhile", Kind.RATE, rate, samples=1, target=EVENTS_A_SECOND),
        took(ROW, "from sent to heard", Timing.of([joined[k] - sent[k] for k in sent]), is_beside=True),
        took(
            ROW,
            "from sent to acknowledged",
            Timing.of([acknowledged[k] - sent[k] for k in sent]),
            is_beside=True,
        ),
    ]
