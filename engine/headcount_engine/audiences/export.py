"""Members with chosen attributes as a file in pieces: CSV, JSON Lines, or a form that the caller brings.

Memory is that of one piece, whatever the size. The attributes stay pinned until the export ends, so every row is of
one version: a writer copies a block that it changes meanwhile, once. Whoever makes an export closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.audiences.cells import KEY_COLUMN, Picked, chosen, pick
from headcount_engine.audiences.csv_pieces import CsvPieces
from headcount_engine.audiences.json_pieces import JsonPieces
from headcount_engine.audiences.standing import Standing
from headcount_engine.bitmaps import Bitmap
from headcount_engine.errors import InvalidArgument, OutOfRange
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import Texts
from headcount_engine.model.values import ValueType

TEXT_ROWS = 4_096
"""Rows of a piece of CSV or JSON Lines: some 10 ms of Python, and with ten attributes some 400 KB."""

TEXT_BYTES_MAX = 1 << 20
"""Of such a piece, unless a single row is longer."""


class Pieces(Protocol):
    """Makes the bytes of a file, rows at a time."""

    def start(self) -> bytes:
        """What comes before all rows."""
        ...

    def rows(self, keys: Texts, columns: Sequence[Picked]) -> bytes: ...

    def end(self) -> bytes:
        """What comes after them."""
        ...


@dataclass(frozen=True, slots=True)
class FileForm:
    """A kind of file. `pieces` gets the names of the columns, the key's first, and the types of all but the key.

    `rows`: how many a piece takes. `is_lines`: rows are whole in every piece and need nothing before or after them, so
    that a file can be taken up in the middle.
    """

    pieces: Callable[[Sequence[str], Sequence[ValueType]], Pieces]
    rows: int
    is_lines: bool


CSV: Final = FileForm(lambda names, _: CsvPieces(names), TEXT_ROWS, is_lines=True)
JSON_LINES: Final = FileForm(lambda names, _: JsonPieces(names), TEXT_ROWS, is_lines=True)


@dataclass(frozen=True, slots=True)
class Piece:
    """The next bytes of the file. `next_offset`: how many members are behind them."""

    data: bytes
    next_offset: int


class Export:
    """One file on its way: iterate over its pieces once, and close it. `size`: members in all, those skipped included.

    `version` and `now_us` are those of the attributes, and of the members unless these were resolved before.
    """

    def __init__(
        self,
        view: ReadView,
        release: Callable[[], None],
        members: Bitmap,
        form: FileForm,
        names: Sequence[str],
        offset: int,
        now_us: int,
        deadline: Deadline,
    ) -> None:
        """`release` ends a hold on the view when the export is closed. Raises InvalidArgument, OutOfRange."""
        if offset and not form.is_lines:
            raise InvalidArgument("a file of this kind cannot be taken up in the middle", path="offset")
        if not 0 <= offset <= len(members):
            raise OutOfRange(f"there are {len(members):,} members, so none at {offset:,}")
        self.size = len(members)
        self.version = view.version
        self.now_us = now_us
        self._view = view
        self._members = members
        self._standing = Standing(members, view.population)
        self._attributes = chosen(view, names)
        definitions = [a.definition for a in self._attributes]
        self._pieces = form.pieces(column_names([d.name for d in definitions]), [d.type for d in definitions])
        self._form = form
        self._offset = offset
        self._deadline = deadline
        self._release: Callable[[], None] | None = release

    def __iter__(self) -> Iterator[Piece]:
        """The pieces; rows are whole where the form is of lines. Raises DeadlineExceeded, Cancelled."""
        offset = self._offset
        head = self._pieces.start() if not offset else b""
        if head or offset == self.size:
            yield Piece(head, offset)
        rows = self._form.rows
        while offset < self.size:
            self._deadline.check()
            data = self._piece(offset, rows)
            while self._form.is_lines and len(data) > TEXT_BYTES_MAX and rows > 1:
                rows = max(1, rows * TEXT_BYTES_MAX // (2 * len(data)))
                data = self._piece(offset, rows)
            offset = min(offset + rows, self.size)
            yield Piece(data, offset)
        tail = self._pieces.end()
        if tail:
            yield Piece(tail, offset)

    def _piece(self, offset: int, rows: int) -> bytes:
        part = self._standing.of(self._members[offset : offset + rows])
        ids = bitmaps.to_ids(part).astype(np.int64)
        return self._pieces.rows(self._view.keys_at(ids), pick(self._attributes, ids))

    def close(self) -> None:
        """Let go of the attributes; may be called twice."""
        release, self._release = self._release, None
        if release is not None:
            release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def column_names(attributes: Sequence[str]) -> list[str]:
    """The key's column first: `key`, or where an attribute has that name, `profile_key`, `profile_profile_key` ..."""
    key = KEY_COLUMN
    while key in attributes:
        key = f"profile_{key}"
    return [key, *attributes]
