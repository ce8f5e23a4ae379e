"""Overlaps are exact, whatever the density of the sets and wherever their members lie."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine import bitmaps
from headcount_engine.audiences.overlap import cell_rule, intersections
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.text import parse
from headcount_engine.errors import DeadlineExceeded, LimitExceeded
from headcount_engine.limits import Limits
from headcount_engine.model.answers import NO_DEADLINE, Deadline, SegmentDraft
from tests.audiences.crowds import crowd, database_of

IDS_END = 2_500_000
"""Three shards, the last one not full."""


def by_hand(sets: list[Bitmap]) -> list[list[int]]:
    plain = [set(held) for held in sets]
    return [[len(a & b) for b in plain] for a in plain]


@st.composite
def some_sets(draw: st.DrawFn) -> list[Bitmap]:
    """Empty and full ones, runs, singletons, ids at the ends of blocks and shards; sparse beside dense."""
    chance = np.random.default_rng(draw(st.integers(0, 2**32)))
    made = []
    for kind in draw(st.lists(st.sampled_from("enxsrtdb"), min_size=0, max_size=7)):
        start = int(chance.integers(0, IDS_END - 1))
        match kind:
            case "e":
                made.append(bitmaps.EMPTY)
            case "n":
                made.append(
                    bitmaps.from_ids(np.array([0, 65_535, 65_536, (1 << 20) - 1, 1 << 20, IDS_END - 1]))
                )
            case "x":
                made.append(bitmaps.from_ids(np.array([start])))
            case "s":
                made.append(bitmaps.from_ids(chance.integers(0, IDS_END, 500)))
            case "r":
                made.append(bitmaps.from_range(start, min(start + 5_000, IDS_END)))
            case "t":
                made.append(bitmaps.from_ids(chance.integers(0, IDS_END, 3_000)))
            case "d":
                made.append(bitmaps.from_ids(chance.integers(0, IDS_END, 40_000)))
            case _:
                made.append(bitmaps.from_ids(np.arange(start % 7, IDS_END, 90 + start % 11)))
    return made


@settings(max_examples=40)
@given(some_sets())
def test_every_pair_is_what_intersecting_the_sets_gives(sets: list[Bitmap]) -> None:
    assert intersections(sets, IDS_END, NO_DEADLINE).tolist() == by_hand(sets)


def test_dense_sets_over_several_shards_are_added_up() -> None:
    sets = [bitmaps.from_ids(np.arange(step % 3, IDS_END, step)) for step in (2, 3, 5, 64, 700)]
    assert intersections(sets, IDS_END, NO_DEADLINE).tolist() == by_hand(sets)


def test_the_matrix_of_rules_is_exact_and_symmetric_and_says_jaccard_and_lift() -> None:
    people = crowd(3, 400)
    rules = ["pro = true", "age >= 0", "did buy", 'city = "nowhere"', "pro = true", "everyone"]
    with database_of(people) as database:
        found = database.analytics.overlap(rules)
        members = [set(database.members(rule).ids.tolist()) for rule in rules]
    expected = [[len(a & b) for b in members] for a in members]
    assert found.intersections.tolist() == expected
    assert found.sizes.tolist() == [len(m) for m in members]
    assert (found.total, found.rules[0]) == (400, "pro = true")
    jaccard, lift = found.jaccard(), found.lift()
    assert jaccard[0, 2] == len(members[0] & members[2]) / len(members[0] | members[2])
    assert lift[0, 2] == pytest.approx(expected[0][2] * 400 / (expected[0][0] * expected[2][2]))
    assert lift[0, 5] == pytest.approx(1)
    assert math.isnan(jaccard[3, 3]) and math.isnan(lift[3, 0]) and jaccard[0, 3] == 0


def test_any_cell_is_a_rule_of_its_own() -> None:
    people = crowd(4, 300)
    rules = ["pro = true or age < 2", 'not city = "city-0"', 'in segment "buyers"']
    with database_of(people) as database:
        database.create_segment(SegmentDraft("buyers", "did buy", "buyers"))
        found = database.analytics.overlap(rules)
        for i, one in enumerate(rules):
            for j, other in enumerate(rules):
                text = cell_rule(parse(one), parse(other))
                assert database.count(text).count == found.intersections[i, j]
                database.create_segment(SegmentDraft(f"cell {i} {j}", text, f"cell-{i}-{j}"))
        assert database.get_segment("cell-0-2").size == found.intersections[0, 2]


def test_too_many_rules_and_a_deadline_that_passed_are_refused() -> None:
    with database_of(crowd(5, 3)) as database:
        assert database.analytics.overlap([]).intersections.shape == (0, 0)
        bound = Limits().overlap_rules
        with pytest.raises(LimitExceeded):
            database.analytics.overlap(["pro = true"] * (bound + 1))
    sets = [bitmaps.from_range(0, 1_000_000)] * 3
    with pytest.raises(DeadlineExceeded):
        intersections(sets, 1_000_000, Deadline(0.0))
    with pytest.raises(DeadlineExceeded):
        intersections([bitmaps.from_range(0, 3)] * 3, 1_000_000, Deadline(0.0))


def test_a_thousand_sets_of_nobody_and_no_profiles_at_all_are_fine() -> None:
    assert not intersections([bitmaps.EMPTY] * 1_000, 10, NO_DEADLINE).any()
    assert intersections([bitmaps.EMPTY] * 2, 0, NO_DEADLINE).tolist() == [[0, 0], [0, 0]]
