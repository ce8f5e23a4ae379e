"""Waits: unary count and membership on the fast lane, pinned to one core."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits

ROW = "fast_lane"
QUESTION = "unary count and membership on the fast lane, pinned to one core"
WAITS_FOR = "the fast lane"


def measure(_: Context) -> list[Outcome]:
    return [
        waits(ROW, "p50 over a Unix socket", Kind.TIME, WAITS_FOR, 2.5e-05),
        waits(ROW, "requests per second, 4 connections of 64 streams", Kind.RATE, WAITS_FOR, 100000),
    ]
