"""What does not change while a process runs: its start, its release, and the releases that answers depend on."""

from __future__ import annotations

import importlib.metadata
import time
import unicodedata

from headcount_server.wire.status import ProcessFacts


def process_facts() -> ProcessFacts:
    """The facts of this process, started now."""
    return ProcessFacts(
        start_us=time.time_ns() // 1_000,
        release=_release_of("headcount"),
        unicode_release=unicodedata.unidata_version,
        tzdata_release=_release_of("tzdata"),
    )


def _release_of(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
