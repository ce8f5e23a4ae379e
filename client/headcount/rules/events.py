"""Conditions on what people did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Unpack

from headcount.rules.attributes import attribute
from headcount.rules.text import (
    Operand,
    Precedence,
    Rule,
    Span,
    chained,
    checked_rules,
    event_name,
    literal,
    quoted_name,
    refused,
    span_text,
    value_list,
    whole,
)
from headcount.rules.windows import CalendarUnit, Window, calendar_unit, in_zone

Equalities = Operand | Iterable[Operand]
"""What a property must equal: a value, or one of several."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which events: a name as the language writes it, and what must hold of one and the same event."""

    name: str
    where: tuple[Rule, ...] = ()

    def filtered(self, rules: Iterable[Rule]) -> Pattern:
        return replace(self, where=(*self.where, *checked_rules(rules)))

    def text(self, *, before: str = "", followed: bool = False) -> str:
        """The name, what comes between it and `where`, and `where`.

        Something that follows could be taken for a part of the last condition, so the filter then stands in
        parentheses unless it is a single comparison.
        """
        if not self.where:
            return self.name + before
        rule = chained(" and ", self.where, Precedence.AND)
        enclose = rule.precedence is Precedence.OPEN or (followed and rule.precedence < Precedence.COMPARISON)
        return f"{self.name}{before} where " + (f"({rule.text})" if enclose else rule.text)

    @property
    def precedence(self) -> Precedence:
        return Precedence.OPEN if self.where else Precedence.LEAF


def pattern(name: str, where: Mapping[str, Equalities]) -> Pattern:
    return Pattern(event_name(name), tuple(_equality(name, value) for name, value in where.items()))


def _equality(name: str, value: Equalities) -> Rule:
    if isinstance(value, bool | str) or not isinstance(value, Iterable):
        return attribute(name) == value
    return attribute(name).is_in(value)


# ----------------------------------------------------------------------------------------------------- counting


@dataclass(frozen=True, slots=True)
class Did(Rule):
    """How often something was done: at least once unless said otherwise, ever unless a window is given."""

    verb: str = "did"
    events: Pattern = Pattern("any event")
    count: str = ""
    window: str = ""

    def _changed(
        self, *, events: Pattern | None = None, count: str | None = None, window: str | None = None
    ) -> Did:
        return make_did(
            self.verb,
            self.events if events is None else events,
            self.count if count is None else count,
            self.window if window is None else window,
        )

    def where(self, *rules: Rule) -> Did:
        """Only events of which all these rules hold."""
        return self._changed(events=self.events.filtered(rules))

    def _counted(self, count: str) -> Did:
        if self.verb != "did":
            raise refused("what was never done, or done first, is not counted")
        return self._changed(count=count)

    def at_least(self, times: int) -> Did:
        return self._counted(f" at least {whole(times, 'a count')} times")

    def at_most(self, times: int) -> Did:
        """Includes those who never did."""
        return self._counted(f" at most {whole(times, 'a count')} times")

    def exactly(self, times: int) -> Did:
        return self._counted(f" exactly {whole(times, 'a count')} times")

    def more_than(self, times: int) -> Did:
        return self._counted(f" more than {whole(times, 'a count')} times")

    def fewer_than(self, times: int) -> Did:
        """Includes those who never did."""
        return self._counted(f" fewer than {whole(times, 'a count')} times")

    def times_between(self, low: int, high: int) -> Did:
        """Both ends included."""
        return self._counted(f" between {whole(low, 'a count')} and {whole(high, 'a count')} times")

    def within(self, **span: Unpack[Span]) -> Did:
        """In the last so many days: `.within(days=7)`."""
        return self.during(Window.last(**span))

    def during(self, window: Window) -> Did:
        return self._changed(window=" " + window.text)

    def every(self, *, at_least: int, of_last: int, **span: Unpack[Span]) -> Rule:
        """So often per span of time, in at least some of the last spans: `.every(days=7, at_least=3, of_last=4)`."""
        return self._frequent(f" per {span_text(span)}", at_least, of_last, "")

    def every_calendar(
        self, unit: CalendarUnit, *, at_least: int, of_last: int, zone: str | None = None
    ) -> Rule:
        """The same per calendar unit, over the last full ones."""
        return self._frequent(f" per calendar {calendar_unit(unit)}", at_least, of_last, in_zone(zone))

    def _frequent(self, per: str, at_least: int, of_last: int, zone: str) -> Rule:
        if self.window or self.verb != "did":
            raise refused("a frequency has its own periods, so it takes no window")
        count = self.count or " at least 1 times"
        events = self.events.text(before=count + per, followed=True)
        periods = f"in at least {whole(at_least, 'at_least')} of last {whole(of_last, 'of_last')} periods"
        return Rule(f"did {events} {periods}{zone}", self.events.precedence)

    def then(self, other: str | Did, **span: Unpack[Span]) -> Sequence:
        """And after that, within so long, something else: `did("page_view").then("purchase", days=7)`."""
        return make_sequence(self._bare(), _followed(other), False, span_text(span))

    def then_not(self, other: str | Did, **span: Unpack[Span]) -> Sequence:
        """And not, within so long after it, something else."""
        return make_sequence(self._bare(), _followed(other), True, span_text(span))

    def _bare(self) -> Pattern:
        if self.count or self.window or self.verb != "did":
            raise refused("a step of a sequence has no count and no window of its own")
        return self.events


