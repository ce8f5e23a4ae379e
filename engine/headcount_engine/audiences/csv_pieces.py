"""Rows as CSV (RFC 4180, lines end with a line feed) that a spreadsheet takes for what it is.

A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection): those that begin
with = + - @, a tab, a carriage return or a line feed, or with the full-width form of one of the signs. Numbers are
numbers and stay as they are. An absent value is an empty cell, an empty text a quoted one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from headcount_engine.audiences.cells import Picked
from headcount_engine.audiences.spelling import spelled
from headcount_engine.model.batches import Texts
from headcount_engine.model.values import Kind

FORMULA_STARTS: Final = "=+-@\t\r\n＝＋－＠"
_NEEDS_QUOTES: Final = re.compile('[",;\t\r\n]|^ | $')
"""Semicolons and tabs too: they part cells where a spreadsheet is set so."""
_LIST_SEPARATOR = "|"
_TEXTS = frozenset({Kind.TEXT, Kind.TEXT_SET})


class CsvPieces:
    """A header, and a line a profile."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def start(self) -> bytes:
        return (",".join(map(text_cell, self._names)) + "\n").encode()

    def rows(self, keys: Texts, columns: Sequence[Picked]) -> bytes:
        cells = [[text_cell(key) for key in keys.to_list()]]
        cells += [_column(column) for column in columns]
        lines = [",".join(line) for line in zip(*cells, strict=True)]
        lines.append("")
        return "\n".join(lines).encode()

    def end(self) -> bytes:
        return b""


def text_cell(text: str) -> str:
    """A text as a cell: no formula, quoted where it must be."""
    if not text:
        return '""'
    if text[0] in FORMULA_STARTS:
        text = f"'{text}"
    return quoted(text) if _NEEDS_QUOTES.search(text) else text


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _column(column: Picked) -> list[str]:
    spell: Callable[[str], str] = text_cell if column.type.kind in _TEXTS else _number_cell
    return ["" if text is None else spell(text) for text in spelled(column, _LIST_SEPARATOR)]


def _number_cell(text: str) -> str:
    """Numbers, instants, dates and points begin with nothing that a formula could hide behind."""
    return quoted(text) if "," in text else text
