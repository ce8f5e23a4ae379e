"""Explain, sizes of nodes, comparisons and plans say what is so."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.conditions.tree import Condition
from headcount_engine.database import Database
from headcount_engine.evaluation.describe import to_lines
from headcount_engine.model.answers import Measured, Sized
from headcount_engine.model.batches import Column, EventBatch, ProfileBatch, Texts
from headcount_engine.model.instants import parse_instant
from headcount_engine.model.values import Kind, ValueType

NOW = parse_instant("2024-03-10T12:00:00Z").us
HOUR, DAY = 3_600_000_000, 86_400_000_000
FLAGS = "abcd"


def people(count: int) -> Texts:
    return Texts.of([f"p{i}" for i in range(count)])


@pytest.fixture
def flags() -> Iterator[Database]:
    """Sixteen profiles, one for each way of having the flags a, b, c and d."""
    database = Database.open(None, clock=ManualClock(NOW))
    columns = tuple(
        Column(name, ValueType(Kind.BOOL), np.array([(i >> bit) & 1 == 1 for i in range(16)]))
        for bit, name in enumerate(FLAGS)
    )
    database.write_profiles(ProfileBatch(people(16), columns))
    yield database
    database.close()


def one(times_us: list[int], joined_us: int | None = None) -> Database:
    """One profile with purchases at these times, and perhaps an instant `joined` and its day of birth."""
    database = Database.open(None, clock=ManualClock(NOW))
    columns = []
    if joined_us is not None:
        columns = [
            Column("joined", ValueType(Kind.INSTANT), np.array([joined_us])),
            Column("born", ValueType(Kind.DATE), np.array([joined_us // DAY])),
        ]
    database.write_profiles(ProfileBatch(people(1), tuple(columns)))
    if times_us:
        keys = Texts.of(["p0"] * len(times_us))
        amounts = Column("amount", ValueType(Kind.INT), np.arange(1, len(times_us) + 1))
        database.write_events(EventBatch(keys, "purchase", np.array(times_us), (amounts,)))
    return database


# ------------------------------------------------------------------------------------------------ explain

GROUPS = [
    "a = true and b = true and not c = true",
    "(a = true or b = true) and (c = true or d = true)",
    "none of (a = true, b = true) or (c = true and d = true)",
    "at least 2 of (a = true, b = true, c = true, d = true)",
    "exactly 1 of (a = true, b = true, c = true)",
    "not (a = true and (b = true or not d = true))",
    "exactly 2 of (a = true and b = true, c = true, not d = true)",
]


@pytest.mark.parametrize("rule", GROUPS)
def test_the_decisive_leaves_are_a_smallest_set_whose_change_changes_the_answer(
    flags: Database, rule: str
) -> None:
    sign = {name: f"{name} = true" for name in FLAGS}
    for i in range(16):
        found = flags.explain(f"p{i}", rule).explanation
        assert found is not None
        assert found.holds is flags.check(f"p{i}", [rule]).results[0]
        turned = sum(1 << FLAGS.index(leaf[0]) for leaf in found.decisive)
        assert all(leaf in sign.values() for leaf in found.decisive)
        assert flags.check(f"p{i ^ turned}", [rule]).results[0] is not found.holds
        for fewer in itertools.chain.from_iterable(
            itertools.combinations(range(4), n) for n in range(len(found.decisive))
        ):
            other = i ^ sum(1 << bit for bit in fewer)
            assert flags.check(f"p{other}", [rule]).results[0] is found.holds


def nodes(tree: Measured) -> Iterator[Measured]:
    yield tree
    for child in tree.children:
        yield from nodes(child)


def test_every_node_of_an_explanation_says_whether_it_holds_and_what_is_behind_it() -> None:
    database = one([NOW - DAY, NOW - 2 * DAY, NOW - 40 * DAY], NOW - DAY)
    rule = (
        "did purchase at least 2 times in last 7 days and sum(purchase.amount) = 6 and days(purchase) > 3"
        " and not joined in last 1 hours and distinct(purchase.amount) >= 3 and avg(purchase.amount) = 2"
    )
    found = database.explain("p0", rule).explanation
    assert found is not None and not found.holds
    assert found.decisive == ("days(purchase) >= 4",)
    actual = {node.text: node.actual for node in nodes(found.tree) if not node.children}
    assert actual["did purchase at least 2 times in last 7 days"] == 2
    assert actual["sum(purchase.amount) = 6"] == 6
    assert actual["days(purchase) >= 4"] == 3
    assert actual["distinct(purchase.amount) >= 3"] == 3
    assert actual["avg(purchase.amount) = 2"] == 2
    for node in nodes(found.tree):
        assert node.holds is database.check("p0", [node.text]).results[0], node.text


def test_a_referenced_segment_is_explained_to_its_leaves(flags: Database) -> None:
    from headcount_engine.model.answers import SegmentDraft

    flags.create_segment(SegmentDraft("Both", "a = true and b = true"))
    found = flags.explain("p1", 'in segment "Both"').explanation
    assert found is not None
    assert [node.text for node in nodes(found.tree)][1:] == ["a = true and b = true", "a = true", "b = true"]


def test_an_unknown_profile_has_no_explanation(flags: Database) -> None:
    assert flags.explain("nobody", "a = true").explanation is None


FLIPS = [
    ("did purchase in last 7 days", [NOW - DAY], NOW + 6 * DAY),
    ("never did purchase in last 7 days", [NOW - DAY], NOW + 6 * DAY),
    ("did purchase at least 2 times in last 7 days", [NOW - DAY, NOW - 3 * DAY], NOW + 4 * DAY),
    ("did purchase between 2 and 4 days ago", [NOW - DAY], NOW + DAY),
    ("did purchase", [NOW + HOUR], NOW + HOUR),
    ("sum(purchase.amount) > 2 in last 2 days", [NOW - DAY, NOW - HOUR], NOW + DAY),
    ("did purchase then not purchase within 2 days matured", [NOW - DAY], NOW + DAY),
    ("did purchase today", [NOW - HOUR], parse_instant("2024-03-11T00:00:00Z").us),
    ('did purchase this month in zone "America/New_York"', [NOW], parse_instant("2024-04-01T04:00:00Z").us),
    ("first did purchase in last 7 days", [NOW - DAY, NOW - HOUR], NOW + 6 * DAY),
    ("did purchase at least 1 times per 1 days in at least 2 of last 3 periods", [NOW - HOUR, NOW - 25 * HOUR],
     NOW + 47 * HOUR),
    ("same amount (did purchase in last 2 days)", [NOW - DAY], NOW + DAY),
    ("did purchase before 2024-01-01", [NOW - DAY], None),
    ("did purchase", [NOW - DAY], None),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "times_us", "flips_at_us"), FLIPS, ids=[rule for rule, _, _ in FLIPS])
def test_the_instant_is_told_at_which_the_clock_alone_flips_the_answer(
    rule: str, times_us: list[int], flips_at_us: int | None
) -> None:
    database = one(times_us)
    found = database.explain("p0", rule).explanation
    assert found is not None and found.is_flip_certain
    assert found.flips_at_us == flips_at_us
    if flips_at_us is not None:
        assert database.check("p0", [rule], at_us=flips_at_us - 1).results[0] is found.holds
        assert database.check("p0", [rule], at_us=flips_at_us).results[0] is not found.holds


ATTRIBUTE_FLIPS = [
    ("joined in last 30 days", NOW - DAY, NOW + 29 * DAY),
    ("joined in next 12 hours", NOW + DAY, NOW + 12 * HOUR),
    ("born in last 3 days", NOW - DAY, parse_instant("2024-03-12T00:00:00Z").us),
    ("born in next 2 days", NOW + 5 * DAY, parse_instant("2024-03-13T00:00:00Z").us),
    ("born anniversary today", NOW - 364 * DAY, parse_instant("2024-03-12T00:00:00Z").us),
    ("joined last week", NOW, parse_instant("2024-03-11T00:00:00Z").us),
]


@pytest.mark.parametrize(
    ("rule", "joined_us", "flips_at_us"), ATTRIBUTE_FLIPS, ids=[rule for rule, _, _ in ATTRIBUTE_FLIPS]
)
def test_dates_and_instants_of_attributes_flip_an_answer_at_their_own_instant(
    rule: str, joined_us: int, flips_at_us: int
) -> None:
    database = one([], joined_us)
    found = database.explain("p0", rule).explanation
    assert found is not None and found.flips_at_us == flips_at_us
    assert database.check("p0", [rule], at_us=flips_at_us - 1).results[0] is found.holds
    assert database.check("p0", [rule], at_us=flips_at_us).results[0] is not found.holds


@settings(max_examples=25)
@given(
    times=st.lists(st.integers(-12, 12), max_size=5),
    rules=st.lists(st.sampled_from([rule for rule, _, _ in FLIPS]), min_size=1, max_size=3),
    joiner=st.sampled_from([" and ", " or ", " and not "]),
    probes=st.lists(st.integers(1, 40 * 24), min_size=6, max_size=6),
)
def test_no_answer_changes_between_now_and_the_flip_that_is_told(
    times: list[int], rules: list[str], joiner: str, probes: list[int]
) -> None:
    database = one(sorted(NOW + hours * HOUR * 5 for hours in times))
    rule = joiner.join(f"({part})" for part in rules)
    found = database.explain("p0", rule).explanation
    assert found is not None and found.is_flip_certain
    end = NOW + 41 * DAY if found.flips_at_us is None else found.flips_at_us
    for hours in probes:
        at_us = NOW + hours * HOUR
        if at_us < end:
            assert database.check("p0", [rule], at_us=at_us).results[0] is found.holds


# ------------------------------------------------------------------------------------------------ sizes, comparisons


def sized(tree: Sized) -> Iterator[Sized]:
    yield tree
    for child in tree.children:
        yield from sized(child)


@pytest.mark.parametrize("rule", GROUPS)
def test_every_node_of_a_rule_has_the_size_that_counting_it_alone_gives(flags: Database, rule: str) -> None:
    found = flags.node_sizes(rule)
    assert found.total == 16
    listed = list(sized(found.tree))
    assert len(listed) > 3
    for node in listed:
        assert node.size == flags.count(node.text).count, node.text


def keys_in(database: Database, rule: str | Condition) -> set[str]:
    return set(database.keys_of(database.members(rule).ids).to_list())


RELATIONS = [
    ("a = true", "a = true or (a = true and b = true)", "equal"),
    ("a = true or b = true", "b = true", "contains"),
    ("a = true and b = true", "a = true", "contained"),
    ("a = true", "not a = true", "disjoint"),
    ("a = true", "b = true", "overlapping"),
]


@pytest.mark.parametrize(("old", "new", "relation"), RELATIONS)
def test_a_comparison_tells_who_joins_and_leaves_and_how_the_two_relate(
    flags: Database, old: str, new: str, relation: str
) -> None:
    found = flags.compare(old, new, ["c"])
    before, after = keys_in(flags, old), keys_in(flags, new)
    assert (found.old_size, found.new_size) == (len(before), len(after))
    assert (found.joins, found.leaves) == (len(after - before), len(before - after))
    assert found.relation == relation
    with_c = keys_in(flags, "c = true")
    by_value = {change.value: (change.joins, change.leaves) for change in found.by_attribute["c"]}
    assert by_value.get("true", (0, 0)) == (len((after - before) & with_c), len((before - after) & with_c))


# ------------------------------------------------------------------------------------------------ plans


def plan_of(database: Database, rule: str) -> str:
    """The plan as text, with times left out."""
    return "\n".join(
        re.sub(r"; [-\d,]+ of ~[\d,]+ us\]", "]", line) for line in to_lines(database.describe(rule))
    )


def test_a_plan_asks_for_what_is_at_hand_first_and_excludes_instead_of_complementing() -> None:
    database = one([NOW - DAY, NOW - 2 * DAY])
    columns = (
        Column("age", ValueType(Kind.INT), np.arange(1_000) % 90),
        Column(
            "country", ValueType(Kind.TEXT), Texts.of(["SE" if i % 10 == 0 else "NO" for i in range(1_000)])
        ),
    )
    database.write_profiles(ProfileBatch(people(1_000), columns))
    database.count('country = "SE"')
    rule = 'did purchase at least 2 times and country = "SE" and not age > 30 and everyone'
    assert plan_of(database, rule) == PLANS[0]


def test_a_plan_flattens_groups_and_passes_once_over_what_is_dense(flags: Database) -> None:
    flags.count("a = true or b = true or c = true or d = true")
    rule = "a = true and (b = true and (c = true and not d = true)) or not (a = true or everyone and not b = true)"
    assert plan_of(flags, rule) == PLANS[1]


def test_a_plan_names_what_each_kind_of_leaf_does() -> None:
    database = one([NOW - DAY, NOW - 2 * DAY], NOW - DAY)
    rule = (
        "at least 3 of (distinct(purchase.amount) >= 2, days(purchase) >= 2, last purchase has amount = 2,"
        ' did purchase then purchase within 2 days, same amount (did purchase), sample 100% salt "x",'
        " top 1 by joined, known, born anniversary today, avg(purchase.amount) > 1, joined exists)"
    )
    assert plan_of(database, rule) == PLANS[2]


PLANS = [
    """\
