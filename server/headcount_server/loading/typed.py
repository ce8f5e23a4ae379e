"""Columns that know their types into the types of the engine."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headcount_engine.errors import InvalidValue
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.values import Kind, ValueType
from headcount_server.loading.columns import ColumnData, Problem, numbers_of, present_of
from headcount_server.loading.options import TimeUnit
from headcount_server.loading.texts import read_texts, unscaled
from headcount_server.loading.zones import days_to_utc_us, local_to_utc_us

_EXACT = float(1 << 53)
_UNIT_US = {"s": 1_000_000, "ms": 1_000, "us": 1}
_DAY_US = 86_400_000_000


def read_column(array: pa.Array, kind: ValueType, zone: str, unit: TimeUnit | None) -> ColumnData:
    """An Arrow array of any type as values of a kind.

    `unit` is what whole numbers count where an instant is meant. Raises nothing: a value that does not fit is a problem
    of its row.
    """
    held = array.type
    if pa.types.is_null(held):
        return _nothing(len(array), kind)
    if pa.types.is_dictionary(held):
        if kind.kind is Kind.TEXT and pa.types.is_string(held.value_type):
            return ColumnData(array, present_of(array))
        return read_column(array.dictionary_decode(), kind, zone, unit)
    if pa.types.is_large_string(held) or pa.types.is_string_view(held):
        array = array.cast(pa.string())
    if kind.kind is Kind.INSTANT and unit is not None:
        return _counted(array, unit)
    direct = _direct(array, kind, zone)
    if direct is not None:
        return direct
    if pa.types.is_list(held) or pa.types.is_large_list(held) or pa.types.is_fixed_size_list(held):
        return _nothing(len(array), kind, Problem(present_of(array), f"a list, where {kind} is wanted"))
    # A number or a date as it is written: each kind reads the spelling of its neighbours.
    return read_texts(array.cast(pa.string()), kind, zone)


def _direct(array: pa.Array, kind: ValueType, zone: str) -> ColumnData | None:
    """The column if its type is the kind's own; else None."""
    held = array.type
    match kind.kind:
        case Kind.BOOL if pa.types.is_boolean(held):
            present = present_of(array)
            return ColumnData(pc.fill_null(array, False).to_numpy(zero_copy_only=False), present)
        case Kind.INT if pa.types.is_integer(held) and held != pa.uint64():
            return ColumnData(numbers_of(array.cast(pa.int64()), np.int64), present_of(array))
        case Kind.FLOAT if pa.types.is_floating(held):
            return _floats(array)
        case Kind.DECIMAL if pa.types.is_floating(held):
            return _rounded(array, kind.digits)
        case Kind.DECIMAL if pa.types.is_decimal(held):
            return _rescaled(array, kind.digits)
        case Kind.DATE if pa.types.is_date(held):
            return _days(array)
        case Kind.DATE if pa.types.is_timestamp(held):
            return _midnights(array)
        case Kind.INSTANT if pa.types.is_timestamp(held):
            return _instants(array, zone)
        case Kind.INSTANT if pa.types.is_date(held):
            days = _days(array)
            instants = days_to_utc_us(np.asarray(days.values), zone)
            outside = days.present & (instants < INSTANT_MIN_US)
            problems = _problems((outside, "outside the years 1 to 9999"))
            return ColumnData(instants, days.present, days.problems + problems)
        case Kind.TEXT_SET if pa.types.is_list(held) or pa.types.is_large_list(held):
            return _lists(array)
        case Kind.POINT if pa.types.is_list(held):
            return _points(array)
        case Kind.POINT if pa.types.is_fixed_size_list(held):
            return _points(array.cast(pa.list_(held.value_type)))
        case _:
            return None


def _nothing(rows: int, kind: ValueType, *problems: Problem) -> ColumnData:
    empty = read_texts(pa.nulls(rows, pa.string()), kind, "UTC")
    return ColumnData(empty.values, empty.present, problems)


def _problems(*found: tuple[NDArray[np.bool_], str]) -> tuple[Problem, ...]:
    return tuple(Problem(rows, reason) for rows, reason in found if rows.any())


def _floats(array: pa.Array) -> ColumnData:
    present = present_of(array)
    values = numbers_of(array.cast(pa.float64()), np.float64)
    return ColumnData(
        values, present, _problems((present & ~np.isfinite(values), "NaN and infinities are not values"))
    )


