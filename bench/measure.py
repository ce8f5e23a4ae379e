"""Timing: warm runs, many samples, medians. Nothing here knows what is timed."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

WARM_RUNS = 2
SAMPLES_MAX = 5_000
_share = 1.0


def shorten(share: float) -> None:
    """Give every timing of this process that share of its time; the least numbers of samples stay."""
    global _share
    _share = share


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds per call. `variation`: the interquartile range as a share of the median."""

    p50: float
    p99: float
    best: float
    variation: float
    samples: int

    @staticmethod
    def of(seconds: list[float]) -> Timing:
        values = np.array(seconds)
        p25, p50, p75, p99 = np.percentile(values, [25, 50, 75, 99]).tolist()
        return Timing(p50, p99, float(values.min()), (p75 - p25) / p50 if p50 else 0.0, len(values))


def timed(
    call: Callable[[], object], *, budget_s: float = 0.6, samples_min: int = 5, warm_runs: int = WARM_RUNS
) -> Timing:
    """Call again and again for `budget_s`, after `warm_runs` that do not count, with the garbage collector off."""
    for _ in range(warm_runs):
        call()
    return timed_each(lambda: call, budget_s=budget_s, samples_min=samples_min)


def timed_each(
    prepare: Callable[[], Callable[[], object]], *, budget_s: float = 0.6, samples_min: int = 5
) -> Timing:
    """As timed, but what is called is prepared afresh for each sample, outside the clock; no warm run."""
    seconds: list[float] = []
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        end = time.perf_counter() + budget_s * _share
        while len(seconds) < SAMPLES_MAX and (len(seconds) < samples_min or time.perf_counter() < end):
            call = prepare()
            started = time.perf_counter_ns()
            call()
            seconds.append((time.perf_counter_ns() - started) / 1e9)
    finally:
        if was_on:
            gc.enable()
    return Timing.of(seconds)


def once(call: Callable[[], object]) -> Timing:
    """One run, for what can only be done once."""
    started = time.perf_counter_ns()
    call()
    return Timing.of([(time.perf_counter_ns() - started) / 1e9])


def resident_bytes() -> int:
    """Memory of this process that is in RAM, after giving back what is free."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return _status_bytes("VmRSS:")


def peak_bytes() -> int:
    """The most memory that this process ever had in RAM."""
    return _status_bytes("VmHWM:")


def resident_bytes_of(pid: int) -> int:
    """Memory of another process that is in RAM."""
    return _status_bytes("VmRSS:", str(pid))


def _status_bytes(field: str, pid: str = "self") -> int:
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(field):
                return int(line.split()[1]) * 1024
    return 0
