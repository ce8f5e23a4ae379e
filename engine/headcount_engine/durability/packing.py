"""Trees of plain values and arrays as bytes: a msgpack skeleton, then the arrays as they lie in memory.

Arrays are written without being copied and read as copies of their own, aligned and writable. What is read is not
trusted: every size is checked against what is there before it is used.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import msgpack
import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import StoreDamaged

Array = NDArray[np.generic]
Plain = None | bool | int | float | str | bytes | Array | Sequence["Plain"]
"""What can be stored. Sequences come back as lists."""

Buffer = bytes | bytearray | memoryview
_LENGTH = struct.Struct("<I")
_INLINE, _CHUNKED = 1, 2
_DTYPES = frozenset({"|u1", "<u2", "<u4", "<u8", "|i1", "<i2", "<i4", "<i8", "<f8", "|b1"})
_DIMENSIONS_MAX = 2


def padding(size: int) -> int:
    """Bytes from `size` up to a multiple of 8."""
    return -size & 7


def _bytes_of(array: Array) -> memoryview:
    """The memory of a contiguous array."""
    return array.reshape(-1).view(np.uint8).data


def pack(value: Plain) -> list[Buffer]:
    """Buffers that, end to end, are the payload; arrays are shared, not copied. The total is a multiple of 8."""
    arrays: list[memoryview] = []
    offset = 0

    def place(array: Array) -> msgpack.ExtType:
        nonlocal offset
        at, raw = offset, _bytes_of(np.ascontiguousarray(array))
        arrays.append(raw)
        offset += len(raw) + padding(len(raw))
        return msgpack.ExtType(_INLINE, msgpack.packb([array.dtype.str, list(array.shape), at]))

    skeleton = _skeleton(value, place)
    head = _LENGTH.pack(len(skeleton)) + skeleton
    buffers: list[Buffer] = [head + bytes(padding(len(head)))]
    for raw in arrays:
        buffers.append(raw)
        if padding(len(raw)):
            buffers.append(bytes(padding(len(raw))))
    return buffers


def unpack(payload: bytearray | memoryview) -> Plain:
    """The tree of a payload; raises StoreDamaged where it is not one."""
    view = memoryview(payload)
    if len(view) < _LENGTH.size:
        raise StoreDamaged("a payload cut short")
    (length,) = _LENGTH.unpack_from(view)
    if _LENGTH.size + length > len(view):
        raise StoreDamaged("a payload whose skeleton does not fit")
    start = _LENGTH.size + length
    start += padding(start)

    def fetch(code: int, dtype: np.dtype[np.generic], shape: tuple[int, ...], place: Plain) -> Array:
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        if code != _INLINE or not isinstance(place, int) or not 0 <= place <= len(view) - start - size:
            raise StoreDamaged("an array outside its payload")
        raw = view[start + place : start + place + size]
        return np.frombuffer(raw, dtype=dtype).reshape(shape).copy()

    return _tree(view[_LENGTH.size : _LENGTH.size + length], fetch)


def pack_chunked(value: Plain, chunks_of: Callable[[memoryview], list[int]]) -> bytes:
    """The skeleton of a tree whose arrays are stored elsewhere: `chunks_of` takes bytes and gives chunk numbers."""

    def place(array: Array) -> msgpack.ExtType:
        raw = _bytes_of(np.ascontiguousarray(array))
        return msgpack.ExtType(_CHUNKED, msgpack.packb([array.dtype.str, list(array.shape), chunks_of(raw)]))

    return _skeleton(value, place)


def unpack_chunked(skeleton: bytes | memoryview, fill: Callable[[list[int], memoryview], None]) -> Plain:
    """The tree; `fill` writes the chunks of these numbers, end to end, into the bytes of an array."""

    def fetch(code: int, dtype: np.dtype[np.generic], shape: tuple[int, ...], place: Plain) -> Array:
        if code != _CHUNKED or not isinstance(place, list) or not all(isinstance(n, int) for n in place):
            raise StoreDamaged("an array without chunks")
        array = np.empty(shape, dtype=dtype)
        fill([n for n in place if isinstance(n, int)], _bytes_of(array))
        return array

    return _tree(skeleton, fetch)


def _skeleton(value: Plain, place: Callable[[Array], msgpack.ExtType]) -> bytes:
    def default(other: object) -> msgpack.ExtType:
        if isinstance(other, np.ndarray) and other.dtype.str in _DTYPES and other.ndim <= _DIMENSIONS_MAX:
            return place(other)
        raise TypeError(f"{type(other).__name__} cannot be stored")

    packed: bytes = msgpack.packb(value, default=default)
    return packed


def _tree(
    skeleton: bytes | memoryview,
    fetch: Callable[[int, np.dtype[np.generic], tuple[int, ...], Plain], Array],
) -> Plain:
    def extension(code: int, data: bytes) -> Array:
        head = msgpack.unpackb(data)
        if not isinstance(head, list) or len(head) != 3 or head[0] not in _DTYPES:
            raise StoreDamaged("an array without a known type")
        dtype, shape, place = head
        if (
            not isinstance(shape, list)
            or len(shape) > _DIMENSIONS_MAX
            or not all(isinstance(n, int) and 0 <= n < 1 << 40 for n in shape)
        ):
            raise StoreDamaged("an array of no possible shape")
        return fetch(code, np.dtype(dtype), tuple(shape), place)

    try:
        tree: Plain = msgpack.unpackb(skeleton, ext_hook=extension)
    except StoreDamaged:
        raise
    except (ValueError, TypeError, msgpack.UnpackException, MemoryError, OverflowError) as error:
        raise StoreDamaged("a skeleton that cannot be read") from error
    return tree
