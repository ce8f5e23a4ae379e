"""Stand-ins for a database that do one thing wrong, slowly or at all."""

from __future__ import annotations

import threading
import time

from headcount_engine.model.answers import CountAnswer, Need


class Closable:
    """What a server does to every database."""

    store_failure: str | None = None

    def tick(self) -> int:
        """No time passes."""
        return 0

    def close(self) -> None:
        """Nothing is held."""


class Raising(Closable):
    """Counts end in the given exception."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def count(self, rule: object, *, at_us: int | None = None, need: Need) -> CountAnswer:
        raise self._error


class Slow(Closable):
    """Counts take a minute, in blocks of a millisecond, between which the deadline is looked at."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.ended_at_s = 0.0
        self.ended = threading.Event()

    def count(self, rule: object, *, at_us: int | None = None, need: Need) -> CountAnswer:
        self.started.set()
        try:
            for _ in range(60_000):
                need.deadline.check()
                time.sleep(0.001)
        finally:
            self.ended_at_s = time.monotonic()
            self.ended.set()
        return CountAnswer(0, 0, 0, 0, 0)


class Constant(Closable):
    """Every count is the same."""

    def __init__(self, count: int = 7, warnings: tuple[str, ...] = ()) -> None:
        self._count = count
        self._warnings = warnings

    def count(self, rule: object, *, at_us: int | None = None, need: Need) -> CountAnswer:
        return CountAnswer(self._count, self._count, 1, 0, 0, self._warnings)
