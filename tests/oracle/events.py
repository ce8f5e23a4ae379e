"""Leaves on events: which events a leaf is about, and what it asks of them."""

from __future__ import annotations

from collections.abc import Sequence as Many
from decimal import Decimal
from fractions import Fraction
from typing import assert_never

from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    AtLeast,
    Between,
    BetweenTest,
    Compare,
    CompareTest,
    Condition,
    Did,
    EventLeaf,
    EventName,
    Events,
    Everyone,
    Exactly,
    Exists,
    FirstTime,
    Fold,
    Frequency,
    Function,
    In,
    InTest,
    InWindow,
    IsEmpty,
    LastPerformed,
    NameKind,
    NoneOf,
    Not,
    Op,
    Semver,
    Sequence,
    SetMatch,
    SizeCompare,
    TextMatch,
    ValueTest,
    WithinBox,
    WithinRadius,
)
from headcount_engine.conditions.windows import CalendarUnit, Duration, Window
from headcount_engine.model.values import NUMERIC, TEMPORAL, Cell, Literal
from tests.oracle.calendars import instant_in, local_day, plus_units, start_of_day, unit_start
from tests.oracle.comparing import compare, equals, kind_of, literal_fits, place
from tests.oracle.leaves import fits, value_holds
from tests.oracle.world import Event, Refused, World, nfc

Value = Cell | Fraction


def history(world: World, key: str, now_us: int) -> list[Event]:
    """The profile's events up to now by (time, arrival): the sort is stable and the list is in arrival order."""
    return sorted((e for e in world.events if e.key == key and e.time_us <= now_us), key=lambda e: e.time_us)


def carried_values(events: Many[Event], name: str) -> list[Cell]:
    """The values of a property, each element of a set on its own; equal ones may come more than once."""
    cells = [event.properties.get(name) for event in events]
    return [
        v for cell in cells if cell is not None for v in (cell if isinstance(cell, frozenset) else [cell])
    ]


def carries(event: Event, name: str, value: Cell) -> bool:
    """Whether the event carries that value: numbers equal by value, a bool never equals a number."""
    return any(_identity(own) == _identity(value) for own in carried_values([event], name))


def _identity(cell: Cell) -> tuple[str, Value]:
    kind = kind_of(cell)
    if isinstance(cell, int | Decimal | float) and not isinstance(cell, bool):
        return "number", Fraction(cell)
    return kind.value, cell


def is_named(event: Event, name: EventName) -> bool:
    match name.kind:
        case NameKind.EXACT:
            return event.name == nfc(name.text)
        case NameKind.PREFIX:
            return event.name.startswith(nfc(name.text))
        case NameKind.ANY:
            return True
        case _:
            assert_never(name.kind)


def event_holds(world: World, event: Event, condition: Condition | None, now_us: int) -> bool:
    """Whether one event satisfies `where` or `has`. A property of another family is as good as absent."""
    match condition:
        case None | Everyone():
            return True
        case Not(child):
            return not event_holds(world, event, child, now_us)
        case AllOf(children):
            return all(event_holds(world, event, child, now_us) for child in children)
        case AnyOf(children):
            return any(event_holds(world, event, child, now_us) for child in children)
        case NoneOf(children):
            return not any(event_holds(world, event, child, now_us) for child in children)
        case AtLeast(k, children):
            return sum(event_holds(world, event, child, now_us) for child in children) >= k
        case Exactly(k, children):
            return sum(event_holds(world, event, child, now_us) for child in children) == k
        case (
            Compare() | In() | Between() | Exists() | IsEmpty() | TextMatch() | Semver() | SetMatch() | SizeCompare()
            | InWindow() | Anniversary() | WithinRadius() | WithinBox()
        ):  # fmt: skip
            cell = event.properties.get(condition.attribute)
            if cell is not None and not fits(kind_of(cell), condition):
                cell = None
            return value_holds(cell, condition, world, now_us, None)
        case _:
            raise Refused("`where` and `has` take conditions on the properties of an event")


def matching(
    world: World, events: Many[Event], which: Events, window: Window | None, now_us: int
) -> list[Event]:
    """The events that the leaf is about, in (time, arrival) order."""
    return [
        event
        for event in events
        if is_named(event, which.name)
        and (window is None or _is_in(world, event, window, now_us))
        and event_holds(world, event, which.where, now_us)
    ]


def _is_in(world: World, event: Event, window: Window, now_us: int) -> bool:
    return instant_in(window, event.time_us, now_us, world.default_zone, world.week_start)


