"""The tick: time alone makes people join and leave, so somebody has to look at the clock."""

from __future__ import annotations

import threading
from collections.abc import Callable

from headcount_engine.errors import EngineError


class Ticker:
    """A thread that brings live segments to the present every so often, until it is stopped or the store fails.

    A tick at which nothing is due costs a look at every window's ends; ticks never run side by side with a write.
    """

    def __init__(self, tick: Callable[[], int], interval_us: int) -> None:
        self._tick = tick
        self._interval_s = interval_us / 1e6
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headcount-ticks", daemon=True)
        self.failure: str | None = None
        """Why it stopped by itself; None while it runs."""

    def start(self) -> Ticker:
        """Begin; returns itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End, after the tick under way. May be called twice."""
        self._stopped.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                self._tick()
            except EngineError as error:
                self.failure = str(error)
                return
