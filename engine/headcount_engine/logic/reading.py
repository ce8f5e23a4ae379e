"""Rules as literals of one circuit: groups are gates, leaves what they say of each other, references their rules."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from fractions import Fraction
from typing import Protocol, assert_never

from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    AtLeast,
    Between,
    Bucket,
    Compare,
    Condition,
    Did,
    Everyone,
    Exactly,
    Exists,
    FirstTime,
    Frequency,
    HasBeen,
    HasChannel,
    HasConsent,
    HasTag,
    In,
    InSegment,
    InWindow,
    IsEmpty,
    KeyIn,
    Known,
    LastPerformed,
    NoneOf,
    Not,
    Rank,
    Same,
    Semver,
    Sequence,
    SetMatch,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
)
from headcount_engine.logic.circuit import FALSE, TRUE, Circuit, Literal
from headcount_engine.logic.events import EventLeaves
from headcount_engine.logic.lines import Lines
from headcount_engine.logic.search import Search
from headcount_engine.logic.values import OPERANDS_MAX, Values
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import ValueType

SIZE_MAX = 500
"""Nodes and listed values of the rules of one question, those of segments included; more are not read."""
_FILTERS_MAX = 40
"""Questions about conditions on one event that are looked into for one question about rules."""

_FILTER_STEPS_MAX = 2_000
"""Steps of search for one question about the conditions on an event."""


class TooLarge(Exception):
    """The rules are larger than what is reasoned about."""


class Types(Protocol):
    """What is declared: types once given stay."""

    def attribute(self, name: str) -> ValueType | None: ...

    def event_property(self, event: str, name: str) -> ValueType | None:
        """Of events of exactly that name."""
        ...


class Reader:
    """Reads rules into one circuit. Before a question is put to it, `link` must have followed what was read."""

    def __init__(self, types: Types, definitions: Definitions, moment: Moment) -> None:
        """`moment`: for its calendar; its now plays no part."""
        self.circuit = Circuit()
        self._lines = Lines(self.circuit)
        self._values = Values(self.circuit, self._lines, types.attribute, moment)
        self._events = EventLeaves(self.circuit, self._lines, moment, _Filters(types, moment))
        self._definitions = definitions
        self._read: dict[Condition, Literal] = {}
        self._segments: dict[str, Literal] = {}
        self._size = 0

    def literal(self, node: Condition) -> Literal:
        """What the rule says. Raises TooLarge, UnknownName."""
        found = self._read.get(node)
        if found is None:
            self._size += 1 + _listed(node)
            if self._size > SIZE_MAX:
                raise TooLarge
            found = self._read[node] = self._literal(node)
        return found

    def link(self) -> None:
        """Say what the leaves read so far have to do with each other. Once."""
        self._values.link()
        self._events.link()
        self._lines.link()

    def _literal(self, node: Condition) -> Literal:
        match node:
            case Everyone():
                return TRUE
            case Not() | AllOf() | AnyOf() | NoneOf() | AtLeast() | Exactly():
                return grouped(self.circuit, node, self.literal)
            case (
                Compare() | In() | Between() | Exists() | IsEmpty() | TextMatch() | Semver() | SetMatch()
                | SizeCompare() | InWindow() | Anniversary() | HasBeen() | WithinRadius() | WithinBox()
            ):  # fmt: skip
                return self._values.literal(node)
            case HasTag(tag):
                return self._values.element(TAGS, tag)
            case HasChannel(channel):
                return self._values.element(CHANNELS, channel)
            case KeyIn(keys):
                # Two keys can name one profile: those that were merged.
                named = (unicodedata.normalize("NFC", key) for key in keys)
                return self.circuit.any_of(self._values.opaque(("key", key)) for key in named)
            case InSegment(segment):
                return self._segment(segment)
            case Bucket(low, high, salt):
                from_low, from_high = (self._bucket(Fraction(edge), salt) for edge in (low, high))
                return self.circuit.all_of((from_low, -from_high))
            case Rank():
                return self._ranked(node)
            case HasConsent(topic):
                return self._values.opaque(("consent", unicodedata.normalize("NFC", topic)))
            case Known() | Same():
                return self._values.opaque(node)
            case (
                Did() | Aggregate() | ActiveDays() | Frequency() | FirstTime() | LastPerformed() | Sequence()
            ):  # fmt: skip
                return self._events.literal(node)
            case _:
                assert_never(node)

    def _bucket(self, edge: Fraction, salt: str) -> Literal:
        least = math.ceil(edge * 2**64)
        if least <= 0:
            return TRUE
        return FALSE if least >= 2**64 else self._lines.at_least(("bucket", salt), least)

    def _ranked(self, node: Rank) -> Literal:
        """Fewer lie within more, inside the rule that they are ranked in."""
        name = unicodedata.normalize("NFC", node.attribute)
        guard = self._values.present(name)
        if node.within is not None:
            guard = self.circuit.all_of((guard, self.literal(node.within)))
        key = ("rank", name, node.end, node.is_percent, node.within)
        return self._lines.at_least(key, -Fraction(node.amount), guard)

    def _segment(self, name: str) -> Literal:
        """Its rule now; who is on its lists is open."""
        meaning = self._definitions.meaning(name)
        found = self._segments.get(meaning.id)
        if found is not None:
            return found
        found = FALSE if meaning.rule is None else self.literal(meaning.rule)
        if meaning.retention_us:
            kept = self._values.opaque(("kept", meaning.id))
            if meaning.retention_is_for_unknown:
                kept = self.circuit.all_of((kept, -self._values.opaque(Known())))
            found = self.circuit.any_of((found, kept))
        if meaning.holds_lists:
            added, removed = (self._values.opaque((which, meaning.id)) for which in ("added", "removed"))
            found = self.circuit.all_of((self.circuit.any_of((found, added)), -removed))
        self._segments[meaning.id] = found
        return found


def _listed(node: Condition) -> int:
    """How many listed values are read of a condition."""
    match node:
        case In(operands=operands) if len(operands) <= OPERANDS_MAX:
            return len(operands)
        case SetMatch(values=listed) | KeyIn(keys=listed):
            return len(listed)
        case _:
            return 0


def grouped(
    circuit: Circuit,
    node: Not | AllOf | AnyOf | NoneOf | AtLeast | Exactly,
    read: Callable[[Condition], Literal],
) -> Literal:
    """A group of conditions as a gate over what they are read as."""
    match node:
        case Not(child):
            return -read(child)
        case AllOf(children):
            return circuit.all_of([read(child) for child in children])
        case AnyOf(children):
            return circuit.any_of([read(child) for child in children])
        case NoneOf(children):
            return -circuit.any_of([read(child) for child in children])
        case AtLeast(k, children):
            return circuit.at_least(k, [read(child) for child in children])
        case Exactly(k, children):
            inner = [read(child) for child in children]
            return circuit.all_of((circuit.at_least(k, inner), -circuit.at_least(k + 1, inner)))
        case _:
            assert_never(node)


class _Filters:
    """What is proved of conditions on one event."""

    def __init__(self, types: Types, moment: Moment) -> None:
        self._types = types
        self._moment = moment
        self._asked = 0

    def never(self, name: str, where: Condition) -> bool:
        return self._is_impossible(name, [where], [])

    def implies(self, name: str, where: Condition, other: Condition) -> bool:
        return self._is_impossible(name, [where], [other])

    def _is_impossible(self, name: str, hold: list[Condition], fail: list[Condition]) -> bool:
        self._asked += 1
        if self._asked > _FILTERS_MAX:
            return False
        event = unicodedata.normalize("NFC", name)
        circuit = Circuit()
        lines = Lines(circuit)
        values = Values(circuit, lines, lambda name: self._types.event_property(event, name), self._moment)

        def read(node: Condition) -> Literal:
            match node:
                case Everyone():
                    return TRUE
                case Not() | AllOf() | AnyOf() | NoneOf() | AtLeast() | Exactly():
                    return grouped(circuit, node, read)
                case (
                    Compare() | In() | Between() | Exists() | IsEmpty() | TextMatch() | Semver() | SetMatch()
                    | SizeCompare() | InWindow() | Anniversary() | HasBeen() | WithinRadius() | WithinBox()
                ):  # fmt: skip
                    return values.literal(node)
                case _:
                    return values.opaque(node)

        goal = circuit.all_of([*map(read, hold), *(-read(node) for node in fail)])
        values.link()
        lines.link()
        return not Search(circuit, _FILTER_STEPS_MAX).can_hold(goal)
