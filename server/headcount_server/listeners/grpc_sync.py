"""The main listener: grpcio's synchronous server over the method table, with health and reflection beside it.

Every call has a thread of one pool; a stream keeps its thread while it is open, so streams are capped well
below the pool's size (the guard refuses those past the cap). Requests and answers pass as bytes: parsing is
the method's.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import assert_never

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from headcount_engine.errors import Cancelled
from headcount_server.calls import BidirectionalStream, ClientStream, Method, MethodTable, ServerStream, Unary
from headcount_server.errors import CannotListen, NotReady, Unauthenticated
from headcount_server.guards.access import Authenticator
from headcount_server.guards.guard import Arrival, Guard, Refused
from headcount_server.listeners.stalls import Stalls
from headcount_server.statuses import Failure, failure_of
from headcount_server.wire import failures, messages

METADATA_BYTES_MAX = 8 * 1024
RETRY_LOADING_S = 1.0
_STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}
_AUTHORIZATION = "authorization"
_NO_DEADLINE_S = 10 * 365 * 86_400.0


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM: the server's chain and key; with `client_ca`, callers must show a certificate of that
    authority."""

    certificate: bytes
    key: bytes
    client_ca: bytes | None

    def __repr__(self) -> str:
        return "TlsFiles(...)"


@dataclass(frozen=True, slots=True)
class GrpcOptions:
    """`calls` bounds calls at one time, those that wait for a thread included."""

    address: str
    tls: TlsFiles | None
    threads: int
    calls: int
    streams: int
    request_bytes: int
    response_bytes: int
    stream_deadline_s: float
    serves_reflection: bool
    untaken_s: float = 60.0
    """How long a caller of an endless stream may leave an answer untaken."""


