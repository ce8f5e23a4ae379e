"""Texts into typed values, all rows at once.

Each kind has a pattern for the usual spelling, which Arrow converts in bulk, and a careful reader for whatever is spelt
otherwise, which sees each distinct text once. Both accept the same texts with the same values; what the careful reader
refuses is a rejected row with the reason it gives.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar, assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headcount_engine.errors import InvalidValue
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.instants import days_to_date, parse_date, parse_instant, start_of_day_us
from headcount_engine.model.values import Kind, ValueType
from headcount_server.loading.columns import ColumnData, Problem, numbers_of, present_of
from headcount_server.loading.zones import local_to_utc_us

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
DATE_MIN_DAYS = -719_162
"""0001-01-01."""

BOOL_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
WHOLE = re.compile(r"-?[0-9]+(\.0+)?")
NUMBER = re.compile(r"-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
SET_SEPARATOR = "|"
POINT = re.compile(r"\s*(-?[0-9]+(?:\.[0-9]+)?)\s*,\s*(-?[0-9]+(?:\.[0-9]+)?)\s*")

_SIMPLE_INT = r"^-?[0-9]{1,19}$"
# Fifteen digits are held exactly by a double, so that only the careful reader has to look at longer whole numbers.
_SIMPLE_FLOAT = r"^-?([0-9]{1,15}|[0-9]{0,100}\.[0-9]{1,100}([eE][+-]?[0-9]{1,2})?)$"
_SIMPLE_DECIMAL = r"^-?[0-9]{1,20}(\.[0-9]{1,16})?$"
_SIMPLE_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_SIMPLE_LOCAL = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_OFFSET = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"

T = TypeVar("T", bound=np.generic)
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Reading(Generic[T]):
    """How one kind is read: the pattern and the bulk conversion for it, and the careful reader."""

    pattern: str
    at_once: Callable[[pa.Array], NDArray[T]]
    """Null stays anything; raises ArrowInvalid or InvalidValue if one value does not fit after all."""
    carefully: Callable[[str], int | float | bool]
    """Raises InvalidValue."""
    dtype: type[T]


def read_texts(texts: pa.Array, kind: ValueType, zone: str) -> ColumnData:
    """`texts` (nulls are absent) as values of a kind; raises nothing: what does not fit is a problem of its row."""
    match kind.kind:
        case Kind.TEXT:
            return ColumnData(texts, present_of(texts))
        case Kind.TEXT_SET:
            return _sets(texts)
        case Kind.BOOL:
            return _read(texts, _Reading("^(true|false)$", _bools, _bool, np.bool_))
        case Kind.INT:
            return _read(texts, _Reading(_SIMPLE_INT, _ints, _int, np.int64))
        case Kind.FLOAT:
            return _read(texts, _Reading(_SIMPLE_FLOAT, _floats, _float, np.float64))
        case Kind.DECIMAL:
            return _decimals(texts, kind.digits)
        case Kind.DATE:
            return _read(texts, _Reading(_SIMPLE_DATE, _dates, lambda text: parse_date(text).days, np.int32))
        case Kind.INSTANT:
            return _instants(texts, zone)
        case Kind.POINT:
            return _points(texts)
        case _:
            assert_never(kind.kind)


def _read(texts: pa.Array, reading: _Reading[T]) -> ColumnData:
    present = present_of(texts)
    values = np.zeros(len(texts), dtype=reading.dtype)
    simple = _where(texts, reading.pattern)
    try:
        some = texts if simple.all() else pc.if_else(pa.array(simple), texts, pa.scalar(None, texts.type))
        np.copyto(values, reading.at_once(some), where=simple & present)
        rest = present & ~simple
    except (pa.ArrowInvalid, InvalidValue):
        rest = present
    problems = _read_carefully(texts, rest, values, reading.carefully) if rest.any() else ()
    return ColumnData(values, present, problems)


def _where(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    """Rows that match, or hold nothing."""
    matches = pc.fill_null(pc.match_substring_regex(texts, pattern), True)
    found: NDArray[np.bool_] = matches.to_numpy(zero_copy_only=False)
    return found


def _read_carefully(
    texts: pa.Array,
    rows: NDArray[np.bool_],
    values: NDArray[T],
    carefully: Callable[[str], int | float | bool],
) -> tuple[Problem, ...]:
    """Fill `values` at `rows`; a problem for each reason."""
    where = np.flatnonzero(rows)
    encoded = texts.take(pa.array(where)).dictionary_encode()
    codes = encoded.indices.to_numpy(zero_copy_only=False)
    read = np.zeros(len(encoded.dictionary), dtype=values.dtype)
    reasons = list[str]()
    reason_of = np.full(len(read), -1, dtype=np.int64)
    for index, text in enumerate(encoded.dictionary.to_pylist()):
        try:
            read[index] = carefully(text)
        except InvalidValue as error:
            if error.message not in reasons:
                reasons.append(error.message)
            reason_of[index] = reasons.index(error.message)
    values[where] = read[codes]
    problems = list[Problem]()
    for number, reason in enumerate(reasons):
        mask = np.zeros(len(texts), dtype=np.bool_)
        mask[where[reason_of[codes] == number]] = True
        problems.append(Problem(mask, reason))
    return tuple(problems)


# ---- one pair of readers for each kind


def _bools(texts: pa.Array) -> NDArray[np.bool_]:
    values: NDArray[np.bool_] = pc.fill_null(pc.equal(texts, "true"), False).to_numpy(zero_copy_only=False)
    return values


def _bool(text: str) -> bool:
    if text not in BOOL_WORDS:
        raise InvalidValue("neither true nor false")
    return BOOL_WORDS[text]


def _ints(texts: pa.Array) -> I64:
    return numbers_of(texts.cast(pa.int64()), np.int64)


def _int(text: str) -> int:
    if WHOLE.fullmatch(text) is None:
        raise InvalidValue("not a whole number")
    value = int(text.split(".")[0])
    if not INT64_MIN <= value <= INT64_MAX:
        raise InvalidValue("a whole number of more than 64 bits")
    return value


def _floats(texts: pa.Array) -> NDArray[np.float64]:
    return numbers_of(texts.cast(pa.float64()), np.float64)


def _float(text: str) -> float:
    if NUMBER.fullmatch(text) is None:
        raise InvalidValue("not a number")
    value = float(text)
    if math.isinf(value):
        raise InvalidValue("a number beyond the range of doubles")
    if WHOLE.fullmatch(text) and int(text.split(".")[0]) != value:
        raise InvalidValue("a whole number that a float does not hold exactly")
    return value


def _decimals(texts: pa.Array, digits: int) -> ColumnData:
    def at_once(some: pa.Array) -> I64:
        return unscaled(some.cast(pa.decimal128(38, digits)))

    def carefully(text: str) -> int:
        if NUMBER.fullmatch(text) is None:
            raise InvalidValue("not a number")
        return scaled(Decimal(text), digits)

    return _read(texts, _Reading(_SIMPLE_DECIMAL, at_once, carefully, np.int64))


def scaled(value: Decimal, digits: int) -> int:
    """`value` times ten to the power of `digits`; raises InvalidValue unless that is whole and fits 64 bits."""
    if value.adjusted() + digits > 18:
        raise InvalidValue("a decimal of more than 64 bits")
    try:
        whole = value.scaleb(digits)
    except InvalidOperation:
        raise InvalidValue("not a number") from None
    if whole != whole.to_integral_value():
        raise InvalidValue(f"more than {digits} digits after the point")
    if not INT64_MIN <= whole <= INT64_MAX:
        raise InvalidValue("a decimal of more than 64 bits")
    return int(whole)


def unscaled(decimals: pa.Array) -> I64:
    """The integers behind decimal128 values; raises InvalidValue if one does not fit 64 bits."""
    decimals = pc.fill_null(decimals, pa.scalar(Decimal(0), decimals.type))
    words = np.frombuffer(decimals.buffers()[1], dtype=np.int64).reshape(-1, 2)
    words = words[decimals.offset : decimals.offset + len(decimals)]
    if (words[:, 1] != words[:, 0] >> 63).any():
        raise InvalidValue("a decimal of more than 64 bits")
    return np.ascontiguousarray(words[:, 0])


def _dates(texts: pa.Array) -> NDArray[np.int32]:
    days = numbers_of(texts.cast(pa.date32()).cast(pa.int32()), np.int32)
    if len(days) and days.min() < DATE_MIN_DAYS:
        raise InvalidValue("a date before the year 1")
    return days


def _instants(texts: pa.Array, zone: str) -> ColumnData:
    """With an offset, without one (read in the zone), or a date alone (its first instant in the zone)."""
    present = present_of(texts)
    values = np.zeros(len(texts), dtype=np.int64)
    rest = present.copy()

    def with_offset(some: pa.Array) -> I64:
        # Arrow wants an offset on every text, and texts in between would have none.
        return _checked(numbers_of(some.cast(pa.timestamp("us", "UTC")).cast(pa.int64()), np.int64))

    def without(some: pa.Array) -> I64:
        return _checked(local_to_utc_us(some.cast(pa.timestamp("us")), zone))

    for pattern, at_once in ((_SIMPLE_LOCAL + _OFFSET, with_offset), (_SIMPLE_LOCAL + "$", without)):
        rows = _where(texts, pattern) & rest
        if not rows.any():
            continue
        try:
            values[rows] = at_once(texts.filter(pa.array(rows)))
            rest &= ~rows
        except (pa.ArrowInvalid, InvalidValue):
            pass

    def carefully(text: str) -> int:
        try:
            day = _day(text)
        except InvalidValue:
            return parse_instant(text, zone).us
        try:
            return start_of_day_us(day, zone)
        except OverflowError:
            raise InvalidValue("outside the years 1 to 9999") from None

    problems = _read_carefully(texts, rest, values, carefully) if rest.any() else ()
    return ColumnData(values, present, problems)


def _day(text: str) -> dt.date:
    return days_to_date(parse_date(text).days)


def _checked(instants: I64) -> I64:
    if len(instants) and instants.min() < INSTANT_MIN_US:
        raise InvalidValue("an instant before the year 1")
    return instants


def _points(texts: pa.Array) -> ColumnData:
    values = np.zeros((len(texts), 2), dtype=np.float64)
    bad = np.zeros(len(texts), dtype=np.bool_)
    encoded = texts.dictionary_encode()
    places = np.zeros((len(encoded.dictionary), 2), dtype=np.float64)
    is_bad = np.zeros(len(encoded.dictionary), dtype=np.bool_)
    for index, text in enumerate(encoded.dictionary.to_pylist()):
        match = POINT.fullmatch(text)
        if match is None or abs(float(match[1])) > 90 or abs(float(match[2])) > 180:
            is_bad[index] = True
        else:
            places[index] = float(match[1]), float(match[2])
    present = present_of(texts)
    codes = pc.fill_null(encoded.indices, 0).to_numpy(zero_copy_only=False)
    if len(places):
        values = places[codes]
        bad = is_bad[codes] & present
    problems = (Problem(bad, "not a latitude and a longitude, as in 59.33,18.07"),) if bad.any() else ()
    return ColumnData(values, present, problems)


def _sets(texts: pa.Array) -> ColumnData:
    """Split on `|`; nothing between two bars is no element."""
    lists = pc.split_pattern(texts, SET_SEPARATOR)
    elements = lists.flatten()
    is_empty = numbers_of(pc.equal(pc.binary_length(elements), 0).cast(pa.uint8()), np.uint8)
    if is_empty.any():
        lengths = numbers_of(pc.list_value_length(lists), np.int64)
        ends = np.concatenate([[0], np.cumsum(lengths)])
        kept = np.concatenate([[0], np.cumsum(1 - is_empty.astype(np.int64))])
        lists = pa.ListArray.from_arrays(
            pa.array(kept[ends], pa.int32()), elements.filter(pa.array(is_empty == 0))
        )
    return ColumnData(lists, present_of(texts))
