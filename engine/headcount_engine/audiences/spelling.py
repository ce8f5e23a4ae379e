"""Values of a picked column as text, one spelling for every kind: the one that loading reads back as the same value."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import assert_never

import numpy as np

from headcount_engine.audiences.cells import Picked
from headcount_engine.indexes.attributes import to_cell
from headcount_engine.model.instants import format_date, format_instant
from headcount_engine.model.values import Cell, Kind


def spelled(column: Picked, separator: str) -> list[str | None]:
    """A text a row, None where there is no value; elements of a set in order, parted by `separator`."""
    kind = column.type.kind
    match kind:
        case Kind.BOOL | Kind.TEXT | Kind.TEXT_SET:
            return coded(column, lambda cell: _coded_text(cell, separator))
        case Kind.INT:
            return plain(column, str)
        case Kind.DECIMAL:
            digits = column.type.digits
            return plain(column, lambda unscaled: decimal_text(int(unscaled), digits))
        case Kind.FLOAT:
            return plain(column, repr)
        case Kind.INSTANT:
            return plain(column, lambda us: format_instant(int(us)))
        case Kind.DATE:
            return plain(column, lambda days: format_date(int(days)))
        case Kind.POINT:
            return points(column, ",")
        case _:
            assert_never(kind)


def coded(column: Picked, spell: Callable[[Cell | None], str]) -> list[str | None]:
    """Spelt once for each distinct value among the rows."""
    codes, places = np.unique(column.stored, return_inverse=True)
    texts = [
        spell(to_cell(code, column.type, column.dictionary)) if code else None for code in codes.tolist()
    ]
    found: list[str | None] = np.array(texts, dtype=object)[places].tolist()
    return found


def plain(column: Picked, spell: Callable[[int | float], str]) -> list[str | None]:
    """Spelt row by row."""
    values, there = column.stored.tolist(), column.present.tolist()
    return [spell(value) if is_there else None for value, is_there in zip(values, there, strict=True)]


def points(column: Picked, separator: str) -> list[str | None]:
    """Latitude and longitude."""
    values, there = column.stored.tolist(), column.present.tolist()
    return [
        separator.join(map(_degrees, value)) if is_there else None
        for value, is_there in zip(values, there, strict=True)
    ]


def _degrees(value: float) -> str:
    """Without an exponent, which coordinates are not written with."""
    return format(Decimal(repr(value)), "f")


def decimal_text(unscaled: int, digits: int) -> str:
    """All digits: 1250 with two is 12.50."""
    if not digits:
        return str(unscaled)
    whole, part = divmod(abs(unscaled), 10**digits)
    return f"{'-' if unscaled < 0 else ''}{whole}.{part:0{digits}d}"


def _coded_text(cell: Cell | None, separator: str) -> str:
    match cell:
        case bool():
            return "true" if cell else "false"
        case frozenset():
            return separator.join(sorted(cell))
        case _:
            return str(cell)
