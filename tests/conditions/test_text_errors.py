"""A rule that cannot be read is refused with its place, what was expected, and what may have been meant."""

from __future__ import annotations

import time

import pytest

from headcount_engine.conditions.text import parse, to_text
from headcount_engine.errors import InvalidRule, LimitExceeded
from headcount_engine.limits import Limits

# (rule, line, column, a part of the message)
REFUSED = [
    ("", 1, 1, "the rule is empty"),
    ("# nothing\n", 2, 1, "the rule is empty"),
    ("age", 1, 4, "a test"),
    ("age >", 1, 6, "a number"),
    ("age > >", 1, 7, "unexpected `>`"),
    ("a = 1 and\n  b = = 2", 2, 7, "unexpected `=`"),
    ('a in (\n1,\n"x",\n2) and and b = 1', 4, 8, "a condition"),
    ("a = 1 b = 2", 1, 7, "joined by `and` or `or`"),
    ("a = 1)", 1, 6, "closes nothing"),
    ("(a = 1", 1, 7, "`)` is expected"),
    ("did sum of", 1, 9, "unexpected `of`"),
    ("top 5 by key", 1, 10, "takes backticks: `key`"),
    ("did x at least 1 times per 0 days in at least 1 of last 1 periods", 1, 1, "more than zero"),
    ("dit purchase", 1, 1, "did you mean `did`?"),
    ("did purchase at leest 2 times", 1, 17, "did you mean `least`?"),
    ("did purchase in last 30 dyas", 1, 25, "did you mean `days`?"),
    ('name contians "a"', 1, 6, "did you mean `contains`"),
    ("age betwen 1 and 2", 1, 5, "did you mean `between`?"),
    ('channel = "web"', 1, 1, "takes backticks: `channel`"),
    ('did x where tag = "a"', 1, 13, "takes backticks: `tag`"),
    ("plan = 'pro'", 1, 8, "double quotes"),
    ('plan == "pro"', 1, 6, "write `=`"),
    ("a <> 1", 1, 3, "write `!=`"),
    ("a = 1 && b = 2", 1, 7, "write `and`"),
    ("a = 007", 1, 5, "not a number"),
    ("a = 1.", 1, 5, "not a number"),
    ("a = 1e999", 1, 5, "range of doubles"),
    ("a in (1, 1e999)", 1, 6, "range of doubles"),
    ("a = NaN", 1, 5, "a number"),
    ("a = null", 1, 5, "a number"),
    ('a = "x\ny"', 1, 5, "closing quote"),
    ('a = "\\x"', 1, 5, "escapes of JSON"),
    ('a = "\\ud800"', 1, 5, "escapes are those of JSON"),
    ('a = "\ud800"', 1, 6, "surrogate"),
    ('a in ("b", "\\ud800")', 1, 6, "surrogate"),
    ("`a = 1", 1, 1, "closing backtick"),
    ("`` = 1", 1, 1, "cannot be empty"),
    ("a\u200bb = 1", 1, 1, "backticks"),
    ("a in ()", 1, 6, "at least one value"),
    ("a in (1, 2", 1, 11, "comma or ends"),
    ("a in (1,)", 1, 9, "after the comma"),
    ("a in (1, b)", 1, 10, "a list holds"),
    ("interests any of (1)", 1, 18, "texts in double quotes"),
    ("a between 3 and 1", 1, 11, "a <= b"),
    ("a between 2024-01-02 and 2024-01-01", 1, 11, "a <= b"),
    ("a between 1 and 2024-01-01", 1, 17, "a number"),
    ('a between "a" and "b"', 1, 11, "a number"),
    ('a matches "x" ignoring accents', 1, 11, "cannot ignore accents"),
    ("a = 1 ignoring case", 1, 5, "goes with texts"),
    ('a = "x" when present', 1, 1, "negative comparison"),
    ('a != "x" when present when present', 1, 6, "twice"),
    ("a in last 0 days", 1, 11, "more than zero"),
    ("a in last 3 months", 1, 13, "calendar months"),
    ("a in last 1.5 days", 1, 11, "whole number"),
    ("a between 60 and 30 days ago", 1, 11, "a < b"),
    ("a from 2024-02-01 to 2024-01-01", 1, 8, "a before b"),
    ("a before 2024-01-01T00:00:00", 1, 10, "Z or an offset"),
    ("a before 2024-02-30", 1, 10, "no such day"),
    ("a = 0001-01-01T00:00:00+14:00", 1, 5, "years 1 to 9999"),
    ('a today in zone "Mars/Base"', 1, 17, "unknown time zone"),
    ('a in last 3 days in zone "UTC"', 1, 26, "calendar windows"),
    ("a anniversary in next 2 weeks", 1, 25, "counted in days"),
    ("did x in next 3 days", 1, 1, "future"),
    ("did x tomorrow", 1, 1, "future"),
    ("did x after 2024-01-01", 1, 13, "at or after"),
    ("did x in last 3 days in last 4 days", 1, 1, "given twice"),
    ("did x where a = 1 at least 2 times where b = 1", 1, 1, "given twice"),
    ("never did x at least 2 times", 1, 1, "does not go with"),
    ("did x fewer than 0 times", 1, 18, "fewer than 0"),
    ("did x between 5 and 2 times", 1, 15, "0 <= a <= b"),
    ("did x at least 99999999999999999999 times", 1, 16, "cannot be counted"),
    ("did x at least 1 times per 7 days", 1, 1, "go together"),
    ("did x in at least 3 of last 2 periods at least 1 times per 7 days", 1, 1, "0 <= m <= n"),
    ("first did x", 1, 1, "needs a window"),
    ("did a in last 3 days then b within 3 days", 1, 1, "does not go with"),
    ("did a then b within 3 days matured", 1, 1, "then not"),
    ('did x where tag "vip"', 1, 13, "only the event's properties"),
    ("did x where (a = 1 and did y)", 1, 20, "inside `where`"),
    ('did x where plan has been "a" for at least 1 days', 1, 7, "events do not change"),
    ("last purchase has did x", 1, 19, "only the event's properties"),
    ("sum(purchase) > 3", 1, 5, "event.property"),
    ("sum(purchase.) > 3", 1, 14, "after the dot"),
    ("same a (same b (did x))", 1, 1, "inside another"),
    ("at least 3 of (a = 1, b = 2)", 1, 10, "can never hold"),
    ("location within 10 km of (99, 0)", 1, 26, "latitude"),
    ("location within 10 km of (1, 2, 3)", 1, 26, "a point is"),
    ("location within box (10, 0) to (5, 1)", 1, 21, "south below its north"),
    ('sample 0% salt "x"', 1, 8, "more than 0%"),
    ("sample 10%", 1, 11, "`salt` is expected"),
    ('bucket 0.4 to 0.2 salt "x"', 1, 8, "low < high"),
    ("top 0 by x", 1, 5, "at least 1"),
    ('key > "a"', 1, 5, "keys are compared"),
    ("any devices (a = 1)", 1, 1, "reserved for later"),
    ("b = 1 and not any account (a = 1)", 1, 15, "reserved for later"),
    ("context.weather = 1", 1, 1, "reserved for later"),
]


