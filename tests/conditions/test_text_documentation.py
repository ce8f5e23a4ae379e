"""docs/rules.md: every example there is a rule, and every operator has one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headcount_engine.conditions import tree as t
from headcount_engine.conditions import windows as w
from headcount_engine.conditions.text import parse, to_text
from headcount_engine.conditions.text.names import FUNCTIONS, KEYWORDS

_PAGE = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
_EXAMPLES = re.findall(r"^```rule\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", _EXAMPLES)
def test_an_example_is_a_rule_and_prints_back_to_itself(example: str) -> None:
    condition = parse(example)
    printed = to_text(condition)
    assert parse(printed) == condition
    assert to_text(parse(printed)) == printed


def test_there_is_an_example_of_every_node_window_and_aggregate() -> None:
    nodes = [node for example in _EXAMPLES for node in t.walk(parse(example))]
    unions = (t.Group, t.AttributeLeaf, t.ProfileLeaf, t.EventLeaf)
    assert {type(node) for node in nodes} == {t.Everyone} | {n for union in unions for n in union.__args__}
    seen_windows = {type(getattr(node, "window", None)) for node in nodes}
    assert seen_windows >= set(w.Window.__args__)
    assert {node.function for node in nodes if isinstance(node, t.Aggregate)} == set(t.Function)
    assert {node.op for node in nodes if isinstance(node, t.TextMatch)} == set(t.TextOp)
    assert {node.op for node in nodes if isinstance(node, t.SetMatch)} == set(t.SetOp)


def test_every_keyword_is_on_the_page() -> None:
    words = set(re.findall(r"[a-z]+", _PAGE.lower()))
    singular_forms_and_plurals = {"time", "period", "second", "minute", "hour", "years", "quarters", "weeks"}
    assert (KEYWORDS.keys() | FUNCTIONS.keys()) - words <= singular_forms_and_plurals
