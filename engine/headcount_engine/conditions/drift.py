"""Which way the clock alone can carry profiles past a condition: in, out, or both, while no data changes.

Where it only lets them out, whoever satisfied it at any instant of a stretch of time did so at its beginning; where it
only lets them in, they do so at its end. So one set tells of the whole stretch, however many instants it has.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.retention import types_of
from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    AtLeast,
    Condition,
    CountRange,
    Did,
    EventLeaf,
    Exactly,
    HasBeen,
    InSegment,
    InWindow,
    LastPerformed,
    NoneOf,
    Not,
    Rank,
    Same,
    event_conditions,
    walk,
)
from headcount_engine.conditions.windows import Absolute, Ago, Window, WithinLast
from headcount_engine.indexes.events import TypeView


class Way(enum.Flag):
    """How profiles may pass a condition. NOWHERE: whoever satisfies it goes on to."""

    NOWHERE = 0
    IN = 1
    OUT = 2
    BOTH = 3


@dataclass(frozen=True, slots=True)
class Drift:
    """Of conditions over one stretch of time: the instants after `after_us`, up to and with `until_us`."""

    event_types: Mapping[str, TypeView]
    definitions: Definitions
    after_us: int
    until_us: int
    _of_segments: dict[str, Way] = field(default_factory=dict)

    def way(self, node: Condition) -> Way:
        """Never less than what can be; more where telling would take a look at single profiles."""
        match node:
            case Not(child):
                return _turned(self.way(child))
            case AllOf(group) | AnyOf(group) | AtLeast(_, group):
                return self._any_way(group)
            case NoneOf(group):
                return _turned(self._any_way(group))
            case Exactly(_, group):
                return Way.BOTH if self._any_way(group) else Way.NOWHERE
            case InSegment(segment):
                return self._of_segment(segment)
            case Rank(within=within):
                return Way.BOTH if within is not None and self.way(within) else Way.NOWHERE
            case InWindow(_, window):
                return _of_instants(window)
            case HasBeen(at_least=at_least):
                return Way.IN if at_least else Way.OUT
            case Anniversary() | Same():
                return Way.BOTH
            case _ if isinstance(node, EventLeaf):
                return self._of_events(node)
            case _:
                return Way.NOWHERE

    def _any_way(self, group: Sequence[Condition]) -> Way:
        found = Way.NOWHERE
        for child in group:
            found |= self.way(child)
        return found

    def _of_segment(self, segment: str) -> Way:
        meaning = self.definitions.meaning(segment)
        found = self._of_segments.get(meaning.id)
        if found is None:
            found = Way.NOWHERE if meaning.rule is None else self.way(meaning.rule)
            if meaning.kept is not None:
                found |= Way.OUT
            self._of_segments[meaning.id] = found
        return found

    def _of_events(self, node: EventLeaf) -> Way:
        if any(isinstance(n, InWindow | Anniversary) for part in event_conditions(node) for n in walk(part)):
            return Way.BOTH
        arrive = self._arrive(node)
        match node:
            case Did(_, count, window) | ActiveDays(_, count, window):
                events = _of_counted(window, arrive=arrive)
                return events if count.high is None else _of_range(count, events)
            case Aggregate(window=window):
                return Way.BOTH if _of_counted(window, arrive=arrive) else Way.NOWHERE
            case LastPerformed():
                return Way.BOTH if arrive else Way.NOWHERE
            case _:
                return Way.BOTH

    def _arrive(self, node: EventLeaf) -> bool:
        """Whether events dated ahead come to count in the stretch."""
        runs = (run for held in types_of(node, self.event_types) for run in held.runs)
        spans = (run.between(self.after_us + 1, self.until_us) for run in runs)
        return any(start < end for start, end in spans)


def _turned(way: Way) -> Way:
    match way:
        case Way.IN:
            return Way.OUT
        case Way.OUT:
            return Way.IN
        case _:
            return way


def _of_range(count: CountRange, events: Way) -> Way:
    """At most so many turns the way of the events round; from one number to another may be passed either way."""
    if not events:
        return Way.NOWHERE
    return _turned(events) if count.low == 0 else Way.BOTH


def _of_counted(window: Window | None, *, arrive: bool) -> Way:
    """Which way events pass a window."""
    match window:
        case None | Absolute():
            return Way.IN if arrive else Way.NOWHERE
        case WithinLast():
            return Way.BOTH if arrive else Way.OUT
        case Ago(far=None):
            return Way.IN
        case _:
            return Way.BOTH


def _of_instants(window: Window) -> Way:
    """Which way instants and dates of attributes, some of them ahead, pass a window."""
    match window:
        case Absolute():
            return Way.NOWHERE
        case Ago(far=None):
            return Way.IN
        case _:
            return Way.BOTH
