"""Rows of profiles: what is taken, what is turned away and why, and what is stored of it."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import (
    AlreadyExists,
    EngineError,
    InvalidArgument,
    InvalidValue,
    LimitExceeded,
    NotFound,
    UnknownName,
)
from headcount_engine.limits import DEFAULT_LIMITS, INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.answers import Settings
from headcount_engine.model.batches import Change, Column, ProfileBatch, Reason, Texts
from headcount_engine.model.schema import AttributeDefinition
from headcount_engine.model.values import Cell, Date, Instant, Kind, Point, ValueType
from tests.agreement.columns import MISSING, Given, column, profiles

MONEY = ValueType(Kind.DECIMAL, 2)


@pytest.fixture
def database() -> Database:
    return Database.open(None)


def held(database: Database, key: str, name: str = "x") -> Cell | None:
    return database.get_profile(key).attributes.get(name)


def declared(
    database: Database, type_: ValueType | Kind, name: str = "x", is_identifier: bool = False
) -> None:
    kind = ValueType(type_) if isinstance(type_, Kind) else type_
    database.declare_attributes([AttributeDefinition(name, kind, is_identifier=is_identifier)])


def put(database: Database, type_: ValueType | Kind, *cells: Given, change: Change = Change.SET) -> list[int]:
    """Write profiles 0, 1, 2 ... with these cells; the rows that were turned away."""
    keys = [str(i) for i in range(len(cells))]
    receipt = database.write_profiles(profiles(keys, column("x", type_, cells, change=change)))
    assert receipt.accepted == len(cells) - len(receipt.rejected)
    return [row.row for row in receipt.rejected]


# ------------------------------------------------------------------------------------------------ types


@pytest.mark.parametrize(
    ("declared_as", "sent_as", "cell", "stored"),
    [
        (Kind.INT, Kind.FLOAT, 10.0, 10),
        (Kind.INT, Kind.FLOAT, -0.0, 0),
        (Kind.INT, MONEY, Decimal("10.00"), 10),
        (Kind.INT, Kind.INT, 2**53 + 1, 2**53 + 1),
        (Kind.INT, Kind.INT, 2**63 - 1, 2**63 - 1),
        (Kind.INT, Kind.INT, -(2**63) + 1, -(2**63) + 1),
        (Kind.FLOAT, Kind.INT, 2**53, 2.0**53),
        (Kind.FLOAT, Kind.INT, 2**60, 2.0**60),
        (Kind.FLOAT, Kind.FLOAT, -0.0, 0.0),
        (Kind.FLOAT, Kind.FLOAT, 5e-324, 5e-324),
        (MONEY, Kind.FLOAT, 0.1, Decimal("0.1")),
        (MONEY, Kind.FLOAT, 1234567.89, Decimal("1234567.89")),
        (MONEY, Kind.INT, -7, Decimal(-7)),
        (MONEY, ValueType(Kind.DECIMAL, 4), Decimal("1.2300"), Decimal("1.23")),
        (MONEY, ValueType(Kind.DECIMAL, 1), Decimal("0.3"), Decimal("0.3")),
        (MONEY, MONEY, Decimal("92233720368547758.07"), Decimal("92233720368547758.07")),
        (Kind.BOOL, Kind.BOOL, False, False),
        (Kind.TEXT, Kind.TEXT, "", ""),
        (Kind.TEXT, Kind.TEXT, "a\0b\n", "a\0b\n"),
        (Kind.TEXT, Kind.TEXT, "cafe\u0301", "caf\u00e9"),
        (Kind.TEXT_SET, Kind.TEXT_SET, frozenset(), frozenset()),
        (Kind.TEXT_SET, Kind.TEXT_SET, frozenset({"e\u0301", "\u00e9", "b"}), frozenset({"\u00e9", "b"})),
        (Kind.INSTANT, Kind.INSTANT, Instant(-62_135_596_800_000_000), Instant(-62_135_596_800_000_000)),
        (Kind.DATE, Kind.DATE, Date(2_932_896), Date(2_932_896)),
        (Kind.POINT, Kind.POINT, Point(-90, 180), Point(-90, 180)),
    ],
)
def test_a_value_is_stored_exactly(
    database: Database, declared_as: ValueType | Kind, sent_as: ValueType | Kind, cell: Cell, stored: Cell
) -> None:
    declared(database, declared_as)
    assert put(database, sent_as, cell) == []
    found = held(database, "0")
    assert found == stored and type(found) is type(stored)
    assert not isinstance(found, float) or math.copysign(1, found) == 1


@pytest.mark.parametrize(
    ("declared_as", "sent_as", "cell"),
    [
        (Kind.INT, Kind.FLOAT, 10.5), (Kind.INT, Kind.FLOAT, math.nan), (Kind.INT, Kind.FLOAT, math.inf),
        (Kind.INT, Kind.FLOAT, 2.0**63), (Kind.INT, MONEY, Decimal("10.01")), (Kind.INT, Kind.BOOL, True),
        (Kind.INT, Kind.TEXT, "10"), (Kind.INT, Kind.INT, -(2**63)), (Kind.FLOAT, Kind.INT, 2**53 + 1),
        (Kind.FLOAT, Kind.INT, 2**63 - 1), (Kind.FLOAT, Kind.FLOAT, math.nan), (Kind.FLOAT, Kind.FLOAT, -math.inf),
        (Kind.FLOAT, Kind.BOOL, True), (MONEY, Kind.FLOAT, 0.001), (MONEY, Kind.FLOAT, 0.1 + 0.2),
        (MONEY, Kind.FLOAT, math.nan), (MONEY, Kind.INT, 2**62), (MONEY, ValueType(Kind.DECIMAL, 3), Decimal("0.001")),
        (Kind.BOOL, Kind.INT, 1), (Kind.TEXT, Kind.INT, 1), (Kind.TEXT_SET, Kind.TEXT, "a"),
        (Kind.TEXT, Kind.TEXT_SET, frozenset("a")), (Kind.DATE, Kind.INSTANT, Instant(0)),
        (Kind.INSTANT, Kind.DATE, Date(0)), (Kind.INSTANT, Kind.INT, 0), (Kind.DATE, Kind.DATE, Date(2_932_897)),
        (Kind.INSTANT, Kind.INSTANT, Instant(253_402_300_800_000_000)), (Kind.TEXT, Kind.TEXT, "x" * 65_537),
        (Kind.TEXT, Kind.TEXT, "\ud800"), (Kind.TEXT_SET, Kind.TEXT_SET, frozenset({"ok", "\udfff"})),
    ],
)  # fmt: skip
def test_another_value_is_turned_away_and_leaves_the_old_one(
    database: Database, declared_as: ValueType | Kind, sent_as: ValueType | Kind, cell: Cell
) -> None:
    declared(database, declared_as)
    database.write_profiles(profiles(["0"]))
    receipt = database.write_profiles(profiles(["0", "new"], column("x", sent_as, [cell, cell])))
    assert [row.row for row in receipt.rejected] == [0, 1] and receipt.accepted == receipt.created == 0
    assert {row.reason for row in receipt.rejected} == {Reason.WRONG_TYPE}
    assert all(row.field == "x" and row.message.startswith("x: ") for row in receipt.rejected)
    assert held(database, "0") is None and database.count("everyone").count == 1


def test_a_point_off_the_globe_is_turned_away(database: Database) -> None:
    values = np.array([[0.0, 0.0], [90.5, 0.0], [0.0, -181.0], [math.nan, 0.0], [0.0, math.inf]])
    receipt = database.write_profiles(profiles(list("abcde"), Column("x", ValueType(Kind.POINT), values)))
    assert [row.row for row in receipt.rejected] == [1, 2, 3, 4]
    assert held(database, "a") == Point(0.0, 0.0)


@pytest.mark.parametrize(
    ("edge", "wider"), [(2**7, "int16"), (2**15, "int32"), (2**31, "int64")], ids=["int8", "int16", "int32"]
)
def test_a_whole_column_widens_at_the_edges_of_its_dtype(database: Database, edge: int, wider: str) -> None:
    """The least value of each dtype stands for absent, so it is the first that no longer fits."""
    narrow = {"int16": "int8", "int32": "int16", "int64": "int32"}[wider]
    put(database, Kind.INT, edge - 1, -edge + 1, None, 0)
    column_held = database._indexes.attributes.all()["x"].column
    assert column_held.dtype == np.dtype(narrow)
    assert database.count("not x exists").count == 1
    for key, over in (("over", edge), ("under", -edge)):
        fresh = Database.open(None)
        put(fresh, Kind.INT, edge - 1, -edge + 1, None, 0)
        fresh.write_profiles(profiles([key], column("x", Kind.INT, [over])))
        assert fresh._indexes.attributes.all()["x"].column.dtype == np.dtype(wider)
        assert [held(fresh, k) for k in ("0", "1", "2", "3", key)] == [edge - 1, -edge + 1, None, 0, over]
        assert fresh.count("x exists").count == 4 and fresh.count(f"x = {over}").count == 1
        assert fresh.count(f"x > {edge - 1} or x < {-edge + 1}").count == 1


def test_a_set_column_that_outgrows_a_byte_while_it_is_added_to_and_removed_from(database: Database) -> None:
    """One batch brings code 257 by its first column and small codes by its second: the first had narrowed again."""
    keys = [f"k{i}" for i in range(300)]
    add = column("$tags", Kind.TEXT_SET, [frozenset({f"t{i}"}) for i in range(250)], change=Change.ADD)
    database.write_profiles(profiles(keys[:250], add))
    more = [frozenset({f"t{i}"}) if i >= 250 else MISSING for i in range(300)]
    gone = [frozenset({f"t{i}"}) if i < 3 else MISSING for i in range(300)]
    database.write_profiles(
        profiles(
            keys,
            column("$tags", Kind.TEXT_SET, more, change=Change.ADD),
            column("$tags", Kind.TEXT_SET, gone, change=Change.REMOVE),
        )
    )
    for i in (0, 2, 3, 249, 250, 256, 299):
        assert database.get_profile(f"k{i}").tags == (frozenset() if i < 3 else frozenset({f"t{i}"}))
        assert database.count(f'tag "t{i}"').count == (0 if i < 3 else 1)


# ------------------------------------------------------------------------------------------------ keys


@pytest.mark.parametrize(
    "key",
    ["", "k" * 513, "é" * 257, "a\0b", "a\nb", "\x7f", "a\u200bb", "\u202eabc", "\ufeffa", "\ud800", "a\u0085"],
    ids=["empty", "513 bytes", "514 bytes", "NUL", "newline", "DEL", "zero-width", "right-to-left", "BOM",
         "lone surrogate", "C1 control"],
)  # fmt: skip
def test_a_bad_key_is_turned_away_and_its_neighbours_are_not(database: Database, key: str) -> None:
    receipt = database.write_profiles(profiles(["before", key, "after"], column("x", Kind.INT, [1, 2, 3])))
    assert [(row.row, row.field, row.reason) for row in receipt.rejected] == [(1, "key", Reason.BAD_KEY)]
    assert (receipt.accepted, receipt.created) == (2, 2)
    assert held(database, "before") == 1 and held(database, "after") == 3
    assert not database.check(key, ["everyone"]).is_known


def test_invalid_bytes_are_no_key(database: Database) -> None:
    keys = Texts.of_bytes(b"ok\xff\xfe\xc3", np.array([0, 2, 4, 5], dtype=np.int64))
    receipt = database.write_profiles(replace(profiles(["", "", ""]), keys=keys))
    assert [row.row for row in receipt.rejected] == [1, 2] and receipt.created == 1


def test_keys_are_one_however_composed_and_differ_by_case_and_width(database: Database) -> None:
    keys = ["caf\u00e9", "cafe\u0301", "Caf\u00e9", "\uff43af\u00e9", " caf\u00e9", "00004", "4"]
    receipt = database.write_profiles(profiles(keys, column("x", Kind.INT, list(range(7)))))
    assert (receipt.accepted, receipt.created) == (7, 6)
    assert held(database, "cafe\u0301") == held(database, "caf\u00e9") == 1
    assert database.check("cafe\u0301", ["everyone"]).results == (True,)
    assert database.check_many(Texts.of(["cafe\u0301", "cafe"]), ["everyone"]).is_known.tolist() == [
        True,
        False,
    ]
    assert database.count('key = "cafe\u0301"').count == 1
    assert held(database, "00004") == 5 and held(database, "4") == 6


def test_a_key_of_512_bytes_is_taken(database: Database) -> None:
    for key in ("k" * 512, "é" * 256):
        assert database.write_profiles(profiles([key])).created == 1
        assert database.check(key, ["everyone"]).is_known


def test_create_false_turns_unknown_keys_away(database: Database) -> None:
    database.write_profiles(profiles(["a"]))
    receipt = database.write_profiles(profiles(["a", "b"], column("x", Kind.INT, [1, 2]), create=False))
    assert [(row.row, row.reason) for row in receipt.rejected] == [(1, Reason.UNKNOWN_PROFILE)]
    assert held(database, "a") == 1 and not database.check("b", ["everyone"]).is_known


def test_a_row_that_is_turned_away_makes_no_profile(database: Database) -> None:
    receipt = database.write_profiles(
        profiles(["a", "b", "a"], column("x", Kind.FLOAT, [math.nan, 1.0, math.nan]))
    )
    assert [row.row for row in receipt.rejected] == [0, 2] and receipt.created == 1
    assert database.count("everyone").count == 1


def test_all_or_nothing_refuses_the_whole_batch(database: Database) -> None:
    before = database.status().version
    batch = profiles(["a", "", "c"], column("x", Kind.INT, [1, 2, 3]), all_or_nothing=True)
    receipt = database.write_profiles(batch)
    assert receipt.accepted == receipt.created == 0 and [row.row for row in receipt.rejected] == [1]
    assert database.status().version == before and database.count("everyone").count == 0
    assert "x" not in {a.name for a in database.schema().attributes}


def test_profiles_past_the_limit_are_refused_and_nothing_changes() -> None:
    database = Database.open(None, limits=replace(DEFAULT_LIMITS, profiles=1_000))
    database.write_profiles(profiles([f"k{i}" for i in range(999)], column("x", Kind.INT, [7] * 999)))
    version = database.status().version
    with pytest.raises(LimitExceeded) as caught:
        database.write_profiles(profiles(["k0", "n1", "n2"], column("x", Kind.INT, [8, 8, 8])))
    assert (caught.value.limit, caught.value.bound, caught.value.got) == ("profiles", 1_000, 1_001)
    assert database.status().version == version and database.count("x = 7").count == 999
    assert database.write_profiles(profiles(["n1", "k0"])).created == 1
    with pytest.raises(LimitExceeded):
        database.write_profiles(profiles(["n2"]))
    assert database.count("everyone").count == 1_000


# ------------------------------------------------------------------------------------------------ patches


def test_what_is_not_named_stays_and_null_removes(database: Database) -> None:
    put(database, Kind.INT, 1, 2, 3)
    put(database, Kind.INT, MISSING, None, 4)
    assert [held(database, key) for key in "012"] == [1, None, 4]
    assert database.count("x exists").count == 2 and database.count("not x exists").count == 1


def test_the_last_row_of_a_key_wins_column_by_column(database: Database) -> None:
    x = column("x", Kind.INT, [1, 2, MISSING, None])
    y = column("y", Kind.TEXT, ["a", MISSING, "c", MISSING])
    database.write_profiles(profiles(["k", "k", "k", "l"], x, y))
    assert database.get_profile("k").attributes == {"x": 2, "y": "c"}
    assert database.get_profile("l").attributes == {}


def test_sets_are_set_added_to_and_taken_from(database: Database) -> None:
    a, b, c = (frozenset({t}) for t in "abc")
    put(database, Kind.TEXT_SET, a | b, a, MISSING, frozenset(), a)
    put(database, Kind.TEXT_SET, c, a, b, a, MISSING, change=Change.ADD)
    assert [held(database, k) for k in "01234"] == [a | b | c, a, b, a, a]
    put(database, Kind.TEXT_SET, a | c, a, a, b, frozenset(), change=Change.REMOVE)
    assert [held(database, k) for k in "01234"] == [b, frozenset(), b, a, a]
    put(database, Kind.TEXT_SET, None, None, c, MISSING, MISSING)
    assert [held(database, k) for k in "01234"] == [None, None, c, a, a]
    put(database, Kind.TEXT_SET, a, MISSING, change=Change.REMOVE)
    assert held(database, "0") is None


def test_rows_that_build_on_one_another_are_applied_in_turn(database: Database) -> None:
    keys = ["k", "l", "k", "k", "cafe\u0301", "caf\u00e9"]
    tags = [frozenset({t}) for t in "abcade"]
    receipt = database.write_profiles(
        profiles(keys, column("$tags", Kind.TEXT_SET, tags, change=Change.ADD),
                 column("n", Kind.INT, [1, 10, 2, 3, 100, 200], change=Change.INCREMENT))
    )  # fmt: skip
    assert receipt.accepted == 6 and receipt.created == 3
    assert database.get_profile("k").tags == frozenset("ac") and held(database, "k", "n") == 6
    assert (
        database.get_profile("caf\u00e9").tags == frozenset("de") and held(database, "caf\u00e9", "n") == 300
    )


def test_increments_add_start_at_nothing_and_never_overflow(database: Database) -> None:
    assert put(database, Kind.INT, 2**63 - 2, -(2**63) + 1, MISSING, 5) == []
    assert put(database, Kind.INT, 1, -1, 7, None, change=Change.INCREMENT) == [1]
    assert [held(database, k) for k in "0123"] == [2**63 - 1, -(2**63) + 1, 7, None]
    receipt = database.write_profiles(
        profiles(["0", "2"], column("x", Kind.INT, [1, 1], change=Change.INCREMENT))
    )
    assert [(row.row, row.reason) for row in receipt.rejected] == [(0, Reason.BAD_VALUE)]
    assert [held(database, k) for k in "02"] == [2**63 - 1, 8]


def test_increments_of_doubles_and_decimals(database: Database) -> None:
    declared(database, MONEY)
    put(database, Kind.FLOAT, 0.1, 0.5)
    put(database, Kind.INT, 3, MISSING, change=Change.INCREMENT)
    assert [held(database, k) for k in "01"] == [Decimal("3.1"), Decimal("0.5")]
    database.write_profiles(profiles(["d"], column("f", Kind.FLOAT, [1.7e308])))
    receipt = database.write_profiles(
        profiles(["d"], column("f", Kind.FLOAT, [1e308], change=Change.INCREMENT))
    )
    assert [row.reason for row in receipt.rejected] == [Reason.BAD_VALUE] and held(
        database, "d", "f"
    ) == 1.7e308


@pytest.mark.parametrize(
    ("type_", "change", "cell"),
    [
        (Kind.INT, Change.ADD, frozenset("a")),
        (Kind.TEXT, Change.INCREMENT, 1),
        (Kind.TEXT_SET, Change.INCREMENT, 1),
    ],
)
def test_a_change_that_does_not_fit_the_attribute_turns_away_the_rows_that_ask_for_it(
    database: Database, type_: Kind, change: Change, cell: Cell
) -> None:
    declared(database, type_)
    sent = Kind.TEXT_SET if isinstance(cell, frozenset) else Kind.INT
    batch = profiles(
        ["a", "b", "c"],
        column("age", Kind.INT, [1, 2, 3]),
        column("x", sent, [cell, MISSING, cell], change=change),
    )
    receipt = database.write_profiles(batch)
    assert receipt.accepted == 1
    assert [(r.row, r.field, r.reason) for r in receipt.rejected] == [
        (0, "x", Reason.WRONG_TYPE),
        (2, "x", Reason.WRONG_TYPE),
    ]
    assert database.get_profile("b").attributes == {"age": 2}
    assert database.write_profiles(replace(batch, all_or_nothing=True)).accepted == 0
    new = column("y", Kind.TEXT, ["a"], change=Change.INCREMENT)
    assert database.write_profiles(profiles(["d"], new)).accepted == 0
    assert "y" not in {a.name for a in database.schema().attributes}


# ------------------------------------------------------------------------------------------------ identifiers


def emails(*texts: Given) -> Column:
    return column("email", Kind.TEXT, texts, is_identifier=True)


def test_an_identifier_names_one_profile(database: Database) -> None:
    receipt = database.write_profiles(profiles(["a", "b", "c"], emails("a@x", "b@x", "a@x")))
    assert [(row.row, row.reason) for row in receipt.rejected] == [(2, Reason.IDENTIFIER_TAKEN)]
    receipt = database.write_profiles(profiles(["b", "a"], emails("a@x", "a@x")))
    assert [row.row for row in receipt.rejected] == [0]
    assert database.lookup("email", Texts.of(["a@x", "b@x", "nobody"])) == ["a", "b", None]
    assert database.get_profile("a").identifiers == {"email": "a@x"} and receipt.accepted == 1


def test_an_identifier_that_is_given_up_can_be_taken(database: Database) -> None:
    database.write_profiles(profiles(["a", "b"], emails("old@x", MISSING)))
    database.write_profiles(profiles(["a"], emails("new@x")))
    assert database.lookup("email", Texts.of(["old@x", "new@x"])) == [None, "a"]
    assert not database.write_profiles(profiles(["b"], emails("old@x"))).rejected
    database.write_profiles(profiles(["a"], emails(None)))
    assert database.lookup("email", Texts.of(["old@x", "new@x"])) == ["b", None]


@pytest.mark.parametrize("text", ["", "a\nb", "x" * 513, "\u200b"])
def test_an_identifier_keeps_the_rules_of_keys(database: Database, text: str) -> None:
    assert [row.row for row in database.write_profiles(profiles(["a"], emails(text))).rejected] == [0]
    assert database.count("everyone").count == 0


def test_looking_up_what_is_no_identifier_is_an_error(database: Database) -> None:
    put(database, Kind.TEXT, "a")
    for name in ("x", "email"):
        with pytest.raises(NotFound):
            database.lookup(name, Texts.of(["a"]))
    with pytest.raises(InvalidValue):
        database.write_profiles(profiles(["0"], column("x", Kind.TEXT, ["a"], is_identifier=True)))


# ------------------------------------------------------------------------------------------------ schema


def test_the_first_value_declares_unless_the_workspace_forbids_it() -> None:
    open_, closed = Database.open(None), Database.open(None, settings=Settings(infers_schema=False))
    put(open_, MONEY, Decimal("1.50"))
    assert [a.type for a in open_.schema().attributes] == [MONEY]
    with pytest.raises(UnknownName):
        put(closed, Kind.INT, 1)
    assert closed.count("everyone").count == 0


def test_declaring_again_is_fine_and_otherwise_is_not(database: Database) -> None:
    declared(database, Kind.INT)
    version = database.status().version
    declared(database, Kind.INT)
    with pytest.raises(AlreadyExists):
        declared(database, Kind.FLOAT)
    assert database.status().version >= version and len(database.schema().attributes) == 1


@pytest.mark.parametrize("name", ["", "  ", "$tags2", "a\nb", "n" * 257, "a\u200b"])
def test_a_bad_name_is_refused(database: Database, name: str) -> None:
    with pytest.raises(EngineError):
        declared(database, Kind.INT, name)
    with pytest.raises(EngineError):
        database.write_profiles(profiles(["a"], column(name, Kind.INT, [1])))
    assert database.count("everyone").count == 0


def test_names_are_one_however_composed(database: Database) -> None:
    database.write_profiles(profiles(["a"], column("caf\u00e9", Kind.INT, [1])))
    database.write_profiles(profiles(["b"], column("cafe\u0301", Kind.INT, [1])))
    assert len(database.schema().attributes) == 1 and database.count("`cafe\u0301` = 1").count == 2


def test_bool_int_and_double_of_one_name_are_what_the_schema_says(database: Database) -> None:
    declared(database, Kind.FLOAT)
    put(database, Kind.FLOAT, -0.0, 0.0, 1.0)
    assert put(database, Kind.BOOL, False, MISSING, True) == [0, 2]
    assert database.count("x = 0").count == 2 and database.count("x = -0.0").count == 2
    assert put(database, Kind.INT, 0, 1) == [] and database.count("x = 1").count == 2


def test_a_batch_that_is_applied_in_turns_cannot_be_all_or_nothing() -> None:
    database = Database.open(None, clock=ManualClock(0))
    counts = Column("n", ValueType(Kind.INT), np.array([5, 2**63 - 1]), change=Change.INCREMENT)
    batch = ProfileBatch(Texts.of(["b", "b"]), (counts,), all_or_nothing=True)
    with pytest.raises(InvalidArgument, match="all or nothing"):
        database.write_profiles(batch)
    assert database.status().profiles == 0


@pytest.mark.parametrize("rule", ["t in last 99999 calendar years", 't today in zone "Pacific/Kiritimati"'])
def test_a_window_at_the_end_of_the_calendar_is_an_answer_or_a_refusal(rule: str) -> None:
    database = Database.open(None, clock=ManualClock(0))
    database.write_profiles(
        ProfileBatch(Texts.of(["a"]), (Column("t", ValueType(Kind.INSTANT), np.array([0])),))
    )
    for at_us in (INSTANT_MIN_US, INSTANT_MIN_US + 1, INSTANT_MAX_US - 1, INSTANT_MAX_US):
        with contextlib.suppress(InvalidArgument):
            assert database.count(rule, at_us=at_us).count in (0, 1)


def test_a_column_of_another_type_may_still_make_an_attribute_absent() -> None:
    """A null needs no type: rows that give a value fall, those that only unset pass. This one failed an assertion."""
    with Database.open(None, clock=ManualClock(0)) as database:
        database.write_profiles(profiles(["a", "b"], column("plan", Kind.TEXT, ["free", "free"])))
        receipt = database.write_profiles(profiles(["a", "b"], column("plan", Kind.INT, [1, None])))
        assert [row.row for row in receipt.rejected] == [0] and receipt.accepted == 1
        assert database.get_profile("a").attributes == {"plan": "free"}
        assert database.get_profile("b").attributes == {}
