"""Notices that the store has failed, whoever caused it, and says so once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Self

import structlog

log = structlog.get_logger("headcount.store")

_LOOK_EVERY_S: Final = 0.5


class StoreWatch:
    """A thread that asks `failure` twice a second, until there is one; then it logs it and calls `on_failure`."""

    def __init__(self, failure: Callable[[], str | None], on_failure: Callable[[], None]) -> None:
        self._failure = failure
        self._on_failure = on_failure
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="headcount-store-watch", daemon=True)

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            failure = self._failure()
            if failure is not None:
                log.error("read-only", reason=failure)
                self._on_failure()
                return
