"""What is too much is refused, with the limit named, and the server goes on."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from queue import Queue

import grpc
import pytest

from headcount.v1 import audience_service_pb2 as audience
from headcount.v1 import event_service_pb2 as events
from headcount.v1 import profile_service_pb2 as profiles
from headcount.v1.rule_pb2 import Rule
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from tests.service.calling import Stubs, decoded, failed
from tests.service.doubles import Constant

CODE = grpc.StatusCode
COUNT_PATH = "/headcount.v1.AudienceService/CountAudience"
COUNT = audience.CountAudienceRequest(rule=Rule(text="everyone"))


@pytest.fixture
def running(config: ServerConfig) -> Iterator[RunningServer]:
    with build(config, open_database=lambda: Constant(7)) as server:  # type: ignore[arg-type,return-value]
        yield server


@pytest.fixture
def generous(running: RunningServer) -> Iterator[grpc.Channel]:
    """A caller that sends whatever it is told to."""
    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(running.address, options) as channel:
        yield channel


def is_alive(channel: grpc.Channel) -> bool:
    return Stubs(channel).audiences.CountAudience(COUNT, timeout=10).count == 7


def test_a_message_of_5_mb_is_refused(generous: grpc.Channel) -> None:
    refused = failed(generous.unary_unary(COUNT_PATH), b"\0" * 5_000_000)
    assert refused.code is CODE.RESOURCE_EXHAUSTED
    assert is_alive(generous)


def test_a_message_just_under_4_mib_is_read(generous: grpc.Channel) -> None:
    text = "everyone" + " " * ((4 << 20) - 1_000)
    request = audience.CountAudienceRequest(rule=Rule(text=text))
    assert Stubs(generous).audiences.CountAudience(request, timeout=30).count == 7


def test_a_gzip_bomb_is_refused_before_it_unfolds(generous: grpc.Channel) -> None:
    bomb = b"\0" * (300 << 20)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = failed(generous.unary_unary(COUNT_PATH), bomb, compression=grpc.Compression.Gzip)
    grown_mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) / 1024
    assert refused.code is CODE.RESOURCE_EXHAUSTED
    # The caller is this same process and copies its own message once; the server's copy would come on top.
    assert grown_mib < 450
    assert is_alive(generous)


def test_100_kb_of_metadata_is_refused(generous: grpc.Channel) -> None:
    refused = failed(generous.unary_unary(COUNT_PATH), b"", metadata=(("x-large", "a" * 100_000),))
    assert refused.code is CODE.RESOURCE_EXHAUSTED
    assert is_alive(generous)


def test_an_answer_past_its_limit_names_it() -> None:
    config = ServerConfig(listen="127.0.0.1:0", response_bytes_max=1_024, grace_s=1)
    double = Constant(7, warnings=("x" * 2_000,))
    with (
        build(config, open_database=lambda: double) as server,  # type: ignore[arg-type,return-value]
        grpc.insecure_channel(server.address) as channel,
    ):
        refused = failed(Stubs(channel).audiences.CountAudience, COUNT)
    assert (refused.code, refused.metadata["limit"]) == (CODE.RESOURCE_EXHAUSTED, "response_bytes")


def test_streams_past_the_cap_are_refused_and_unary_calls_still_answered() -> None:
    config = ServerConfig(listen="127.0.0.1:0", threads=8, streams=3, grace_s=1)
    with (
        build(config, open_database=lambda: Constant(7)) as server,  # type: ignore[arg-type,return-value]
        grpc.insecure_channel(server.address) as channel,
    ):
        stubs, release = Stubs(channel), threading.Event()

        def idle() -> Iterator[events.IngestStreamRequest]:
            release.wait(60)
            yield from ()

        # The server takes streams in an order of its own, so which three of them are held is not said.
        streams = [stubs.events.IngestStream(idle(), timeout=60) for _ in range(23)]
        ended: Queue[grpc.Call] = Queue()
        for stream in streams:
            stream.add_done_callback(ended.put)
        refused = [ended.get(timeout=50) for _ in range(20)]
        assert {stream.code() for stream in refused} == {CODE.RESOURCE_EXHAUSTED}
        assert decoded(refused[0]).reason == "TOO_MANY_STREAMS"
        assert is_alive(channel)
        release.set()
        assert [list(stream) for stream in streams if stream not in refused] == [[], [], []]
        assert list(stubs.events.IngestStream(iter(()), timeout=20)) == []


def test_a_stream_without_a_deadline_is_ended_after_the_servers_own() -> None:
    config = ServerConfig(listen="127.0.0.1:0", stream_deadline_s=0.3, grace_s=1)
    with (
        build(config, open_database=lambda: Constant(7)) as server,  # type: ignore[arg-type,return-value]
        grpc.insecure_channel(server.address) as channel,
    ):
        release = threading.Event()

        def idle() -> Iterator[events.IngestStreamRequest]:
            release.wait(60)
            yield from ()

        refused = failed(Stubs(channel).events.IngestStream, idle(), timeout=None)
        release.set()
    assert refused.code in (CODE.CANCELLED, CODE.DEADLINE_EXCEEDED)


def test_calls_past_the_cap_are_refused_at_once() -> None:
    started, release = threading.Semaphore(0), threading.Event()

    class Waiting(Constant):
        def count(self, *arguments: object, **options: object) -> object:  # type: ignore[override]
            started.release()
            release.wait(30)
            return super().count(*arguments, **options)  # type: ignore[arg-type]

    config = ServerConfig(listen="127.0.0.1:0", threads=4, streams=1, calls=2, grace_s=1)
    with (
        build(config, open_database=Waiting) as server,  # type: ignore[arg-type]
        grpc.insecure_channel(server.address) as channel,
    ):
        count = Stubs(channel).audiences.CountAudience
        held = [count.future(COUNT, timeout=30) for _ in range(2)]
        assert all(started.acquire(timeout=10) for _ in held)
        assert failed(count, COUNT).code is CODE.RESOURCE_EXHAUSTED
        release.set()
        assert [call.result().count for call in held] == [7, 7]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (audience.BatchCheckMembershipRequest(keys=["a"] * 100_001, segments=["segments/s"]), "keys"),
        (audience.BatchCheckMembershipRequest(keys=["a"], segments=["segments/s"] * 10_001), "segments"),
        (audience.BatchCheckMembershipRequest(keys=["a"], rules=[Rule(text="everyone")] * 101), "rules"),
        (audience.BatchCheckMembershipRequest(keys=["a"] * 10_000, segments=["segments/s"] * 10_000), "keys"),
        (audience.BatchCheckMembershipRequest(segments=["segments/s"]), "keys"),
    ],
    ids=["keys", "segments", "rules", "product", "nobody"],
)
def test_a_batch_of_checks_has_bounds(
    generous: grpc.Channel, request_: audience.BatchCheckMembershipRequest, field: str
) -> None:
    refused = failed(Stubs(generous).audiences.BatchCheckMembership, request_)
    assert (refused.code, refused.fields) == (CODE.INVALID_ARGUMENT, (field,))


def test_look_ups_and_pages_have_bounds(generous: grpc.Channel) -> None:
    many = profiles.LookupProfilesRequest()
    for _ in range(10_001):
        many.identifiers.add(type="email", value="x")
    stubs = Stubs(generous)
    assert failed(stubs.profiles.LookupProfiles, many).fields == ("identifiers",)
    assert failed(stubs.profiles.ListProfiles, profiles.ListProfilesRequest(page_size=-1)).fields == (
        "page_size",
    )
