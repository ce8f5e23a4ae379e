"""Counts from the sets of conditions asked lately are those of the members, whatever is written in between."""

from __future__ import annotations

import random

import numpy as np
import pytest

from headcount_engine import Database
from headcount_engine.clock import ManualClock
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import AllOf, AnyOf, Condition, NoneOf, Not
from headcount_engine.errors import InvalidRule, LimitExceeded
from headcount_engine.limits import Limits
from headcount_engine.model.answers import Need, SegmentDraft
from headcount_engine.model.batches import Column, ProfileBatch, Texts
from headcount_engine.model.values import Kind, ValueType

NOW_US = 1_700_000_000_000_000
LEAVES = [
    parse(text)
    for text in (
        'plan = "pro"', 'plan != "pro"', 'plan != "free" when present', 'plan in ("pro", "free")',
        'plan not in ("pro", "none")', 'plan contains "r"', "plan exists", "plan is empty",
        'plan = "PRO" ignoring case',
        "age between 20 and 40", "age >= 30", "age = 33", "age in (20, 21, 22)", "age exists", 'tag "a"',
        'tags any of ("a", "b")', 'tags none of ("c")', "size(tags) >= 2",
    )
]  # fmt: skip


@pytest.fixture
def database() -> Database:
    made = Database.open(None, clock=ManualClock(NOW_US))
    write(made, random.Random(1), range(3_000))
    return made


def write(database: Database, chance: random.Random, numbers: range | list[int]) -> None:
    keys = Texts.of([f"p{n}" for n in numbers])
    rows = len(numbers)
    there = [chance.random() < 0.8 for _ in range(rows)]
    plans = Texts.of([chance.choice(["pro", "free", "", "none"]) for _ in range(rows)])
    sizes = [chance.randrange(3) for _ in range(rows)]
    elements = Texts.of([chance.choice("abcd") for _ in range(sum(sizes))])
    present = np.array(there)
    ages = np.array([chance.randrange(15, 60) for _ in range(rows)], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    columns = (
        Column("plan", ValueType(Kind.TEXT), plans, present),
        Column("age", ValueType(Kind.INT), ages, present[::-1].copy()),
        Column("tags", ValueType(Kind.TEXT_SET), elements, None, element_offsets=offsets),
    )
    assert database.write_profiles(ProfileBatch(keys, columns)).accepted == rows


def group(chance: random.Random, depth: int = 3) -> Condition:
    inner = tuple(
        chance.choice(LEAVES) if depth == 0 or chance.random() < 0.6 else group(chance, depth - 1)
        for _ in range(chance.randrange(1, 4))
    )
    kind = chance.choice([AllOf, AllOf, AnyOf, NoneOf, Not])
    return Not(inner[0]) if kind is Not else kind(inner)


def agree(database: Database, rule: Condition) -> None:
    expected = len(database.members(rule).ids)
    assert [database.count(rule).count for _ in range(2)] == [expected, expected]
    assert database.count(rule, at_us=NOW_US).count == expected


def is_kept(database: Database, rule: Condition) -> bool:
    return database._lately.count(rule, Need()) is not None


@pytest.mark.parametrize("seed", range(40))
def test_any_group_of_kept_conditions_counts_its_members(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(6):
        rule = group(chance)
        agree(database, rule)
        assert is_kept(database, rule)
        match chance.randrange(4):
            case 0:
                write(database, chance, sorted(chance.sample(range(3_000), 40)))
            case 1:
                write(database, chance, range(70_000 + seed, 70_040 + seed))
            case 2:
                database.erase_profile(f"p{chance.randrange(3_000)}")
            case _:
                pass


def test_new_profiles_past_the_last_block_are_counted(database: Database) -> None:
    rule = parse('not plan = "pro" and not age >= 30')
    agree(database, rule)
    write(database, random.Random(2), range(10_000, 80_000))
    agree(database, rule)


def test_a_condition_that_is_wrong_is_refused_by_the_one_who_knows_why(database: Database) -> None:
    for text in ('age = "old" and plan exists', "agee = 3 and plan exists", 'plan >= "a" and plan exists'):
        with pytest.raises(InvalidRule):
            database.count(parse(text))


def test_limits_hold_for_kept_conditions_too() -> None:
    database = Database.open(None, clock=ManualClock(NOW_US), limits=Limits(list_values=2, rule_leaves=3))
    write(database, random.Random(1), range(100))
    assert database.count(parse('plan in ("a", "b") and age exists')).count == 0
    with pytest.raises(LimitExceeded):
        database.count(parse('plan in ("a", "b", "c") and age exists'))
    with pytest.raises(LimitExceeded):
        database.count(AllOf((LEAVES[0],) * 4))


def test_segments_and_the_clock_are_left_to_others(database: Database) -> None:
    database.create_segment(SegmentDraft("pros", 'plan = "pro"', "pros"))
    for text in (
        'in segment "pros" and age exists',
        "did any event in last 7 days and age exists",
        "age >= 30",
    ):
        assert not is_kept(database, parse(text))
    for text in ("age exists", 'plan = "pro"', 'plan != "pro"', 'plan in ("pro", "none such")'):
        assert is_kept(database, parse(text))
        agree(database, parse(text))
    agree(database, parse('in segment "pros" and age exists'))


def test_sets_are_let_go_of_when_many_are_asked_for(database: Database) -> None:
    for age in range(600):
        database.count(parse(f"age >= {age} and plan exists"))
    assert database._lately._sets.nbytes <= 512 * 2 * 8_192
    agree(database, parse("age >= 3 and plan exists"))


def test_a_range_is_counted_by_the_order_of_its_column_until_a_value_changes(database: Database) -> None:
    chance = random.Random(9)
    texts = (
        "age between 20 and 40",
        "age >= 33",
        "age < 21.5",
        "age > 100",
        "age between 15 and 15.5",
        "age != 20",
    )
    for text in texts * 2:
        agree(database, parse(text))
    assert is_kept(database, parse("age < 21.5"))
    write(database, chance, sorted(chance.sample(range(3_000), 700)))
    assert not is_kept(database, parse("age < 21.5"))
    for text in texts:
        agree(database, parse(text))
    for text in ('age > "old"', "agee > 3", 'plan > "a"'):
        with pytest.raises(InvalidRule):
            database.count(parse(text))
