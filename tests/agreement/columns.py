"""Rows as Python has them, laid out as the columns that a batch is made of."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from headcount_engine.model.batches import Change, Column, EventBatch, ProfileBatch, Texts
from headcount_engine.model.values import Cell, Date, Instant, Kind, Point, ValueType
from tests.oracle.comparing import kind_of


class Missing(enum.Enum):
    """A row that says nothing about a column; None says that there is no value."""

    MISSING = "missing"


MISSING = Missing.MISSING
Given = Cell | None | Missing

_FILLERS: dict[Kind, Cell] = {
    Kind.BOOL: False, Kind.INT: 0, Kind.DECIMAL: Decimal(0), Kind.FLOAT: 0.0, Kind.TEXT: "", Kind.TEXT_SET: frozenset(),
    Kind.INSTANT: Instant(0), Kind.DATE: Date(0), Kind.POINT: Point(0.0, 0.0),
}  # fmt: skip
_DTYPES = {
    Kind.BOOL: np.bool_,
    Kind.INT: np.int64,
    Kind.DECIMAL: np.int64,
    Kind.FLOAT: np.float64,
    Kind.INSTANT: np.int64,
    Kind.DATE: np.int32,
    Kind.POINT: np.float64,
}


def type_of(cell: Cell, declared: ValueType | None = None) -> ValueType:
    """The type in which a cell travels: its own kind, decimals with the declared digits where these hold it."""
    if not isinstance(cell, Decimal):
        return ValueType(kind_of(cell))
    exponent = cell.as_tuple().exponent
    digits = max(0, -exponent) if isinstance(exponent, int) else 0
    if declared is not None and declared.kind is Kind.DECIMAL:
        digits = max(digits, declared.digits)
    return ValueType(Kind.DECIMAL, digits)


def _plain(cell: Cell, type_: ValueType) -> bool | int | float | tuple[float, float]:
    match cell:
        case Instant(us):
            return us
        case Date(days):
            return days
        case Point(latitude, longitude):
            return latitude, longitude
        case Decimal():
            return int(cell.scaleb(type_.digits))
        case bool() | int() | float():
            return cell
        case _:
            raise TypeError("texts and sets are not plain")


def column(
    name: str,
    type_: ValueType | Kind,
    cells: Sequence[Given],
    *,
    change: Change = Change.SET,
    is_identifier: bool = False,
) -> Column:
    """One column; the cells are of its kind, MISSING or None."""
    if isinstance(type_, Kind):
        type_ = ValueType(type_)
    present = np.array([cell is not MISSING and cell is not None for cell in cells], dtype=np.bool_)
    unset = np.array([cell is None for cell in cells], dtype=np.bool_)
    filled = [_FILLERS[type_.kind] if cell is MISSING or cell is None else cell for cell in cells]
    offsets = None
    values: NDArray[np.generic] | Texts
    if type_.kind is Kind.TEXT:
        values = Texts.of([str(cell) for cell in filled])
    elif type_.kind is Kind.TEXT_SET:
        elements = [sorted(cell) for cell in filled if isinstance(cell, frozenset)]
        values = Texts.of([text for row in elements for text in row])
        offsets = np.append(0, np.cumsum([len(row) for row in elements])).astype(np.int64)
    else:
        values = np.array([_plain(cell, type_) for cell in filled], dtype=_DTYPES[type_.kind])
        if type_.kind is Kind.POINT:
            values = values.reshape(len(filled), 2)
    return Column(
        name, type_, values, None if present.all() else present, unset if unset.any() else None, change, offsets,
        is_identifier,
    )  # fmt: skip


def columns(rows: Sequence[Mapping[str, Cell | None]], types: Mapping[str, ValueType]) -> tuple[Column, ...]:
    """One column for each name that a row names, of the given types."""
    names = sorted({name for row in rows for name in row})
    return tuple(column(name, types[name], [row.get(name, MISSING) for row in rows]) for name in names)


def profiles(
    keys: Sequence[str],
    *held: Column,
    create: bool = True,
    all_or_nothing: bool = False,
    recreate: bool = False,
) -> ProfileBatch:
    """A batch of profiles."""
    return ProfileBatch(Texts.of(keys), held, create, all_or_nothing, recreate)


def events(
    keys: Sequence[str],
    names: str | Sequence[str],
    times_us: Sequence[int],
    *held: Column,
    create: bool = True,
    all_or_nothing: bool = False,
    event_ids: Sequence[str] | None = None,
) -> EventBatch:
    """A batch of events."""
    return EventBatch(
        Texts.of(keys),
        names if isinstance(names, str) else Texts.of(names),
        np.array(times_us, dtype=np.int64),
        held,
        None if event_ids is None else Texts.of(event_ids),
        create,
        all_or_nothing,
    )