class GrpcListener:
    """Bound from construction on; answers UNAVAILABLE until `serve` gives it a table."""

    def __init__(self, options: GrpcOptions, guard: Guard, authenticator: Authenticator) -> None:
        self._guard = guard
        self._stalls = Stalls(options.untaken_s)
        self._handlers = _TableHandler(guard, options.stream_deadline_s, self._stalls)
        self._pool = ThreadPoolExecutor(options.threads, thread_name_prefix="grpc")
        self._server = grpc.server(
            self._pool,
            handlers=[self._handlers],
            options=_channel_options(options),
            maximum_concurrent_rpcs=options.calls,
        )
        self._health = health.HealthServicer()
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if options.serves_reflection:
            names = (*messages.SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
            reflection_pb2_grpc.add_ServerReflectionServicer_to_server(
                _GuardedReflection(names, max(1, options.threads // 4), authenticator), self._server
            )
        self.port = self._bind(options)
        self._server.start()

    def _bind(self, options: GrpcOptions) -> int:
        try:
            if options.tls is None:
                port = self._server.add_insecure_port(options.address)
            else:
                port = self._server.add_secure_port(options.address, _credentials(options.tls))
        except RuntimeError:
            port = 0
        if not port:
            self._pool.shutdown(wait=False)
            raise CannotListen(options.address)
        return port

    def serve(self, table: MethodTable) -> None:
        """Answer from this table from now on."""
        self._handlers.table = table
        self._set_health(health_pb2.HealthCheckResponse.SERVING)

    def refuse_writes(self) -> None:
        """Tell those who ask after the health of services that write to go elsewhere; reads are answered on."""
        for service in messages.WRITING_SERVICES:
            self._health.set(service, health_pb2.HealthCheckResponse.NOT_SERVING)

    def drain(self) -> None:
        """Tell those who ask after our health to go elsewhere; calls are still answered as the guard
        decides."""
        self._health.enter_graceful_shutdown()

    def stop(self, grace_s: float) -> None:
        """Take no more calls; those that run have `grace_s`, then they are cancelled. Returns when all are
        gone."""
        self._server.stop(grace_s).wait()
        self._pool.shutdown(wait=True)
        self._stalls.close()

    def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for service in ("", *messages.SERVICES):
            self._health.set(service, status)


def _channel_options(options: GrpcOptions) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", options.request_bytes),
        ("grpc.max_send_message_length", options.response_bytes + 64 * 1024),
        ("grpc.max_metadata_size", METADATA_BYTES_MAX),
        ("grpc.absolute_max_metadata_size", METADATA_BYTES_MAX),
        # Above the cap on calls, so that a caller past it is told so; below, its own library would queue silently.
        ("grpc.max_concurrent_streams", 2 * options.calls + 64),
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
    ]


def _credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    return grpc.ssl_server_credentials(
        [(tls.key, tls.certificate)],
        root_certificates=tls.client_ca,
        require_client_auth=tls.client_ca is not None,
    )


class _TableHandler(grpc.GenericRpcHandler):
    """Finds a call's method in the table. What is not there is left to grpcio, which says UNIMPLEMENTED."""

    def __init__(self, guard: Guard, stream_deadline_s: float, stalls: Stalls) -> None:
        self._guard = guard
        self._stream_deadline_s = stream_deadline_s
        self._stalls = stalls
        self.table: MethodTable | None = None

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        name = handler_call_details.method
        if self.table is None:
            service = name.split("/")[1] if name.startswith("/") else ""
            return grpc.unary_unary_rpc_method_handler(_loading) if service in messages.SERVICES else None
        method = self.table.get(name)
        return None if method is None else self._handler(method)

    def _handler(self, method: Method) -> grpc.RpcMethodHandler[bytes, bytes]:
        guard, limit_s = self._guard, self._stream_deadline_s
        match method:
            case Unary():
                return grpc.unary_unary_rpc_method_handler(functools.partial(_unary, guard, method))
            case ServerStream():
                answer = functools.partial(_server_stream, guard, method, limit_s)
                if method.is_endless:
                    answer = functools.partial(_endless_stream, self._stalls, answer)
                return grpc.unary_stream_rpc_method_handler(answer)
            case ClientStream():
                return grpc.stream_unary_rpc_method_handler(
                    functools.partial(_client_stream, guard, method, limit_s)
                )
            case BidirectionalStream():
                return grpc.stream_stream_rpc_method_handler(
                    functools.partial(_bidirectional_stream, guard, method, limit_s)
                )
            case _:
                assert_never(method)


def _unary(guard: Guard, method: Unary, payload: bytes, context: grpc.ServicerContext) -> bytes:
    try:
        return guard.unary(method, _arrival(context), payload)
    except Refused as refused:
        return _abort(context, refused.failure)


def _server_stream(
    guard: Guard, method: ServerStream, limit_s: float, payload: bytes, context: grpc.ServicerContext
) -> Iterator[bytes]:
    with _Limit(context, limit_s):
        try:
            yield from guard.server_stream(method, _arrival(context), payload)
        except Refused as refused:
            _abort(context, refused.failure)


def _endless_stream(
    stalls: Stalls,
    answer: Callable[[bytes, grpc.ServicerContext], Iterator[bytes]],
    payload: bytes,
    context: grpc.ServicerContext,
) -> Iterator[bytes]:
    with stalls.watched(context.cancel) as tell:
        for item in answer(payload, context):
            tell(True)
            yield item
            tell(False)


def _client_stream(
    guard: Guard,
    method: ClientStream,
    limit_s: float,
    payloads: Iterator[bytes],
    context: grpc.ServicerContext,
) -> bytes:
    with _Limit(context, limit_s):
        try:
            return guard.client_stream(method, _arrival(context), _received(payloads))
        except Refused as refused:
            return _abort(context, refused.failure)


def _bidirectional_stream(
    guard: Guard,
    method: BidirectionalStream,
    limit_s: float,
    payloads: Iterator[bytes],
    context: grpc.ServicerContext,
) -> Iterator[bytes]:
    with _Limit(context, limit_s):
        try:
            yield from guard.bidirectional_stream(method, _arrival(context), _received(payloads))
        except Refused as refused:
            _abort(context, refused.failure)


def _received(payloads: Iterator[bytes]) -> Iterator[bytes]:
    """The requests of a stream. A caller that goes away while we wait for it is Cancelled."""
    try:
        yield from payloads
    except grpc.RpcError:
        raise Cancelled from None


class _Limit:
    """Ends a stream without a deadline after `limit_s`: a thread that waits for its caller can only be woken
    so."""

    def __init__(self, context: grpc.ServicerContext, limit_s: float) -> None:
        self._timer: threading.Timer | None = None
        if _remaining_s(context) is None:
            self._timer = threading.Timer(limit_s, context.cancel)
            self._timer.daemon = True

    def __enter__(self) -> None:
        if self._timer is not None:
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _remaining_s(context: grpc.ServicerContext) -> float | None:
    """None without a deadline. grpcio then counts down to the end of a 64-bit clock."""
    remaining = context.time_remaining()
    return None if remaining > _NO_DEADLINE_S else remaining


def _arrival(context: grpc.ServicerContext) -> Arrival:
    authorization: str | None = None
    for key, value in context.invocation_metadata():
        if key == _AUTHORIZATION and isinstance(value, str):
            authorization = value
    is_active: Callable[[], bool] = context.is_active
    return Arrival(_remaining_s(context), lambda: not is_active(), authorization)


@dataclass(frozen=True, slots=True)
class _Status(grpc.Status):
    """What grpcio asks of a status: three attributes."""

    code: grpc.StatusCode
    details: str
    trailing_metadata: tuple[tuple[str, bytes], ...]


def _abort(context: grpc.ServicerContext, failure: Failure) -> bytes:
    """Does not return: grpcio raises to leave the handler."""
    status = _Status(
        _STATUS_CODES[int(failure.code)],
        failure.message,
        ((failures.TRAILER, failures.details(failure)),),
    )
    context.abort_with_status(status)
    raise AssertionError("abort_with_status returned")


def _loading(payload: bytes, context: grpc.ServicerContext) -> bytes:
    return _abort(context, failure_of(NotReady("loading", RETRY_LOADING_S)))


class _GuardedReflection(reflection.ReflectionServicer):  # type: ignore[misc]
    """Reflection for those who may call, its streams capped: each keeps a thread of the pool."""

    def __init__(self, names: Sequence[str], streams: int, authenticator: Authenticator) -> None:
        super().__init__(names)
        self._authenticator = authenticator
        self._slots = threading.BoundedSemaphore(streams)

    def ServerReflectionInfo(self, request_iterator, context):  # type: ignore[no-untyped-def]  # noqa: N802
        try:
            self._authenticator.authenticate(_arrival(context).authorization)
        except Unauthenticated as error:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, error.message)
        if not self._slots.acquire(blocking=False):
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many reflection streams")
        try:
            yield from super().ServerReflectionInfo(request_iterator, context)
        finally:
            self._slots.release()
