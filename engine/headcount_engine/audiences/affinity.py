"""What members have more often than everyone, and who else has much of it: by counts and bitmaps alone.

Looked at are the values of every attribute that is no identifier (numbers, instants and dates in fifths of everyone),
tags, channels, and who did which event. Nothing is sampled or learnt: the same data give the same answer.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.audiences.bins import ranges_of
from headcount_engine.audiences.breakdown import Dividing
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import (
    AllOf,
    Compare,
    Condition,
    Did,
    EventName,
    Events,
    HasChannel,
    HasTag,
    InWindow,
    Op,
    SetMatch,
    SetOp,
)
from headcount_engine.conditions.windows import Absolute
from headcount_engine.errors import InvalidArgument
from headcount_engine.evaluation.answer import Question
from headcount_engine.evaluation.execute import Execution
from headcount_engine.indexes.attributes import AttributeView
from headcount_engine.kernels import breakdowns as kernels
from headcount_engine.model.analytics import (
    Belonging,
    ByAttribute,
    ByBelonging,
    Group,
    LookAlike,
    Quantiles,
    Trait,
)
from headcount_engine.model.values import (
    Bool,
    Cell,
    Date,
    Instant,
    Kind,
    Literal,
    Number,
    Point,
    Text,
)

_VALUES_MAX = 1_000
"""Values of one attribute that are looked at, the members' most frequent ones."""
_FEW = 10
"""Numbers with at most so many different values among everyone are looked at one by one."""
_FIFTHS = Quantiles(5)
TRAITS_MAX = 1_000
LOOK_ALIKES_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Looking:
    """What counts as a trait and how many of them; how many who look alike.

    support_min  the least share of members that have it
    lift_min     how many times more frequent it is among members than among everyone, at least; above 1
    """

    traits: int = 50
    support_min: float = 0.05
    lift_min: float = 1.2
    look_alikes: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.traits <= TRAITS_MAX:
            raise InvalidArgument(f"1 to {TRAITS_MAX:,} traits, got {self.traits:,}", path="traits")
        if not 0 <= self.support_min <= 1:
            raise InvalidArgument("the least support is a share from 0 to 1", path="support_min")
        if not 1 < self.lift_min < math.inf:
            raise InvalidArgument("the least lift is more than 1", path="lift_min")
        if not 0 <= self.look_alikes <= LOOK_ALIKES_MAX:
            raise InvalidArgument(
                f"0 to {LOOK_ALIKES_MAX:,} who look alike, got {self.look_alikes:,}", path="look_alikes"
            )


def affinity(
    question: Question, rule: Condition, attributes: list[str], looking: Looking
) -> tuple[int, tuple[Trait, ...], tuple[LookAlike, ...], list[str]]:
    """(members, traits, who looks like them, warnings). `attributes`: those pinned to be looked at."""
    binder, execution = question.binder(), question.execution()
    members = execution.members(execution.plan(binder.bind(rule)))
    total = question.view.population.count
    finder = _Finder(question, members, execution)
    least = max(1, math.ceil(looking.support_min * len(members)))
    found: list[tuple[Trait, Condition]] = []
    for condition, group in finder.traits(attributes):
        if group.count >= least:
            lift = group.count * total / (len(members) * group.total_count)
            if lift >= looking.lift_min:
                weight = round(1_000 * math.log2(lift))
                trait = Trait(to_text(condition), group.count, group.total_count, lift, weight)
                found.append((trait, condition))
    found.sort(key=lambda entry: (-entry[0].lift, -entry[0].count, entry[0].rule))
    chosen = found[: looking.traits]
    alike = finder.look_alikes(chosen, looking.look_alikes)
    return len(members), tuple(trait for trait, _ in chosen), alike, binder.warnings


