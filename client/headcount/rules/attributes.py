"""Conditions on an attribute of the profile or a property of an event."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Unpack

from headcount.rules.text import (
    Operand,
    Precedence,
    Rule,
    Span,
    literal,
    moment,
    positive_decimal,
    quoted_name,
    quoted_text,
    refused,
    span_text,
    value_list,
    whole,
)
from headcount.rules.windows import Window, in_zone
from headcount.values import Point

COMPARISON = Precedence.COMPARISON


@dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """An attribute, waiting for what shall hold of it: `attribute("age") >= 18`.

    `name` is as the rule language writes it. Negative comparisons (`!=`, `not_in`) hold where the attribute is absent,
    unless `when_present()` says otherwise.
    """

    name: str
    fold: str = ""
    needs_value: bool = False

    def _leaf(self, rest: str, precedence: Precedence = Precedence.LEAF) -> Rule:
        return Rule(f"{self.name} {rest}", precedence)

    def _compare(self, op: str, value: Operand) -> Rule:
        presence = " when present" if self.needs_value and op == "!=" else ""
        return self._leaf(f"{op} {literal(value)}{self.fold}{presence}", COMPARISON)

    def __eq__(self, value: Operand) -> Rule:  # type: ignore[override]
        return self._compare("=", value)

    def __ne__(self, value: Operand) -> Rule:  # type: ignore[override]
        return self._compare("!=", value)

    def __lt__(self, value: Operand) -> Rule:
        return self._compare("<", value)

    def __le__(self, value: Operand) -> Rule:
        return self._compare("<=", value)

    def __gt__(self, value: Operand) -> Rule:
        return self._compare(">", value)

    def __ge__(self, value: Operand) -> Rule:
        return self._compare(">=", value)

    __hash__ = None  # type: ignore[assignment]

    # ---------------------------------------------------------------------------------------------- modifiers

    def ignoring_case(self) -> Attribute:
        """Compare texts whatever their case."""
        return replace(self, fold=" ignoring case")

    def ignoring_accents(self) -> Attribute:
        """Compare texts whatever their case and accents."""
        return replace(self, fold=" ignoring accents")

    def when_present(self) -> Attribute:
        """Make the negative comparisons false where there is no value."""
        return replace(self, needs_value=True)

    # ------------------------------------------------------------------------------------------------- values

    def is_in(self, values: Iterable[Operand]) -> Rule:
        return self._leaf(f"in {value_list(values)}{self.fold}")

    def not_in(self, values: Iterable[Operand]) -> Rule:
        presence = " when present" if self.needs_value else ""
        return self._leaf(f"not in {value_list(values)}{self.fold}{presence}")

    def between(self, low: Operand, high: Operand) -> Rule:
        """Both ends included. For numbers, dates and instants."""
        return self._leaf(f"between {literal(low)} and {literal(high)}")

    def exists(self) -> Rule:
        """Present and not null."""
        return self._leaf("exists")

    def is_empty(self) -> Rule:
        """Absent, null, an empty text or an empty set; never 0 or false."""
        return self._leaf("is empty")

    # -------------------------------------------------------------------------------------------------- texts

    def contains(self, text: str) -> Rule:
        return self._leaf(f"contains {quoted_text(text)}{self.fold}")

    def starts_with(self, text: str) -> Rule:
        return self._leaf(f"starts with {quoted_text(text)}{self.fold}")

    def ends_with(self, text: str) -> Rule:
        return self._leaf(f"ends with {quoted_text(text)}{self.fold}")

    def glob(self, pattern: str) -> Rule:
        """The whole value, with `*` for any text and `?` for one character."""
        return self._leaf(f"glob {quoted_text(pattern)}{self.fold}")

    def matches(self, pattern: str) -> Rule:
        """A search by regular expression (RE2), anywhere in the value."""
        return self._leaf(f"matches {quoted_text(pattern)}{self.fold}")

    @property
    def semver(self) -> Version:
        """The text as a version: `attribute("app_version").semver >= "1.10.0"`."""
        return Version(self.name)

    # --------------------------------------------------------------------------------------------------- sets

    def any_of(self, values: Iterable[str]) -> Rule:
        return self._leaf(f"any of {value_list(values)}")

    def all_of(self, values: Iterable[str]) -> Rule:
        return self._leaf(f"all of {value_list(values)}")

    def none_of(self, values: Iterable[str]) -> Rule:
        return self._leaf(f"none of {value_list(values)}")

    def exactly(self, values: Iterable[str]) -> Rule:
        return self._leaf(f"exactly {value_list(values)}")

    @property
    def size(self) -> Size:
        """How many elements: `attribute("interests").size >= 3`."""
        return Size(self.name)

    # ----------------------------------------------------------------------------------- instants and dates

    def during(self, window: Window) -> Rule:
        """An instant or date in a window."""
        return self._leaf(window.text)

    def within_last(self, **span: Unpack[Span]) -> Rule:
        return self.during(Window.last(**span))

    def within_next(self, **span: Unpack[Span]) -> Rule:
        return self.during(Window.next(**span))

    def before(self, time: dt.datetime | dt.date) -> Rule:
        return self._leaf(f"before {moment(time)}")

    def at_or_before(self, time: dt.datetime | dt.date) -> Rule:
        return self._leaf(f"at or before {moment(time)}")

    def after(self, time: dt.datetime | dt.date) -> Rule:
        return self._leaf(f"after {moment(time)}")

    def at_or_after(self, time: dt.datetime | dt.date) -> Rule:
        return self._leaf(f"at or after {moment(time)}")

    def anniversary_today(self, zone: str | None = None) -> Rule:
        """The day and month are today's."""
        return self._leaf("anniversary today" + in_zone(zone))

    def anniversary_within_next(self, days: int, zone: str | None = None) -> Rule:
        """The day and month come round from tomorrow on, within so many days."""
        return self._leaf(f"anniversary in next {whole(days, 'days')} days" + in_zone(zone))

    def has_been(self, value: Operand) -> Lasting:
        """How long it has had this value: `attribute("plan").has_been("trial").for_at_least(days=7)`."""
        return Lasting(self.name, literal(value))

    # ------------------------------------------------------------------------------------------------- places

    def within_radius(self, center: Point, *, km: float | None = None, m: float | None = None) -> Rule:
        """At most so far from a place, along the great circle."""
        if (km is None) == (m is None):
            raise refused("a radius is given either in km or in m")
        length = f"{positive_decimal(km)} km" if km is not None else f"{positive_decimal(m or 0)} m"
        return self._leaf(f"within {length} of {_place(center)}")

    def within_box(self, south_west: Point, north_east: Point) -> Rule:
        """Inside a box between two meridians and two parallels."""
        return self._leaf(f"within box {_place(south_west)} to {_place(north_east)}")


