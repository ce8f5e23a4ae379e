"""The data directory: one process at a time, and the interim file that holds a store between runs.

The interim file is private to one release and is written on closing only: what was written since the last orderly
close is lost if the process is killed. Its layout: 8 bytes magic, CRC32C of the rest (u32, little-endian), length of
the rest (u64), then one msgpack value in which arrays are extension type 1 (dtype, shape, bytes).
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path
from types import TracebackType

import crc32c
import msgpack
import numpy as np

from headcount_engine.errors import StoreDamaged, StoreLocked

_MAGIC = b"HCINT\x1a\n\x01"
_HEAD = struct.Struct("<8sIQ")
_ARRAY = 1

Plain = None | bool | int | float | str | bytes | np.ndarray | list["Plain"] | dict[str, "Plain"]
"""What can be stored."""


class Directory:
    """An exclusive hold on a directory, for the life of the process or until `release`."""

    def __init__(self, path: Path) -> None:
        """Create the directory if need be and lock it; raises StoreLocked."""
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = os.open(path / "LOCK", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._lock, 32, 0).decode(errors="replace").strip()
            os.close(self._lock)
            raise StoreLocked(f"the data directory is locked by process {holder or 'unknown'}") from error
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)

    def load(self) -> Plain:
        """What was last saved; None in a new directory. Raises StoreDamaged."""
        try:
            data = (self.path / "interim.hc").read_bytes()
        except FileNotFoundError:
            return None
        if len(data) < _HEAD.size:
            raise StoreDamaged("the interim file is cut short", path="interim.hc")
        magic, checksum, length = _HEAD.unpack_from(data)
        if magic != _MAGIC:
            raise StoreDamaged("not an interim file of this release", path="interim.hc")
        body = memoryview(data)[_HEAD.size :]
        if length != len(body) or crc32c.crc32c(body) != checksum:
            raise StoreDamaged(
                "the interim file is not what was written", path="interim.hc", offset=_HEAD.size
            )
        loaded: Plain = msgpack.unpackb(
            body, ext_hook=_unpack_array, strict_map_key=False, max_ext_len=len(data), max_bin_len=len(data)
        )
        return loaded

    def save(self, content: Plain) -> None:
        """Replace what is stored, at once or not at all."""
        body = msgpack.packb(content, default=_pack_array)
        temporary = self.path / "interim.tmp"
        with temporary.open("wb") as file:
            file.write(_HEAD.pack(_MAGIC, crc32c.crc32c(body), len(body)))
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.path / "interim.hc")
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def release(self) -> None:
        """Let another process have the directory."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Directory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _pack_array(value: object) -> msgpack.ExtType:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"cannot store {type(value).__name__}")
    head = msgpack.packb([value.dtype.str, list(value.shape)])
    return msgpack.ExtType(_ARRAY, head + value.tobytes())


def _unpack_array(code: int, data: bytes) -> np.ndarray:
    if code != _ARRAY:
        raise StoreDamaged("an unknown kind of value in the interim file", path="interim.hc")
    unpacker = msgpack.Unpacker(max_buffer_size=len(data))
    unpacker.feed(data)
    dtype, shape = unpacker.unpack()
    return np.frombuffer(data, dtype=np.dtype(dtype), offset=unpacker.tell()).reshape(shape).copy()
