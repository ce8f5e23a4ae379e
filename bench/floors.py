"""Floors: one pass over as many bytes, roaring algebra with nothing around it, an echo, a write and an fsync."""

from __future__ import annotations

import mmap
import os
import tempfile
import time
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from bench.measure import Timing, timed
from bench.outcome import Floor


@numba.njit(nogil=True, cache=True)
def _pass_over(words: NDArray[np.uint64]) -> np.uint64:
    seen = np.uint64(0)
    for i in range(len(words)):
        seen ^= words[i]
    return seen


def memory_pass(bytes_: int) -> Floor:
    """Reading that many bytes once, in order, on one thread."""
    words = np.ones(max(bytes_ // 8, 1), dtype=np.uint64)
    timing = timed(lambda: _pass_over(words), budget_s=0.15)
    return Floor(f"one pass over the same {bytes_ / 1e6:,.1f} MB, one thread", timing.p50)


def fresh_memory(bytes_: int) -> Timing:
    """Taking that many bytes from the system and writing something into every page, one thread."""

    def take() -> None:
        with mmap.mmap(-1, max(bytes_, mmap.PAGESIZE), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
            memory.madvise(mmap.MADV_HUGEPAGE)
            pages = np.frombuffer(memory, dtype=np.uint8)[:: mmap.PAGESIZE]
            pages[:] = 1
            del pages

    started = time.perf_counter()
    take()
    return Timing.of([time.perf_counter() - started])


def sequential_read(bytes_: int, folder: Path) -> Timing:
    """Reading that many bytes of a file that was written just before, a megabyte at a time."""
    raw = os.urandom(1 << 20)
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(-(-bytes_ // len(raw))):
            file.write(raw)
        file.flush()

        def read() -> None:
            file.seek(0)
            while file.read(1 << 20):
                pass

        return timed(read, budget_s=0.4, samples_min=3)


def sequential_write(bytes_: int, folder: Path) -> Timing:
    """Appending that many bytes to a file and syncing it."""
    raw = os.urandom(bytes_)
    with tempfile.TemporaryFile(dir=folder) as file:

        def write() -> None:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())

        return timed(write, budget_s=0.4)
