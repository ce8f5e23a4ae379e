"""Whether every kind of leaf has a benchmark."""

from __future__ import annotations

import typing

from bench.leaf_rules import RULES, types_of
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import (
    Aggregate,
    AttributeLeaf,
    Condition,
    EventLeaf,
    Function,
    Group,
    InWindow,
    ProfileLeaf,
    Same,
    SetMatch,
    SetOp,
    TextMatch,
    TextOp,
    walk,
)
from headcount_engine.conditions.windows import Window

NODES: list[Condition] = [node for each in RULES for node in walk(parse(each.rule))]


def test_every_class_of_leaf_and_same_has_a_rule() -> None:
    wanted = {
        *typing.get_args(AttributeLeaf),
        *typing.get_args(ProfileLeaf),
        *typing.get_args(EventLeaf),
        Same,
    }
    assert wanted - {type(node) for node in NODES} == set()
    assert Same in typing.get_args(Group)


def test_every_aggregate_text_operator_and_set_operator_has_a_rule() -> None:
    assert {n.function for n in NODES if isinstance(n, Aggregate)} == set(Function)
    assert {n.op for n in NODES if isinstance(n, TextMatch)} == set(TextOp)
    assert {n.op for n in NODES if isinstance(n, SetMatch)} == set(SetOp)


def test_every_kind_of_window_is_asked_of_an_attribute() -> None:
    assert set(typing.get_args(Window)) - {type(n.window) for n in NODES if isinstance(n, InWindow)} == set()


def test_kinds_are_named_once_and_events_are_of_generated_types() -> None:
    assert len({each.kind for each in RULES}) == len(RULES)
    assert all(types_of(each) for each in RULES if each.events is not None)
