"""Rows as Parquet, a row group at a time, built as Arrow arrays from the columns without a Python object a cell."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final, assert_never

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headcount_engine.audiences.cells import Picked
from headcount_engine.audiences.export import FileForm
from headcount_engine.indexes.dictionaries import TRUE_CODE, TextDictionary
from headcount_engine.model.batches import I64, Texts
from headcount_engine.model.values import Kind, Point, ValueType

PARQUET_ROWS: Final = 65_536
"""Rows of a row group."""
_INT64_DIGITS: Final = 19


class _Drain(io.RawIOBase):
    """A file that is only written to and emptied between row groups."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        self._written += len(part)
        return len(part)

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class ParquetPieces:
    """A file with one row group a piece, texts as dictionaries, Zstandard."""

    def __init__(self, names: Sequence[str], types: Sequence[ValueType]) -> None:
        fields = [pa.field(names[0], pa.string(), nullable=False)]
        fields += [pa.field(n, arrow_type(t)) for n, t in zip(names[1:], types, strict=True)]
        self._schema = pa.schema(fields)
        self._drain = _Drain()
        self._writer = pq.ParquetWriter(self._drain, self._schema, compression="zstd")

    def start(self) -> bytes:
        return self._drain.take()

    def rows(self, keys: Texts, columns: Sequence[Picked]) -> bytes:
        arrays = [_texts(keys), *map(arrow_array, columns)]
        self._writer.write_table(
            pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=PARQUET_ROWS
        )
        return self._drain.take()

    def end(self) -> bytes:
        self._writer.close()
        return self._drain.take()


PARQUET: Final = FileForm(ParquetPieces, PARQUET_ROWS, is_lines=False)


def arrow_type(type_: ValueType) -> pa.DataType:
    """The Arrow type that loading reads as the same type."""
    kind = type_.kind
    match kind:
        case Kind.BOOL:
            return pa.bool_()
        case Kind.INT:
            return pa.int64()
        case Kind.DECIMAL:
            return pa.decimal128(_INT64_DIGITS, type_.digits)
        case Kind.FLOAT:
            return pa.float64()
        case Kind.TEXT:
            return pa.string()
        case Kind.TEXT_SET:
            return pa.list_(pa.string())
        case Kind.INSTANT:
            return pa.timestamp("us", tz="UTC")
        case Kind.DATE:
            return pa.date32()
        case Kind.POINT:
            return pa.list_(pa.float64(), 2)
        case _:
            assert_never(kind)


def arrow_array(column: Picked) -> pa.Array:
    """A picked column in the type of `arrow_type`."""
    kind, absent = column.type.kind, ~column.present
    type_ = arrow_type(column.type)
    match kind:
        case Kind.BOOL:
            return pa.array(column.stored == TRUE_CODE, mask=absent)
        case Kind.INT | Kind.INSTANT:
            return pa.array(column.stored.astype(np.int64), mask=absent).cast(type_)
        case Kind.FLOAT:
            return pa.array(column.stored, mask=absent)
        case Kind.DATE:
            return pa.array(np.where(absent, 0, column.stored).astype(np.int32), mask=absent).cast(type_)
        case Kind.DECIMAL:
            return _decimals(np.where(absent, 0, column.stored).astype(np.int64), absent, type_)
        case Kind.TEXT:
            return _coded_texts(column)
        case Kind.TEXT_SET | Kind.POINT:
            cells = column.cells()
            lists = [_listed(cell) for cell in cells]
            return pa.array(lists, type=type_)
        case _:
            assert_never(kind)


def _listed(cell: object) -> list[str] | list[float] | None:
    if cell is None:
        return None
    if isinstance(cell, Point):
        return [cell.latitude, cell.longitude]
    assert isinstance(cell, frozenset)
    return sorted(cell)


def _decimals(
    unscaled: I64, absent: np.ndarray[tuple[int], np.dtype[np.bool_]], type_: pa.DataType
) -> pa.Array:
    """128-bit little-endian two's complement, as Arrow lays decimals out."""
    wide = np.empty((len(unscaled), 2), dtype="<i8")
    wide[:, 0] = unscaled
    wide[:, 1] = unscaled >> 63
    bitmap = np.packbits(~absent, bitorder="little").tobytes()
    return pa.Array.from_buffers(
        type_, len(unscaled), [pa.py_buffer(bitmap), pa.py_buffer(wide.tobytes())], int(absent.sum())
    )


def _texts(texts: Texts) -> pa.Array:
    offsets = texts.offsets.astype("<i4")
    return pa.Array.from_buffers(
        pa.string(), len(texts), [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(texts.data.tobytes())]
    )


def _coded_texts(column: Picked) -> pa.Array:
    """The distinct texts among the rows, and which of them each row has."""
    assert isinstance(column.dictionary, TextDictionary)
    codes, places = np.unique(column.stored[column.present], return_inverse=True)
    indices = np.zeros(len(column.stored), dtype=np.int32)
    indices[column.present] = places
    distinct = _texts(column.dictionary.table.take(codes.astype(np.int64) - 1))
    held = pa.DictionaryArray.from_arrays(pa.array(indices, mask=~column.present), distinct)
    return held.dictionary_decode()
