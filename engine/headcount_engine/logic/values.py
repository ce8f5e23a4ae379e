"""Conditions on one value of a profile or an event as literals: what they say of each other by the value's type.

Numbers, instants, dates and booleans lie on a line of stored values, bound by the same code as for evaluation, so that
what is equal there is equal here. Absent is no point of the line: every bound implies presence. What moves with now
lies on lines of its own.
"""

from __future__ import annotations

import math
import sys
import unicodedata
from collections.abc import Callable, Hashable
from typing import assert_never

from headcount_engine.conditions import fields
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import (
    Anniversary,
    AttributeLeaf,
    Between,
    Compare,
    Exists,
    HasBeen,
    In,
    InWindow,
    IsEmpty,
    Op,
    Semver,
    SetMatch,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
)
from headcount_engine.errors import InvalidRule
from headcount_engine.indexes.dictionaries import FALSE_CODE, TRUE_CODE
from headcount_engine.indexes.predicates import Listed, Nothing, Present, Range
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.logic import edges
from headcount_engine.logic.circuit import FALSE, Circuit, Literal
from headcount_engine.logic.edges import At, Edge, FromNow, Stretch, UnitStart
from headcount_engine.logic.lines import Lines
from headcount_engine.logic.texts import SetLeaves, TextLeaf, TextLeaves
from headcount_engine.model.values import Kind, Text, ValueType

TypeOf = Callable[[str], ValueType | None]
"""The type of an attribute or property; None if it is not known."""

OPERANDS_MAX = 300
"""A list of more is one condition of its own, which nothing is concluded from."""
_EDGES_MAX = 64
"""Edges of windows up to which they are compared pair by pair."""
_LEAST, _MOST = -(1 << 63) + 1, (1 << 63) - 1
_DOMAINS: dict[Kind, tuple[int | float, int | float]] = {
    Kind.BOOL: (FALSE_CODE, TRUE_CODE),
    Kind.INT: (_LEAST, _MOST),
    Kind.DECIMAL: (_LEAST, _MOST),
    Kind.FLOAT: (-sys.float_info.max, sys.float_info.max),
    Kind.INSTANT: (INSTANT_MIN_US, INSTANT_MAX_US),
    Kind.DATE: (_LEAST, _MOST),
}


