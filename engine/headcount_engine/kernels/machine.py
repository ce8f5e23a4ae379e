"""Machine instructions that numba has no name for: a load from an address, counted bits, 64 compares at once."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray


def _compiled_word_at(typing: Any, address: Any, index: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(pointer, [arguments[1]]))

    return types.uint64(types.int64, types.int64), generate


def _compiled_set_word_at(typing: Any, address: Any, index: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        builder.store(arguments[2], builder.gep(pointer, [arguments[1]]))
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.uint64), generate


def _compiled_ones(typing: Any, word: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


def _compiled_between_64(typing: Any, values: Any, first: Any, low: Any, high: Any) -> Any:
    element = values.dtype
    lanes = 64 if element.bitwidth < 64 else 4

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(values)(context, builder, arguments[0])
        vector = ir.VectorType(context.get_value_type(element), lanes)
        bounds = [_splat(builder, bound, vector) for bound in arguments[2:]]
        start = builder.gep(array.data, [arguments[1]])
        word = ir.IntType(64)(0)
        for lane in range(0, 64, lanes):
            part = builder.gep(start, [ir.IntType(64)(lane)])
            found = builder.load(builder.bitcast(part, vector.as_pointer()))
            found.align = element.bitwidth // 8
            inside = builder.and_(*(
                _compared(builder, element, op, found, b) for op, b in zip((">=", "<="), bounds, strict=True)
            ))  # fmt: skip
            bits = builder.bitcast(inside, ir.IntType(lanes))
            if lanes < 64:
                bits = builder.shl(builder.zext(bits, ir.IntType(64)), ir.IntType(64)(lane))
            word = builder.or_(word, bits)
        return word

    return types.uint64(values, types.int64, element, element), generate


def _compared(builder: Any, element: Any, op: str, found: Any, bound: Any) -> Any:
    if element is types.float64:
        return builder.fcmp_ordered(op, found, bound)
    return (builder.icmp_signed if element.signed else builder.icmp_unsigned)(op, found, bound)


def _splat(builder: Any, scalar: Any, vector: Any) -> Any:
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.IntType(32)(0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), [0] * vector.count)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), lanes)


def _plain_word_at(address: int, index: int) -> np.uint64:
    return np.uint64(ctypes.c_uint64.from_address(int(address) + 8 * int(index)).value)


def _plain_set_word_at(address: int, index: int, word: np.uint64) -> None:
    ctypes.c_uint64.from_address(int(address) + 8 * int(index)).value = int(word)


def _plain_ones(word: np.uint64) -> np.uint64:
    return np.uint64(int(word).bit_count())


def _plain_between_64(values: NDArray[Any], first: int, low: Any, high: Any) -> np.uint64:
    found = values[first : first + 64]
    return np.uint64(np.packbits((found >= low) & (found <= high), bitorder="little").view(np.uint64)[0])


_IS_COMPILED = os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"

word_at = cast(
    "Callable[[int, int | np.int64], np.uint64]",
    intrinsic(_compiled_word_at) if _IS_COMPILED else _plain_word_at,
)
"""word_at(address, index): the 64-bit word `index` of the array at `address`."""

set_word_at = cast(
    "Callable[[int, int | np.int64, np.uint64], None]",
    intrinsic(_compiled_set_word_at) if _IS_COMPILED else _plain_set_word_at,
)
"""set_word_at(address, index, word): store the 64-bit word `index` of the array at `address`."""

ones = cast("Callable[[np.uint64], np.uint64]", intrinsic(_compiled_ones) if _IS_COMPILED else _plain_ones)
"""ones(word): number of set bits, by the machine's own instruction. Uncompiled: the same in Python, for tests."""

between_64 = cast(
    "Callable[[NDArray[Any], int, Any, Any], np.uint64]",
    intrinsic(_compiled_between_64) if _IS_COMPILED else _plain_between_64,
)
"""between_64(values, first, low, high): bit i of the word is low <= values[first + i] <= high; NaN is in no range.

The bounds have the dtype of the array: whole numbers of 8 to 64 bits, or float64. The 64 values must be there. A loop
over bits takes some 15 ns for a word, this one two to twelve, since vector compares give their bits away at once.
"""
