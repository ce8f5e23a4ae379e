"""Conditions from messages. Whatever is missing, unspecified or impossible is refused, with the path of the field.

Protobuf's parsers accept 100 messages inside one another, so the recursion here is bounded before the tree's own
depth is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from headcount.v1.condition_pb2 import Condition as Wire
from headcount.v1.condition_pb2 import EventPattern
from headcount.v1.condition_pb2 import ValueTest as WireTest
from headcount_engine.conditions import tree as t
from headcount_engine.conditions.tree import Condition, NameKind, check_size
from headcount_engine.conditions.windows import CalendarUnit, Duration
from headcount_engine.errors import InvalidArgument, InvalidRule, LimitExceeded
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_server.errors import RefusedRule
from headcount_server.wire.choices import (
    CALENDAR_UNITS,
    ENDS,
    FOLDS,
    FUNCTIONS,
    NAME_KINDS,
    OPS,
    SET_OPS,
    TEXT_OPS,
)
from headcount_server.wire.condition_parts import (
    count_range_of,
    decimal_of,
    duration_of,
    literal_of,
    literals_of,
    name_of,
    number_of,
    optional_window,
    point_of,
    required,
    text_of,
    texts_of,
    window_of,
    zone_of,
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a condition stands: as a field of the request, as a node of the rule, and how deep."""

    field: str
    path: str
    depth: int

    def child(self, index: int) -> _Place:
        path = f"{self.path}.{index}" if self.path else str(index)
        return _Place(f"{self.field}.children[{index}]", path, self.depth + 1)

    def part(self, field: str) -> _Place:
        """A part of the message of this node."""
        return _Place(f"{self.field}.{field}", self.path, self.depth)

    def deeper(self) -> _Place:
        """The same, for a condition on an event, which lies one level below its leaf."""
        return _Place(self.field, self.path, self.depth + 1)


def condition_of(message: Wire, field: str) -> Condition:
    """The tree; raises RefusedRule or LimitExceeded. `field` is the path of the message in the request."""
    made = _read(message, _Place(field, "", 1))
    check_size(made, DEFAULT_LIMITS)
    return made


def _read(message: Wire, place: _Place) -> Condition:
    if place.depth > DEFAULT_LIMITS.rule_depth:
        raise LimitExceeded("rule_depth", DEFAULT_LIMITS.rule_depth, place.depth)
    kind = message.WhichOneof("node")
    with _at(place, kind or "node"):
        if kind is None:
            raise InvalidRule("a condition needs exactly one of its kinds")
        group = _GROUPS.get(kind)
        if group is not None:
            return group(message, _children(message, place))
        if kind == "rank":
            return _rank(message, place)
        if message.children:
            raise InvalidRule("this condition has no children")
        leaf = _LEAVES.get(kind)
        return _EVENT_LEAVES[kind](message, place.part(kind)) if leaf is None else leaf(message)


@contextmanager
def _at(place: _Place, kind: str) -> Iterator[None]:
    """Tells what is wrong inside where it is; the innermost place wins."""
    try:
        yield
    except InvalidArgument as error:
        refused = error if isinstance(error, InvalidRule) else InvalidRule(error.message)
        refused.path = place.path
        raise RefusedRule(f"{place.field}.{kind}", refused) from error


# ------------------------------------------------------------------------------------------------ groups


def _children(message: Wire, place: _Place) -> tuple[Condition, ...]:
    return tuple(_read(child, place.child(i)) for i, child in enumerate(message.children))


def _only(children: Sequence[Condition]) -> Condition:
    if len(children) != 1:
        raise InvalidRule(f"exactly one child, got {len(children):,}")
    return children[0]


def _rank(message: Wire, place: _Place) -> Condition:
    rank = message.rank
    within = _children(message, place)
    return t.Rank(
        ENDS.read(rank.end),
        decimal_of(rank.amount),
        rank.is_percent,
        name_of(rank.attribute),
        _only(within) if within else None,
    )


_GROUPS: Final[dict[str, Callable[[Wire, tuple[Condition, ...]], Condition]]] = {
    "not_of": lambda _, children: t.Not(_only(children)),
    "all_of": lambda _, children: t.AllOf(children),
    "any_of": lambda _, children: t.AnyOf(children),
    "none_of": lambda _, children: t.NoneOf(children),
    "at_least": lambda m, children: t.AtLeast(m.at_least.k, children),
    "exactly": lambda m, children: t.Exactly(m.exactly.k, children),
    "same": lambda m, children: t.Same(name_of(m.same.property), _only(children)),
}


# ------------------------------------------------------------------------------------------------ leaves


def _compare(message: Wire) -> Condition:
    m = message.compare
    return t.Compare(
        name_of(m.attribute), OPS.read(m.op), literal_of(m.operand), FOLDS.read(m.fold), m.when_present
    )


def _in(message: Wire) -> Condition:
    m = message.value_in
    return t.In(name_of(m.attribute), literals_of(m.operands), m.negated, FOLDS.read(m.fold), m.when_present)


def _text_match(message: Wire) -> Condition:
    m = message.text_match
    return t.TextMatch(name_of(m.attribute), TEXT_OPS.read(m.op), text_of(m.pattern), FOLDS.read(m.fold))


def _has_been(message: Wire) -> Condition:
    m = message.has_been
    return t.HasBeen(name_of(m.attribute), literal_of(m.operand), m.at_least, duration_of(m.duration))


def _within_radius(message: Wire) -> Condition:
    m = message.within_radius
    required(m, "center")
    return t.WithinRadius(name_of(m.attribute), point_of(m.center), number_of(m.radius_m))


