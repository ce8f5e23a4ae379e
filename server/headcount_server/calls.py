"""The kinds of method, free of any transport: what a listener is given to serve.

A method takes the bytes of a request and gives the bytes of an answer; parsing lies inside, so that a call
which is refused for who made it or when is refused before anything of it is decoded. Only what can be
answered is in a table: a listener tells the rest apart by its absence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from headcount_server.context import Context, Role
from headcount_server.wire.messages import Message, parse

Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer", bound=Message)

MessageType = type[Message]


@dataclass(frozen=True, slots=True)
class Signature:
    """What a method is called, what it takes and gives, and what it needs.

    `name` is the path on the wire, `/headcount.v1.AudienceService/CountAudience`. `is_inline`: takes so
    little that a listener with a loop may run it there; others go to a pool. `role` is the least that a
    caller must have.
    """

    name: str
    request: MessageType
    answer: MessageType
    role: Role
    is_inline: bool

    @property
    def service(self) -> str:
        return self.name.split("/")[1]

    @property
    def method(self) -> str:
        return self.name.split("/")[2]


@dataclass(frozen=True, slots=True)
class Unary:
    """One request, one answer."""

    signature: Signature
    call: Callable[[bytes, Context], bytes]


@dataclass(frozen=True, slots=True)
class ServerStream:
    """One request, many answers. `is_endless`: for as long as the caller listens; who does not take what comes is cut
    off, and may go on from where it was."""

    signature: Signature
    call: Callable[[bytes, Context], Iterator[bytes]]
    is_endless: bool = False


@dataclass(frozen=True, slots=True)
class ClientStream:
    """Many requests, one answer."""

    signature: Signature
    call: Callable[[Iterator[bytes], Context], bytes]


@dataclass(frozen=True, slots=True)
class BidirectionalStream:
    """Many requests, many answers."""

    signature: Signature
    call: Callable[[Iterator[bytes], Context], Iterator[bytes]]


Method = Unary | ServerStream | ClientStream | BidirectionalStream
MethodTable = Mapping[str, Method]


def unary(
    name: str,
    request: type[Request],
    answer: type[Answer],
    handler: Callable[[Request, Context], Answer],
    *,
    role: Role = Role.READ,
    is_inline: bool = False,
) -> Unary:
    """A method of the table from a handler of messages."""

    def call(payload: bytes, context: Context) -> bytes:
        return handler(parse(request, payload), context).SerializeToString()

    return Unary(Signature(name, request, answer, role, is_inline), call)


def server_stream(
    name: str,
    request: type[Request],
    answer: type[Answer],
    handler: Callable[[Request, Context], Iterator[Answer]],
    *,
    role: Role = Role.READ,
    is_endless: bool = False,
) -> ServerStream:
    """As `unary`; the handler gives its answers one by one."""

    def call(payload: bytes, context: Context) -> Iterator[bytes]:
        for item in handler(parse(request, payload), context):
            yield item.SerializeToString()

    return ServerStream(Signature(name, request, answer, role, False), call, is_endless)


def client_stream(
    name: str,
    request: type[Request],
    answer: type[Answer],
    handler: Callable[[Iterator[Request], Context], Answer],
    *,
    role: Role = Role.READ,
) -> ClientStream:
    """As `unary`; the handler reads its requests one by one."""

    def call(payloads: Iterator[bytes], context: Context) -> bytes:
        return handler((parse(request, p) for p in payloads), context).SerializeToString()

    return ClientStream(Signature(name, request, answer, role, False), call)


def bidirectional_stream(
    name: str,
    request: type[Request],
    answer: type[Answer],
    handler: Callable[[Iterator[Request], Context], Iterator[Answer]],
    *,
    role: Role = Role.READ,
) -> BidirectionalStream:
    """As `unary`, both ways one by one."""

    def call(payloads: Iterator[bytes], context: Context) -> Iterator[bytes]:
        for item in handler((parse(request, p) for p in payloads), context):
            yield item.SerializeToString()

    return BidirectionalStream(Signature(name, request, answer, role, False), call)


def table_of(*methods: Method) -> MethodTable:
    """The methods by name."""
    return {method.signature.name: method for method in methods}
