"""Texts as values: what is read in bulk and what is read with care are the same."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount_engine.errors import InvalidValue
from headcount_engine.model.instants import local_to_us, parse_date, parse_instant
from headcount_engine.model.values import ValueType
from headcount_server.loading import texts
from headcount_server.loading.columns import ColumnData
from headcount_server.loading.inference import inferred_type
from headcount_server.loading.raw import Source
from headcount_server.loading.texts import read_texts
from headcount_server.loading.zones import local_to_utc_us

DIGITS = st.text("0123456789", min_size=1, max_size=20)
NUMBERS = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+", " "]),
    DIGITS,
    st.one_of(st.just(""), st.builds(".{}".format, st.text("0123456789", max_size=18))),
    st.sampled_from(["", "", "", "e3", "E-2", "e400", "x", " "]),
)
DAYS = st.builds(
    "{}-{}-{}".format, st.sampled_from(["2024", "2023", "0000", "0001", "9999", "24"]),
    st.sampled_from(["01", "02", "12", "13", "1"]), st.sampled_from(["01", "28", "29", "30", "31", "00"]),
)  # fmt: skip
TIMES = st.builds(
    "{}{}{}{}{}".format, DAYS, st.sampled_from(["T", " ", "t", ""]),
    st.sampled_from(["00:00:00", "23:59:59", "24:00:00", "23:59:60", "12:30", "12", "02:30:00"]),
    st.sampled_from(["", ".5", ".123456", ".1234567", ".1234560", ",5"]),
    st.sampled_from(["", "Z", "z", "+02:00", "-0530", "+05", "+24:00", "+23:61", " Z"]),
)  # fmt: skip


def one_by_one(values: list[str], kind: ValueType, zone: str) -> list[object]:
    """Each text in a column of its own, with the bulk conversion switched off by a companion that it refuses."""
    return [outcomes(read_texts(pa.array([value], pa.string()), kind, zone))[0] for value in values]


def outcomes(data: ColumnData) -> list[object]:
    """The value of each row, or what is wrong with it."""
    found: list[object] = list(np.asarray(data.values).tolist())
    for problem in data.problems:
        for row in np.flatnonzero(problem.rows):
            found[row] = problem.reason
    return found


@given(
    st.lists(NUMBERS, min_size=1, max_size=30), st.sampled_from(["int", "float", "decimal(2)", "decimal(6)"])
)
def test_a_number_is_read_the_same_whatever_stands_beside_it(values: list[str], kind: str) -> None:
    together = outcomes(read_texts(pa.array(values, pa.string()), ValueType.parse(kind), "UTC"))
    assert together == one_by_one(values, ValueType.parse(kind), "UTC")


@given(
    st.lists(st.one_of(TIMES, DAYS), min_size=1, max_size=30), st.sampled_from(["UTC", "Europe/Stockholm"])
)
def test_an_instant_is_what_the_engine_reads_whatever_stands_beside_it(values: list[str], zone: str) -> None:
    together = read_texts(pa.array(values, pa.string()), ValueType.parse("instant"), zone)
    bad = np.zeros(len(values), dtype=np.bool_)
    for problem in together.problems:
        bad |= problem.rows
    for row, value in enumerate(values):
        try:
            wanted = parse_instant(value, zone).us if "T" in value or ":" in value else None
        except InvalidValue:
            assert bad[row], value
        else:
            if wanted is not None:
                assert not bad[row] and together.values[row] == wanted, value


@given(st.lists(DAYS, min_size=1, max_size=30))
def test_a_date_is_what_the_engine_reads(values: list[str]) -> None:
    data = outcomes(read_texts(pa.array(values, pa.string()), ValueType.parse("date"), "UTC"))
    assert data == [_day_or_reason(value) for value in values]


def _day_or_reason(text: str) -> int | str:
    try:
        return parse_date(text).days
    except InvalidValue as error:
        return error.message


def test_local_times_in_gaps_and_folds_are_read_as_the_engine_reads_them() -> None:
    start = dt.datetime(2024, 3, 31, 0, 30)
    local = [start + dt.timedelta(minutes=10 * step) for step in range(24)]
    local += [moment.replace(month=10, day=27) for moment in local]
    for zone in ("Europe/Stockholm", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"):
        got = local_to_utc_us(pa.array(local, pa.timestamp("us")), zone)
        assert got.tolist() == [local_to_us(moment, zone) for moment in local]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["true", "false"], "bool"),
        (["true", "yes"], "text"),
        (["0", "1"], "int"),
        (["-5", "0"], "int"),
        (["00004", "5"], "text"),
        (["+46701234567"], "text"),
        (["1", "2.5"], "float"),
        (["007.5"], "text"),
        (["1e5"], "float"),
        (["1e999"], "text"),
        (["nan", "1.0"], "text"),
        (["9223372036854775807"], "int"),
        (["9223372036854775808"], "text"),
        (["2024-01-31"], "date"),
        (["2024-02-30"], "text"),
        (["2024-01-31T12:00:00Z"], "instant"),
        (["2024-01-31 12:00"], "instant"),
        (["2024-01-31", "2024-01-31T12:00:00+01:00"], "instant"),
        (["12:00"], "text"),
    ],
)
def test_a_column_is_what_all_its_first_values_are(values: list[str], kind: str) -> None:
    found = inferred_type(pa.array([None, *values], pa.string()), Source.TEXTS, "UTC")
    assert str(found) == kind


def test_a_column_without_values_is_nothing_yet() -> None:
    assert inferred_type(pa.nulls(3, pa.string()), Source.TEXTS, "UTC") is None


def test_usual_spellings_do_not_need_care(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "_read_carefully", lambda *_: pytest.fail("read one by one"))
    for kind, value in {
        "int": "-12", "float": "1.5", "decimal(2)": "-0.05", "date": "2024-02-29", "bool": "true",
        "instant": "2024-02-29T12:00:00.5+01:00",
    }.items():  # fmt: skip
        data = read_texts(pa.array([value, None]), ValueType.parse(kind), "UTC")
        assert data.present.tolist() == [True, False] and data.problems == ()
