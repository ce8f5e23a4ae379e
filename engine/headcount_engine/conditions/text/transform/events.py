"""Leaves on events. One function for each alias in the grammar."""

from __future__ import annotations

from dataclasses import dataclass

from headcount_engine.conditions.text import parts as p
from headcount_engine.conditions.text.lexemes import Lexeme, Target
from headcount_engine.conditions.text.transform.attributes import MOMENT_OPS, with_zone
from headcount_engine.conditions.text.transform.places import (
    at,
    literal_of,
    literals_of,
    moment_of,
    op_of,
    refuse,
    text_of,
    whole_of,
)
from headcount_engine.conditions.text.transform.spans import in_zone as read_zone
from headcount_engine.conditions.tree import (
    AT_LEAST_ONCE,
    NEVER,
    ActiveDays,
    Aggregate,
    BetweenTest,
    CompareTest,
    Condition,
    CountRange,
    Did,
    EventName,
    Events,
    FirstTime,
    Frequency,
    Function,
    HasBeen,
    InTest,
    LastPerformed,
    NameKind,
    Not,
    Op,
    Sequence,
    ValueTest,
    walk,
)
from headcount_engine.conditions.windows import Calendar, CalendarLast, CalendarUnit, Duration, Window

# -------------------------------------------------------------------------------------------------------- names


def plain_event(name: Lexeme) -> EventName:
    return EventName(text_of(name))


def quoted_event(name: Lexeme) -> EventName:
    return _event_name(text_of(name), name.starred)


def any_event() -> EventName:
    return EventName("", NameKind.ANY)


def _event_name(text: str, is_prefix: bool) -> EventName:
    if not is_prefix:
        return EventName(text)
    return EventName(text[:-1], NameKind.PREFIX) if len(text) > 1 else EventName("", NameKind.ANY)


# -------------------------------------------------------------------------------------------------------- parts


def where(place: Lexeme, condition: Condition) -> p.Where:
    if any(isinstance(node, HasBeen) for node in walk(condition)):
        refuse(place, "`has been` is about a profile's attribute; events do not change")
    return p.Where(condition, place)


def event_where(given: p.Where) -> p.Where:
    return given


def where_part(given: p.Where) -> p.Where:
    return given


def count_part(count: CountRange, period: Duration | CalendarUnit | None) -> p.CountPart:
    return p.CountPart(count, period)


def window_part(window: Window, zone: p.Zone | None) -> p.WindowPart:
    return p.WindowPart(window, zone)


def periods_part(at_least: Lexeme, of_last: Lexeme, zone: p.Zone | None) -> p.PeriodsPart:
    return p.PeriodsPart(whole_of(at_least), whole_of(of_last), zone)


def matured_part(_: Lexeme) -> p.Matured:
    return p.Matured()


def zone_part(place: Lexeme, name: Lexeme) -> p.Zone:
    return read_zone(place, name)


@dataclass(slots=True)
class _Parts:
    """The parts of one leaf, each at most once."""

    count: p.CountPart | None = None
    where: p.Where | None = None
    window: p.WindowPart | None = None
    periods: p.PeriodsPart | None = None
    matured: p.Matured | None = None
    zone: p.Zone | None = None

    @property
    def condition(self) -> Condition | None:
        return self.where.condition if self.where else None

    @property
    def bound_window(self) -> Window | None:
        return with_zone(self.window.window, self.window.zone) if self.window else None


def _parts(given: tuple[p.Part, ...], place: Lexeme, *, takes: str = "count where window periods") -> _Parts:
    """Sort the parts out; refuses one that comes twice, and one that this leaf does not take."""
    found = _Parts()
    for part in given:
        match part:
            case p.CountPart():
                slot, word = "count", "a count"
            case p.Where():
                slot, word = "where", "`where`"
            case p.WindowPart():
                slot, word = "window", "a window"
            case p.PeriodsPart():
                slot, word = "periods", "`in at least m of last n periods`"
            case p.Matured():
                slot, word = "matured", "`matured`"
            case p.Zone():
                slot, word = "zone", "`in zone`"
        if slot not in takes.split():
            refuse(place, f"{word} does not go with this condition")
        if getattr(found, slot) is not None:
            refuse(place, f"{word} is given twice")
        setattr(found, slot, part)
    return found


# ------------------------------------------------------------------------------------------------------- counts


def _count(place: Lexeme, low: int, high: int | None) -> CountRange:
    with at(place):
        return CountRange(low, high)


def count_at_least(k: Lexeme, *_: Lexeme) -> CountRange:
    return _count(k, whole_of(k), None)


def count_at_most(k: Lexeme, *_: Lexeme) -> CountRange:
    return _count(k, 0, whole_of(k))


def count_exactly(k: Lexeme, *_: Lexeme) -> CountRange:
    return _count(k, whole_of(k), whole_of(k))


def count_more(k: Lexeme, *_: Lexeme) -> CountRange:
    return _count(k, whole_of(k) + 1, None)


def count_fewer(k: Lexeme, *_: Lexeme) -> CountRange:
    if whole_of(k) == 0:
        refuse(k, "nothing happens fewer than 0 times")
    return _count(k, 0, whole_of(k) - 1)


def count_between(low: Lexeme, high: Lexeme, *_: Lexeme) -> CountRange:
    return _count(low, whole_of(low), whole_of(high))


def once() -> CountRange:
    return CountRange(1, 1)


def count_compare(op: Lexeme, k: Lexeme) -> tuple[CountRange, bool]:
    """The counts that the comparison admits, and whether it is their opposite that is meant (`!=`)."""
    match op_of(op):
        case Op.EQ:
            return count_exactly(k), False
        case Op.NE:
            return count_exactly(k), True
        case Op.GE:
            return count_at_least(k), False
        case Op.GT:
            return count_more(k), False
        case Op.LE:
            return count_at_most(k), False
        case Op.LT:
            return count_fewer(k), False


