"""Traits are what members have more often than everyone; who looks like them has much of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.audiences.affinity import Looking
from headcount_engine.database import Database
from headcount_engine.errors import DeadlineExceeded, InvalidArgument
from headcount_engine.model.analytics import AffinityAnswer
from headcount_engine.model.answers import Deadline, Need
from tests.audiences.crowds import Person, crowd, database_of

EVERYTHING = Looking(traits=1_000, support_min=0.0, lift_min=1.000001, look_alikes=100_000)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["pro = true", "did buy", "age between 2 and 9", "everyone"]))
def test_every_trait_counts_what_its_rule_counts_and_weighs_what_its_lift_says(seed: int, rule: str) -> None:
    people = crowd(seed, 80)
    with database_of(people) as database:
        found = database.analytics.affinity(rule, EVERYTHING)
        assert (found.size, found.total) == (database.count(rule).count, 80)
        for trait in found.traits:
            assert database.count(trait.rule).count == trait.total_count
            assert database.count(f"({rule}) and ({trait.rule})").count == trait.count > 0
            assert trait.lift == pytest.approx(trait.count * 80 / (found.size * trait.total_count))
            assert trait.weight == round(1_000 * math.log2(trait.lift))
        lifts = [(-trait.lift, -trait.count, trait.rule) for trait in found.traits]
        assert lifts == sorted(lifts)
        assert_look_alikes(database, rule, found, people)
        assert database.analytics.affinity(rule, EVERYTHING).traits == found.traits


def assert_look_alikes(database: Database, rule: str, found: AffinityAnswer, people: list[Person]) -> None:
    """By asking each profile about each trait."""
    expected = []
    for person in people:
        is_in, *held = database.check(person.key, [rule, *(t.rule for t in found.traits)]).results
        score = sum(t.weight for t, has in zip(found.traits, held, strict=True) if has)
        if not is_in and score > 0:
            expected.append((-score, person.key))
    assert [(-alike.score, alike.key) for alike in found.look_alikes] == sorted(expected)
    for count in (1, 3):
        fewer = Looking(1_000, 0.0, 1.000001, look_alikes=count)
        assert database.analytics.affinity(rule, fewer).look_alikes == found.look_alikes[:count]


def test_what_everybody_of_the_members_has_stands_first() -> None:
    people = crowd(8, 200)
    for person in people:
        if person.cells.get("pro") is True:
            person.cells["city"] = "Haga"
        elif person.cells.get("city") == "Haga":
            del person.cells["city"]
    with database_of(people) as database:
        found = database.analytics.affinity('city = "Haga"')
        pros = sum(person.cells.get("pro") is True for person in people)
    first = {trait.rule: trait for trait in found.traits[:2]}
    assert first.keys() == {"pro = true", 'city = "Haga"'}
    assert first["pro = true"].count == first["pro = true"].total_count == pros


def test_every_kind_of_thing_can_be_a_trait() -> None:
    people = crowd(21, 400)
    with database_of(people) as database:
        asked = [database.analytics.affinity(rule, EVERYTHING) for rule in ("pro = true", "did buy")]
        rules = [trait.rule for found in asked for trait in found.traits]
    for sign in (
        "city =", "pro =", "age", "spent", "score", "joined", "born", "likes any of", "tag ", "did "
    ):  # fmt: skip
        assert any(rule.startswith(sign) for rule in rules), sign


def test_support_lift_and_number_bound_what_counts_as_a_trait() -> None:
    with database_of(crowd(9, 300)) as database:
        wide = database.analytics.affinity("pro = true", EVERYTHING)
        narrow = database.analytics.affinity("pro = true", Looking(4, support_min=0.2, lift_min=1.1))
        expected = [t for t in wide.traits if t.count >= 0.2 * wide.size and t.lift >= 1.1][:4]
        assert list(narrow.traits) == expected and len(expected) > 1
        assert narrow.look_alikes == ()
        nobody = database.analytics.affinity("age > 1000", EVERYTHING)
        assert (nobody.size, nobody.traits, nobody.look_alikes) == (0, (), ())
        with pytest.raises(DeadlineExceeded):
            database.analytics.affinity("pro = true", need=Need(deadline=Deadline(0.0)))


@pytest.mark.parametrize(
    "bad",
    [{"traits": 0}, {"support_min": 1.5}, {"lift_min": 1.0}, {"lift_min": math.nan}, {"look_alikes": -1}],
)
def test_bounds_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InvalidArgument):
        Looking(**bad)  # type: ignore[arg-type]
