"""The store of one database: opened once, appended to, checkpointed, closed.

opening = Opening(files)            what is there; raises StoreDamaged
opening.content                     the checkpoint's tree, or None
for record in opening.records()     the commits after it
store = opening.start(options)      from here on the directory changes
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from headcount_engine.durability import checkpoints, manifest
from headcount_engine.durability.checkpoints import Tree, Written
from headcount_engine.durability.filesystem import FileSystem
from headcount_engine.durability.framing import STORE_BYTES, FrameKind, LogHeader
from headcount_engine.durability.log import Log, first_version_of, log_name
from headcount_engine.durability.manifest import Manifest
from headcount_engine.durability.packing import Plain, pack
from headcount_engine.durability.recovery import Record, Recovery
from headcount_engine.model.durability import DurabilityOptions, RecoveryProgress, RecoveryReport, SyncMode

_GENERATIONS = 2
_TELL_EVERY_S = 1.0


class Opening:
    """A directory being read."""

    def __init__(self, files: FileSystem) -> None:
        self._files = files
        self._recovery = Recovery(files)

    @property
    def content(self) -> Plain:
        """The checkpoint's tree; None where there is none."""
        return self._recovery.content

    @property
    def base_version(self) -> int:
        return self._recovery.base_version

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever stored here."""
        return self._recovery.manifest is None

    def records(self) -> Iterator[Record]:
        return self._recovery.records()

    def told(
        self, records: Iterator[Record], progress: Callable[[RecoveryProgress], None]
    ) -> Iterator[Record]:
        """The records, telling now and then how far it has come."""
        total, began, told = self._recovery.log_bytes_ahead, time.monotonic(), time.monotonic()
        for replayed, record in enumerate(records, 1):
            yield record
            if time.monotonic() - told >= _TELL_EVERY_S:
                told = time.monotonic()
                read = self._recovery.log_bytes_read
                progress(RecoveryProgress(record.version, replayed, read, total, round(told - began, 1)))

    def start(self, options: DurabilityOptions, semantics: tuple[str, ...]) -> Store:
        """Settle what was found and begin a log file. `records()` has been read to its end."""
        recovery = self._recovery
        held = recovery.manifest
        report = recovery.settle()
        if held is None:
            # The manifest first: a log file without one is taken for damage.
            held = Manifest(os.urandom(STORE_BYTES), semantics=semantics)
            manifest.replace(self._files, held)
        log = Log(
            self._files,
            held.store,
            recovery.position,
            options.sync,
            options.interval_s,
            continues=recovery.last_log_has_no_commit,
        )
        log.closed_bytes = report.log_bytes
        try:
            # A generation that did not read must not push out one that did.
            good = {tree.version for tree in recovery.trees}
            generations = tuple(g for g in held.generations if g.version in good)
            newest_log = first_version_of(log.name) or 0
            held = replace(held, newest_log=newest_log, generations=generations, semantics=semantics)
            manifest.replace(self._files, held)
        except BaseException:
            log.close()
            raise
        newest = recovery.trees[0] if recovery.trees else None
        return Store(self._files, log, held, newest, report)


@dataclass(frozen=True, slots=True)
class CheckpointReport:
    """A finished checkpoint. `new_bytes` of `total_bytes` were written, the rest was there."""

    version: int
    total_bytes: int
    new_bytes: int


class Store:
    """The log and the checkpoints of one database. `append` on any thread; one checkpoint at a time."""

    def __init__(
        self, files: FileSystem, log: Log, held: Manifest, newest: Tree | None, report: RecoveryReport
    ) -> None:
        self._files = files
        self._log = log
        self._manifest = held
        self._newest = newest
        self._checkpointing = threading.Lock()
        self.report = report

    @property
    def id(self) -> bytes:
        """Drawn when the store was made, and its own for ever."""
        return self._manifest.store

    @property
    def failure(self) -> str | None:
        """Why the store is read-only, or None."""
        return self._log.failure

    @property
    def sync(self) -> SyncMode:
        """When commits are acknowledged."""
        return self._log.mode

    @property
    def durable_version(self) -> int:
        """The last version that a loss of power would leave."""
        return self._log.durable_version

    @property
    def log_bytes(self) -> int:
        """Bytes of commits since the last checkpoint: what a restart would replay."""
        return self._log.bytes_since_checkpoint

    @property
    def checkpoint_version(self) -> int:
        """The version of the newest checkpoint, 0 if there is none."""
        generations = self._manifest.generations
        return generations[0].version if generations else 0

    def append(self, version: int, content: Plain) -> None:
        """Log a commit; returns when it may be published. Raises StoreReadOnly or OutcomeUnknown."""
        self._log.append(FrameKind.COMMIT, version, pack(content))

    def note_now(self, version: int, now_us: int, clock_offset_us: int) -> None:
        """Record that answers were given at an instant, so that a restart does not go back before it."""
        self._log.append(FrameKind.NOW, version, pack([now_us, clock_offset_us]))

    def note_answer(self, version: int, content: Plain) -> None:
        """Record what a request was answered. It is synced with the next commit: a loss of power may take it."""
        self._log.append(FrameKind.ANSWER, version, pack(content), may_wait=True)

    def rotate(self) -> None:
        """Begin a log file; called with the state captured and no commit under way."""
        self._log.rotate()

    def write_checkpoint(self, version: int, content: Plain, *, reuses: bool = True) -> CheckpointReport:
        """Store a captured state and make it the newest generation; drop what no generation needs.

        `reuses`: whether it may point at chunks that are there; else no byte of it lies in an older file.

        Raises OSError or StoreDamaged; the store then stands as before and the checkpoint may be tried again.
        """
        with self._checkpointing:
            if version == self.checkpoint_version:
                return CheckpointReport(version, 0, 0)
            before = self._newest if reuses else None
            written = checkpoints.write(self._files, self._manifest.store, version, content, before)
            self._adopt(written)
            return CheckpointReport(version, written.total_bytes, written.new_bytes)

    def _adopt(self, written: Written) -> None:
        generation = written.generation
        older = [g for g in self._manifest.generations if g.version != generation.version]
        kept = (generation, *older)[:_GENERATIONS]
        newest_log = first_version_of(self._log.name) or 0
        held = replace(self._manifest, generations=kept, newest_log=newest_log)
        # Should this fail half way, either manifest may be the one on the medium; the files of both are still there.
        manifest.replace(self._files, held)
        self._manifest = held
        self._newest = checkpoints.read_tree(self._files, held.store, generation)
        self._log.closed_bytes = 0
        self._drop_old()

    def _drop_old(self) -> None:
        """Remove generations and log files that nothing needs any more. What is left over goes another time."""
        generations = self._manifest.generations
        trees = [checkpoints.read_tree(self._files, self._manifest.store, g) for g in generations]
        needed = checkpoints.files_of(trees)
        oldest = generations[-1].version if len(generations) == _GENERATIONS else 0
        names = self._files.names()
        logs = sorted(v for v in map(first_version_of, names) if v is not None)
        done = {log_name(v) for v, following in itertools.pairwise(logs) if following <= oldest + 1}
        for name in names:
            if name in done or (name.endswith((".tree", ".pack")) and name not in needed):
                self._files.remove(name)
        self._files.sync_directory()

    def drop_leftovers(self) -> None:
        """Remove what earlier starts cut off the log and kept, and what was begun and not finished."""
        for name in self._files.names():
            if name.endswith((".torn", ".tmp")):
                self._files.remove(name)
        self._files.sync_directory()

    def copy_newest(self, out: FileSystem) -> int:
        """Copy the newest checkpoint into an empty directory as a store of its own; its version.

        The caller lets no checkpoint happen meanwhile. Checkpoint files never change, so writes may go on.
        """
        version, held = self.checkpoint_version, self._manifest
        newest = held.generations[:1]
        trees = [checkpoints.read_tree(self._files, held.store, generation) for generation in newest]
        for name in sorted(checkpoints.files_of(trees)):
            manifest.write_whole(out, name, [bytes(self._files.read(name))])
        manifest.write_whole(out, log_name(version + 1), [LogHeader(held.store, version + 1, 0).encode()])
        manifest.replace(out, replace(held, newest_log=version + 1, generations=newest))
        return version

    def close(self) -> None:
        """Sync the log and let go of it."""
        self._log.close()
