"""A clock that another process can move: the one that writes events decides what time it is."""

from __future__ import annotations

import mmap
import time
from pathlib import Path

_CELLS = 2
_BYTES = 8 * _CELLS


class SharedClock:
    """An instant in a file that processes share. It stands still until it is told to move, or to run.

    Cells: the instant, and the machine's monotonic clock at which it began to run, both in microseconds; 0 there: it
    stands.
    """

    def __init__(self, path: Path, now_us: int | None = None) -> None:
        """With `now_us` a new file; without, the clock that somebody else has put there."""
        if now_us is not None:
            path.write_bytes(bytes(_BYTES))
        with path.open("r+b") as file:
            self._cells = memoryview(mmap.mmap(file.fileno(), _BYTES)).cast("q")
        self.path = path
        if now_us is not None:
            self._cells[0] = now_us

    def now_us(self) -> int:
        """The instant; any thread of any process."""
        since_us = self._cells[1]
        return self._cells[0] + (time.monotonic_ns() // 1_000 - since_us if since_us else 0)

    def advance_to(self, now_us: int) -> None:
        """Move forward, standing; an earlier instant is ignored. By one process at a time."""
        if now_us > self._cells[0]:
            self._cells[0] = now_us

    def run(self) -> None:
        """Go on at the pace of the world."""
        self._cells[1] = time.monotonic_ns() // 1_000

    def stand(self) -> None:
        """Stop where it is."""
        self._cells[0], self._cells[1] = self.now_us(), 0

    def monotonic_at(self, now_us: int) -> float:
        """When, by the machine's monotonic clock in seconds, the running clock shows or showed an instant."""
        return (self._cells[1] + now_us - self._cells[0]) / 1e6