def make_did(verb: str, events: Pattern, count: str = "", window: str = "") -> Did:
    text = f"{verb} {events.text(before=count, followed=bool(window))}{window}"
    return Did(text, events.precedence, verb, events, count, window)


def did(name: str = "*", /, **where: Equalities) -> Did:
    """Something was done: `did("purchase", sku="x1").at_least(2).within(days=30)`.

    `did("page *")` is any event whose name begins so, `did()` any event at all.
    """
    return make_did("did", pattern(name, where))


def never_did(name: str = "*", /, **where: Equalities) -> Did:
    """Something was never done, or not in a window."""
    return make_did("never did", pattern(name, where))


def first_did(name: str = "*", /, **where: Equalities) -> Did:
    """The first time ever that something was done falls into a window, which must be given."""
    return make_did("first did", pattern(name, where))


@dataclass(frozen=True, slots=True)
class Sequence(Rule):
    """One thing and then, or then not, another."""

    first: Pattern = Pattern("any event")
    second: Pattern = Pattern("any event")
    negated: bool = False
    span: str = ""
    window: str = ""
    matured: bool = False

    def within(self, **span: Unpack[Span]) -> Sequence:
        """Both in the last so many days."""
        return self.during(Window.last(**span))

    def during(self, window: Window) -> Sequence:
        """Both in a window."""
        return make_sequence(
            self.first, self.second, self.negated, self.span, " " + window.text, self.matured
        )

    def once_matured(self) -> Sequence:
        """Only when the time for the second thing is over; for `then_not`."""
        if not self.negated:
            raise refused("only `then_not` matures")
        return make_sequence(self.first, self.second, self.negated, self.span, self.window, True)


def make_sequence(
    first: Pattern, second: Pattern, negated: bool, span: str, window: str = "", matured: bool = False
) -> Sequence:
    link = "then not" if negated else "then"
    steps = f"did {first.text(followed=True)} {link} {second.text(followed=True)} within {span}"
    text = steps + window + (" matured" if matured else "")
    precedence = min(first.precedence, second.precedence)
    return Sequence(text, precedence, first, second, negated, span, window, matured)


def _followed(other: str | Did) -> Pattern:
    return pattern(other, {}) if isinstance(other, str) else other._bare()


@dataclass(frozen=True, slots=True)
class Last:
    """The latest event that passes a filter, waiting for what shall hold of it."""

    events: Pattern

    def where(self, *rules: Rule) -> Last:
        return replace(self, events=self.events.filtered(rules))

    def has(self, *rules: Rule) -> Rule:
        """Of that very event all these rules hold."""
        held = chained(" and ", rules, Precedence.AND)
        condition = held.text if held.precedence >= Precedence.LEAF else f"({held.text})"
        return Rule(f"last {self.events.text(followed=True)} has {condition}", Precedence.OPEN)


def last_event(name: str = "*", /, **where: Equalities) -> Last:
    """The latest such event: `last_event("purchase", kind="online").has(prop("sku") == "x1")`."""
    return Last(pattern(name, where))


