"""How often and how long, by method: kept in plain counters, read by GetStatus and by Prometheus."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from headcount_server.statuses import Code

BOUNDS_US = tuple(
    step * scale for scale in (10, 100, 1_000, 10_000, 100_000, 1_000_000) for step in (1, 2, 5)
)
"""Upper ends of the buckets, from 10 us to 5 s; one more bucket takes the rest."""


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """A method since the start. The quantiles are the upper ends of the buckets that they fall in, or the
    maximum."""

    method: str
    calls: int
    errors: int
    p50_us: int
    p99_us: int
    max_us: int


class MethodMetrics:
    """The counters of one method. About 1 us a call; any thread."""

    def __init__(self, method: str) -> None:
        self.method = method
        self._lock = threading.Lock()
        self._buckets = [0] * (len(BOUNDS_US) + 1)
        self._codes: dict[Code, int] = {}
        self._sum_us = 0
        self._max_us = 0

    def record(self, took_us: int, code: Code) -> None:
        bucket = bisect.bisect_left(BOUNDS_US, took_us)
        with self._lock:
            self._buckets[bucket] += 1
            self._codes[code] = self._codes.get(code, 0) + 1
            self._sum_us += took_us
            if took_us > self._max_us:
                self._max_us = took_us

    def summary(self) -> LatencySummary:
        with self._lock:
            cumulative = list(accumulate(self._buckets))
            errors = sum(n for code, n in self._codes.items() if code is not Code.OK)
            largest = self._max_us
        calls = cumulative[-1]

        def quantile(share: float) -> int:
            bucket = bisect.bisect_left(cumulative, share * calls)
            return min(BOUNDS_US[bucket], largest) if bucket < len(BOUNDS_US) else largest

        return LatencySummary(self.method, calls, errors, quantile(0.5), quantile(0.99), largest)

    def snapshot(self) -> tuple[list[int], dict[Code, int], int]:
        """Cumulative buckets, calls by code, microseconds in all."""
        with self._lock:
            return list(accumulate(self._buckets)), dict(self._codes), self._sum_us


class Metrics(Collector):
    """All methods. Labels are names of methods and codes, nothing that a caller chooses."""

    def __init__(self) -> None:
        self._methods: dict[str, MethodMetrics] = {}

    def of(self, method: str) -> MethodMetrics:
        """The counters of a method of the table."""
        found = self._methods.get(method)
        return found if found is not None else self._methods.setdefault(method, MethodMetrics(method))

    def summaries(self) -> list[LatencySummary]:
        """Of the methods that were called."""
        return [s for s in (m.summary() for m in list(self._methods.values())) if s.calls]

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        calls = CounterMetricFamily(
            "headcount_calls", "Calls answered or refused.", labels=("method", "code")
        )
        seconds = HistogramMetricFamily("headcount_call_seconds", "Time in the server.", labels=("method",))
        for name, metrics in list(self._methods.items()):
            cumulative, codes, sum_us = metrics.snapshot()
            if not cumulative[-1]:
                continue
            for code, count in codes.items():
                calls.add_metric((name, code.name), count)
            ends = [str(bound / 1e6) for bound in BOUNDS_US] + ["+Inf"]
            seconds.add_metric((name,), list(zip(ends, cumulative, strict=True)), sum_us / 1e6)
        yield calls
        yield seconds
