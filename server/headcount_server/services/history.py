"""A segment's history as GetStatistics gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount_engine.errors import InvalidArgument
from headcount_engine.limits import MICROSECONDS_PER_DAY
from headcount_server.wire import messages
from headcount_server.wire.fields import optional_instant_us, put_instant

if TYPE_CHECKING:
    from headcount_engine import Database

_SECONDS_MAX = 1 << 40


def history_points(
    database: Database, segment: str, request: messages.GetStatisticsRequest, now_us: int
) -> list[messages.SizePoint]:
    """Size, joins and leaves in each step of the period asked for, which ends at `now_us` at the latest."""
    end_us = optional_instant_us(request, "end_time")
    found = database.following.history(
        segment,
        start_us=optional_instant_us(request, "start_time"),
        end_us=now_us + 1 if end_us is None else min(end_us, now_us + 1),
        step_us=_step_us(request),
    )
    points = []
    for start_us, size, joined, left in zip(
        found.starts_us.tolist(),
        found.sizes.tolist(),
        found.joined.tolist(),
        found.left.tolist(),
        strict=True,
    ):
        point = messages.SizePoint(size=size, joined=joined, left=left)
        put_instant(point.start_time, start_us)
        points.append(point)
    return points


def _step_us(request: messages.GetStatisticsRequest) -> int:
    if not request.HasField("interval"):
        return MICROSECONDS_PER_DAY
    length = request.interval
    if length.nanos or not 0 < length.seconds < _SECONDS_MAX:
        raise InvalidArgument("an interval is a whole number of minutes, and at least one", path="interval")
    return length.seconds * 1_000_000
