"""Audiences through both clients: what is asked reaches the server, and a broken stream goes on where it ended."""

from __future__ import annotations

import asyncio
import datetime as dt
import struct
from collections.abc import Callable, Iterator
from concurrent import futures
from decimal import Decimal

import grpc
import numpy as np
import pytest

import headcount as hc
from headcount import AsyncClient, Client
from headcount.errors import DeadlineExceeded, InvalidArgument, NotFound, Unavailable
from headcount.v1 import audience_service_pb2 as m
from headcount.wire.sending_calls import packed_field
from headcount_engine.bitmaps import Bitmap
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from tests.client.conftest import Caller
from tests.client.recording_server import RecordingServer

KEYS = [f"p{i}" for i in range(50)] + ["ö", ""]


class BreakingServer:
    """Streams members of an audience three at a time; breaks as told, by offset."""

    def __init__(self) -> None:
        self.requests: list[m.ReadAudienceRequest] = []
        self.breaks: dict[int, list[grpc.StatusCode]] = {}
        handler = grpc.method_handlers_generic_handler(
            "headcount.v1.AudienceService",
            {"ReadAudience": grpc.unary_stream_rpc_method_handler(self._read)},
        )
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers((handler,))
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def _read(self, payload: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        request = m.ReadAudienceRequest.FromString(payload)
        self.requests.append(request)
        offset = request.offset
        while True:
            if self.breaks.get(offset):
                context.abort(self.breaks[offset].pop(), "broken")
            part = KEYS[offset : offset + 3]
            after = offset + len(part)
            answer = m.ReadAudienceResponse(offset=offset, next_offset=after, size=len(KEYS))
            ends = np.cumsum([0, *(len(key.encode()) for key in part)])
            answer.keys.offsets = struct.pack(f"<{len(ends)}I", *ends.tolist())
            answer.keys.utf8 = "".join(part).encode()
            yield answer.SerializeToString()
            offset = after
            if offset >= len(KEYS):
                return

    def stop(self) -> None:
        self._server.stop(None).wait()


@pytest.fixture
def breaking() -> Iterator[BreakingServer]:
    server = BreakingServer()
    yield server
    server.stop()


Read = Callable[..., list[str]]


@pytest.fixture(params=["sync", "async"])
def read(request: pytest.FixtureRequest, breaking: BreakingServer) -> Read:
    name = hc.AudienceName("audiences/x")

    def waiting(**named: int) -> list[str]:
        with Client(breaking.target) as client:
            return list(client.read_keys(name, **named))

    def looping(**named: int) -> list[str]:
        async def collected() -> list[str]:
            async with AsyncClient(breaking.target) as client:
                return [key async for key in client.read_keys(name, **named)]

        return asyncio.run(collected())

    return waiting if request.param == "sync" else looping


def test_a_stream_that_breaks_goes_on_where_it_ended(read: Read, breaking: BreakingServer) -> None:
    away, late = grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED
    breaking.breaks = {0: [away], 3: [away, late], 48: [late], 51: [away, away]}
    assert read() == KEYS
    assert [request.offset for request in breaking.requests] == [0, 0, 3, 3, 48, 51, 51]
    assert {(r.name, r.form) for r in breaking.requests} == {("audiences/x", m.MEMBER_FORM_KEYS)}


def test_reading_begins_at_an_offset(read: Read) -> None:
    for offset in (0, 1, 30, len(KEYS)):
        assert read(offset=offset) == KEYS[offset:]


def test_a_stream_that_never_gets_on_ends(read: Read, breaking: BreakingServer) -> None:
    breaking.breaks = {6: [grpc.StatusCode.UNAVAILABLE] * 20}
    with pytest.raises(Unavailable):
        read()
    assert 3 < len(breaking.requests) < 10


@pytest.mark.parametrize(
    ("code", "error"),
    [(grpc.StatusCode.NOT_FOUND, NotFound), (grpc.StatusCode.INVALID_ARGUMENT, InvalidArgument)],
)
def test_what_is_no_break_is_raised_at_once(
    read: Read, breaking: BreakingServer, code: grpc.StatusCode, error: type[Exception]
) -> None:
    breaking.breaks = {6: [code]}
    with pytest.raises(error):
        read()
    assert len(breaking.requests) == 1


def test_everything_that_is_asked_reaches_the_server(server: RecordingServer, call: Caller) -> None:
    server.answers["AudienceService/CreateAudience"] = m.Audience(
        name="audiences/a",
        size=3,
        waterfall=[
            m.WaterfallStage(
                kind=m.STAGE_KIND_HOLDOUT, text="t", remaining=3, changed=2, unique_contribution=1
            )
        ],
    )
    made = call(
        "create_audience",
        [hc.attribute("age") > 20, 'tag "vip"'],
        [hc.segment("bounced")],
        known=False,
        channel="email",
        topic="news",
        suppressions=["x = 1"],
        frequency_cap=hc.FrequencyCap("sent", 2, dt.timedelta(days=7)),
        holdout=hc.Holdout(Decimal("0.1"), "s"),
        limit=9,
        order=hc.by_lowest("age"),
        time_to_live=dt.timedelta(minutes=5),
        at=dt.datetime(2024, 1, 1, tzinfo=dt.UTC),
        validate_only=True,
        min_version=7,
        request_id="r",
    )
    assert isinstance(made, hc.Audience)
    assert (made.name, len(made), bool(made)) == ("audiences/a", 3, True)
    assert made.waterfall == (hc.Stage(hc.StageKind.HOLDOUT, "t", 3, 2, 1),)
    sent = m.CreateAudienceRequest.FromString(server.requests["AudienceService/CreateAudience"][0])
    assert [rule.text for rule in sent.includes] == ["age > 20", 'tag "vip"']
    assert [rule.text for rule in sent.excludes] == ['in segment "bounced"']
    assert [rule.text for rule in sent.suppressions] == ["x = 1"]
    assert (sent.known_only, sent.unknown_only, sent.channel, sent.topic) == (False, True, "email", "news")
    cap = sent.frequency_cap
    assert (cap.event_name, cap.max_count, cap.window.seconds) == ("sent", 2, 7 * 86_400)
    assert (sent.holdout.fraction, sent.holdout.salt) == (0.1, "s")
    order = sent.limit_order
    assert (sent.limit, order.WhichOneof("kind"), order.lowest_attribute) == (9, "lowest_attribute", "age")
    assert (sent.time_to_live.seconds, sent.at.seconds, sent.validate_only) == (300, 1_704_067_200, True)
    assert (sent.min_version, sent.request_id) == (7, "r")


def test_what_is_wrong_is_refused_before_anything_is_sent(server: RecordingServer) -> None:
    looked = hc.Audience(
        version=1, now=dt.datetime.now(dt.UTC), engine_us=1, name="", size=1, total=1, waterfall=()
    )
    with Client(server.target) as client:
        for wrong in (
            lambda: client.create_audience("age > 1"),
            lambda: client.create_audience(["age > 1"], limit=-1),
            lambda: next(client.read_keys(looked)),
            lambda: next(client.read_chunks(hc.AudienceName("audiences/a"), "words")),  # type: ignore[arg-type]
            lambda: next(client.read_keys(hc.AudienceName("audiences/a"), offset=-1)),
            lambda: next(client.export("everyone", "xml")),  # type: ignore[arg-type]
        ):
            with pytest.raises(InvalidArgument):
                wrong()
    assert not server.requests


def test_packed_numbers_are_found_among_any_fields() -> None:
    ids = [1, 1 << 31, (1 << 32) - 1]
    data = m.ReadAudienceResponse(version=1 << 60, offset=5, ids=ids, roaring=b"\x3a\x04abcd", size=300)
    data.now.seconds = 9
    raw = data.SerializeToString()
    assert np.frombuffer(packed_field(raw, 7), dtype="<u4").tolist() == ids
    assert packed_field(raw + raw, 7) == 2 * packed_field(raw, 7)
    assert packed_field(m.ReadAudienceResponse(size=3).SerializeToString(), 7) == b""


# ------------------------------------------------------------------------------------------- a server of its own


@pytest.fixture(scope="module")
def running() -> Iterator[RunningServer]:
    config = ServerConfig(listen="127.0.0.1:0", clock_start="2024-06-15T12:00:00Z", grace_s=1)
    with build(config) as running:
        with Client(running.address, timeout=60) as client:
            client.upsert_profiles({"key": f"p{i:03}", "age": i % 50, "name": f"=n{i}"} for i in range(300))
        yield running


@pytest.fixture
def client(running: RunningServer) -> Iterator[Client]:
    with Client(running.address, timeout=60) as client:
        yield client


def test_three_forms_are_the_same_members(client: Client) -> None:
    audience = client.create_audience(["age >= 10"], ["age >= 40"])
    assert [(s.kind.value, s.remaining) for s in audience.waterfall] == [("include", 240), ("exclude", 180)]
    keys = list(client.read_keys(audience))
    ids = np.concatenate([np.asarray(block) for block in client.read_ids(audience)])
    assert (ids.dtype, len(ids)) == (np.uint32, 180)
    assert keys == [f"p{i:03}" for i in ids.tolist()] == [f"p{i:03}" for i in range(300) if 10 <= i % 50 < 40]
    assert list(Bitmap.union(*map(Bitmap.deserialize, client.read_roaring(audience)))) == ids.tolist()
    chunks = list(client.read_chunks(audience, "ids", offset=7, chunk_size=100))
    assert [(c.offset, c.next_offset, len(c.ids), c.size) for c in chunks] == [
        (7, 107, 100, 180),
        (107, 180, 73, 180),
    ]
    assert list(client.read_keys(hc.AudienceName(audience.name), offset=170)) == keys[170:]


def test_an_audience_is_kept_previewed_and_exported(client: Client) -> None:
    audience = client.create_audience(["age < 2"], limit=10, order=hc.by_highest("age"))
    kept = client.keep_audience(audience, "sent", display_name="Sent", labels=["mail"])
    assert (kept.id, kept.size) == ("sent", 10)
    page = client.preview(audience, attributes=["age"], page_size=6)
    rest = client.preview(audience, attributes=["age"], page_size=6, page_token=page.next_page_token)
    shown = [*page.profiles, *rest.profiles]
    assert [p.key for p in shown] == list(client.read_keys(audience)) and page.total_size == 10
    assert sum(p.attributes["age"] == 1 for p in shown) == 6
    assert client.preview("everyone", page_size=5, sample_salt="s").profiles
    pieces = list(client.export(audience, "csv", attributes=["age", "name"]))
    text = b"".join(piece.data for piece in pieces).decode()
    assert text.splitlines()[:2] == ["key,age,name", "p000,0,'=n0"]
    assert pieces[-1].next_offset == pieces[-1].size == 10
    assert b"".join(p.data for p in client.export("age < 2", "parquet")).startswith(b"PAR1")


def test_an_audience_is_let_go_of(client: Client) -> None:
    audience = client.create_audience(["everyone"])
    assert client.delete_audience(audience).version == client.delete_audience(audience).version
    with pytest.raises(NotFound):
        list(client.read_keys(audience))


def test_a_slow_reader_outlasts_its_timeout(client: Client) -> None:
    import time

    audience = client.create_audience(["everyone"])
    read = []
    for chunk in client.read_chunks(audience, chunk_size=60, timeout=0.5):
        read += chunk.keys
        time.sleep(0.2)
    assert read == [f"p{i:03}" for i in range(300)]


def test_a_file_that_cannot_be_resumed_ends_with_its_timeout(client: Client) -> None:
    with pytest.raises((DeadlineExceeded, NotFound)):
        list(client.export(hc.AudienceName("audiences/x"), "parquet", timeout=5))
    from headcount.wire.calls import Asked
    from headcount.wire.sending_calls import export

    late = DeadlineExceeded("late")
    with pytest.raises(DeadlineExceeded):
        export("everyone", "csv", (), 0, Asked()).pause_s(late)
    assert export(hc.AudienceName("audiences/x"), "csv", (), 0, Asked()).pause_s(late) == 0.0
