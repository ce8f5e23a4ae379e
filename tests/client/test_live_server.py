"""The client against the server itself: what one encodes, the other reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest

from headcount import (
    AlreadyExists,
    Client,
    Event,
    EventColumns,
    InvalidRule,
    NotFound,
    ProfileColumns,
    ProfileUpdate,
    attribute,
    did,
    segment,
    tag,
)
from headcount_server.app import build
from headcount_server.config import ServerConfig

NOW = dt.datetime(2024, 6, 15, 12, tzinfo=dt.UTC)
YESTERDAY = NOW - dt.timedelta(days=1)


@pytest.fixture
def headcount() -> Iterator[Client]:
    config = ServerConfig(listen="127.0.0.1:0", clock_start="2024-06-15T12:00:00Z", grace_s=1)
    with build(config) as running, Client(running.address, timeout=60) as client:
        client.declare_attributes({"spent": "decimal(2)", "interests": "set", "born": "date", "age": "int"})
        yield client


def test_rows_and_columns_and_streams_of_the_same_people_count_the_same(headcount: Client) -> None:
    headcount.upsert_profiles(
        [
            ProfileUpdate(f"r{i}", {"age": i, "plan": "pro", "spent": Decimal("1.50"), "interests": ["a"]})
            for i in range(10)
        ]
    )
    headcount.upsert_profiles(
        ProfileColumns(
            [f"c{i}" for i in range(10)],
            {
                "age": list(range(10)),
                "plan": ["pro"] * 10,
                "spent": [Decimal("1.50")] * 10,
                "interests": [["a"]] * 10,
            },
        )
    )
    with headcount.ingest() as writer:
        for i in range(10):
            writer.profile(f"s{i}", {"age": i, "plan": "pro", "spent": Decimal("1.50"), "interests": ["a"]})
    version = writer.summary.version
    rule = (
        (attribute("age") >= 4)
        & (attribute("plan") == "pro")
        & (attribute("spent") == Decimal("1.5"))
        & attribute("interests").any_of(["a"])
    )
    found = headcount.count(rule, min_version=version)
    assert (found.count, found.total) == (18, 30)
    assert found.version >= version


def test_events_arrive_by_row_and_by_column(headcount: Client) -> None:
    headcount.track([Event("buy", "a", YESTERDAY, "1", {"amount": 2.5}), Event("buy", "a", YESTERDAY, "1")])
    receipt = headcount.track(
        EventColumns("buy", ["a", "b"], [YESTERDAY, YESTERDAY], ["2", "3"], {"amount": [1.0, None]})
    )
    assert (receipt.accepted_rows, receipt.created_profiles) == (2, 1)
    assert headcount.count(did("buy").at_least(2).within(days=7)).count == 1
    assert headcount.count(did("buy").where(attribute("amount") > 2)).count == 1


def test_a_null_in_rows_and_in_a_column_of_nothing_else_takes_the_value_away(headcount: Client) -> None:
    headcount.upsert_profiles([{"key": "a", "age": 1}, {"key": "b", "age": 2}])
    headcount.upsert_profiles([{"key": "a", "age": None}])
    receipt = headcount.upsert_profiles(ProfileColumns(["b"], {"age": [None]}))
    assert receipt.rejected_rows == ()
    assert headcount.count(attribute("age").exists()).count == 0


def test_one_bad_row_is_reported_and_the_others_are_applied(headcount: Client) -> None:
    receipt = headcount.upsert_profiles(
        [{"key": "a", "age": 1}, {"key": "b", "age": "old"}, {"key": "", "age": 3}]
    )
    assert receipt.accepted_rows == 1
    assert [rejected.row for rejected in receipt.rejected_rows] == [1, 2]


def test_segments_are_made_read_checked_and_deleted(headcount: Client) -> None:
    headcount.upsert_profiles(
        [ProfileUpdate("a", {"age": 20}, tags_added=["vip"]), ProfileUpdate("b", {"age": 40})]
    )
    made = headcount.create_segment("grown", attribute("age") > 30)
    assert (made.id, made.size) == ("grown", 1)
    with pytest.raises(AlreadyExists):
        headcount.create_segment("grown", attribute("age") > 30)
    assert [found.id for found in headcount.list_segments()] == ["grown"]
    membership = headcount.check("b", "grown", rules=[tag("vip"), segment("grown")])
    assert (membership["grown"], membership.rules) == (True, (False, True))
    table = headcount.check_many(["a", "b", "nobody"], "grown", rules=[tag("vip")])
    assert [[table.is_member(row, q) for q in (0, 1)] for row in range(3)] == [
        [False, True], [True, False], [False, False],
    ]  # fmt: skip
    assert list(headcount.memberships("b")) == ["grown"]
    headcount.delete_segment("grown")
    with pytest.raises(NotFound):
        headcount.get_segment("grown")


def test_a_misspelt_name_comes_back_with_what_was_meant(headcount: Client) -> None:
    with pytest.raises(InvalidRule) as raised:
        headcount.count("agee > 3")
    assert raised.value.reason == "UNKNOWN_NAME"
    assert raised.value.suggestions == ("age",)


def test_a_rule_that_cannot_be_read_comes_back_with_its_place(headcount: Client) -> None:
    with pytest.raises(InvalidRule) as raised:
        headcount.count("age > 3\n  and plan ==")
    assert (raised.value.line, raised.value.column) == (2, 12)


def test_the_server_tells_how_it_is(headcount: Client) -> None:
    headcount.upsert_profiles([{"key": "a"}])
    status = headcount.wait_ready(timeout=5)
    assert status.profiles == 1
    assert headcount.get_schema().attributes["spent"].type == "decimal(2)"
