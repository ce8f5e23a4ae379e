"""Why in, why out, and until when: the one-profile path with every answer recorded."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from headcount_engine.conditions import turning
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.bound import (
    And,
    Bound,
    ColumnTest,
    Complement,
    CountOf,
    EventCount,
    EventDays,
    EventDistinct,
    EventSum,
    Or,
)
from headcount_engine.conditions.needs import Definitions, Meaning
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    AtLeast,
    AttributeLeaf,
    Condition,
    Did,
    Everyone,
    Exactly,
    FirstTime,
    Frequency,
    Function,
    HasBeen,
    InSegment,
    InWindow,
    Known,
    LastPerformed,
    NoneOf,
    Not,
    Same,
    Sequence,
    children,
    event_conditions,
    walk,
)
from headcount_engine.conditions.windows import Window
from headcount_engine.evaluation.execute import Execution
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.indexes.predicates import absent_value
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.answers import NO_DEADLINE, Deadline, Explanation, Measured
from headcount_engine.model.instants import days_to_date, local_date
from headcount_engine.model.schema import changed_attribute
from headcount_engine.model.values import Cell, Date, Instant, Kind

_NODE_TURNS_MAX = 500
"""The same for a single node of the rule."""
_TURNS_MAX = 20_000
"""Instants tried for the next flip; past them the answer says that it does not know."""


@dataclass(frozen=True, slots=True)
class _Costs:
    """The smallest sets of leaves to flip so that a node becomes true, and so that it becomes false; None: cannot."""

    to_true: frozenset[int] | None
    to_false: frozenset[int] | None


class Explainer:
    """Explains one rule for one existing profile at one moment."""

    def __init__(
        self, view: ReadView, profile: int, moment: Moment, definitions: Definitions, deadline: Deadline
    ) -> None:
        self._view = view
        self._profile = profile
        self._moment = moment
        self._definitions = definitions
        self._deadline = deadline
        self._binder = Binder(view, moment, definitions)
        self._one = self._about(view, deadline)
        self._leaves: list[Condition] = []

    def _about(self, view: ReadView, deadline: Deadline) -> OneProfile:
        return OneProfile(self._profile, Execution(view, deadline).set_of)

    def explain(self, rule: Condition) -> Explanation:
        """The whole explanation: the annotated tree, the leaves to change, the next flip."""
        holds = self._one.holds(self._binder.bind(rule))
        costs = self._costs(rule)
        flips = costs.to_false if holds else costs.to_true
        decisive = tuple(to_text(self._leaves[i]) for i in sorted(flips)) if flips is not None else ()
        flips_at_us, is_certain = self._next_flip(rule, holds)
        return Explanation(holds, self._measured(rule), decisive, flips_at_us, is_certain)

    # ------------------------------------------------------------------------------------------ the tree

    def _measured(self, node: Condition) -> Measured:
        bound = self._binder.bind(node)
        inner: tuple[Condition, ...]
        match node:
            case Not(child):
                inner = (child,)
            case AllOf(group) | AnyOf(group) | NoneOf(group) | AtLeast(_, group) | Exactly(_, group):
                inner = group
            case InSegment(segment):
                return self._of_segment(node, self._one.holds(bound), self._definitions.meaning(segment))
            case _:
                inner = ()
        actual = None if inner else self._actual(node, bound)
        holds = self._one.holds(bound)
        flips_at_us, _ = self._next_flip(node, holds, _NODE_TURNS_MAX)
        below = tuple(self._measured(c) for c in inner)
        return Measured(to_text(node), holds, actual, below, flips_at_us, isinstance(node, AttributeLeaf))

    def _of_segment(self, node: Condition, holds: bool, meaning: Meaning) -> Measured:
        """A reference with what the segment's rule says, and what its lists do."""
        parts = [] if meaning.rule is None else [self._measured(meaning.rule)]
        if meaning.holds_lists:
            parts.append(Measured("on the list", self._profile in meaning.added, None))
            if self._profile in meaning.removed:
                parts.append(Measured("removed by hand", True, None))
        since_us = self._kept_since_us(meaning)
        if since_us is not None:
            parts.append(
                Measured("kept by retention", True, Instant(since_us), (), since_us + meaning.retention_us)
            )
        flips_at_us, _ = self._next_flip(node, holds, _NODE_TURNS_MAX)
        return Measured(to_text(node), holds, None, tuple(parts), flips_at_us)

    def _kept_since_us(self, meaning: Meaning) -> int | None:
        """When the profile ceased to match, if that is why it is in."""
        since_us = None if meaning.kept is None else meaning.kept.since_us_of(self._profile)
        if since_us is None or since_us + meaning.retention_us <= self._moment.now_us:
            return None
        is_known = meaning.retention_is_for_unknown and self._one.holds(self._binder.bind(Known()))
        return None if is_known else since_us

    def _actual(self, node: Condition, bound: Bound) -> Cell | None:
        """The value or count behind a leaf; None where there is none to show."""
        match bound:
            case EventCount():
                return self._one.event_count(bound)
            case EventSum():
                numbers = self._one.numbers(bound)
                if not numbers and bound.function is Function.AVG:
                    return None
                total = float(sum(numbers)) if numbers else 0.0
                return total / len(numbers) if bound.function is Function.AVG else total
            case EventDistinct():
                return self._one.different_values(bound)
            case EventDays():
                return self._one.active_days(bound)
            case CountOf(children=parts) if isinstance(node, Frequency):
                return sum(self._one.holds(p) for p in parts)
            case _:
                column = _column_behind(bound)
                return None if column is None else column.attribute.cell(self._profile)

    # ------------------------------------------------------------------------------------------ what would change it

    def _costs(self, node: Condition) -> _Costs:
        match node:
            case Everyone():
                return _Costs(frozenset(), None)
            case Not(child):
                inner = self._costs(child)
                return _Costs(inner.to_false, inner.to_true)
            case AllOf(group):
                return _at_least(len(group), [self._costs(c) for c in group])
            case AnyOf(group):
                return _at_least(1, [self._costs(c) for c in group])
            case NoneOf(group):
                some = _at_least(1, [self._costs(c) for c in group])
                return _Costs(some.to_false, some.to_true)
            case AtLeast(k, group):
                return _at_least(k, [self._costs(c) for c in group])
            case Exactly(k, group):
                return _exactly(k, [self._costs(c) for c in group])
            case _:
                number = len(self._leaves)
                self._leaves.append(node)
                held = self._one.holds(self._binder.bind(node))
                alone = frozenset({number})
                return _Costs(frozenset(), alone) if held else _Costs(alone, frozenset())

    # ------------------------------------------------------------------------------------------ the clock

    def _next_flip(
        self, rule: Condition, holds: bool, turns_max: int = _TURNS_MAX
    ) -> tuple[int | None, bool]:
        """(the first instant after now at which the clock alone changes the answer, whether that is certain)."""
        instants = sorted({t for t in self._turns(rule, set()) if t > self._moment.now_us})
        for t_us in instants[:turns_max]:
            self._deadline.check()
            moment = Moment(t_us, self._moment.zone, self._moment.week_starts_on, self._moment.opt_out_topics)
            bound = Binder(self._view, moment, self._definitions).bind(rule)
            if self._about(self._view, self._deadline).holds(bound) is not holds:
                return t_us, True
        return None, len(instants) <= turns_max

    def turns(self, rule: Condition) -> Iterator[int]:
        """Every instant at which the clock alone may change the answer, past ones included."""
        return self._turns(rule, set())

    def _turns(self, node: Condition, seen: set[str]) -> Iterator[int]:
        """Every instant at which a leaf under the node may change for this profile, past ones included."""
        moment = self._moment
        match node:
            case InSegment(segment):
                meaning = self._definitions.meaning(segment)
                since_us = None if meaning.kept is None else meaning.kept.since_us_of(self._profile)
                if since_us is not None:
                    yield since_us + meaning.retention_us
                if meaning.rule is not None and meaning.id not in seen:
                    seen.add(meaning.id)
                    yield from self._turns(meaning.rule, seen)
            case InWindow(name, window):
                yield from self._cell_turns(name, window)
            case Anniversary(name, ahead, zone):
                yield from self._anniversary_turns(self._cell(name), ahead, zone)
            case HasBeen(name, _, _, duration):
                changed = self._view.attribute(changed_attribute(name))
                at = None if changed is None else changed.cell(self._profile)
                if isinstance(at, Instant):
                    yield at.us + duration.us
            case Did(_, _, window) | Aggregate(_, _, _, _, window) | ActiveDays(_, _, window):
                yield from self._event_turns(window)
            case FirstTime(_, first_window):
                yield from self._event_turns(first_window)
            case Frequency(_, _, period, _, of_last, zone):
                for t_us in self._event_times():
                    yield from turning.period_turns(period, of_last, zone, t_us, moment)
            case Sequence(within=within, window=window):
                yield from self._event_turns(window)
                for t_us in self._event_times():
                    yield t_us + within.us
                    yield t_us + within.us + 1
            case LastPerformed():
                yield from self._event_times()
            case Same():
                yield from self._event_times()
            case _:
                pass  # groups turn with what is inside them, other leaves not with the clock
        for child in children(node):
            yield from self._turns(child, seen)
        for condition in event_conditions(node):
            yield from self._property_turns(condition)

    def _property_turns(self, condition: Condition) -> Iterator[int]:
        """Of windows on properties of the profile's events, whatever these events are."""
        for leaf in walk(condition):
            match leaf:
                case InWindow(name, window):
                    for cell in self._property_cells(name):
                        yield from self._turns_of_cell(cell, window)
                case Anniversary(name, ahead, zone):
                    for cell in self._property_cells(name):
                        yield from self._anniversary_turns(cell, ahead, zone)
                case _:
                    pass

    def _property_cells(self, name: str) -> set[Instant | Date]:
        """The instants and dates that the profile's events have under a name."""
        name = unicodedata.normalize("NFC", name)
        found: set[Instant | Date] = set()
        for held in self._view.event_types.values():
            type_ = held.properties.get(name)
            if type_ is None or type_.kind not in (Kind.INSTANT, Kind.DATE):
                continue
            for run in held.runs:
                values = run.properties.get(name)
                if values is None:
                    continue
                own = values[run.permutations.rows_of(run.profiles, self._profile)]
                present = own[own != absent_value(own.dtype)].tolist()
                found.update(Instant(v) if type_.kind is Kind.INSTANT else Date(v) for v in present)
        return found

    def _anniversary_turns(self, cell: Cell | None, ahead: int, zone: str | None) -> Iterator[int]:
        name = zone or self._moment.zone
        born = self._day_of(cell, name)
        if born is not None:
            yield from turning.anniversary_turns(ahead, days_to_date(born.days), name, self._moment.now_us)

    def _event_turns(self, window: Window | None) -> Iterator[int]:
        for t_us in self._event_times():
            yield from turning.turns(window, t_us, self._moment)

    def _event_times(self) -> list[int]:
        """Times of all events of the profile, those ahead included."""
        times: set[int] = set()
        for held in self._view.event_types.values():
            for run in held.runs:
                rows = run.permutations.rows_of(run.profiles, self._profile)
                times.update(run.times_us[rows].tolist())
        return sorted(times)

    def _cell(self, name: str) -> Cell | None:
        attribute = self._view.attribute(name)
        return None if attribute is None else attribute.cell(self._profile)

    def _cell_turns(self, name: str, window: Window) -> Iterator[int]:
        yield from self._turns_of_cell(self._cell(name), window)

    def _turns_of_cell(self, cell: Cell | None, window: Window) -> Iterator[int]:
        if isinstance(cell, Instant):
            yield from turning.turns(window, cell.us, self._moment)
        elif isinstance(cell, Date):
            yield from turning.date_turns(window, cell.days, self._moment)

    @staticmethod
    def _day_of(cell: Cell | None, zone: str) -> Date | None:
        match cell:
            case Date():
                return cell
            case Instant(us):
                day = local_date(us, zone)
                return Date(day.toordinal() - 719_163)
            case _:
                return None


