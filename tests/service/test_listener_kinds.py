"""The listener over a table of its own: all four kinds of method, roles, credentials and TLS."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from google.protobuf.wrappers_pb2 import Int64Value

from headcount_server.app import build
from headcount_server.calls import (
    MethodTable,
    bidirectional_stream,
    client_stream,
    server_stream,
    table_of,
    unary,
)
from headcount_server.config import ServerConfig
from headcount_server.context import Context, Principal, Role
from headcount_server.errors import Unauthenticated
from headcount_server.guards.access import Authenticator, TrustEveryone
from headcount_server.guards.guard import Guard, GuardLimits
from headcount_server.guards.metrics import Metrics
from headcount_server.listeners.grpc_sync import GrpcListener, GrpcOptions
from headcount_server.phase import Phase, PhaseHolder
from tests.service.calling import Failed, Stubs, failed
from tests.service.doubles import Constant

CODE = grpc.StatusCode


def _add_one(request: Int64Value, context: Context) -> Int64Value:
    return Int64Value(value=request.value + 1)


def _count_up(request: Int64Value, context: Context) -> Iterator[Int64Value]:
    for i in range(request.value):
        context.deadline.check()
        yield Int64Value(value=i)


def _sum(requests: Iterator[Int64Value], context: Context) -> Int64Value:
    return Int64Value(value=sum(r.value for r in requests))


def _sums(requests: Iterator[Int64Value], context: Context) -> Iterator[Int64Value]:
    total = 0
    for request in requests:
        total += request.value
        yield Int64Value(value=total)


TABLE = table_of(
    unary("/test.Kinds/AddOne", Int64Value, Int64Value, _add_one),
    unary("/test.Kinds/Write", Int64Value, Int64Value, _add_one, role=Role.WRITE),
    server_stream("/test.Kinds/CountUp", Int64Value, Int64Value, _count_up),
    client_stream("/test.Kinds/Sum", Int64Value, Int64Value, _sum),
    bidirectional_stream("/test.Kinds/Sums", Int64Value, Int64Value, _sums),
)


class Tokens:
    """Two callers: `Bearer reader` may read, `Bearer writer` may write."""

    def authenticate(self, authorization: str | None) -> Principal:
        roles = {"Bearer reader": Role.READ, "Bearer writer": Role.WRITE}
        if authorization not in roles:
            raise Unauthenticated
        return Principal(authorization, roles[authorization])


@contextmanager
def listening(
    table: MethodTable, authenticator: Authenticator, now: Phase = Phase.SERVING
) -> Iterator[grpc.Channel]:
    phase = PhaseHolder()
    phase.current = now
    guard = Guard(GuardLimits(30, 60, 4, 1 << 20), authenticator, phase, Metrics())
    options = GrpcOptions("127.0.0.1:0", None, 8, 64, 4, 1 << 20, 1 << 20, 60, False)
    listener = GrpcListener(options, guard, authenticator)
    try:
        listener.serve(table)
        with grpc.insecure_channel(f"127.0.0.1:{listener.port}") as channel:
            yield channel
    finally:
        listener.stop(0)


@pytest.fixture
def channel() -> Iterator[grpc.Channel]:
    with listening(TABLE, TrustEveryone()) as channel:
        yield channel


def message(value: int) -> bytes:
    return Int64Value(value=value).SerializeToString()


def values(answers: Iterator[bytes]) -> list[int]:
    return [Int64Value.FromString(answer).value for answer in answers]


def test_one_request_gets_one_answer(channel: grpc.Channel) -> None:
    answer = channel.unary_unary("/test.Kinds/AddOne")(message(41), timeout=10)
    assert Int64Value.FromString(answer).value == 42


def test_one_request_gets_many_answers(channel: grpc.Channel) -> None:
    answers = channel.unary_stream("/test.Kinds/CountUp")(message(1_000), timeout=20)
    assert values(answers) == list(range(1_000))


def test_many_requests_get_one_answer(channel: grpc.Channel) -> None:
    answer = channel.stream_unary("/test.Kinds/Sum")((message(i) for i in range(101)), timeout=20)
    assert Int64Value.FromString(answer).value == 5_050


def test_many_requests_get_many_answers(channel: grpc.Channel) -> None:
    answers = channel.stream_stream("/test.Kinds/Sums")((message(i) for i in range(5)), timeout=20)
    assert values(answers) == [0, 1, 3, 6, 10]


def test_a_malformed_message_within_a_stream_ends_it(channel: grpc.Channel) -> None:
    answers = channel.stream_stream("/test.Kinds/Sums")(iter([message(3), b"\xff", message(4)]), timeout=20)
    assert Int64Value.FromString(next(answers)).value == 3
    refused = failed(lambda timeout: answers)
    assert (refused.code, refused.reason) == (CODE.INTERNAL, "MALFORMED_REQUEST")


def test_a_caller_that_leaves_a_stream_frees_its_place(channel: grpc.Channel) -> None:
    for _ in range(12):
        release = threading.Event()

        def idle(release: threading.Event = release) -> Iterator[bytes]:
            yield message(1)
            release.wait(20)

        stream = channel.stream_stream("/test.Kinds/Sums")(idle(), timeout=20)
        assert values(iter([next(stream)])) == [1]
        stream.cancel()
        release.set()
        _wait_for_a_free_place(channel)


def _wait_for_a_free_place(channel: grpc.Channel) -> None:
    for _ in range(200):
        try:
            list(channel.stream_stream("/test.Kinds/Sums")(iter(()), timeout=10))
            return
        except grpc.RpcError as error:
            if error.code() is not CODE.RESOURCE_EXHAUSTED:
                raise
    raise AssertionError("the place was never freed")


@pytest.mark.parametrize("phase", [Phase.LOADING, Phase.DRAINING])
def test_a_server_that_is_not_serving_refuses_before_it_decodes(phase: Phase) -> None:
    with listening(TABLE, TrustEveryone(), phase) as channel:
        refused = failed(channel.unary_unary("/test.Kinds/AddOne"), b"\xff no message")
    assert (refused.code, refused.reason, refused.retry_s) == (CODE.UNAVAILABLE, "NOT_READY", 1.0)
    assert phase.value in refused.message


def test_without_credentials_nothing_is_decoded() -> None:
    with listening(TABLE, Tokens()) as channel:
        refused = failed(channel.unary_unary("/test.Kinds/AddOne"), b"\xff no message")
        assert (refused.code, refused.reason) == (CODE.UNAUTHENTICATED, "UNAUTHENTICATED")


def call_as(channel: grpc.Channel, path: str, token: str) -> Failed | bytes:
    call = channel.unary_unary(path)
    metadata = (("authorization", f"Bearer {token}"),)
    try:
        return call(message(1), timeout=10, metadata=metadata)  # type: ignore[no-any-return]
    except grpc.RpcError:
        return failed(call, message(1), metadata=metadata)


def test_a_role_opens_what_it_says_and_no_more() -> None:
    with listening(TABLE, Tokens()) as channel:
        assert call_as(channel, "/test.Kinds/AddOne", "reader") == message(2)
        assert call_as(channel, "/test.Kinds/Write", "writer") == message(2)
        refused = call_as(channel, "/test.Kinds/Write", "reader")
        assert isinstance(refused, Failed)
        assert (refused.code, refused.metadata) == (CODE.PERMISSION_DENIED, {"role": "write"})
        assert isinstance(call_as(channel, "/test.Kinds/AddOne", "nobody"), Failed)


# ------------------------------------------------------------------------------------------------ TLS


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key, chain = folder / f"{name}.key", folder / f"{name}.pem"
    arguments = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    try:
        subprocess.run(
            ["openssl", *arguments.split(), "-keyout", str(key), "-out", str(chain)],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl, which makes the certificate, is not installed")
    return chain, key


def test_with_tls_and_a_client_authority_only_holders_of_a_certificate_get_in(tmp_path: Path) -> None:
    chain, key = certificate(tmp_path, "server")
    client_chain, client_key = certificate(tmp_path, "client")
    config = ServerConfig(
        listen="127.0.0.1:0", tls_certificate=chain, tls_key=key, tls_client_ca=client_chain, grace_s=1
    )
    with build(config, open_database=Constant) as server:  # type: ignore[arg-type]
        target = f"localhost:{server.port}"
        holder = grpc.ssl_channel_credentials(
            chain.read_bytes(), client_key.read_bytes(), client_chain.read_bytes()
        )
        anyone = grpc.ssl_channel_credentials(chain.read_bytes())
        from tests.service.test_lifecycle import COUNT

        with grpc.secure_channel(target, holder) as channel:
            assert Stubs(channel).audiences.CountAudience(COUNT, timeout=10).count == 7
        with grpc.secure_channel(target, anyone) as channel:
            assert failed(Stubs(channel).audiences.CountAudience, COUNT, timeout=3).code in (
                CODE.UNAVAILABLE,
                CODE.DEADLINE_EXCEEDED,
            )
        with grpc.insecure_channel(server.address) as channel:
            assert failed(Stubs(channel).audiences.CountAudience, COUNT, timeout=3).code in (
                CODE.UNAVAILABLE,
                CODE.DEADLINE_EXCEEDED,
            )
