"""What the world takes and what it refuses, told as the specification tells it."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount_engine.conditions.tree import HasTag, InSegment, Not
from headcount_engine.model.values import Cell, Instant, Kind, ValueType
from tests.oracle.calendars import DAY_US
from tests.oracle.changes import Change, Define, Erase, Merge, Schema, Track, Upsert, apply
from tests.oracle.events import total
from tests.oracle.world import Refused, World, admitted

EMAIL = frozenset({("email", "a@x.se")})


@pytest.mark.parametrize(
    ("type_", "given_", "held"),
    [
        (ValueType(Kind.INT), 10.0, 10),
        (ValueType(Kind.INT), Decimal("10.0"), 10),
        (ValueType(Kind.FLOAT), 3, 3.0),
        (ValueType(Kind.FLOAT), -0.0, 0.0),
        (ValueType(Kind.DECIMAL, 2), 0.1, Decimal("0.1")),
        (ValueType(Kind.DECIMAL, 2), 5, Decimal(5)),
        (ValueType(Kind.TEXT), "cafe\u0301", "caf\u00e9"),
        (ValueType(Kind.TEXT_SET), frozenset({"e\u0301", "\u00e9"}), frozenset({"\u00e9"})),
    ],
)
def test_8_a_value_is_held_as_its_type_says(type_: ValueType, given_: Cell, held: Cell) -> None:
    result = admitted(given_, type_)
    assert result == held and type(result) is type(held)
    assert not isinstance(result, float) or math.copysign(1, result) == 1


@pytest.mark.parametrize(
    ("type_", "given_"),
    [
        (ValueType(Kind.INT), 10.5),
        (ValueType(Kind.INT), True),
        (ValueType(Kind.INT), "10"),
        (ValueType(Kind.INT), 2**63),
        (ValueType(Kind.FLOAT), 2**53 + 1),
        (ValueType(Kind.FLOAT), math.nan),
        (ValueType(Kind.FLOAT), math.inf),
        (ValueType(Kind.FLOAT), True),
        (ValueType(Kind.DECIMAL, 2), Decimal("0.001")),
        (ValueType(Kind.BOOL), 1),
        (ValueType(Kind.TEXT), 10),
        (ValueType(Kind.TEXT_SET), "cars"),
        (ValueType(Kind.DATE), Instant(0)),
    ],
)
def test_8_a_value_of_another_type_is_refused(type_: ValueType, given_: Cell) -> None:
    with pytest.raises(Refused):
        admitted(given_, type_)


def test_8_a_refused_row_changes_nothing() -> None:
    world = Schema({"age": ValueType(Kind.INT), "name": ValueType(Kind.TEXT)}).world()
    with pytest.raises(Refused):
        world.upsert("a", {"name": "Ann", "age": "ten"})
    assert not world.profiles


REFUSED: list[tuple[str, list[Change], Change]] = [
    ("24b an empty key", [], Upsert("")),
    ("24b a key of 513 bytes", [], Upsert("a" * 513)),
    ("24b an unknown key where the call does not create", [], Upsert("a", create=False)),
    (
        "24b an event for an unknown key where the call does not create",
        [],
        Track("a", "buy", 0, create=False),
    ),
    ("24b a row for an erased key", [Upsert("a"), Erase("a")], Upsert("a")),
    ("24b an event for an erased key", [Upsert("a"), Erase("a")], Track("a", "buy", 0)),
    (
        "24b an identifier that another profile has",
        [Upsert("a", identifiers=EMAIL)],
        Upsert("b", identifiers=EMAIL),
    ),
    ("24b an empty identifier", [], Upsert("a", identifiers=frozenset({("email", "")}))),
    ("33 a segment that refers to itself", [], Define("s", InSegment("s"))),
    (
        "33 a circle of two",
        [Define("a", HasTag("x")), Define("b", InSegment("a"))],
        Define("a", Not(InSegment("b"))),
    ),
    (
        "33 a circle of three",
        [Define("a", HasTag("x")), Define("b", InSegment("a")), Define("c", InSegment("b"))],
        Define("a", InSegment("c")),
    ),
    ("33 a reference to what does not exist", [], Define("a", InSegment("b"))),
    (
        "37 a merge of two known profiles without force",
        [Upsert("a", identifiers=EMAIL), Upsert("b", identifiers=frozenset({("email", "b@x.se")}))],
        Merge("a", "b"),
    ),
    ("37 a merge with itself", [Upsert("a")], Merge("a", "a")),
    ("37 a merge with nobody", [Upsert("a")], Merge("a", "b")),
]


@pytest.mark.parametrize(("before", "change"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_the_specification_refuses(before: list[Change], change: Change) -> None:
    world = Schema().world(before)
    profiles = {key: set(profile.identifiers) for key, profile in world.profiles.items()}
    with pytest.raises(Refused):
        apply(world, change)
    assert {key: set(profile.identifiers) for key, profile in world.profiles.items()} == profiles
    assert not world.events


def test_24b_an_erased_key_comes_back_when_an_upsert_says_so() -> None:
    world = Schema().world([Upsert("a"), Erase("a"), Upsert("a", recreate=True), Track("a", "buy", 0)])
    assert set(world.profiles) == {"a"} and len(world.events) == 1


def test_37_two_known_profiles_merge_by_force() -> None:
    other = frozenset({("email", "b@x.se")})
    world = Schema().world(
        [Upsert("a", identifiers=EMAIL), Upsert("b", identifiers=other), Merge("a", "b", force=True)]
    )
    assert world.profiles["a"].identifiers == EMAIL and world.profiles["a"].leads == other


def test_24b_keys_of_merged_profiles_are_refused_with_that_of_the_survivor() -> None:
    world = Schema().world([Upsert("a"), Upsert("b"), Merge("a", "b"), Erase("b")])
    assert not world.profiles and world.erased == {"a", "b"}
    world.upsert("b", recreate=True)
    assert set(world.profiles) == {"b"}


def test_24_the_horizon_is_by_arrival_whatever_the_event_time() -> None:
    world = World()
    assert world.track("a", "buy", 0, id="1", now_us=0)
    assert not world.track("a", "buy", 99 * DAY_US, id="1", now_us=7 * DAY_US - 1)
    assert world.track("a", "buy", 0, id="1", now_us=7 * DAY_US)
    assert not world.track("a", "buy", 0, id="1", now_us=14 * DAY_US - 1)


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300), min_size=1)
)
def test_28_a_sum_of_doubles_is_what_fsum_says(numbers: list[float]) -> None:
    assert total(numbers) == math.fsum(numbers)


@given(st.lists(st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3), min_size=1))
def test_28_a_sum_of_ints_and_decimals_is_exact(numbers: list[int | Decimal]) -> None:
    assert total(numbers) == sum(map(Fraction, numbers))
