"""Parquet: types come from the file and are converted exactly or not at all."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headcount_server.loading.options import LoadOptions, TimeUnit, parse_types
from headcount_server.loading.problems import FileProblem, OptionProblem
from tests.commands.reading import read_file


def write(tmp_path: Path, columns: dict[str, pa.Array | list[object]]) -> Path:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def test_every_type_arrives_as_its_own(tmp_path: Path) -> None:
    noon = dt.datetime(2024, 7, 1, 12)
    path = write(
        tmp_path,
        {
            "id": pa.array([1, 2]),
            "text": pa.array(["00004", None]).dictionary_encode(),
            "large": pa.array(["x", "y"], pa.large_string()),
            "flag": pa.array([True, None]),
            "small": pa.array([1, None], pa.int8()),
            "half": pa.array([0.5, None], pa.float32()),
            "paid": pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)),
            "day": pa.array([dt.date(2024, 1, 1), None]),
            "at": pa.array([noon, None], pa.timestamp("ns", "UTC")),
            "local": pa.array([noon, None], pa.timestamp("ms")),
            "likes": pa.array([["a", "b"], None]),
            "nothing": pa.nulls(2),
        },
    )
    read = read_file(path, LoadOptions(key="id", zone="Europe/Stockholm"))
    us = 1_719_835_200_000_000
    assert read.rows == [
        {
            "key": "1", "text": "00004", "large": "x", "flag": True, "small": 1, "half": 0.5, "paid": 150,
            "day": 19_723, "at": us, "local": us - 7_200_000_000, "likes": ["a", "b"],
        },
        {"key": "2", "large": "y"},
    ]  # fmt: skip
    assert read.types["paid"] == "decimal(2)" and read.types["likes"] == "set"


def test_what_cannot_be_held_exactly_costs_its_row(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {
            "id": ["a", "b", "c", "d", "e", "f"],
            "x": pa.array([1.0, float("nan"), float("inf"), 2.0, 3.0, 4.0]),
            "big": pa.array([1, 2, 3, 2**63, 5, 6], pa.uint64()),
            "at": pa.array([0, 0, 0, 0, 1, 1_000], pa.timestamp("ns")),
        },
    )
    read = read_file(path, LoadOptions(key="id"))
    assert [row["key"] for row in read.rows] == ["a", "f"]
    assert read.reasons() == [
        (2, "x", "NaN and infinities are not values"),
        (3, "x", "NaN and infinities are not values"),
        (4, "big", "a whole number of more than 64 bits"),
        (5, "at", "instants are exact to the microsecond"),
    ]


def test_declared_types_convert_neighbours(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {
            "id": ["a", "b"],
            "price": pa.array([0.29, 0.291]),
            "count": pa.array([3, 2**53 + 1]),
            "midnight": pa.array([dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 1)], pa.timestamp("us")),
            "text": ["12.50", "13"],
        },
    )
    types = parse_types(["price=decimal(2)", "count=float", "midnight=date", "text=decimal(1)"])
    read = read_file(path, LoadOptions(key="id", types=types))
    assert read.rows == [{"key": "a", "price": 29, "count": 3.0, "midnight": 19_723, "text": 125}]
    assert [r.position for r in read.rejected] == [2]
    for column, reason in {
        "price": "more than 2 digits after the point",
        "count": "a whole number that a float does not hold exactly",
        "midnight": "a time, where a date is wanted",
    }.items():
        single = {name: kind for name, kind in types.items() if name == column}
        one = read_file(path, LoadOptions(key="id", types=single))
        assert one.reasons() == [(2, column, reason)]


def test_times_may_be_dates_or_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path, {"id": ["a"], "d": pa.array([dt.date(2024, 7, 1)]), "ms": pa.array([1_719_835_200_123])}
    )
    by_day = read_file(path, LoadOptions(key="id", time="d", event="e", zone="Europe/Stockholm"))
    assert by_day.rows[0]["time"] == 1_719_784_800_000_000
    counted = read_file(path, LoadOptions(key="id", time="ms", event="e", unit=TimeUnit.MILLISECONDS))
    assert counted.rows[0]["time"] == 1_719_835_200_123_000


def test_objects_are_refused_and_damaged_files_too(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": ["a"], "o": pa.array([{"x": 1}])})
    with pytest.raises(OptionProblem, match="'o' holds objects"):
        read_file(path, LoadOptions(key="id"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileProblem, match="not a Parquet file, or not a whole one"):
        read_file(path, LoadOptions(key="id"))
    with pytest.raises(FileProblem, match="no such file"):
        read_file(tmp_path / "gone.parquet", LoadOptions(key="id"))
