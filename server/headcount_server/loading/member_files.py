"""One column of a CSV file that arrives in pieces, as texts: who is to be on a list."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TextIO

from headcount_engine.errors import InvalidArgument, LimitExceeded
from headcount_engine.model.batches import Texts

_CHUNK_ROWS = 65_536
_WRONG_CELLS = "another number of cells than the first row"
_NAMES = frozenset({"key", "profile_key", "profile", "profile_id", "id", "member"})
"""What a column of keys is called."""


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


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank, and the line of the file on which it begins, from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """What the first row says: whether it is the header, which cell of each row to read, how many a row has."""

    has_header: bool
    index: int
    width: int

    def cell(self, row: Row) -> str | None:
        """The cell to read; None where the row has another number of cells than the first one."""
        is_whole = len(row.cells) == self.width and self.index < self.width
        return row.cells[self.index] if is_whole else None


class MemberFile:
    """Reads the column; then `chunks` holds it and `malformed` says which rows have no cell to read, and why.

    Rows count from 0, without the header and without blank lines; `lines` says on which line each begins. A cell that
    is not UTF-8, or that cannot name anybody, stays in for the engine to refuse. `has_header` None: the first row is
    the header if it looks like one (see `layout_of`). Raises InvalidArgument for a file without the column,
    LimitExceeded.
    """

    def __init__(
        self,
        pieces: Iterator[bytes],
        *,
        column: str,
        delimiter: str,
        has_header: bool | None,
        identifier_type: str = "",
        rows_max: int,
    ) -> None:
        self.chunks: list[Texts] = []
        self.rows = 0
        self.malformed: dict[int, str] = {}
        self.lines = array("Q")
        self.has_header = False
        text = io.TextIOWrapper(
            io.BufferedReader(_Pieces(pieces)), "utf-8-sig", errors="surrogateescape", newline=""
        )
        self._read(read_rows(text, delimiter), column, has_header, identifier_type, rows_max)

    def _read(
        self, rows: Iterable[Row], column: str, has_header: bool | None, identifier_type: str, rows_max: int
    ) -> None:
        layout: Layout | None = None
        if has_header is False:
            layout_of([], column, has_header, identifier_type)
        cells: list[str] = []
        for row in rows:
            if layout is None:
                layout = layout_of(row.cells, column, has_header, identifier_type)
                self.has_header = layout.has_header
                if layout.has_header:
                    continue
            if self.rows >= rows_max:
                raise LimitExceeded("batch_rows", rows_max)
            cell = layout.cell(row)
            if cell is None:
                self.malformed[self.rows] = _WRONG_CELLS
            cells.append(cell or "")
            self.lines.append(row.line)
            self.rows += 1
            if len(cells) == _CHUNK_ROWS:
                self.chunks.append(Texts.of(cells))
                cells = []
        self.chunks.append(Texts.of(cells))


def read_rows(text: TextIO, delimiter: str) -> Iterator[Row]:
    """The rows of a CSV file, blank lines left out. Raises InvalidArgument where it cannot be read any further."""
    rows = csv.reader(text, delimiter=delimiter)
    line = 1
    try:
        for cells in rows:
            if cells:
                yield Row(line, cells)
            line = rows.line_num + 1
    except csv.Error as error:
        raise InvalidArgument(
            f"line {rows.line_num:,} of the file cannot be read as CSV", path="chunk"
        ) from error


def layout_of(first: list[str], column: str, has_header: bool | None, identifier_type: str) -> Layout:
    """What the first row says of a file.

    Unless it is said, the row is a header where the column asked for stands in it, or where the cell to read is what
    such a column is called: a key would have to be called so to be taken for one. Raises InvalidArgument where the
    column is not there.
    """
    number = 1 if not column else int(column) if _is_number(column) else 0
    if has_header is None:
        names = _NAMES | ({identifier_type.casefold()} if identifier_type else set())
        called = first[number - 1].strip().casefold() if 0 < number <= len(first) else ""
        if called in names and column not in first:
            return Layout(True, number - 1, len(first))
        has_header = column in first or not number
    if not has_header:
        if not number:
            raise InvalidArgument("without a header a column is its number, from 1", path="options.column")
        return Layout(False, number - 1, len(first))
    if column and first.count(column) != 1:
        raise InvalidArgument("the header has no such column, or several", path="options.column")
    return Layout(True, first.index(column) if column else 0, len(first))


def _is_number(column: str) -> bool:
    return column.isascii() and column.isdigit() and 0 < int(column) < 10_000