def _within_box(message: Wire) -> Condition:
    m = message.within_box
    required(m, "south_west")
    required(m, "north_east")
    return t.WithinBox(name_of(m.attribute), point_of(m.south_west), point_of(m.north_east))


_LEAVES: Final[dict[str, Callable[[Wire], Condition]]] = {
    "everyone": lambda _: t.Everyone(),
    "compare": _compare,
    "value_in": _in,
    "between": lambda m: t.Between(
        name_of(m.between.attribute), literal_of(m.between.low), literal_of(m.between.high)
    ),
    "exists": lambda m: t.Exists(name_of(m.exists.attribute)),
    "is_empty": lambda m: t.IsEmpty(name_of(m.is_empty.attribute)),
    "text_match": _text_match,
    "semver": lambda m: t.Semver(
        name_of(m.semver.attribute), OPS.read(m.semver.op), text_of(m.semver.version)
    ),
    "set_match": lambda m: t.SetMatch(
        name_of(m.set_match.attribute), SET_OPS.read(m.set_match.op), texts_of(m.set_match.values)
    ),
    "size_compare": lambda m: t.SizeCompare(
        name_of(m.size_compare.attribute), OPS.read(m.size_compare.op), m.size_compare.size
    ),
    "in_window": lambda m: t.InWindow(name_of(m.in_window.attribute), window_of(m.in_window.window)),
    "anniversary": lambda m: t.Anniversary(
        name_of(m.anniversary.attribute), m.anniversary.in_next_days, zone_of(m.anniversary.zone)
    ),
    "has_been": _has_been,
    "within_radius": _within_radius,
    "within_box": _within_box,
    "has_tag": lambda m: t.HasTag(text_of(m.has_tag.tag)),
    "has_channel": lambda m: t.HasChannel(text_of(m.has_channel.channel)),
    "has_consent": lambda m: t.HasConsent(text_of(m.has_consent.topic)),
    "known": lambda _: t.Known(),
    "key_in": lambda m: t.KeyIn(texts_of(m.key_in.keys)),
    "in_segment": lambda m: t.InSegment(name_of(m.in_segment.segment)),
    "bucket": lambda m: t.Bucket(decimal_of(m.bucket.low), decimal_of(m.bucket.high), text_of(m.bucket.salt)),
}


# ------------------------------------------------------------------------------------------------ events


def _events(message: EventPattern, place: _Place) -> t.Events:
    kind = NAME_KINDS.read(message.name_kind)
    if kind is NameKind.ANY and message.name:
        raise InvalidRule("any event has no name")
    name = t.EventName("" if kind is NameKind.ANY else name_of(message.name), kind)
    where = _read(message.where, place.part("where").deeper()) if message.HasField("where") else None
    return t.Events(name, where)


def _did(message: Wire, place: _Place) -> Condition:
    m = message.did
    required(m, "count")
    events = _events(m.events, place.part("events"))
    return t.Did(events, count_range_of(m.count), optional_window(m, m.window))


def _aggregate(message: Wire, place: _Place) -> Condition:
    m = message.aggregate
    events = _events(m.events, place.part("events"))
    window = optional_window(m, m.window)
    return t.Aggregate(FUNCTIONS.read(m.function), events, name_of(m.property), _test(m.test), window)


def _test(message: WireTest) -> t.ValueTest:
    match message.WhichOneof("kind"):
        case "compare":
            return t.CompareTest(OPS.read(message.compare.op), literal_of(message.compare.operand))
        case "between":
            return t.BetweenTest(literal_of(message.between.low), literal_of(message.between.high))
        case "value_in":
            return t.InTest(literals_of(message.value_in.operands), message.value_in.negated)
        case _:
            raise InvalidRule("a test needs exactly one of its kinds")


def _active_days(message: Wire, place: _Place) -> Condition:
    m = message.active_days
    required(m, "count")
    events = _events(m.events, place.part("events"))
    return t.ActiveDays(events, count_range_of(m.count), optional_window(m, m.window), zone_of(m.zone))


def _frequency(message: Wire, place: _Place) -> Condition:
    m = message.frequency
    required(m, "count")
    events = _events(m.events, place.part("events"))
    period: Duration | CalendarUnit
    match m.WhichOneof("period"):
        case "span":
            period = duration_of(m.span)
        case "calendar_unit":
            period = CALENDAR_UNITS.read(m.calendar_unit)
        case _:
            raise InvalidRule("a frequency needs a period")
    return t.Frequency(events, count_range_of(m.count), period, m.at_least, m.of_last, zone_of(m.zone))


def _first_time(message: Wire, place: _Place) -> Condition:
    m = message.first_time
    return t.FirstTime(_events(m.events, place.part("events")), window_of(m.window))


def _last_performed(message: Wire, place: _Place) -> Condition:
    m = message.last_performed
    required(m, "has")
    events = _events(m.events, place.part("events"))
    return t.LastPerformed(events, _read(m.has, place.part("has").deeper()))


def _sequence(message: Wire, place: _Place) -> Condition:
    m = message.sequence
    first, then = _events(m.first, place.part("first")), _events(m.then, place.part("then"))
    window = optional_window(m, m.window)
    return t.Sequence(first, then, duration_of(m.within), m.negated, m.matured, window)


_EVENT_LEAVES: Final[dict[str, Callable[[Wire, _Place], Condition]]] = {
    "did": _did,
    "aggregate": _aggregate,
    "active_days": _active_days,
    "frequency": _frequency,
    "first_time": _first_time,
    "last_performed": _last_performed,
    "sequence": _sequence,
}
