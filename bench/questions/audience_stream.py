"""Waits: audience of 5 M out of 10 M: first chunk; whole, as a bitmap; whole, as keys."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits
from bench.tiers import Tier

ROW = "audience_stream"
QUESTION = "audience of 5 M out of 10 M: first chunk; whole, as a bitmap; whole, as keys"
WAITS_FOR = "audiences"


def measure(context: Context) -> list[Outcome]:
    return [
        waits(ROW, "first chunk", Kind.TIME, WAITS_FOR, 0.05 if context.tier is Tier.L else None),
        waits(ROW, "whole, as a bitmap", Kind.TIME, WAITS_FOR, 0.3 if context.tier is Tier.L else None),
        waits(ROW, "whole, as keys", Kind.RATE, WAITS_FOR, 2000000.0 if context.tier is Tier.L else None),
    ]
