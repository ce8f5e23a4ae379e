"""When two property values are the same one: numbers by value whatever their type, everything else by kind and value.

Values become integer keys: equal keys, equal values. Used to count different values and to tell keyed ones apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from headcount_engine.conditions.fields import Field
from headcount_engine.indexes.attributes import to_cell
from headcount_engine.indexes.dictionaries import SetDictionary
from headcount_engine.indexes.predicates import Stored, absent_value
from headcount_engine.model.batches import I64
from headcount_engine.model.values import Cell, Kind, Point

_Same = tuple[str, Fraction | Cell]


def identity_of(cell: Cell) -> _Same:
    """What two equal values have in common."""
    if isinstance(cell, int | Decimal | float) and not isinstance(cell, bool):
        return "number", Fraction(cell)
    return type(cell).__name__, cell


class Identity:
    """Keys for the values of one property over several sources, in each of which it may have another type."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(fields)
        self._is_uniform = len({f.type for f in fields}) <= 1 and all(
            f.type.kind is not Kind.POINT for f in fields
        )
        self._numbered: dict[_Same, int] = {}

    def keys(self, values: Stored, source: int) -> tuple[I64, I64]:
        """(positions that have a value, ascending; the key of each); a set gives its position for each element.

        Of one type the stored values serve as keys; of several, each distinct value is looked at once.
        """
        field = self._fields[source]
        if isinstance(field.dictionary, SetDictionary):
            sets = field.dictionary
            pairs = sets.pairs_of(np.ascontiguousarray(values, dtype=np.uint32))
            rows, elements = pairs >> 32, pairs & 0xFFFFFFFF
            if self._is_uniform:
                return rows, elements
            return rows, self._number(elements, lambda e: ("str", sets.elements[e].decode()))
        if values.ndim == 2:
            rows = np.flatnonzero(~np.isnan(values[:, 0]))
            points = np.ascontiguousarray(values[rows] + 0.0).view(np.complex128)[:, 0]
            return rows, self._number(points, lambda p: ("Point", Point(p.real, p.imag)))
        absent = np.isnan(values) if values.dtype.kind == "f" else values == absent_value(values.dtype)
        rows = np.flatnonzero(~absent)
        held = values[rows]
        if self._is_uniform:
            return rows, (held + 0.0).view(np.int64) if held.dtype.kind == "f" else held.astype(np.int64)
        return rows, self._number(held, lambda v: identity_of(_cell(v, field)))

    def _number(self, values: Stored, same: Callable[[Any], _Same]) -> I64:
        unique, inverse = np.unique(values, return_inverse=True)
        numbers = [self._numbered.setdefault(same(v), len(self._numbered)) for v in unique.tolist()]
        return np.array(numbers, dtype=np.int64)[inverse]


def _cell(stored: int | float, field: Field) -> Cell:
    cell = to_cell(stored, field.type, field.dictionary)
    assert cell is not None
    return cell
