"""Attributes of profiles: each a definition, a column and, where values are coded, a dictionary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from headcount_engine.indexes.columns import Column, ColumnView
from headcount_engine.indexes.dictionaries import TRUE_CODE, Dictionary, SetDictionary, TextDictionary
from headcount_engine.model.batches import I64, U32
from headcount_engine.model.schema import CHANNELS, TAGS, AttributeDefinition
from headcount_engine.model.values import Cell, Date, Instant, Kind, Point, ValueType

_LEAST = {
    Kind.BOOL: "uint8",
    Kind.TEXT: "uint8",
    Kind.TEXT_SET: "uint8",
    Kind.INT: "int8",
    Kind.DECIMAL: "int8",
    Kind.DATE: "int32",
    Kind.INSTANT: "int64",
    Kind.FLOAT: "float64",
    Kind.POINT: "float64",
}


def wide_dtype(kind: Kind) -> np.dtype[Any]:
    """The dtype in which values of a kind are staged: u32 codes, i64, f64."""
    if kind in (Kind.FLOAT, Kind.POINT):
        return np.dtype("float64")
    return np.dtype("uint32") if kind in (Kind.TEXT, Kind.TEXT_SET, Kind.BOOL) else np.dtype("int64")


def new_dictionary(kind: Kind) -> Dictionary | None:
    """A dictionary for kinds that need one (a bool's two codes are fixed)."""
    if kind is Kind.TEXT:
        return TextDictionary()
    return SetDictionary() if kind is Kind.TEXT_SET else None


def to_cell(
    stored: int | float | tuple[float, float] | None, type_: ValueType, dictionary: Dictionary | None
) -> Cell | None:
    """A stored value as Python users see it."""
    if stored is None:
        return None
    if isinstance(stored, tuple):
        return Point(*stored)
    match type_.kind:
        case Kind.BOOL:
            return stored == TRUE_CODE
        case Kind.TEXT | Kind.TEXT_SET:
            assert dictionary is not None
            return dictionary.value(int(stored))
        case Kind.DECIMAL:
            return Decimal(int(stored)).scaleb(-type_.digits)
        case Kind.INSTANT:
            return Instant(int(stored))
        case Kind.DATE:
            return Date(int(stored))
        case Kind.INT:
            return int(stored)
        case _:
            return float(stored)


@dataclass(frozen=True, slots=True, eq=False)
class AttributeView:
    """One attribute at one version; `entries` is the length of its dictionary then."""

    definition: AttributeDefinition
    column: ColumnView
    dictionary: Dictionary | None
    entries: int

    def cell(self, profile: int) -> Cell | None:
        """The value of one profile."""
        return to_cell(self.column.get(profile), self.definition.type, self.dictionary)


class Attribute:
    """One attribute of every profile. `owners` of an identifier: profile by code, u32 + 1, 0 for nobody."""

    def __init__(self, definition: AttributeDefinition) -> None:
        kind = definition.type.kind
        self.definition = definition
        self.column = Column(np.dtype(_LEAST[kind]), is_point=kind is Kind.POINT)
        self.dictionary = new_dictionary(kind)
        self.owners = np.zeros(0, dtype=np.uint32)
        self.leads: dict[int, int] = {}
        """Identifier codes that lead to a profile (+ 1) which has another as its value: those of merged profiles."""

    def pin(self, version: int) -> AttributeView:
        """A view that stays true until `unpin`. Under the database's gate."""
        return self._view(self.column.pin(version))

    def unpin(self) -> None:
        self.column.unpin()

    def view(self) -> AttributeView:
        return self._view(self.column.view())

    def _view(self, column: ColumnView) -> AttributeView:
        entries = 0 if self.dictionary is None else len(self.dictionary)
        return AttributeView(self.definition, column, self.dictionary, entries)

    def owner_of(self, code: int) -> int:
        """The profile that an identifier names, or -1."""
        return int(self.owners[code]) - 1 if 0 < code < len(self.owners) else -1

    def own(self, codes: I64, profile_plus_one: U32) -> None:
        """Enter (or with 0 take out) the owners of identifier codes."""
        if len(codes) and int(codes.max()) >= len(self.owners):
            grown = np.zeros(max(2 * len(self.owners), int(codes.max()) + 1), dtype=np.uint32)
            grown[: len(self.owners)] = self.owners
            self.owners = grown
        self.owners[codes] = profile_plus_one
        if self.leads:
            for code in codes.tolist():
                self.leads.pop(code, None)

    def lead(self, codes: I64, profile_plus_one: U32) -> None:
        """As `own`, for identifiers that are not the value of the profile they name."""
        self.own(codes, profile_plus_one)
        self.leads.update(zip(codes.tolist(), profile_plus_one.tolist(), strict=True))

    @property
    def nbytes(self) -> int:
        return (
            self.column.nbytes
            + self.owners.nbytes
            + (0 if self.dictionary is None else self.dictionary.nbytes)
        )


class AttributeStore:
    """All attributes by name; tags and channels are two sets that are always there."""

    def __init__(self) -> None:
        self._held: dict[str, Attribute] = {}
        for name in (TAGS, CHANNELS):
            self.put(Attribute(AttributeDefinition(name, ValueType(Kind.TEXT_SET))))

    def put(self, attribute: Attribute) -> None:
        """Enter an attribute of a new name. Readers that iterate keep the mapping they have."""
        self._held = {**self._held, attribute.definition.name: attribute}

    def get(self, name: str) -> Attribute | None:
        return self._held.get(name)

    def all(self) -> Mapping[str, Attribute]:
        return self._held

    @property
    def nbytes(self) -> int:
        return sum(a.nbytes for a in self._held.values())
