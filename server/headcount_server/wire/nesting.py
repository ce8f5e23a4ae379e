"""Whether bytes that do not parse fail over their depth alone, which the parser does not say.

Only conditions nest without bound, so such bytes are a rule past the limit and not a broken message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

DEPTH_MAX: Final = 100
"""Messages inside one another that protobuf's parsers accept."""

_VARINT_BYTES_MAX: Final = 10


class Described(Protocol):
    """A message type's descriptor, whichever implementation of protobuf made it."""

    @property
    def fields_by_number(self) -> Mapping[int, DescribedField]: ...


class DescribedField(Protocol):
    @property
    def message_type(self) -> Described | None: ...


class _BrokenError(Exception):
    """Not the encoding of a message."""


def is_too_deep(kind: Described, payload: bytes) -> bool:
    """Whether messages nest deeper than parsers accept. Iterative; one step a field, contents are jumped over."""
    stack = [(kind, 0, len(payload), 1)]
    try:
        while stack:
            descriptor, at, end, depth = stack.pop()
            if depth > DEPTH_MAX:
                return True
            while at < end:
                tag, at = _varint(payload, at, end)
                match tag & 7:
                    case 0:
                        _, at = _varint(payload, at, end)
                    case 1:
                        at += 8
                    case 5:
                        at += 4
                    case 2:
                        size, at = _varint(payload, at, end)
                        inner = _message_of(descriptor, tag >> 3)
                        if inner is not None and at + size <= end:
                            stack.append((inner, at, at + size, depth + 1))
                        at += size
                    case _:
                        raise _BrokenError
    except _BrokenError:
        return False
    return False


def _message_of(descriptor: Described, number: int) -> Described | None:
    field = descriptor.fields_by_number.get(number)
    return None if field is None else field.message_type


def _varint(payload: bytes, at: int, end: int) -> tuple[int, int]:
    """(the number, where it ends)."""
    value = 0
    for i in range(_VARINT_BYTES_MAX):
        if at + i >= end:
            break
        byte = payload[at + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, at + i + 1
    raise _BrokenError
