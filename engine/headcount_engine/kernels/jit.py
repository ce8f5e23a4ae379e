"""The one decorator for kernels, and the list that `warm` compiles from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")

_registered: list[tuple[Any, tuple[str, ...]]] = []


def kernel(*signatures: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile without the GIL, cached on disk, on first use or when warmed.

    `signatures` are the argument types it is called with, in numba's notation: `"(uint32[::1], int64)"`. They are not
    compiled at import, which would cost 8 ms each even from the cache.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        compiled = numba.njit(nogil=True, cache=True)(function)
        _registered.append((compiled, signatures))
        return cast("Callable[P, R]", compiled)

    return decorate


def inline_kernel(function: Callable[P, R]) -> Callable[P, R]:
    """For small functions that only kernels call; LLVM inlines them."""
    return cast("Callable[P, R]", numba.njit(nogil=True, cache=True, inline="never")(function))


def warm() -> Iterator[tuple[int, int, str]]:
    """Compile or load every registered kernel; yields (done, of how many, name) before each.

    With NUMBA_DISABLE_JIT there is nothing to do.
    """
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return
    total = sum(len(signatures) for _, signatures in _registered)
    done = 0
    for compiled, signatures in _registered:
        for signature in signatures:
            yield done, total, compiled.__name__
            compiled.compile(signature)
            done += 1
    yield total, total, ""
