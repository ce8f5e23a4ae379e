"""One column of a CSV file that arrives in pieces, as texts: who is to be on a list."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from headcount_engine.errors import InvalidArgument, LimitExceeded
from headcount_engine.model.batches import Texts

_CHUNK_ROWS = 65_536
_WRONG_CELLS = "another number of cells than the first row"


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: bytearray | memoryview, /) -> int:  # type: ignore[override]
        out = memoryview(into).cast("B")
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        taken = min(len(out), len(self._rest))
        out[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken


class MemberFile:
    """Reads the column; then `chunks` holds it and `malformed` says which rows have no cell to read, and why.

    Rows count from 0, without the header and without blank lines. A cell that is not UTF-8, or that cannot name
    anybody, stays in for the engine to refuse. Raises InvalidArgument for a file without the column, LimitExceeded.
    """

    def __init__(
        self, pieces: Iterator[bytes], *, column: str, delimiter: str, has_header: bool, rows_max: int
    ) -> None:
        self.chunks: list[Texts] = []
        self.rows = 0
        self.malformed: dict[int, str] = {}
        text = io.TextIOWrapper(
            io.BufferedReader(_Pieces(pieces)), "utf-8-sig", errors="surrogateescape", newline=""
        )
        rows = csv.reader(text, delimiter=delimiter)
        try:
            self._read(_nonblank(rows), column, has_header, rows_max)
        except csv.Error as error:
            raise InvalidArgument(
                f"line {rows.line_num:,} of the file cannot be read as CSV", path="chunk"
            ) from error

    def _read(self, rows: Iterable[list[str]], column: str, has_header: bool, rows_max: int) -> None:
        index, width = (-1, 0) if has_header else _place(column, None)
        cells: list[str] = []
        for row in rows:
            if index < 0:
                index, width = _place(column, row)
                continue
            width = width or len(row)
            if self.rows >= rows_max:
                raise LimitExceeded("batch_rows", rows_max)
            if len(row) != width or index >= width:
                self.malformed[self.rows] = _WRONG_CELLS
                cells.append("")
            else:
                cells.append(row[index])
            self.rows += 1
            if len(cells) == _CHUNK_ROWS:
                self.chunks.append(Texts.of(cells))
                cells = []
        self.chunks.append(Texts.of(cells))


def _nonblank(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    return (row for row in rows if row)


def _place(column: str, header: list[str] | None) -> tuple[int, int]:
    """(which cell to read, how many there are, 0 where the first row will say)."""
    if header is None:
        if column and not (column.isascii() and column.isdigit() and 0 < int(column) < 10_000):
            raise InvalidArgument("without a header a column is its number, from 1", path="options.column")
        return int(column or 1) - 1, 0
    if not column:
        return 0, len(header)
    if header.count(column) != 1:
        raise InvalidArgument("the header has no such column, or several", path="options.column")
    return header.index(column), len(header)
