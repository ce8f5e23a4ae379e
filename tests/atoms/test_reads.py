"""What the clock carries into a span and out of it; what a leaf reads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount_engine.atoms.reads import crossings, matches, reads_of
from headcount_engine.conditions.spans import Moment, Span
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import EventName, NameKind
from headcount_engine.membership.catalogue import NO_SEGMENTS
from tests.membership.keeping import DAY, NOW

SPANS = st.builds(Span, st.integers(-6, 6), st.integers(-6, 6))


@given(SPANS, SPANS)
def test_crossings_are_what_is_in_one_span_and_not_in_the_other(before: Span, after: Span) -> None:
    steps: dict[int, int] = {}
    for span, step in crossings(before, after):
        assert span.first <= span.last and step in (1, -1)
        for at in range(span.first, span.last + 1):
            steps[at] = steps.get(at, 0) + step
    expected = {
        at: (after.first <= at <= after.last) - (before.first <= at <= before.last) for at in range(-7, 8)
    }
    assert {at: step for at, step in steps.items() if step} == {at: s for at, s in expected.items() if s}


@pytest.mark.parametrize(
    ("kind", "text", "name", "is_meant"),
    [
        (NameKind.ANY, "", "buy", True),
        (NameKind.PREFIX, "view", "view item", True),
        (NameKind.PREFIX, "view", "review", False),
        (NameKind.EXACT, "view", "view item", False),
        (NameKind.EXACT, "cafe\u0301", "caf\u00e9", True),
        (NameKind.PREFIX, "cafe\u0301", "caf\u00e9s", True),
    ],
)
def test_names_match_as_they_are_kept(kind: NameKind, text: str, name: str, is_meant: bool) -> None:
    assert matches(EventName(text, kind), name) is is_meant


@pytest.mark.parametrize(
    ("rule", "attributes", "events", "is_of_key"),
    [
        ("age > 3", {"age"}, [], False),
        ('tag "vip"', {"$tags"}, [], False),
        ('plan has been "x" for at least 2 days', {"plan", "$changed.plan"}, [], False),
        ("did buy where n > 3", set(), ["buy"], False),
        ("did a then b within 1 days", set(), ["a", "b"], False),
        ('key in ("a")', set(), [], True),
        ('sample 10% salt "s"', set(), [], True),
        ("same offer (did buy and age > 3)", {"age"}, ["", "buy"], False),
        ('same offer (did buy and key = "a")', set(), ["", "buy"], True),
    ],
)
def test_a_leaf_reads_what_its_answer_hangs_on(
    rule: str, attributes: set[str], events: list[str], is_of_key: bool
) -> None:
    reads = reads_of(parse(rule), NO_SEGMENTS)
    assert reads.attributes == attributes
    assert sorted(name.text for name in reads.events) == events
    assert reads.is_of_key is is_of_key


@pytest.mark.parametrize(
    "rule",
    [
        "did buy in last 2 days",
        "sum(buy.n) > 1 in last 2 days",
        "days(buy) > 1 this week",
        "first did buy in last 2 days",
        "last buy has n = 1",
        "did buy at least 1 times per 7 days in at least 3 of last 4 periods",
        "did buy at least 1 times per calendar month in at least 3 of last 4 periods",
        "did a then not b within 1 days matured in last 9 days",
        "same offer (did buy in last 2 days and never did view this month)",
    ],
)
def test_a_leaf_has_as_many_spans_at_every_moment(rule: str) -> None:
    """Ends are compared one by one between two moments."""
    reads = reads_of(parse(rule), NO_SEGMENTS)
    moments = [Moment(NOW + step * 7 * DAY + step, "Europe/Stockholm", 0, frozenset()) for step in range(60)]
    counts = {len(reads.spans(moment)) for moment in moments}
    assert len(counts) == 1 and counts != {0}
