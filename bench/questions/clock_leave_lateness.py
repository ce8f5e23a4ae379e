"""Waits: lateness of a clock-driven leave."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits

ROW = "clock_leave_lateness"
QUESTION = "lateness of a clock-driven leave"
WAITS_FOR = "the change stream"


def measure(_: Context) -> list[Outcome]:
    return [
        waits(ROW, "p99 past the tick interval", Kind.TIME, WAITS_FOR, 0.1),
    ]
