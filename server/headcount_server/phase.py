"""Where the server is in its life: shared by the guard that refuses, the health service and the status."""

from __future__ import annotations

import enum


class Phase(enum.Enum):
    """LOADING until the store is open, DRAINING from the first sign of the end. READ_ONLY is what a status says while
    the store takes no writes; calls are let in as when SERVING."""

    LOADING = "loading"
    SERVING = "serving"
    READ_ONLY = "read_only"
    DRAINING = "draining"


class PhaseHolder:
    """The current phase. One thread sets it, any thread reads it."""

    def __init__(self) -> None:
        self.current = Phase.LOADING
