"""Batches sent row by row, turned into columns: convenient for few rows; many rows are better sent as
columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import InvalidArgument
from headcount_engine.model import batches
from headcount_engine.model.batches import I64, Change, Mask, Texts
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import Cell, Date, Instant, Kind, Point, ValueType
from headcount_server.wire import messages
from headcount_server.wire.columns import as_identifier, consent_name
from headcount_server.wire.fields import instant_us
from headcount_server.wire.values import cell_of, decimal_digits

KnownTypes = Callable[[], Mapping[str, ValueType]]
"""Types of the attributes that exist; asked only when a null has no other type to go by."""


@dataclass(slots=True)
class _Sparse:
    """Cells of one column by row; None makes absent."""

    cells: dict[int, Cell | None] = field(default_factory=dict)

    def put(self, row: int, cell: Cell | None, path: str) -> None:
        if row in self.cells:
            raise InvalidArgument("given twice in one row", path=path)
        self.cells[row] = cell


class _Columns:
    """Gathers cells row by row. A name whose values are of two kinds becomes two columns, each present in
    its rows; which of them fits the schema is decided at admission, row by row."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._typed: dict[tuple[Change, str, Kind], _Sparse] = {}
        self._nulls: dict[str, _Sparse] = {}

    def put(self, name: str, row: int, cell: Cell | None, path: str, change: Change = Change.SET) -> None:
        if cell is None:
            self._nulls.setdefault(name, _Sparse()).put(row, None, path)
        else:
            self._typed.setdefault((change, name, _kind(cell)), _Sparse()).put(row, cell, path)

    def finish(self, known_types: KnownTypes) -> list[batches.Column]:
        """In the order set, increment, remove, add."""
        for name, nulls in self._nulls.items():
            kind = next((k for c, n, k in self._typed if n == name and c is Change.SET), None)
            if kind is None:
                type_ = known_types().get(name)
                if type_ is None:
                    continue  # Nobody has such an attribute, so it is absent already.
                kind = type_.kind
            home = self._typed.setdefault((Change.SET, name, kind), _Sparse())
            for row in nulls.cells:
                home.put(row, None, f"attributes.{name}")
        return [
            _column(name, kind, change, sparse.cells, self._rows)
            for wanted in (Change.SET, Change.INCREMENT, Change.REMOVE, Change.ADD)
            for (change, name, kind), sparse in self._typed.items()
            if change is wanted
        ]


