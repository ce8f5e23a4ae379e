"""Callers who leave an answer untaken: cut off, because an answer that cannot be sent keeps a thread.

Flow control stops a stream whose reader does not read; the thread then waits in the transport, where it cannot look at
the time. One watchdog looks for all of them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Cancel = Callable[[], object]


class Stalls:
    """Cuts off streams whose last answer was given longer than `limit_s` ago and is still not taken. Any thread."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._given: dict[object, tuple[float, Cancel]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watched(self, cancel: Cancel) -> Iterator[Callable[[bool], None]]:
        """A stream: what it gives is called with True just before an answer is handed over and with False after."""
        key = object()

        def tell(is_given: bool) -> None:
            if is_given:
                self._given[key] = (time.monotonic(), cancel)
            else:
                self._given.pop(key, None)

        self._start()
        try:
            yield tell
        finally:
            tell(False)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="headcount-stalls", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._closing.wait(self._limit_s / 4):
            late = time.monotonic() - self._limit_s
            for given_at, cancel in list(self._given.values()):
                if given_at < late:
                    cancel()

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
