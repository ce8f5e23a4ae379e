"""Which leaves decide an answer about one profile: a smallest set that would all have to change for it to change.

A leaf is one however often a rule says it, in itself, as its opposite, or through a segment. What a segment holds
beside its rule counts too: being on its list is a leaf, and a retention that keeps the profile is not changed by any.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.bound import Bound
from headcount_engine.conditions.canonical import canonical
from headcount_engine.conditions.needs import Definitions, Meaning
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.text.names import quote_text
from headcount_engine.conditions.tree import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Everyone,
    Exactly,
    InSegment,
    Known,
    NoneOf,
    Not,
)
from headcount_engine.evaluation.alike import groups_of
from headcount_engine.evaluation.changing import Constant, Count, Graph, smallest_change
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.model.answers import Deadline


class Decisive:
    """Of one rule, one profile and one moment."""

    def __init__(
        self,
        binder: Binder,
        one: OneProfile,
        profile: int,
        definitions: Definitions,
        is_kept: Callable[[InSegment], bool],
    ) -> None:
        """`is_kept`: whether the retention of a segment keeps the profile, or would if it were unknown."""
        self._is_kept = is_kept
        self._binder = binder
        self._one = one
        self._profile = profile
        self._definitions = definitions
        self._graph = Graph()
        self._places: dict[Hashable, int] = {}
        self._texts: list[str] = []
        self._leaves: list[tuple[Condition, Bound]] = []

    def leaves(self, rule: Condition, deadline: Deadline) -> tuple[str, ...]:
        """Their texts, in the order of the rule; none where no change of leaves would do.

        Past `changing.STEPS_MAX` perhaps not the fewest, or none though some would do. Raises DeadlineExceeded,
        Cancelled.
        """
        self._graph.add(Count(1, 1, (self._place(rule),)))
        alike = groups_of(self._leaves, self._graph.leaves)
        flips = smallest_change(self._graph, alike, deadline)
        return () if flips is None else tuple(self._texts[number] for number in sorted(flips))

    def _place(self, node: Condition) -> int:
        """The place of a node in the graph; equal nodes have one."""
        place = self._places.get(node)
        if place is None:
            place = self._places[node] = self._added(node)
        return place

    def _added(self, node: Condition) -> int:
        match node:
            case Everyone():
                return self._graph.add(Constant(True))
            case Not(child):
                return self._opposite(self._place(child))
            case AllOf(group):
                return self._count(len(group), len(group), group)
            case AnyOf(group):
                return self._count(1, len(group), group)
            case NoneOf(group):
                return self._count(0, 0, group)
            case AtLeast(k, group):
                return self._count(k, len(group), group)
            case Exactly(k, group):
                return self._count(k, k, group)
            case InSegment(segment):
                return self._members(node, self._definitions.meaning(segment))
            case _:
                return self._leaf(node)

    def _count(self, low: int, high: int, group: tuple[Condition, ...]) -> int:
        return self._graph.add(Count(low, high, tuple(self._place(child) for child in group)))

    def _opposite(self, place: int) -> int:
        return self._graph.add(Count(0, 0, (place,)))

    def _either(self, *places: int) -> int:
        return self._graph.add(Count(1, len(places), places))

    def _both(self, *places: int) -> int:
        return self._graph.add(Count(len(places), len(places), places))

    def _leaf(self, node: Condition) -> int:
        positive, is_opposite = canonical(node)
        place = self._places.get(positive)
        if place is None:
            bound = self._binder.bind(positive)
            place = self._places[positive] = self._new(to_text(node), self._one.holds(bound), positive, bound)
        return self._opposite(place) if is_opposite else place

    def _new(self, text: str, holds: bool, leaf: Condition, bound: Bound) -> int:
        self._texts.append(text)
        self._leaves.append((leaf, bound))
        return self._graph.add_leaf(holds)

    def _members(self, node: InSegment, meaning: Meaning) -> int:
        """As in `Binder`: the rule, who is kept, and lists."""
        place = self._places.get(("segment", meaning.id))
        if place is None:
            place = self._places["segment", meaning.id] = self._members_of(node, meaning)
        return place

    def _members_of(self, node: InSegment, meaning: Meaning) -> int:
        bound = self._binder.bind(node)
        if meaning.rule is None:
            return self._new(to_text(node), self._one.holds(bound), node, bound)
        found = self._place(meaning.rule)
        if meaning.retention_us and self._is_kept(node):
            found = self._either(found, self._kept(meaning))
        if meaning.holds_lists:
            segment = quote_text(node.segment)
            is_added, is_removed = self._profile in meaning.added, self._profile in meaning.removed
            added = self._new(f"on the list of segment {segment}", is_added, node, bound)
            removed = self._new(f"removed by hand from segment {segment}", is_removed, node, bound)
            found = self._both(self._either(found, added), self._opposite(removed))
        return found

    def _kept(self, meaning: Meaning) -> int:
        """No change of leaves ends a stay but becoming known, where that does."""
        kept = self._graph.add(Constant(True))
        return (
            self._both(kept, self._opposite(self._place(Known())))
            if meaning.retention_is_for_unknown
            else kept
        )
