"""How long does it take to count who had the same page at least three times in the last 7 days?"""

from __future__ import annotations

from bench import asked
from bench.context import Context
from bench.floors import memory_pass
from bench.measure import timed
from bench.outcome import Kind, Outcome, took, waits
from bench.tiers import Tier
from headcount_engine.conditions.text import parse
from headcount_engine.errors import InvalidRule

ROW = "keyed_window"
QUESTION = "ad-hoc keyed count over the same events (same value k times in 7 days), two threads"
TARGETS = {Tier.M: 12e-3}


def measure(context: Context) -> list[Outcome]:
    database, rule = context.loaded.database, parse(asked.KEYED.rule)
    target = TARGETS.get(context.tier)
    try:
        answer = database.count(rule).count
    except InvalidRule as refused:
        return [waits(ROW, "same page", Kind.TIME, f"the condition `same` ({refused.message})", target)]
    events = context.data.recent_events().num_rows
    floor = memory_pass(events * 6 + context.tier.size.profiles)
    timing = timed(lambda: database.count(rule))
    return [took(ROW, "same page", timing, target=target, floor=floor, answer=answer)]
