"""Scans of a column into words, against numpy's own comparisons."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from headcount_engine.kernels import columns, sets

RANDOM = np.random.default_rng(11)
CODES = ("uint8", "uint16", "uint32")
WHOLE = ("int8", "int16", "int32", "int64")
ALL = (*CODES, *WHOLE, "float64")
N = 256


def column(dtype: str) -> np.ndarray:
    """Small numbers that repeat, the ends of the dtype and the absent value."""
    if dtype == "float64":
        values = RANDOM.choice([-1.5, -0.0, 0.0, 0.1, 5e-324, 1e300, -math.inf, math.inf, math.nan], N)
    else:
        info = np.iinfo(dtype)
        few = [info.min, info.min + 1, info.max - 1, info.max, *range(20)]
        values = RANDOM.choice(np.array(few, dtype=dtype), N)
    return values.astype(dtype)


def flags(words: np.ndarray) -> list[bool]:
    return np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool).tolist()


def filled() -> np.ndarray:
    """Words that a kernel must overwrite."""
    return np.full(N // 64, 0xDEADBEEFDEADBEEF, dtype=np.uint64)


@pytest.mark.parametrize("dtype", ALL)
def test_a_range_has_both_its_ends(dtype: str) -> None:
    values = column(dtype)
    for low, high in ((0, 5), (5, 5), (6, 5), (1, 100)):
        low_, high_ = np.dtype(dtype).type(low), np.dtype(dtype).type(high)
        words = filled()
        columns.range_to_words(values, low_, high_, words)
        assert flags(words) == ((values >= low_) & (values <= high_)).tolist()


@pytest.mark.parametrize("dtype", WHOLE)
def test_a_range_over_all_values_leaves_out_the_absent(dtype: str) -> None:
    values, info = column(dtype), np.iinfo(dtype)
    words = filled()
    columns.range_to_words(values, np.dtype(dtype).type(info.min + 1), np.dtype(dtype).type(info.max), words)
    assert flags(words) == (values != info.min).tolist()


@pytest.mark.parametrize("dtype", CODES)
def test_a_table_decides_by_code(dtype: str) -> None:
    codes = RANDOM.integers(0, 50, N).astype(dtype)
    passes = RANDOM.choice([0, 0, 1, 2], 50).astype(np.uint8)
    words = filled()
    columns.table_to_words(codes, passes, words)
    assert flags(words) == (passes[codes] != 0).tolist()


@pytest.mark.parametrize("dtype", ALL)
def test_a_list_has_its_values(dtype: str) -> None:
    values = column(dtype)
    there = values[~np.isnan(values)] if dtype == "float64" else values
    for count in (0, 1, 2, 7):
        listed = np.unique(there)[:count]
        words = filled()
        columns.list_to_words(values, listed, words)
        assert flags(words) == np.isin(values, listed).tolist()


def points() -> np.ndarray:
    held = np.stack([RANDOM.uniform(-90, 90, N), RANDOM.uniform(-180, 180, N)], axis=1)
    held[:6] = [(90, 0), (-90, 50), (0, 180), (0, -180), (59.33, 18.07), (59.33, 18.08)]
    held[6:20] = math.nan
    return held


def far_m(point: np.ndarray, latitude: float, longitude: float) -> float:
    """By the angle between unit vectors, which has little in common with the haversine formula."""
    if np.isnan(point[0]):
        return math.inf

    def vector(y: float, x: float) -> np.ndarray:
        a, b = math.radians(y), math.radians(x)
        return np.array([math.cos(a) * math.cos(b), math.cos(a) * math.sin(b), math.sin(a)])

    u, v = vector(*point), vector(latitude, longitude)
    return 6_371_008.8 * math.atan2(float(np.linalg.norm(np.cross(u, v))), float(u @ v))


@pytest.mark.parametrize("centre", [(59.33, 18.07), (0.0, 179.9), (89.9, 0.0), (-90.0, 10.0)])
@pytest.mark.parametrize("radius_m", [0.0, 700.5, 2_000_000.0, 10_007_557.5, 30_000_000.0])
def test_a_radius_takes_those_within_it(centre: tuple[float, float], radius_m: float) -> None:
    held = points()
    words = filled()
    columns.radius_to_words(held, *centre, radius_m, words)
    distances = [far_m(point, *centre) for point in held]
    for found, distance in zip(flags(words), distances, strict=True):
        if abs(distance - radius_m) > 0.01:
            assert found == (distance <= radius_m)


@pytest.mark.parametrize(
    "box", [(-10.0, -20.0, 60.0, 30.0), (0.0, 170.0, 90.0, -170.0), (0.0, 180.0, 0.0, -180.0)]
)
def test_a_box_takes_its_borders_and_may_cross_the_antimeridian(
    box: tuple[float, float, float, float],
) -> None:
    south, west, north, east = box
    held = points()
    words = filled()
    columns.box_to_words(held, *box, words)
    y, x = held[:, 0], held[:, 1]
    across = (x >= west) & (x <= east) if west <= east else (x >= west) | (x <= east)
    assert flags(words) == ((y >= south) & (y <= north) & across).tolist()
    columns.points_to_words(held, words)
    assert flags(words) == (~np.isnan(y)).tolist()


def test_the_last_row_of_each_id_is_kept() -> None:
    ids = RANDOM.integers(0, 20, 100).astype(np.int64)
    rows = np.argsort(ids, kind="stable")
    keep = np.full(100, 9, dtype=np.uint8)
    columns.mark_last_rows(ids, rows, keep)
    last = {int(ids[row]): row for row in range(100)}
    assert sorted(rows[keep == 1].tolist()) == sorted(last.values()) and set(keep.tolist()) <= {0, 1}


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_month_and_day_are_those_of_the_calendar(dtype: str) -> None:
    first = dt.date(1970, 1, 1)
    edges = [dt.date(y, m, d) for y in (1, 400, 1900, 1999, 2000, 2024, 2100, 9999) for m, d in
             ((1, 1), (2, 28), (3, 1), (12, 31))] + [dt.date(2000, 2, 29), dt.date(2024, 2, 29)]  # fmt: skip
    days = [(day - first).days for day in edges]
    days += RANDOM.integers(-719_162, 2_932_896, N - len(days) - 1).tolist()
    held = np.array([*days, np.iinfo(dtype).min], dtype=dtype)
    for wanted in ((2, 29), (3, 1), (12, 31), (1, 1), (2, 28)):
        passes = np.zeros(32 * 13, dtype=np.uint8)
        passes[32 * wanted[0] + wanted[1]] = 1
        words = filled()
        columns.month_days_to_words(held, passes, words)
        shown = [first + dt.timedelta(days=day) for day in days]
        assert flags(words) == [(day.month, day.day) == wanted for day in shown] + [False]


def test_elements_of_sets_are_counted() -> None:
    starts = np.array([0, 0, 2, 3, 7], dtype=np.int64)
    elements = np.array([0, 4, 4, 0, 1, 2, 3], dtype=np.uint32)
    passes = np.array([1, 0, 1, 0, 5], dtype=np.uint8)
    for first, end in ((0, 4), (2, 4), (4, 4)):
        out = np.full(end - first, 99, dtype=np.uint32)
        sets.count_passing(elements, starts, first, end, passes, out)
        of = [elements[starts[i] : starts[i + 1]] for i in range(first, end)]
        assert out.tolist() == [sum(passes[e] != 0 for e in one) for one in of]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "int8", "int16", "int32", "int64"])
def test_the_extent_leaves_out_absent_values(dtype: str) -> None:
    absent = 0 if dtype.startswith("u") else np.iinfo(dtype).min
    values = np.array([absent, 7, 3, absent, 100, absent], dtype=dtype)
    assert columns.extent(values, values.dtype.type(absent)) == (3, 100)
    assert columns.extent(values[1:2].copy(), values.dtype.type(absent)) == (7, 7)
    nobody = columns.extent(values[:1].copy(), values.dtype.type(absent))
    assert nobody[0] > nobody[1]
