"""What the truth of a leaf hangs on: which attributes and events, and which of them the clock alone moves.

Whatever is not listed here cannot change the leaf's answer about a profile, so a commit has to look again only at
profiles whose listed data it writes, or for whom the clock carries some of it over the end of a span.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from headcount_engine.conditions.events import periods
from headcount_engine.conditions.needs import Definitions, attributes_read
from headcount_engine.conditions.spans import EVER, Moment, Span, date_span, instant_span
from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    Anniversary,
    Bucket,
    Condition,
    Did,
    EventLeaf,
    EventName,
    FirstTime,
    Frequency,
    HasBeen,
    InWindow,
    KeyIn,
    LastPerformed,
    NameKind,
    Same,
    Sequence,
    children,
    event_conditions,
    walk,
)
from headcount_engine.conditions.windows import Window
from headcount_engine.model.schema import changed_attribute


@dataclass(frozen=True, slots=True)
class TimedAttribute:
    """An attribute whose values the clock carries over the ends of a window.

    `window` for instants and dates; for an anniversary its days ahead and zone.
    """

    name: str
    window: Window | None
    anniversary: tuple[int, str | None] | None = None
    held_us: int = 0
    """For `has been`: how long the value has to have held; the attribute is the instant of its last change."""


@dataclass(frozen=True, slots=True)
class TimedProperty:
    """A property of events whose values the clock carries over the ends of a window."""

    events: EventName
    timed: TimedAttribute


@dataclass(frozen=True, slots=True)
class Reads:
    """What one leaf reads.

    attributes    names; IDENTIFIERS stands for every identifier
    events        names of events; any of them by any profile may matter
    spans         where events have to lie, at a moment: an event matters when it crosses an end of one
    is_of_key     whether the profile's own key decides, so that every new profile is asked
    """

    attributes: frozenset[str] = frozenset()
    events: tuple[EventName, ...] = ()
    windows: tuple[Condition, ...] = ()
    timed_attributes: tuple[TimedAttribute, ...] = ()
    timed_properties: tuple[TimedProperty, ...] = ()
    is_of_key: bool = False

    def spans(self, moment: Moment) -> tuple[Span, ...]:
        """Spans of all event leaves inside, at a moment; as many at every moment."""
        found: list[Span] = []
        for leaf in self.windows:
            found.extend(spans_of(leaf, moment))
        return tuple(found)

    def reads_event(self, name: str) -> bool:
        """Whether events of this name matter."""
        return any(matches(wanted, name) for wanted in self.events)


def matches(wanted: EventName, name: str) -> bool:
    """Whether an event's name is meant."""
    match wanted.kind:
        case NameKind.ANY:
            return True
        case NameKind.PREFIX:
            return name.startswith(unicodedata.normalize("NFC", wanted.text))
        case NameKind.EXACT:
            return name == unicodedata.normalize("NFC", wanted.text)


ANY_EVENT = EventName("", NameKind.ANY)


def reads_of(leaf: Condition, definitions: Definitions) -> Reads:
    """What a leaf (a `same` with all inside it is one) reads."""
    events: list[EventName] = []
    windows: list[Condition] = []
    attributes: list[TimedAttribute] = []
    properties: list[TimedProperty] = []
    is_of_key = False
    stack = [leaf]
    while stack:
        node = stack.pop()
        stack.extend(children(node))
        if isinstance(node, EventLeaf):
            names = _names(node)
            events.extend(names)
            windows.append(node)
            properties.extend(_timed_properties(node, names))
        elif isinstance(node, Same):
            # A value counts as carried by whatever event has the property.
            events.append(ANY_EVENT)
            windows.append(node)
        elif isinstance(node, InWindow | Anniversary | HasBeen):
            attributes.append(_timed(node))
        elif isinstance(node, Bucket | KeyIn):
            is_of_key = True
    return Reads(
        frozenset(attributes_read(leaf, definitions)),
        tuple(dict.fromkeys(events)),
        tuple(windows),
        tuple(dict.fromkeys(attributes)),
        tuple(dict.fromkeys(properties)),
        is_of_key,
    )


def _names(node: EventLeaf) -> tuple[EventName, ...]:
    if isinstance(node, Sequence):
        return (node.first.name, node.then.name)
    return (node.events.name,)


def _timed(node: InWindow | Anniversary | HasBeen) -> TimedAttribute:
    name = unicodedata.normalize("NFC", node.attribute)
    match node:
        case InWindow(_, window):
            return TimedAttribute(name, window)
        case Anniversary(_, in_next_days, zone):
            return TimedAttribute(name, None, (in_next_days, zone))
        case HasBeen(duration=duration):
            return TimedAttribute(changed_attribute(name), None, None, duration.us)


def _timed_properties(node: EventLeaf, names: Iterable[EventName]) -> list[TimedProperty]:
    """Conditions on one event that the clock can change."""
    inner = [n for condition in event_conditions(node) for n in walk(condition)]
    timed = [_timed(n) for n in inner if isinstance(n, InWindow | Anniversary)]
    return [TimedProperty(name, t) for name in names for t in timed]


def spans_of(leaf: Condition, moment: Moment) -> tuple[Span, ...]:
    """Where events have to lie to matter to an event leaf: its answer hangs on time only through these."""
    ever = Span(EVER.first, moment.now_us)
    match leaf:
        case Did() | Aggregate() | ActiveDays():
            return (_event_span(leaf.window, moment),)
        case FirstTime(_, window):
            return (_event_span(window, moment), ever)
        case LastPerformed() | Same():
            return (ever,)
        case Frequency():
            return tuple(periods(leaf, moment))
        case Sequence(within=within, matured=matured, window=window):
            ripe = (Span(EVER.first, moment.now_us - within.us),) if matured else ()
            return (_event_span(window, moment), ever, *ripe)
        case _:
            return ()


def _event_span(window: Window | None, moment: Moment) -> Span:
    if window is None:
        return Span(EVER.first, moment.now_us)
    return instant_span(window, moment, of_events=True)


def attribute_span(timed: TimedAttribute, is_date: bool, moment: Moment) -> Span:
    """Where the values of a timed attribute (not of an anniversary) have to lie, in days or microseconds."""
    if timed.window is None:
        return Span(EVER.first, moment.now_us - timed.held_us)
    if is_date:
        return date_span(timed.window, moment)
    return instant_span(timed.window, moment, of_events=False)


def crossings(before: Span, after: Span) -> list[tuple[Span, int]]:
    """What entered (1) or left (-1) as a span moved: disjoint spans, ends included."""
    found: list[tuple[Span, int]] = []
    if before == after:
        return found
    if (
        before.first > before.last
        or after.first > after.last
        or before.last < after.first
        or (after.last < before.first)
    ):
        parts = [(before, -1), (after, 1)]
        return [(s, step) for s, step in parts if s.first <= s.last]
    if before.first < after.first:
        found.append((Span(before.first, after.first - 1), -1))
    elif after.first < before.first:
        found.append((Span(after.first, before.first - 1), 1))
    if after.last > before.last:
        found.append((Span(before.last + 1, after.last), 1))
    elif before.last > after.last:
        found.append((Span(after.last + 1, before.last), -1))
    return found


def passes(before: Span, after: Span) -> list[Span]:
    """The stretches that either end of a span went over as it moved; what both went over is in both."""
    firsts = Span(min(before.first, after.first), max(before.first, after.first) - 1)
    lasts = Span(min(before.last, after.last) + 1, max(before.last, after.last))
    return [span for span in (firsts, lasts) if span.first <= span.last]
