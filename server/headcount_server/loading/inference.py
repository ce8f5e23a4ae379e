"""What a column holds, judged by its first rows."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise

import pyarrow as pa

from headcount_engine.errors import InvalidValue
from headcount_engine.model.instants import parse_date, parse_instant
from headcount_engine.model.values import DECIMAL_DIGITS_MAX, Kind, ValueType
from headcount_server.loading.raw import Source
from headcount_server.loading.texts import BOOL_WORDS, INT64_MAX, INT64_MIN, POINT, SET_SEPARATOR

# A number never starts with a zero that another digit follows: `00004` is a code, and stays as written.
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def inferred_type(sample: pa.Array, source: Source, zone: str) -> ValueType | None:
    """The type that every value of the sample fits; None if there is no value or no type that could hold them.

    `sample` is as the reader gave it; `is_supported` tells the two apart.
    """
    held = sample.type
    if pa.types.is_dictionary(held):
        held = held.value_type
    match source:
        case Source.TEXTS:
            return _of_texts(_distinct(sample), zone)
        case Source.JSON if pa.types.is_string(held):
            return _of_json_texts(_distinct(sample), zone)
        case _:
            return _of_arrow(held) if sample.null_count < len(sample) else None


def is_supported(held: pa.DataType) -> bool:
    """Whether columns of that Arrow type can be loaded at all."""
    if pa.types.is_dictionary(held):
        held = held.value_type
    return pa.types.is_null(held) or _of_arrow(held) is not None


def is_whole(sample: pa.Array) -> bool:
    """Whether all values are whole numbers, whether held as such or as text; False if there are none."""
    if pa.types.is_integer(sample.type):
        return True
    if pa.types.is_string(sample.type):
        values = _distinct(sample)
        return bool(values) and all(_WHOLE.fullmatch(value) for value in values)
    return False


def _distinct(sample: pa.Array) -> list[str]:
    values: list[str] = sample.drop_null().unique().to_pylist()
    return values


def _of_arrow(held: pa.DataType) -> ValueType | None:
    is_ = pa.types
    if is_.is_boolean(held):
        return ValueType(Kind.BOOL)
    if is_.is_integer(held):
        return ValueType(Kind.INT)
    if is_.is_floating(held):
        return ValueType(Kind.FLOAT)
    if is_.is_decimal(held):
        return ValueType(Kind.DECIMAL, held.scale) if 0 <= held.scale <= DECIMAL_DIGITS_MAX else None
    if is_.is_string(held) or is_.is_large_string(held) or is_.is_string_view(held):
        return ValueType(Kind.TEXT)
    if is_.is_date(held):
        return ValueType(Kind.DATE)
    if is_.is_timestamp(held):
        return ValueType(Kind.INSTANT)
    if is_.is_fixed_size_list(held) and held.list_size == 2 and is_.is_floating(held.value_type):
        return ValueType(Kind.POINT)
    if is_.is_list(held) or is_.is_large_list(held):
        element = _of_arrow(held.value_type)
        return ValueType(Kind.TEXT_SET) if element is not None and element.kind is not Kind.TEXT_SET else None
    return None


def _of_texts(values: Collection[str], zone: str) -> ValueType | None:
    if not values:
        return None
    if all(value in BOOL_WORDS for value in values):
        return ValueType(Kind.BOOL)
    if all(_WHOLE.fullmatch(value) for value in values):
        fits = all(INT64_MIN <= int(value) <= INT64_MAX for value in values)
        return ValueType(Kind.INT if fits else Kind.TEXT)
    if all(_NUMBER.fullmatch(value) for value in values):
        return ValueType(Kind.FLOAT if all(abs(float(v)) < float("inf") for v in values) else Kind.TEXT)
    if all(_is_point(value) for value in values):
        return ValueType(Kind.POINT)
    if any(SET_SEPARATOR in value for value in values) and all(_is_set(value) for value in values):
        return ValueType(Kind.TEXT_SET)
    return _of_json_texts(values, zone)


def _is_point(text: str) -> bool:
    """As an export writes one: two numbers with a point in each, in range."""
    match = POINT.fullmatch(text)
    if match is None or "." not in match[1] or "." not in match[2]:
        return False
    return abs(float(match[1])) <= 90 and abs(float(match[2])) <= 180


def _is_set(text: str) -> bool:
    """As an export writes one: every element once, in order."""
    elements = text.split(SET_SEPARATOR)
    return all(elements) and all(one < other for one, other in pairwise(elements))


def _of_json_texts(values: Collection[str], zone: str) -> ValueType | None:
    """A date, an instant or text."""
    if not values:
        return None
    is_date = [_is_date(value) for value in values]
    if all(is_date):
        return ValueType(Kind.DATE)
    if all(date or _is_instant(value, zone) for value, date in zip(values, is_date, strict=True)):
        return ValueType(Kind.INSTANT)
    return ValueType(Kind.TEXT)


def _is_date(text: str) -> bool:
    # Looked at first: raising and catching for each of ten thousand names takes longer than reading them.
    if len(text) != 10 or text[4] != "-":
        return False
    try:
        parse_date(text)
    except InvalidValue:
        return False
    return True


def _is_instant(text: str, zone: str) -> bool:
    if len(text) < 16 or text[4] != "-":
        return False
    try:
        parse_instant(text, zone)
    except InvalidValue:
        return False
    return True
