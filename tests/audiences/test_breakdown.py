"""Breakdowns, against looking at every member."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import DeadlineExceeded, InvalidArgument, UnknownName
from headcount_engine.model.analytics import (
    Belonging,
    Bins,
    Breakdown,
    By,
    ByAttribute,
    ByBelonging,
    ByEventCount,
    CalendarSteps,
    EachValue,
    Edges,
    EqualWidth,
    Group,
    Quantiles,
    Step,
)
from headcount_engine.model.answers import Deadline, Need, SegmentDraft
from headcount_engine.model.answers import Settings as Workspace
from headcount_engine.model.batches import Column, ProfileBatch, Texts
from headcount_engine.model.instants import days_to_date, local_date
from headcount_engine.model.values import Cell, Date, Instant, Kind, ValueType
from tests.audiences.crowds import DAY, EVENTS, NOW, Person, crowd, database_of

RULES: dict[str, Callable[[Person], bool]] = {
    "everyone": lambda p: True,
    "pro = true": lambda p: p.cells.get("pro") is True,
    "did buy": lambda p: p.times("buy") > 0,
    'city = "city-0" and not pro = true': lambda p: (
        p.cells.get("city") == "city-0" and p.cells.get("pro") is not True
    ),
    "age > 1000": lambda p: False,
}
NUMBERS = ("age", "spent", "score", "joined", "born")
WIDTHS = (1, 2, 5, 40)


def order(cell: Cell | None) -> Fraction:
    """Numbers, instants and dates on one line."""
    match cell:
        case Instant(us):
            return Fraction(us)
        case Date(days):
            return Fraction(days)
        case int() | float() | Decimal():
            return Fraction(cell)
        case _:
            raise AssertionError(cell)


def holds(group: Group, cell: Cell | None) -> bool:
    """Whether a value belongs to a group."""
    if cell is None:
        return False
    if not group.is_range:
        return type(cell) is type(group.value) and cell == group.value
    above = group.value is None or order(cell) >= order(group.value)
    return above and (group.high is None or order(cell) < order(group.high))


def assert_exact(
    found: Breakdown, people: list[Person], rule: str, cells: Callable[[Person], list[Cell]]
) -> None:
    """Every count is that of the people whose cells fall into the group; each cell in one group at most."""
    for which, of in ((0, [p for p in people if RULES[rule](p)]), (1, people)):
        held = [cells(person) for person in of]
        for group in found.groups:
            expected = sum(any(holds(group, cell) for cell in row) for row in held)
            assert (group.count, group.total_count)[which] == expected, group
        for row in held:
            assert all(sum(holds(g, cell) for g in found.groups) <= 1 for cell in row)
        others = [row for row in held if any(not any(holds(g, c) for g in found.groups) for c in row)]
        assert found.other[which] == len(others)
        assert found.absent[which] == sum(not row for row in held)


def asked(database: Database, rule: str, by: By) -> Breakdown:
    answer = database.analytics.breakdown(rule, [by])
    assert answer.breakdowns[0].by == by
    return answer.breakdowns[0]


@pytest.fixture(scope="module")
def people() -> list[Person]:
    return crowd(11, 150)


@pytest.fixture(scope="module")
def database(people: list[Person]) -> Iterator[Database]:
    with database_of(people) as made:
        yield made


def cell_of(name: str) -> Callable[[Person], list[Cell]]:
    return lambda person: [person.cells[name]] if name in person.cells else []


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("name", ["city", "pro", *NUMBERS])
def test_values_are_counted_largest_first(
    database: Database, people: list[Person], rule: str, limit: int, name: str
) -> None:
    found = asked(database, rule, ByAttribute(name, EachValue(), limit))
    assert_exact(found, people, rule, cell_of(name))
    seen = Counter(p.cells[name] for p in people if RULES[rule](p) and name in p.cells)
    largest = sorted(seen.values(), reverse=True)[:limit]
    assert [group.count for group in found.groups] == largest
    assert not any(group.is_range for group in found.groups)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(sorted(RULES)), st.integers(1, 12))
def test_elements_of_sets_and_tags_count_each_person_once_in_each_group(
    seed: int, rule: str, limit: int
) -> None:
    people = crowd(seed, 60)
    with database_of(people) as database:
        for by, name in (
            (ByAttribute("likes", limit=limit), "likes"),
            (ByBelonging(Belonging.TAGS, limit), "$tags"),
        ):
            found = asked(database, rule, by)
            assert_exact(found, people, rule, lambda person, name=name: sorted(person.cells.get(name, ())))
        assert asked(database, rule, ByBelonging(Belonging.CHANNELS, limit)).groups == ()


@pytest.mark.parametrize("rule", RULES)
def test_what_people_did_and_how_often(database: Database, people: list[Person], rule: str) -> None:
    found = asked(database, rule, ByBelonging(Belonging.EVENTS))
    assert_exact(found, people, rule, lambda p: [e for e in EVENTS if p.times(e)])
    for event in (*EVENTS, "unheard of"):
        for bins in (None, EachValue(), EqualWidth(3), Quantiles(2), Edges((1, 3))):
            found = asked(database, rule, ByEventCount(event, bins, 3))
            assert_exact(found, people, rule, lambda p, event=event: [p.times(event)])
            assert found.absent == (0, 0)


def test_segments_are_groups_too(database: Database, people: list[Person]) -> None:
    for id_, rule in (("pros", "pro = true"), ("buyers", "did buy"), ("nobody", "age > 1000")):
        database.create_segment(SegmentDraft(id_, rule, id_))
    cells = {"pros": RULES["pro = true"], "buyers": RULES["did buy"]}
    for limit in (1, 5):
        found = asked(database, "did buy", ByBelonging(Belonging.SEGMENTS, limit))
        assert_exact(found, people, "did buy", lambda p: [id_ for id_, is_in in cells.items() if is_in(p)])
        assert found.groups[0].value == "buyers"
        assert len(found.groups) == min(limit, 2)


# ------------------------------------------------------------------------------------------------ ranges


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("count", WIDTHS)
@pytest.mark.parametrize("name", NUMBERS)
def test_ranges_hold_every_member_once(
    database: Database, people: list[Person], rule: str, count: int, name: str
) -> None:
    for bins in (EqualWidth(count), Quantiles(count)):
        found = asked(database, rule, ByAttribute(name, bins))
        assert_exact(found, people, rule, cell_of(name))
        assert len(found.groups) <= count
        assert found.other[0] == 0
        assert sum(g.count for g in found.groups) + found.absent[0] == sum(RULES[rule](p) for p in people)
        assert all(group.is_range for group in found.groups)
        ends = [order(group.value) for group in found.groups]
        assert ends == sorted(ends)


def test_whole_numbers_get_ranges_of_one_width() -> None:
    found = groups_of(list(range(10, 31)), EqualWidth(5))
    assert [(g.value, g.high, g.count) for g in found] == [
        (10, 15, 5), (15, 20, 5), (20, 25, 5), (25, 30, 5), (30, 35, 1),
    ]  # fmt: skip
    assert [(g.value, g.high) for g in groups_of([4, 5], EqualWidth(10))] == [(4, 5), (5, 6)]


def test_quantiles_hold_as_many_each_where_values_differ_and_keep_equal_ones_together() -> None:
    assert [g.count for g in groups_of(list(range(100)), Quantiles(4))] == [25, 25, 25, 25]
    found = groups_of([1] * 60 + [2] * 30 + [3] * 10, Quantiles(4))
    assert [(g.value, g.high, g.count) for g in found] == [(1, 2, 60), (2, 4, 40)]


def test_the_ends_of_the_number_line_fit_into_ranges() -> None:
    least, most = -(2**63) + 1, 2**63 - 1
    for bins in (EqualWidth(3), Quantiles(2)):
        found = groups_of([least, 0, most], bins)
        assert sum(g.count for g in found) == 3
        assert found[0].value == least and found[-1].high is None
    big = 1.7976931348623157e308
    for bins in (EqualWidth(3), Quantiles(2)):
        found = groups_of([-big, 0.0, big], bins)
        assert sum(g.count for g in found) == 3
        assert found[-1].high is None


def groups_of(values: list[int] | list[float], bins: Bins) -> tuple[Group, ...]:
    """The groups of an attribute that has these values."""
    is_float = isinstance(values[0], float)
    type_ = ValueType(Kind.FLOAT if is_float else Kind.INT)
    array = np.array(values, dtype=np.float64 if is_float else np.int64)
    with Database.open(None, clock=ManualClock(NOW)) as database:
        keys = Texts.of([f"p{i}" for i in range(len(values))])
        database.write_profiles(ProfileBatch(keys, (Column("x", type_, array),)))
        return asked(database, "everyone", ByAttribute("x", bins)).groups


@pytest.mark.parametrize(
    ("name", "edges"),
    [
        ("age", (0, 5, 10)),
        ("age", (2.5, Decimal("7.5"))),
        ("age", (3,)),
        ("spent", (Decimal("0.05"), 1, 2.125)),
        ("score", (0, Decimal("0.5"), 2, 1e200)),
        ("joined", (Instant(NOW - 100 * DAY), Instant(NOW - 9 * DAY + 1))),
        ("joined", (Date(19_700),)),
        ("born", (Date(7_400), Date(7_600))),
    ],
)
def test_given_edges_cut_the_whole_line(
    database: Database, people: list[Person], name: str, edges: tuple[Cell, ...]
) -> None:
    found = asked(database, "pro = true", ByAttribute(name, Edges(edges)))
    assert [g.value for g in found.groups] == [None, *edges]
    assert [g.high for g in found.groups] == [*edges, None]
    assert found.other == (0, 0)
    if name != "joined" or isinstance(edges[0], Instant):
        assert_exact(found, people, "pro = true", cell_of(name))
    else:
        days = [
            local_date(p.cells["joined"].us, "UTC") for p in people
            if RULES["pro = true"](p) and isinstance(p.cells.get("joined"), Instant)
        ]  # fmt: skip
        assert found.groups[1].count == sum(day >= days_to_date(19_700) for day in days)


# ------------------------------------------------------------------------------------------------ the calendar


@pytest.mark.parametrize("zone", ["UTC", "Europe/Stockholm", "America/Santiago"])
@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("name", ["joined", "born"])
def test_calendar_steps_begin_where_the_calendar_says(
    database: Database, people: list[Person], name: str, step: Step, zone: str
) -> None:
    bins = CalendarSteps(step, zone if name == "joined" else None)
    found = asked(database, "pro = true", ByAttribute(name, bins))
    assert_exact(found, people, "pro = true", cell_of(name))
    for group in found.groups:
        start = local_date(group.value.us, zone) if isinstance(group.value, Instant) else day_of(group.value)
        assert step not in (Step.MONTH, Step.QUARTER, Step.YEAR) or start.day == 1
        assert step is not Step.WEEK or start.weekday() == 0
        assert step is not Step.QUARTER or start.month in (1, 4, 7, 10)
        assert step is not Step.YEAR or start.month == 1
    joined = [(a.high, b.value) for a, b in zip(found.groups, found.groups[1:], strict=False)]
    assert all(high == low for high, low in joined)


def day_of(cell: Cell | None) -> dt.date:
    assert isinstance(cell, Date)
    return days_to_date(cell.days)


def test_a_week_starts_and_a_day_begins_where_the_workspace_says() -> None:
    settings_ = Workspace(default_zone="Asia/Tokyo", week_starts_on=6)
    with Database.open(None, clock=ManualClock(NOW), settings=settings_) as database:
        at = np.array([NOW, NOW + 4 * 3_600_000_000, NOW - 3 * DAY])
        column = Column("joined", ValueType(Kind.INSTANT), at)
        database.write_profiles(ProfileBatch(Texts.of(["a", "b", "c"]), (column,)))
        days = asked(database, "everyone", ByAttribute("joined", CalendarSteps(Step.DAY))).groups
        assert [g.count for g in days] == [1, 0, 0, 1, 1]
        weeks = asked(database, "everyone", ByAttribute("joined", CalendarSteps(Step.WEEK))).groups
        assert isinstance(weeks[0].value, Instant)
        assert local_date(weeks[0].value.us, "Asia/Tokyo").weekday() == 6
        # 2024-03-10 is a Sunday in Tokyo, the first day of the second week; the 11th begins at 15:00 UTC.
        assert [g.count for g in weeks] == [1, 2]


# ------------------------------------------------------------------------------------------------ choices


def test_without_bins_few_numbers_come_one_by_one_and_many_in_ranges(database: Database) -> None:
    few = asked(database, "everyone", ByAttribute("age", limit=50))
    assert not any(g.is_range for g in few.groups) and len(few.groups) > 15
    many = asked(database, "everyone", ByAttribute("age", limit=5))
    assert all(g.is_range for g in many.groups) and len(many.groups) <= 5
    steps = asked(database, "everyone", ByAttribute("joined", limit=12))
    assert all(g.is_range for g in steps.groups) and len(steps.groups) <= 12


def test_share_and_lift_compare_with_everyone(database: Database, people: list[Person]) -> None:
    answer = database.analytics.breakdown("pro = true", [ByAttribute("city", limit=3)])
    pros = [p for p in people if RULES["pro = true"](p)]
    group = answer.breakdowns[0].groups[0]
    assert (answer.size, answer.total) == (len(pros), len(people))
    mine = sum(p.cells.get("city") == group.value for p in pros) / len(pros)
    everyones = sum(p.cells.get("city") == group.value for p in people) / len(people)
    assert answer.share(group) == pytest.approx(mine)
    assert answer.lift(group) == pytest.approx(mine / everyones)
    nobody = database.analytics.breakdown("age > 1000", [ByAttribute("city")])
    assert math.isnan(nobody.share(group))


def test_members_of_several_blocks_are_counted_in_each() -> None:
    count = 140_000
    chance = np.random.default_rng(7)
    ages, floats = chance.integers(0, 90, count), chance.random(count)
    columns = (Column("age", ValueType(Kind.INT), ages), Column("f", ValueType(Kind.FLOAT), floats))
    late = np.arange(count) < 100_000
    columns += (Column("late", ValueType(Kind.BOOL), ages > 50, present=late),)
    with Database.open(None, clock=ManualClock(NOW)) as database:
        database.write_profiles(ProfileBatch(Texts.of([f"p{i}" for i in range(count)]), columns))
        by = [ByAttribute("age", EachValue(), 90), ByAttribute("late"), ByAttribute("f", EqualWidth(4))]
        found = database.analytics.breakdown("age < 45", by).breakdowns
    members = ages < 45
    assert {g.value: g.count for g in found[0].groups} == dict(Counter(ages[members].tolist()))
    assert found[1].absent == (int((members & ~late).sum()), int((~late).sum()))
    assert found[1].groups[0].count == int((members & late).sum())
    assert sum(g.count for g in found[2].groups) == int(members.sum())
    assert found[2].groups[1].total_count == int(
        ((floats >= found[2].groups[1].value) & (floats < found[2].groups[1].high)).sum()
    )


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    "by",
    [
        ByAttribute("city", EqualWidth(3)),
        ByAttribute("age", EqualWidth(0)),
        ByAttribute("age", Quantiles(1_001)),
        ByAttribute("age", Edges(())),
        ByAttribute("age", Edges((3, 3))),
        ByAttribute("age", Edges((Decimal("2.1"), Decimal("2.9")))),
        ByAttribute("age", Edges(("x",))),
        ByAttribute("age", Edges((True,))),
        ByAttribute("age", Edges((math.inf,))),
        ByAttribute("age", Edges((10**30,))),
        ByAttribute("age", CalendarSteps(Step.DAY)),
        ByAttribute("born", Edges((Instant(NOW),))),
        ByAttribute("born", CalendarSteps(Step.DAY, "UTC")),
        ByAttribute("joined", CalendarSteps(Step.DAY, "Mars/Olympus")),
        ByAttribute("age", limit=0),
        ByEventCount("buy", limit=10_001),
    ],
)
def test_what_cannot_be_divided_so_is_refused(database: Database, by: By) -> None:
    with pytest.raises(InvalidArgument):
        asked(database, "everyone", by)


def test_unknown_attributes_points_and_deadlines_end_a_breakdown(database: Database) -> None:
    with pytest.raises(UnknownName):
        asked(database, "everyone", ByAttribute("agee"))
    with pytest.raises(DeadlineExceeded):
        database.analytics.breakdown("everyone", [ByAttribute("age")], need=Need(deadline=Deadline(0.0)))
    with Database.open(None, clock=ManualClock(NOW)) as other:
        column = Column("at", ValueType(Kind.POINT), np.array([[1.0, 2.0]]))
        other.write_profiles(ProfileBatch(Texts.of(["a"]), (column,)))
        with pytest.raises(InvalidArgument, match="point"):
            asked(other, "everyone", ByAttribute("at"))


def test_steps_shorter_than_the_span_allows_are_refused() -> None:
    with Database.open(None, clock=ManualClock(NOW)) as database:
        column = Column("born", ValueType(Kind.DATE), np.array([0, 3_000]))
        database.write_profiles(ProfileBatch(Texts.of(["a", "b"]), (column,)))
        with pytest.raises(InvalidArgument, match="longer"):
            asked(database, "everyone", ByAttribute("born", CalendarSteps(Step.DAY)))
        assert len(asked(database, "everyone", ByAttribute("born", CalendarSteps(Step.YEAR))).groups) == 9
