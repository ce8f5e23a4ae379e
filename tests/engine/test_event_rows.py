"""Rows of events: what is taken, what is turned away and why."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import InvalidValue, LimitExceeded, UnknownName
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_engine.model.answers import Settings
from headcount_engine.model.batches import EventBatch, Reason, Texts
from headcount_engine.model.schema import PropertyDefinition
from headcount_engine.model.values import Kind, ValueType
from tests.agreement.columns import MISSING, column, events, profiles

DAY = 86_400_000_000
NOW = 20_000 * DAY
MONEY = ValueType(Kind.DECIMAL, 2)


@pytest.fixture
def database() -> Database:
    return Database.open(None, clock=ManualClock(NOW))


def test_one_bad_row_in_a_thousand_is_told_by_position_and_the_rest_are_taken(database: Database) -> None:
    amounts = [float(i) for i in range(1_000)]
    amounts[417] = math.nan
    receipt = database.write_events(
        events(
            [f"p{i % 50}" for i in range(1_000)], "buy", [NOW] * 1_000, column("amount", Kind.FLOAT, amounts)
        )
    )
    assert [(row.row, row.field, row.reason) for row in receipt.rejected] == [
        (417, "amount", Reason.WRONG_TYPE)
    ]
    assert (receipt.accepted, receipt.created, database.status().events) == (999, 50, 999)
    assert database.count("did buy at least 20 times").count == 49


@pytest.mark.parametrize(
    ("time_us", "reason"),
    [
        (NOW + 366 * DAY, None), (NOW + 366 * DAY + 1, Reason.OUTSIDE_WINDOW), (NOW * 1_000, Reason.BAD_TIME),
        (-62_135_596_800_000_000, None), (-62_135_596_800_000_001, Reason.BAD_TIME), (-(2**63), Reason.BAD_TIME),
        (2**63 - 1, Reason.BAD_TIME), (0, None), (-1, None),
    ],
)  # fmt: skip
def test_the_time_of_an_event_lies_in_the_calendar_and_not_far_ahead(
    database: Database, time_us: int, reason: Reason | None
) -> None:
    receipt = database.write_events(events(["a", "b", "c"], "buy", [NOW, time_us, NOW]))
    wanted = [] if reason is None else [(1, "time", reason)]
    assert [(row.row, row.field, row.reason) for row in receipt.rejected] == wanted
    assert database.check("b", ["everyone"]).is_known == (reason is None)
    assert database.count("did buy").count == (3 if time_us <= NOW and reason is None else 2)


def test_bad_keys_and_names_are_turned_away_each_with_its_reason(database: Database) -> None:
    receipt = database.write_events(
        events(["a", "", "c", "d", "e", "f"], ["buy", "buy", "", "x\ny", "n" * 257, "view"], [NOW] * 6)
    )
    assert [(row.row, row.field, row.reason) for row in receipt.rejected] == [
        (1, "key", Reason.BAD_KEY), (2, "name", Reason.BAD_NAME), (3, "name", Reason.BAD_NAME),
        (4, "name", Reason.BAD_NAME),
    ]  # fmt: skip
    assert database.schema().events == {"buy": 1, "view": 1}
    assert database.count("everyone").count == 2


def test_names_of_events_are_one_however_composed(database: Database) -> None:
    database.write_events(events(["a", "b"], ["caf\u00e9", "cafe\u0301"], [NOW, NOW]))
    assert database.schema().events == {"caf\u00e9": 2}
    assert database.count("did `cafe\u0301`").count == 2


def test_create_false_and_all_or_nothing(database: Database) -> None:
    database.write_profiles(profiles(["a"]))
    receipt = database.write_events(events(["a", "b"], "buy", [NOW, NOW], create=False))
    assert [(row.row, row.reason) for row in receipt.rejected] == [(1, Reason.UNKNOWN_PROFILE)]
    version = database.status().version
    receipt = database.write_events(
        events(["a", "c", ""], ["buy", "view", "buy"], [NOW] * 3, all_or_nothing=True)
    )
    assert (receipt.accepted, receipt.created, receipt.version) == (0, 0, version)
    assert database.schema().events == {"buy": 1} and database.count("everyone").count == 1


def test_a_property_has_the_type_that_its_event_declares_or_brings_first(database: Database) -> None:
    database.declare_properties([PropertyDefinition("buy", "amount", MONEY)])
    sent = column("amount", Kind.FLOAT, [1.25, 1.005, 2.0, MISSING])
    receipt = database.write_events(events(list("abcd"), ["buy", "buy", "view", "buy"], [NOW] * 4, sent))
    assert [(row.row, row.field) for row in receipt.rejected] == [(1, "amount")]
    types = {(p.event, p.name): p.type for p in database.schema().properties}
    assert types == {("buy", "amount"): MONEY, ("view", "amount"): ValueType(Kind.FLOAT)}
    assert database.count("did buy where amount = 1.25").count == 1
    assert database.count("did buy where not amount exists").count == 1
    receipt = database.write_events(
        events(["a", "b"], ["buy", "view"], [NOW] * 2, column("amount", Kind.TEXT, ["x", "y"]))
    )
    assert [row.row for row in receipt.rejected] == [0, 1]


def test_properties_widen_within_a_run(database: Database) -> None:
    numbers = [1, -127, 128, 2**31, 2**63 - 1, -(2**63) + 1, 0]
    for place, number in enumerate(numbers):
        held = column("n", Kind.INT, [number, MISSING])
        database.write_events(events([f"p{place}", "none"], "buy", [place, place], held))
    for place, number in enumerate(numbers):
        answer = database.members(f"did buy where n = {number}")
        assert database.keys_of(answer.ids).to_list() == [f"p{place}"]
    assert database.count("did buy where not n exists").count == 1
    assert database.count(f"sum(buy.n) = {2**63 - 1}").count == 1


def test_sums_past_64_bits_are_exact(database: Database) -> None:
    held = column("n", Kind.INT, [2**63 - 1, 2**63 - 1, 2**63 - 1, -(2**63) + 1])
    database.write_events(events(["a", "a", "b", "c"], "buy", [NOW] * 4, held))
    for rule, key in ((f"sum(buy.n) = {2**64 - 2}", "a"), (f"sum(buy.n) < {-(2**63) + 2}", "c")):
        assert database.keys_of(database.members(rule).ids).to_list() == [key]
        assert database.check(key, [rule]).results == (True,)
    assert database.count(f"sum(buy.n) > {2**64 - 2}").count == 0
    assert database.count(f"sum(buy.n) != {2**63 - 1}").count == 2
    assert database.count(f"avg(buy.n) = {2**63 - 1}").count == 2


def test_sums_of_doubles_do_not_depend_on_order(database: Database) -> None:
    held = column("x", Kind.FLOAT, [1e16, 1.0, -1e16, 0.1, 0.2, 0.3])
    database.write_events(events(["a", "a", "a", "b", "b", "b"], "buy", [NOW] * 6, held))
    assert database.keys_of(database.members("sum(buy.x) = 1").ids).to_list() == ["a"]
    assert database.keys_of(database.members("sum(buy.x) = 0.6").ids).to_list() == ["b"]
    assert database.count("sum(buy.x) > 0.6").count == 1


def test_events_after_now_count_when_the_clock_reaches_them() -> None:
    clock = ManualClock(NOW)
    database = Database.open(None, clock=clock)
    database.write_events(events(["a", "a"], "buy", [NOW + 1, NOW + DAY]))
    for now, count in ((NOW, 0), (NOW + 1, 1), (NOW + DAY - 1, 1), (NOW + DAY, 2), (NOW + 2 * DAY, 2)):
        clock.advance_to(now)
        for least in range(1, 4):
            found = database.count(f"did buy at least {least} times")
            assert (found.count, found.now_us) == (int(count >= least), now)
    assert database.count("did buy in last 1 days").count == 0
    assert database.count("did buy in last 1 days", at_us=NOW + 2 * DAY - 1).count == 1


def test_too_many_event_types_and_rows_are_refused() -> None:
    limits = replace(DEFAULT_LIMITS, event_types=2, batch_rows=3)
    database = Database.open(None, clock=ManualClock(NOW), limits=limits)
    database.write_events(events(["a", "a"], ["x", "y"], [NOW, NOW]))
    for batch in (events(["a"], "z", [NOW]), events(["a"] * 4, "x", [NOW] * 4)):
        with pytest.raises(LimitExceeded):
            database.write_events(batch)
    assert database.schema().events == {"x": 1, "y": 1}
    database.write_events(events(["a"] * 3, "x", [NOW] * 3))


def test_a_workspace_that_infers_nothing_refuses_new_properties() -> None:
    database = Database.open(None, clock=ManualClock(NOW), settings=Settings(infers_schema=False))
    with pytest.raises(UnknownName):
        database.write_events(events(["a"], "buy", [NOW], column("n", Kind.INT, [1])))
    assert database.count("everyone").count == 0


def test_a_batch_whose_columns_have_other_lengths_is_refused() -> None:
    with pytest.raises(InvalidValue):
        events(["a"], "buy", [NOW, NOW])
    with pytest.raises(InvalidValue):
        events(["a", "b"], ["buy"], [NOW, NOW])
    with pytest.raises(InvalidValue):
        EventBatch(Texts.of(["a"]), "buy", np.array([NOW]), (column("n", Kind.INT, [1, 2]),))


def test_an_empty_batch_changes_nothing(database: Database) -> None:
    version = database.status().version
    for receipt in (database.write_events(events([], "buy", [])), database.write_profiles(profiles([]))):
        assert (receipt.accepted, receipt.created, receipt.rejected) == (0, 0, ())
    assert database.status().version == version


def test_decimal_amounts_add_up_to_the_cent(database: Database) -> None:
    held = column("amount", MONEY, [Decimal("0.10")] * 10)
    database.write_events(events(["a"] * 10, "buy", [NOW] * 10, held))
    assert database.count("sum(buy.amount) = 1").count == 1
    assert database.count("sum(buy.amount) > 0.999999").count == 1
    assert database.count("avg(buy.amount) = 0.1").count == 1


def test_an_event_sent_again_in_another_layout_says_the_same() -> None:
    """Absent columns, their order and one name for all or one per row are the batch's affair, not the event's."""
    with Database.open(None, clock=ManualClock(0)) as database:
        price, page = column("price", Kind.INT, [5]), column("page", Kind.TEXT, [MISSING])
        database.write_events(events(["a"], "buy", [0], price, event_ids=["1"]))
        for again in (
            events(["a"], ["buy"], [0], price, event_ids=["1"]),
            events(["a"], "buy", [0], page, price, event_ids=["1"]),
        ):
            receipt = database.write_events(again)
            assert receipt.duplicates == 1 and not receipt.rejected
        for other in (
            events(["a"], "buy", [0], column("cost", Kind.INT, [5]), event_ids=["1"]),
            events(["a"], "view", [0], price, event_ids=["1"]),
        ):
            assert len(database.write_events(other).rejected) == 1


def test_events_by_dense_id_are_those_by_key(database: Database) -> None:
    keys = ["ann", "bob", "cem", "ann"]
    database.write_profiles(profiles(["bob", "cem"]))
    by_key = events(keys, "buy", [NOW, NOW - 1, NOW, NOW])
    assert database.profile_ids(Texts.of(["ann", "cem", "bob"])).tolist() == [-1, 1, 0]
    database.write_events(by_key)
    other = Database.open(None, clock=ManualClock(NOW))
    other.write_profiles(profiles(["bob", "cem", "ann"]))
    receipt = other.write_events(replace(by_key, keys=other.profile_ids(Texts.of(keys))))
    assert (receipt.accepted, receipt.created, receipt.rejected) == (4, 0, ())
    for rule in ("did buy", "did buy at least 2 times", "did buy exactly 1 time"):
        members = [sorted(d.keys_of(d.members(rule).ids).to_list()) for d in (database, other)]
        assert members[0] == members[1]


def test_an_id_that_nobody_has_is_turned_away_and_one_that_was_merged_is_the_others(
    database: Database,
) -> None:
    database.write_profiles(profiles(["ann", "bob", "cem", "dan"]))
    ids = database.profile_ids(Texts.of(["ann", "bob", "cem", "dan"]))
    database.merge_profiles("ann", "bob")
    database.erase_profile("dan")
    assert database.profile_ids(Texts.of(["bob", "dan"])).tolist() == [0, -1]
    batch = replace(
        events(["x"] * 6, "buy", [NOW] * 6),
        keys=np.array([*ids, 4, -1], dtype=np.int64),
        all_or_nothing=False,
    )
    receipt = database.write_events(batch)
    assert [(row.row, row.reason) for row in receipt.rejected] == [
        (3, Reason.ERASED_PROFILE), (4, Reason.UNKNOWN_PROFILE), (5, Reason.UNKNOWN_PROFILE),
    ]  # fmt: skip
    assert database.keys_of(database.members("did buy at least 2 times").ids).to_list() == ["ann"]
    assert database.status().events == 3
    refused = database.write_events(replace(batch, all_or_nothing=True))
    assert refused.accepted == 0 and database.status().events == 3


def test_the_same_event_id_is_the_same_event_by_key_and_by_dense_id(database: Database) -> None:
    database.write_profiles(profiles(["ann", "bob"]))
    by_key = replace(events(["ann", "bob"], "buy", [NOW, NOW]), event_ids=Texts.of(["e1", "e2"]))
    database.write_events(by_key)
    again = database.write_events(replace(by_key, keys=np.array([0, 1])))
    assert (again.accepted, again.duplicates, again.rejected) == (0, 2, ())
    other = database.write_events(replace(by_key, keys=np.array([1, 1])))
    assert [row.row for row in other.rejected] == [0]


@pytest.mark.parametrize("keys", [np.array([0.0]), np.array([[0]]), np.array(["a"])])
def test_ids_are_whole_numbers(keys: np.ndarray) -> None:
    with pytest.raises(InvalidValue):
        EventBatch(keys, "buy", np.array([NOW]))