def _place(point: Point) -> str:
    return value_list((point.latitude, point.longitude))


@dataclass(frozen=True, slots=True, eq=False)
class Version:
    """A text read as a version; what is not one matches nothing."""

    name: str

    def _compare(self, op: str, version: str) -> Rule:
        return Rule(f"{self.name} {op} semver {quoted_text(version)}")

    def __eq__(self, version: str) -> Rule:  # type: ignore[override]
        """Also a range: `~1.2.3`, `^1.2.3`, `1.2.*`."""
        return self._compare("=", version)

    def __lt__(self, version: str) -> Rule:
        return self._compare("<", version)

    def __le__(self, version: str) -> Rule:
        return self._compare("<=", version)

    def __gt__(self, version: str) -> Rule:
        return self._compare(">", version)

    def __ge__(self, version: str) -> Rule:
        return self._compare(">=", version)

    def __ne__(self, version: str) -> Rule:  # type: ignore[override]
        return self._compare("!=", version)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, eq=False)
class Size:
    """The number of elements of a set; false where it is absent."""

    name: str

    def _compare(self, op: str, size: int) -> Rule:
        return Rule(f"size({self.name}) {op} {whole(size, 'a size')}", COMPARISON)

    def __eq__(self, size: int) -> Rule:  # type: ignore[override]
        return self._compare("=", size)

    def __ne__(self, size: int) -> Rule:  # type: ignore[override]
        return self._compare("!=", size)

    def __lt__(self, size: int) -> Rule:
        return self._compare("<", size)

    def __le__(self, size: int) -> Rule:
        return self._compare("<=", size)

    def __gt__(self, size: int) -> Rule:
        return self._compare(">", size)

    def __ge__(self, size: int) -> Rule:
        return self._compare(">=", size)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Lasting:
    """A value that an attribute has had for some time; the attribute must be declared as tracked."""

    name: str
    value: str

    def for_at_least(self, **span: Unpack[Span]) -> Rule:
        return Rule(f"{self.name} has been {self.value} for at least {span_text(span)}")

    def for_less_than(self, **span: Unpack[Span]) -> Rule:
        return Rule(f"{self.name} has been {self.value} for less than {span_text(span)}")


def attribute(name: str) -> Attribute:
    """An attribute of the profile, or inside `where` a property of the event."""
    return Attribute(quoted_name(name))


def prop(name: str) -> Attribute:
    """A property of the event, inside `where`: `did("purchase").where(prop("amount") > 50)`."""
    return Attribute(quoted_name(name))
