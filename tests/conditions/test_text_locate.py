"""What binding refuses by name is found again in the rule: line and column, and the way from the root."""

from __future__ import annotations

import pytest

from headcount_engine import Database
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.text.locate import locate
from headcount_engine.errors import InvalidRule, ReferenceCycle, UnknownName
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.schema import AttributeDefinition, PropertyDefinition
from headcount_engine.model.values import ValueType


@pytest.fixture(scope="module")
def database() -> Database:
    made = Database.open(None)
    kinds = {"age": "int", "plan": "text", "born": "date", "größe": "int"}
    made.declare_attributes(
        [AttributeDefinition(name, ValueType.parse(kind)) for name, kind in kinds.items()]
    )
    made.declare_properties([PropertyDefinition("buy", "sku", ValueType.parse("text"))])
    made.create_segment(SegmentDraft("Known", "age > 1", "known-ones"))
    return made


@pytest.mark.parametrize(
    ("text", "line", "column", "path"),
    [
        ("colour = 1", 1, 1, ""),
        ("age > 1 and\n  (plan = \"x\" or not\n colour = 1)", 3, 2, "1.1.0"),
        ("did colour and colour = 1", 1, 16, "1"),
        ("did age then not colour within 1 days and `colour` = 1", 1, 43, "1"),
        ('age > 1 and in segment "nobody"', 1, 24, "1"),
        ('plan = "nobody" and in segment "nobody"', 1, 32, "1"),
        ('größe > 1 and ago = "x"', 1, 15, "1"),
        ('größe > 1 and age = "old"', 1, 15, "1"),
        ("sum(buy.sku) > 1", 1, 5, ""),
        ('at least 1 of (age = 1, plan within 3 km of (1, 2))', 1, 25, "1"),
        ('age = 1 and plan = semver "x.y"', 1, 27, "1"),
        ("top 3 by age of (age > 1 and colour exists)", 1, 30, "0.1"),
    ],
)  # fmt: skip
def test_a_refused_name_is_found(database: Database, text: str, line: int, column: int, path: str) -> None:
    for rule in (text, parse(text)):
        with pytest.raises(InvalidRule) as raised:
            database.count(rule)
        assert raised.value.line == 0
        found = locate(raised.value, rule)
        assert found is raised.value
        expected = (line, column, path) if isinstance(rule, str) else (0, 0, path)
        assert (found.line, found.column, found.path) == expected


def test_what_is_known_already_stays_and_what_is_not_there_is_not_made_up() -> None:
    assert locate(UnknownName("attribute", "x").at(3, 4), "x = 1").column == 4
    elsewhere = locate(UnknownName("attribute", "x"), 'in segment "s"')
    assert (elsewhere.line, elsewhere.column, elsewhere.path) == (0, 0, "")
    assert locate(UnknownName("attribute", "x"), "x = = 1").line == 0
    assert locate(InvalidRule("`between a and b` needs a <= b"), "age between 1 and 2").line == 0


def test_a_circle_is_found_where_it_is_entered() -> None:
    assert locate(ReferenceCycle(["A", "b", "A"]), 'age = 1 and in segment "b"').column == 24