def event_leaf_holds(world: World, events: Many[Event], leaf: EventLeaf, now_us: int) -> bool:
    """Whether the leaf holds of a profile with these events (see `history`)."""
    match leaf:
        case Did(which, count, window):
            return len(matching(world, events, which, window, now_us)) in count
        case Aggregate(which_function, which, name, test, window):
            found = matching(world, events, which, window, now_us)
            cells = [event.properties.get(name) for event in found]
            value = aggregate(which_function, [cell for cell in cells if cell is not None], test)
            return value is not None and test_holds(value, test, world.default_zone)
        case ActiveDays(which, count, window, zone):
            found = matching(world, events, which, window, now_us)
            return len({local_day(event.time_us, zone or world.default_zone) for event in found}) in count
        case Frequency(which, count, period, at_least, of_last, zone):
            times = [event.time_us for event in matching(world, events, which, None, now_us)]
            spans = periods(period, of_last, now_us, zone or world.default_zone, world.week_start)
            return sum(sum(low <= t < high for t in times) in count for low, high in spans) >= at_least
        case FirstTime(which, window):
            found = matching(world, events, which, None, now_us)
            return bool(found) and _is_in(world, found[0], window, now_us)
        case LastPerformed(which, has):
            found = matching(world, events, which, None, now_us)
            return bool(found) and event_holds(world, found[-1], has, now_us)
        case Sequence():
            return _sequence_holds(world, events, leaf, now_us)
        case _:
            assert_never(leaf)


def periods(
    period: Duration | CalendarUnit, count: int, now_us: int, zone: str, week_start: int
) -> list[tuple[int, int]]:
    """The last `count` periods as [low, high): spans (now - iP, now - (i-1)P], or full calendar units."""
    if isinstance(period, Duration):
        return [(now_us - i * period.us + 1, now_us - (i - 1) * period.us + 1) for i in range(1, count + 1)]
    this = unit_start(local_day(now_us, zone), period, week_start)
    firsts = [plus_units(this, period, -i) for i in range(count + 1)]
    return [(start_of_day(firsts[i], zone), start_of_day(firsts[i - 1], zone)) for i in range(1, count + 1)]


def _sequence_holds(world: World, events: Many[Event], leaf: Sequence, now_us: int) -> bool:
    firsts = matching(world, events, leaf.first, leaf.window, now_us)
    thens = matching(world, events, leaf.then, None if leaf.negated else leaf.window, now_us)
    order = {id(event): place for place, event in enumerate(events)}
    for a in firsts:
        is_followed = any(
            order[id(a)] < order[id(b)] and b.time_us - a.time_us <= leaf.within.us for b in thens
        )
        is_ripe = not leaf.matured or a.time_us + leaf.within.us <= now_us
        if is_followed is not leaf.negated and is_ripe:
            return True
    return False


def aggregate(function: Function, cells: Many[Cell], test: ValueTest) -> Value | None:
    """The aggregate over values in (time, arrival) order; None where there is none.

    Values that the function or the test cannot take have no part in it.
    """
    if function is Function.DISTINCT:
        flat = [v for cell in cells for v in (cell if isinstance(cell, frozenset) else [cell])]
        return len({_identity(value) for value in flat})
    taken = [
        cell for cell in cells if all(literal_fits(kind_of(cell), operand) for operand in _operands(test))
    ]
    numbers = [c for c in taken if isinstance(c, int | Decimal | float) and not isinstance(c, bool)]
    match function:
        case Function.SUM:
            return total(numbers)
        case Function.AVG:
            return _mean(numbers)
        case Function.FIRST:
            return taken[0] if taken else None
        case Function.LAST:
            return taken[-1] if taken else None
        case Function.MIN | Function.MAX:
            ordered = sorted((c for c in taken if kind_of(c) in NUMERIC | TEMPORAL), key=place)
            if not ordered:
                return None
            return ordered[0] if function is Function.MIN else ordered[-1]
        case _:
            assert_never(function)


def total(numbers: Many[int | Decimal | float]) -> Fraction | float:
    """Exact; if doubles take part, rounded once to a double, which is what math.fsum computes."""
    exact = sum(map(Fraction, numbers), Fraction(0))
    if not any(isinstance(number, float) for number in numbers):
        return exact
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return exact


def _mean(numbers: Many[int | Decimal | float]) -> Fraction | float | None:
    return total(numbers) / len(numbers) if numbers else None


def _operands(test: ValueTest) -> list[Literal]:
    match test:
        case CompareTest(_, operand):
            return [operand]
        case BetweenTest(low, high):
            return [low, high]
        case InTest(operands, _):
            return list(operands)
        case _:
            assert_never(test)


def test_holds(value: Value, test: ValueTest, zone: str) -> bool:
    """Whether an aggregate that exists passes."""
    match test:
        case CompareTest(op, operand):
            return compare(value, op, operand, Fold.NONE, zone)
        case BetweenTest(low, high):
            return compare(value, Op.GE, low, Fold.NONE, zone) and compare(
                value, Op.LE, high, Fold.NONE, zone
            )
        case InTest(operands, negated):
            return any(equals(value, operand, Fold.NONE, zone) for operand in operands) is not negated
        case _:
            assert_never(test)
