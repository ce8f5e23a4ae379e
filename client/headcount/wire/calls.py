"""What one call is, whoever carries it: a path, bytes out, and how to read the bytes that come back."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from google.protobuf.message import DecodeError

from headcount.errors import ServerError
from headcount.wire import encode


class Serializable(Protocol):
    def SerializeToString(self) -> bytes: ...  # noqa: N802 - protobuf's name


class Readable(Protocol):
    @classmethod
    def FromString(cls, data: bytes, /) -> Self: ...  # noqa: N802 - protobuf's name


AnswerT = TypeVar("AnswerT", bound=Readable)
OutT = TypeVar("OutT")
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Unary(Generic[OutT]):
    """One request and one answer. `read` turns the answer's bytes into what the caller gets."""

    path: str
    request: bytes
    read: Callable[[bytes], OutT]


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """Some items and where to go on; an empty token is the end."""

    items: list[ItemT]
    next_token: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What any read may demand: a version, to see one's own writes, or a clock to have been reached."""

    min_version: int = 0
    min_now: dt.datetime | None = None

    def __post_init__(self) -> None:
        encode.whole(self.min_version, "min_version", 64)


def request_id_or_new(given: str | None) -> str:
    """An id of its own makes a write safe to send again, which is what retries do."""
    return given if given is not None else str(uuid.uuid4())


def path_of(service: str, method: str) -> str:
    return f"/headcount.v1.{service}/{method}"


def unary(
    service: str, method: str, request: Serializable, answer: type[AnswerT], read: Callable[[AnswerT], OutT]
) -> Unary[OutT]:
    def from_bytes(data: bytes) -> OutT:
        try:
            message = answer.FromString(data)
        except DecodeError as error:
            raise ServerError("the answer cannot be read", reason="MALFORMED_ANSWER") from error
        return read(message)

    return Unary(path_of(service, method), request.SerializeToString(), from_bytes)
