"""What can be asked of event types whose raw events go after a while.

How often a profile did it in all, and when first, stay exact: they are kept apart. Everything else about an event is
known for as long as the event is. A rule that would look further back is refused: it would be wrong later.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping

from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    Condition,
    Did,
    EventLeaf,
    EventName,
    Events,
    FirstTime,
    Frequency,
    LastPerformed,
    NameKind,
    Same,
    Sequence,
    walk,
)
from headcount_engine.conditions.windows import (
    Absolute,
    Ago,
    Calendar,
    CalendarLast,
    CalendarUnit,
    Duration,
    Window,
    WithinLast,
    WithinNext,
)
from headcount_engine.errors import InvalidRule
from headcount_engine.indexes.events import TypeView
from headcount_engine.limits import INSTANT_MAX_US, MICROSECONDS_PER_DAY

_DAYS_MOST = {
    CalendarUnit.DAY: 1,
    CalendarUnit.WEEK: 7,
    CalendarUnit.MONTH: 31,
    CalendarUnit.QUARTER: 92,
    CalendarUnit.YEAR: 366,
}
_EVER = INSTANT_MAX_US
"""Further back than anything lies."""


def check_leaf(
    node: EventLeaf, types: Iterable[TypeView], *, is_keyed: bool = False, now_us: int | None = None
) -> None:
    """Refuse a leaf that looks further back than raw events of its types are kept.

    `now_us`: the instant of the question; one of the past must not reach events that are gone by now. Raises
    InvalidRule.
    """
    limited = [held for held in types if held.retention is not None]
    if not limited:
        return
    reach_us = _reach_us(node)
    is_kept_apart = reach_us is None and not is_keyed
    for held in limited:
        assert held.retention is not None
        if is_kept_apart:
            reached_us = 0
        elif is_keyed or reach_us is None or reach_us > held.retention.kept_us:
            days = held.retention.kept_us / MICROSECONDS_PER_DAY
            raise InvalidRule(
                f"{held.name!r} is kept for {days:g} days: older events can only be counted, unfiltered and ever, "
                "or asked for the first time"
            )
        else:
            reached_us = reach_us
        if now_us is not None and now_us - reached_us + 1 < held.retention.floor_us:
            raise InvalidRule(f"at that instant {held.name!r} needs events that are no longer kept")


def check_carriers(name: str, types: Iterable[TypeView]) -> None:
    """Refuse `same(name)` where events that carry it go: it looks at all of them, ever. Raises InvalidRule."""
    for held in types:
        if held.retention is not None and name in held.properties:
            raise InvalidRule(f"`same` would need every event; {held.name!r} is kept for a while only")


def check_rule(rule: Condition, types: Mapping[str, TypeView]) -> None:
    """Refuse a rule as if these were the event types. Raises InvalidRule."""
    for node in walk(rule):
        if isinstance(node, Same):
            check_carriers(unicodedata.normalize("NFC", node.property), types.values())
            for inner in walk(node.condition):
                if isinstance(inner, EventLeaf):
                    check_leaf(inner, types_of(inner, types), is_keyed=True)
        elif isinstance(node, EventLeaf):
            check_leaf(node, types_of(node, types))


def types_of(node: EventLeaf, types: Mapping[str, TypeView]) -> list[TypeView]:
    """The event types that a leaf is about."""
    found = [events.name for events in _events_of(node)]
    return [held for name, held in types.items() if any(_is_named(name, given) for given in found)]


def _events_of(node: EventLeaf) -> tuple[Events, ...]:
    return (node.first, node.then) if isinstance(node, Sequence) else (node.events,)


def _is_named(name: str, given: EventName) -> bool:
    text = unicodedata.normalize("NFC", given.text)
    match given.kind:
        case NameKind.ANY:
            return True
        case NameKind.PREFIX:
            return name.startswith(text)
        case NameKind.EXACT:
            return name == text


def _reach_us(node: EventLeaf) -> int | None:
    """How far back a leaf can look; None where what is kept apart answers it."""
    match node:
        case Did(events, _, None) | FirstTime(events, _) if events.where is None:
            return None
        case FirstTime() | LastPerformed():
            return _EVER
        case Did(window=window) | Aggregate(window=window) | ActiveDays(window=window):
            return _window_us(window)
        case Sequence(window=window):
            return _window_us(window)
        case Frequency(period=Duration() as period, of_last=count):
            return period.us * count
        case Frequency(period=CalendarUnit() as unit, of_last=count):
            return _units_us(unit, count + 1)
        case _:
            raise AssertionError(type(node).__name__)


def _window_us(window: Window | None) -> int:
    match window:
        case None | Absolute() | WithinNext():
            return _EVER
        case WithinLast(duration):
            return duration.us
        case Ago(_, far):
            return _EVER if far is None else far.us
        case Calendar(shift, unit):
            return _units_us(unit, 1 - min(shift.value, 0))
        case CalendarLast(count, unit):
            return _units_us(unit, count)


def _units_us(unit: CalendarUnit, count: int) -> int:
    """The most that so many units can take: a day more, for what zones do to clocks."""
    return (_DAYS_MOST[unit] * count + 1) * MICROSECONDS_PER_DAY
