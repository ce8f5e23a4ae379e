"""Within one visit: a write is answered with the segments that it led to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from headcount_engine.errors import LimitExceeded
from headcount_engine.live_reads import ROWS_MAX
from headcount_engine.model.answers import Need
from headcount_engine.model.batches import Texts
from headcount_server.context import Context
from headcount_server.wire import messages, writes

if TYPE_CHECKING:
    from headcount_engine import Database

Answer = TypeVar("Answer", messages.TrackEventsResponse, messages.BatchUpsertProfilesResponse)


def check_rows(wanted: bool, rows: int) -> None:
    """Refuse too many rows before any is written; raises LimitExceeded."""
    if wanted and rows > ROWS_MAX:
        raise LimitExceeded("rows whose segments are returned", ROWS_MAX, rows)


def with_segments(
    database: Database, answer: Answer, wanted: bool, keys: Callable[[], Texts], context: Context
) -> Answer:
    """The answer of a write with the segments of each row, where they are wanted.

    They are found anew for each sending, and never kept under its request id: what is kept must not outlive an
    erasure.
    """
    if not wanted:
        return answer
    found = database.live_reads.memberships_of_rows(keys(), Need(answer.version, deadline=context.deadline))
    made = type(answer)()
    made.CopyFrom(answer)
    made.segments_after.CopyFrom(writes.segments_after(found))
    return made
