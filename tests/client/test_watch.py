"""Watching with either client: every change once, in order, whatever happens to the connection and to the server."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from headcount import AsyncClient, ChangeBatch, ChangeCause, ChangeKind, Client, MembershipChange, errors
from headcount.v1 import change_service_pb2 as wire
from headcount.v1 import errors_pb2
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from tests.client.recording_server import RecordingServer, Refusal

METHOD = "ChangeService/WatchMemberships"
Told = tuple[str, str, str]


def told(change: MembershipChange) -> Told:
    return change.change.value, change.profile, change.segment


class Listening:
    """A watch in a thread of its own, by either client, which collects what it hears."""

    def __init__(self, kind: str, target: str, *segments: str, **options: object) -> None:
        self.heard: list[MembershipChange] = []
        self.failure: BaseException | None = None
        self.cursor = ""
        self._kind, self._target, self._segments, self._options = kind, target, segments, options
        self._stop: Callable[[], object] = lambda: None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(20)

    def _run(self) -> None:
        try:
            self._listen() if self._kind == "sync" else asyncio.run(self._listen_async())
        except errors.HeadcountError as failure:
            self.failure = failure
            self._ready.set()

    def _listen(self) -> None:
        with Client(self._target) as client, client.watch(*self._segments, **self._options) as watch:  # type: ignore[arg-type]
            self._stop = watch.close
            for batch in watch.batches():
                self._take(batch)

    async def _listen_async(self) -> None:
        loop = asyncio.get_running_loop()
        async with (
            AsyncClient(self._target) as client,
            client.watch(*self._segments, **self._options) as watch,
        ):  # type: ignore[arg-type]
            self._stop = lambda: asyncio.run_coroutine_threadsafe(watch.close(), loop).result(10)
            async for batch in watch.batches():
                self._take(batch)

    def _take(self, batch: ChangeBatch) -> None:
        self.heard += batch.changes
        self.cursor = batch.cursor
        self._ready.set()

    def until(self, count: int) -> list[Told]:
        deadline = time.monotonic() + 30
        while len(self.heard) < count and time.monotonic() < deadline and self.failure is None:
            time.sleep(0.01)
        return [told(change) for change in self.heard]

    def stop(self) -> None:
        self._stop()
        self._thread.join(20)
        assert not self._thread.is_alive()


def started(path: Path | None = None, port: int = 0) -> RunningServer:
    return build(
        ServerConfig(listen=f"127.0.0.1:{port}", clock_start="2024-06-15T12:00:00Z", grace_s=1, data=path)
    )


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with started() as running:
        yield running


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_cart_that_reaches_a_hundred_leaves_and_is_heard_of(server: RunningServer, kind: str) -> None:
    with Client(server.address) as client:
        client.upsert_profiles(
            [{"key": "ann", "cart": 99}, {"key": "bo", "cart": 5}, {"key": "cy", "cart": 300}]
        )
        client.create_segment("small-cart", "cart < 100")
        client.create_segment("other", "cart > 1000")
        listening = Listening(kind, server.address, "small-cart", include_initial_members=True)
        assert listening.until(2) == [("initial", "ann", "small-cart"), ("initial", "bo", "small-cart")]
        receipt = client.upsert_profiles([{"key": "ann", "cart": 100}])
        client.upsert_profiles([{"key": "cy", "cart": 5_000}])
        client.upsert_profiles([{"key": "cy", "cart": 1}])
        assert listening.until(4)[2:] == [("left", "ann", "small-cart"), ("joined", "cy", "small-cart")]
        left = listening.heard[2]
        assert (left.version, left.cause, left.now.tzinfo) == (receipt.version, ChangeCause.ATTRIBUTE, dt.UTC)
        again = Listening(kind, server.address, "small-cart", start=left.cursor)
        assert again.until(1) == [("joined", "cy", "small-cart")]
        again.stop()
        listening.stop()
        assert listening.failure is None


def test_a_watch_goes_on_through_restarts_of_the_server(tmp_path: Path, kind: str) -> None:
    running = started(tmp_path)
    port, target = running.port, running.address
    with Client(target) as client:
        client.upsert_profiles([{"key": "p0", "n": 0}])
        client.create_segment("big", "n > 4")
    listening = Listening(kind, target)
    expected: list[Told] = []
    for life in range(3):
        with Client(target, timeout=30) as client:
            client.wait_ready()
            for n in (9, 1):
                client.upsert_profiles([{"key": f"p{i}", "n": n} for i in range(life, life + 5)])
                change = "joined" if n > 4 else "left"
                expected += [(change, f"p{i}", "big") for i in range(life, life + 5)]
        running.stop()
        running = started(tmp_path, port)
    assert listening.until(len(expected)) == expected
    assert [c.version for c in listening.heard] == sorted(c.version for c in listening.heard)
    listening.stop()
    running.stop()
    assert listening.failure is None


def test_iterating_gives_changes_and_keeps_the_cursor_of_the_last_one(server: RunningServer) -> None:
    with Client(server.address) as client:
        client.create_segment("all", "everyone")
        client.upsert_profiles([{"key": f"p{i}"} for i in range(3)])
        with client.watch(start="oldest") as watch:
            first = next(iter(watch))
            assert told(first) == ("joined", "p0", "all") and watch.cursor == first.cursor
        with client.watch(start=first.cursor) as watch:
            changes = iter(watch)
            assert [told(next(changes))[1] for _ in range(2)] == ["p1", "p2"]

    async def same() -> list[str]:
        async with AsyncClient(server.address) as client, client.watch(start="oldest") as watch:
            found = []
            async for change in watch:
                found.append(change.profile)
                assert watch.cursor == change.cursor
                if len(found) == 3:
                    break
            return found

    assert asyncio.run(same()) == ["p0", "p1", "p2"]


def test_a_watch_with_a_timeout_ends_with_it(server: RunningServer, kind: str) -> None:
    started_at = time.monotonic()
    listening = Listening(kind, server.address, timeout=1.0)
    while listening.failure is None and time.monotonic() - started_at < 20:
        time.sleep(0.01)
    assert isinstance(listening.failure, errors.DeadlineExceeded)
    assert 0.9 < time.monotonic() - started_at < 10


@pytest.mark.parametrize(
    ("start", "failure", "reason"),
    [
        ("nonsense", errors.InvalidArgument, "INVALID_CURSOR"),
        ("now", errors.NotFound, "NOT_FOUND"),
    ],
)
def test_what_cannot_be_watched_is_refused(
    server: RunningServer,
    kind: str,
    start: str,
    failure: type[errors.HeadcountError],
    reason: str,
) -> None:
    listening = Listening(kind, server.address, "nobody", start=start)
    assert isinstance(listening.failure, failure) and listening.failure.reason == reason


def test_a_server_that_was_never_there_is_told_at_once(kind: str) -> None:
    listening = Listening(kind, "127.0.0.1:1")
    assert isinstance(listening.failure, errors.Unavailable)


# ----------------------------------------------------------------------------- against a server that is made to fail


def item(version: int, *profiles: str) -> wire.WatchMembershipsResponse:
    answer = wire.WatchMembershipsResponse(version=version, cursor=f"after {version}")
    for profile in profiles:
        answer.changes.add(
            change=wire.CHANGE_KIND_JOINED, profile=profile, segment="segments/s", version=version,
            cause=wire.CHANGE_CAUSE_CLOCK, cursor=f"after {profile}",
        )  # fmt: skip
    return answer


def refusal(code: grpc.StatusCode, reason: str) -> Refusal:
    return Refusal(code, "made to fail", ("google.rpc.ErrorInfo", errors_pb2.ErrorInfo(reason=reason)))


@pytest.fixture
def recording() -> Iterator[RecordingServer]:
    running = RecordingServer()
    yield running
    running.stop()


@pytest.mark.parametrize(
    "ending",
    [
        None,
        refusal(grpc.StatusCode.UNAVAILABLE, "NOT_READY"),
        refusal(grpc.StatusCode.ABORTED, "READER_TOO_SLOW"),
        refusal(grpc.StatusCode.CANCELLED, ""),
        refusal(grpc.StatusCode.DEADLINE_EXCEEDED, ""),
    ],
)
def test_a_stream_that_ends_is_taken_up_from_the_last_cursor(
    recording: RecordingServer, kind: str, ending: Refusal | None
) -> None:
    asked: list[wire.WatchMembershipsRequest] = []

    def answer(requests: Iterator[bytes]) -> Iterator[wire.WatchMembershipsResponse]:
        asked.append(wire.WatchMembershipsRequest.FromString(next(requests)))
        yield item(len(asked), f"p{len(asked)}")
        if ending is not None:
            raise ending

    recording.streams[METHOD] = answer
    listening = Listening(kind, recording.target, "s", include_initial_members=True)
    assert listening.until(3)[:3] == [("joined", f"p{i}", "s") for i in (1, 2, 3)]
    listening.stop()
    assert asked[0].start_at == wire.WATCH_START_NOW and asked[0].include_initial_members
    assert [request.cursor for request in asked[1:3]] == ["after 1", "after 2"]
    assert list(asked[2].segments) == ["segments/s"]
    assert listening.heard[0].change is ChangeKind.JOINED and listening.heard[0].cause is ChangeCause.CLOCK


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (grpc.StatusCode.OUT_OF_RANGE, errors.OutOfRange),
        (grpc.StatusCode.ABORTED, errors.Aborted),
        (grpc.StatusCode.PERMISSION_DENIED, errors.PermissionDenied),
        (grpc.StatusCode.INTERNAL, errors.ServerError),
    ],
)
def test_what_going_on_cannot_mend_is_raised(
    recording: RecordingServer, kind: str, code: grpc.StatusCode, failure: type[errors.HeadcountError]
) -> None:
    def answer(requests: Iterator[bytes]) -> Iterator[wire.WatchMembershipsResponse]:
        next(requests)
        yield item(1, "p1")
        raise refusal(code, "ANOTHER")

    recording.streams[METHOD] = answer
    listening = Listening(kind, recording.target)
    deadline = time.monotonic() + 20
    while listening.failure is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert isinstance(listening.failure, failure) and len(listening.heard) == 1


def test_patience_ends(recording: RecordingServer, kind: str) -> None:
    asked = 0

    def answer(requests: Iterator[bytes]) -> Iterator[wire.WatchMembershipsResponse]:
        nonlocal asked
        asked += 1
        if asked == 1:
            yield item(1)
        raise refusal(grpc.StatusCode.UNAVAILABLE, "NOT_READY")

    recording.streams[METHOD] = answer
    listening = Listening(kind, recording.target, patience=0.3)
    deadline = time.monotonic() + 20
    while listening.failure is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert isinstance(listening.failure, errors.Unavailable) and 3 <= asked <= 6
