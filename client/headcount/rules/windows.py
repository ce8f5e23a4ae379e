"""Where in time something lies."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal, Unpack

from headcount.rules.text import SPAN_UNITS, Span, moment, quoted_text, refused, span_text, whole

CalendarUnit = Literal["day", "week", "month", "quarter", "year"]
CALENDAR_UNITS = ("day", "week", "month", "quarter", "year")

Moment = dt.datetime | dt.date


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, for `attribute(...).during(window)` and `did(...).during(window)`.

    A zone is an IANA name; without one the workspace's is meant.
    """

    text: str

    @classmethod
    def last(cls, **span: Unpack[Span]) -> Window:
        """`in last 30 days`: less than that long ago, up to now."""
        return cls(f"in last {span_text(span)}")

    @classmethod
    def next(cls, **span: Unpack[Span]) -> Window:
        """`in next 12 hours`: from now on. For attributes; events never lie in the future."""
        return cls(f"in next {span_text(span)}")

    @classmethod
    def ago(cls, at_least: int, less_than: int, unit: str = "days") -> Window:
        """`between 30 and 60 days ago`: at least the first and less than the second ago."""
        if unit not in SPAN_UNITS:
            raise refused(f"{unit!r} is not one of {', '.join(SPAN_UNITS)}")
        return cls(f"between {whole(at_least, unit)} and {whole(less_than, unit)} {unit} ago")

    @classmethod
    def more_than_ago(cls, **span: Unpack[Span]) -> Window:
        """`more than 30 days ago`: at least that long ago."""
        return cls(f"more than {span_text(span)} ago")

    @classmethod
    def between(cls, start: Moment, end: Moment) -> Window:
        """`from A to B`: the start included, the end not."""
        return cls(f"from {moment(start)} to {moment(end)}")

    @classmethod
    def before(cls, end: Moment) -> Window:
        """`before B`."""
        return cls(f"before {moment(end)}")

    @classmethod
    def since(cls, start: Moment) -> Window:
        """`at or after A`."""
        return cls(f"at or after {moment(start)}")

    @classmethod
    def today(cls, zone: str | None = None) -> Window:
        return cls("today" + in_zone(zone))

    @classmethod
    def yesterday(cls, zone: str | None = None) -> Window:
        return cls("yesterday" + in_zone(zone))

    @classmethod
    def tomorrow(cls, zone: str | None = None) -> Window:
        """For attributes; events never lie in the future."""
        return cls("tomorrow" + in_zone(zone))

    @classmethod
    def this_unit(cls, unit: CalendarUnit, zone: str | None = None) -> Window:
        """`this month`: the whole of the current one, up to its end."""
        return cls(f"this {calendar_unit(unit)}" + in_zone(zone))

    @classmethod
    def last_unit(cls, unit: CalendarUnit, zone: str | None = None) -> Window:
        """`last month`: the whole of the one before."""
        return cls(f"last {calendar_unit(unit)}" + in_zone(zone))

    @classmethod
    def next_unit(cls, unit: CalendarUnit, zone: str | None = None) -> Window:
        """`next month`: the whole of the one after."""
        return cls(f"next {calendar_unit(unit)}" + in_zone(zone))

    @classmethod
    def last_units(cls, count: int, unit: CalendarUnit, zone: str | None = None) -> Window:
        """`in last 3 calendar months`: the current one so far and those before it."""
        return cls(f"in last {whole(count, unit)} calendar {calendar_unit(unit)}s" + in_zone(zone))


def calendar_unit(unit: str) -> str:
    if unit not in CALENDAR_UNITS:
        raise refused(f"{unit!r} is not one of {', '.join(CALENDAR_UNITS)}")
    return unit


def in_zone(zone: str | None) -> str:
    return "" if zone is None else f" in zone {quoted_text(zone)}"
