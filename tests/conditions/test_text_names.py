"""Quoting names, and suggesting what a misspelt one may have meant."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount_engine.conditions.text import transform
from headcount_engine.conditions.text.names import (
    FUNCTIONS,
    KEYWORDS,
    RESERVED,
    edit_distance,
    quote_name,
    suggest,
)
from headcount_engine.conditions.text.parse import _load


def _slow_distance(a: str, b: str) -> int:
    """Optimal string alignment, as the textbook has it."""
    rows = [[i + j if 0 in (i, j) else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            best = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]))
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                best = min(best, rows[i - 2][j - 2] + 1)
            rows[i][j] = best
    return rows[-1][-1]


_SHORT = st.text("abc", max_size=8)


@given(_SHORT, _SHORT, st.integers(0, 4))
def test_the_distance_is_exact_up_to_its_bound(a: str, b: str, bound: int) -> None:
    exact, quick = _slow_distance(a, b), edit_distance(a, b, bound)
    assert quick == exact if exact <= bound else quick > bound


@pytest.mark.parametrize(
    ("typed", "candidates", "expected"),
    [
        ("contry", ["country", "county", "city", "currency"], ["country", "county"]),
        ("Country", ["country", "age"], ["country"]),
        ("lifetme_vlaue", ["lifetime_value", "last_visit"], ["lifetime_value"]),
        ("ab", ["xy", "cd"], []),
        ("age", ["name", "email"], []),
    ],
)
def test_the_nearest_names_are_suggested(typed: str, candidates: list[str], expected: list[str]) -> None:
    assert suggest(typed, candidates) == expected


@given(_SHORT, st.lists(_SHORT, max_size=30, unique=True))
def test_suggestions_are_the_nearest_ones_in_order(name: str, candidates: list[str]) -> None:
    bound = 1 if len(name) <= 4 else 2
    near = [
        (d, c) for c in candidates if (d := _slow_distance(name, c)) <= bound and d < max(len(name), len(c))
    ]
    assert suggest(name, candidates) == [c for _, c in sorted(near)[:3]]


def test_ten_thousand_like_names_are_searched_in_a_moment() -> None:
    names = [f"attribute_{i * 97 % 1_000_000:06}" for i in range(10_000)]
    start = time.process_time()
    assert len(suggest("attribute_12345", names)) == 3
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("name", "quoted"),
    [("age", "age"), ("größe", "größe"), ("a.b", "a.b"), ("$x", "$x"), ("_", "_"), ("นามสกุล", "นามสกุล"),
     ("2fa", "`2fa`"), ("a b", "`a b`"), ("key", "`key`"), ("Key", "`Key`"), ("a`b", "`a\\`b`"), ('a"b', '`a"b`'),
     ("a\\b", "`a\\\\b`"), ("a\nb", "`a\\nb`"), ("context.x", "`context.x`"), (".a", "`.a`"), ("a-b", "`a-b`")],
)  # fmt: skip
def test_names_are_quoted_where_they_must_be(name: str, quoted: str) -> None:
    assert quote_name(name) == quoted


def test_keywords_and_grammar_agree() -> None:
    terminals = {symbol.name for rule in _load().rules for symbol in rule.expansion if symbol.is_term}
    supplied = {"LPAR", "RPAR", "COMMA", "PERCENT"}
    unseen = set(KEYWORDS.values()) - terminals
    assert unseen == {"ZONE"}, "`in zone` is joined by the lexer; all others stand in the grammar"
    words_of_grammar = {name for name in terminals if not name.startswith("_")} - supplied
    assert words_of_grammar <= set(KEYWORDS.values()) | set(FUNCTIONS.values()) | {
        "NAME", "QUOTED", "STRING", "NUMBER", "INSTANT", "DATE", "LIST", "TARGET", "OP", "IN_ZONE"
    }  # fmt: skip
    assert KEYWORDS.keys() >= RESERVED


def test_every_alias_of_the_grammar_has_its_function() -> None:
    known = vars(transform.actions())
    for rule in _load().rules:
        name = rule.alias or rule.options.template_source or rule.origin.name
        if not name.startswith("_") and not (rule.options.expand1 and rule.alias is None):
            assert name in known, name