class _Instants:
    """When answers about topics were given, by the column that holds them."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._given: dict[str, I64] = {}

    def put(self, name: str, row: int, us: int) -> None:
        if name not in self._given:
            self._given[name] = np.full(self._rows, batches.NOT_SAID, dtype=np.int64)
        self._given[name][row] = us

    def onto(self, column: batches.Column) -> batches.Column:
        """The column with the instants of its answers, if any has one."""
        given = self._given.get(column.name)
        return column if given is None else replace(column, given_us=given)


def _kind(cell: Cell) -> Kind:
    match cell:
        case bool():
            return Kind.BOOL
        case int():
            return Kind.INT
        case Decimal():
            return Kind.DECIMAL
        case float():
            return Kind.FLOAT
        case str():
            return Kind.TEXT
        case frozenset():
            return Kind.TEXT_SET
        case Instant():
            return Kind.INSTANT
        case Date():
            return Kind.DATE
        case Point():
            return Kind.POINT


def _column(
    name: str, kind: Kind, change: Change, cells: Mapping[int, Cell | None], rows: int
) -> batches.Column:
    given = {row: cell for row, cell in cells.items() if cell is not None}
    present: Mask | None = None
    if len(cells) < rows:
        present = _flags(cells, rows)
    unset = (
        _flags([row for row, cell in cells.items() if cell is None], rows)
        if len(given) < len(cells)
        else None
    )
    digits = max((decimal_digits(c) for c in given.values() if isinstance(c, Decimal)), default=0)
    values: NDArray[np.generic] | Texts
    offsets: I64 | None = None
    if kind is Kind.TEXT:
        values = Texts.of([cell if isinstance(cell := given.get(row), str) else "" for row in range(rows)])
    elif kind is Kind.TEXT_SET:
        elements = [sorted(c) if isinstance(c := given.get(row), frozenset) else [] for row in range(rows)]
        values = Texts.of([text for texts in elements for text in texts])
        offsets = np.zeros(rows + 1, dtype=np.int64)
        np.cumsum([len(texts) for texts in elements], out=offsets[1:])
    else:
        values = np.zeros((rows, 2) if kind is Kind.POINT else rows, dtype=_DTYPES[kind])
        for row, cell in given.items():
            values[row] = _number(cell, digits, name)
    return batches.Column(name, ValueType(kind, digits), values, present, unset, change, offsets)


_DTYPES: dict[Kind, type[np.generic]] = {
    Kind.BOOL: np.uint8,
    Kind.INT: np.int64,
    Kind.DECIMAL: np.int64,
    Kind.FLOAT: np.float64,
    Kind.INSTANT: np.int64,
    Kind.DATE: np.int32,
    Kind.POINT: np.float64,
}


def _flags(rows: Iterable[int], count: int) -> Mask:
    flags = np.zeros(count, dtype=np.bool_)
    flags[list(rows)] = True
    return flags


def _number(cell: Cell, digits: int, path: str) -> bool | int | float | tuple[float, float]:
    match cell:
        case bool() | float() | int():
            return cell
        case Decimal():
            unscaled = int(cell.scaleb(digits))
            if not -(1 << 63) <= unscaled < 1 << 63:
                raise InvalidArgument("a decimal beyond 64 bits at the digits of its column", path=path)
            return unscaled
        case Instant(us):
            return us
        case Date(days):
            return days
        case Point(latitude, longitude):
            return latitude, longitude
        case _:
            raise InvalidArgument("a value of another kind than its column", path=path)


def profile_rows(
    rows: Sequence[messages.ProfileRow],
    path: str,
    known_types: KnownTypes,
    *,
    create: bool,
    all_or_nothing: bool,
) -> batches.ProfileBatch:
    """A batch of these rows."""
    attributes, identifiers = _Columns(len(rows)), _Columns(len(rows))
    answered = _Instants(len(rows))
    for i, row in enumerate(rows):
        at = f"{path}[{i}]"
        for j, consent in enumerate(row.consents):
            name = consent_name(consent.topic, f"{at}.consents[{j}].topic")
            attributes.put(name, i, consent.subscribed, f"{at}.consents[{j}]")
            if consent.HasField("time"):
                answered.put(name, i, instant_us(consent.time, f"{at}.consents[{j}].time"))
        for name, value in row.attributes.items():
            attributes.put(name, i, cell_of(value, f"{at}.attributes.{name}"), f"{at}.attributes.{name}")
        for name in row.unset_attributes:
            attributes.put(name, i, None, f"{at}.unset_attributes")
        for name, value in row.increments.items():
            step = cell_of(value, f"{at}.increments.{name}")
            if step is None:
                raise InvalidArgument("null cannot be added", path=f"{at}.increments.{name}")
            attributes.put(name, i, step, f"{at}.increments.{name}", Change.INCREMENT)
        _put_sets(attributes, row, i, at)
        for identifier in row.identifiers:
            identifiers.put(identifier.type, i, identifier.value, f"{at}.identifiers")
        for name in row.identifiers_removed:
            identifiers.put(name, i, None, f"{at}.identifiers_removed")
    columns = [answered.onto(column) for column in attributes.finish(known_types)]
    columns.extend(as_identifier(c) for c in identifiers.finish(known_types))
    return batches.ProfileBatch(Texts.of([row.key for row in rows]), tuple(columns), create, all_or_nothing)


def _put_sets(columns: _Columns, row: messages.ProfileRow, i: int, at: str) -> None:
    for name, elements in row.elements_removed.items():
        columns.put(name, i, frozenset(elements.texts), f"{at}.elements_removed.{name}", Change.REMOVE)
    for name, elements in row.elements_added.items():
        columns.put(name, i, frozenset(elements.texts), f"{at}.elements_added.{name}", Change.ADD)
    for name, change, texts in (
        (TAGS, Change.REMOVE, row.tags_removed),
        (TAGS, Change.ADD, row.tags_added),
        (CHANNELS, Change.REMOVE, row.channels_removed),
        (CHANNELS, Change.ADD, row.channels_added),
    ):
        if texts:
            columns.put(name, i, frozenset(texts), at, change)


def event_rows(
    rows: Sequence[messages.EventRow], path: str, *, create: bool, all_or_nothing: bool
) -> batches.EventBatch:
    """A batch of these rows, in their order. A null property is an absent one."""
    properties = _Columns(len(rows))
    times = np.zeros(len(rows), dtype=np.int64)
    for i, row in enumerate(rows):
        at = f"{path}[{i}]"
        if not row.HasField("time"):
            raise InvalidArgument("an event has an instant", path=f"{at}.time")
        times[i] = instant_us(row.time, f"{at}.time")
        for name, value in row.properties.items():
            cell = cell_of(value, f"{at}.properties.{name}")
            if cell is not None:
                properties.put(name, i, cell, f"{at}.properties.{name}")
    has_ids = any(row.event_id for row in rows)
    return batches.EventBatch(
        keys=Texts.of([row.key for row in rows]),
        names=Texts.of([row.event_name for row in rows]),
        times_us=times,
        properties=tuple(properties.finish(dict)),
        event_ids=Texts.of([row.event_id for row in rows]) if has_ids else None,
        create=create,
        all_or_nothing=all_or_nothing,
    )
