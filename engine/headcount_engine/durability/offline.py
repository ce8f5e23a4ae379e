"""Looking at a store that no process has open, and saving what can be saved of a damaged one.

None of these changes the store it is given. `salvage` and `restore` write into a directory of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from headcount_engine.durability import checkpoints, manifest
from headcount_engine.durability.filesystem import DirectoryLock, FileSystem, RealFileSystem
from headcount_engine.durability.framing import (
    HEADER_BYTES,
    BadFrame,
    FrameKind,
    LogHeader,
    Position,
    decode_header,
    frames,
    proof_of_sync_past,
)
from headcount_engine.durability.log import first_version_of, log_name
from headcount_engine.durability.packing import unpack
from headcount_engine.durability.recovery import Recovery
from headcount_engine.errors import FailedPrecondition, NotFound, StoreDamaged, StoreError


@dataclass(frozen=True, slots=True)
class FileFacts:
    """One file of a store. `detail` says in a line what it holds."""

    name: str
    size_bytes: int
    detail: str


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was written. `is_torn`: an unfinished end, which the next start cuts off."""

    path: str
    offset: int
    message: str
    is_torn: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check of every byte found. `bytes_read` over all files; `commits` in all log files."""

    faults: tuple[Fault, ...]
    bytes_read: int
    commits: int

    @property
    def is_sound(self) -> bool:
        """Whether a start would succeed with nothing lost."""
        return all(fault.is_torn for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """How far a salvage got, and where it had to stop (None: everything was good)."""

    version: int
    commits: int
    stopped_at: Fault | None


def _existing(path: Path) -> RealFileSystem:
    if not path.is_dir():
        raise NotFound("store")
    return RealFileSystem(path)


def inspect(path: Path) -> list[FileFacts]:
    """What each file of a store is. Reads heads only; damage shows as a detail. Raises NotFound."""
    files = _existing(path)
    return [
        FileFacts(name, files.size(name), _detail(files, name)) for name in files.names() if name != "LOCK"
    ]


def _detail(files: FileSystem, name: str) -> str:
    try:
        if name == manifest.NAME:
            held = manifest.read(files)
            versions = ", ".join(str(g.version) for g in held.generations) or "none"
            return f"store {held.store.hex()}, checkpoints at {versions}, newest log from {held.newest_log}"
        if first_version_of(name) is not None:
            header = decode_header(files.read(name, 0, HEADER_BYTES))
            if not isinstance(header, LogHeader):
                return header.message
            return f"commits from version {header.first_version}"
    except StoreError as error:
        return error.message
    for suffix, detail in (
        (".tree", "a checkpoint"),
        (".pack", "chunks of checkpoints"),
        (".torn", "an end that was cut off a log file"),
        (".tmp", "begun and not finished; the next start removes it"),
    ):
        if name.endswith(suffix):
            return detail
    return "not a file of a store"


def verify(path: Path) -> Verdict:
    """Read every byte of a store and check it, both checkpoints and all log files.

    Raises NotFound, StoreLocked while a process has it open, StoreError for files of a later release.
    """
    files = _existing(path)
    with _Held(path):
        return _verify(files)


def _verify(files: FileSystem) -> Verdict:
    faults: list[Fault] = []
    read = 0
    try:
        held = manifest.read(files)
    except FileNotFoundError:
        return Verdict((Fault(manifest.NAME, 0, "there is no manifest, so no store"),), 0, 0)
    except StoreDamaged as error:
        return Verdict((Fault(error.path, error.offset, error.message),), files.size(manifest.NAME), 0)
    for generation in held.generations:
        try:
            tree = checkpoints.read_tree(files, held.store, generation)
            read += generation.tree_bytes + sum(
                len(checkpoints.read_chunk(files, chunk)) for chunk in tree.chunks
            )
        except StoreDamaged as error:
            faults.append(Fault(error.path, error.offset, error.message))
    logs = sorted(v for v in map(first_version_of, files.names()) if v is not None)
    commits = 0
    at: Position | None = None
    for first_version in logs:
        size = files.size(log_name(first_version))
        read += size
        at, counted, fault = _verify_log(
            files, held.store, first_version, at, is_last=first_version == logs[-1]
        )
        commits += counted
        if fault is not None:
            faults.append(fault)
    if held.newest_log and held.newest_log not in logs:
        faults.append(Fault(log_name(held.newest_log), 0, "the newest log file is missing"))
    return Verdict(tuple(faults), read, commits)


def _verify_log(
    files: FileSystem, store: bytes, first_version: int, at: Position | None, *, is_last: bool
) -> tuple[Position | None, int, Fault | None]:
    name = log_name(first_version)
    data = memoryview(files.read(name))
    header = decode_header(data[:HEADER_BYTES])
    if not isinstance(header, LogHeader):
        return None, 0, Fault(name, 0, header.message, is_torn=is_last and len(data) <= HEADER_BYTES)
    if header.store != store or header.first_version != first_version:
        return None, 0, Fault(name, 0, "belongs to another store or place")
    start = Position(first_version - 1, header.previous_crc)
    if at is not None and at != start:
        return (
            None,
            0,
            Fault(name, 0, f"does not follow the file before it, which ends at version {at.version}"),
        )
    reached, commits = start, 0
    for frame in frames(data, start):
        if isinstance(frame, BadFrame):
            is_torn = is_last and not frame.is_unknown_kind and proof_of_sync_past(data, frame.offset) is None
            return None, commits, Fault(name, frame.offset, frame.message, is_torn)
        try:
            unpack(frame.payload)
        except StoreDamaged as error:
            return None, commits, Fault(name, frame.offset, error.message)
        reached = Position(frame.version, frame.crc)
        commits += frame.kind is FrameKind.COMMIT
    return reached, commits, None


def salvage(path: Path, target: Path) -> Salvaged:
    """Copy into a new directory what is good up to the first damage, never past it, so that it opens.

    What came after the damage stays in the old directory, which is not changed. Raises FailedPrecondition where the
    target is not empty, StoreDamaged where not even a beginning can be read.
    """
    source = _existing(path)
    _check_empty(target)
    with _Held(path):
        out = RealFileSystem(target)
        held, stop = _salvaged_manifest(source)
        trees = []
        for generation in held.generations:
            try:
                tree = checkpoints.read_tree(source, held.store, generation)
                checkpoints.read_content(source, tree)
            except StoreDamaged as error:
                stop = stop or Fault(error.path, error.offset, error.message)
                continue
            trees.append(tree)
        base = trees[0].version if trees else 0
        for name in sorted(checkpoints.files_of(trees)):
            _copy(source, name, out)
        version, commits, fault, newest = _copy_good_log(source, held.store, base, out)
        if not newest and not trees:
            raise StoreDamaged(
                "neither a checkpoint nor the beginning of the log can be read", path=manifest.NAME
            )
        if not newest:
            # The log is of no use; the checkpoint still wants a file to go on from.
            newest = base + 1
            manifest.write_whole(out, log_name(newest), [LogHeader(held.store, newest, 0).encode()])
        versions = {tree.version for tree in trees}
        generations = tuple(g for g in held.generations if g.version in versions)
        manifest.replace(out, manifest.Manifest(held.store, newest, generations, held.semantics))
    return Salvaged(version, commits, stop or fault)


def _salvaged_manifest(source: FileSystem) -> tuple[manifest.Manifest, Fault | None]:
    """The manifest, or one made up from the oldest log file's header if it is gone."""
    try:
        return manifest.read(source), None
    except (FileNotFoundError, StoreDamaged) as error:
        offset = error.offset if isinstance(error, StoreDamaged) else 0
        fault = Fault(
            manifest.NAME, offset, "the manifest is missing or damaged; checkpoints could not be used"
        )
        for name in source.names():
            if first_version_of(name) == 1:
                header = decode_header(source.read(name, 0, HEADER_BYTES))
                if isinstance(header, LogHeader):
                    return manifest.Manifest(header.store), fault
        raise StoreDamaged(
            "the manifest is gone, and so is the log's beginning", path=manifest.NAME
        ) from error