def _rounded(array: pa.Array, digits: int) -> ColumnData:
    """Doubles as decimals: those that are the double nearest to a decimal of so many digits."""
    floats = _floats(array)
    values = np.asarray(floats.values, dtype=np.float64)
    values = np.where(np.isfinite(values), values, 0.0)
    scale = float(10**digits)
    whole = np.rint(values * scale)
    too_large = floats.present & (np.abs(whole) > _EXACT)
    inexact = floats.present & ~too_large & (whole / scale != values)
    problems = _problems(
        (too_large, "more digits than a double keeps"),
        (inexact, f"more than {digits} digits after the point"),
    )
    whole[too_large] = 0
    return ColumnData(whole.astype(np.int64), floats.present, floats.problems + problems)


def _rescaled(array: pa.Array, digits: int) -> ColumnData | None:
    try:
        return ColumnData(unscaled(array.cast(pa.decimal128(38, digits))), present_of(array))
    except (pa.ArrowInvalid, InvalidValue):
        return None


def _days(array: pa.Array) -> ColumnData:
    present = present_of(array)
    days = numbers_of(array.cast(pa.date32()).cast(pa.int32()), np.int32)
    outside = present & ((days < INSTANT_MIN_US // _DAY_US) | (days > INSTANT_MAX_US // _DAY_US))
    return ColumnData(
        np.where(outside, np.int32(0), days), present, _problems((outside, "outside the years 1 to 9999"))
    )


def _midnights(array: pa.Array) -> ColumnData | None:
    """Naive timestamps that are dates in disguise."""
    if array.type.tz is not None:
        return None
    present = present_of(array)
    counts = numbers_of(array.cast(pa.int64()), np.int64)
    day = {"s": 86_400, "ms": 86_400_000, "us": _DAY_US, "ns": _DAY_US * 1_000}[array.type.unit]
    odd = present & (counts % day != 0)
    return ColumnData(
        (counts // day).astype(np.int32), present, _problems((odd, "a time, where a date is wanted"))
    )


def _instants(array: pa.Array, zone: str) -> ColumnData:
    present = present_of(array)
    counts = numbers_of(array.cast(pa.int64()), np.int64)
    problems = tuple[Problem, ...]()
    if array.type.unit == "ns":
        problems = _problems((present & (counts % 1_000 != 0), "instants are exact to the microsecond"))
        values = counts // 1_000
    else:
        values, outside = _scaled(counts, _UNIT_US[array.type.unit])
        problems = _problems((present & outside, "outside the years 1 to 9999"))
    if array.type.tz is None:
        naive = pa.array(values, mask=~present, type=pa.int64()).cast(pa.timestamp("us"))
        values = local_to_utc_us(naive, zone)
    return ColumnData(values, present, problems)


def _counted(array: pa.Array, unit: TimeUnit) -> ColumnData:
    """Whole numbers of seconds, milliseconds or microseconds since the epoch."""
    whole = read_column(array, ValueType(Kind.INT), "UTC", None)
    values, outside = _scaled(np.asarray(whole.values, dtype=np.int64), _UNIT_US[unit.value])
    reason = "an instant outside the years 1 to 9999 (is the time unit right?)"
    return ColumnData(values, whole.present, whole.problems + _problems((whole.present & outside, reason)))


def _scaled(counts: NDArray[np.int64], unit_us: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    outside = (counts < INSTANT_MIN_US // unit_us) | (counts > INSTANT_MAX_US // unit_us)
    return np.where(outside, 0, counts) * unit_us, outside


def _lists(array: pa.Array) -> ColumnData:
    present = present_of(array)
    texts = array.cast(pa.list_(pa.string()))
    if texts.flatten().null_count == 0:
        return ColumnData(texts, present)
    holes = pc.list_parent_indices(texts).filter(texts.flatten().is_null()).to_numpy(zero_copy_only=False)
    bad = np.zeros(len(array), dtype=np.bool_)
    bad[holes] = True
    return ColumnData(texts, present, (Problem(bad, "a list with a null in it"),))


def _points(array: pa.Array) -> ColumnData:
    present = present_of(array)
    lengths = numbers_of(pc.list_value_length(array), np.int64)
    values = np.zeros((len(array), 2), dtype=np.float64)
    pairs = present & (lengths == 2)
    numbers = array.filter(pa.array(pairs)).flatten().cast(pa.float64())
    values[pairs] = np.nan_to_num(numbers.to_numpy(zero_copy_only=False), nan=999.0).reshape(-1, 2)
    fits = pairs & (np.abs(values[:, 0]) <= 90) & (np.abs(values[:, 1]) <= 180)
    return ColumnData(values, present, _problems((present & ~fits, "not a latitude and a longitude")))
