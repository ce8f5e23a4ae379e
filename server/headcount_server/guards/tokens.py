"""Bearer tokens: a file says who may do what, and has of each token only its digest.

A token is 256 random bits, so its SHA-256 tells nothing about it and no salt is needed. The file is read again when it
changes: a token that is revoked is refused within a second, without a restart.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog

from headcount_server.context import Principal, Role
from headcount_server.errors import InvalidConfig, Unauthenticated

log = structlog.get_logger("headcount.tokens")

_SCHEME = "bearer "
_PREFIX = "hc_"
"""Makes a token that has leaked into a file or a log easy to find."""
_LOOK_EVERY_S = 1.0
_ROLES = {role.name.lower(): role for role in Role}


@dataclass(frozen=True, slots=True)
class Token:
    """One caller. `digest`: the SHA-256 of its token in hex; `expires_us` None: never."""

    name: str
    role: Role
    digest: str
    created_us: int
    expires_us: int | None = None


def new_token() -> str:
    """A token that nobody has."""
    return _PREFIX + secrets.token_urlsafe(32)


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_tokens(path: Path) -> tuple[Token, ...]:
    """The tokens of a file; an absent one has none. Raises InvalidConfig, which shows nothing of what is in it."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise InvalidConfig("tokens", f"{path} cannot be read as a file of tokens") from error
    try:
        tokens = tuple(_read(each) for each in found["tokens"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidConfig("tokens", f"{path} holds a token that is not one") from error
    if len({token.name for token in tokens}) < len(tokens):
        raise InvalidConfig("tokens", f"{path} holds two tokens of one name")
    return tokens


def write_tokens(path: Path, tokens: Sequence[Token]) -> None:
    """Put tokens in place of those of the file, at once and for nobody else to read. Raises OSError."""
    content = {"tokens": [_written(token) for token in sorted(tokens, key=lambda token: token.name)]}
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class TokenAuthenticator:
    """Lets in who shows a token of the file. Any thread."""

    def __init__(self, path: Path, now: Callable[[], float] = time.time) -> None:
        """Raises InvalidConfig where the file holds no tokens: nobody could call."""
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._stamp = self._stamped()
        self._tokens = read_tokens(path)
        self._look_at = time.monotonic() + _LOOK_EVERY_S
        if not self._tokens:
            raise InvalidConfig("tokens", f"{path} holds no tokens; `headcount tokens create` makes one")

    def authenticate(self, authorization: str | None) -> Principal:
        if authorization is None or authorization[: len(_SCHEME)].lower() != _SCHEME:
            raise Unauthenticated
        digest = digest_of(authorization[len(_SCHEME) :].strip())
        found: Token | None = None
        for token in self._current():
            # Every digest is compared, and each for as long: how long it takes tells nothing.
            if hmac.compare_digest(token.digest, digest):
                found = token
        if found is None or (found.expires_us is not None and found.expires_us <= self._now() * 1e6):
            raise Unauthenticated
        return Principal(found.name, found.role)

    def _current(self) -> tuple[Token, ...]:
        if time.monotonic() >= self._look_at:
            with self._lock:
                self._look_at = time.monotonic() + _LOOK_EVERY_S
                self._look()
        return self._tokens

    def _look(self) -> None:
        """Read the file again if it changed. One that cannot be read leaves things as they are, and is told about."""
        stamp = self._stamped()
        if stamp == self._stamp:
            return
        try:
            self._tokens = read_tokens(self._path)
        except InvalidConfig as error:
            log.error("tokens not read", reason=error.message)
        else:
            log.info("tokens read", count=len(self._tokens))
        self._stamp = stamp

    def _stamped(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def _read(held: object) -> Token:
    fields = cast("dict[str, object]", held)
    name, digest = fields["name"], fields["sha256"]
    if not isinstance(name, str) or not name or not isinstance(digest, str):
        raise ValueError("a token has a name and a digest")
    if len(bytes.fromhex(digest)) != hashlib.sha256().digest_size:
        raise ValueError("a digest is a SHA-256 in hex")
    expires = fields.get("expires")
    return Token(
        name,
        _ROLES[str(fields["role"])],
        digest.lower(),
        _microseconds(fields["created"]),
        None if expires is None else _microseconds(expires),
    )


def _written(token: Token) -> dict[str, str]:
    found = {
        "name": token.name,
        "role": token.role.name.lower(),
        "sha256": token.digest,
        "created": _instant(token.created_us),
    }
    return found if token.expires_us is None else {**found, "expires": _instant(token.expires_us)}


def _microseconds(text: object) -> int:
    instant = dt.datetime.fromisoformat(str(text))
    if instant.tzinfo is None:
        raise ValueError("an instant has an offset")
    return round(instant.timestamp() * 1e6)


def _instant(us: int) -> str:
    return dt.datetime.fromtimestamp(us / 1e6, dt.UTC).isoformat()
