"""Reading and writing instants and dates (ISO 8601), and the calendar of IANA zones."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import InvalidValue
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.values import Date, Instant

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()
_MICROSECOND = dt.timedelta(microseconds=1)
_ISO_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?$",
    re.ASCII,
)
_ISO_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)$", re.ASCII)


@lru_cache(maxsize=1024)
def zone(name: str) -> zoneinfo.ZoneInfo:
    """The IANA zone of that name; raises InvalidValue."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidValue(f"unknown time zone {name[:64]!r}") from error


def parse_date(text: str) -> Date:
    """Read `2024-01-31`; raises InvalidValue."""
    match = _ISO_DATE.match(text)
    if match is None:
        raise InvalidValue("not a date of the form YYYY-MM-DD")
    try:
        return Date(dt.date(int(match[1]), int(match[2]), int(match[3])).toordinal() - _EPOCH_ORDINAL)
    except ValueError as error:
        raise InvalidValue("no such day in the calendar") from error


def parse_instant(text: str, default_zone: str | None = None) -> Instant:
    """Read ISO 8601 with `Z` or an offset, to the microsecond.

    Without an offset it is read in `default_zone`, or refused if that is None. Digits past the microsecond are
    refused unless they are zeros: an instant is never rounded. Raises InvalidValue.
    """
    match = _ISO_INSTANT.match(text)
    if match is None:
        raise InvalidValue("not an instant of the form YYYY-MM-DDTHH:MM:SS with Z or an offset")
    fraction = (match[7] or "").ljust(6, "0")
    if fraction[6:].strip("0"):
        raise InvalidValue("instants are exact to the microsecond; more digits are not accepted")
    try:
        naive = dt.datetime(
            int(match[1]), int(match[2]), int(match[3]), int(match[4]), int(match[5]), int(match[6] or 0),
            int(fraction[:6]),
        )  # fmt: skip
        return Instant(_to_us(naive, match[8], default_zone))
    except (ValueError, OverflowError) as error:
        raise InvalidValue("no such instant in the calendar") from error


def _to_us(naive: dt.datetime, offset: str | None, default_zone: str | None) -> int:
    if offset is None:
        if default_zone is None:
            raise InvalidValue("an instant needs Z or an offset")
        return local_to_us(naive, default_zone)
    shift = 0
    if offset not in ("Z", "z"):
        digits = offset[1:].replace(":", "")
        hours, minutes = int(digits[:2]), int(digits[2:] or 0)
        if hours > 23 or minutes > 59:
            raise InvalidValue("no such offset")
        shift = (hours * 60 + minutes) * (-60 if offset[0] == "-" else 60)
    return (naive.replace(tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND - shift * 1_000_000


def local_to_us(naive: dt.datetime, zone_name: str) -> int:
    """The instant at which clocks in the zone first show `naive`.

    A time skipped by a change of offset is read as if the earlier offset still held (so it lands after the gap); an
    ambiguous one is the first of the two.
    """
    aware = naive.replace(tzinfo=zone(zone_name), fold=0)
    return (aware - _EPOCH) // _MICROSECOND


def format_instant(us: int) -> str:
    """ISO 8601 in UTC: no fraction if whole seconds, else six digits."""
    moment = _EPOCH + dt.timedelta(microseconds=us)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return f"{text}.{moment.microsecond:06d}Z" if moment.microsecond else f"{text}Z"


def format_date(days: int) -> str:
    """`2024-01-31`."""
    return dt.date.fromordinal(days + _EPOCH_ORDINAL).isoformat()


def checked_instant_us(value: int, path: str = "") -> int:
    """`value` if it names an instant of the years 1 to 9999; raises InvalidValue."""
    if not INSTANT_MIN_US <= value <= INSTANT_MAX_US:
        raise InvalidValue("instant outside the years 1 to 9999 (are the units right?)", path=path)
    return value


def local_date(us: int, zone_name: str) -> dt.date:
    """The calendar day in the zone at that instant."""
    return (_EPOCH + dt.timedelta(microseconds=us)).astimezone(zone(zone_name)).date()


def start_of_day_us(day: dt.date, zone_name: str) -> int:
    """The first instant of a calendar day in the zone.

    Where the day begins in a gap (clocks jump over midnight) that is the first instant after the gap.
    """
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=zone(zone_name), fold=0)
    us = (midnight - _EPOCH) // _MICROSECOND
    try:
        back = midnight.astimezone(dt.UTC).astimezone(midnight.tzinfo)
    except OverflowError:  # the calendar's first or last day, whose edge lies outside it elsewhere
        return us
    if back.replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return us
    return _gap_end_us(us, day, zone_name)


def _gap_end_us(after_us: int, day: dt.date, zone_name: str) -> int:
    low, high = after_us - 26 * 3_600_000_000, after_us + 26 * 3_600_000_000
    while high - low > 1:
        middle = (low + high) // 2
        if local_date(middle, zone_name) >= day:
            high = middle
        else:
            low = middle
    return high


def date_to_days(day: dt.date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH_ORDINAL


def days_to_date(days: int) -> dt.date:
    """The inverse of date_to_days."""
    return dt.date.fromordinal(days + _EPOCH_ORDINAL)


@lru_cache(maxsize=4096)
def _year_offsets(name: str, year: int) -> tuple[tuple[int, int], ...]:
    """(instant, offset from UTC in us) at the start of a UTC year and at each change within it.

    Offsets are looked at every twelve hours and a change is then found by bisection; no zone of the database has two
    changes within twelve hours.
    """
    tz = zone(name)

    def offset(us: int) -> int:
        there = (_EPOCH + dt.timedelta(microseconds=us)).astimezone(tz).utcoffset()
        assert there is not None
        return there // _MICROSECOND

    step = 12 * 3_600_000_000
    start = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND
    end = (
        (dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC) - _EPOCH) // _MICROSECOND
        if year < 9999
        else INSTANT_MAX_US
    )
    low, held = start, _guarded(offset, start)
    found = [(start, held)]
    while low < end:
        high = min(low + step, end)
        later = _guarded(offset, high)
        if later != held:
            first, last = low, high
            while last - first > 1:
                middle = (first + last) // 2
                first, last = (middle, last) if _guarded(offset, middle) == held else (first, middle)
            found.append((last, later))
            held = later
        low = high
    return tuple(found)


def _guarded(offset: Callable[[int], int], us: int) -> int:
    """The offset; at the very ends of the calendar, where local time has no date, that of the nearest day inside."""
    day = 86_400_000_000
    return offset(min(max(us, INSTANT_MIN_US + day), INSTANT_MAX_US - day))


def local_times_us(times_us: NDArray[np.int64], zone_name: str) -> NDArray[np.int64]:
    """What clocks in the zone show at each instant, as microseconds since they showed the epoch: i64 of n."""
    if not len(times_us):
        return np.empty(0, dtype=np.int64)
    years = [(_EPOCH + dt.timedelta(microseconds=int(us))).year for us in (times_us.min(), times_us.max())]
    changes = [change for year in range(years[0], years[1] + 1) for change in _year_offsets(zone_name, year)]
    starts = np.array([start for start, _ in changes], dtype=np.int64)
    offsets = np.array([offset for _, offset in changes], dtype=np.int64)
    at = np.searchsorted(starts, times_us, side="right") - 1
    return times_us + offsets[at]


def local_days(times_us: NDArray[np.int64], zone_name: str) -> NDArray[np.int64]:
    """Calendar day in the zone (days since 1970-01-01) of each instant: i64 of n."""
    return local_times_us(times_us, zone_name) // np.int64(86_400_000_000)