# ---------------------------------------------------------------------------------------------------- aggregates


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """A number or value made of matching events, waiting for what shall hold of it.

    `call` is the function with its opening parenthesis and target, without `where`.
    """

    call: str
    filter: Pattern
    window: str = ""
    zone: str = ""

    def where(self, *rules: Rule) -> Aggregate:
        return replace(self, filter=self.filter.filtered(rules))

    def within(self, **span: Unpack[Span]) -> Aggregate:
        """Over the last so many days."""
        return self.during(Window.last(**span))

    def during(self, window: Window) -> Aggregate:
        return replace(self, window=" " + window.text)

    def _test(self, text: str) -> Test:
        return make_test(self, text)

    def __eq__(self, value: Operand) -> Test:  # type: ignore[override]
        return self._test(f"= {literal(value)}")

    def __ne__(self, value: Operand) -> Test:  # type: ignore[override]
        return self._test(f"!= {literal(value)}")

    def __lt__(self, value: Operand) -> Test:
        return self._test(f"< {literal(value)}")

    def __le__(self, value: Operand) -> Test:
        return self._test(f"<= {literal(value)}")

    def __gt__(self, value: Operand) -> Test:
        return self._test(f"> {literal(value)}")

    def __ge__(self, value: Operand) -> Test:
        return self._test(f">= {literal(value)}")

    __hash__ = None  # type: ignore[assignment]

    def between(self, low: Operand, high: Operand) -> Test:
        """Both ends included."""
        return self._test(f"between {literal(low)} and {literal(high)}")

    def is_in(self, values: Iterable[Operand]) -> Test:
        return self._test(f"in {value_list(values)}")

    def not_in(self, values: Iterable[Operand]) -> Test:
        return self._test(f"not in {value_list(values)}")

    def before(self, time: dt.datetime | dt.date) -> Test:
        return self._test(f"before {literal(time)}")

    def at_or_after(self, time: dt.datetime | dt.date) -> Test:
        return self._test(f"at or after {literal(time)}")


@dataclass(frozen=True, slots=True)
class Test(Rule):
    """What holds of an aggregate; a window may still be given."""

    __test__ = False  # keeps pytest from taking it for a collection of tests

    aggregate: Aggregate | None = None
    test: str = ""

    def within(self, **span: Unpack[Span]) -> Test:
        """Over the last so many days."""
        return self.during(Window.last(**span))

    def during(self, window: Window) -> Test:
        assert self.aggregate is not None
        return make_test(self.aggregate.during(window), self.test)


def make_test(aggregate: Aggregate, test: str) -> Test:
    target = aggregate.filter.text()
    text = f"{aggregate.call}({target}) {test}{aggregate.zone}{aggregate.window}"
    return Test(text, Precedence.LEAF, aggregate, test)


def _over_property(
    function: str, target: str, property: str | None, where: Mapping[str, Equalities]
) -> Aggregate:
    """`target` is `event.property`, cut at its first dot, or the event alone when the property is given apart."""
    event, dot, rest = (target, ".", property) if property is not None else target.partition(".")
    if not dot or not event or not rest:
        raise refused(f"{function} is over a property of an event, as in {function}_of('purchase.amount')")
    name = event_name(event)
    # Inside an aggregate the first dot outside backticks ends the event's name.
    shown = f"`{name}`" if "." in name and not name.startswith("`") else name
    return Aggregate(function, replace(pattern(event, where), name=f"{shown}.{quoted_name(rest)}"))


def sum_of(target: str, property: str | None = None, /, **where: Equalities) -> Aggregate:
    """`sum_of("purchase.amount", sku="x1") > 1000`; 0 for those without such an event."""
    return _over_property("sum", target, property, where)


def avg_of(target: str, property: str | None = None, /, **where: Equalities) -> Aggregate:
    return _over_property("avg", target, property, where)


def min_of(target: str, property: str | None = None, /, **where: Equalities) -> Aggregate:
    return _over_property("min", target, property, where)


def max_of(target: str, property: str | None = None, /, **where: Equalities) -> Aggregate:
    return _over_property("max", target, property, where)


def distinct_of(target: str, property: str | None = None, /, **where: Equalities) -> Aggregate:
    """How many different values; 0 for those without such an event."""
    return _over_property("distinct", target, property, where)


def first_of(target: str, property: str | None = None, /, **where: Equalities) -> Aggregate:
    """The property of the earliest matching event."""
    return _over_property("first", target, property, where)


def last_of(target: str, property: str | None = None, /, **where: Equalities) -> Aggregate:
    """The property of the latest matching event."""
    return _over_property("last", target, property, where)


def count_of(name: str = "*", /, **where: Equalities) -> Aggregate:
    """How many events: `count_of("purchase") >= 2`, the same as `did("purchase").at_least(2)`."""
    return Aggregate("count", pattern(name, where))


def active_days(name: str = "*", /, *, zone: str | None = None, **where: Equalities) -> Aggregate:
    """On how many different calendar days: `active_days("purchase") >= 3`."""
    return Aggregate("days", pattern(name, where), zone=in_zone(zone))
