"""Conditions as messages: nothing is lost either way, and what cannot be is refused where it stands."""

from __future__ import annotations

import typing

import pytest
from hypothesis import given, settings

from headcount.v1.condition_pb2 import Condition as Wire
from headcount_engine.conditions import tree
from headcount_engine.conditions.text import parse, to_text
from headcount_engine.conditions.tree import AllOf, Condition, Everyone, Not
from headcount_engine.errors import LimitExceeded
from headcount_server.errors import RefusedRule
from headcount_server.wire.conditions import condition_message, condition_of
from tests.conditions.strategies import conditions


@given(condition=conditions())
@settings(max_examples=200, deadline=None)
def test_a_tree_comes_back_from_its_message_as_it_was(condition: Condition) -> None:
    sent = Wire.FromString(condition_message(condition).SerializeToString())
    assert condition_of(sent, "rule.condition") == condition


@given(condition=conditions())
@settings(max_examples=60, deadline=None)
def test_a_message_means_what_its_text_means(condition: Condition) -> None:
    assert condition_message(parse(to_text(condition))) == condition_message(condition)


EXAMPLES = (
    "everyone", "not everyone", "a = 1 and b = 2", "a = 1 or b = 2", "none of (a = 1)", "at least 1 of (a = 1, b = 2)",
    "exactly 1 of (a = 1, b = 2)", "same offer (did x)", 'plan != "pro" when present ignoring case',
    'c in ("x", 1, true, 2024-01-01, 2024-01-01T12:00:00.000001Z)', "age between -1.5 and 1e300", "a exists",
    "a is empty", 'a glob "x*" ignoring accents', 'v = semver "^1.2.3"', "i exactly ()", "size(i) >= 3",
    "a between 1 hours and 2 days ago", 'b anniversary in next 3 days in zone "Europe/Stockholm"',
    'plan has been "x" for less than 3 weeks', "p within 10 km of (59.33, 18.07)", "p within box (1, 170) to (2, -170)",
    'tag "t"', 'channel "c"', 'consent "n"', "known", 'key in ("a", "b")', 'in segment "s"',
    'bucket 0.2 to 0.4 salt "s"', "bottom 10% by x of (y = 1)",
    "did `p*` where a = 1 at most 3 times before 2024-01-01",
    "sum(any event.x where y = 2) not in (1, 2) in last 3 calendar months", "days(p) = 3 last year",
    "did p at least 2 times per calendar month in at least 3 of last 4 periods",
    "first did p from 2024-01-01 to 2024-02-01",
    'last p where kind = "online" has (sku = "x" or not sku exists)',
    "did a then not b where c = 1 within 1 hours matured in last 30 days",
)  # fmt: skip


def test_every_kind_of_node_is_among_the_examples_and_comes_back() -> None:
    seen: set[type] = set()
    for text in EXAMPLES:
        condition = parse(text)
        assert condition_of(condition_message(condition), "rule") == condition
        seen |= {type(node) for node in tree.walk(condition)}
    assert seen == set(typing.get_args(Condition))


def refused(wire: Wire) -> RefusedRule:
    with pytest.raises(RefusedRule) as raised:
        condition_of(wire, "rule.condition")
    return raised.value


