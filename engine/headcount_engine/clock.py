"""The only source of time in the engine.

Instants are int64 microseconds since the Unix epoch, UTC. The engine asks a Clock for `now_us`; it never goes back,
whatever the wall does.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Tells now, in microseconds since the epoch. Successive answers never decrease. Any thread."""

    def now_us(self) -> int: ...


def offset_from(start_us: int) -> int:
    """What to add to the machine's clock for it to show `start_us` now."""
    return start_us - time.time_ns() // 1_000


class WallClock:
    """The machine's clock shifted by a constant, held so that it never goes back.

    `offset_us` shifts it (a store of historical data lives in its own past); `floor_us` is an instant below which
    it will not answer, such as the last one a store recorded.
    """

    def __init__(self, offset_us: int = 0, floor_us: int | None = None) -> None:
        self.offset_us = offset_us
        self._last_us = floor_us if floor_us is not None else -(1 << 62)
        self._lock = threading.Lock()

    def now_us(self) -> int:
        now = time.time_ns() // 1_000 + self.offset_us
        with self._lock:
            if now > self._last_us:
                self._last_us = now
            return self._last_us


class ManualClock:
    """Stands still until it is told to move: for tests and for replaying history."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def advance_to(self, now_us: int) -> None:
        """Move forward; an earlier instant is ignored, as time does not go back."""
        self._now_us = max(self._now_us, now_us)
