"""Rows as JSON Lines: an object a profile, without the attributes that it does not have.

Decimals are JSON numbers with all their digits, instants and dates ISO 8601, sets and points arrays.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import assert_never

from headcount_engine.audiences.cells import Picked
from headcount_engine.audiences.spelling import coded, points, spelled
from headcount_engine.model.batches import Texts
from headcount_engine.model.values import Cell, Kind


class JsonPieces:
    """A line a profile, the key first."""

    def __init__(self, names: Sequence[str]) -> None:
        self._labels = [json.dumps(name, ensure_ascii=False) + ": " for name in names]

    def start(self) -> bytes:
        return b""

    def rows(self, keys: Texts, columns: Sequence[Picked]) -> bytes:
        cells: list[list[str | None]] = [[_text(key) for key in keys.to_list()]]
        cells += [_column(column) for column in columns]
        labels = self._labels
        lines = []
        for row in zip(*cells, strict=True):
            members = [label + cell for label, cell in zip(labels, row, strict=True) if cell is not None]
            lines.append("{" + ", ".join(members) + "}\n")
        return "".join(lines).encode()

    def end(self) -> bytes:
        return b""


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _column(column: Picked) -> list[str | None]:
    kind = column.type.kind
    match kind:
        case Kind.TEXT | Kind.TEXT_SET:
            return coded(column, _coded)
        case Kind.POINT:
            return [None if point is None else f"[{point}]" for point in points(column, ", ")]
        case Kind.INSTANT | Kind.DATE:
            return [None if text is None else f'"{text}"' for text in spelled(column, "")]
        case Kind.BOOL | Kind.INT | Kind.DECIMAL | Kind.FLOAT:
            return spelled(column, "")
        case _:
            assert_never(kind)


def _coded(cell: Cell | None) -> str:
    return json.dumps(sorted(cell), ensure_ascii=False) if isinstance(cell, frozenset) else _text(str(cell))