def _copy_good_log(
    source: FileSystem, store: bytes, base: int, out: FileSystem
) -> tuple[int, int, Fault | None, int]:
    """(version reached, commits copied, where it stopped, first version of the newest file copied)."""
    logs = sorted(v for v in map(first_version_of, source.names()) if v is not None)
    needed = [v for v in logs if v >= max((w for w in logs if w <= base + 1), default=base + 1)]
    at: Position | None = None
    commits, newest = 0, 0
    if needed and needed[0] > base + 1:
        return base, 0, Fault(log_name(base + 1), 0, "missing"), 0
    for first_version in needed:
        name = log_name(first_version)
        data = memoryview(source.read(name))
        header = decode_header(data[:HEADER_BYTES])
        if not isinstance(header, LogHeader) or header.store != store:
            return (
                _reached(at, base),
                commits,
                Fault(name, 0, "not a readable log file of this store"),
                newest,
            )
        start = Position(first_version - 1, header.previous_crc)
        if at is not None and at != start:
            return at.version, commits, Fault(name, 0, "does not follow the file before it"), newest
        at, end, fault = start, HEADER_BYTES, None
        for frame in frames(data, start):
            if isinstance(frame, BadFrame):
                fault = Fault(name, frame.offset, frame.message)
                break
            at, end = Position(frame.version, frame.crc), frame.end
            commits += frame.kind is FrameKind.COMMIT
        if at.version >= base:
            manifest.write_whole(out, name, [bytes(data[:end])])
            newest = first_version
        if fault is not None:
            return max(at.version, base), commits, fault, newest
    return _reached(at, base), commits, None, newest


def _reached(at: Position | None, base: int) -> int:
    return base if at is None else max(at.version, base)


def restore(backup: Path, target: Path) -> int:
    """Copy a backup into a new directory, checked first; the version it holds. Raises StoreDamaged, NotFound,
    FailedPrecondition where the target is not empty."""
    source = _existing(backup)
    _check_empty(target)
    recovery = Recovery(source)
    if recovery.manifest is None:
        raise NotFound("store")
    for _ in recovery.records():
        pass
    out = RealFileSystem(target)
    for name in _members(source):
        if name != manifest.NAME:
            _copy(source, name, out)
    # The manifest last: without it the directory is not taken for a store.
    _copy(source, manifest.NAME, out)
    return max(recovery.position.version, recovery.base_version)


def _members(files: FileSystem) -> Iterator[str]:
    for name in files.names():
        if name == manifest.NAME or name.endswith((".log", ".tree", ".pack")):
            yield name


def _copy(source: FileSystem, name: str, out: FileSystem) -> None:
    manifest.write_whole(out, name, [bytes(source.read(name))])


def _check_empty(target: Path) -> None:
    if target.exists() and any(target.iterdir()):
        raise FailedPrecondition("the target directory is not empty")


class _Held:
    """A store that no process may open meanwhile."""

    def __init__(self, path: Path) -> None:
        self._lock = DirectoryLock(path)

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        self._lock.release()
