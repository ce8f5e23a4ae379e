"""A file of members on its way: opened before the call, in pieces while it runs; what cannot be read ends it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from headcount.errors import InvalidArgument
from headcount.v1 import segment_service_pb2 as segments
from headcount.wire import encode

PIECE_BYTES: Final = 1 << 18
MemberFile = bytes | str | Path | BinaryIO
"""A CSV file: what is in it as bytes, where it is, or open for reading bytes."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A file to read; `close` closes it if it was opened here."""

    read: Callable[[int], object]
    close: Callable[[], None]


def opened(file: MemberFile) -> Opened:
    """A file to read from. Raises InvalidArgument where it cannot be opened."""
    match file:
        case bytes():
            return Opened(io.BytesIO(file).read, _leave_open)
        case str() | Path():
            try:
                file_ = Path(file).open("rb")  # noqa: SIM115 - open as long as its messages are sent
            except (OSError, ValueError) as error:
                raise encode.refused("file", f"{file} cannot be opened: {_cause(error)}") from error
            return Opened(file_.read, file_.close)
        case _:
            read = getattr(file, "read", None)
            if read is None:
                raise encode.refused("file", f"bytes, a path or an open file, not {type(file).__name__}")
            return Opened(read, _leave_open)


def _cause(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _leave_open() -> None:
    """What the caller opened, the caller closes."""


class ImportRequests:
    """The messages of an import. A file that cannot be read to its end breaks the call off; `failure` says why."""

    def __init__(self, first: bytes, file: Opened) -> None:
        self.failure: InvalidArgument | None = None
        self._file = file
        self._messages = itertools.chain((first,), self._pieces())

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._messages)

    def close(self) -> None:
        """Close the file if it was opened here."""
        self._file.close()

    def _pieces(self) -> Iterator[bytes]:
        while piece := self._read():
            yield segments.ImportMembersRequest(chunk=piece).SerializeToString()

    def _read(self) -> bytes:
        try:
            piece = self._file.read(PIECE_BYTES)
        except (OSError, ValueError) as error:
            self.failure = encode.refused("file", f"it cannot be read: {_cause(error)}")
            raise self.failure from error
        if not isinstance(piece, bytes):
            self.failure = encode.refused("file", "it is open for text: open it for reading bytes")
            raise self.failure
        return piece