def _counted(test: tuple[CountRange, bool] | CountRange) -> tuple[CountRange, bool]:
    return (test, False) if isinstance(test, CountRange) else test


# ------------------------------------------------------------------------------------------------------- leaves


def did(place: Lexeme, name: EventName, *given: p.Part) -> Condition:
    parts = _parts(given, place)
    events = Events(name, parts.condition)
    period = parts.count.period if parts.count else None
    with at(place):
        if parts.periods is None and period is None:
            return Did(events, parts.count.count if parts.count else AT_LEAST_ONCE, parts.bound_window)
        if parts.count is None or period is None or parts.periods is None:
            refuse(place, "`per` and `in at least m of last n periods` go together")
        if parts.window is not None:
            refuse(place, "the periods are the window: `in at least m of last n periods` takes no other")
        zone = parts.periods.zone
        if zone is not None and isinstance(period, Duration):
            refuse(zone.place, "`in zone` goes with calendar periods")
        return Frequency(
            events, parts.count.count, period, parts.periods.at_least, parts.periods.of_last,
            zone.name if zone else None,
        )  # fmt: skip


def never_did(place: Lexeme, name: EventName, *given: p.Part) -> Condition:
    parts = _parts(given, place, takes="where window")
    with at(place):
        return Did(Events(name, parts.condition), NEVER, parts.bound_window)


def first_did(place: Lexeme, name: EventName, *given: p.Part) -> Condition:
    parts = _parts(given, place, takes="where window")
    window = parts.bound_window
    if window is None:
        refuse(place, "`first did` needs a window, as in `first did purchase in last 30 days`")
    with at(place):
        return FirstTime(Events(name, parts.condition), window)


def last_has(place: Lexeme, name: EventName, given: p.Where | None, has: Condition) -> Condition:
    if any(isinstance(node, HasBeen) for node in walk(has)):
        refuse(place, "`has been` is about a profile's attribute; events do not change")
    return LastPerformed(Events(name, given.condition if given else None), has)


def sequence(place: Lexeme, name: EventName, *rest: object) -> Condition:
    """`did A ... then [not] B where ... within D ...`; `rest` is A's parts, then the fixed five, then B's parts."""
    split = next(i for i, item in enumerate(rest) if isinstance(item, bool))
    before = _parts(_only_parts(rest[:split]), place, takes="where")
    negated, then, where_then, within = rest[split : split + 4]
    assert isinstance(negated, bool) and isinstance(then, EventName) and isinstance(within, Duration)
    assert where_then is None or isinstance(where_then, p.Where)
    after = _parts(_only_parts(rest[split + 4 :]), place, takes="matured window")
    with at(place):
        return Sequence(
            Events(name, before.condition),
            Events(then, where_then.condition if where_then else None),
            within,
            negated,
            after.matured is not None,
            after.bound_window,
        )


def _only_parts(items: tuple[object, ...]) -> tuple[p.Part, ...]:
    return tuple(item for item in items if isinstance(item, p.Part))


# --------------------------------------------------------------------------------------------------- aggregates


def compare_test(op: Lexeme, operand: Lexeme) -> ValueTest:
    return CompareTest(op_of(op), literal_of(operand))


def moment_test(word: str, moment: Lexeme) -> ValueTest:
    return CompareTest(MOMENT_OPS[word], moment_of(moment))


def between_test(ends: p.Range) -> ValueTest:
    with at(ends.place):
        return BetweenTest(ends.low, ends.high)


def in_test(operands: Lexeme) -> ValueTest:
    with at(operands):
        return InTest(literals_of(operands))


def not_in_test(operands: Lexeme) -> ValueTest:
    with at(operands):
        return InTest(literals_of(operands), negated=True)


def aggregate(
    function: Lexeme, target: Lexeme, given: p.Where | None, test: ValueTest, *more: p.Part
) -> Condition:
    parts = _parts(more, function, takes="window")
    wanted = target.value
    assert isinstance(wanted, Target)
    name = any_event() if wanted.is_any else _event_name(wanted.event, wanted.is_prefix)
    with at(function):
        return Aggregate(
            Function(text_of(function)),
            Events(name, given.condition if given else None),
            wanted.property,
            test,
            parts.bound_window,
        )


def count_of(
    place: Lexeme,
    name: EventName,
    given: p.Where | None,
    test: tuple[CountRange, bool] | CountRange,
    *more: p.Part,
) -> Condition:
    parts = _parts(more, place, takes="window")
    count, is_opposite = _counted(test)
    with at(place):
        leaf = Did(Events(name, given.condition if given else None), count, parts.bound_window)
    return Not(leaf) if is_opposite else leaf


def days_of(
    place: Lexeme,
    name: EventName,
    given: p.Where | None,
    test: tuple[CountRange, bool] | CountRange,
    *more: p.Part,
) -> Condition:
    """A zone after a calendar window is that of the window and of the days."""
    parts = _parts(more, place, takes="window zone")
    count, is_opposite = _counted(test)
    window = parts.window.window if parts.window else None
    zone = parts.window.zone if parts.window else None
    if zone is not None and parts.zone is not None:
        refuse(zone.place, "`in zone` is given twice")
    zone = zone or parts.zone
    if window is not None and isinstance(window, Calendar | CalendarLast):
        window = with_zone(window, zone)
    with at(place):
        leaf = ActiveDays(
            Events(name, given.condition if given else None), count, window, zone.name if zone else None
        )
    return Not(leaf) if is_opposite else leaf
