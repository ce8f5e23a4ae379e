"""EventService: what people did."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.batches import EventBatch, Texts, WriteReceipt
from headcount_server.context import Context
from headcount_server.repeats import Repeats
from headcount_server.services.asking import Stopwatch
from headcount_server.services.visits import check_rows, with_segments
from headcount_server.wire import messages, writes
from headcount_server.wire.columns import event_batch, profile_batch
from headcount_server.wire.rows import event_rows

if TYPE_CHECKING:
    from headcount_engine import Database

_INGEST = "/headcount.v1.EventService/IngestStream"


class Events:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._ingested = Repeats(_INGEST, messages.IngestStreamResponse, database)

    def track(self, request: messages.TrackEventsRequest, context: Context) -> messages.TrackEventsResponse:
        batch = self._batch(request)
        check_rows(request.return_segments, len(batch))
        context.deadline.check()
        watch = Stopwatch()
        return writes.track_answer(self._database.write_events(batch), watch.us)

    def with_segments(
        self, answer: messages.TrackEventsResponse, request: messages.TrackEventsRequest, context: Context
    ) -> messages.TrackEventsResponse:
        """The answer with where the events led, if that was asked for."""

        def keys() -> Texts:
            named = self._batch(request).keys
            assert isinstance(named, Texts)
            return named

        return with_segments(self._database, answer, request.return_segments, keys, context)

    def _batch(self, request: messages.TrackEventsRequest) -> EventBatch:
        if request.events and request.HasField("batch"):
            raise InvalidArgument("either rows or a batch, not both", path="batch")
        create = request.create if request.HasField("create") else True
        if request.HasField("batch"):
            return event_batch(request.batch, "batch", create=create, all_or_nothing=request.all_or_nothing)
        return event_rows(request.events, "events", create=create, all_or_nothing=request.all_or_nothing)

    def ingest(
        self, requests: Iterator[messages.IngestStreamRequest], context: Context
    ) -> Iterator[messages.IngestStreamResponse]:
        """One answer a batch, in order; a batch that cannot be read ends the stream, those before stay
        applied."""
        total = 0
        for request in requests:
            context.deadline.check()
            answer = self._ingested.run(
                request, request.request_id, context, functools.partial(self._ingest_one, request)
            )
            total += answer.accepted_rows
            yield writes.numbered(answer, request.batch_number, total)

    def _ingest_one(self, request: messages.IngestStreamRequest) -> messages.IngestStreamResponse:
        watch = Stopwatch()
        return writes.ingest_answer(self._apply(request), watch.us)

    def _apply(self, request: messages.IngestStreamRequest) -> WriteReceipt:
        create = request.create if request.HasField("create") else True
        match request.WhichOneof("batch"):
            case "profiles":
                batch = profile_batch(
                    request.profiles, "profiles", create=create, all_or_nothing=request.all_or_nothing
                )
                return self._database.write_profiles(replace(batch, recreate=request.recreate))
            case "events":
                return self._database.write_events(
                    event_batch(
                        request.events, "events", create=create, all_or_nothing=request.all_or_nothing
                    )
                )
            case _:
                raise InvalidArgument("a batch of profiles or of events", path="batch")
