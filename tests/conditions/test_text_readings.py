"""What a rule means where it could be read in two ways, and the one form in which sugar prints."""

from __future__ import annotations

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from headcount_engine.conditions import tree as t
from headcount_engine.conditions import windows as w
from headcount_engine.conditions.text import parse, to_text
from headcount_engine.errors import InvalidRule
from headcount_engine.model.values import Date, Instant, Number, Text


def eq(name: str, value: int) -> t.Compare:
    return t.Compare(name, t.Op.EQ, Number(value))


X = t.EventName("x")
DAYS_7 = w.Duration(7, w.Unit.DAYS)
WEEK = w.WithinLast(DAYS_7)

# What is typed, and what is printed; parsing either gives the same tree.
PRINTED = [
    ("DID purchase AT LEAST 2 TIMES", "did purchase at least 2 times"),
    ("did x in last 7 days where a = 1 at least 2 times", "did x at least 2 times where a = 1 in last 7 days"),
    ("did x once", "did x exactly 1 times"),
    ("did x at least 1 time in last 1 day", "did x in last 1 days"),
    ("did x more than 2 times", "did x at least 3 times"),
    ("did x less than 3 times", "did x at most 2 times"),
    ("did x exactly 0 times", "never did x"),
    ("count(x where a = 1) >= 2 in last 7 days", "did x at least 2 times where a = 1 in last 7 days"),
    ("count(x) = 0", "never did x"),
    ("count(x) != 2", "not did x exactly 2 times"),
    ("days(x) > 2", "days(x) >= 3"),
    ("days(x) != 0", "not days(x) = 0"),
    ("did `*`", "did any event"),
    ("did `p\\*`", "did `p\\*`"),
    ("did `p\\\\*`", "did `p\\\\*`"),
    ("a < 2024-01-01", "a before 2024-01-01"),
    ("a >= 2024-01-01T01:00:00+01:00", "a at or after 2024-01-01T00:00:00Z"),
    ("not email exists", "email does not exist"),
    ("not a between 1 and 2", "a not between 1 and 2"),
    ('not name contains "x" ignoring case', 'name does not contain "x" ignoring case'),
    ('not key = "a"', 'key != "a"'),
    ('key in ("a")', 'key = "a"'),
    ('not in segment "a"', 'not in segment "a"'),
    ("not (a = 1)", "not a = 1"),
    ("not (a = 1 and b = 2)", "not (a = 1 and b = 2)"),
    ("a = 1 and b = 2 or c = 3", "(a = 1 and b = 2) or c = 3"),
    ("(a = 1 and b = 2) and c = 3", "(a = 1 and b = 2) and c = 3"),
    ("all of (a = 1, b = 2)", "a = 1 and b = 2"),
    ("any of (a = 1)", "any of (a = 1)"),
    ("a = 1.50 and b = 1e2 and c = -0", "a = 1.5 and b = 100 and c = 0"),
    ("a = TRUE", "a = true"),
    ('bucket 0 to 0.125 salt "s"', 'sample 12.5% salt "s"'),
    ("l within 1500 m of (1, 2.50)", "l within 1.5 km of (1, 2.5)"),
    ("l within 0.5 km of (1, 2)", "l within 500 m of (1, 2)"),
    ("`plan` = 1", "plan = 1"),
    ("size = 1", "`size` = 1"),
    ("sum(first.last) > 1", "sum(first.last) > 1"),
    ("sum(`a.b`.c.d) > 1", "sum(`a.b`.c.d) > 1"),
    ("sum(a.b.c) > 1", "sum(a.b.c) > 1"),
    ("did x where a = 1 and b = 2", "did x where a = 1 and b = 2"),
    ("did x where a = 1 and b = 2 in last 7 days", "did x where (a = 1 and b = 2) in last 7 days"),
    ("did x where a = 1 and did y", "(did x where a = 1) and did y"),
    ("did y and did x where a = 1", "did y and did x where a = 1"),
    ("did x where a = 1 in last 7 days and b = 2", "did x where a = 1 in last 7 days and b = 2"),
    ("did x where ts in last 7 days in last 3 days", "did x where (ts in last 7 days) in last 3 days"),
    ('a = "\\u0061\\u200b"', 'a = "a\\u200b"'),
    ("a = 1 # why\n and b = 2", "a = 1 and b = 2"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "printed"), PRINTED)
def test_a_rule_prints_in_one_form(typed: str, printed: str) -> None:
    assert to_text(parse(typed)) == printed
    assert parse(printed) == parse(typed)


def test_where_takes_the_longest_chain_that_it_can() -> None:
    where = t.AllOf((eq("a", 1), t.Not(eq("b", 2))))
    assert parse("did x where a = 1 and not b = 2") == t.Did(t.Events(X, where))
    assert parse("did x where a = 1 or b = 2 and c = 3") == t.Did(
        t.Events(X, t.AnyOf((eq("a", 1), t.AllOf((eq("b", 2), eq("c", 3))))))
    )


