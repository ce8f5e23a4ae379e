"""Checkpoints: the state at a version as a tree of chunks, where a chunk that was there before is not written again.

Arrays are cut at multiples of one MiB. A chunk is known by its BLAKE2b digest; if the checkpoint before has it, the new
tree points there. So sealed event runs, untouched column blocks and the old part of append-only arenas cost a hash
and no write. A pack of which less than half is still pointed at is left behind: what is alive in it is written anew,
and it goes when the last generation that needs it goes.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import crc32c
import msgpack

from headcount_engine.durability.filesystem import FileSystem, WritableFile
from headcount_engine.durability.manifest import HEAD, Generation, frame_file, unframe_file, write_whole
from headcount_engine.durability.packing import Plain, pack_chunked, padding, unpack_chunked
from headcount_engine.errors import StoreDamaged

CHUNK_BYTES = 1 << 20
_SYNCED_BYTES = 2 << 20
"""A pack is synced each time so much was written: a commit that waits for the disk waits behind that, not the whole."""
_TREE_MAGIC = b"HCTRE\x1a\n\x00"
_PACK_MAGIC = b"HCPAK\x1a\n\x00"
_PACK_HEAD = struct.Struct("<8s16sQ")
_DIGEST_BYTES = 16


def tree_name(version: int) -> str:
    return f"checkpoint-{version:020d}.tree"


def pack_name(version: int) -> str:
    return f"chunks-{version:020d}.pack"


@dataclass(frozen=True, slots=True)
class Chunk:
    """Where bytes lie. `pack` is the version of the checkpoint that wrote them."""

    pack: int
    offset: int
    length: int
    crc: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkpoint's index as read: the chunk table and the skeleton of the tree."""

    version: int
    chunks: tuple[Chunk, ...]
    skeleton: memoryview

    @property
    def packs(self) -> frozenset[int]:
        return frozenset(chunk.pack for chunk in self.chunks)


@dataclass(frozen=True, slots=True)
class Written:
    """What a checkpoint cost: bytes of all its chunks, and of those that were new."""

    generation: Generation
    total_bytes: int
    new_bytes: int


class _Packer:
    """Numbers chunks, writing those that are new."""

    def __init__(self, files: FileSystem, store: bytes, version: int, known: dict[bytes, Chunk]) -> None:
        self._files = files
        self._store = store
        self._version = version
        self._known = dict(known)
        self._numbers: dict[bytes, int] = {}
        self._file: WritableFile | None = None
        self._end = 0
        self._unsynced = 0
        self.chunks: list[Chunk] = []
        self.new_bytes = 0
        self.total_bytes = 0

    def chunks_of(self, raw: memoryview) -> list[int]:
        return [self._number(raw[i : i + CHUNK_BYTES]) for i in range(0, len(raw), CHUNK_BYTES)]

    def _number(self, raw: memoryview) -> int:
        digest = hashlib.blake2b(raw, digest_size=_DIGEST_BYTES).digest()
        self.total_bytes += len(raw)
        number = self._numbers.get(digest)
        if number is None:
            chunk = self._known.get(digest) or self._write(raw, digest)
            number = self._numbers[digest] = len(self.chunks)
            self.chunks.append(chunk)
        return number

    def _write(self, raw: memoryview, digest: bytes) -> Chunk:
        if self._file is None:
            self._file = self._files.create(f"{pack_name(self._version)}.tmp")
            self._file.write([_PACK_HEAD.pack(_PACK_MAGIC, self._store, self._version)])
            self._end = _PACK_HEAD.size
        self._file.write([raw, bytes(padding(len(raw)))])
        chunk = Chunk(self._version, self._end, len(raw), crc32c.crc32c(raw), digest)
        self._end += len(raw) + padding(len(raw))
        self.new_bytes += len(raw)
        self._unsynced += len(raw)
        if self._unsynced >= _SYNCED_BYTES:
            self._file.sync()
            self._unsynced = 0
        return chunk

    def finish(self) -> None:
        """Make the pack durable under its name, if there is one."""
        if self._file is not None:
            self._file.sync()
            self.close()
            name = pack_name(self._version)
            self._files.rename(f"{name}.tmp", name)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def write(files: FileSystem, store: bytes, version: int, content: Plain, before: Tree | None) -> Written:
    """Write a checkpoint, durable on return, and read it back. The manifest does not name it yet.

    Raises OSError, or StoreDamaged where what is read back is not what was written.
    """
    packer = _Packer(files, store, version, _reusable(files, before))
    try:
        skeleton = pack_chunked(content, packer.chunks_of)
        packer.finish()
    finally:
        packer.close()
    table = [[c.pack, c.offset, c.length, c.crc, c.digest] for c in packer.chunks]
    body = msgpack.packb([version, store, table, skeleton])
    framed = frame_file(_TREE_MAGIC, body)
    write_whole(files, tree_name(version), [framed])
    generation = Generation(version, len(framed), crc32c.crc32c(framed))
    _read_back(files, store, generation)
    return Written(generation, packer.total_bytes, packer.new_bytes)


