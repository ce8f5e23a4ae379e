"""CSV: every cell a text, every row with its line.

Arrow takes the blocks apart; what is added is the line of every row (Arrow only numbers records, and a quoted cell may
span lines), cells that are not UTF-8 (Arrow would refuse the file), and rows with too many or too few cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from headcount_server.loading.files import Opened
from headcount_server.loading.problems import FileProblem, Rejected
from headcount_server.loading.raw import I64, Progress, RawChunk, Source

BLOCK_BYTES = 8 << 20
"""Read at a time: some hundred thousand rows, and the longest row that can be read."""
HEADER_BYTES = 1 << 20


class CsvReader:
    """One CSV file with a header. Raises FileProblem if it has none or if two columns share a name."""

    source = Source.TEXTS
    position_word = "line"

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self._file = Opened(path)
        self._delimiter = delimiter
        self._header, self._header_records, self._header_lines = _header(path, delimiter)
        self._bad: list[tuple[int, int, str]] = []

    @property
    def names(self) -> tuple[str, ...]:
        return self._header

    def progress(self) -> Progress:
        return self._file.progress()

    def close(self) -> None:
        self._file.close()

    def chunks(self) -> Iterator[RawChunk]:
        lines = _Lines(self._header_records + 1, self._header_lines - self._header_records)
        try:
            for batch in self._open():
                yield self._chunk(batch, lines)
        except pa.ArrowInvalid as error:
            raise FileProblem(f"cannot be read as CSV: {_first_line(error)}", lines.last) from error
        if self._bad:
            yield self._chunk(self._no_rows(), lines)

    def _open(self) -> Iterator[pa.RecordBatch]:
        width = len(self._header)
        columns = [str(index) for index in range(width)]
        reader = pa.csv.open_csv(
            self._file.stream,
            # Without threads Arrow numbers the records that it cannot take apart.
            pa.csv.ReadOptions(
                use_threads=False,
                block_size=BLOCK_BYTES,
                column_names=columns,
                skip_rows_after_names=self._header_records,
            ),
            pa.csv.ParseOptions(
                delimiter=self._delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=self._refuse,
            ),
            pa.csv.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(columns, pa.binary()),
                strings_can_be_null=False,
            ),
        )
        yield from reader

    def _refuse(self, row: pa.csv.InvalidRow) -> str:
        self._bad.append((row.number, row.actual_columns, row.text))
        return "skip"

    def _no_rows(self) -> pa.RecordBatch:
        empty = [pa.array([], pa.binary()) for _ in self._header]
        return pa.RecordBatch.from_arrays(empty, names=[str(index) for index in range(len(empty))])

    def _chunk(self, batch: pa.RecordBatch, lines: _Lines) -> RawChunk:
        positions, bad = lines.take(batch, self._bad)
        expected = len(self._header)
        rejected = [
            Rejected(line, "", f"{cells} cells where the header has {expected}", text)
            for line, cells, text in bad
        ]
        keep = np.ones(batch.num_rows, dtype=np.bool_)
        is_blank = np.ones(batch.num_rows, dtype=np.bool_)
        columns = dict[str, pa.Array]()
        for name, cells in zip(self._header, batch.columns, strict=True):
            texts, is_broken = _decoded(cells)
            if is_broken is not None:
                rejected += [Rejected(int(p), name, "not valid UTF-8") for p in positions[keep & is_broken]]
                keep &= ~is_broken
            is_empty = pc.equal(pc.binary_length(texts), 0)
            is_blank &= is_empty.to_numpy(zero_copy_only=False)
            columns[name] = pc.if_else(is_empty, pa.scalar(None, pa.string()), texts)
        keep &= ~is_blank
        if not keep.all():
            columns = {name: column.filter(pa.array(keep)) for name, column in columns.items()}
            positions = positions[keep]
        return RawChunk(positions, columns, {}, tuple(rejected))


class _Lines:
    """Keeps count of records and lines while batches go by."""

    def __init__(self, next_record: int, extra_lines: int) -> None:
        self._next_record = next_record
        self._extra_lines = extra_lines
        self.last = 0
        """The last line handed out."""

    def take(
        self, batch: pa.RecordBatch, bad: list[tuple[int, int, str]]
    ) -> tuple[I64, list[tuple[int, int, str]]]:
        """The lines of the batch's rows, and (line, cells, text) of the records Arrow left out before its end.

        What is taken from `bad` is removed from it: Arrow may already have read ahead.
        """
        rows = batch.num_rows
        start = self._next_record
        numbers = np.array(sorted(number for number, _, _ in bad), dtype=np.int64)
        # Each record left out among the batch's rows pushes its end by one.
        end = start + rows
        if rows:
            while (total := start + rows + int((numbers < end).sum())) != end:
                end = total
        else:
            end = max(end, int(numbers[-1]) + 1 if len(numbers) else end)
        records = np.arange(start, end, dtype=np.int64)
        is_bad = np.isin(records, numbers)
        texts = {number: (cells, text) for number, cells, text in bad if number < end}
        bad[:] = [entry for entry in bad if entry[0] >= end]

        extra = np.zeros(len(records), dtype=np.int64)
        if rows:
            extra[~is_bad] = _newlines(batch)
        for number, (_, text) in texts.items():
            extra[number - start] = text.rstrip("\r\n").count("\n")
        before = self._extra_lines + np.cumsum(extra) - extra
        lines = records + before
        self._next_record = end
        self._extra_lines += int(extra.sum())
        if len(lines):
            self.last = int(lines[-1])
        left_out = [
            (int(lines[number - start]), cells, text) for number, (cells, text) in sorted(texts.items())
        ]
        return lines[~is_bad], left_out


def _newlines(batch: pa.RecordBatch) -> I64:
    """Line breaks inside the cells of each row."""
    total = np.zeros(batch.num_rows, dtype=np.int64)
    for cells in batch.columns:
        data = cells.buffers()[2]
        if data is not None and (np.frombuffer(data, dtype=np.uint8) == ord("\n")).any():
            total += pc.count_substring(cells, b"\n").to_numpy(zero_copy_only=False)
    return total


def _decoded(cells: pa.Array) -> tuple[pa.Array, np.ndarray[tuple[int], np.dtype[np.bool_]] | None]:
    """The cells as text, and which are not UTF-8, if any."""
    try:
        return cells.cast(pa.string()), None
    except pa.ArrowInvalid:
        pass
    decoded = list[str | None]()
    for cell in cells.to_pylist():
        try:
            decoded.append(cell.decode())
        except UnicodeDecodeError:
            decoded.append(None)
    texts = pa.array(decoded, pa.string())
    is_broken = texts.is_null().to_numpy(zero_copy_only=False)
    return pc.fill_null(texts, "?"), is_broken


def _header(path: Path, delimiter: str) -> tuple[tuple[str, ...], int, int]:
    """The columns' names, and how many records and lines go before the data."""
    opened = Opened(path)
    try:
        start = opened.stream.read(HEADER_BYTES)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileProblem(f"cannot be read: {_first_line(error)}") from error
    finally:
        opened.close()
    text = _header_text(start)
    records = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for record in reader:
            records += 1
            if record:
                return _checked_names(record), records, reader.line_num
    except csv.Error as error:
        raise FileProblem(f"the header cannot be read: {error}") from error
    raise FileProblem("the file is empty: not even a header")


def _header_text(start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileProblem("the file is UTF-16; UTF-8 is needed")
    if b"\0" in start[:4096]:
        raise FileProblem("the file holds NUL bytes: it is no text file")
    # A character may be cut at the end, and cells further down are looked at one by one.
    text = start.decode("utf-8-sig", "replace")
    if "�" in text.split("\n", 1)[0] and b"\xef\xbf\xbd" not in start:
        raise FileProblem("the header is not valid UTF-8")
    return text


def _checked_names(record: list[str]) -> tuple[str, ...]:
    for index, name in enumerate(record):
        if not name.strip():
            raise FileProblem(f"column {index + 1} of the header has no name")
        if name in record[:index]:
            raise FileProblem(f"the header has two columns called {name!r}")
    return tuple(record)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
