"""From Python values to messages."""

from __future__ import annotations

import datetime as dt
import enum
import math
import operator
from collections.abc import Iterable, Mapping, Sequence, Set
from decimal import Decimal
from typing import SupportsIndex, TypeVar

from google.protobuf import duration_pb2, timestamp_pb2

from headcount.errors import ErrorDetails, FieldViolation, InvalidArgument
from headcount.rows import CellInput, Event, ProfileUpdate
from headcount.rules.text import Rule
from headcount.v1 import event_service_pb2, profile_service_pb2, rule_pb2, value_pb2
from headcount.values import Identifier, Point

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
DECIMAL_DIGITS_MAX = 6
DURATION_MAX = dt.timedelta(seconds=315_576_000_000)
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
SEGMENT_PREFIX = "segments/"

EnumT = TypeVar("EnumT", bound=enum.Enum)
RuleLike = Rule | str
"""A rule made with `headcount.rules`, or its text."""


def refused(field: str, description: str) -> InvalidArgument:
    """What the client finds wrong before it sends anything."""
    violation = FieldViolation(field, description, "INVALID_VALUE")
    message = f"{field}: {description}" if field else description
    return InvalidArgument(message, reason="INVALID_VALUE", details=ErrorDetails(violations=(violation,)))


def instant_us(time: dt.datetime, field: str = "time") -> int:
    """Microseconds since the Unix epoch. A time without a zone could mean anything and is refused."""
    if not isinstance(time, dt.datetime):
        raise refused(field, f"an instant is a datetime, got {type(time).__name__}")
    if time.tzinfo is None:
        raise refused(field, "an instant needs a time zone")
    return (time - EPOCH) // MICROSECOND


def timestamp(time: dt.datetime, field: str = "time") -> timestamp_pb2.Timestamp:
    seconds, us = divmod(instant_us(time, field), 1_000_000)
    return timestamp_pb2.Timestamp(seconds=seconds, nanos=us * 1_000)


def optional_timestamp(time: dt.datetime | None, field: str) -> timestamp_pb2.Timestamp | None:
    return None if time is None else timestamp(time, field)


def duration(length: dt.timedelta, field: str) -> duration_pb2.Duration:
    if not isinstance(length, dt.timedelta):
        raise refused(field, f"a length of time is a timedelta, got {type(length).__name__}")
    if abs(length) > DURATION_MAX:
        raise refused(field, "longer than 10,000 years")
    out = duration_pb2.Duration()
    out.FromTimedelta(length)
    return out


def one_of(kind: type[EnumT], value: EnumT | str, field: str) -> EnumT:
    """A member of an enum, given as such or as its value."""
    try:
        return kind(value)
    except ValueError:
        raise refused(field, f"one of {', '.join(str(one.value) for one in kind)}") from None


