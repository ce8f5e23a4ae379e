"""JSON Lines: an object a line.

Arrow reads a chunk of lines at once when every line is as the first ones were. When one is not, that chunk is read line
by line, so that the lines at fault are found and the others kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from headcount_engine.model.values import Kind
from headcount_server.loading.files import Opened
from headcount_server.loading.json_lines import (
    JsonRows,
    Shape,
    arrow_type,
    declared_shape,
    read_lines,
    shape_of,
)
from headcount_server.loading.problems import FileProblem, Rejected
from headcount_server.loading.raw import Progress, RawChunk, Source

BLOCK_BYTES = 8 << 20
LINE_BYTES_MAX = 64 << 20
SAMPLE_LINES = 10_000


class JsonReader:
    """One file of JSON Lines.

    `keeps_nulls` tells an explicit null from a name that is not there. `declared` says what is known of columns
    beforehand, so that a float column may begin with whole numbers and a key may be one.
    """

    source = Source.JSON
    position_word = "line"

    def __init__(self, path: Path, *, keeps_nulls: bool, declared: Mapping[str, Kind]) -> None:
        self._file = Opened(path)
        self._keeps_nulls = keeps_nulls
        self._declared = declared
        self._shapes = dict[str, Shape]()
        self._line = 1

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._shapes)

    def progress(self) -> Progress:
        return self._file.progress()

    def close(self) -> None:
        self._file.close()

    def chunks(self) -> Iterator[RawChunk]:
        is_first = True
        for block in self._blocks():
            if is_first:
                head, rest = _split_lines(block, SAMPLE_LINES)
                yield self._by_line(head)
                if rest:
                    yield self._chunk(rest)
                is_first = False
            else:
                yield self._chunk(block)

    def _blocks(self) -> Iterator[bytes]:
        """Blocks of whole lines."""
        pending = b""
        while True:
            try:
                read = self._file.stream.read(BLOCK_BYTES)
            except (pa.ArrowInvalid, OSError) as error:
                raise FileProblem("the file cannot be decompressed", self._line - 1) from error
            if self._line == 1 and not pending:
                if read.startswith((b"\xff\xfe", b"\xfe\xff")):
                    raise FileProblem("the file is UTF-16; UTF-8 is needed")
                read = read.removeprefix(b"\xef\xbb\xbf")
            if not read:
                break
            pending += read
            cut = pending.rfind(b"\n") + 1
            if cut:
                yield pending[:cut]
                pending = pending[cut:]
            elif len(pending) > LINE_BYTES_MAX:
                raise FileProblem(f"a line of more than {LINE_BYTES_MAX >> 20} MB", self._line - 1)
        if pending:
            yield pending

    def _chunk(self, block: bytes) -> RawChunk:
        fast = self._at_once(block)
        return self._by_line(block) if fast is None else fast

    def _at_once(self, block: bytes) -> RawChunk | None:
        """The block as Arrow reads it; None if it has to be read line by line."""
        if self._keeps_nulls and b"null" in block:
            return None
        if not self._shapes or any(shape is Shape.MIXED for shape in self._shapes.values()):
            return None
        schema = pa.schema([(name, _read_as(shape)) for name, shape in self._shapes.items()])
        lines = block.split(b"\n")
        if not lines[-1]:
            lines.pop()
        is_blank = np.fromiter((not line or line.isspace() for line in lines), np.bool_, len(lines))
        try:
            table = pa.json.read_json(
                pa.BufferReader(block),
                pa.json.ReadOptions(use_threads=False, block_size=len(block) + 1),
                pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
            )
        except (pa.ArrowInvalid, UnicodeDecodeError):
            return None
        if table.num_rows != len(lines) - int(is_blank.sum()) or table.num_columns != len(self._shapes):
            return None
        columns = {name: _array(table.column(name)) for name in self._shapes}
        if any(_needs_a_closer_look(column) for column in columns.values()):
            return None
        try:
            for name, shape in self._shapes.items():
                columns[name] = columns[name].cast(arrow_type(shape))
        except pa.ArrowInvalid:
            # A list of another length than a point has.
            return None
        positions = self._line + np.flatnonzero(~is_blank)
        self._line += len(lines)
        return RawChunk(positions.astype(np.int64), columns, {})

    def _by_line(self, block: bytes) -> RawChunk:
        rows = read_lines(block, self._line)
        self._line = rows.next_line
        for name in rows.names():
            known = self._shapes.get(name, Shape.EMPTY)
            # What a column holds is settled by the rows that first have something in it.
            if known is Shape.EMPTY:
                shape = shape_of(rows.values(name))
                kind = self._declared.get(name)
                self._shapes[name] = shape if kind is None else declared_shape(shape, kind)
        return self._built(rows)

    def _built(self, rows: JsonRows) -> RawChunk:
        columns = dict[str, pa.Array]()
        nulls = dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]]()
        keep = np.ones(len(rows), dtype=np.bool_)
        rejected = list[Rejected](rows.rejected)
        for name, shape in self._shapes.items():
            built = rows.column(name, shape)
            columns[name] = built.array
            if self._keeps_nulls and built.is_null.any():
                nulls[name] = built.is_null
            for row, reason in built.problems:
                if keep[row]:
                    keep[row] = False
                    rejected.append(Rejected(int(rows.positions[row]), name, reason, rows.text(row)))
        positions = rows.positions
        if not keep.all():
            columns = {name: column.filter(pa.array(keep)) for name, column in columns.items()}
            nulls = {name: mask[keep] for name, mask in nulls.items()}
            positions = positions[keep]
        return RawChunk(positions, columns, nulls, tuple(sorted(rejected, key=lambda r: r.position)))


def _split_lines(block: bytes, count: int) -> tuple[bytes, bytes]:
    """The first `count` lines and the rest."""
    at = -1
    for _ in range(count):
        at = block.find(b"\n", at + 1)
        if at < 0:
            return block, b""
    return block[: at + 1], block[at + 1 :]


def _read_as(shape: Shape) -> pa.DataType:
    match shape:
        case Shape.WHOLE_AS_TEXT:
            return pa.int64()
        case Shape.POINT:
            return arrow_type(Shape.NUMBER_LIST)
        case _:
            return arrow_type(shape)


def _array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        return combined.chunk(0) if combined.num_chunks else pa.array([], column.type)
    return combined


def _needs_a_closer_look(column: pa.Array) -> bool:
    """Whether Arrow may have taken something that reading line by line refuses."""
    if pa.types.is_list(column.type):
        return bool(column.flatten().null_count)
    if pa.types.is_float64(column.type):
        # A whole number this large may have been rounded.
        return bool(pc.any(pc.greater(pc.abs(column), float(1 << 53))).as_py())
    return False