@pytest.mark.parametrize(("rule", "line", "column", "message"), REFUSED)
def test_a_refusal_names_its_place(rule: str, line: int, column: int, message: str) -> None:
    with pytest.raises(InvalidRule) as refusal:
        parse(rule)
    assert message in refusal.value.message
    assert (refusal.value.line, refusal.value.column) == (line, column)


def test_what_is_expected_is_listed_in_the_words_of_the_language() -> None:
    with pytest.raises(InvalidRule) as refusal:
        parse("did purchase at least 2")
    assert refusal.value.expected == ("`of`", "`times`") or refusal.value.expected == ("`times`",)
    with pytest.raises(InvalidRule) as refusal:
        parse("in segment vip")
    assert refusal.value.expected == ("a text in double quotes",)


def _nested(depth: int, opening: str, closing: str = ")") -> str:
    return opening * depth + "a = 1" + closing * depth


@pytest.mark.parametrize("depth", [65, 101, 10_000, 100_000])
@pytest.mark.parametrize(
    "opening", ["(", "not (", "none of (", "(b = 1 or ", "did x where (", "top 1 by x of (", "same x ("]
)
def test_deep_nesting_is_refused_without_recursion(depth: int, opening: str) -> None:
    with pytest.raises((InvalidRule, LimitExceeded)):
        parse(_nested(depth, opening))
    with pytest.raises((InvalidRule, LimitExceeded)):
        parse(opening * depth)


