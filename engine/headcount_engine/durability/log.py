"""The log being written: one file at a time, appended to under a lock, synced by mode.

Two invariants. A frame is written only after every frame before it was handed over whole, so what a crash leaves is a
prefix. And once anything failed, nothing is written or synced again: after a failed sync nobody can tell what is on
the medium, so every commit that waits is told that its outcome is unknown, and the store is read-only until a restart
finds out.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from headcount_engine.durability.filesystem import FileSystem, WritableFile
from headcount_engine.durability.framing import HEADER_BYTES, FrameKind, LogHeader, Position, encode_frame
from headcount_engine.durability.packing import Buffer
from headcount_engine.errors import OutcomeUnknown, StoreReadOnly
from headcount_engine.model.durability import SyncMode


def log_name(first_version: int) -> str:
    return f"log-{first_version:020d}.log"


def first_version_of(name: str) -> int | None:
    """The version in a log file's name; None for other names."""
    digits = name[4:-4]
    is_log = name.startswith("log-") and name.endswith(".log") and len(digits) == 20 and digits.isdecimal()
    return int(digits) if is_log and digits.isascii() else None


class Log:
    """Appends frames. Any thread; in mode `INTERVAL` a thread of its own syncs."""

    def __init__(
        self,
        files: FileSystem,
        store: bytes,
        at: Position,
        mode: SyncMode,
        interval_s: float,
        *,
        continues: bool,
    ) -> None:
        """Begin the log file that follows `at`; `continues`: it is there already, without a commit in it."""
        self._files = files
        self._store = store
        self.mode = mode
        self._interval_s = interval_s
        self._lock = threading.Lock()
        self._failure: str | None = None
        self._at = at
        self._closing = threading.Event()
        self.name = log_name(at.version + 1)
        self.closed_bytes = 0
        """Bytes in the log files finished since the last checkpoint."""
        if continues:
            self._file = files.extend(self.name)
            self._file.sync()
            self._written = files.size(self.name)
        else:
            self._file = self._begin(at)
            self._written = HEADER_BYTES
        self._synced = self._written
        self.durable_version = at.version
        """The last version that a loss of power would leave."""
        self._syncer: threading.Thread | None = None
        if mode is SyncMode.INTERVAL:
            self._syncer = threading.Thread(
                target=self._sync_now_and_then, name="headcount-log-sync", daemon=True
            )
            self._syncer.start()

    @property
    def failure(self) -> str | None:
        """Why nothing is written any more; None while all is well."""
        return self._failure

    @property
    def bytes_since_checkpoint(self) -> int:
        return self.closed_bytes + self._written - HEADER_BYTES

    def append(
        self, kind: FrameKind, version: int, payload: Sequence[Buffer], *, may_wait: bool = False
    ) -> None:
        """Return when the frame is as durable as the mode promises; one that may wait is synced with the next.

        Raises StoreReadOnly if the log had failed before (nothing was written), OutcomeUnknown if it fails now.
        """
        with self._lock:
            if self._failure is not None:
                raise StoreReadOnly(self._failure)
            buffers, length, crc = encode_frame(kind, version, self._synced, self._at.crc, payload)
            with _Poison(self):
                self._file.write(buffers)
                self._written += length
                if self.mode is SyncMode.EACH_COMMIT and not may_wait:
                    self._sync()
            self._at = Position(version, crc)
            self._note_durable()

    def rotate(self) -> int:
        """Finish the file and begin the next; its first version. What was written before is durable on return."""
        with self._lock:
            if self._failure is not None:
                raise StoreReadOnly(self._failure)
            if self.name == log_name(self._at.version + 1):
                # No commit in it: a new one would have the same name.
                return self._at.version + 1
            with _Poison(self):
                self._sync()
                following = self._begin(self._at)
                self._file.close()
            self._file, self.name = following, log_name(self._at.version + 1)
            self.closed_bytes += self._written - HEADER_BYTES
            self._written = self._synced = HEADER_BYTES
            self._note_durable()
            return self._at.version + 1

    def close(self) -> None:
        """Sync what was written, unless the log has failed, and let go of the file."""
        self._closing.set()
        if self._syncer is not None:
            self._syncer.join()
        with self._lock:
            try:
                if self._failure is None:
                    with _Poison(self):
                        self._sync()
            finally:
                self._failure = self._failure or "the log is closed"
                self._file.close()

    def fail(self, message: str) -> None:
        """Take no more writes. Called with the lock held, or by the store where the directory is in doubt."""
        self._failure = self._failure or message

    def _sync(self) -> None:
        if self._synced < self._written:
            self._file.sync()
            self._synced = self._written

    def _note_durable(self) -> None:
        if self._synced == self._written:
            self.durable_version = self._at.version

    def _begin(self, at: Position) -> WritableFile:
        name = log_name(at.version + 1)
        file = self._files.create(name)
        file.write([LogHeader(self._store, at.version + 1, at.crc).encode()])
        file.sync()
        self._files.sync_directory()
        return file

    def _sync_now_and_then(self) -> None:
        while not self._closing.wait(self._interval_s):
            with self._lock:
                if self._failure is not None:
                    return
                try:
                    self._sync()
                    self._note_durable()
                except OSError as error:
                    self.fail(_told(error))
                    return


class _Poison:
    """A stretch in which any error at all makes the log fail for good and the outcome unknown."""

    __slots__ = ("_log",)

    def __init__(self, log: Log) -> None:
        self._log = log

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        message = _told(error)
        self._log.fail(message)
        if isinstance(error, OSError):
            raise OutcomeUnknown(message) from error


def _told(error: BaseException) -> str:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return f"the log could not be written ({reason}); the store is read-only until it is opened again"
