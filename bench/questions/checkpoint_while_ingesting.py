"""Waits: a checkpoint while ingesting: capture; commit p99 meanwhile; throughput meanwhile."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits
from bench.tiers import Tier

ROW = "checkpoint_while_ingesting"
QUESTION = "a checkpoint while ingesting: capture; commit p99 meanwhile; throughput meanwhile"
WAITS_FOR = "durability"


def measure(context: Context) -> list[Outcome]:
    return [
        waits(ROW, "capture", Kind.TIME, WAITS_FOR, 0.01),
        waits(ROW, "commit p99", Kind.TIME, WAITS_FOR, 0.06 if context.tier is Tier.M else None),
    ]
