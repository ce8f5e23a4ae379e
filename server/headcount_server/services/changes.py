"""ChangeService: who joins and who leaves, for as long as the caller listens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headcount_engine.changes.watch import WatchItem
from headcount_engine.errors import Cancelled
from headcount_server.context import Context
from headcount_server.errors import NotReady
from headcount_server.phase import Phase, PhaseHolder
from headcount_server.services.asking import Stopwatch
from headcount_server.wire import changes as wire
from headcount_server.wire import messages

if TYPE_CHECKING:
    from headcount_engine import Database

_LOOK_EVERY_S = 0.25
"""How often a stream on which nothing happens looks whether the server is being stopped."""
_ENDS_BEFORE_S = 0.5
"""A stream ends by itself so long before its time is up, and in good order: whoever listens goes on with a new one."""


class Changes:
    def __init__(self, database: Database, phase: PhaseHolder) -> None:
        self._database = database
        self._phase = phase

    def watch(
        self, request: messages.WatchMembershipsRequest, context: Context
    ) -> Iterator[messages.WatchMembershipsResponse]:
        """Items as they come; between them this thread holds nothing. Ends shortly before the deadline."""
        segments, start = wire.watched_segments(request), wire.start_of(request)
        following = self._database.following
        watch = following.watch(segments, start, with_initial_members=request.include_initial_members)
        ends_at = context.deadline.at_monotonic
        while ends_at is None or time.monotonic() < ends_at - _ENDS_BEFORE_S:
            self._refuse_when_draining()
            try:
                item = watch.take(_LOOK_EVERY_S, context.deadline)
            except Cancelled:
                # The database closed under it, if it was not the caller who left.
                self._refuse_when_draining()
                raise
            if item is not None:
                yield self._answer(item)

    def _refuse_when_draining(self) -> None:
        if self._phase.current is Phase.DRAINING:
            raise NotReady("draining", retry_after_s=1.0)

    def _answer(self, item: WatchItem) -> messages.WatchMembershipsResponse:
        database, stopwatch = self._database, Stopwatch()
        return wire.watch_answer(
            item,
            lambda ids: database.keys_of(ids).to_list(),
            database.following.token,
            lambda: stopwatch.us,
        )
