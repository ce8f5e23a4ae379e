"""Values as sent to values as stored: exact or refused, never rounded, never cast.

One family of numbers: an int column takes 10.0 and refuses 10.5; a float column takes an int only if a double holds it
exactly; a decimal column takes what its digits can say. Everything else needs its own kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headcount_engine.indexes.attributes import wide_dtype
from headcount_engine.indexes.dictionaries import FALSE_CODE, TRUE_CODE
from headcount_engine.indexes.predicates import Stored, absent_value
from headcount_engine.ingest.admission import admit_texts
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US, Limits
from headcount_engine.model.batches import F64, I64, Column, Mask, Texts
from headcount_engine.model.values import NUMERIC, Kind, ValueType

_DATE_MIN, _DATE_MAX = -719_162, 2_932_896
"""0001-01-01 and 9999-12-31 in days."""
_I64_MIN, _I64_MAX = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)


@dataclass(frozen=True, slots=True, eq=False)
class Coerced:
    """n values in the wide dtype of the target kind (texts and sets: still texts).

    `present`: rows that carry a value. `bad`: rows whose value the target type does not admit; `message` says why.
    """

    values: Stored | Texts
    present: Mask
    bad: Mask
    message: str


def coerce(column: Column, target: ValueType, limits: Limits) -> Coerced:
    """A column's values for an attribute or property of type `target`."""
    n = len(column)
    present = np.ones(n, dtype=np.bool_) if column.present is None else column.present.astype(np.bool_)
    if column.unset is not None:
        present = present & ~column.unset
    values = column.values
    source = column.type.kind
    if isinstance(values, Texts):
        if source is not target.kind:
            return _refused(n, present, target)
        return _coerce_texts(values, column, present, limits)
    if source in NUMERIC and target.kind in NUMERIC:
        stored, bad = _coerce_number(values, column.type, target)
        message = f"is not exactly a {target}"
    elif source is not target.kind:
        return _refused(n, present, target)
    else:
        stored, bad, message = _coerce_same(values, target)
    bad = bad & present
    gone = ~present | bad
    if gone.any():
        stored = stored.copy()
        stored[gone] = absent_value(stored.dtype)
    return Coerced(stored, present, bad, message)


def _refused(n: int, present: Mask, target: ValueType) -> Coerced:
    dtype = wide_dtype(target.kind)
    shape = (n, 2) if target.kind is Kind.POINT else (n,)
    values = np.full(shape, absent_value(dtype), dtype=dtype)
    return Coerced(values, present, present.copy(), f"has another type than the declared {target}")


def _coerce_texts(values: Texts, column: Column, present: Mask, limits: Limits) -> Coerced:
    is_key = column.is_identifier
    admitted = admit_texts(values, limits.key_bytes if is_key else limits.text_bytes, as_key=is_key)
    bad = admitted.bad
    if column.element_offsets is not None:
        owners = np.repeat(np.arange(len(column)), np.diff(column.element_offsets))
        bad = np.zeros(len(column), dtype=np.bool_)
        bad[owners[admitted.bad]] = True
    bad = bad & present
    message = next((m for row, m in sorted(admitted.messages.items())), "")
    return Coerced(admitted.texts, present, bad, message)


def _coerce_same(values: Stored, target: ValueType) -> tuple[Stored, Mask, str]:
    """Kinds outside the family of numbers: only range checks."""
    match target.kind:
        case Kind.BOOL:
            truth = values.astype(np.uint32)
            return np.where(truth == 1, TRUE_CODE, FALSE_CODE).astype(np.uint32), truth > 1, "is not a bool"
        case Kind.INSTANT:
            times = values.astype(np.int64)
            outside = (times < INSTANT_MIN_US) | (times > INSTANT_MAX_US)
            return times, outside, "is outside the years 1 to 9999 (are the units right?)"
        case Kind.DATE:
            days = values.astype(np.int64)
            return days, (days < _DATE_MIN) | (days > _DATE_MAX), "is outside the years 1 to 9999"
        case _:
            points = np.ascontiguousarray(values, dtype=np.float64)
            inside = (np.abs(points[:, 0]) <= 90) & (np.abs(points[:, 1]) <= 180)
            return points, ~inside, "is not a point (latitude -90 to 90, longitude -180 to 180)"


def _coerce_number(values: Stored, source: ValueType, target: ValueType) -> tuple[Stored, Mask]:
    if source.kind is Kind.FLOAT:
        doubles = values.astype(np.float64)
        if target.kind is Kind.FLOAT:
            return doubles + 0.0, ~np.isfinite(doubles)
        return _whole_from_double(doubles, target.digits)
    whole = values.astype(np.int64)
    if target.kind is Kind.FLOAT:
        return _double_from_whole(whole, source.digits)
    return _rescaled(whole, target.digits - source.digits)


def _rescaled(whole: I64, digits: int) -> tuple[I64, Mask]:
    """whole * 10**digits, bad where that is not exactly an int64 (or is the one that stands for absent)."""
    if digits < 0:
        factor = 10**-digits
        return whole // factor, (whole % factor != 0) | (whole == _I64_MIN)
    factor = 10**digits
    bound = _I64_MAX // factor
    bad = (whole > bound) | (whole < -bound)
    return np.where(bad, 0, whole) * factor, bad


def _double_from_whole(whole: I64, digits: int) -> tuple[F64, Mask]:
    """An int must be exactly a double; a decimal becomes the nearest one, as if it had been written as a number."""
    if digits:
        scaled = np.array([int(w) / 10**digits for w in whole.tolist()], dtype=np.float64)
        return scaled, np.zeros(len(whole), dtype=np.bool_)
    doubles = whole.astype(np.float64)
    small = np.abs(doubles) < 2.0**63
    back = np.where(small, doubles, 0.0).astype(np.int64)
    return doubles, ~small | (back != whole)


def _whole_from_double(doubles: F64, digits: int) -> tuple[I64, Mask]:
    """A double that prints with at most `digits` digits after the point, scaled; others are bad."""
    bad = ~np.isfinite(doubles)
    safe = np.where(bad, 0.0, doubles)
    with np.errstate(over="ignore"):
        scaled = np.rint(safe * 10.0**digits)
    bad |= np.abs(scaled) >= 2.0**53 if digits else np.abs(scaled) >= 2.0**63
    scaled = np.where(bad, 0.0, scaled)
    # The double nearest to scaled / 10**digits is what that decimal reads as; any other double is not this decimal.
    bad |= scaled / 10.0**digits != safe
    return scaled.astype(np.int64), bad
