"""The manifest: which generations of the store count. One small file, replaced whole or not at all."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import crc32c
import msgpack

from headcount_engine.durability.filesystem import FileSystem
from headcount_engine.durability.framing import FORMAT_MAJOR, FORMAT_MINOR, STORE_BYTES
from headcount_engine.errors import StoreDamaged, StoreError

NAME: Final = "MANIFEST"
_MAGIC = b"HCMAN\x1a\n\x00"
HEAD: Final = struct.Struct("<8sHHIQ")
_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Generation:
    """One checkpoint: the version it holds, and size and checksum of its tree file."""

    version: int
    tree_bytes: int
    tree_crc: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """`newest_log`: first version of a log file that must be there (0: none was begun); `generations`: newest first,
    at most two; `semantics`: what answers depend on beside the data (engine, Unicode, time zones)."""

    store: bytes
    newest_log: int = 0
    generations: tuple[Generation, ...] = ()
    semantics: tuple[str, ...] = ()


def frame_file(magic: bytes, body: bytes) -> bytes:
    """Head and body of a manifest or a tree."""
    head = (magic, FORMAT_MAJOR, FORMAT_MINOR)
    return HEAD.pack(*head, _checksum(*head, body), len(body)) + body


def _checksum(magic: bytes, major: int, minor: int, body: bytes | memoryview) -> int:
    """Of the whole file, with zero in the place of the checksum."""
    return crc32c.crc32c(body, crc32c.crc32c(HEAD.pack(magic, major, minor, 0, len(body))))


def unframe_file(data: bytearray, magic: bytes, name: str) -> memoryview:
    """The body; raises StoreDamaged, or StoreError for a file of a later release."""
    if len(data) < HEAD.size:
        raise StoreDamaged(f"{name} is cut short", path=name, offset=len(data))
    found, major, minor, crc, length = HEAD.unpack_from(data)
    if found != magic:
        raise StoreDamaged(f"{name} does not begin as it should", path=name)
    body = memoryview(data)[HEAD.size :]
    if length != len(body) or _checksum(found, major, minor, body) != crc:
        raise StoreDamaged(f"{name} is not what was written", path=name, offset=HEAD.size)
    if major != FORMAT_MAJOR:
        raise StoreError(
            f"{name} has format {major} and this release reads format {FORMAT_MAJOR}: "
            "open the store with the release that wrote it; nothing was changed"
        )
    return body


def read(files: FileSystem) -> Manifest:
    """The manifest; FileNotFoundError where there is none, StoreDamaged where it is broken."""
    data = files.read(NAME)
    if len(data) > _BYTES_MAX:
        raise StoreDamaged(f"{NAME} is longer than it can be", path=NAME, offset=_BYTES_MAX)
    body = unframe_file(data, _MAGIC, NAME)
    try:
        store, newest_log, generations, semantics = msgpack.unpackb(body)
        manifest = Manifest(
            bytes(store),
            int(newest_log),
            tuple(Generation(*map(int, generation)) for generation in generations),
            tuple(map(str, semantics)),
        )
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise StoreDamaged(f"{NAME} cannot be read", path=NAME, offset=HEAD.size) from error
    if len(manifest.store) != STORE_BYTES:
        raise StoreDamaged(f"{NAME} names no store", path=NAME, offset=HEAD.size)
    return manifest


def replace(files: FileSystem, manifest: Manifest) -> None:
    """Make this the manifest, durably; on an error the old one stands."""
    body = msgpack.packb(
        [
            manifest.store,
            manifest.newest_log,
            [[g.version, g.tree_bytes, g.tree_crc] for g in manifest.generations],
            list(manifest.semantics),
        ]
    )
    write_whole(files, NAME, [frame_file(_MAGIC, body)])


def write_whole(files: FileSystem, name: str, buffers: list[bytes]) -> None:
    """A file under a temporary name, synced, renamed, the directory synced."""
    file = files.create(f"{name}.tmp")
    try:
        file.write(buffers)
        file.sync()
    finally:
        file.close()
    files.rename(f"{name}.tmp", name)
    files.sync_directory()
