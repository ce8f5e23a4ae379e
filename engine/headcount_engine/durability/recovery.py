"""From what is in the directory to a state and a place to go on: manifest, then checkpoint, then log.

Nothing is written before everything has been read and found good; what is then written (the torn end saved and cut,
leftovers removed) can be interrupted anywhere and done again. Recovery decides nothing about data: it hands out the
newest good checkpoint and the commits after it, in order.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from headcount_engine.durability import checkpoints, manifest
from headcount_engine.durability.checkpoints import Tree
from headcount_engine.durability.filesystem import FileSystem
from headcount_engine.durability.framing import (
    HEADER_BYTES,
    BadFrame,
    BadHeader,
    Frame,
    FrameKind,
    LogHeader,
    Position,
    decode_header,
    frames,
    proof_of_sync_past,
)
from headcount_engine.durability.log import first_version_of, log_name
from headcount_engine.durability.manifest import Manifest
from headcount_engine.durability.packing import Plain, unpack
from headcount_engine.errors import StoreDamaged, StoreError
from headcount_engine.model.durability import RecoveryReport, TornEnd


@dataclass(frozen=True, slots=True)
class Record:
    """One frame's meaning, still as plain values. `version`: the commit's own; of other kinds, the last commit's."""

    kind: FrameKind
    version: int
    content: Plain


@dataclass(frozen=True, slots=True)
class _Torn:
    name: str
    offset: int
    message: str


