"""Waits: restart from checkpoint + log, warm kernel cache."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits
from bench.tiers import Tier

ROW = "restart"
QUESTION = "restart from checkpoint + log, warm kernel cache"
WAITS_FOR = "durability"


def measure(context: Context) -> list[Outcome]:
    return [
        waits(ROW, "restart", Kind.TIME, WAITS_FOR, {Tier.M: 3, Tier.L: 30}.get(context.tier)),
    ]