def _read_back(files: FileSystem, store: bytes, generation: Generation) -> None:
    tree = read_tree(files, store, generation)
    for chunk in tree.chunks:
        if chunk.pack == generation.version:
            read_chunk(files, chunk)


def _reusable(files: FileSystem, before: Tree | None) -> dict[bytes, Chunk]:
    """Chunks of the checkpoint before, without those in packs that are mostly dead."""
    if before is None:
        return {}
    alive: dict[int, int] = {}
    for chunk in before.chunks:
        alive[chunk.pack] = alive.get(chunk.pack, 0) + chunk.length
    kept = {pack for pack, held in alive.items() if 2 * held >= files.size(pack_name(pack))}
    return {chunk.digest: chunk for chunk in before.chunks if chunk.pack in kept}


def read_tree(files: FileSystem, store: bytes, generation: Generation) -> Tree:
    """The index of a checkpoint; raises StoreDamaged, StoreError (a later format)."""
    name = tree_name(generation.version)
    try:
        data = files.read(name)
    except FileNotFoundError as error:
        raise StoreDamaged(f"{name} is missing", path=name) from error
    body = unframe_file(data, _TREE_MAGIC, name)
    if len(data) != generation.tree_bytes or crc32c.crc32c(data) != generation.tree_crc:
        raise StoreDamaged(f"{name} is not the file that the manifest names", path=name)
    try:
        version, of_store, table, skeleton = msgpack.unpackb(body)
        chunks = tuple(Chunk(int(p), int(o), int(n), int(c), bytes(d)) for p, o, n, c, d in table)
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise StoreDamaged(f"{name} cannot be read", path=name, offset=HEAD.size) from error
    if of_store != store or version != generation.version or not isinstance(skeleton, bytes):
        raise StoreDamaged(f"{name} belongs to another store or version", path=name, offset=HEAD.size)
    return Tree(generation.version, chunks, memoryview(skeleton))


def read_chunk(files: FileSystem, chunk: Chunk) -> bytearray:
    """The bytes of a chunk; raises StoreDamaged."""
    name = pack_name(chunk.pack)
    if not 0 < chunk.length <= CHUNK_BYTES:
        raise StoreDamaged("a chunk of no possible length", path=name, offset=chunk.offset)
    try:
        raw = files.read(name, chunk.offset, chunk.length)
    except FileNotFoundError as error:
        raise StoreDamaged(f"{name} is missing", path=name) from error
    if len(raw) != chunk.length or crc32c.crc32c(raw) != chunk.crc:
        raise StoreDamaged(
            f"{name}: a chunk at byte {chunk.offset} is not what was written", path=name, offset=chunk.offset
        )
    return raw


def read_content(files: FileSystem, tree: Tree) -> Plain:
    """The state; raises StoreDamaged."""

    def fill(numbers: list[int], out: memoryview) -> None:
        at = 0
        for number in numbers:
            if not 0 <= number < len(tree.chunks):
                raise StoreDamaged("a chunk that is not in the table", path=tree_name(tree.version))
            raw = read_chunk(files, tree.chunks[number])
            if at + len(raw) > len(out):
                raise StoreDamaged("an array longer than its shape", path=tree_name(tree.version))
            out[at : at + len(raw)] = raw
            at += len(raw)
        if at != len(out):
            raise StoreDamaged("an array shorter than its shape", path=tree_name(tree.version))

    return unpack_chunked(tree.skeleton, fill)


def files_of(trees: Iterable[Tree]) -> set[str]:
    """Names of the files that these generations need."""
    names: set[str] = set()
    for tree in trees:
        names.add(tree_name(tree.version))
        names.update(pack_name(pack) for pack in tree.packs)
    return names
