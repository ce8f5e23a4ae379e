"""Everything that the files of a store hold, decoded: for whoever must know that something is nowhere in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from headcount_engine.durability import checkpoints, manifest
from headcount_engine.durability.checkpoints import Tree, pack_name, tree_name
from headcount_engine.durability.filesystem import FileSystem
from headcount_engine.durability.framing import (
    HEADER_BYTES,
    BadFrame,
    FrameKind,
    LogHeader,
    Position,
    decode_header,
    frames,
)
from headcount_engine.durability.log import first_version_of, log_name
from headcount_engine.durability.packing import Plain, unpack


@dataclass(frozen=True, slots=True)
class CheckpointContent:
    """A whole state. `bytes_read`: of its files."""

    path: str
    version: int
    content: Plain
    bytes_read: int


@dataclass(frozen=True, slots=True)
class CommitContent:
    """One record of the log."""

    path: str
    offset: int
    version: int
    content: Plain
    bytes_read: int


@dataclass(frozen=True, slots=True)
class RawContent:
    """Bytes that belong to nothing above: `version` is that of the pack they lie in, None where they lie elsewhere."""

    path: str
    offset: int
    version: int | None
    content: bytes


Content = CheckpointContent | CommitContent | RawContent


def contents(files: FileSystem) -> Iterator[Content]:
    """Every byte of every file once, in a form in which texts are whole. Checkpoints first, the newest before others.

    What is not decoded (files that nothing names, chunks that nothing points at, an end that was torn) comes raw.
    Raises StoreDamaged where a checkpoint cannot be read, FileNotFoundError where there is no manifest.
    """
    held = manifest.read(files)
    known = {manifest.NAME, "LOCK"}
    trees = [checkpoints.read_tree(files, held.store, generation) for generation in held.generations]
    for tree in trees:
        size = files.size(tree_name(tree.version)) + sum(chunk.length for chunk in tree.chunks)
        yield CheckpointContent(
            tree_name(tree.version), tree.version, checkpoints.read_content(files, tree), size
        )
    known |= checkpoints.files_of(trees)
    for pack in sorted({pack for tree in trees for pack in tree.packs}):
        yield from _unused(files, pack, trees)
    for first_version in sorted(v for v in map(first_version_of, files.names()) if v is not None):
        known.add(log_name(first_version))
        yield from _records(files, log_name(first_version))
    for name in files.names():
        if name not in known:
            yield RawContent(name, 0, None, bytes(files.read(name)))


def _unused(files: FileSystem, pack: int, trees: list[Tree]) -> Iterator[RawContent]:
    """What lies between the chunks of a pack that are pointed at."""
    name = pack_name(pack)
    used = sorted((c.offset, c.offset + c.length) for tree in trees for c in tree.chunks if c.pack == pack)
    at = 0
    for start, end in [*used, (files.size(name), files.size(name))]:
        if start > at:
            yield RawContent(name, at, pack, bytes(files.read(name, at, start - at)))
        at = max(at, end)


def _records(files: FileSystem, name: str) -> Iterator[Content]:
    data = memoryview(files.read(name))
    header = decode_header(data[:HEADER_BYTES])
    if not isinstance(header, LogHeader):
        yield RawContent(name, 0, None, bytes(data))
        return
    for frame in frames(data, Position(header.first_version - 1, header.previous_crc)):
        if isinstance(frame, BadFrame):
            yield RawContent(name, frame.offset, None, bytes(data[frame.offset :]))
        elif frame.kind is FrameKind.COMMIT:
            size = frame.end - frame.offset
            yield CommitContent(name, frame.offset, frame.version, unpack(frame.payload), size)
