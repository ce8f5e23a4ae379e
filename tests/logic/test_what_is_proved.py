"""What must be proved: plain cases that a reader sees at once. And what must not, where one errs easily."""

from __future__ import annotations

import pytest

from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import AllOf, AnyOf, AtLeast, Condition, HasTag, NoneOf
from headcount_engine.logic.relations import Proofs, Relation
from headcount_engine.model.values import Kind, ValueType
from tests.logic.schemas import Declared, Saved, calendar
from tests.oracle.changes import Schema
from tests.oracle.world import Overridden, Segment

SCHEMA = Schema(
    {
        "orders": ValueType(Kind.INT), "age": ValueType(Kind.INT), "price": ValueType(Kind.DECIMAL, 2),
        "ratio": ValueType(Kind.FLOAT), "country": ValueType(Kind.TEXT), "name": ValueType(Kind.TEXT),
        "app": ValueType(Kind.TEXT), "likes": ValueType(Kind.TEXT_SET), "paying": ValueType(Kind.BOOL),
        "joined": ValueType(Kind.INSTANT), "born": ValueType(Kind.DATE), "plan": ValueType(Kind.TEXT),
        "place": ValueType(Kind.POINT),
    },
    {("buy", "amount"): ValueType(Kind.DECIMAL, 2), ("buy", "sku"): ValueType(Kind.TEXT)},
    tracked=frozenset({"plan"}),
)  # fmt: skip


def proofs(*rules: str | Condition, segments: dict[str, Segment] | None = None) -> Proofs:
    read = [parse(rule) if isinstance(rule, str) else rule for rule in rules]
    return Proofs(read, Declared(SCHEMA), Saved(segments or {}), calendar(SCHEMA))


NEVER = (
    "orders > 5 and orders < 3",
    "orders > 5 and orders < 6",
    "price > 1.00 and price < 1.01",
    "age between 1 and 3 and age in (4, 5)",
    "age = 3 and age is empty",
    "age = 3 and not age exists",
    'tag "x" and not tag "x"',
    'country = "SE" and country = "NO"',
    'country = "SE" and country starts with "N"',
    'country = "SE" and not country = "se" ignoring case',
    'country starts with "S" and country starts with "N"',
    'country = "SE" and country matches "^N"',
    "paying != true and paying != false and paying exists",
    'likes all of ("a", "b") and size(likes) = 1',
    'likes exactly ("a") and likes any of ("b")',
    "joined in last 7 days and joined more than 7 days ago",
    "joined in last 7 days and joined in next 7 days",
    "joined yesterday and joined today",
    "joined before 2024-01-01 and joined at or after 2024-01-01",
    "born in last 3 days and born tomorrow",
    "did buy and never did buy",
    "did buy at least 3 times in last 7 days and never did buy in last 30 days",
    "did buy where amount > 5 and never did buy",
    "did buy where (amount > 5 and amount < 3)",
    "did buy where amount > 5 and never did buy where amount > 3",
    "sum(buy.amount) > 5 and sum(buy.amount) < 3",
    "min(buy.amount) > 5 and never did buy",
    "days(buy) >= 3 and did buy at most 2 times",
    "first did buy in last 7 days and never did buy",
    'app >= semver "2.0.0" and app = semver "~1.2.3"',
    'sample 10% salt "s" and bucket 0.5 to 1 salt "s"',
    'plan has been "pro" for at least 7 days and plan has been "pro" for less than 3 days',
    "exactly 2 of (age > 3, age > 5, age > 7) and age > 7",
)

ALWAYS = (
    "age exists or age is empty",
    "age >= 18 or age < 18 or age is empty",
    "age != 3 or age = 3",
    "age not in (1, 2) or age < 5",
    "paying = true or paying = false or paying is empty",
    "did buy or never did buy",
    'not (tag "x" and not tag "x")',
    'likes none of ("a") or size(likes) >= 1',
    "at least 0 of (age > 3, age > 5)",
)

