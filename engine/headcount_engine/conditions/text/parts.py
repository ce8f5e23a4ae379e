"""What the pieces of a rule stand for while it is being read, before they become nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headcount_engine.conditions.text.lexemes import Lexeme
from headcount_engine.conditions.tree import Condition, CountRange, Fold
from headcount_engine.conditions.windows import CalendarUnit, Duration, Window
from headcount_engine.model.values import Literal

Predicate = Callable[[str], Condition]
"""The right-hand side of a leaf: given the attribute's name, the condition."""


@dataclass(frozen=True, slots=True)
class Zone:
    """`in zone "Europe/Stockholm"`, and where it stands."""

    name: str
    place: Lexeme


@dataclass(frozen=True, slots=True)
class Range:
    """`between low and high`, before it is known of what; `place` is the low end's."""

    low: Literal
    high: Literal
    place: Lexeme


@dataclass(frozen=True, slots=True)
class Modifiers:
    """What follows a comparison: `ignoring case`, `when present`."""

    fold: Fold = Fold.NONE
    when_present: bool = False


@dataclass(frozen=True, slots=True)
class CountPart:
    """`at least 3 times`, and with `per 7 days` its period."""

    count: CountRange
    period: Duration | CalendarUnit | None


@dataclass(frozen=True, slots=True)
class Where:
    """`where ...`, and where it stands."""

    condition: Condition
    place: Lexeme


@dataclass(frozen=True, slots=True)
class WindowPart:
    window: Window
    zone: Zone | None


@dataclass(frozen=True, slots=True)
class PeriodsPart:
    """`in at least 3 of last 4 periods`."""

    at_least: int
    of_last: int
    zone: Zone | None


@dataclass(frozen=True, slots=True)
class Matured:
    """`matured`."""


Part = CountPart | Where | WindowPart | PeriodsPart | Matured | Zone
