"""A segment's history as GetStatistics gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount_server.wire import messages

if TYPE_CHECKING:
    from headcount_engine import Database


def history_points(
    database: Database, segment: str, request: messages.GetStatisticsRequest, now_us: int
) -> list[messages.SizePoint]:
    """Size, joins and leaves in each step of the period asked for; none while no history is kept."""
    return []
