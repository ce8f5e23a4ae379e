"""The values, instants and windows that random worlds and random conditions share, so that they meet at the edges."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from itertools import combinations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from headcount_engine.conditions.windows import (
    Absolute,
    Ago,
    Calendar,
    CalendarLast,
    CalendarUnit,
    Duration,
    Shift,
    Unit,
    Window,
    WithinLast,
    WithinNext,
)
from headcount_engine.model.values import (
    NUMERIC,
    Bool,
    Cell,
    Date,
    Instant,
    Kind,
    Literal,
    Number,
    Point,
    Text,
    ValueType,
)
from tests.oracle.calendars import DAY_US, days_of, local_day, start_of_day
from tests.oracle.writing import at

NOWS = tuple(
    map(
        at,
        (
            "2024-06-15T12:00:00Z",
            "2024-03-31T00:59:59.999999Z",  # an hour is skipped in Stockholm a microsecond later
            "2024-10-27T01:30:00Z",  # in the hour that Stockholm has twice
            "2024-03-10T12:00:00Z",
            "2024-11-03T05:30:00Z",  # in the hour that New York has twice
            "2024-02-29T23:00:00Z",  # 1 March in Stockholm
            "2023-03-01T04:59:59Z",  # 28 February in New York
            "2024-12-31T23:59:59.999999Z",
            "2025-01-01T00:00:00Z",
        ),
    )
)
ZONES = ("UTC", "Europe/Stockholm", "America/New_York", "Pacific/Kiritimati", "America/Sao_Paulo")
DURATIONS = (
    Duration(30, Unit.DAYS),
    Duration(1, Unit.WEEKS),
    Duration(60, Unit.DAYS),
    Duration(1, Unit.DAYS),
    Duration(1, Unit.HOURS),
    Duration(25, Unit.HOURS),
)
WHOLE_DAYS = tuple(duration for duration in DURATIONS if duration.us % DAY_US == 0)

TEXTS = (
    "", " ", "a", "A", "ann", "Ann", "ANN", "anna", "caf\u00e9", "cafe\u0301", "CAF\u00c9", "cafe", "stra\u00dfe",
    "STRASSE", "\u00c5sa", "A\u030asa", "asa", "\u0130", "i", "\u0131", "\u03a3", "\u03c2", "\u03c3", "\ufb01", "fi",
    "a*b", "a?b", "a\\b", "x\ny", "\u65e5\u672c", "\U0001f600", "\uff5e", "true", "10",
)  # fmt: skip
VERSIONS = (
    "1.2.3",
    "v1.2.3",
    "1.10.0",
    "1.9.0",
    "1.2.3-rc.1",
    "1.2.3-rc.2",
    "1.3.0",
    "2.0.0",
    "1.2",
    "new",
    "",
)
WORDS = ("cars", "golf", "tea", "caf\u00e9", "cafe\u0301", "Cars")
PLANS = ("onboarding", "pro", "free")
NUMBERS: tuple[int | Decimal | float, ...] = (
    0, 1, -1, 2, 5, 10, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), Decimal("0.1"), Decimal("0.3"), Decimal("10.5"),
    Decimal("-0.01"), 0.0, -0.0, 0.1, 0.2, 0.1 + 0.2, 1.5, -2.5, float(2**53), 1e16, 1e300, 5e-324,
)  # fmt: skip
_PLACES = ((0, 0), (1, 0), (59.33, 18.07), (59.86, 17.64), (0, 179.5), (0, -179.5), (90, 0))
POINTS = tuple(Point(*place) for place in _PLACES)
_BIRTHDAYS = ((2000, 2, 29), (1999, 3, 1), (2001, 2, 28), (1980, 1, 1), (1980, 12, 31))


@cache
def instants(now_us: int) -> tuple[int, ...]:
    """Edges of windows and of days around now, and a microsecond to either side of them."""
    edges = {now_us}
    for duration in DURATIONS:
        edges |= {now_us - duration.us, now_us + duration.us, now_us - 2 * duration.us}
    for zone in ZONES:
        today = local_day(now_us, zone)
        for days in (-366, -60, -31, -30, -7, -1, 0, 1, 7, 31):
            edges.add(start_of_day(today + dt.timedelta(days=days), zone))
        edges |= {start_of_day(today.replace(day=1), zone), start_of_day(today.replace(month=1, day=1), zone)}
    return tuple(sorted(edge + aside for edge in edges for aside in (-1, 0, 1)))


@cache
def dates(now_us: int) -> tuple[Date, ...]:
    """Days around now and anniversaries of them, 29 February among them."""
    today = days_of(local_day(now_us, "UTC"))
    near = [today + days for days in (-61, -60, -31, -30, -8, -7, -6, -1, 0, 1, 2, 7, 8, 30, 31)]
    born = [days_of(dt.date(*day)) for day in _BIRTHDAYS]
    born += [today - 366, today - 365, today - 20 * 365 - 5]
    return tuple(map(Date, near + born))


def _number_of(kind: Kind, digits: int) -> list[int | Decimal | float]:
    if kind is Kind.INT:
        return [number for number in NUMBERS if isinstance(number, int)]
    if kind is Kind.FLOAT:
        return [number for number in NUMBERS if isinstance(number, float)]
    return [Decimal(cents).scaleb(-digits) for cents in (0, 1, 10, 30, -1, 1050, 100_000, 2**53 + 1)]


def _texts(name: str) -> tuple[str, ...]:
    return {"version": VERSIONS, "plan": PLANS, "offer": WORDS}.get(name, TEXTS)


@cache
def cells(type_: ValueType, name: str, now_us: int) -> tuple[Cell, ...]:
    """Values of that type; an attribute or property called `version`, `plan` or `offer` holds those."""
    match type_.kind:
        case Kind.BOOL:
            return (False, True)
        case Kind.INT | Kind.DECIMAL | Kind.FLOAT:
            return tuple(_number_of(type_.kind, type_.digits))
        case Kind.TEXT:
            return _texts(name)
        case Kind.TEXT_SET:
            return tuple(frozenset(some) for size in range(3) for some in combinations(WORDS, size))
        case Kind.INSTANT:
            return tuple(map(Instant, instants(now_us)))
        case Kind.DATE:
            return dates(now_us)
        case Kind.POINT:
            return POINTS


@cache
def numbers() -> SearchStrategy[Number]:
    """What numbers are compared with, whatever their kind; 2^64 and longer fractions too."""
    exact = [Number.of_float(n) if isinstance(n, float) else Number(n) for n in NUMBERS]
    return st.sampled_from([*exact, Number(2**64), Number(Decimal("0.1000000000000000055511151231257827"))])


@cache
def literals(type_: ValueType, name: str, now_us: int) -> SearchStrategy[Literal]:
    """Literals of the family of that type; not for points."""
    if type_.kind in NUMERIC:
        return numbers()
    match type_.kind:
        case Kind.BOOL:
            return st.builds(Bool, st.booleans())
        case Kind.INSTANT:
            return st.builds(Instant, st.sampled_from(instants(now_us))) | st.sampled_from(dates(now_us))
        case Kind.DATE:
            return st.sampled_from(dates(now_us))
        case _:
            pool = WORDS if type_.kind is Kind.TEXT_SET else _texts(name)
            return st.builds(Text, st.sampled_from(pool))


@cache
def zones() -> SearchStrategy[str | None]:
    return st.none() | st.sampled_from(ZONES)


@cache
def windows(now_us: int, *, is_past_only: bool = False, is_in_days: bool = False) -> SearchStrategy[Window]:
    """Windows of every shape: for events those that have a past, for dates those made of whole days."""
    durations = st.sampled_from(WHOLE_DAYS if is_in_days else DURATIONS)
    units, days = st.sampled_from(CalendarUnit), st.sampled_from(dates(now_us))
    shifts = [shift for shift in Shift if not (is_past_only and shift is Shift.NEXT)]
    shapes: list[SearchStrategy[Window]] = [
        st.builds(WithinLast, durations),
        st.builds(_ago, durations, st.none() | durations),
        st.builds(_absolute, days, days, st.sampled_from(("both", "start", "end"))),
        st.builds(Calendar, st.sampled_from(shifts), units, zones()),
        st.builds(CalendarLast, st.sampled_from((1, 2, 5, 100_000)), units, zones()),
    ]
    if not is_past_only:
        shapes.append(st.builds(WithinNext, durations))
    if not is_in_days:
        moments = st.builds(Instant, st.sampled_from(instants(now_us)))
        shapes.append(st.builds(_absolute, moments, moments, st.sampled_from(("both", "start", "end"))))
    return st.one_of(shapes)


def _ago(one: Duration, other: Duration | None) -> Ago:
    if other is None:
        return Ago(one, None)
    if one.us == other.us:
        return Ago(Duration(0, Unit.DAYS), one)
    near, far = sorted((one, other), key=lambda duration: duration.us)
    return Ago(near, far)


def _absolute(one: Instant | Date, other: Instant | Date, ends: str) -> Absolute:
    def place(end: Instant | Date) -> int:
        return end.us if isinstance(end, Instant) else end.days

    first, last = sorted((one, other), key=place)
    if ends == "start" or (place(first) == place(last) and ends == "both"):
        return Absolute(first, None)
    return Absolute(first if ends == "both" else None, last)
