"""Work for two cores: kernels let go of the GIL, so parts of one scan run side by side."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

WORKERS = max(1, min(os.cpu_count() or 1, 8))
_pool = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="headcount-scan")


def side_by_side(parts: Sequence[Part], work: Callable[[Part], Result]) -> list[Result]:
    """`work` on each part, in order of the parts; the caller's thread does the first. What a part raises is raised."""
    others = [_pool.submit(work, part) for part in parts[1:]]
    try:
        first = [work(part) for part in parts[:1]]
    finally:
        for other in others:
            other.exception()
    return first + [other.result() for other in others]


def shares(count: int, least: int) -> list[tuple[int, int]]:
    """(from, to) of one share a worker of `count` things, none smaller than `least`; of fewer than that, one share."""
    parts = max(1, min(WORKERS, count // max(least, 1)))
    edges = [count * part // parts for part in range(parts + 1)]
    return list(itertools.pairwise(edges))
