"""Resolved audiences, kept for a while under names that nobody can guess.

A handle holds a copy of its members as of one version: writes do not touch it, and no pin or lock is held while
somebody reads it. Handles live in memory: they end with the process. Where there is no room for another, those that
were read to the end give way, the one that was first; those that nobody has read yet do not.
"""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.errors import InvalidArgument, LimitExceeded, NotFound, OutOfRange
from headcount_engine.limits import BLOCK_IDS, Limits
from headcount_engine.model.batches import U32

_NAME_BYTES = 16
"""Of chance in a name: enough that knowing one is being allowed to read."""
_HANDLE_BYTES = 1_000
"""What a handle costs beside its members."""
_ADVICE = (
    "none of those kept was read to the end; delete those that are not needed, or resolve with a shorter life"
)


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """A resolved audience. `now_us` is what its members are exact at; `expires_us` on the same clock."""

    name: str
    members: Bitmap
    size: int
    total: int
    version: int
    now_us: int
    expires_us: int
    nbytes: int

    def ids(self, offset: int, count: int) -> U32:
        """Members offset .. offset + count - 1, ascending; fewer at the end. Raises OutOfRange past the end."""
        return bitmaps.to_ids(self.slice(offset, count))

    def slice(self, offset: int, count: int) -> Bitmap:
        """The same as a set."""
        if not 0 <= offset <= self.size:
            raise OutOfRange(f"the audience has {self.size:,} members, so none at {offset:,}")
        return self.members[offset : offset + count]

    def slice_by_blocks(self, offset: int, count: int, blocks: int) -> tuple[Bitmap, int]:
        """(members from `offset` on, how many): at most `count`, of at most `blocks` blocks of ids."""
        if 0 <= offset < self.size:
            first: int = self.members[offset]
            count = min(count, self.members.rank(min(first + blocks * BLOCK_IDS - 1, 0xFFFFFFFF)) - offset)
        part = self.slice(offset, count)
        return part, len(part)


class Handles:
    """All handles of a database. Any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._held: dict[str, Handle] = {}
        self._finished: dict[str, None] = {}
        """Names of those read to the end, in the order in which they were."""
        self._bytes = 0

    def put(
        self, members: Bitmap, total: int, version: int, now_us: int, life_us: int, clock_us: int
    ) -> Handle:
        """Keep an audience until `clock_us + life_us`; the caller gives the bitmap away.

        Raises InvalidArgument for a life that is none, LimitExceeded where too many, or too large ones, are kept.
        """
        if not 0 < life_us <= self._limits.audience_life_s * 1_000_000:
            longest = self._limits.audience_life_s
            raise InvalidArgument(
                f"an audience lives more than 0 and at most {longest:,} s", path="time_to_live"
            )
        nbytes = _size_of(members) + _HANDLE_BYTES
        name = secrets.token_urlsafe(_NAME_BYTES)
        made = Handle(name, members, len(members), total, version, now_us, clock_us + life_us, nbytes)
        with self._lock:
            self._drop_expired(clock_us)
            self._make_room(nbytes)
            self._held[name] = made
            self._bytes += nbytes
        return made

    def get(self, name: str, clock_us: int) -> Handle:
        """The audience of that name; raises NotFound if there never was one, or no longer."""
        with self._lock:
            found = self._held.get(name)
            if found is None or found.expires_us <= clock_us:
                self._drop_expired(clock_us)
                raise NotFound("audience")
            return found

    def finish(self, handle: Handle) -> None:
        """Note that it was read to the end: it may give way to others."""
        with self._lock:
            if handle.name in self._held:
                self._finished.setdefault(handle.name)

    def delete(self, name: str) -> None:
        """Let go of an audience; nothing where there is none of that name."""
        with self._lock:
            self._drop(name)

    def _make_room(self, nbytes: int) -> None:
        limits = self._limits
        while self._finished and nbytes <= limits.audience_bytes and not self._fits(nbytes):
            self._drop(next(iter(self._finished)))
        if len(self._held) >= limits.audiences:
            raise LimitExceeded("audiences", limits.audiences, advice=_ADVICE)
        if not self._fits(nbytes):
            raise LimitExceeded("audience_bytes", limits.audience_bytes, self._bytes + nbytes, advice=_ADVICE)

    def _fits(self, nbytes: int) -> bool:
        has_bytes = self._bytes + nbytes <= self._limits.audience_bytes
        return has_bytes and len(self._held) < self._limits.audiences

    def _drop_expired(self, clock_us: int) -> None:
        for name in [h.name for h in self._held.values() if h.expires_us <= clock_us]:
            self._drop(name)

    def _drop(self, name: str) -> None:
        handle = self._held.pop(name, None)
        if handle is not None:
            self._finished.pop(name, None)
            self._bytes -= handle.nbytes

    def __len__(self) -> int:
        return len(self._held)

    @property
    def nbytes(self) -> int:
        """What the kept audiences take."""
        return self._bytes


def _size_of(members: Bitmap) -> int:
    of = members.get_statistics()
    held = of["n_bytes_array_containers"] + of["n_bytes_run_containers"] + of["n_bytes_bitset_containers"]
    return held + 32 * of["n_containers"]
