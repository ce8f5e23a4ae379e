"""Proof that an erased profile is in no file of a store: every byte is read, decoded, and looked at.

Its key is looked for as a text of its own in every table of texts and inside every other piece of data, and so is any
further text that is asked for. What else it alone had (identifiers, values) is known by digests and by the places that
they had in dictionaries: each place must be blank wherever it is stored. The same text in another place was given
anew later, by somebody, and is none of its traces.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never, cast

import numpy as np

from headcount_engine.durability.contents import (
    CheckpointContent,
    CommitContent,
    Content,
    RawContent,
    contents,
)
from headcount_engine.durability.filesystem import DirectoryLock, FileSystem, RealFileSystem
from headcount_engine.errors import NotFound
from headcount_engine.indexes import state
from headcount_engine.indexes.plain import Plain
from headcount_engine.indexes.state import DictionaryTexts
from headcount_engine.indexes.tombstones import Grave, digest_of
from headcount_engine.ingest import records
from headcount_engine.model.batches import I64, U8, Texts

CHANCE_BYTES = 8
"""A shorter text is looked for as a text of its own alone: within numbers it would be met by chance."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that is still there. `place` says in words where in the file."""

    path: str
    offset: int
    place: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a search of every byte gave.

    is_erased     whether the store knows of the erasure of this key
    is_completed  whether it says that the erasure has left every file
    texts         entries of dictionaries whose place was looked at, in all files
    """

    traces: tuple[Trace, ...]
    is_erased: bool
    is_completed: bool
    texts: int
    bytes_read: int

    @property
    def holds(self) -> bool:
        """Whether nothing is left."""
        return not self.traces


def prove_erased(path: Path, key: str, further: Iterable[str] = ()) -> Proof:
    """Search a store that no process has open. `further`: other texts to look for, as for the key.

    Raises NotFound, StoreLocked, StoreDamaged (a store must be sound before it can prove anything).
    """
    if not path.is_dir():
        raise NotFound("store")
    lock = DirectoryLock(path)
    try:
        return search(RealFileSystem(path), key, further)
    finally:
        lock.release()


def search(files: FileSystem, key: str, further: Iterable[str] = ()) -> Proof:
    """As `prove_erased`, of files that nobody writes."""
    needles = [unicodedata.normalize("NFC", text).encode() for text in (key, *further)]
    try:
        graves = _graves(files)
        own = [g for g in graves.held if _is_of(g, needles[0])]
        searching = _Searching(needles, own)
        for content in contents(files):
            searching.look(content)
    except FileNotFoundError as error:
        raise NotFound("store") from error
    is_completed = all(g.version <= graves.completed_version for g in own)
    return Proof(
        tuple(searching.traces), bool(own), is_completed, len(searching.places), searching.bytes_read
    )


@dataclass(slots=True)
class _Graves:
    held: list[Grave]
    completed_version: int = 0


def _graves(files: FileSystem) -> _Graves:
    """All erasures that the newest checkpoint and the log know of."""
    found = _Graves([])
    is_newest = True
    for content in contents(files):
        match content:
            case CheckpointContent() if is_newest:
                is_newest = False
                found.completed_version, found.held = state.graves_of(_indexes(content))
            case CommitContent(version=version):
                completed, erasures = records.erasures_of(content.content)
                found.completed_version = max(found.completed_version, completed)
                known = {(g.version, g.edit.profile) for g in found.held}
                found.held += [Grave(e, version) for e in erasures if (version, e.profile) not in known]
            case _:
                pass
    return found


def _indexes(content: CheckpointContent) -> Plain:
    assert isinstance(content.content, list)
    plain: Plain = content.content[2]
    return plain


def _is_of(grave: Grave, key: bytes) -> bool:
    wanted = digest_of(grave.edit.secret, key, is_value=False)
    return any(row.tobytes() == wanted for row in grave.edit.digests)


class _Searching:
    """Goes through contents and notes traces."""

    def __init__(self, needles: list[bytes], graves: list[Grave]) -> None:
        self._needles = needles
        self.traces: list[Trace] = []
        self.bytes_read = 0
        self.places: set[tuple[int, str, int, int]] = set()
        self._last_version = min((g.version for g in graves), default=None)
        self._digests: dict[tuple[int, str, int, int], tuple[bytes, bytes]] = {}
        for grave in graves:
            for released in grave.edit.released:
                for number, digest in zip(released.numbers.tolist(), released.digests, strict=True):
                    place = (int(released.holder), released.name, released.part, number)
                    self._digests[place] = (grave.edit.secret, digest.tobytes())

    def look(self, content: Content) -> None:
        match content:
            case CheckpointContent(path, _, plain, size):
                self.bytes_read += size
                self._look_at_places(path, 0, state.dictionaries_of(_indexes(content)))
                self._walk(path, 0, plain)
            case CommitContent(path, offset, _, plain, size):
                self.bytes_read += size
                self._look_at_places(path, offset, records.dictionaries_of(plain))
                self._walk(path, offset, plain)
            case RawContent(path, offset, version, raw):
                self.bytes_read += len(raw)
                # A chunk that is not in use and was written after the erasure holds part of a state without the
                # profile; where its texts begin and end is no longer known, so longer texts could look like the key.
                if version is None or self._last_version is None or version < self._last_version:
                    self._look_inside(path, offset, raw, "bytes that are not in use")
            case _:
                assert_never(content)

    def _look_at_places(self, path: str, offset: int, held: Iterator[DictionaryTexts]) -> None:
        """Each released entry must be blank wherever its dictionary is stored."""
        for part in held:
            for place, (secret, digest) in self._digests.items():
                row = place[3] - part.first
                if place[:3] != part.place or not 0 <= row < len(part.texts):
                    continue
                self.places.add(place)
                raw = part.texts.data[part.texts.offsets[row] : part.texts.offsets[row + 1]].tobytes()
                if digest_of(secret, raw, is_value=True) == digest:
                    self._note(path, offset, f"a value that the profile alone had, of {place[1]!r}")

    def _walk(self, path: str, offset: int, plain: Plain) -> None:
        stack: list[Plain] = [plain]
        while stack:
            piece = stack.pop()
            if isinstance(piece, str):
                self._look_inside(path, offset, piece.encode(), "a name, a rule or a description")
            elif isinstance(piece, bytes):
                self._look_by_chance(path, offset, piece)
            elif isinstance(piece, np.ndarray):
                self._look_by_chance(path, offset, np.ascontiguousarray(piece).tobytes())
            elif isinstance(piece, list | tuple):
                texts = _texts_in(piece)
                if texts is None:
                    stack.extend(piece)
                else:
                    self._look_at_texts(path, offset, texts)

    def _look_at_texts(self, path: str, offset: int, texts: Texts) -> None:
        """Texts end to end: the needle as one of them. Inside a longer one it is another text."""
        raw = texts.data.tobytes()
        for needle in self._needles:
            at = raw.find(needle)
            while at >= 0:
                row = int(np.searchsorted(texts.offsets, at))
                ends = texts.offsets[row : row + 2].tolist()
                if ends == [at, at + len(needle)]:
                    self._note(path, offset, "a text of its own")
                    break
                at = raw.find(needle, at + 1)

    def _look_inside(self, path: str, offset: int, raw: bytes, place: str) -> None:
        for needle in self._needles:
            at = raw.find(needle)
            if at >= 0:
                self._note(path, offset + at if offset else offset, place)

    def _look_by_chance(self, path: str, offset: int, raw: bytes) -> None:
        for needle in self._needles:
            if len(needle) >= CHANCE_BYTES and needle in raw:
                self._note(path, offset, "inside an array")

    def _note(self, path: str, offset: int, place: str) -> None:
        self.traces.append(Trace(path, offset, place))


def _texts_in(piece: list[Plain] | tuple[Plain, ...]) -> Texts | None:
    """Texts, where a piece is their bytes and their offsets."""
    if len(piece) != 2:
        return None
    data, offsets = piece
    if not isinstance(data, np.ndarray) or not isinstance(offsets, np.ndarray):
        return None
    if data.dtype != np.uint8 or offsets.dtype != np.int64 or data.ndim != 1 or offsets.ndim != 1:
        return None
    if not len(offsets) or offsets[0] != 0 or offsets[-1] != len(data) or bool((np.diff(offsets) < 0).any()):
        return None
    return Texts(cast("U8", data), cast("I64", offsets))
