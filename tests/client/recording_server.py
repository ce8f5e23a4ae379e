"""A gRPC server that records what it is asked and answers what a test prepared: the client's other side."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent import futures

import grpc
from google.protobuf.message import Message

from headcount.v1 import errors_pb2
from headcount.v1.column_pb2 import TextColumn

Prepared = Message | bytes | Exception | Callable[[bytes], Message]


def unpacked(column: TextColumn) -> list[str]:
    """The texts of a packed column, a place each."""
    offsets = memoryview(column.offsets).cast("I")
    stored = [column.utf8[start:end].decode() for start, end in itertools.pairwise(offsets)]
    return [stored[code] for code in memoryview(column.codes).cast("I")] if column.codes else stored


class Refusal(Exception):
    """A failed call: a status code and what travels in its trailing metadata."""

    def __init__(self, code: grpc.StatusCode, message: str, *details: tuple[str, Message]) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = errors_pb2.RpcStatus(code=code.value[0], message=message)
        for type_name, detail in details:
            any_detail = self.status.details.add()
            any_detail.type_url = f"type.googleapis.com/{type_name}"
            any_detail.value = detail.SerializeToString()


class RecordingServer:
    """`answers` by `Service/Method`: a message, bytes, a Refusal, a function of the request, or these in turn."""

    def __init__(self) -> None:
        self.answers: dict[str, Prepared | list[Prepared]] = {}
        self.streams: dict[str, Callable[[Iterator[bytes]], Iterator[Message]]] = {}
        self.requests: dict[str, list[bytes]] = defaultdict(list)
        self.metadata: dict[str, str | bytes] = {}
        self._server = grpc.server(futures.ThreadPoolExecutor(4))
        self._server.add_generic_rpc_handlers((self._Handler(self),))
        self.port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._server.stop(None).wait()

    class _Handler(grpc.GenericRpcHandler):
        def __init__(self, outer: RecordingServer) -> None:
            self._outer = outer

        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes] | None:
            method = details.method.removeprefix("/headcount.v1.")
            self._outer.metadata = dict(details.invocation_metadata or ())
            if method in self._outer.streams:
                return grpc.stream_stream_rpc_method_handler(
                    lambda batches, context: self._outer._stream(method, batches, context)
                )
            return grpc.unary_unary_rpc_method_handler(
                lambda request, context: self._outer._answer(method, request, context)
            )

    def _answer(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.requests[method].append(request)
        prepared = self.answers.get(method)
        if isinstance(prepared, list):
            prepared = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        if prepared is None:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "not prepared")
        if isinstance(prepared, Refusal):
            _refuse(prepared, context)
        if isinstance(prepared, bytes):
            return prepared
        message = prepared(request) if callable(prepared) else prepared
        assert isinstance(message, Message)
        return message.SerializeToString()

    def _stream(
        self, method: str, batches: Iterator[bytes], context: grpc.ServicerContext
    ) -> Iterator[bytes]:
        try:
            for answer in self.streams[method](batches):
                yield answer.SerializeToString()
        except Refusal as refusal:
            _refuse(refusal, context)


def _refuse(refusal: Refusal, context: grpc.ServicerContext) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", refusal.status.SerializeToString()),))
    context.abort(refusal.code, refusal.message)
