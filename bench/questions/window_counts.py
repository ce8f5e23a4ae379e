"""How long does "at least k events in the last 7 days" take, over all the events of all types?

Unfiltered reads every event of the window, filtered those on the most frequent page. No counts are
kept between runs, but postings of the page are, made the second time that it is filtered by.
"""

from __future__ import annotations

from bench import asked
from bench.asked import Frequent
from bench.context import Context
from bench.floors import memory_pass
from bench.measure import timed
from bench.outcome import Outcome, took
from bench.tiers import Tier
from headcount_engine.conditions.text import parse

ROW = "window_counts"
QUESTION = 'ad-hoc "at least k in 7 days" with all the events, two threads: filtered; unfiltered'
FILTERED = {Tier.M: 1.2e-3, Tier.L: 8e-3}
UNFILTERED = {Tier.M: 2.5e-3, Tier.L: 25e-3}
PROFILE_BYTES, PAGE_BYTES = 4, 2


def measure(context: Context) -> list[Outcome]:
    return [
        _case(context, "filtered", asked.FILTERED, FILTERED.get(context.tier), PROFILE_BYTES + PAGE_BYTES),
        _case(context, "unfiltered", asked.UNFILTERED, UNFILTERED.get(context.tier), PROFILE_BYTES),
        _one_type(context),
    ]


def _case(
    context: Context, case: str, question: Frequent, target: float | None, bytes_per_event: int
) -> Outcome:
    database, rule = context.loaded.database, parse(question.rule)
    answer = database.count(rule).count
    events = context.data.recent_events().num_rows
    floor = memory_pass(events * bytes_per_event + context.tier.size.profiles)
    note = f"{events:,} events in the window"
    return took(
        ROW, case, timed(lambda: database.count(rule)), target=target, floor=floor, answer=answer, note=note
    )


def _one_type(context: Context) -> Outcome:
    database = context.loaded.database
    rule = parse("did page_view at least 3 times in last 7 days")
    return took(ROW, "one type: a third of the events", timed(lambda: database.count(rule)), is_beside=True)
