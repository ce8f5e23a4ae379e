"""Waits: count of a live segment; one membership, in process."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits

ROW = "live_count"
QUESTION = "count of a live segment; one membership, in process"
WAITS_FOR = "live segments"


def measure(_: Context) -> list[Outcome]:
    return [
        waits(ROW, "count", Kind.TIME, WAITS_FOR, 1e-06),
        waits(ROW, "one membership", Kind.TIME, WAITS_FOR, 1e-06),
    ]
