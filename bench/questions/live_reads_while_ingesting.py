"""Waits: live count and one membership over gRPC while 100 k events/s go into 1,000 live segments."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits

ROW = "live_reads_while_ingesting"
QUESTION = "live count and one membership over gRPC while 100 k events/s go into 1,000 live segments"
WAITS_FOR = "live segments"


def measure(_: Context) -> list[Outcome]:
    return [
        waits(ROW, "count", Kind.TIME, WAITS_FOR, 0.005),
        waits(ROW, "membership", Kind.TIME, WAITS_FOR, 0.005),
    ]