class Recovery:
    """One pass over a store: `content`, then `records()` to their end, then `settle()`.

    Raises StoreDamaged with path and offset, or StoreError for files of a later release.
    """

    def __init__(self, files: FileSystem) -> None:
        self._files = files
        self._started = time.perf_counter()
        self.warnings: list[str] = []
        self.names = frozenset(files.names())
        self.manifest: Manifest | None = self._read_manifest()
        self.logs = sorted(v for v in map(first_version_of, self.names) if v is not None)
        if self.manifest is not None:
            self._check_headers(self.manifest)
        self.trees: list[Tree] = []
        self.content: Plain = None
        self.base_version = 0
        if self.manifest is not None:
            self._read_checkpoint(self.manifest)
        self.position = Position(0, 0)
        self._torn: _Torn | None = None
        self._replayed = 0
        self._log_bytes = 0

    # ---------------------------------------------------------------------------------------------- reading

    def _read_manifest(self) -> Manifest | None:
        try:
            return manifest.read(self._files)
        except FileNotFoundError:
            pass
        if "interim.hc" in self.names:
            raise StoreError(
                "the directory holds a file of a release that kept no log: load the data into a new directory"
            )
        for name in sorted(self.names):
            if name.endswith((".log", ".tree", ".pack")):
                raise StoreDamaged(f"{manifest.NAME} is missing beside {name}", path=manifest.NAME)
        return None

    def _check_headers(self, held: Manifest) -> None:
        """Every log file is of this store and of this format; the newest one may have a broken header."""
        for first_version in self.logs:
            name = log_name(first_version)
            header = decode_header(self._files.read(name, 0, HEADER_BYTES))
            match header:
                case LogHeader():
                    if header.store != held.store or header.first_version != first_version:
                        raise StoreDamaged(f"{name} belongs to another store or place", path=name)
                case BadHeader(is_newer=True):
                    raise StoreError(
                        f"{name}: {header.message}: open the store with the release that wrote it; nothing was changed"
                    )
                case BadHeader():
                    is_last = first_version == self.logs[-1] and first_version > held.newest_log
                    if not is_last or self._files.size(name) > HEADER_BYTES:
                        raise StoreDamaged(f"{name}: {header.message}", path=name)
        if held.newest_log and held.newest_log not in self.logs:
            name = log_name(held.newest_log)
            raise StoreDamaged(f"{name} is missing", path=name)

    def _read_checkpoint(self, held: Manifest) -> None:
        """The newest generation that reads, and the trees of all that do."""
        failures: list[StoreDamaged] = []
        for generation in held.generations:
            try:
                tree = checkpoints.read_tree(self._files, held.store, generation)
                if self.content is None:
                    self.content = checkpoints.read_content(self._files, tree)
                    self.base_version = tree.version
            except StoreDamaged as error:
                failures.append(error)
                continue
            self.trees.append(tree)
        if held.generations and self.content is None:
            raise failures[0]
        for failure in failures:
            self.warnings.append(f"a checkpoint was left out: {failure.message}")

    def records(self) -> Iterator[Record]:
        """Commits after the checkpoint, in order, and the instants recorded between them."""
        if self.manifest is None:
            return
        needed = self._needed_logs()
        if not needed:
            if self.logs or self.base_version:
                name = log_name(self.base_version + 1)
                raise StoreDamaged(f"{name} is missing", path=name)
            return
        at: Position | None = None
        for first_version in needed:
            for frame in self._frames_of(first_version, at, is_last=first_version == needed[-1]):
                if frame.version > self.base_version or frame.kind is not FrameKind.COMMIT:
                    self._replayed += frame.kind is FrameKind.COMMIT
                    yield Record(frame.kind, frame.version, self._unpacked(first_version, frame))
            at = self.position
        if self.position.version < self.base_version:
            name = log_name(needed[-1])
            raise StoreDamaged(
                f"{name} ends at version {self.position.version}, before the checkpoint's {self.base_version}",
                path=name,
                offset=self._files.size(name),
            )

    @property
    def log_bytes_read(self) -> int:
        """Of the log files that a start reads, up to the frame at hand."""
        return self._log_bytes

    @property
    def log_bytes_ahead(self) -> int:
        """The size of the log files that a start reads."""
        return sum(self._files.size(log_name(v)) for v in self._needed_logs()) if self.manifest else 0

    def _needed_logs(self) -> list[int]:
        before = [v for v in self.logs if v <= self.base_version + 1]
        if not before:
            return []
        # A file whose header was torn says nothing about what it follows: begin with the one before it.
        is_torn = isinstance(
            decode_header(self._files.read(log_name(before[-1]), 0, HEADER_BYTES)), BadHeader
        )
        start = before[-2] if is_torn and len(before) > 1 else before[-1]
        return [v for v in self.logs if v >= start]

    def _frames_of(self, first_version: int, at: Position | None, *, is_last: bool) -> Iterator[Frame]:
        name = log_name(first_version)
        data = memoryview(self._files.read(name))
        header = decode_header(data[:HEADER_BYTES])
        if isinstance(header, BadHeader):
            if first_version != (1 if at is None else at.version + 1):
                raise StoreDamaged(f"{name}: {header.message}", path=name)
            self._torn = _Torn(name, 0, header.message)
            return
        start = Position(first_version - 1, header.previous_crc)
        if at is not None and at != start:
            raise StoreDamaged(
                f"{name} does not follow what was read up to version {at.version}: a log file is missing, foreign or "
                "cut short",
                path=name,
            )
        self.position = start
        self._log_bytes += len(data)
        for frame in frames(data, start):
            if isinstance(frame, BadFrame):
                self._end_of_log(name, data, frame, is_last=is_last)
                return
            self.position = Position(frame.version, frame.crc)
            yield frame

    def _end_of_log(self, name: str, data: memoryview, bad: BadFrame, *, is_last: bool) -> None:
        """A bad frame: the torn end of the last file, or damage."""
        if bad.is_unknown_kind:
            raise StoreError(f"{name}: {bad.message}: open the store with the release that wrote it")
        proof = proof_of_sync_past(data, bad.offset)
        if not is_last or proof is not None:
            why = "" if proof is None else f"; a frame at byte {proof} proves that it was whole once"
            raise StoreDamaged(
                f"{name}: {bad.message}, at byte {bad.offset}{why}", path=name, offset=bad.offset
            )
        self._torn = _Torn(name, bad.offset, bad.message)

    @staticmethod
    def _unpacked(first_version: int, frame: Frame) -> Plain:
        try:
            return unpack(frame.payload)
        except StoreDamaged as error:
            name = log_name(first_version)
            raise StoreDamaged(f"{name}: {error.message}", path=name, offset=frame.offset) from error

    # ---------------------------------------------------------------------------------------------- settling

    def settle(self) -> RecoveryReport:
        """Cut the torn end, make what was read durable, remove leftovers; what was found."""
        leftovers = [name for name in self.names if name.endswith(".tmp")]
        for name in leftovers:
            self._files.remove(name)
        if leftovers:
            self._files.sync_directory()
        torn = None
        if self._torn is not None:
            torn = self._cut(self._torn)
        elif self.logs and self.manifest is not None:
            # What a killed process wrote may still be with the operating system alone; commits will build on it.
            self._files.sync(log_name(self.logs[-1]))
        return RecoveryReport(
            self.base_version,
            self.position.version,
            self._replayed,
            self._log_bytes,
            time.perf_counter() - self._started,
            torn,
            tuple(self.warnings),
        )

    def _cut(self, torn: _Torn) -> TornEnd:
        rest = self._files.read(torn.name, torn.offset)
        saved_as = f"{torn.name}.{torn.offset}.torn"
        manifest.write_whole(self._files, saved_as, [bytes(rest)])
        if torn.offset == 0:
            self._files.remove(torn.name)
            self._files.sync_directory()
            self.logs = [v for v in self.logs if log_name(v) != torn.name]
        else:
            self._files.truncate(torn.name, torn.offset)
        return TornEnd(torn.name, torn.offset, len(rest), saved_as, torn.message)

    @property
    def last_log_has_no_commit(self) -> bool:
        """Whether the newest log file is the one that the next commit begins, so that it is written on."""
        return bool(self.logs) and self.logs[-1] == self.position.version + 1
