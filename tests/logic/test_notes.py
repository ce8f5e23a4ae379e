"""What is said of a rule to whoever writes it, and that nothing is said, nor looked at, where there is nothing."""

from __future__ import annotations

import pytest

from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import Condition
from headcount_engine.logic import notes
from headcount_engine.logic.notes import Notes, akin
from tests.logic.schemas import Declared, Saved, calendar
from tests.logic.test_what_is_proved import SCHEMA
from tests.oracle.world import Segment

SEGMENTS: dict[str, Segment] = {"adults": parse("age >= 18"), "list": {"a"}}


def said(rule: str) -> tuple[str, ...]:
    return Notes(Declared(SCHEMA)).of(parse(rule), Saved(SEGMENTS), 1, calendar(SCHEMA))


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        (
            "orders > 5 and orders < 3",
            "this rule can never match: `orders > 5` and `orders < 3` exclude each other",
        ),
        (
            'plan = "pro" and (age > 3 or age > 5) and age < 2',
            "this rule can never match: `age > 3 or age > 5` and `age < 2` exclude each other",
        ),
        (
            "(age > 5 or orders > 5) and age < 3 and orders < 3",
            "this rule can never match: `age > 5 or orders > 5`, `age < 3` and `orders < 3` exclude each other",
        ),
        (
            'plan = "pro" and (age > 5 and age < 3)',
            "this rule can never match: `age > 5 and age < 3` never does",
        ),
        ('(age > 5 and age < 3) or (tag "x" and not tag "x")', "this rule can never match"),
        ("age exists or age is empty", "this rule matches everyone, whatever the data"),
        ("age > 18 and age > 21", "`age > 18` (at 0) changes nothing here and could be left out"),
        ("age > 18 or age > 21", "`age > 21` (at 1) changes nothing here and could be left out"),
        (
            'tag "x" or (plan = "pro" and (age > 21 and age > 18))',
            "`age > 18` (at 1.1.1) changes nothing here and could be left out",
        ),
        ('tag "x" and tag "x"', '`tag "x"` (at 1) changes nothing here and could be left out'),
        (
            "did buy and did buy in last 7 days",
            "`did buy` (at 0) changes nothing here and could be left out",
        ),
        ('plan = "pro" and everyone', "`everyone` (at 1) changes nothing here and could be left out"),
        (
            'tag "x" or (age > 5 and age < 3)',
            "`age > 5 and age < 3` (at 1) changes nothing here and could be left out",
        ),
        (
            'in segment "adults" and age > 17',
            "`age > 17` (at 1) changes nothing here and could be left out",
        ),
        ("not (age > 18 and age > 21)", "`age > 18` (at 0.0) changes nothing here and could be left out"),
        ("none of (age > 18, age > 21)", "`age > 21` (at 1) changes nothing here and could be left out"),
    ],
)
def test_what_is_said_of_a_rule(rule: str, note: str) -> None:
    assert said(rule) == (note,)


@pytest.mark.parametrize(
    "rule",
    [
        "everyone",
        "age > 18",
        "age > 18 and age < 65",
        'age > 18 or orders > 3 or tag "x"',
        'country = "SE" or country = "NO"',
        'tag "x" and not tag "y"',
        "did buy in last 30 days and never did buy in last 7 days",
        "did buy at least 3 times and did buy in last 7 days",
        "at least 2 of (age > 18, age > 21, orders > 3)",
        'in segment "list" and age > 18',
        "same sku (did buy and did buy)",
    ],
)
def test_nothing_is_said_of_a_rule_in_order(rule: str) -> None:
    assert said(rule) == ()


@pytest.mark.parametrize(
    ("rule", "is_worth"),
    [
        ('plan = "pro" and age > 18 and orders > 3 and tag "x" and did buy', False),
        ("age > 18 and age > 21", True),
        ("did buy and did buy in last 7 days", True),
        ("did buy where (amount > 5 and amount < 3)", True),
        ('in segment "adults" and orders > 3', False),
        ('in segment "adults" and age > 3', True),
        ('tag "x" and tag "y"', False),
        ('sample 10% salt "s" and bucket 0.5 to 1 salt "s"', True),
    ],
)
def test_only_rules_that_speak_twice_of_one_thing_are_looked_at(rule: str, is_worth: bool) -> None:
    assert bool(akin(parse(rule), Saved(SEGMENTS))) is is_worth


def test_a_rule_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Condition] = []
    look = notes.notes

    def counted(rule: Condition, *rest: object) -> tuple[str, ...]:
        looked.append(rule)
        return look(rule, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(notes, "notes", counted)
    kept = Notes(Declared(SCHEMA))
    for revision in (1, 1, 2):
        assert kept.of(parse("age > 1 and age > 2"), Saved(SEGMENTS), revision, calendar(SCHEMA))
    assert len(looked) == 2, "once for each state of the segments"
