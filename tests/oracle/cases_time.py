"""Rules 16 to 22: windows, calendars, anniversaries and how long a value has held."""

from __future__ import annotations

from decimal import Decimal

from headcount_engine.conditions.tree import Anniversary, Between, Compare, HasBeen, Op
from headcount_engine.model.values import Instant, Kind, ValueType
from tests.oracle.changes import Change, Merge, Schema, Upsert
from tests.oracle.writing import (
    DAY,
    HOUR,
    NOW,
    Case,
    ago,
    at,
    between,
    case,
    coming,
    did,
    events,
    last,
    last_units,
    literal,
    on,
    span,
    values,
    whole,
    x,
    x_when,
)

INSTANT, DATE = Kind.INSTANT, Kind.DATE


def _around(edge: int) -> dict[str, Instant]:
    """A microsecond before, at and after the edge."""
    return {"before": Instant(edge - 1), "at": Instant(edge), "after": Instant(edge + 1)}


def _instants(**times: str) -> dict[str, Instant]:
    return {key: Instant(at(time)) for key, time in times.items()}


MONTH_AGO = NOW - 30 * DAY
ROLLING = [
    values("16", "in last leaves its far end", INSTANT, _around(MONTH_AGO), x_when(last(30)), "after"),
    values("16", "in last takes now and not the future", INSTANT, _around(NOW), x_when(last(30)),
           "before at"),
    values("16", "between ago leaves its far end", INSTANT, _around(MONTH_AGO), x_when(ago(0, 30)), "after"),
    values("16", "between ago takes its near end", INSTANT, _around(MONTH_AGO), x_when(ago(30, 60)),
           "before at"),
    values("16", "more than ago takes its near end", INSTANT, _around(MONTH_AGO), x_when(ago(30, None)),
           "before at"),
    values("16", "in next leaves now", INSTANT, _around(NOW), x_when(coming(12, "hours")), "after"),
    values("16", "in next takes its far end", INSTANT, _around(NOW + 12 * HOUR), x_when(coming(12, "hours")),
           "before at"),
    values("16", "from takes its end", INSTANT, _around(NOW),
           x_when(between("2024-06-15T12:00:00Z", "2024-06-16T00:00:00Z")), "at after"),
    values("16", "to leaves its end", INSTANT, _around(NOW),
           x_when(between("2024-06-01T00:00:00Z", "2024-06-15T12:00:00Z")), "before"),
    values("16", "before", INSTANT, _around(NOW), x_when(between(None, "2024-06-15T12:00:00Z")), "before"),
    values("16", "at or after", INSTANT, _around(NOW), x_when(between("2024-06-15T12:00:00Z", None)),
           "at after"),
    values("16", "absent lies in no window", INSTANT, {}, x_when(between("0001-01-01", None)), ""),
    values("16", "a date as an end is the start of its day in the workspace's zone", INSTANT,
           _around(at("2024-06-14T22:00:00Z")), x_when(between("2024-06-15", None)), "at after",
           zone="Europe/Stockholm"),
    values("16", "an instant compares with a date as the start of its day", INSTANT,
           _around(at("2024-06-14T22:00:00Z")), x("<", on("2024-06-15")), "before", zone="Europe/Stockholm"),
    values("16", "an instant compares with an instant", INSTANT, _around(NOW), x("=", Instant(NOW)), "at"),
    events("16", "an event at the far end of in last is out", {"a": [("e", -7 * DAY)], "b": [("e",
           -7 * DAY + 1)]},
           did("e", window=last(7)), "b"),
    events("16", "adjacent windows tile", {"a": [("e", -7 * DAY)], "b": [("e", -7 * DAY + 1)]},
           did("e", window=ago(7, 14)), "a"),
    events("17", "a member leaves at the exact microsecond", {"a": [("e", "2024-06-01T00:00:00Z")]},
           did("e", window=last(1)), "a", now=at("2024-06-01T23:59:59.999999Z")),
    events("17", "and is gone with no new event", {"a": [("e", "2024-06-01T00:00:00Z")]},
           did("e", window=last(1)), "", now=at("2024-06-02T00:00:00Z")),
    events("18", "an event after now does not count yet", {"a": [("e", 0)], "b": [("e", 1)]}, did("e"), "a"),
    events("18", "it counts when the clock reaches it", {"b": [("e", "2024-06-15T12:00:00.000001Z")]},
           did("e"), "b",
           now=NOW + 1),
    events("18", "an event later today does not count", {"a": [("e", HOUR)], "b": [("e", -HOUR)]},
           did("e", window=whole("this", "day")), "b"),
    events("18", "an absolute window into the future waits too", {"a": [("e", HOUR)]},
           did("e", window=between("2024-01-01", "2025-01-01")), ""),
]  # fmt: skip

