"""What one profile did, in numbers: by event type how often, the first time and the last."""

from __future__ import annotations

from collections.abc import Mapping

from headcount_engine.indexes.events import TypeView
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.answers import EventSummary


def summaries(types: Mapping[str, TypeView], profile: int, now_us: int) -> tuple[EventSummary, ...]:
    """The types of which the profile has events up to `now_us`, in the order of their names; no event's properties are
    read, and no other profile's events where a run has its order by profile.
    """
    found = (_summary(held, profile, now_us) for _, held in sorted(types.items()))
    return tuple(summary for summary in found if summary is not None)


def _summary(held: TypeView, profile: int, now_us: int) -> EventSummary | None:
    """None where the profile has none."""
    gone = None if held.retention is None else held.retention.totals.of(profile)
    count, first_us, last_us = (0, now_us, INSTANT_MIN_US) if gone is None else gone
    for run in held.runs:
        start, end = run.between(INSTANT_MIN_US, now_us)
        if start == end:
            continue
        rows = run.rows_of(profile)
        times_us = run.times_us[rows[rows < end]]
        if len(times_us):
            count += len(times_us)
            first_us, last_us = min(first_us, int(times_us[0])), max(last_us, int(times_us[-1]))
    return EventSummary(held.name, count, first_us, last_us) if count else None