@pytest.mark.parametrize("depth", [64, 65, 10_000, 500_000])
def test_a_row_of_nots_is_refused_without_recursion(depth: int) -> None:
    with pytest.raises(LimitExceeded) as refusal:
        parse("not " * depth + "a = 1")
    assert refusal.value.limit == "rule_depth"


def test_what_the_limits_allow_is_read_and_printed() -> None:
    deep = _nested(31, "not none of (b = 1, ")
    assert to_text(parse(deep)) == deep
    wide = " and ".join(f"a{i} = {i}" for i in range(1_000))
    assert to_text(parse(wide)) == wide


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (" and ".join(["a = 1"] * 1_001), "rule_leaves"),
        (" and ".join(["a = 1"] * 100_000), "rule_leaves"),
        (f"none of ({', '.join(['a = 1'] * 100_000)})", "rule_leaves"),
        (f"a in ({', '.join(['1'] * 100_001)})", "list_values"),
        (f"a in ({', '.join(['2024-01-01'] * 100_001)})", "list_values"),
        ("interests any of (" + ", ".join(['"x"'] * 100_001) + ")", "list_values"),
        ("a = 1" + " " * (4 << 20), "rule_text_bytes"),
        ('a = "' + "å" * (3 << 20) + '"', "rule_text_bytes"),
        ('a = "' + "x" * 65_537 + '"', "text_bytes"),
        ('a in ("b", "' + "x" * 65_537 + '")', "text_bytes"),
        ("x" * 257 + " = 1", "name_bytes"),
        ("did `" + "å" * 129 + "`", "name_bytes"),
        ('a matches "' + "x" * 1_001 + '"', "pattern_bytes"),
        ("a " * 1_000_000, "rule_leaves"),
    ],
)
def test_a_rule_past_a_limit_is_refused_with_its_name(rule: str, limit: str) -> None:
    with pytest.raises(LimitExceeded) as refusal:
        parse(rule)
    assert refusal.value.limit == limit


def test_limits_are_those_that_are_given() -> None:
    assert parse("(a = 1 or b = 2) and c = 3", Limits(rule_leaves=3))
    with pytest.raises(LimitExceeded):
        parse("(a = 1 or b = 2) and c = 3", Limits(rule_leaves=2))


@pytest.mark.parametrize("value", ['"v{}"', '"å{}"', "{}", "{}.25"])
def test_a_list_of_100_000_values_is_read_in_well_under_two_seconds(value: str) -> None:
    rule = f"a in ({', '.join(value.format(i) for i in range(100_000))})"
    parse("a = 1")
    start = time.process_time()
    condition = parse(rule)
    assert time.process_time() - start < 2
    assert to_text(condition) == rule


@pytest.mark.parametrize(
    "rule",
    ['"' * 4_000_000, 'a = "' + "\\" * 4_000_000, "`" + "\\" * 4_000_000, "#\n" * 2_000_000, "(" * 4_000_000,
     "a in (" + '"x",' * 90_000, "-" * 4_000_000, "a = " + "9" * 4_000_000, "a." * 2_000_000],
)  # fmt: skip
def test_megabytes_of_nonsense_are_refused_in_linear_time(rule: str) -> None:
    start = time.process_time()
    with pytest.raises((InvalidRule, LimitExceeded)):
        parse(rule)
    assert time.process_time() - start < 5
