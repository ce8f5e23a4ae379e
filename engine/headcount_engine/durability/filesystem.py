"""The seam to the file system: the only place of the engine that calls `os` for files.

A directory is flat; names are plain. Tests put a directory in memory behind this seam that can crash at any call, keep
what was synced and any part of what was not, and fail a call by rule.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from headcount_engine.errors import StoreLocked

Buffer = bytes | bytearray | memoryview
_VECTORS_MAX = 1_024


class WritableFile(Protocol):
    """A file written from its start, or from its end, to its end. Errors are OSError."""

    def write(self, buffers: Sequence[Buffer]) -> None:
        """Append all of the buffers."""
        ...

    def sync(self) -> None:
        """Return when everything written so far survives a loss of power."""
        ...

    def close(self) -> None: ...


class FileSystem(Protocol):
    """One flat directory. Errors are OSError; a name that is not there is FileNotFoundError."""

    def names(self) -> list[str]: ...

    def size(self, name: str) -> int: ...

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytearray:
        """Bytes of a file from an offset; fewer than asked for at its end."""
        ...

    def create(self, name: str) -> WritableFile:
        """A new file, or an old one emptied."""
        ...

    def extend(self, name: str) -> WritableFile:
        """An existing file, to be written on at its end."""
        ...

    def truncate(self, name: str, size: int) -> None:
        """Cut a file; durable on return."""
        ...

    def sync(self, name: str) -> None:
        """Return when all that the file holds survives a loss of power, whoever wrote it."""
        ...

    def rename(self, old: str, new: str) -> None: ...

    def remove(self, name: str) -> None: ...

    def sync_directory(self) -> None:
        """Return when creations, renames and removals so far survive a loss of power."""
        ...


class _File:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, buffers: Sequence[Buffer]) -> None:
        rest = [memoryview(b).cast("B") for b in buffers if len(b)]
        while rest:
            written = os.writev(self._descriptor, rest[:_VECTORS_MAX])
            while rest and written >= len(rest[0]):
                written -= len(rest.pop(0))
            if written:
                rest[0] = rest[0][written:]

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class RealFileSystem:
    """A directory of the machine, made if it is not there."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path

    def names(self) -> list[str]:
        return sorted(os.listdir(self.path))

    def size(self, name: str) -> int:
        return (self.path / name).stat().st_size

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytearray:
        descriptor = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            held = max(os.fstat(descriptor).st_size - offset, 0)
            content = bytearray(held if length is None else min(held, length))
            view, done = memoryview(content), 0
            while done < len(content):
                got = os.preadv(descriptor, [view[done:]], offset + done)
                if not got:
                    break
                done += got
            view.release()
            del content[done:]
            return content
        finally:
            os.close(descriptor)

    def create(self, name: str) -> WritableFile:
        return _File(os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))

    def extend(self, name: str) -> WritableFile:
        return _File(os.open(self.path / name, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))

    def truncate(self, name: str, size: int) -> None:
        descriptor = os.open(self.path / name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync(self, name: str) -> None:
        descriptor = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: str, new: str) -> None:
        (self.path / old).rename(self.path / new)

    def remove(self, name: str) -> None:
        (self.path / name).unlink()

    def sync_directory(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class DirectoryLock:
    """An exclusive hold on a directory, for the life of the process or until `release`."""

    def __init__(self, path: Path) -> None:
        """Make the directory if need be and lock it; raises StoreLocked, naming the process that has it."""
        path.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path / "LOCK", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._descriptor, 32, 0).decode(errors="replace").strip()
            self.release()
            raise StoreLocked(f"the data directory is locked by process {holder or 'unknown'}") from error
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another process have the directory. May be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