def _column_behind(bound: Bound) -> ColumnTest | None:
    """The attribute that a leaf reads, however it was bound."""
    match bound:
        case ColumnTest():
            return bound
        case Complement(child):
            return _column_behind(child)
        case And(parts) | Or(parts):
            found = (_column_behind(p) for p in parts)
            return next((f for f in found if f is not None), None)
        case _:
            return None


def _at_least(k: int, costs: list[_Costs]) -> _Costs:
    """At least k true: make the k cheapest true. Fewer: make all but k - 1 false, the cheapest ones."""
    return _Costs(
        _cheapest(k, [c.to_true for c in costs]), _cheapest(len(costs) - k + 1, [c.to_false for c in costs])
    )


def _cheapest(count: int, sets: list[frozenset[int] | None]) -> frozenset[int] | None:
    possible = sorted((s for s in sets if s is not None), key=len)
    if len(possible) < count:
        return None
    return frozenset().union(*possible[: max(count, 0)])


def _exactly(k: int, costs: list[_Costs]) -> _Costs:
    """Exactly k true: the best choice of which, by dynamic programming over how many are true so far."""
    best: dict[int, frozenset[int]] = {0: frozenset()}
    for cost in costs:
        following: dict[int, frozenset[int]] = {}
        for true_so_far, flips in best.items():
            for more, change in ((1, cost.to_true), (0, cost.to_false)):
                if change is None:
                    continue
                total = flips | change
                held = following.get(true_so_far + more)
                if held is None or len(total) < len(held):
                    following[true_so_far + more] = total
        best = following
    others = [flips for count, flips in best.items() if count != k]
    return _Costs(best.get(k), min(others, key=len, default=None))


def turns_of(
    view: ReadView, profile: int, rule: Condition, moment: Moment, definitions: Definitions
) -> Iterator[int]:
    """Every instant at which the clock alone may change the answer about a profile, past ones included."""
    return Explainer(view, profile, moment, definitions, NO_DEADLINE).turns(rule)
