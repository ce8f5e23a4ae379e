"""Text -> tree -> text is stable, and tree -> text -> tree is the identity, for every node there is."""

from __future__ import annotations

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from headcount_engine.conditions import tree as t
from headcount_engine.conditions.text import parse, parse_event_condition, to_text
from headcount_engine.conditions.text.names import FUNCTIONS, KEYWORDS
from headcount_engine.errors import InvalidRule, LimitExceeded
from tests.conditions.strategies import conditions, event_conditions


@settings(max_examples=300, deadline=None)
@given(conditions(max_leaves=8))
def test_every_tree_reads_back_from_its_text(condition: t.Condition) -> None:
    text = to_text(condition)
    assert parse(text) == condition
    assert to_text(parse(text)) == text


@settings(max_examples=150, deadline=None)
@given(event_conditions(max_leaves=6))
def test_every_condition_on_an_event_reads_back_from_its_text(condition: t.Condition) -> None:
    assert parse_event_condition(to_text(condition)) == condition


def test_the_strategies_give_every_kind_of_node() -> None:
    seen: set[type] = set()

    @seed(1)
    @settings(max_examples=400, deadline=None, database=None, phases=[Phase.generate])
    @given(conditions(max_leaves=8))
    def look(condition: t.Condition) -> None:
        seen.update(type(node) for node in t.walk(condition))

    look()
    unions = (t.Group, t.AttributeLeaf, t.ProfileLeaf, t.EventLeaf)
    assert seen == {t.Everyone} | {node for union in unions for node in union.__args__}


_WORDS = st.sampled_from(
    [*KEYWORDS, *FUNCTIONS, "(", ")", ",", "=", "!=", ">", "%", '"a"', "1", "2024-01-01", "2024-01-01T00:00:00Z", "a",
     "b", "x.y", "`c d`", "`p*`", '("a", "b")', "(1, 2)", "()", "0.5", "\n", "# c\n", "-", ".", "`", '"', "å"]
)  # fmt: skip


def _only_refused(text: str) -> None:
    refusal: InvalidRule | None = None
    try:
        condition = parse(text)
    except LimitExceeded:
        return
    except InvalidRule as error:
        refusal = error
    if refusal is None:
        assert parse(to_text(condition)) == condition
    else:
        assert refusal.line >= 1
        assert refusal.column >= 1
        assert refusal.message


@settings(max_examples=500, deadline=None)
@given(st.lists(_WORDS, max_size=12).map(" ".join))
def test_words_in_any_order_are_a_rule_or_refused_with_their_place(text: str) -> None:
    _only_refused(text)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(), max_size=40))
def test_any_characters_are_a_rule_or_refused_with_their_place(text: str) -> None:
    _only_refused(text)


@settings(max_examples=300, deadline=None)
@given(conditions(max_leaves=3).map(to_text), st.data())
def test_a_rule_with_a_piece_cut_out_or_doubled_is_a_rule_or_refused(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 8)))
    _only_refused(text[:start] + text[end:])
    _only_refused(text[:end] + text[start:])
