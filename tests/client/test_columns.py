"""The columns that the client builds have exactly the layout that the contract states."""

from __future__ import annotations

import datetime as dt
import struct
from array import array
from decimal import Decimal

import pytest

from headcount import EventColumns, InvalidArgument, Point, ProfileColumns
from headcount.v1 import value_pb2
from headcount.wire.columns import ABSENT, bits, column, event_batch, profile_batch, text_column
from tests.client.recording_server import unpacked

NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
NOON_US = 1_704_110_400_000_000


@pytest.mark.parametrize(
    ("values", "kind", "raw"),
    [
        ([True, False], value_pb2.VALUE_TYPE_BOOL, b"\x01\x00"),
        ([1, -2], value_pb2.VALUE_TYPE_INT, struct.pack("<2q", 1, -2)),
        ([0.5, 2], value_pb2.VALUE_TYPE_FLOAT, struct.pack("<2d", 0.5, 2.0)),
        (
            [Decimal("1.5"), 2, Decimal("-0.25")],
            value_pb2.VALUE_TYPE_DECIMAL,
            struct.pack("<3q", 150, 200, -25),
        ),
        ([Decimal("1E+2")], value_pb2.VALUE_TYPE_DECIMAL, struct.pack("<q", 100)),
        ([NOON], value_pb2.VALUE_TYPE_INSTANT, struct.pack("<q", NOON_US)),
        ([dt.date(1970, 1, 2), dt.date(1969, 12, 31)], value_pb2.VALUE_TYPE_DATE, struct.pack("<2i", 1, -1)),
        ([Point(1.5, -2.5)], value_pb2.VALUE_TYPE_POINT, struct.pack("<2d", 1.5, -2.5)),
    ],
)
def test_fixed_width_values_are_raw_little_endian_bytes(
    values: list[object], kind: value_pb2.ValueType, raw: bytes
) -> None:
    made = column("x", values, "x")
    assert (made.type, made.values) == (kind, raw)
    assert not made.present
    assert not made.nulls


def test_the_digits_of_a_decimal_column_are_those_of_its_finest_value() -> None:
    assert column("x", [Decimal("1.5"), Decimal("0.125"), 7], "x").digits == 3


def test_sets_are_texts_between_offsets() -> None:
    made = column("x", [["a", "b"], [], ("c",), None], "x")
    assert made.type == value_pb2.VALUE_TYPE_TEXT_SET
    assert unpacked(made.text_column) == ["a", "b", "c"]
    assert struct.unpack("<5I", made.offsets) == (0, 2, 2, 3, 3)
    assert made.nulls == b"\x08"


def test_absent_and_null_rows_keep_their_place() -> None:
    made = column("x", [1, ABSENT, None, 4], "x")
    assert struct.unpack("<4q", made.values) == (1, 0, 0, 4)
    assert made.present == bytes([0b1101])
    assert made.nulls == bytes([0b0100])


def test_bits_are_least_significant_first_and_padded_to_bytes() -> None:
    assert bits([True] + [False] * 7 + [True]) == b"\x01\x01"
    assert bits([]) == b""


@pytest.mark.parametrize(
    "values", [[1, "a"], [True, 1], [Decimal(1), 0.5], [NOON, dt.date(2024, 1, 1)], [2**53 + 1, 0.5]]
)
def test_values_that_no_one_column_can_hold_are_refused_with_their_row(values: list[object]) -> None:
    with pytest.raises(InvalidArgument) as refused:
        column("x", values, "attributes.x")
    assert refused.value.field.startswith("attributes.x[")


def test_columns_of_another_length_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="1 values for 2 rows"):
        profile_batch(ProfileColumns(["a", "b"], {"x": [1]}))


def test_memory_of_int64_is_taken_as_it_is() -> None:
    numbers = array("q", [1, 2, 3])
    batch = profile_batch(ProfileColumns(["a", "b", "c"], {"x": memoryview(numbers)}))
    assert batch.attributes[0].type == value_pb2.VALUE_TYPE_INT
    assert batch.attributes[0].values == numbers.tobytes()
    with pytest.raises(InvalidArgument, match="neither"):
        profile_batch(ProfileColumns(["a"], {"x": memoryview(array("h", [1]))}))


def test_a_batch_of_events_names_a_common_event_once() -> None:
    batch = event_batch(EventColumns("buy", ["a", "b"], [NOON, NOON], properties={"amount": [1, None]}))
    assert list(batch.event_names) == ["buy"]
    assert struct.unpack("<2q", batch.times_us) == (NOON_US, NOON_US)
    assert batch.properties[0].present == b"\x01"
    assert not batch.properties[0].nulls


def test_tags_of_rows_that_say_nothing_are_absent() -> None:
    batch = profile_batch(
        ProfileColumns(["a", "b"], tags_added=[["vip"], None], consents={"news": [None, True]})
    )
    assert batch.tags_added.present == b"\x01"
    assert struct.unpack("<3I", batch.tags_added.offsets) == (0, 1, 1)
    assert not batch.HasField("tags_removed")
    assert (batch.consents[0].present, batch.consents[0].subscribed) == (b"\x02", b"\x00\x01")


def test_a_tag_column_in_which_nobody_says_anything_is_still_a_column_of_sets() -> None:
    made = profile_batch(ProfileColumns(["a", "b"], tags_added=[None, None])).tags_added
    assert made.type == value_pb2.VALUE_TYPE_TEXT_SET
    assert struct.unpack("<3I", made.offsets) == (0, 0, 0)


def test_texts_that_repeat_travel_once() -> None:
    repeated = text_column(["free", "pro", "free", "free"] * 10, "x")
    assert repeated.utf8 == b"freepro"
    assert unpacked(repeated) == ["free", "pro", "free", "free"] * 10
    distinct = text_column(["a", "", "å"], "x")
    assert (distinct.utf8, distinct.codes) == ("aå".encode(), b"")
    assert struct.unpack("<4I", distinct.offsets) == (0, 1, 1, 3)
    assert unpacked(text_column([], "x")) == []


@pytest.mark.parametrize("bad", ["\ud800", 7, None])
def test_what_is_not_a_text_is_refused_with_its_row(bad: object) -> None:
    with pytest.raises(InvalidArgument) as refused:
        profile_batch(ProfileColumns(["a", bad]))  # type: ignore[list-item]
    assert refused.value.field == "keys[1]"


def test_answers_about_topics_may_carry_instants() -> None:
    at = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    batch = profile_batch(
        ProfileColumns(["a", "b"], consents={"news": [True, False]}, consent_times={"news": [at, None]})
    )
    assert batch.consents[0].times_us == struct.pack("<2q", 1_704_067_200_000_000, -(1 << 63))
    for times in ({"news": [at]}, {"sms": [at, at]}, {"news": [at.replace(tzinfo=None), at]}):
        with pytest.raises(InvalidArgument, match="consent_times"):
            profile_batch(ProfileColumns(["a", "b"], consents={"news": [True, True]}, consent_times=times))