CONTAINED = (
    ("age between 18 and 34", "age >= 18"),
    ('country in ("SE", "NO")', 'country in ("SE", "NO", "DK")'),
    ("did buy in last 7 days", "did buy in last 30 days"),
    ("did buy in last 7 days", "did buy"),
    ("did buy between 3 and 5 days ago", "did buy in last 5 days"),
    ("did buy at least 3 times", "did buy"),
    ("did buy at least 3 times in last 7 days", "did buy at least 2 times in last 30 days"),
    ("did buy where amount > 5", "did buy"),
    ("did buy where amount > 5", "did buy where amount > 3"),
    ('did buy where (amount > 5 and sku = "a")', 'did buy where sku = "a"'),
    ("did buy", "did any event"),
    ("never did any event", "never did buy"),
    ("never did buy in last 30 days", "never did buy in last 7 days"),
    ("did buy this month", "did buy this year"),
    ("did buy today", "did buy in last 3 calendar months"),
    ("first did buy in last 7 days", "did buy in last 7 days"),
    ("did buy then buy within 3 days", "did buy"),
    ("sum(buy.amount) > 5", "sum(buy.amount) >= 3"),
    ("joined in last 7 days", "joined in last 30 days"),
    ("joined today", "joined this month"),
    ("joined after 2024-02-01", "joined after 2024-01-01"),
    ("born in last 7 days", "born in last 30 days"),
    ("born anniversary in next 7 days", "born anniversary in next 30 days"),
    ("age = 3", "age exists"),
    ("age != 3 when present", "age exists"),
    ("age is empty", "age != 3"),
    ("age > 3", "age != 2"),
    ('country = "SE"', 'country starts with "S"'),
    ('country = "SE"', 'country = "se" ignoring case'),
    ('name contains "anna"', 'name contains "ann"'),
    ('name starts with "anna"', 'name contains "nn"'),
    ('name = "ann"', 'name matches "^a"'),
    ('likes all of ("a", "b")', 'likes any of ("b", "c")'),
    ('likes exactly ("a", "b")', 'likes all of ("a")'),
    ('likes = "abc"', 'likes contains "b"'),
    ('app = semver "1.2.3"', 'app >= semver "1.0.0"'),
    ("place within 1 km of (59, 18)", "place within 10 km of (59, 18)"),
    ("top 10 by age", "top 100 by age"),
    ("top 10 by age of (orders > 3)", "orders > 3"),
    ('sample 10% salt "s"', 'sample 20% salt "s"'),
    ('plan has been "pro" for at least 7 days', 'plan = "pro"'),
    ('plan has been "pro" for at least 7 days', 'plan has been "pro" for at least 3 days'),
    ('key in ("a")', 'key in ("a", "b")'),
    ('tag "x" and age > 3', 'tag "x"'),
    ('tag "x"', 'tag "x" or age > 3'),
)

EQUAL = (
    ('not (tag "x" and age > 3)', 'not tag "x" or not age > 3'),
    ('none of (tag "x", age > 3)', 'not tag "x" and not age > 3'),
    ("age > 3", "age >= 4"),
    ("not age > 3", "age <= 3 or age is empty"),
    ("age in (1, 2, 3)", "age between 1 and 3"),
    ("age != 3", "not age = 3"),
    ("ratio >= 0.1 and ratio <= 0.1", "ratio = 0.1"),
    ("at least 1 of (age > 3, age < 1)", "age > 3 or age < 1"),
    ('tag "x" and (tag "y" or tag "z")', '(tag "x" and tag "y") or (tag "x" and tag "z")'),
    ('exactly 1 of (tag "x", tag "y")', '(tag "x" or tag "y") and not (tag "x" and tag "y")'),
    ("did buy in last 7 days", "did buy in last 168 hours"),
    ("never did buy", "not did buy"),
    ("days(buy) >= 1", "did buy"),
    ("joined in last 7 days", "joined between 0 and 7 days ago"),
    ("born today", "born in last 1 days"),
    ("paying != true when present", "paying = false"),
    ("likes is empty", "not size(likes) >= 1"),
)

DISJOINT = (
    ("age < 18", "age >= 18"),
    ('country = "SE"', 'country in ("NO", "DK")'),
    ("joined in last 7 days", "joined between 7 and 14 days ago"),
    ("did buy exactly 2 times", "did buy exactly 3 times"),
    ("did buy", "never did buy where amount > 5 and never did buy"),
    ('sample 10% salt "s"', 'bucket 0.1 to 0.2 salt "s"'),
)

