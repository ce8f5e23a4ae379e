"""Waits: acknowledged write -> join on a subscriber's stream, at 20 k events/s."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits

ROW = "join_on_stream"
QUESTION = "acknowledged write -> join on a subscriber's stream, at 20 k events/s"
WAITS_FOR = "the change stream"


def measure(_: Context) -> list[Outcome]:
    return [
        waits(ROW, "p50", Kind.TIME, WAITS_FOR, 0.003),
        waits(ROW, "p99", Kind.TIME, WAITS_FOR, 0.015),
    ]
