"""Headers and frames of log files: bytes to structures and back. The layout is drawn in the package comment."""

from __future__ import annotations

import enum
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import crc32c

from headcount_engine.durability.packing import Buffer, padding
from headcount_engine.errors import LimitExceeded, StoreDamaged

FORMAT_MAJOR: Final = 1
FORMAT_MINOR: Final = 0
STORE_BYTES: Final = 16
HEADER_BYTES: Final = 64
FRAME_HEAD_BYTES: Final = 40
FRAME_BYTES_MAX: Final = 1 << 31
"""A commit of four million rows and thirty columns takes under 1 GiB."""

_LOG_MAGIC = b"HCLOG\x1a\n\x00"
_HEADER = struct.Struct("<8sHHI16sQI16s")
_FRAME_MAGIC = b"HCFR"
_FRAME = struct.Struct("<4sIHHIQQI")
_CRC = struct.Struct("<I")


class FrameKind(enum.IntEnum):
    """`COMMIT` makes a version; the others make none. `NOW` records that answers were given at an instant, `ANSWER`
    what a request was answered."""

    COMMIT = 1
    NOW = 2
    ANSWER = 3


KIND_FORMATS: Final = {FrameKind.COMMIT: 1, FrameKind.NOW: 1, FrameKind.ANSWER: 1}


@dataclass(frozen=True, slots=True)
class LogHeader:
    store: bytes
    first_version: int
    previous_crc: int

    def encode(self) -> bytes:
        head = _HEADER.pack(
            _LOG_MAGIC,
            FORMAT_MAJOR,
            FORMAT_MINOR,
            0,
            self.store,
            self.first_version,
            self.previous_crc,
            bytes(16),
        )
        return head + _CRC.pack(crc32c.crc32c(head))


@dataclass(frozen=True, slots=True)
class BadHeader:
    """Not a header of this release. `is_newer`: written by a later one, so nothing may be touched."""

    message: str
    is_newer: bool = False


def decode_header(data: bytes | bytearray | memoryview) -> LogHeader | BadHeader:
    """The header at the front of a log file."""
    if len(data) < HEADER_BYTES:
        return BadHeader("the header is cut short")
    magic, major, _, _, store, version, previous, _ = _HEADER.unpack_from(data)
    (crc,) = _CRC.unpack_from(data, HEADER_BYTES - 4)
    if magic != _LOG_MAGIC:
        return BadHeader("not a log file")
    if crc32c.crc32c(bytes(data[: HEADER_BYTES - 4])) != crc:
        return BadHeader("the header is damaged")
    if major != FORMAT_MAJOR:
        return BadHeader(
            f"written in format {major}; this release reads format {FORMAT_MAJOR}", is_newer=True
        )
    return LogHeader(store, version, previous)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as read. `offset` is where it starts, `end` where the next one would."""

    kind: FrameKind
    version: int
    synced_through: int
    previous_crc: int
    crc: int
    offset: int
    end: int
    payload: memoryview


@dataclass(frozen=True, slots=True)
class BadFrame:
    offset: int
    message: str
    is_unknown_kind: bool = False


def encode_frame(
    kind: FrameKind, version: int, synced_through: int, previous_crc: int, payload: Sequence[Buffer]
) -> tuple[list[Buffer], int, int]:
    """(buffers, length in bytes, CRC) of a frame around a payload that is padded already.

    Raises LimitExceeded for one beyond what would be read back.
    """
    length = sum(len(b) for b in payload)
    if length > FRAME_BYTES_MAX:
        raise LimitExceeded("frame_bytes", FRAME_BYTES_MAX, length)
    head = _FRAME.pack(
        _FRAME_MAGIC, length, kind, KIND_FORMATS[kind], previous_crc, version, synced_through, 0
    )
    crc = crc32c.crc32c(head)
    for buffer in payload:
        crc = crc32c.crc32c(buffer, crc)
    return [head + _CRC.pack(crc), *payload], FRAME_HEAD_BYTES + length, crc


def decode_frame(data: memoryview, offset: int) -> Frame | BadFrame:
    """The frame at an offset, proved by its own checksum."""
    if offset + FRAME_HEAD_BYTES > len(data):
        return BadFrame(offset, "the file ends within the head of a frame")
    magic, length, kind, kind_format, previous, version, synced, _ = _FRAME.unpack_from(data, offset)
    if magic != _FRAME_MAGIC:
        return BadFrame(offset, "no frame begins here")
    if length > FRAME_BYTES_MAX or padding(length):
        return BadFrame(offset, "a frame of no possible length")
    end = offset + FRAME_HEAD_BYTES + length
    if end > len(data):
        return BadFrame(offset, "the file ends within a frame")
    (crc,) = _CRC.unpack_from(data, offset + FRAME_HEAD_BYTES - 4)
    payload = data[offset + FRAME_HEAD_BYTES : end]
    found = crc32c.crc32c(payload, crc32c.crc32c(data[offset : offset + FRAME_HEAD_BYTES - 4]))
    if found != crc:
        return BadFrame(offset, "the checksum of a frame does not fit")
    known = {int(k) for k in FrameKind}
    if kind not in known or KIND_FORMATS[FrameKind(kind)] != kind_format:
        message = f"a frame of kind {kind}, format {kind_format}, which this release does not know"
        return BadFrame(offset, message, is_unknown_kind=True)
    return Frame(FrameKind(kind), version, synced, previous, crc, offset, end, payload)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a chain of frames stands: the version it has reached and the checksum that the next frame continues."""

    version: int
    crc: int


def frames(data: memoryview, start: Position) -> Iterator[Frame | BadFrame]:
    """The frames of a log file, in order, each proved to follow the one before; a BadFrame ends it."""
    offset, at = HEADER_BYTES, start
    while offset < len(data):
        frame = decode_frame(data, offset)
        if isinstance(frame, Frame):
            expected = at.version + (frame.kind is FrameKind.COMMIT)
            if frame.previous_crc != at.crc:
                frame = BadFrame(offset, "a frame that does not follow the one before it")
            elif frame.version != expected:
                frame = BadFrame(offset, f"version {frame.version} where {expected} was due")
            elif frame.synced_through > offset:
                frame = BadFrame(offset, "a frame that says it was synced before it was written")
        yield frame
        if isinstance(frame, BadFrame):
            return
        at, offset = Position(frame.version, frame.crc), frame.end


def proof_of_sync_past(data: memoryview, offset: int) -> int | None:
    """Where a whole frame proves that what lies at `offset` was synced once; None if none does.

    Looks at every multiple of 8 bytes for the magic and checks what claims to be a frame.
    """
    raw = bytes(data[offset:])
    at = raw.find(_FRAME_MAGIC)
    while at >= 0:
        if at % 8 == 0:
            frame = decode_frame(data, offset + at)
            if isinstance(frame, BadFrame):
                proves = frame.is_unknown_kind
            else:
                proves = frame.synced_through > offset
            if proves:
                return offset + at
        at = raw.find(_FRAME_MAGIC, at + 1)
    return None


def require_frame(frame: Frame | BadFrame, path: str) -> Frame:
    """The frame, or StoreDamaged with the place."""
    if isinstance(frame, BadFrame):
        raise StoreDamaged(f"{path}: {frame.message} at byte {frame.offset}", path=path, offset=frame.offset)
    return frame
