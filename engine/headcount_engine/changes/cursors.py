"""Cursors: where a reader of changes stands, as a text that means something to the store that gave it only.

A token is base64 (for URLs, without padding) of::

    format  u8        1
    store   4 bytes   which store and workspace gave it
    kind    u8        0 between changes, 1 within the initial members
    body              two u64: version, index; or version, now, last id + 1, and the segment's id in UTF-8
    proof   8 bytes   keyed BLAKE2b of all before

so that what was garbled, made up or given by another store is told apart from what is merely old. The proof guards
against mistakes and not against enemies: all that a made-up cursor could do is to read from elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass

from headcount_engine.errors import InvalidCursor

_FORMAT = 1
_HEAD = struct.Struct(">B4sB")
_BETWEEN = struct.Struct(">QQ")
_WITHIN = struct.Struct(">QqQ")
_PROOF_BYTES = 8
_TOKEN_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Between two changes: the next one to read is number `index` of `version`, or the first one after that."""

    version: int
    index: int = 0


@dataclass(frozen=True, slots=True)
class Within:
    """Within the initial members as of `version`: those of `segment` up to the dense id `last_id` were read.

    Segments come in the order of their ids; `last_id` is -1 where nobody of the segment was read.
    """

    version: int
    now_us: int
    segment: str
    last_id: int


Cursor = Position | Within


class CursorCodec:
    """Cursors to tokens and back, for one store and workspace."""

    def __init__(self, store: bytes, workspace: str = "") -> None:
        self._key = hashlib.blake2b(
            store + workspace.encode(), digest_size=32, person=b"headcount cursor"
        ).digest()
        self._store = hashlib.blake2b(self._key, digest_size=4).digest()

    def encode(self, cursor: Cursor) -> str:
        match cursor:
            case Position():
                raw = _HEAD.pack(_FORMAT, self._store, 0) + _BETWEEN.pack(cursor.version, cursor.index)
            case Within():
                raw = _HEAD.pack(_FORMAT, self._store, 1)
                raw += _WITHIN.pack(cursor.version, cursor.now_us, cursor.last_id + 1)
                raw += cursor.segment.encode()
        return _to_base64(raw + self._proof(raw))

    def decode(self, token: str) -> Cursor:
        """The cursor; raises InvalidCursor, which says whether it is foreign or no cursor at all."""
        raw = _from_base64(token)
        if len(raw) < _HEAD.size + _PROOF_BYTES:
            raise InvalidCursor("not a cursor of a stream of changes")
        format_, store, kind = _HEAD.unpack_from(raw)
        if format_ != _FORMAT:
            raise InvalidCursor("not a cursor, or one of a later release")
        if store != self._store:
            raise InvalidCursor("a cursor of another store or workspace")
        body, proof = raw[:-_PROOF_BYTES], raw[-_PROOF_BYTES:]
        if not hmac.compare_digest(proof, self._proof(body)):
            raise InvalidCursor("not a cursor that this store gave, or not the whole of it")
        return _body(kind, body[_HEAD.size :])

    def _proof(self, raw: bytes) -> bytes:
        return hashlib.blake2b(raw, digest_size=_PROOF_BYTES, key=self._key).digest()


def _body(kind: int, body: bytes) -> Cursor:
    try:
        if kind == 0:
            return Position(*_BETWEEN.unpack(body))
        version, now_us, after = _WITHIN.unpack_from(body)
        return Within(version, now_us, body[_WITHIN.size :].decode(), after - 1)
    except (struct.error, UnicodeDecodeError) as error:
        raise InvalidCursor("not a cursor of a stream of changes") from error


def _from_base64(token: str) -> bytes:
    if len(token) > _TOKEN_CHARACTERS_MAX:
        raise InvalidCursor("longer than any cursor")
    try:
        raw = base64.b64decode(
            token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True
        )
    except (UnicodeEncodeError, binascii.Error) as error:
        raise InvalidCursor("not a cursor of a stream of changes") from error
    if _to_base64(raw) != token:
        raise InvalidCursor("not a cursor of a stream of changes")
    return raw


def _to_base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
