"""What to do in which order: a bound rule with sizes and costs, groups flattened, cheapest and smallest first.

An `and` is what it requires and what it excludes: "not" costs a difference, never a complement over everyone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from headcount_engine.conditions.bound import (
    AboutProfile,
    All,
    And,
    Bound,
    ColumnTest,
    Complement,
    CountOf,
    EventBound,
    EventCount,
    EventDays,
    EventDistinct,
    EventExtreme,
    EventSequence,
    EventSum,
    Given,
    Keyed,
    Or,
    Ranked,
    Sampled,
    SetLeaf,
    TypeSource,
)
from headcount_engine.conditions.spans import Span
from headcount_engine.indexes.identities import PopulationView

_READY_NS = 1_000
_SCAN_NS = 0.3
_EVENT_NS = 5.0
_GROUPED_NS = 50.0
"""An event where events must be sorted by profile first."""
_PER_PROFILE_NS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Everybody:
    """All existing profiles."""

    size: int
    cost_ns: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A set that one index or scan gives. `size` is an estimate unless the set is at hand."""

    bound: SetLeaf | AboutProfile
    size: int
    cost_ns: float


@dataclass(frozen=True, slots=True, eq=False)
class Outside:
    """Everyone but these."""

    child: Plan
    size: int
    cost_ns: float


@dataclass(frozen=True, slots=True, eq=False)
class Intersect:
    """In all of `required` (if empty: everyone) and in none of `excluded`; both in the order to be done."""

    required: tuple[Plan, ...]
    excluded: tuple[Plan, ...]
    size: int
    cost_ns: float


@dataclass(frozen=True, slots=True, eq=False)
class Unite:
    """In some of these."""

    parts: tuple[Plan, ...]
    size: int
    cost_ns: float


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """In low to high of the parts."""

    low: int
    high: int
    parts: tuple[Plan, ...]
    size: int
    cost_ns: float


Plan = Everybody | Leaf | Outside | Intersect | Unite | Tally


class Planner:
    """Plans for one population. Equal sub-rules (the same object) become the same plan, so they are done once."""

    def __init__(self, population: PopulationView, total: int | None = None) -> None:
        """`total`: how many there are, where they are not the profiles."""
        self._total = population.count if total is None else total
        self._ids = population.ids_end
        self._made: dict[int, tuple[Bound, Plan]] = {}

    def plan(self, bound: Bound) -> Plan:
        """The plan of a bound rule. Depth is bounded by the limits on rules."""
        made = self._made.get(id(bound))
        if made is None:
            made = self._made[id(bound)] = (bound, self._plan(bound))
        return made[1]

    def _plan(self, bound: Bound) -> Plan:
        match bound:
            case All():
                return Everybody(self._total)
            case Given(bitmap):
                return Leaf(bound, len(bitmap), _READY_NS)
            case ColumnTest():
                return self._column(bound)
            case Ranked() | Sampled():
                return Leaf(bound, self._total // 3, _PER_PROFILE_NS * self._ids)
            case EventCount() | EventSum() | EventDistinct() | EventDays() | EventExtreme() | EventSequence():
                return self._events(bound)
            case Keyed(sources=sources, span=span):
                rows = events_in(sources, span)
                return Leaf(bound, min(self._total, rows), _GROUPED_NS * rows)
            case AboutProfile(child):
                inner = self.plan(child)
                return Leaf(bound, inner.size, inner.cost_ns)
            case Complement(child):
                inner = self.plan(child)
                if isinstance(inner, Outside):
                    return inner.child
                return Outside(inner, self._total - inner.size, inner.cost_ns)
            case And(children):
                return self._intersect([self.plan(c) for c in children])
            case Or(children):
                return self._unite([self.plan(c) for c in children])
            case CountOf(low, high, children):
                return self._tally(low, high, [self.plan(c) for c in children])
            case _:
                assert_never(bound)

    def _column(self, bound: ColumnTest) -> Plan:
        kept = bound.attribute.column.index.get(bound.predicate)
        if kept is not None:
            return Leaf(bound, kept.size, _READY_NS)
        return Leaf(bound, self._total // 3, _SCAN_NS * self._ids)

    def _events(self, bound: EventBound) -> Plan:
        match bound:
            case EventSequence():
                rows = events_in(bound.first, bound.first_span) + events_in(bound.then, bound.then_span)
                each = _GROUPED_NS
            case EventCount() | EventSum():
                rows, each = events_in(bound.sources, bound.span), _EVENT_NS
            case _:
                rows, each = events_in(bound.sources, bound.span), _GROUPED_NS
        return Leaf(bound, min(self._total, rows), each * rows + _PER_PROFILE_NS * self._ids)

    def _intersect(self, parts: list[Plan]) -> Plan:
        required: list[Plan] = []
        excluded: list[Plan] = []
        for part in parts:
            match part:
                case Everybody():
                    pass
                case Intersect():
                    required.extend(part.required)
                    excluded.extend(part.excluded)
                case Outside(child):
                    excluded.append(child)
                case _:
                    required.append(part)
        if not required and not excluded:
            return Everybody(self._total)
        if len(required) == 1 and not excluded:
            return required[0]
        required.sort(
            key=lambda p: (p.cost_ns > _READY_NS, p.cost_ns if p.cost_ns > _READY_NS else 0.0, p.size)
        )
        excluded.sort(key=lambda p: p.cost_ns)
        size = min((p.size for p in required), default=self._total)
        return Intersect(
            tuple(required), tuple(excluded), size, sum(p.cost_ns for p in [*required, *excluded])
        )

    def _unite(self, parts: list[Plan]) -> Plan:
        flat: list[Plan] = []
        for part in parts:
            flat.extend(part.parts if isinstance(part, Unite) else (part,))
        if any(isinstance(p, Everybody) for p in flat):
            return Everybody(self._total)
        if len(flat) == 1:
            return flat[0]
        return Unite(tuple(flat), min(self._total, sum(p.size for p in flat)), sum(p.cost_ns for p in flat))

    def _tally(self, low: int, high: int, parts: list[Plan]) -> Plan:
        if low == 0 and high >= len(parts):
            return Everybody(self._total)
        cost = sum(p.cost_ns for p in parts) + len(parts) * _PER_PROFILE_NS * self._ids
        return Tally(low, high, tuple(parts), self._total // 2, cost)


def events_in(sources: tuple[TypeSource, ...], span: Span) -> int:
    """How many events of the sources lie in the span, whatever their properties."""
    total = 0
    for source in sources:
        for run in source.type.runs:
            start, end = run.between(span.first, span.last)
            total += end - start
    return total
