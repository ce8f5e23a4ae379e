"""A directory in memory that can lose power at any call, or fail one.

It keeps what programs see apart from what is on the medium. A write is pending until its file is synced; a creation,
a renaming or a removal until the directory is. When power is lost, each pending change to the directory may or may not
have happened, and each pending sector of 512 bytes is kept, lost or garbage.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from headcount_engine.durability.filesystem import Buffer, WritableFile

SECTOR = 512


class PowerLost(BaseException):
    """Not an Exception: nothing may catch it and carry on."""


@dataclass(eq=False)
class Inode:
    live: bytearray = field(default_factory=bytearray)
    durable: bytes = b""
    pending: list[tuple[int, bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    """A pending change to the directory: `name` becomes `inode`, or nothing; `was`: a name that goes at once."""

    name: str
    inode: Inode | None
    was: str | None = None


Fault = Callable[[int, str], OSError | None]
"""Given the number and the kind of a call, the error that it raises."""


class CrashFiles:
    """A FileSystem. `calls` counts the calls that change something; number `lose_power_at` does not return."""

    def __init__(
        self, image: dict[str, bytes] | None = None, *, lose_power_at: int | None = None, fault: Fault | None = None,
        syncs_lie: bool = False,
    ) -> None:  # fmt: skip
        self._live: dict[str, Inode] = {}
        for name, data in (image or {}).items():
            self._live[name] = Inode(bytearray(data), data)
        self._durable = dict(self._live)
        self._links: list[Link] = []
        self._lose_power_at = lose_power_at
        self._fault = fault
        self._syncs_lie = syncs_lie
        self._is_off = False
        self.calls = 0
        self.faults = 0

    # ------------------------------------------------------------------------------------------- the seam

    def names(self) -> list[str]:
        self._check()
        return sorted(self._live)

    def size(self, name: str) -> int:
        return len(self._inode(name).live)

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytearray:
        data = self._inode(name).live[offset:]
        return data if length is None else data[:length]

    def create(self, name: str) -> WritableFile:
        inode = self._live.get(name)
        if inode is None:
            inode = Inode()
            self._change("create", lambda: self._link(Link(name, inode)))
        else:
            self._change("create", lambda: self._cut(inode, 0))
        return _CrashFile(self, inode)

    def extend(self, name: str) -> WritableFile:
        return _CrashFile(self, self._inode(name))

    def truncate(self, name: str, size: int) -> None:
        inode = self._inode(name)
        self._change("truncate", lambda: self._cut(inode, size))
        self.sync(name)

    def sync(self, name: str) -> None:
        self._change("sync", lambda: None)
        self._settle(self._inode(name))

    def rename(self, old: str, new: str) -> None:
        inode = self._inode(old)
        self._change("rename", lambda: self._link(Link(new, inode, was=old)))

    def remove(self, name: str) -> None:
        self._inode(name)
        self._change("remove", lambda: self._link(Link(name, None)))

    def sync_directory(self) -> None:
        self._change("sync_directory", lambda: None)
        if not self._syncs_lie:
            self._durable = dict(self._live)
            self._links = []

    # ------------------------------------------------------------------------------------------- what happens

    def _check(self) -> None:
        if self._is_off:
            raise PowerLost

    def _inode(self, name: str) -> Inode:
        self._check()
        if name not in self._live:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        return self._live[name]

    def _change(self, kind: str, effect: Callable[[], None]) -> None:
        """Count a call; it takes effect, as far as pending goes, also where power is lost within it."""
        self._check()
        self.calls += 1
        error = None if self._fault is None else self._fault(self.calls, kind)
        if error is not None:
            self.faults += 1
            raise error
        effect()
        if self.calls == self._lose_power_at:
            self._is_off = True
            raise PowerLost

    def _link(self, link: Link) -> None:
        self._links.append(link)
        _apply(self._live, link)

    def _write(self, inode: Inode, data: bytes) -> None:
        def effect() -> None:
            inode.pending.append((len(inode.live), data))
            inode.live += data

        before = self.faults
        try:
            self._change("write", effect)
        except OSError as error:
            # A short write: part of it is there although the call failed.
            if error.errno == errno.ENOSPC and self.faults > before:
                part = data[: len(data) // 2]
                inode.pending.append((len(inode.live), part))
                inode.live += part
            raise

    @staticmethod
    def _cut(inode: Inode, size: int) -> None:
        # A size is metadata: it is taken for durable at once, the harsher choice for whoever relies on the old bytes.
        del inode.live[size:]
        inode.durable = inode.durable[:size]
        inode.pending = [(at, data[: max(size - at, 0)]) for at, data in inode.pending if at < size]

    def _settle(self, inode: Inode) -> None:
        if not self._syncs_lie:
            inode.durable, inode.pending = bytes(inode.live), []

    # ------------------------------------------------------------------------------------------- after the crash

    def process_ended(self) -> dict[str, bytes]:
        """What the next process finds if the machine stayed up."""
        return {name: bytes(inode.live) for name, inode in self._live.items()}

    def image(self, chance: random.Random) -> dict[str, bytes]:
        """One of the things that may be on the medium after a loss of power."""
        names = dict(self._durable)
        mood = chance.choice(("all", "none", "some"))
        for link in self._links:
            if mood == "all" or (mood == "some" and chance.random() < 0.5):
                _apply(names, link)
        return {name: _torn(inode, chance) for name, inode in names.items()}


class _CrashFile:
    def __init__(self, files: CrashFiles, inode: Inode) -> None:
        self._files = files
        self._inode = inode

    def write(self, buffers: Sequence[Buffer]) -> None:
        self._files._write(self._inode, b"".join(bytes(b) for b in buffers))

    def sync(self) -> None:
        self._files._change("sync", lambda: None)
        self._files._settle(self._inode)

    def close(self) -> None:
        pass


def _apply(names: dict[str, Inode], link: Link) -> None:
    if link.was is not None:
        if names.get(link.was) is not link.inode:
            return
        del names[link.was]
    if link.inode is None:
        names.pop(link.name, None)
    else:
        names[link.name] = link.inode


def _torn(inode: Inode, chance: random.Random) -> bytes:
    data = bytearray(inode.durable)
    mood = chance.choice(("keep", "lose", "each", "each"))
    for at, written in inode.pending:
        for start in range(at - at % SECTOR, at + len(written), SECTOR):
            first, end = max(start, at), min(start + SECTOR, at + len(written))
            fate = {"keep": 0, "lose": 2}.get(mood, chance.randrange(4))
            if fate == 2:
                continue
            data += bytes(max(end - len(data), 0))
            kept = written[first - at : end - at]
            data[first:end] = chance.randbytes(end - first) if fate == 3 else kept
    if mood == "each" and chance.random() < 0.3 and len(data) > len(inode.durable):
        del data[chance.randrange(len(inode.durable), len(data)) :]
    return bytes(data)
