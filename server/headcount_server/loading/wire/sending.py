"""Batches onto a stream, a few at a time, and what the server says about each."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import grpc

from headcount.errors import HeadcountError
from headcount.v1 import event_service_pb2
from headcount.wire.failures import error_of
from headcount_server.loading.batches import ReadyBatch
from headcount_server.loading.options import Role
from headcount_server.loading.problems import Rejected
from headcount_server.loading.wire.packing import messages

IN_FLIGHT = 4
"""Messages on the way: the server has the next one while it answers the last."""
INGEST_STREAM = "/headcount.v1.EventService/IngestStream"


class Channel(Protocol):
    """What of grpc.Channel a load needs."""

    def stream_stream(
        self,
        method: str,
        request_serializer: Callable[[event_service_pb2.IngestStreamRequest], bytes] | None = None,
        response_deserializer: Callable[[bytes], event_service_pb2.IngestStreamResponse] | None = None,
    ) -> grpc.StreamStreamMultiCallable[
        event_service_pb2.IngestStreamRequest, event_service_pb2.IngestStreamResponse
    ]: ...


@dataclass(slots=True)
class Totals:
    """What has happened to the rows so far."""

    rows: int = 0
    accepted: int = 0
    created: int = 0
    duplicates: int = 0
    version: int = 0
    rejected: int = 0
    first_rejected: list[Rejected] = field(default_factory=list)


FIRST_REJECTED = 10
LISTED_MAX = 10_000
"""Rejected rows that one answer lists."""


@dataclass(frozen=True, slots=True, eq=False)
class _Sent:
    """A message that waits for its answer: rows `start` up to `stop` of a batch."""

    batch: ReadyBatch
    start: int
    stop: int


class Sender:
    """Sends ready batches and keeps the totals. `on_rejected` gets every rejected row, from whichever side.

    `recreate`: keys of erased profiles make new ones. `on_change` is called after each answer.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        metadata: Sequence[tuple[str, str | bytes]] = (),
        recreate: bool = False,
        on_rejected: Callable[[Rejected], None] = lambda _: None,
        on_change: Callable[[Totals], None] = lambda _: None,
    ) -> None:
        self._channel = channel
        self._metadata = tuple(metadata)
        self._recreate = recreate
        self._on_rejected = on_rejected
        self._on_change = on_change
        self._lock = threading.Lock()
        self.totals = Totals()

    def send(self, batches: Iterable[ReadyBatch]) -> None:
        """All batches, in order; returns when the last one is answered.

        Raises HeadcountError if the server fails, and whatever `batches` raises, then with what was sent before
        answered.
        """
        sent: queue.SimpleQueue[_Sent] = queue.SimpleQueue()
        slots = threading.Semaphore(IN_FLIGHT)
        failure = list[BaseException]()
        ended = threading.Event()

        def requests() -> Iterator[event_service_pb2.IngestStreamRequest]:
            # gRPC runs this on a thread of its own, which therefore also reads and packs the file.
            try:
                for number, (message, entry) in enumerate(self._messages(batches), 1):
                    while not slots.acquire(timeout=0.2):
                        if ended.is_set():
                            return
                    message.batch_number = number
                    message.recreate = self._recreate
                    sent.put(entry)
                    yield message
            except BaseException as error:  # noqa: BLE001 - it is raised again where the load waits
                failure.append(error)

        call = self._channel.stream_stream(
            INGEST_STREAM,
            event_service_pb2.IngestStreamRequest.SerializeToString,
            event_service_pb2.IngestStreamResponse.FromString,
        )(requests(), metadata=self._metadata)
        try:
            for answer in call:
                slots.release()
                self._take(sent.get_nowait(), answer)
        except grpc.RpcError as error:
            raise error_of(error) from error  # type: ignore[arg-type]
        except BaseException:
            call.cancel()
            raise
        finally:
            ended.set()
        if failure:
            raise failure[0]
        if not sent.empty():
            raise HeadcountError("the server ended the stream before it had answered every batch")

    def _messages(
        self, batches: Iterable[ReadyBatch]
    ) -> Iterator[tuple[event_service_pb2.IngestStreamRequest, _Sent]]:
        for batch in batches:
            self.totals.rows += len(batch) + len(batch.rejected)
            for rejected in batch.rejected:
                self._reject(rejected)
            previous: tuple[event_service_pb2.IngestStreamRequest, int] | None = None
            for start, message in messages(batch):
                if previous is not None:
                    yield previous[0], _Sent(batch, previous[1], start)
                previous = message, start
            if previous is not None:
                yield previous[0], _Sent(batch, previous[1], len(batch))

    def _take(self, sent: _Sent, answer: event_service_pb2.IngestStreamResponse) -> None:
        totals = self.totals
        totals.accepted += answer.accepted_rows
        totals.created += answer.created_profiles
        totals.duplicates += answer.duplicate_events
        totals.version = max(totals.version, answer.version)
        for row in answer.rejected_rows:
            column = _column_of(sent.batch, row.field)
            self._reject(sent.batch.rejection(sent.start + row.row, column, row.message))
        # An answer lists the first rejected rows and no more; how many there were follows from what was accepted.
        if len(answer.rejected_rows) >= LISTED_MAX:
            with self._lock:
                totals.rejected += sent.stop - sent.start - answer.accepted_rows - len(answer.rejected_rows)
        self._on_change(totals)

    def _reject(self, rejected: Rejected) -> None:
        # Both the thread that reads the file and the one that hears the server come here.
        with self._lock:
            self.totals.rejected += 1
            if len(self.totals.first_rejected) < FIRST_REJECTED:
                self.totals.first_rejected.append(rejected)
            self._on_rejected(rejected)


_FIELD_ROLES = {
    "key": Role.KEY,
    "time": Role.TIME,
    "event_name": Role.EVENT_NAME,
    "name": Role.EVENT_NAME,
    "event": Role.EVENT_NAME,
    "event_id": Role.EVENT_ID,
    "id": Role.EVENT_ID,
}


def _column_of(batch: ReadyBatch, field_path: str) -> str:
    """The file's name for what the server calls `attributes.age`, `key` or `time`."""
    name = field_path.partition(".")[2] or field_path
    for column in batch.columns:
        if column.plan.name == name:
            return column.plan.source
    role = _FIELD_ROLES.get(field_path)
    return field_path if role is None else batch.special.get(role, field_path)
