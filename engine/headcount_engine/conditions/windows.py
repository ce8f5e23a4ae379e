"""Spans of time as a rule names them; `bind` turns them into instants once now is known."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from headcount_engine.errors import InvalidRule
from headcount_engine.model.values import Date, Instant


class Unit(enum.Enum):
    """Units of exact length. A day is 86,400 seconds."""

    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"


UNIT_US = {
    Unit.SECONDS: 1_000_000,
    Unit.MINUTES: 60_000_000,
    Unit.HOURS: 3_600_000_000,
    Unit.DAYS: 86_400_000_000,
    Unit.WEEKS: 604_800_000_000,
}

DURATION_US_MAX = 10_000 * 366 * UNIT_US[Unit.DAYS]


class CalendarUnit(enum.Enum):
    """Units whose length depends on the calendar and the zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Duration:
    """`count` whole units, as written: `7 days`."""

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if self.count < 0:
            raise InvalidRule("a duration cannot be negative")
        if self.us > DURATION_US_MAX:
            raise InvalidRule("a duration of more than ten thousand years")

    @property
    def us(self) -> int:
        """Length in microseconds."""
        return self.count * UNIT_US[self.unit]


def _positive(duration: Duration) -> None:
    if duration.count == 0:
        raise InvalidRule("the duration must be more than zero")


@dataclass(frozen=True, slots=True)
class WithinLast:
    """`in last 30 days`: t in (now - D, now]. On a date in whole days: today-n+1 .. today."""

    duration: Duration

    def __post_init__(self) -> None:
        _positive(self.duration)


@dataclass(frozen=True, slots=True)
class WithinNext:
    """`in next 12 hours`: t in (now, now + D]. On a date in whole days: tomorrow .. today+n. Attributes only."""

    duration: Duration

    def __post_init__(self) -> None:
        _positive(self.duration)


@dataclass(frozen=True, slots=True)
class Ago:
    """`between 30 and 60 days ago`: near <= now - t < far. `more than 30 days ago` has no far end: near <= now - t."""

    near: Duration
    far: Duration | None

    def __post_init__(self) -> None:
        if self.far is not None and self.far.us <= self.near.us:
            raise InvalidRule("`between a and b ago` needs a < b")


@dataclass(frozen=True, slots=True)
class Absolute:
    """`from A to B`, `before B`, `at or after A`: half-open [start, end); at least one end is given.

    A date as an end is that day's start in the workspace's zone (on a date attribute, the day itself).
    """

    start: Instant | Date | None
    end: Instant | Date | None

    def __post_init__(self) -> None:
        start, end = self.start, self.end
        if start is None and end is None:
            raise InvalidRule("a window needs at least one end")
        if isinstance(start, Instant) and isinstance(end, Instant) and start.us >= end.us:
            raise InvalidRule("`from a to b` needs a before b")
        if isinstance(start, Date) and isinstance(end, Date) and start.days >= end.days:
            raise InvalidRule("`from a to b` needs a before b")


class Shift(enum.Enum):
    """Which calendar unit, counted from the current one."""

    LAST = -1
    THIS = 0
    NEXT = 1


@dataclass(frozen=True, slots=True)
class Calendar:
    """`today`, `yesterday`, `this week`, `last month`, `next year`: one whole unit in a zone (None: the workspace's).

    The day units print as `yesterday`, `today`, `tomorrow`.
    """

    shift: Shift
    unit: CalendarUnit
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarLast:
    """`in last 3 calendar months`: the current unit so far and the n-1 before it."""

    count: int
    unit: CalendarUnit
    zone: str | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise InvalidRule("a number of calendar units must be at least 1")
        if self.count > 100_000:
            raise InvalidRule("a number of calendar units beyond 100,000")


Window = WithinLast | WithinNext | Ago | Absolute | Calendar | CalendarLast
"""Where an instant must lie. Events never look into the future: a window that only can is refused for them."""