@pytest.mark.parametrize(
    "behind",
    ["did y", "never did y", "not did y", 'tag "v"', 'in segment "s"', 'not in segment "s"', "known",
     "(b = 2 or known)", "at least 1 of (b = 2, did y)", "exactly 1 of (b = 2, did y)", "none of (did y)",
     "sum(y.z) > 1", "last y has b = 1", 'plan has been "p" for at least 1 days', 'key = "k"', "top 1 by b",
     "(b = 2 and (c = 3 or did y where d = 4))"],
)  # fmt: skip
def test_where_ends_before_what_only_a_profile_can_satisfy(behind: str) -> None:
    for word, group in (("and", t.AllOf), ("or", t.AnyOf)):
        read = parse(f"did x where a = 1 {word} {behind}")
        assert read == group((t.Did(t.Events(X, eq("a", 1))), parse(behind)))


def test_where_goes_on_into_groups_of_properties() -> None:
    inner = t.AllOf((eq("a", 1), t.AtLeast(1, (eq("b", 2), t.AnyOf((eq("c", 3), eq("d", 4)))))))
    read = parse("did x where a = 1 and at least 1 of (b = 2, (c = 3 or d = 4)) at least 2 times")
    assert read == t.Did(t.Events(X, inner), t.CountRange(2, None))


def test_a_window_belongs_to_the_innermost_leaf_that_can_take_it() -> None:
    assert parse("did x where a = 1 in last 7 days") == t.Did(t.Events(X, eq("a", 1)), window=WEEK)
    assert parse("did x where a in last 7 days") == t.Did(t.Events(X, t.InWindow("a", WEEK)))
    sequence = parse("did x then x where a = 1 within 7 days in last 7 days")
    assert sequence == t.Sequence(t.Events(X), t.Events(X, eq("a", 1)), DAYS_7, window=WEEK)


def test_one_zone_serves_the_days_and_their_calendar_window() -> None:
    read = parse('days(x) >= 3 this week in zone "Asia/Tokyo"')
    assert isinstance(read, t.ActiveDays)
    assert read.zone == "Asia/Tokyo"
    assert read.window == w.Calendar(w.Shift.THIS, w.CalendarUnit.WEEK, "Asia/Tokyo")
    with pytest.raises(InvalidRule):
        t.ActiveDays(t.Events(X), t.AT_LEAST_ONCE, w.Calendar(w.Shift.THIS, w.CalendarUnit.WEEK, "UTC"))


def test_last_has_takes_one_condition() -> None:
    assert parse("last x has a = 1 and b = 2") == t.AllOf(
        (t.LastPerformed(t.Events(X), eq("a", 1)), eq("b", 2))
    )


def test_moments_of_attributes_are_comparisons_and_of_events_windows() -> None:
    day = Date(19_723)
    assert parse("a before 2024-01-01") == t.Compare("a", t.Op.LT, day)
    assert parse("did x before 2024-01-01") == t.Did(t.Events(X), window=w.Absolute(None, day))
    assert parse("max(x.at) before 2024-01-01 before 2024-01-01") == t.Aggregate(
        t.Function.MAX, t.Events(X), "at", t.CompareTest(t.Op.LT, day), w.Absolute(None, day)
    )
    assert parse("a at or after 2024-01-01T00:00:00Z") == t.Compare(
        "a", t.Op.GE, Instant(1_704_067_200_000_000)
    )


def test_more_than_n_days_ago_has_no_far_end() -> None:
    assert parse("a more than 7 days ago") == t.InWindow("a", w.Ago(DAYS_7, None))
    assert parse("did x more than 7 days ago") == t.Did(t.Events(X), window=w.Ago(DAYS_7, None))


def test_numbers_are_exact() -> None:
    assert parse("a = 9007199254740993") == eq("a", 2**53 + 1)
    assert parse("a = 0.1") == t.Compare("a", t.Op.EQ, Number(Decimal("0.1")))
    assert parse("a in (0.1, 9007199254740993)") == t.In("a", (Number(Decimal("0.1")), Number(2**53 + 1)))


def test_names_and_texts_are_nfc() -> None:
    apart = unicodedata.normalize("NFD", "Åsa")
    assert parse(f'{apart} = "{apart}"') == t.Compare("Åsa", t.Op.EQ, Text("Åsa"))
    assert parse(f'`{apart} x` in ("{apart}")') == t.In("Åsa x", (Text("Åsa"),))
    assert parse(f'a in ("{apart}", 2024-01-01)') == t.In("a", (Text("Åsa"), Date(19_723)))


def test_a_word_is_a_name_where_it_can_be_nothing_else() -> None:
    assert parse("did period at least 2 times") == t.Did(
        t.Events(t.EventName("period")), t.CountRange(2, None)
    )
    assert parse("days = 1 and min = 2 and count = 3") == t.AllOf(
        (eq("days", 1), eq("min", 2), eq("count", 3))
    )


def test_rules_are_read_alike_on_many_threads() -> None:
    rules = [f"did x at least {i} times where a = {i} and b{i} = 1" for i in range(200)]
    alone = [parse(rule) for rule in rules]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(parse, rules)) == alone