def decimal_parts(number: Decimal, field: str) -> tuple[int, int]:
    """Unscaled integer and digits after the point, trailing zeros kept as written."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise refused(field, "NaN and infinities are not values")
    digits = max(0, -exponent)
    if digits > DECIMAL_DIGITS_MAX:
        raise refused(field, f"at most {DECIMAL_DIGITS_MAX} digits after the point, got {digits}")
    return checked_int(scaled(number, digits), field), digits


def scaled(number: Decimal | int, digits: int) -> int:
    """`number` times ten to the power of `digits`, exactly; the number has no more digits than that."""
    if isinstance(number, int):
        return number * int(10**digits)
    sign, figures, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    magnitude = int("".join(map(str, figures)) or "0") * int(10 ** (digits + exponent))
    return -magnitude if sign else magnitude


def checked_int(value: int, field: str) -> int:
    if not INT64_MIN <= value <= INT64_MAX:
        raise refused(field, "beyond the range of 64-bit integers")
    return value


def whole(value: SupportsIndex, field: str, bits: int = 32) -> int:
    """A count, size or position: a whole number from 0 that fits into so many bits."""
    try:
        number = operator.index(value)
    except TypeError:
        raise refused(field, f"a whole number is expected, got {type(value).__name__}") from None
    if not 0 <= number < 1 << bits:
        raise refused(field, f"a whole number from 0 to {(1 << bits) - 1:,}")
    return number


def page_size(value: int) -> int:
    """Rows of a page; 0 leaves it to the server."""
    return whole(value, "page_size", 31)


def checked_float(value: float, field: str) -> float:
    if not math.isfinite(value):
        raise refused(field, "NaN and infinities are not values")
    return value


def text(value: object, field: str) -> str:
    """A text that UTF-8 can hold; a lone half of a surrogate pair is none."""
    if not isinstance(value, str):
        raise refused(field, f"a text is expected, got {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise refused(field, "half of a surrogate pair is not a character") from None
    return value


def text_list(texts: Iterable[str], field: str) -> list[str]:
    if isinstance(texts, str):
        raise refused(field, "a set of texts is given as a list or set, not as one text")
    given = list(texts)
    try:
        "".join(given).encode()
    except (TypeError, UnicodeEncodeError):
        return [text(each, field) for each in given]
    return given


def cell(value: CellInput, field: str) -> value_pb2.Value:
    """One value; raises InvalidArgument for what is not one."""
    given: object = value
    if isinstance(given, bytes | bytearray | memoryview):  # sequences, of what are no texts
        raise refused(field, f"{type(given).__name__} is not a type of value")
    match value:
        case None:
            return value_pb2.Value(null_value="NULL_VALUE")
        case bool():
            return value_pb2.Value(bool_value=value)
        case int():
            return value_pb2.Value(int_value=checked_int(value, field))
        case float():
            return value_pb2.Value(float_value=checked_float(value, field))
        case Decimal():
            unscaled, digits = decimal_parts(value, field)
            return value_pb2.Value(decimal_value=value_pb2.Decimal(unscaled=unscaled, digits=digits))
        case str():
            return value_pb2.Value(text_value=text(value, field))
        case dt.datetime():
            return value_pb2.Value(instant_value=timestamp(value, field))
        case dt.date():
            date = value_pb2.Date(year=value.year, month=value.month, day=value.day)
            return value_pb2.Value(date_value=date)
        case Point(latitude, longitude):
            return value_pb2.Value(point_value=value_pb2.Point(latitude=latitude, longitude=longitude))
        case Set() | Sequence():
            return value_pb2.Value(text_set_value=value_pb2.TextSet(texts=text_list(value, field)))
        case _:
            raise refused(field, f"{type(value).__name__} is not a type of value")


def cells(values: Mapping[str, CellInput], field: str) -> dict[str, value_pb2.Value]:
    return {text(name, field): cell(value, f"{field}.{name}") for name, value in values.items()}


def identifier(given: Identifier) -> value_pb2.Identifier:
    return value_pb2.Identifier(type=text(given.type, "type"), value=text(given.value, "value"))


def rule(given: RuleLike) -> rule_pb2.Rule:
    return rule_pb2.Rule(text=text(str(given), "rule"))


def segment_name(segment: str) -> str:
    """The resource name of a segment id."""
    if not segment or "/" in segment:
        raise refused("segment", "a segment id is not empty and has no slashes")
    return SEGMENT_PREFIX + text(segment, "segment")


def profile_update(given: ProfileUpdate | Mapping[str, CellInput]) -> ProfileUpdate:
    """A mapping's `key` is the profile's, everything else its attributes."""
    if isinstance(given, ProfileUpdate):
        return given
    attributes = dict(given)
    key = attributes.pop("key", None)
    if not isinstance(key, str):
        raise refused("key", "a row needs a key, which is a text")
    return ProfileUpdate(key, attributes)


def profile_given(given: ProfileUpdate | Mapping[str, CellInput]) -> profile_service_pb2.ProfileRow:
    return profile_row(profile_update(given))


def profile_row(update: ProfileUpdate) -> profile_service_pb2.ProfileRow:
    time = optional_timestamp(update.consent_time, "consent_time")
    return profile_service_pb2.ProfileRow(
        key=text(update.key, "key"),
        attributes=cells(update.attributes, "attributes"),
        unset_attributes=text_list(update.unset, "unset"),
        increments=cells(update.increments, "increments"),
        elements_added=_text_sets(update.elements_added, "elements_added"),
        elements_removed=_text_sets(update.elements_removed, "elements_removed"),
        tags_added=text_list(update.tags_added, "tags_added"),
        tags_removed=text_list(update.tags_removed, "tags_removed"),
        channels_added=text_list(update.channels_added, "channels_added"),
        channels_removed=text_list(update.channels_removed, "channels_removed"),
        identifiers=[identifier(given) for given in update.identifiers],
        identifiers_removed=text_list(update.identifiers_removed, "identifiers_removed"),
        consents=[
            profile_service_pb2.Consent(topic=topic, subscribed=subscribed, time=time)
            for topic, subscribed in update.consents.items()
        ],
    )


def _text_sets(sets: Mapping[str, Sequence[str] | Set[str]], field: str) -> dict[str, value_pb2.TextSet]:
    return {
        name: value_pb2.TextSet(texts=text_list(texts, f"{field}.{name}")) for name, texts in sets.items()
    }


def event(given: Event | Mapping[str, CellInput]) -> Event:
    """A mapping's `name`, `key`, `time` and `id` are the event's, everything else its properties."""
    if isinstance(given, Event):
        return given
    properties = dict(given)
    name, key = properties.pop("name", None), properties.pop("key", None)
    time, event_id = properties.pop("time", None), properties.pop("id", "")
    if not isinstance(name, str) or not isinstance(key, str) or not isinstance(event_id, str):
        raise refused(
            "name" if not isinstance(name, str) else "key", "an event needs a name, a key, and ids as text"
        )
    if not isinstance(time, dt.datetime):
        raise refused("time", "an event needs a time, which is a datetime")
    return Event(name, key, time, event_id, properties)


def event_given(given: Event | Mapping[str, CellInput]) -> event_service_pb2.EventRow:
    return event_row(event(given))


def event_row(given: Event) -> event_service_pb2.EventRow:
    return event_service_pb2.EventRow(
        event_name=text(given.name, "name"),
        key=text(given.key, "key"),
        time=timestamp(given.time),
        event_id=text(given.id, "id"),
        properties=cells(given.properties, "properties"),
    )
