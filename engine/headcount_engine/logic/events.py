"""Conditions on events as literals: counts on lines, and which of two counts can never be the greater.

Fewer event names, more conditions and a shorter window never count more. Of other leaves little more is known than
that they need an event.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Protocol, assert_never

from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    AllOf,
    BetweenTest,
    CompareTest,
    Condition,
    CountRange,
    Did,
    EventLeaf,
    EventName,
    Events,
    FirstTime,
    Frequency,
    Function,
    InTest,
    LastPerformed,
    NameKind,
    Op,
    Sequence,
    ValueTest,
)
from headcount_engine.conditions.windows import Window
from headcount_engine.logic.circuit import FALSE, TRUE, Circuit, Literal
from headcount_engine.logic.edges import lies_within
from headcount_engine.logic.lines import Lines
from headcount_engine.model.values import Literal as Operand
from headcount_engine.model.values import Number


class OneEvent(Protocol):
    """What is proved of conditions on one event of a type, by its name."""

    def never(self, name: str, where: Condition) -> bool: ...

    def implies(self, name: str, where: Condition, other: Condition) -> bool: ...


_COUNTERS_MAX = 40
"""Counts of one rule that are compared pair by pair."""
_OPERANDS_MAX = 100


@dataclass(frozen=True, slots=True)
class _Counter:
    """How many of the events there are; with `of`, how many days they lie on or different values they have."""

    events: Events
    window: Window | None
    of: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class _Amount:
    """A number worked out from events. min, max, avg, first and last may have none."""

    function: Function
    events: Events
    property: str
    window: Window | None


class EventLeaves:
    """Literals of leaves on events of one profile."""

    def __init__(self, circuit: Circuit, lines: Lines, moment: Moment, of_one: OneEvent) -> None:
        self._circuit = circuit
        self._lines = lines
        self._moment = moment
        self._of_one = of_one
        self._counters: dict[_Counter, None] = {}
        self._amounts: dict[_Amount, list[tuple[Number, ...]]] = {}
        self._opaque: dict[EventLeaf, Literal] = {}
        self._firsts: list[tuple[FirstTime, Literal]] = []

    def literal(self, leaf: EventLeaf) -> Literal:
        match leaf:
            case Did(events, count, window):
                return self._counted(_Counter(_normal(events), window), count)
            case ActiveDays(events, count, window, zone):
                days = _Counter(_normal(events), window, ("days", zone or self._moment.zone))
                some, one = self._from(_Counter(days.events, window), 1), self._from(days, 1)
                self._circuit.implies(some, one)
                self._circuit.implies(one, some)
                return self._counted(days, count)
            case Aggregate():
                return self._aggregate(leaf)
            case FirstTime(events, window):
                found, is_new = self._own(leaf)
                if is_new:
                    self._firsts.append((leaf, found))
                    self._needs(found, events, window)
                return found
            case LastPerformed(events):
                return self._needing(leaf, events, None)
            case Sequence(first, _, _, negated, _, window):
                found = self._needing(leaf, first, window)
                if not negated:
                    self._needs(found, leaf.then, window)
                return found
            case Frequency():
                return self._own(leaf)[0]
            case _:
                assert_never(leaf)

    def _own(self, leaf: EventLeaf) -> tuple[Literal, bool]:
        found = self._opaque.get(leaf)
        if found is not None:
            return found, False
        made = self._opaque[leaf] = self._circuit.variable()
        return made, True

    def _needing(self, leaf: EventLeaf, events: Events, window: Window | None) -> Literal:
        found, is_new = self._own(leaf)
        if is_new:
            self._needs(found, events, window)
        return found

    def _needs(self, literal: Literal, events: Events, window: Window | None) -> None:
        """The leaf holds only where there is such an event."""
        self._circuit.implies(literal, self._from(_Counter(_normal(events), window), 1))

    # -------------------------------------------------------------------------------------------- counts

    def _counted(self, counter: _Counter, count: CountRange) -> Literal:
        above = FALSE if count.high is None else self._from(counter, count.high + 1)
        return self._circuit.all_of((self._from(counter, count.low), -above))

    def _from(self, counter: _Counter, least: int) -> Literal:
        """The count is that or more."""
        self._counters.setdefault(counter)
        return TRUE if least <= 0 else self._lines.at_least(counter, least)

    # -------------------------------------------------------------------------------------------- amounts

    def _aggregate(self, leaf: Aggregate) -> Literal:
        operands = _operands(leaf.test)
        if len(operands) > _OPERANDS_MAX or not all(isinstance(o, Number) for o in operands):
            return self._own(leaf)[0]
        name = unicodedata.normalize("NFC", leaf.property)
        if leaf.function is Function.DISTINCT:
            counter = _Counter(_normal(leaf.events), leaf.window, ("distinct", name))
            self._needs(self._from(counter, 1), leaf.events, leaf.window)
            return self._tested(leaf.test, lambda edge: self._from_fraction(counter, edge), TRUE)
        if not _is_read_one_way(operands):
            return self._own(leaf)[0]
        amount = _Amount(leaf.function, _normal(leaf.events), name, leaf.window)
        held = self._amounts.setdefault(amount, [])
        numbers = tuple(o for o in operands if isinstance(o, Number))
        if not _is_read_one_way([o for others in (*held, numbers) for o in others]):
            return self._own(leaf)[0]
        held.append(numbers)
        there = TRUE
        if leaf.function is not Function.SUM:
            there = self._lines.at_least((amount, "there"), 0)
            self._needs(there, leaf.events, leaf.window)
        return self._tested(
            leaf.test, lambda edge: self._lines.at_least(amount, (edge[0], edge[1]), there), there
        )

    def _from_fraction(self, counter: _Counter, edge: tuple[Fraction, int]) -> Literal:
        value, beyond = edge
        return self._from(counter, math.floor(value) + 1 if beyond else math.ceil(value))

    def _tested(
        self, test: ValueTest, since: Callable[[tuple[Fraction, int]], Literal], there: Literal
    ) -> Literal:
        """`since`: the number is there and at least an operand or, with 1, beyond it."""

        def within(low: Number, high: Number) -> Literal:
            return self._circuit.all_of((since((Fraction(low.value), 0)), -since((Fraction(high.value), 1))))

        match test:
            case CompareTest(op, Number() as operand):
                edge = Fraction(operand.value)
                match op:
                    case Op.EQ:
                        return within(operand, operand)
                    case Op.NE:
                        return self._circuit.all_of((there, -within(operand, operand)))
                    case Op.LT:
                        return self._circuit.all_of((there, -since((edge, 0))))
                    case Op.LE:
                        return self._circuit.all_of((there, -since((edge, 1))))
                    case Op.GT:
                        return since((edge, 1))
                    case Op.GE:
                        return since((edge, 0))
                    case _:
                        assert_never(op)
            case BetweenTest(Number() as low, Number() as high):
                return within(low, high)
            case InTest(operands, negated):
                some = self._circuit.any_of(within(o, o) for o in operands if isinstance(o, Number))
                return self._circuit.all_of((there, -some)) if negated else some
            case _:
                raise AssertionError(test)

    # -------------------------------------------------------------------------------------------- links

    def link(self) -> None:
        """Say which of the counts so far never exceeds which."""
        for one in list(self._counters) if len(self._counters) <= _COUNTERS_MAX else ():
            if self._is_empty(one.events):
                for cut in self._lines.cuts(one).values():
                    self._circuit.require(-cut)
            for other in list(self._counters):
                if one != other and self._is_at_most(one, other):
                    self._nest(one, other)
        for leaf, literal in self._firsts:
            for other_leaf, implied in self._firsts:
                if leaf.events == other_leaf.events and lies_within(
                    leaf.window, other_leaf.window, self._moment
                ):
                    self._circuit.implies(literal, implied)

    def _is_empty(self, events: Events) -> bool:
        """Whether no event can be one of these."""
        is_exact = events.name.kind is NameKind.EXACT
        return is_exact and events.where is not None and self._of_one.never(events.name.text, events.where)

    def _is_at_most(self, one: _Counter, other: _Counter) -> bool:
        if one.of != other.of and not (one.of[0] == "days" and other.of[0] == ""):
            return False
        return (
            _is_named_within(one.events.name, other.events.name)
            and lies_within(one.window, other.window, self._moment)
            and self._passes(one.events, other.events)
        )

    def _passes(self, one: Events, other: Events) -> bool:
        if other.where is None or one.where == other.where:
            return True
        if one.where is None:
            return False
        if set(_conjuncts(other.where)) <= set(_conjuncts(one.where)):
            return True
        is_exact = one.name.kind is NameKind.EXACT
        return is_exact and self._of_one.implies(one.name.text, one.where, other.where)

    def _nest(self, one: _Counter, other: _Counter) -> None:
        """Wherever `one` is at least so much, `other` is too."""
        for least in list(self._lines.cuts(one)):
            assert isinstance(least, int)
            self._circuit.implies(self._from(one, least), self._from(other, least))


def _normal(events: Events) -> Events:
    name = unicodedata.normalize("NFC", events.name.text)
    return events if name == events.name.text else Events(EventName(name, events.name.kind), events.where)


def _is_named_within(one: EventName, other: EventName) -> bool:
    """Whether every event that the one name stands for is one that the other stands for."""
    match other.kind:
        case NameKind.ANY:
            return True
        case NameKind.PREFIX:
            return one.kind is not NameKind.ANY and one.text.startswith(other.text)
        case NameKind.EXACT:
            return one == other
        case _:
            assert_never(other.kind)


def _conjuncts(where: Condition) -> list[Condition]:
    return (
        [part for child in where.children for part in _conjuncts(child)]
        if isinstance(where, AllOf)
        else [where]
    )


def _operands(test: ValueTest) -> Many[Operand]:
    match test:
        case CompareTest(_, operand):
            return (operand,)
        case BetweenTest(low, high):
            return (low, high)
        case InTest(operands):
            return operands
        case _:
            assert_never(test)


def _is_read_one_way(operands: Many[Operand]) -> bool:
    """Whether numbers have the same order as they are written and as doubles read them, and none fall together.

    An amount is compared as the one or the other, by the type of the property, which can differ between event types.
    """
    exact = sorted({Fraction(o.value) for o in operands if isinstance(o, Number)})
    try:
        read = [o if o.denominator == 1 else Fraction(float(o)) for o in exact]
    except OverflowError:
        return False
    return all(a < b for a, b in pairwise(read))