def test_what_is_unset_or_unspecified_is_refused_with_its_path() -> None:
    for wire, field in (
        (Wire(), "node"),
        (Wire(not_of={}), "not_of"),
        (Wire(not_of={}, children=[Wire(known={}), Wire(known={})]), "not_of"),
        (Wire(all_of={}), "all_of"),
        (Wire(known={}, children=[Wire(known={})]), "known"),
        (Wire(at_least={"k": 2}, children=[Wire(known={})]), "at_least"),
        (Wire(exists={}), "exists"),
        (
            Wire(compare={"attribute": "a", "operand": {"number": "1"}, "fold": "TEXT_FOLD_NONE"}),
            "compare",
        ),
        (Wire(compare={"attribute": "a", "op": 77, "operand": {"number": "1"}, "fold": 1}), "compare"),
        (Wire(compare={"attribute": "a", "op": 1, "operand": {"number": "1"}}), "compare"),
        (Wire(compare={"attribute": "a", "op": 1, "fold": 1}), "compare"),
        (Wire(in_window={"attribute": "a"}), "in_window"),
        (Wire(in_window={"attribute": "a", "window": {"within_last": {}}}), "in_window"),
        (Wire(in_window={"attribute": "a", "window": {"absolute": {}}}), "in_window"),
        (Wire(within_radius={"attribute": "a", "radius_m": "1"}), "within_radius"),
        (Wire(did={"events": {"name_kind": 1, "name": "x"}}), "did"),
        (Wire(did={"events": {"name_kind": 1}, "count": {"low": 1}}), "did"),
        (Wire(did={"events": {"name": "x"}, "count": {"low": 1}}), "did"),
        (Wire(did={"events": {"name_kind": 3, "name": "x"}, "count": {}}), "did"),
        (Wire(first_time={"events": {"name_kind": 3}}), "first_time"),
        (Wire(last_performed={"events": {"name_kind": 3}}), "last_performed"),
        (Wire(set_match={"attribute": "a", "op": "SET_COMPARISON_ANY_OF"}), "set_match"),
        (Wire(key_in={}), "key_in"),
        (Wire(bucket={"low": "0", "high": "0"}), "bucket"),
    ):
        error = refused(wire)
        assert (error.field, error.cause.path) == (f"rule.condition.{field}", ""), wire


def test_the_innermost_place_is_named() -> None:
    bad = Wire(exists={})
    where = Wire(
        did={"events": {"name_kind": 3, "where": Wire(not_of={}, children=[bad])}, "count": {"low": 1}}
    )
    error = refused(Wire(all_of={}, children=[Wire(known={}), where]))
    assert error.field == "rule.condition.children[1].did.events.where.children[0].exists"
    assert error.cause.path == "1.0"


@pytest.mark.parametrize(
    "number", ["", "1,5", "0x1", "NaN", "1e401", "1e999999", "01", "1" * 401, "0." + "3" * 40]
)
def test_what_is_no_exact_number_is_refused(number: str) -> None:
    literal = {"attribute": "a", "op": 1, "fold": 1, "operand": {"number": number}}
    assert refused(Wire(compare=literal)).field == "rule.condition.compare"
    assert refused(Wire(bucket={"low": number, "high": "1"})).field == "rule.condition.bucket"


@pytest.mark.parametrize("seconds", [1 << 62, -(1 << 62)])
def test_an_instant_that_is_none_is_refused(seconds: int) -> None:
    literal = {"attribute": "a", "op": 1, "fold": 1, "operand": {"instant": {"seconds": seconds}}}
    assert refused(Wire(compare=literal)).field == "rule.condition.compare"


def test_limits_hold_for_trees_as_they_do_for_texts() -> None:
    deep: Condition = Everyone()
    for _ in range(64):
        deep = Not(deep)
    with pytest.raises(LimitExceeded, match="rule_depth"):
        condition_of(condition_message(deep), "rule")
    assert condition_of(condition_message(deep.child), "rule") == deep.child  # type: ignore[union-attr]
    with pytest.raises(LimitExceeded, match="rule_leaves"):
        condition_of(condition_message(AllOf((Everyone(),) * 1_001)), "rule")
    with pytest.raises(LimitExceeded, match="list_values"):
        condition_of(Wire(key_in={"keys": ["k"] * 100_001}), "rule")
    with pytest.raises(LimitExceeded, match="text_bytes"):
        condition_of(Wire(has_tag={"tag": "x" * 65_537}), "rule")


def test_texts_are_composed_as_in_the_text_form() -> None:
    assert condition_of(Wire(has_tag={"tag": "A\u030angstro\u0308m"}), "rule") == tree.HasTag("Ångström")
