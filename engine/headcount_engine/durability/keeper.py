"""The life of an open store: it takes commits, makes checkpoints when they are due, and ends with one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from headcount_engine.durability.filesystem import FileSystem
from headcount_engine.durability.packing import Plain
from headcount_engine.durability.store import CheckpointReport, Store
from headcount_engine.errors import StoreError, StoreReadOnly
from headcount_engine.model.durability import DurabilityOptions

_LOOK_EVERY_S = 0.5
_RETRY_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Captured:
    """The state at a version, shared with the live one until `release` is called."""

    version: int
    now_us: int
    content: Plain
    release: Callable[[], None]


class Keeper:
    """Owns a store and the thread that keeps it in shape.

    `capture` holds writes while it takes references and calls what it is given (a rotation of the log) in between;
    `tell_now` appends a record of the present instant where time has passed without one.
    """

    def __init__(
        self,
        store: Store,
        options: DurabilityOptions,
        capture: Callable[[Callable[[], None]], Captured],
        tell_now: Callable[[Store], None],
        upkeep: Callable[[], None] = lambda: None,
    ) -> None:
        """`upkeep` is called every half second, on the thread that keeps the store in shape."""
        self.store = store
        self._upkeep = upkeep
        self._options = options
        self._capture = capture
        self._tell_now = tell_now
        self._closing = threading.Event()
        self._one_at_a_time = threading.Lock()
        self.last_failure: str | None = None
        """Why the last automatic checkpoint did not come about; None if it did."""
        self.checkpoint_us: int | None = None
        """When the last checkpoint was made, by the clock of the store; None: not in this process."""
        self._thread = threading.Thread(target=self._run, name="headcount-upkeep", daemon=True)
        if options.is_automatic:
            self._thread.start()

    def checkpoint(self) -> CheckpointReport:
        """Write a checkpoint now. Raises StoreError; the store then stands as it did."""
        with self._one_at_a_time:
            return self._checkpoint()

    def sweep(self, commit: Callable[[], object]) -> None:
        """Write the state anew until no file holds anything of before; `commit` makes a version that says nothing.

        Two generations are kept, so it takes two checkpoints: the first shares no byte with older files, and the
        second pushes out what was there before the first, and the log up to it. Raises StoreError.
        """
        with self._one_at_a_time:
            commit()
            self._checkpoint(reuses=False)
            commit()
            self._checkpoint()
            try:
                self.store.drop_leftovers()
            except OSError as error:
                raise StoreError("old files of the store could not be removed") from error

    def _checkpoint(self, *, reuses: bool = True) -> CheckpointReport:
        captured = self._capture(self.store.rotate)
        try:
            made = self.store.write_checkpoint(captured.version, captured.content, reuses=reuses)
            self.checkpoint_us = captured.now_us
            return made
        except OSError as error:
            raise StoreError(
                f"the checkpoint could not be written ({error.strerror or type(error).__name__}); "
                "the log has everything"
            ) from error
        finally:
            captured.release()

    def backup(self, out: FileSystem) -> int:
        """Make a checkpoint and copy it into an empty directory as a store of its own; its version."""
        with self._one_at_a_time:
            self._checkpoint()
            try:
                return self.store.copy_newest(out)
            except OSError as error:
                raise StoreError(
                    f"the backup could not be written ({error.strerror or type(error).__name__})"
                ) from error

    def close(self) -> None:
        """Make the last checkpoint and close the log. Raises StoreError if that failed; the log stays as it is."""
        self._closing.set()
        if self._options.is_automatic:
            self._thread.join()
        try:
            if self.store.failure is None:
                self.checkpoint()
        finally:
            self.store.close()

    def _run(self) -> None:
        checkpoint_at = time.monotonic() + self._options.checkpoint_every_s
        now_at = time.monotonic() + self._options.now_every_s
        retry_at = 0.0
        look_every_s = min(_LOOK_EVERY_S, self._options.now_every_s, self._options.checkpoint_every_s)
        while not self._closing.wait(look_every_s):
            if self.store.failure is not None:
                return
            try:
                if time.monotonic() >= now_at:
                    now_at = time.monotonic() + self._options.now_every_s
                    self._tell_now(self.store)
                if time.monotonic() >= retry_at:
                    self._upkeep()
                is_due = (
                    self.store.log_bytes >= self._options.checkpoint_log_bytes
                    or time.monotonic() >= checkpoint_at
                )
                if is_due and time.monotonic() >= retry_at:
                    checkpoint_at = time.monotonic() + self._options.checkpoint_every_s
                    self.checkpoint()
                    self.last_failure = None
            except StoreReadOnly:
                return
            except StoreError as error:
                self.last_failure = error.message
                retry_at = time.monotonic() + _RETRY_AFTER_S
                checkpoint_at = min(checkpoint_at, retry_at)
