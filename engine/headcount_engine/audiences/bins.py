"""Where the ranges of a breakdown begin and end: edges in stored units, and as the values people see.

Edges are such that stored value >= edge exactly if the value is: an int column asked for an edge of 2.5 has it at 3.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from headcount_engine.audiences.numbers import Numbers
from headcount_engine.conditions.spans import Moment, shift_units, unit_start
from headcount_engine.conditions.windows import CalendarUnit
from headcount_engine.errors import InvalidArgument, InvalidValue
from headcount_engine.model.analytics import CalendarSteps, Edges, EqualWidth, Quantiles, Step
from headcount_engine.model.instants import (
    date_to_days,
    days_to_date,
    local_date,
    start_of_day_us,
    zone,
)
from headcount_engine.model.values import Cell, Date, Instant, Kind, Point

BINS_MAX = 1_000
_UNITS = {step: CalendarUnit(step.value) for step in Step}


@dataclass(frozen=True, slots=True, eq=False)
class Ranges:
    """n ranges one after the other.

    stored   the edges between and around them, ascending, in the column's wide dtype: n + 1, or n where the last range
             has no upper end
    cells    the same as values, n + 1; None for an end without a bound
    is_open  whether values before the first edge and from the last on are ranges too (given edges)
    """

    stored: NDArray[Any]
    cells: tuple[Cell | None, ...]
    is_open: bool = False


def ranges_of(
    bins: EqualWidth | Quantiles | Edges | CalendarSteps, numbers: Numbers, moment: Moment
) -> Ranges:
    """The ranges asked for, over the members' values. Raises InvalidArgument for bins that cannot be."""
    match bins:
        case EqualWidth(count):
            return _equal_width(_checked(count), numbers)
        case Quantiles(count):
            return _quantiles(_checked(count), numbers)
        case Edges(edges):
            return _given(edges, numbers, moment)
        case CalendarSteps(step, zone_name):
            return _calendar(_UNITS[step], zone_name, numbers, moment)
        case _:
            assert_never(bins)


def fitting_steps(limit: int, numbers: Numbers, moment: Moment) -> CalendarSteps:
    """The shortest calendar steps of which at most `limit` cover the members' instants or dates; years if none do."""
    ends = numbers.ends()
    if ends is not None:
        first, last = (_day(numbers.type.kind, int(end), moment.zone) for end in ends)
        days = (last - first).days + 1
        for step, length in ((Step.DAY, 1), (Step.WEEK, 7), (Step.MONTH, 28), (Step.QUARTER, 90)):
            if math.ceil(days / length) < limit:
                return CalendarSteps(step)
    return CalendarSteps(Step.YEAR)


def _checked(count: int) -> int:
    if not 1 <= count <= BINS_MAX:
        raise InvalidArgument(f"1 to {BINS_MAX:,} ranges, got {count:,}", path="bins")
    return count


def _none(numbers: Numbers) -> Ranges:
    return Ranges(np.empty(0, dtype=numbers.wide), (None,))


def _closed(edges: list[int], numbers: Numbers) -> Ranges:
    """Whole stored edges; the last one is left out where it is past what the column can hold."""
    cells: list[Cell | None] = [numbers.cell(edge) for edge in edges[:-1]]
    top = np.iinfo(np.int64).max
    has_end = edges[-1] <= top and numbers.can_show(edges[-1])
    cells.append(numbers.cell(edges[-1]) if has_end else None)
    return Ranges(np.array(edges if has_end else edges[:-1], dtype=np.int64), tuple(cells))


def _closed_floats(edges: list[float], last: float, numbers: Numbers) -> Ranges:
    """Ascending doubles from the least value on; the last range ends just after the greatest."""
    inner = sorted(set(edges))
    end = math.nextafter(last, math.inf)
    if math.isinf(end):
        return Ranges(np.array(inner), (*inner, None))
    return Ranges(np.array([*inner, end]), (*inner, end))