class Values:
    """Literals of leaves on attributes, or on the properties of events of one type."""

    def __init__(self, circuit: Circuit, lines: Lines, type_of: TypeOf, moment: Moment) -> None:
        self._circuit = circuit
        self._lines = lines
        self._type_of = type_of
        self._moment = moment
        self._present: dict[str, Literal] = {}
        self._opaque: dict[Hashable, Literal] = {}
        self._texts: dict[str, TextLeaves] = {}
        self._sets: dict[str, SetLeaves] = {}
        self._starts: dict[tuple[str, Edge], Literal] = {}

    def literal(self, leaf: AttributeLeaf) -> Literal:
        """What the leaf says; a leaf that does not fit its type, which no rule in use has, says nothing else."""
        name = unicodedata.normalize("NFC", leaf.attribute)
        type_ = self._type_of(name)
        if type_ is None or (isinstance(leaf, In) and len(leaf.operands) > OPERANDS_MAX):
            return self.opaque(leaf)
        try:
            return self._literal(leaf, name, type_)
        except (InvalidRule, OverflowError):
            return self.opaque(leaf)

    def present(self, name: str) -> Literal:
        """There is a value."""
        found = self._present.get(name)
        if found is None:
            found = self._present[name] = self._circuit.variable()
        return found

    def element(self, name: str, element: str) -> Literal:
        """A set has the element."""
        return self._set(name).element(unicodedata.normalize("NFC", element))

    def opaque(self, key: Hashable, guard: Literal | None = None) -> Literal:
        """A literal that is only equal to itself; implies `guard`."""
        found = self._opaque.get(key)
        if found is None:
            found = self._opaque[key] = self._circuit.variable()
            if guard is not None:
                self._circuit.implies(found, guard)
        return found

    def link(self) -> None:
        """Say what the literals given out so far have to do with each other."""
        for texts in self._texts.values():
            texts.link()
        for sets in self._sets.values():
            sets.link()
        starts = list(self._starts.items())
        for (name, edge), literal in starts:
            self._circuit.implies(literal, self.present(name))
            for (other_name, other), implied in starts if len(starts) <= _EDGES_MAX else ():
                if name == other_name and edge != other and edges.is_not_after(other, edge):
                    self._circuit.implies(literal, implied)

    # -------------------------------------------------------------------------------------------- by type

    def _literal(self, leaf: AttributeLeaf, name: str, type_: ValueType) -> Literal:
        match leaf:
            case Exists():
                return self.present(name)
            case WithinRadius(_, center, radius_m):
                return self._nested(("near", name, center), float(radius_m.value), name)
            case WithinBox():
                return self.opaque(leaf, self.present(name))
            case Anniversary(_, in_next_days, zone):
                if in_next_days == 0:
                    return self.opaque(leaf, self.present(name))
                return self._nested(("anniversary", name, zone or self._moment.zone), in_next_days, name)
            case InWindow(_, window):
                is_date = type_.kind is Kind.DATE
                if not is_date and type_.kind is not Kind.INSTANT:
                    return self.opaque(leaf)
                stretch = (edges.of_dates if is_date else edges.of_instants)(window, self._moment)
                return self._inside(name, type_.kind, stretch)
            case HasBeen():
                return self._has_been(leaf, name, type_)
            case _ if type_.kind is Kind.TEXT:
                return self._of_texts(leaf, self._text(name), name)
            case _ if type_.kind is Kind.TEXT_SET:
                return self._of_texts(leaf, self._set(name), name)
            case Compare() | In() | Between() | IsEmpty():
                return self._stored(leaf, name, type_)
            case TextMatch() | Semver() | SetMatch() | SizeCompare():
                return self.opaque(leaf)
            case _:
                assert_never(leaf)

    def _nested(self, key: Hashable, size: float, name: str) -> Literal:
        """A condition that holds wherever the same with a smaller size does."""
        return self._lines.at_least(key, -size, self.present(name))

    def _has_been(self, leaf: HasBeen, name: str, type_: ValueType) -> Literal:
        value = self._literal(Compare(leaf.attribute, Op.EQ, leaf.operand), name, type_)
        key = ("changed", name)
        long_ago = self._lines.at_least(key, leaf.duration.us)
        if leaf.at_least:
            return self._circuit.all_of((value, long_ago))
        return self._circuit.all_of((value, self._lines.at_least(key, 0), -long_ago))

    # -------------------------------------------------------------------------------------------- lines

    def _stored(self, leaf: Compare | In | Between | IsEmpty, name: str, type_: ValueType) -> Literal:
        test = fields.bind_field(leaf, fields.Field(name, type_, None, 0), self._moment)
        parts: list[Literal] = []
        for predicate in test.any_of:
            match predicate:
                case Present():
                    parts.append(self.present(name))
                case Nothing():
                    pass
                case Range(low, high):
                    parts.append(self._range(name, type_.kind, low, high))
                case Listed(values):
                    parts.extend(self._range(name, type_.kind, value, value) for value in values)
                case _:
                    return self.opaque(leaf)
        return self._signed(self._circuit.any_of(parts), name, test.negated, test.when_present)

    def _signed(self, literal: Literal, name: str, negated: bool, when_present: bool) -> Literal:
        if not negated:
            return literal
        return self._circuit.all_of((self.present(name), -literal)) if when_present else -literal

    def _range(self, name: str, kind: Kind, low: int | float, high: int | float) -> Literal:
        above = _after(high)
        return self._circuit.all_of((self._from(name, kind, low), -self._from(name, kind, above)))

    def _from(self, name: str, kind: Kind, value: int | float) -> Literal:
        """There is a value and it is stored as `value` or more."""
        least, most = _DOMAINS[kind]
        if value <= least:
            return self.present(name)
        return FALSE if value > most else self._lines.at_least(("stored", name), value, self.present(name))

    def _inside(self, name: str, kind: Kind, stretch: Stretch) -> Literal:
        parts = [self.present(name)]
        if stretch.first is not None:
            parts.append(self._since(name, kind, stretch.first))
        parts.extend(-self._since(name, kind, end) for end in stretch.ends)
        return self._circuit.all_of(parts)

    def _since(self, name: str, kind: Kind, edge: Edge) -> Literal:
        match edge:
            case At(value):
                return self._from(name, kind, value)
            case FromNow() | UnitStart():
                found = self._starts.get((name, edge))
                if found is None:
                    found = self._starts[name, edge] = self._circuit.variable()
                return found
            case _:
                assert_never(edge)

    # -------------------------------------------------------------------------------------------- texts

    def _text(self, name: str) -> TextLeaves:
        found = self._texts.get(name)
        if found is None:
            found = self._texts[name] = TextLeaves(self._circuit, self._lines, name, self.present(name))
        return found

    def _set(self, name: str) -> SetLeaves:
        found = self._sets.get(name)
        if found is None:
            found = self._sets[name] = SetLeaves(self._circuit, self._lines, name, self.present(name))
        return found

    def _of_texts(
        self,
        leaf: Compare | In | Between | IsEmpty | TextMatch | Semver | SetMatch | SizeCompare,
        of: TextLeaf,
        name: str,
    ) -> Literal:
        match leaf:
            case Compare(_, op, Text(text), fold, when_present) if op in (Op.EQ, Op.NE):
                return self._signed(of.equal(text, fold), name, op is Op.NE, when_present)
            case In(_, operands, negated, fold, when_present):
                wanted = [operand.value for operand in operands if isinstance(operand, Text)]
                if len(wanted) < len(operands):
                    return self.opaque(leaf)
                some = self._circuit.any_of(of.equal(text, fold) for text in wanted)
                return self._signed(some, name, negated, when_present)
            case IsEmpty():
                return -of.filled()
            case TextMatch(_, text_op, pattern, fold):
                return of.matches(text_op, pattern, fold)
            case Semver(_, op, version):
                return -of.version(Op.EQ, version) if op is Op.NE else of.version(op, version)
            case SetMatch(_, set_op, values) if isinstance(of, SetLeaves):
                return of.related(set_op, values)
            case SizeCompare(_, op, size) if isinstance(of, SetLeaves):
                return of.sized(op, size)
            case _:
                return self.opaque(leaf)


def _after(value: int | float) -> int | float:
    """The next stored value."""
    if isinstance(value, int):
        return value + 1
    return math.nextafter(value, math.inf)