intersect  [1 of ~2]
  bitmap country = "SE"  [100 of ~100]
  count purchase >= 2  [1 of ~2]
  without scan age >= 31  [- of ~333]""",
    """\
unite  [5 of ~8]
  intersect  [- of ~8]
    bitmap a = true  [- of ~8]
    bitmap b = true  [- of ~8]
    bitmap c = true  [- of ~8]
    without bitmap d = true  [- of ~8]
  everyone without  [- of ~0]
    unite  [- of ~16]
      bitmap a = true  [- of ~8]
      intersect  [- of ~16]
        without bitmap b = true  [- of ~8]""",
    """\
3 to 11 of 11  [1 of ~0]
  distinct purchase.amount  [1 of ~1]
  days purchase >= 2  [1 of ~1]
  last purchase  [0 of ~1]
  sequence purchase then purchase  [1 of ~1]
  same amount  [1 of ~1]
  sample  [1 of ~0]
  rank top 1 by joined  [1 of ~0]
  given set  [0 of ~0]
  scan born anniversary  [0 of ~0]
  avg purchase.amount  [1 of ~1]
  bitmap joined exists  [1 of ~0]""",
]


def test_a_comparison_says_how_many_have_each_value(flags: Database) -> None:
    found = flags.compare("a = true", "b = true and c = true", ("d", "a"))
    for name, changes in found.by_attribute.items():
        for change in changes:
            held = flags.count(f"{name} = {change.value}").count
            assert change.total == held == 8
    assert {c.value for c in found.by_attribute["d"]} == {"true", "false"}


def test_every_node_says_when_the_clock_alone_changes_it() -> None:
    database = one([NOW - DAY, NOW - 5 * DAY], NOW + 3 * HOUR)
    rule = (
        "(did purchase at least 2 times in last 7 days or did purchase in last 30 days) and not joined in last 2 hours"
        " and did purchase"
    )
    found = database.explain("p0", rule).explanation
    assert found is not None and found.holds
    at = {node.text: node.flips_at_us for node in nodes(found.tree)}
    assert at["did purchase at least 2 times in last 7 days"] == NOW + 2 * DAY
    assert at["did purchase in last 30 days"] == NOW + 29 * DAY
    assert at["joined in last 2 hours"] == at["not joined in last 2 hours"] == NOW + 3 * HOUR
    assert at["did purchase"] is None
    assert found.tree.flips_at_us == found.flips_at_us == NOW + 3 * HOUR
    for node in nodes(found.tree):
        if node.flips_at_us is not None:
            before, after = (
                database.check("p0", [node.text], at_us=node.flips_at_us + step).results[0]
                for step in (-1, 0)
            )
            assert (before, after) == (node.holds, not node.holds), node.text
