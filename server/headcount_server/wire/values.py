"""Single values and types, both ways."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.instants import date_to_days, days_to_date
from headcount_engine.model.values import DECIMAL_DIGITS_MAX, Cell, Date, Instant, Kind, Point, ValueType
from headcount_server.wire import messages
from headcount_server.wire.fields import instant_us, put_instant

_WIRE = messages.ValueType
_NUMBERS: dict[Kind, messages.ValueType] = {
    Kind.BOOL: _WIRE.VALUE_TYPE_BOOL,
    Kind.INT: _WIRE.VALUE_TYPE_INT,
    Kind.DECIMAL: _WIRE.VALUE_TYPE_DECIMAL,
    Kind.FLOAT: _WIRE.VALUE_TYPE_FLOAT,
    Kind.TEXT: _WIRE.VALUE_TYPE_TEXT,
    Kind.TEXT_SET: _WIRE.VALUE_TYPE_TEXT_SET,
    Kind.INSTANT: _WIRE.VALUE_TYPE_INSTANT,
    Kind.DATE: _WIRE.VALUE_TYPE_DATE,
    Kind.POINT: _WIRE.VALUE_TYPE_POINT,
}
_KINDS: dict[int, Kind] = {number: kind for kind, number in _NUMBERS.items()}


def value_type(number: int, digits: int, path: str) -> ValueType:
    """The type that a definition or column declares; UNSPECIFIED and unknown numbers are refused."""
    kind = _KINDS.get(number)
    if kind is None:
        raise InvalidArgument("a type is needed, one of those of ValueType", path=f"{path}.type")
    if digits > (DECIMAL_DIGITS_MAX if kind is Kind.DECIMAL else 0):
        raise InvalidArgument(
            f"digits go with decimals, from 0 to {DECIMAL_DIGITS_MAX}", path=f"{path}.digits"
        )
    return ValueType(kind, digits)


def type_number(type_: ValueType) -> messages.ValueType:
    return _NUMBERS[type_.kind]


def cell_of(value: messages.Value, path: str) -> Cell | None:
    """The value; None for an explicit null. A value with nothing set is refused."""
    match value.WhichOneof("kind"):
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "decimal_value":
            digits = value.decimal_value.digits
            if digits > DECIMAL_DIGITS_MAX:
                raise InvalidArgument(f"at most {DECIMAL_DIGITS_MAX} digits, got {digits}", path=path)
            return Decimal(value.decimal_value.unscaled).scaleb(-digits)
        case "float_value":
            return value.float_value
        case "text_value":
            return value.text_value
        case "text_set_value":
            return frozenset(value.text_set_value.texts)
        case "instant_value":
            return Instant(instant_us(value.instant_value, path))
        case "date_value":
            return date_of(value.date_value, path)
        case "point_value":
            return Point(value.point_value.latitude, value.point_value.longitude)
        case "null_value":
            return None
        case _:
            raise InvalidArgument("a value needs exactly one of its kinds", path=path)


def date_of(date: messages.Date, path: str) -> Date:
    """All three parts are required and must name a day."""
    try:
        return Date(date_to_days(dt.date(date.year, date.month, date.day)))
    except (ValueError, OverflowError):
        raise InvalidArgument("no such day in the calendar", path=path) from None


def decimal_digits(value: Decimal) -> int:
    """Digits after the point as it is written."""
    exponent = value.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def put_value(into: messages.Value, cell: Cell) -> None:
    """Set the one kind that the cell is."""
    match cell:
        case bool():
            into.bool_value = cell
        case int():
            into.int_value = cell
        case Decimal():
            digits = decimal_digits(cell)
            into.decimal_value.unscaled = int(cell.scaleb(digits))
            into.decimal_value.digits = digits
        case float():
            into.float_value = cell
        case str():
            into.text_value = cell
        case frozenset():
            into.text_set_value.SetInParent()
            into.text_set_value.texts.extend(sorted(cell))
        case Instant(us):
            into.instant_value.SetInParent()
            put_instant(into.instant_value, us)
        case Date(days):
            day = days_to_date(days)
            into.date_value.year, into.date_value.month, into.date_value.day = day.year, day.month, day.day
        case Point(latitude, longitude):
            into.point_value.SetInParent()
            into.point_value.latitude, into.point_value.longitude = latitude, longitude
