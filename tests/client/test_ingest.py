"""Streams of writes: rows become batches in order, answers are added up, and failures reach the caller."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import grpc
import pytest

from headcount import (
    AsyncClient,
    Client,
    DeadlineExceeded,
    IngestOptions,
    IngestSummary,
    InvalidArgument,
    ProfileColumns,
    ResourceExhausted,
    ServerError,
    WriteReceipt,
)
from headcount.v1 import event_service_pb2, value_pb2
from tests.client.recording_server import RecordingServer, Refusal, unpacked

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
METHOD = "EventService/IngestStream"
Request = event_service_pb2.IngestStreamRequest
Response = event_service_pb2.IngestStreamResponse


def keys_of(request: Request) -> list[str]:
    batch = request.profiles if request.HasField("profiles") else request.events
    return unpacked(batch.key_column)


def rows_of(request: Request) -> int:
    return len(keys_of(request))


def accepting(seen: list[Request]) -> object:
    """Accepts every batch but its second row."""

    def stream(batches: Iterator[bytes]) -> Iterator[Response]:
        for version, data in enumerate(batches, 1):
            request = Request.FromString(data)
            seen.append(request)
            rejected = [{"row": 1, "field": "key", "reason": "BAD"}] if rows_of(request) > 1 else []
            yield Response(
                version=version,
                batch_number=request.batch_number,
                accepted_rows=rows_of(request) - len(rejected),
                rejected_rows=rejected,
            )

    return stream


def write(
    server: RecordingServer, mode: str, options: IngestOptions, rows: int
) -> tuple[IngestSummary, list[WriteReceipt]]:
    """Write so many profiles and one event after them, with either client."""
    heard: list[WriteReceipt] = []
    if mode == "sync":
        with Client(server.target) as client, client.ingest(options, heard.append) as writer:
            for i in range(rows):
                writer.profile(f"p{i}", {"n": i})
            writer.event("buy", "p0", NOON, "e1", {"amount": 2})
        return writer.summary, heard

    async def run() -> IngestSummary:
        async with AsyncClient(server.target) as client:
            async with client.ingest(options, heard.append) as writer:
                for i in range(rows):
                    await writer.profile(f"p{i}", {"n": i})
                await writer.event("buy", "p0", NOON, "e1", {"amount": 2})
            return writer.summary

    return asyncio.run(run()), heard


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_rows_are_cut_into_batches_and_their_answers_added_up(server: RecordingServer, mode: str) -> None:
    seen: list[Request] = []
    server.streams[METHOD] = accepting(seen)  # type: ignore[assignment]
    summary, heard = write(server, mode, IngestOptions(batch_rows=4, in_flight=2), 10)
    assert [rows_of(request) for request in seen] == [4, 4, 2, 1]
    assert [request.WhichOneof("batch") for request in seen] == ["profiles"] * 3 + ["events"]
    assert [request.batch_number for request in seen] == [1, 2, 3, 4]
    assert len({request.request_id for request in seen}) == 4
    assert (summary.version, summary.accepted_rows, summary.rejected_row_count) == (4, 8, 3)
    # Positions count from the start of the stream.
    assert [rejected.row for rejected in summary.rejected_rows] == [1, 5, 9]
    assert [receipt.version for receipt in heard] == [1, 2, 3, 4]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_refused_stream_raises_what_the_server_said(server: RecordingServer, mode: str) -> None:
    def refusing(batches: Iterator[bytes]) -> Iterator[Response]:
        next(batches)
        raise Refusal(grpc.StatusCode.RESOURCE_EXHAUSTED, "profiles is limited to 3")
        yield Response()

    server.streams[METHOD] = refusing
    with pytest.raises(ResourceExhausted, match="limited to 3"):
        write(server, mode, IngestOptions(batch_rows=1, in_flight=1), 50)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_stream_that_ends_without_all_answers_is_a_failure(server: RecordingServer, mode: str) -> None:
    def forgetful(batches: Iterator[bytes]) -> Iterator[Response]:
        for data in batches:
            request = Request.FromString(data)
            if request.batch_number == 1:
                yield Response(batch_number=1)

    server.streams[METHOD] = forgetful
    with pytest.raises(ServerError, match="before every batch"):
        write(server, mode, IngestOptions(batch_rows=1, in_flight=8), 3)


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_a_server_that_never_answers_does_not_hold_the_writer_for_ever(
    server: RecordingServer, mode: str
) -> None:
    def silent(batches: Iterator[bytes]) -> Iterator[Response]:
        for _ in batches:
            pass
        yield from ()

    def never(batches: Iterator[bytes]) -> Iterator[Response]:
        yield from silent(iter(batches.__next__, b""))

    server.streams[METHOD] = never
    with pytest.raises(DeadlineExceeded, match="no answer"):
        write(server, mode, IngestOptions(batch_rows=1, in_flight=1, stall_timeout_s=0.3), 3)


def test_a_value_of_another_type_begins_a_batch_of_its_own(server: RecordingServer) -> None:
    # The server then rejects that row alone; put in one column, it would have refused the good rows with it.
    seen: list[Request] = []
    server.streams[METHOD] = accepting(seen)  # type: ignore[assignment]
    with Client(server.target) as client, client.ingest() as writer:
        writer.profile("a", {"n": 1})
        writer.profile("b", {"n": 0.5, "plan": "pro"})
        writer.profile("c", {"n": "three"})
        writer.profile("d", {"plan": None})
    assert [keys_of(request) for request in seen] == [["a", "b"], ["c", "d"]]
    first = {column.name: column for column in seen[0].profiles.attributes}
    assert first["n"].type == value_pb2.VALUE_TYPE_FLOAT
    assert first["plan"].present == b"\x02"
    second = {column.name: column for column in seen[1].profiles.attributes}
    assert (second["n"].present, second["plan"].present, second["plan"].nulls) == (b"\x01", b"\x02", b"\x02")


def test_a_bad_row_is_refused_alone_and_the_others_go_out(server: RecordingServer) -> None:
    seen: list[Request] = []
    server.streams[METHOD] = accepting(seen)  # type: ignore[assignment]
    with Client(server.target) as client, client.ingest() as writer:
        writer.event("buy", "a", NOON, properties={"n": 1})
        with pytest.raises(InvalidArgument, match="time zone"):
            writer.event("buy", "b", NOON.replace(tzinfo=None), properties={"m": 1})
        for bad in (2**63, float("nan")):
            with pytest.raises(InvalidArgument):
                writer.event("buy", "b", NOON, properties={"n": bad})
        writer.event("buy", "c", NOON, properties={"n": 3})
    assert [keys_of(request) for request in seen] == [["a", "c"]]
    assert [column.name for column in seen[0].events.properties] == ["n"]


def test_columns_follow_the_rows_written_before_them(server: RecordingServer) -> None:
    seen: list[Request] = []
    server.streams[METHOD] = accepting(seen)  # type: ignore[assignment]
    with Client(server.target) as client, client.ingest() as writer:
        writer.profile("a", {"n": 1})
        writer.profiles(ProfileColumns(["b", "c"], {"n": [2, 3]}))
    assert [keys_of(request) for request in seen] == [["a"], ["b", "c"]]


def test_leaving_by_an_exception_sends_nothing_more(server: RecordingServer) -> None:
    seen: list[Request] = []
    server.streams[METHOD] = accepting(seen)  # type: ignore[assignment]

    def interrupted(client: Client) -> None:
        with client.ingest() as writer:
            writer.profile("a", {"n": 1})
            raise KeyboardInterrupt

    with Client(server.target) as client:
        with pytest.raises(KeyboardInterrupt):
            interrupted(client)
        assert not seen


def test_numbers_that_no_one_column_holds_exactly_go_in_two_batches(server: RecordingServer) -> None:
    seen: list[Request] = []
    server.streams[METHOD] = accepting(seen)  # type: ignore[assignment]
    with Client(server.target) as client, client.ingest() as writer:
        writer.profile("a", {"n": 2**53 + 1})
        writer.profile("b", {"n": 0.5})
        writer.profile("c", {"n": Decimal("0.000001")})
        writer.profile("d", {"n": 2**62})
        writer.profile("e", {"n": Decimal("1.5")})
        writer.profile("f", {"n": 3})
    assert [keys_of(request) for request in seen] == [["a"], ["b"], ["c"], ["d"], ["e", "f"]]


def test_what_a_progress_callback_raises_reaches_the_writer(server: RecordingServer) -> None:
    server.streams[METHOD] = accepting([])  # type: ignore[assignment]

    def broken(receipt: WriteReceipt) -> None:
        raise ZeroDivisionError

    with (
        Client(server.target) as client,
        pytest.raises(ZeroDivisionError),
        client.ingest(on_progress=broken) as writer,
    ):
        writer.profile("a", {"n": 1})