STOCKHOLM, NEW_YORK = "Europe/Stockholm", "America/New_York"


def _edges(first: str, last_: str) -> dict[str, Instant]:
    """The two instants around each end of [first, last_)."""
    start, end = at(first), at(last_)
    return {
        "early": Instant(start - 1),
        "first": Instant(start),
        "last": Instant(end - 1),
        "late": Instant(end),
    }


CALENDAR = [
    values("19", "today includes later today", INSTANT, _edges("2024-06-15T00:00:00Z",
           "2024-06-16T00:00:00Z"),
           x_when(whole("this", "day")), "first last"),
    values("19", "yesterday", INSTANT, _edges("2024-06-14T00:00:00Z", "2024-06-15T00:00:00Z"),
           x_when(whole("last", "day")), "first last"),
    values("19", "tomorrow", INSTANT, _edges("2024-06-16T00:00:00Z", "2024-06-17T00:00:00Z"),
           x_when(whole("next", "day")), "first last"),
    values("19", "this week starts on Monday", INSTANT, _edges("2024-06-10T00:00:00Z",
           "2024-06-17T00:00:00Z"),
           x_when(whole("this", "week")), "first last"),
    values("19", "unless the workspace says Sunday", INSTANT, _edges("2024-06-09T00:00:00Z",
           "2024-06-16T00:00:00Z"),
           x_when(whole("this", "week")), "first last", week_start=6),
    values("19", "on a Sunday the week that began on Monday is this week", INSTANT,
           _edges("2024-06-10T00:00:00Z", "2024-06-17T00:00:00Z"), x_when(whole("this", "week")),
           "first last",
           now=at("2024-06-16T23:59:59Z")),
    values("19", "last month over the new year", INSTANT, _edges("2023-12-01T00:00:00Z",
           "2024-01-01T00:00:00Z"),
           x_when(whole("last", "month")), "first last", now=at("2024-01-31T12:00:00Z")),
    values("19", "last month of March is all of February", INSTANT,
           _edges("2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"), x_when(whole("last", "month")),
           "first last",
           now=at("2024-03-31T12:00:00Z")),
    values("19", "this quarter", INSTANT, _edges("2024-04-01T00:00:00Z", "2024-07-01T00:00:00Z"),
           x_when(whole("this", "quarter")), "first last"),
    values("19", "last quarter over the new year", INSTANT, _edges("2023-10-01T00:00:00Z",
           "2024-01-01T00:00:00Z"),
           x_when(whole("last", "quarter")), "first last", now=at("2024-02-29T12:00:00Z")),
    values("19", "next year", INSTANT, _edges("2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
           x_when(whole("next", "year")), "first last"),
    values("19", "the day on which clocks go forward has 23 hours", INSTANT,
           _edges("2024-03-30T23:00:00Z", "2024-03-31T22:00:00Z"), x_when(whole("this", "day", STOCKHOLM)),
           "first last", now=at("2024-03-31T12:00:00Z")),
    values("19", "the day on which clocks go back has 25 hours", INSTANT,
           _edges("2024-10-26T22:00:00Z", "2024-10-27T23:00:00Z"), x_when(whole("this", "day", STOCKHOLM)),
           "first last", now=at("2024-10-27T12:00:00Z")),
    values("19", "the workspace's zone is the default", INSTANT,
           _edges("2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z"), x_when(whole("this", "day")),
           "first last", now=at("2024-03-10T12:00:00Z"), zone=NEW_YORK),
    values("19", "the leaf's zone wins over the workspace's", INSTANT,
           _edges("2024-11-03T04:00:00Z", "2024-11-04T05:00:00Z"), x_when(whole("this", "day", NEW_YORK)),
           "first last", now=at("2024-11-03T12:00:00Z"), zone=STOCKHOLM),
    values("19", "a day whose midnight is skipped begins when the clocks jump", INSTANT,
           _edges("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
           x_when(whole("this", "day", "America/Sao_Paulo")), "first last", now=at("2018-11-04T12:00:00Z")),
    values("19", "clocks that jump over midnight from half past eleven begin the day at half past twelve",
           INSTANT,
           _edges("1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"), x_when(whole("this", "day",
           "America/Toronto")),
           "first last", now=at("1919-03-31T12:00:00Z")),
    values("19", "a day that the zone skipped has no instant", INSTANT,
           _edges("2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"), x_when(whole("next", "day",
           "Pacific/Apia")), "",
           now=at("2011-12-29T12:00:00Z")),
    values("19", "a rolling day is 86,400 seconds whatever the clocks do", INSTANT,
           _around(at("2024-03-30T12:00:00Z")), x_when(last(1)), "after", now=at("2024-03-31T12:00:00Z"),
           zone=STOCKHOLM),
    values("20", "last n calendar months are this one so far and the n-1 before", INSTANT,
           {**_edges("2024-05-01T00:00:00Z", "2024-06-15T12:00:00Z"), "later": Instant(NOW + 1)},
           x_when(last_units(2, "month")), "first last late"),
    values("20", "last 1 calendar week is this one so far", INSTANT,
           {**_edges("2024-06-10T00:00:00Z", "2024-06-15T12:00:00Z"), "later": Instant(NOW + 1)},
           x_when(last_units(1, "week")), "first last late"),
    values("20", "more calendar years than there are reach back to the first", INSTANT,
           _instants(old="0001-01-02T00:00:00Z", new="2024-06-16T00:00:00Z"), x_when(last_units(99_999,
           "year")),
           "old"),
    events("20", "calendar windows take events", {"a": [("e", "2024-05-31T23:59:59.999999Z")],
           "b": [("e", "2024-06-01T00:00:00Z")]}, did("e", window=whole("last", "month")), "a"),
]  # fmt: skip

DAYS = {key: on(f"2024-06-{key[1:]}") for key in ("d08", "d09", "d14", "d15", "d16", "d22", "d23")}
LEAP = {"leap": on("2000-02-29"), "march": on("1999-03-01"), "feb": on("2001-02-28")}


def _anniversary(days: int, zone: str | None = None) -> Anniversary:
    return Anniversary("x", days, zone)


DATES = [
    values("20", "in last n days on a date ends today", DATE, DAYS, x_when(last(7)), "d09 d14 d15"),
    values("20", "in last 1 day on a date is today", DATE, DAYS, x_when(last(1)), "d15"),
    values("20", "in last 1 week is 7 days", DATE, DAYS, x_when(last(1, "weeks")), "d09 d14 d15"),
    values("20", "in last hours on a date is refused", DATE, DAYS, x_when(last(7, "hours")), None),
    values("20", "in next n days on a date begins tomorrow", DATE, DAYS, x_when(coming(7)), "d16 d22"),
    values("20", "between ago on a date counts days", DATE, DAYS, x_when(ago(1, 7)), "d09 d14"),
    values("20", "more than ago on a date", DATE, DAYS, x_when(ago(6, None)), "d08 d09"),
    values("20", "today is the zone's today", DATE, DAYS, x_when(whole("this", "day", "Pacific/Kiritimati")),
           "d16"),
    values("20", "in last days uses the workspace's zone", DATE, DAYS, x_when(last(1)), "d14",
           now=at("2024-06-15T03:00:00Z"), zone=NEW_YORK),
    values("20", "an absolute range of dates is half-open", DATE, DAYS, x_when(between("2024-06-09",
           "2024-06-15")),
           "d09 d14"),
    values("20", "a calendar week of dates", DATE, DAYS, x_when(whole("next", "week")), "d22 d23"),
    values("20", "calendar months so far end today", DATE, DAYS, x_when(last_units(1, "month")),
           "d08 d09 d14 d15"),
    values("20", "dates compare as days", DATE, DAYS, x(">=", on("2024-06-22")), "d22 d23"),
    values("20", "between dates takes both ends", DATE, DAYS, Between("x", on("2024-06-09"),
           on("2024-06-14")),
           "d09 d14"),
    values("20", "a date does not compare with an instant", DATE, DAYS, x("<", Instant(NOW)), None),
    values("20", "an anniversary today", DATE, {"a": on("1980-06-15"), "b": on("1980-06-16")},
           _anniversary(0), "a"),
    values("20", "an anniversary in the next days begins tomorrow", DATE,
           {"a": on("1980-06-15"), "b": on("1980-06-16"), "c": on("1999-06-22"), "d": on("1999-06-23")},
           _anniversary(7), "b c"),
    values("20", "an anniversary wraps the new year", DATE, {"a": on("1980-01-02"), "b": on("1980-01-03")},
           _anniversary(3), "a", now=at("2024-12-30T12:00:00Z")),
    values("20", "29 February counts as 1 March in other years", DATE, LEAP, _anniversary(0), "leap march",
           now=at("2023-03-01T12:00:00Z")),
    values("20", "29 February is not 28 February", DATE, LEAP, _anniversary(0), "feb",
           now=at("2023-02-28T12:00:00Z")),
    values("20", "29 February is itself in leap years", DATE, LEAP, _anniversary(0), "leap",
           now=at("2024-02-29T12:00:00Z")),
    values("20", "and not 1 March there", DATE, LEAP, _anniversary(0), "march",
           now=at("2024-03-01T12:00:00Z")),
    values("20", "2100 is not a leap year", DATE, LEAP, _anniversary(1), "leap march",
           now=at("2100-02-28T12:00:00Z")),
    values("20", "29 February lies in a window of days", DATE, LEAP, _anniversary(2), "leap feb",
           now=at("2024-02-27T12:00:00Z")),
    values("20", "an anniversary has its own zone", DATE, {"a": on("1980-06-15"), "b": on("1980-06-16")},
           _anniversary(0, "Pacific/Kiritimati"), "b"),
    values("20", "an instant has its anniversary by its local day", INSTANT,
           _instants(a="1980-06-14T22:00:00Z", b="1980-06-14T21:59:59Z"), _anniversary(0, STOCKHOLM), "a"),
    values("20", "absent has no anniversary", DATE, {}, _anniversary(366), ""),
]  # fmt: skip

CHANGED = NOW - 7 * DAY
PLAN = Schema({"plan": ValueType(Kind.TEXT)}, tracked=frozenset({"plan"}))


def _plan(key: str, value: str | None, now_us: int) -> Upsert:
    return Upsert(key, {"plan": value}, now_us)


def _has_been(value: str, at_least: bool = True) -> HasBeen:
    return HasBeen("plan", literal(value), at_least, span(7))


PLANS: list[Change] = [
    _plan("exact", "pro", CHANGED),
    _plan("late", "pro", CHANGED + 1),
    _plan("same", "pro", CHANGED), _plan("same", "pro", NOW),
    _plan("back", "pro", CHANGED), _plan("back", "free", NOW - DAY), _plan("back", "pro", NOW - HOUR),
    _plan("other", "free", CHANGED),
    _plan("gone", "pro", CHANGED), _plan("gone", None, NOW),
    Upsert("absent"),
]  # fmt: skip
HELD = [
    case("22", "has been at least takes the exact duration", _has_been("pro"), "exact same", PLANS, PLAN),
    case("22", "has been less than is the rest of those with the value", _has_been("pro", False),
         "late back", PLANS,
         PLAN),
    case("22", "before the change it is unknown", _has_been("pro", False), "", [_plan("a", "pro", NOW + 1)],
         PLAN),
    case("22", "has been on an attribute that is not tracked is refused", _has_been("pro"), None, PLANS,
         Schema(PLAN.attribute_types)),
    case("22", "a merged-in value keeps the instant of its change", _has_been("pro"), "new",
         [_plan("old", "pro", CHANGED), Upsert("new"), Merge("new", "old", NOW)], PLAN),
]  # fmt: skip

PRICES = [
    values("21", "an instant before 1970 is an instant", INSTANT, _instants(a="1969-12-31T23:59:59.999999Z"),
           x("<", Instant(0)), "a"),
    values("21", "an offset is taken into account", INSTANT, _instants(a="2024-06-15T14:00:00+02:00"),
           x("=", Instant(NOW)), "a"),
    values("21", "a decimal time is not an instant", Kind.FLOAT, {"a": 1.5}, Compare("x", Op.LT, Instant(0)),
           None),
    values("21", "nor is a number one", INSTANT, _instants(a="2024-06-15T12:00:00Z"), x(">", Decimal("1.5")),
           None),
]  # fmt: skip

CASES: list[Case] = [*ROLLING, *CALENDAR, *DATES, *HELD, *PRICES]
