"""What conditions are made of besides one another, both ways: names, literals, numbers, points, spans of time, windows.

Readers raise InvalidRule or InvalidValue for what cannot be; whoever reads the node says where it stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, assert_never

from headcount.v1.condition_pb2 import CountRange as WireCountRange
from headcount.v1.condition_pb2 import Literal as WireLiteral
from headcount.v1.value_pb2 import Date as WireDate
from headcount.v1.value_pb2 import Point as WirePoint
from headcount.v1.window_pb2 import TimeSpan
from headcount.v1.window_pb2 import Window as WireWindow
from headcount_engine.conditions.text.literals import amount
from headcount_engine.conditions.text.literals import number as number_text
from headcount_engine.conditions.tree import CountRange
from headcount_engine.conditions.windows import (
    Absolute,
    Ago,
    Calendar,
    CalendarLast,
    Duration,
    Window,
    WithinLast,
    WithinNext,
)
from headcount_engine.errors import InvalidRule, LimitExceeded
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_engine.model.instants import days_to_date
from headcount_engine.model.values import Bool, Date, Instant, Literal, Number, Point, Text
from headcount_server.wire.choices import CALENDAR_UNITS, SHIFTS, UNITS
from headcount_server.wire.fields import instant_us, put_instant
from headcount_server.wire.messages import Message
from headcount_server.wire.values import date_of

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,399})(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,6})?")
_INT64_MAX: Final = (1 << 63) - 1
_UINT64_MAX: Final = (1 << 64) - 1


def required(message: Message, field: str) -> None:
    """Refuse a message without this part; its zero would mean something."""
    if not message.HasField(field):
        raise InvalidRule(f"{field} is needed")


# ------------------------------------------------------------------------------------------------ texts, numbers


def text_of(text: str) -> str:
    """A text in NFC, as the rule language reads it; raises LimitExceeded."""
    size = len(text.encode())
    if size > DEFAULT_LIMITS.text_bytes:
        raise LimitExceeded("text_bytes", DEFAULT_LIMITS.text_bytes, size)
    return unicodedata.normalize("NFC", text)


def texts_of(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(text_of(text) for text in texts)


def name_of(name: str) -> str:
    """A name in NFC; an empty one is none."""
    if not name:
        raise InvalidRule("a name is needed")
    return text_of(name)


def zone_of(name: str) -> str | None:
    return name or None


def number_of(text: str) -> Number:
    """The number that is written, exactly."""
    if _NUMBER.fullmatch(text) is None:
        raise InvalidRule("a number is written as in JSON")
    written = int(text) if set(text).isdisjoint(".eE") else Decimal(text)
    number = Number(written)
    if number.value != written:
        raise InvalidRule("a number of more digits than can be held exactly")
    return number


def decimal_of(text: str) -> Decimal:
    return Decimal(number_of(text).value)


def decimal_text(value: Decimal) -> str:
    return amount(value)


def number_message(value: Number) -> str:
    return number_text(value)


def count_range_of(message: WireCountRange) -> CountRange:
    return CountRange(message.low, message.high if message.HasField("high") else None)


def count_range_message(count: CountRange) -> WireCountRange:
    fits_u64(count.low)
    fits_u64(count.high or 0)
    return WireCountRange(low=count.low, high=count.high)


def fits_u64(count: int) -> int:
    """The count; raises InvalidRule for one that text can hold and a message cannot."""
    if count > _UINT64_MAX:
        raise InvalidRule("a count beyond 64 bits has no form as a tree")
    return count


def fits_i64(size: int) -> int:
    if not -_INT64_MAX - 1 <= size <= _INT64_MAX:
        raise InvalidRule("a size beyond 64 bits has no form as a tree")
    return size


# ------------------------------------------------------------------------------------------------ literals


def literal_of(message: WireLiteral) -> Literal:
    match message.WhichOneof("kind"):
        case "bool_value":
            return Bool(message.bool_value)
        case "number":
            return number_of(message.number)
        case "text":
            return Text(text_of(message.text))
        case "instant":
            return Instant(instant_us(message.instant, "instant"))
        case "date":
            return date_of(message.date, "date")
        case _:
            raise InvalidRule("a value needs exactly one of its kinds")


def literals_of(messages: Iterable[WireLiteral]) -> tuple[Literal, ...]:
    return tuple(literal_of(message) for message in messages)


def literal_message(value: Literal) -> WireLiteral:
    made = WireLiteral()
    match value:
        case Bool(truth):
            made.bool_value = truth
        case Number():
            made.number = number_text(value)
        case Text(text):
            made.text = text
        case Instant(us):
            made.instant.SetInParent()
            put_instant(made.instant, us)
        case Date():
            made.date.CopyFrom(date_message(value))
        case _:
            assert_never(value)
    return made


def literal_messages(values: Iterable[Literal]) -> list[WireLiteral]:
    return [literal_message(value) for value in values]


def date_message(date: Date) -> WireDate:
    day = days_to_date(date.days)
    return WireDate(year=day.year, month=day.month, day=day.day)


def point_of(message: WirePoint) -> Point:
    return Point(message.latitude, message.longitude)


def point_message(point: Point) -> WirePoint:
    # A negative zero is a zero, as in text.
    return WirePoint(latitude=point.latitude + 0.0, longitude=point.longitude + 0.0)


# ------------------------------------------------------------------------------------------------ time


def duration_of(message: TimeSpan) -> Duration:
    return Duration(message.count, UNITS.read(message.unit))


def duration_message(duration: Duration) -> TimeSpan:
    return TimeSpan(count=duration.count, unit=UNITS.name(duration.unit))


def window_of(message: WireWindow) -> Window:
    match message.WhichOneof("kind"):
        case "within_last":
            return WithinLast(duration_of(message.within_last.span))
        case "within_next":
            return WithinNext(duration_of(message.within_next.span))
        case "ago":
            far = duration_of(message.ago.far) if message.ago.HasField("far") else None
            return Ago(duration_of(message.ago.near), far)
        case "absolute":
            return _absolute_of(message.absolute)
        case "calendar":
            calendar = message.calendar
            return Calendar(
                SHIFTS.read(calendar.shift), CALENDAR_UNITS.read(calendar.unit), zone_of(calendar.zone)
            )
        case "calendar_last":
            last = message.calendar_last
            return CalendarLast(last.count, CALENDAR_UNITS.read(last.unit), zone_of(last.zone))
        case _:
            raise InvalidRule("a window needs exactly one of its kinds")


def optional_window(message: Message, window: WireWindow) -> Window | None:
    """The window of a leaf that may have none."""
    return window_of(window) if message.HasField("window") else None


def _absolute_of(message: WireWindow.Absolute) -> Absolute:
    start: Instant | Date | None = None
    end: Instant | Date | None = None
    match message.WhichOneof("start"):
        case "start_instant":
            start = Instant(instant_us(message.start_instant, "start_instant"))
        case "start_date":
            start = date_of(message.start_date, "start_date")
        case _:
            pass
    match message.WhichOneof("end"):
        case "end_instant":
            end = Instant(instant_us(message.end_instant, "end_instant"))
        case "end_date":
            end = date_of(message.end_date, "end_date")
        case _:
            pass
    return Absolute(start, end)


def window_message(window: Window) -> WireWindow:
    match window:
        case WithinLast(duration):
            return WireWindow(within_last=WireWindow.WithinLast(span=duration_message(duration)))
        case WithinNext(duration):
            return WireWindow(within_next=WireWindow.WithinNext(span=duration_message(duration)))
        case Ago(near, far):
            ago = WireWindow.Ago(
                near=duration_message(near), far=None if far is None else duration_message(far)
            )
            return WireWindow(ago=ago)
        case Absolute(start, end):
            return WireWindow(absolute=_absolute_message(start, end))
        case Calendar(shift, unit, zone):
            return WireWindow(
                calendar=WireWindow.Calendar(
                    shift=SHIFTS.name(shift), unit=CALENDAR_UNITS.name(unit), zone=zone
                )
            )
        case CalendarLast(count, unit, zone):
            return WireWindow(
                calendar_last=WireWindow.CalendarLast(count=count, unit=CALENDAR_UNITS.name(unit), zone=zone)
            )
        case _:
            assert_never(window)


def optional_window_message(window: Window | None) -> WireWindow | None:
    return None if window is None else window_message(window)


def _absolute_message(start: Instant | Date | None, end: Instant | Date | None) -> WireWindow.Absolute:
    made = WireWindow.Absolute()
    match start:
        case Instant(us):
            made.start_instant.SetInParent()
            put_instant(made.start_instant, us)
        case Date():
            made.start_date.CopyFrom(date_message(start))
        case None:
            pass
        case _:
            assert_never(start)
    match end:
        case Instant(us):
            made.end_instant.SetInParent()
            put_instant(made.end_instant, us)
        case Date():
            made.end_date.CopyFrom(date_message(end))
        case None:
            pass
        case _:
            assert_never(end)
    return made