class _Finder:
    def __init__(self, question: Question, members: Bitmap, execution: Execution) -> None:
        self._question = question
        self._members = members
        self._execution = execution
        self._binder = question.binder()
        self._dividing = Dividing(question, members, {}, execution)
        self._everyone = Dividing(question, question.view.population.existing, {}, execution)

    def traits(self, attributes: list[str]) -> Iterator[tuple[Condition, Group]]:
        """Everything looked at: its condition, and how many members and profiles have it."""
        for name in attributes:
            attribute = self._binder.attribute(name)
            if attribute.definition.is_identifier or attribute.definition.type.kind is Kind.POINT:
                continue
            yield from self._of(attribute)
        for what in (Belonging.TAGS, Belonging.CHANNELS, Belonging.EVENTS):
            for group in self._dividing.by(ByBelonging(what, _VALUES_MAX)).groups:
                assert isinstance(group.value, str)
                yield _belonging(what, group.value), group

    def _of(self, attribute: AttributeView) -> Iterator[tuple[Condition, Group]]:
        name, kind = attribute.definition.name, attribute.definition.type.kind
        by = ByAttribute(name, limit=_VALUES_MAX)
        if kind in (Kind.BOOL, Kind.TEXT, Kind.TEXT_SET):
            for group in self._dividing.by(by).groups:
                assert group.value is not None
                if isinstance(group.value, str) and kind is Kind.TEXT_SET:
                    yield SetMatch(name, SetOp.ANY_OF, (group.value,)), group
                else:
                    yield Compare(name, Op.EQ, _literal(group.value)), group
            return
        everyone = self._everyone.numbers(attribute)
        if self._dividing.are_few(everyone, _FEW):
            for group in self._dividing.by(ByAttribute(name, limit=_FEW)).groups:
                assert group.value is not None
                yield Compare(name, Op.EQ, _literal(group.value)), group
            return
        ranges = ranges_of(_FIFTHS, everyone, self._question.moment)
        found = self._dividing.by_range(by, self._dividing.numbers(attribute), ranges).groups
        for place, group in enumerate(found):
            if len(found) > 1:
                low = None if place == 0 else group.value
                high = None if place == len(found) - 1 else group.high
                yield _range(name, low, high), group

    def look_alikes(self, traits: list[tuple[Trait, Condition]], count: int) -> tuple[LookAlike, ...]:
        """Those who are no members and share most of the traits, by weight; equals by the bytes of their keys."""
        view = self._question.view
        if not count or not traits:
            return ()
        scores = np.zeros(view.population.blocks << 16, dtype=np.int64)
        for trait, condition in traits:
            self._question.deadline.check()
            held = self._execution.members(self._execution.plan(self._binder.bind(condition)))
            kernels.add_weight(bitmaps.to_words(held, view.population.blocks), trait.weight, scores)
        others = bitmaps.to_ids(view.population.existing - self._members).astype(np.int64)
        others = others[scores[others] > 0]
        if len(others) > count:
            edge = np.partition(scores[others], len(others) - count)[len(others) - count]
            others = others[scores[others] >= edge]
        keys = view.keys_at(others).to_list()
        scored = zip((-scores[others]).tolist(), keys, strict=True)
        first = heapq.nsmallest(count, scored, key=lambda entry: (entry[0], entry[1].encode()))
        return tuple(LookAlike(key, -score) for score, key in first)


def _belonging(what: Belonging, name: str) -> Condition:
    match what:
        case Belonging.TAGS:
            return HasTag(name)
        case Belonging.CHANNELS:
            return HasChannel(name)
        case Belonging.EVENTS:
            return Did(Events(EventName(name)))
        case Belonging.SEGMENTS:
            raise AssertionError("segments are not looked at")
        case _:
            assert_never(what)


def _range(name: str, low: Cell | None, high: Cell | None) -> Condition:
    """low <= value < high."""
    if isinstance(low, Instant | Date) or isinstance(high, Instant | Date):
        assert isinstance(low, Instant | Date | None) and isinstance(high, Instant | Date | None)
        return InWindow(name, Absolute(low, high))
    parts: list[Condition] = []
    if low is not None:
        parts.append(Compare(name, Op.GE, _literal(low)))
    if high is not None:
        parts.append(Compare(name, Op.LT, _literal(high)))
    return parts[0] if len(parts) == 1 else AllOf(tuple(parts))


def _literal(cell: Cell) -> Literal:
    """A value as an operand that means exactly it."""
    match cell:
        case bool():
            return Bool(cell)
        case int() | Decimal():
            return Number(cell)
        case float():
            # A whole double is written out, since its short form may name another number.
            return Number(int(cell)) if cell.is_integer() else Number.of_float(cell)
        case str():
            return Text(cell)
        case Instant() | Date():
            return cell
        case frozenset() | Point():
            raise AssertionError("sets go by their elements, points are not looked at")
        case _:
            assert_never(cell)