def _equal_width(count: int, numbers: Numbers) -> Ranges:
    ends = numbers.ends()
    if ends is None:
        return _none(numbers)
    low, high = ends
    if isinstance(low, float) or isinstance(high, float):
        parts = [low * (1 - i / count) + high * (i / count) for i in range(count)]
        return _closed_floats([p for p in parts if low <= p <= high], high, numbers)
    span = high - low + 1
    width = -(-span // min(count, span))
    return _closed([*range(low, high + 1, width), low + width * -(-span // width)], numbers)


def _quantiles(count: int, numbers: Numbers) -> Ranges:
    values = numbers.values()
    if not len(values):
        return _none(numbers)
    places = [len(values) * i // count for i in range(count)]
    chosen = np.partition(values, sorted({*places, len(values) - 1}))
    if values.dtype.kind == "f":
        return _closed_floats([float(chosen[p]) for p in places], float(chosen[-1]), numbers)
    return _closed([*sorted({int(chosen[p]) for p in places}), int(chosen[-1]) + 1], numbers)


def _given(edges: tuple[Cell, ...], numbers: Numbers, moment: Moment) -> Ranges:
    if not 1 <= len(edges) <= BINS_MAX:
        raise InvalidArgument(f"1 to {BINS_MAX:,} edges, got {len(edges):,}", path="bins")
    stored = [_stored_edge(edge, numbers, moment) for edge in edges]
    if any(a >= b for a, b in itertools.pairwise(stored)):
        raise InvalidArgument("edges ascend, and a value lies between any two", path="bins")
    return Ranges(np.array(stored, dtype=numbers.wide), edges, is_open=True)


def _stored_edge(edge: Cell, numbers: Numbers, moment: Moment) -> int | float:
    """The least stored value that is at or above the edge."""
    kind = numbers.type.kind
    match edge:
        case bool() | str() | frozenset() | Point():
            pass
        case Instant(us) if kind is Kind.INSTANT:
            return us
        case Date(days) if kind is Kind.DATE:
            return days
        case Date(days) if kind is Kind.INSTANT:
            return start_of_day_us(days_to_date(days), moment.zone)
        case int() | float() | Decimal() if kind in (Kind.INT, Kind.DECIMAL, Kind.FLOAT):
            if not math.isfinite(edge):
                raise InvalidArgument("an edge is a number, not an infinity", path="bins")
            exact = Fraction(edge)
            if kind is Kind.FLOAT:
                near = float(exact)
                if isinstance(edge, Decimal):
                    return near  # as a rule reads it
                return near if Fraction(near) >= exact else math.nextafter(near, math.inf)
            scale: int = 10**numbers.type.digits
            whole = math.ceil(exact * scale)
            info = np.iinfo(np.int64)
            if info.min < whole <= info.max:
                return whole
            raise InvalidArgument("an edge beyond what the attribute can hold", path="bins")
        case _:
            pass
    raise InvalidArgument(f"edges of {kind.value} values are of that type too", path="bins")


def _day(kind: Kind, stored: int, zone_name: str) -> dt.date:
    return local_date(stored, zone_name) if kind is Kind.INSTANT else days_to_date(stored)


def _calendar(unit: CalendarUnit, zone_name: str | None, numbers: Numbers, moment: Moment) -> Ranges:
    kind = numbers.type.kind
    if kind not in (Kind.INSTANT, Kind.DATE):
        raise InvalidArgument("calendar steps are for instants and dates", path="bins")
    if zone_name is not None:
        if kind is Kind.DATE:
            raise InvalidArgument("a date has no zone", path="bins")
        try:
            zone(zone_name)
        except InvalidValue as error:
            raise InvalidArgument(error.message, path="bins") from error
    ends = numbers.ends()
    if ends is None:
        return _none(numbers)
    where = zone_name or moment.zone
    to_stored: Callable[[dt.date], int] = (
        (lambda day: start_of_day_us(day, where)) if kind is Kind.INSTANT else date_to_days
    )
    last = _day(kind, int(ends[1]), where)
    starts = [unit_start(_day(kind, int(ends[0]), where), unit, moment.week_starts_on)]
    while starts[-1] <= last:
        following = shift_units(starts[-1], unit, 1)
        if following <= starts[-1]:
            break
        starts.append(following)
        if len(starts) > BINS_MAX + 1:
            raise InvalidArgument(f"more than {BINS_MAX:,} steps: choose longer ones", path="bins")
    if starts[-1] <= last:
        stored = [to_stored(day) for day in starts]
        return Ranges(np.array(stored, dtype=np.int64), (*map(numbers.cell, stored), None))
    return _closed([to_stored(day) for day in starts], numbers)
