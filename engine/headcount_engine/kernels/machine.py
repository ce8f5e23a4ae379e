"""Two machine instructions that numba has no name for: a load from an address, and the count of set bits."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _compiled_word_at(typing: Any, address: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(pointer, [arguments[1]]))

    return types.uint64(types.int64, types.int64), generate


def _compiled_ones(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


def _plain_word_at(address: int, index: int) -> np.uint64:
    return np.uint64(ctypes.c_uint64.from_address(int(address) + 8 * int(index)).value)


def _plain_ones(word: np.uint64) -> np.uint64:
    return np.uint64(int(word).bit_count())


_IS_COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"

word_at = cast(
    "Callable[[int, int], np.uint64]", intrinsic(_compiled_word_at) if _IS_COMPILED else _plain_word_at
)
"""word_at(address, index): the 64-bit word `index` of the array at `address`."""

ones = cast("Callable[[np.uint64], np.uint64]", intrinsic(_compiled_ones) if _IS_COMPILED else _plain_ones)
"""ones(word): number of set bits, by the machine's own instruction. Uncompiled: the same in Python, for tests."""