NOT_PROVED = (
    ('likes = "a"', 'likes = "b"'),  # a set can have both
    ("age != 3", "age exists"),  # absent is not 3
    ("did buy in last 30 days", "did buy between 7 and 60 days ago"),
    ("did buy today", "did buy in last 24 hours"),  # a day can have 25
    ("joined this week", "joined this month"),
    ("sum(buy.amount) > 5 in last 7 days", "sum(buy.amount) > 5 in last 30 days"),  # amounts can be negative
    ("did buy where amount > 5", 'did buy where sku = "a"'),
    ('key = "a"', 'key = "b"'),  # one can have been merged into the other
    ('sample 10% salt "s"', 'sample 20% salt "t"'),
    ("top 10 by age", "top 10% by age"),
    ("top 10 by age of (orders > 3)", "top 10 by age"),
    ('same sku (did buy at least 5 times)', 'same sku (did buy at least 3 times)'),
    ('consent "news"', 'consent "offers"'),
    ("joined in last 7 days", "joined after 2024-01-01"),
    ('name contains "a"', 'name contains "b"'),
    ('name starts with "Ann" ignoring case', 'name starts with "ann"'),
)  # fmt: skip


@pytest.mark.parametrize("rule", NEVER)
def test_a_contradiction_is_seen(rule: str) -> None:
    assert proofs(rule).never()
    assert not proofs(rule).always()


@pytest.mark.parametrize("rule", ALWAYS)
def test_what_holds_of_everyone_is_seen(rule: str) -> None:
    assert proofs(rule).always()
    assert not proofs(rule).never()


@pytest.mark.parametrize(("narrow", "wide"), CONTAINED)
def test_what_lies_within_another_is_seen(narrow: str, wide: str) -> None:
    assert proofs(narrow, wide).relation() is Relation.CONTAINED
    assert proofs(wide, narrow).relation() is Relation.CONTAINS


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_what_is_the_same_is_seen(one: str, other: str) -> None:
    assert proofs(one, other).relation() is Relation.EQUAL


@pytest.mark.parametrize(("one", "other"), DISJOINT)
def test_what_excludes_each_other_is_seen(one: str, other: str) -> None:
    assert proofs(one, other).relation() is Relation.DISJOINT


@pytest.mark.parametrize(("one", "other"), NOT_PROVED)
def test_what_depends_on_the_data_is_not_proved(one: str, other: str) -> None:
    assert proofs(one, other).relation() is None


def test_two_numbers_that_are_one_double_do_not_exclude_each_other() -> None:
    apart = "0.1", "0.10000000000000001"
    assert not proofs(f"ratio = {apart[0]} and ratio = {apart[1]}").never()
    assert proofs(f"price = {apart[0]} and price = {apart[1]}").never()


def test_an_attribute_that_nobody_declared_says_nothing() -> None:
    assert proofs('colour = "red" and colour = "blue"').relation(0, 0) is Relation.EQUAL
    assert not proofs('colour = "red" and colour = "blue"').never()


def test_a_segment_is_its_rule() -> None:
    segments: dict[str, Segment] = {
        "adults": parse("age >= 18"),
        "young": parse('in segment "adults" and age < 30'),
    }
    assert (
        proofs('in segment "young"', "age between 18 and 29", segments=segments).relation() is Relation.EQUAL
    )
    assert proofs('in segment "young" and age = 3', segments=segments).never()


def test_lists_are_open() -> None:
    segments: dict[str, Segment] = {"vips": {"a"}, "some": Overridden(parse("age >= 18"))}
    assert proofs('in segment "vips"', 'in segment "vips"', segments=segments).relation() is Relation.EQUAL
    assert proofs('in segment "some"', "age >= 18", segments=segments).relation() is None
    assert not proofs('in segment "some" and age < 3', segments=segments).never()


def test_rules_that_are_too_large_are_not_proved() -> None:
    many = AllOf(tuple(HasTag(f"t{i}") for i in range(500)))
    assert proofs(many, many).relation() is None
    assert not proofs(many).never()


def test_a_search_ends_after_its_steps() -> None:
    """Ten pigeons in nine holes: true, and beyond any search of this kind."""
    homes = [[HasTag(f"{pigeon} {hole}") for hole in range(9)] for pigeon in range(10)]
    shared = [AtLeast(2, tuple(home[hole] for home in homes)) for hole in range(9)]
    assert not proofs(AllOf((*(AnyOf(tuple(home)) for home in homes), NoneOf(tuple(shared))))).never()
