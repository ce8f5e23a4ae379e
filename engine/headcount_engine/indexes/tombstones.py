"""What stays of an erased profile: its dense id, and digests by which its key is known again and refused.

A digest is the HMAC-SHA256 of the key under a secret of the store, so that what is kept says nothing to who has only
a part of the store, and a key can be proved gone without being kept. Texts that only the profile had (identifiers,
values nobody else has) leave digests too, with the place that they had in their dictionary: a proof looks for them
there, and does not mistake the same text, given later by somebody else, for the old one.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from headcount_engine.indexes.deduplication import hash_column
from headcount_engine.model.batches import I64, U8, U32, Mask, Texts

SECRET_BYTES = 32
DIGEST_BYTES = 32
_VALUE = b"\0"
"""Before a value: a key holds no NUL, so the digest of a value is never that of a key."""


class Holder(IntEnum):
    """Whose dictionary: an attribute's, or that of a property of events (texts and sets apart)."""

    ATTRIBUTE = 0
    PROPERTY_TEXTS = 1
    PROPERTY_SETS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Released:
    """Entries of a dictionary that nobody holds any more.

    holder, name  whose dictionary
    part          which of its tables of texts
    numbers       i64: the entries, ascending
    digests       u8 of (n, 32)
    """

    holder: Holder
    name: str
    part: int
    numbers: I64
    digests: U8


@dataclass(frozen=True, slots=True, eq=False)
class EraseEdit:
    """A profile that goes.

    profile   its dense id
    keys      i64: the ids of the keys that led to it, ascending, its own among them
    digests   u8 of (n, 32): of these keys
    marks     u32 of n: a quick hash of each
    """

    profile: int
    keys: I64
    digests: U8
    marks: U32
    released: tuple[Released, ...]
    secret: bytes
    erased_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Grave:
    """What is known of one erasure once it was published as `version`."""

    edit: EraseEdit
    version: int


def new_secret() -> bytes:
    return os.urandom(SECRET_BYTES)


def digest_of(secret: bytes, text: bytes, *, is_value: bool) -> bytes:
    """The digest of a key or of a value."""
    return hmac.digest(secret, _VALUE + text if is_value else text, "sha256")


def digests_of(secret: bytes, texts: Iterable[bytes], *, is_value: bool) -> U8:
    """u8 of (n, 32)."""
    joined = b"".join(digest_of(secret, text, is_value=is_value) for text in texts)
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, DIGEST_BYTES)


def marks_of(secret: bytes, keys: Texts) -> U32:
    """A quick hash of each key under the secret: most keys need no digest to be told from the erased ones."""
    hashed = hash_column(keys, int.from_bytes(secret[:8], "little"))
    return (hashed >> np.uint64(32)).astype(np.uint32)


class Tombstones:
    """All erasures of a store. Changed by the single writer."""

    def __init__(self) -> None:
        self._graves: list[Grave] = []
        self._marks: U32 = np.zeros(0, dtype=np.uint32)
        self._digests: set[bytes] = set()
        self._secret = b""
        self._pending: tuple[Grave, ...] = ()
        self.completed_version = 0
        """Erasures up to this version have left every file of the store."""

    def __len__(self) -> int:
        return len(self._graves)

    @property
    def secret(self) -> bytes:
        """The store's secret; made anew until the first erasure keeps one."""
        return self._secret or new_secret()

    @property
    def graves(self) -> Sequence[Grave]:
        return self._graves

    @property
    def pending(self) -> Sequence[Grave]:
        """Erasures whose traces may still be in files."""
        return self._pending

    def put(self, edit: EraseEdit, version: int) -> None:
        """Enter an erasure."""
        self._secret = edit.secret
        grave = Grave(edit, version)
        self._graves.append(grave)
        if version > self.completed_version:
            self._pending = (*self._pending, grave)
        self._marks = np.union1d(self._marks, edit.marks).astype(np.uint32)
        self._digests.update(row.tobytes() for row in edit.digests)

    def complete(self, version: int) -> None:
        """Note that erasures up to a version have left every file of the store."""
        self.completed_version = version
        self._pending = tuple(grave for grave in self._pending if grave.version > version)

    def covers(self, keys: Texts) -> Mask:
        """Which keys are those of erased profiles: bool of n. A hash a key, and a digest where that is not enough."""
        out = np.zeros(len(keys), dtype=np.bool_)
        if not self._graves or not len(keys):
            return out
        marks = marks_of(self._secret, keys)
        at = np.minimum(np.searchsorted(self._marks, marks), len(self._marks) - 1)
        for row in np.flatnonzero(self._marks[at] == marks).tolist():
            raw = keys.data[keys.offsets[row] : keys.offsets[row + 1]].tobytes()
            out[row] = digest_of(self._secret, raw, is_value=False) in self._digests
        return out
