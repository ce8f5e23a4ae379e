"""Waits: all of 1,000 segments one profile is in."""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits

ROW = "memberships_of_a_profile"
QUESTION = "all of 1,000 segments one profile is in"
WAITS_FOR = "live segments"


def measure(_: Context) -> list[Outcome]:
    return [
        waits(ROW, "all memberships", Kind.TIME, WAITS_FOR, 2e-05),
    ]
