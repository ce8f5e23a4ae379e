"""Chosen attributes of some members: columns as they are stored, and cells as people see them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine.conditions.text.names import suggest
from headcount_engine.errors import InvalidArgument
from headcount_engine.indexes.attributes import AttributeView, to_cell
from headcount_engine.indexes.dictionaries import Dictionary
from headcount_engine.indexes.predicates import Present, Stored, passes
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.batches import I64, Mask
from headcount_engine.model.values import Cell, ValueType

KEY_COLUMN = "key"


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """One attribute of some profiles: `stored` as in its column, `present` where there is a value."""

    name: str
    type: ValueType
    stored: Stored
    present: Mask
    dictionary: Dictionary | None

    def cells(self) -> list[Cell | None]:
        """A value a profile. For pages and pieces, not for whole audiences."""
        out: list[Cell | None] = [None] * len(self.stored)
        decoded: dict[int, Cell | None] = {}
        for row in np.flatnonzero(self.present).tolist():
            if self.dictionary is None:
                out[row] = to_cell(_plain(self.stored[row]), self.type, None)
                continue
            code = int(self.stored[row])
            if code not in decoded:
                decoded[code] = to_cell(code, self.type, self.dictionary)
            out[row] = decoded[code]
        return out


def _plain(stored: np.generic | Stored) -> int | float | tuple[float, float]:
    if isinstance(stored, np.ndarray):
        return float(stored[0]), float(stored[1])
    plain: int | float = stored.item()
    return plain


def chosen(view: ReadView, names: Sequence[str]) -> tuple[AttributeView, ...]:
    """The pinned attributes of these names, in that order. Raises InvalidArgument for one not there, or there twice."""
    found: list[AttributeView] = []
    for place, name in enumerate(names):
        attribute = view.attribute(name)
        if attribute is None:
            near = suggest(name, [n for n in view.attribute_names() if not n.startswith("$")])
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
            raise InvalidArgument(f"there is no attribute {name!r}{hint}", path=f"attributes[{place}]")
        if name in names[:place]:
            raise InvalidArgument(f"attribute {name!r} is named twice", path=f"attributes[{place}]")
        found.append(attribute)
    return tuple(found)


def pick(attributes: Iterable[AttributeView], ids: I64) -> tuple[Picked, ...]:
    """These attributes of these profiles, ids ascending."""
    return tuple(_picked(attribute, ids) for attribute in attributes)


def _picked(attribute: AttributeView, ids: I64) -> Picked:
    stored = attribute.column.gather(ids)
    definition = attribute.definition
    return Picked(definition.name, definition.type, stored, passes(Present(), stored), attribute.dictionary)
