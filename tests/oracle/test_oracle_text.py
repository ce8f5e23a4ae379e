"""What a condition says in words, it means: printing it and reading it back changes no answer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from headcount_engine.conditions.text import parse, to_text
from headcount_engine.conditions.tree import Condition
from tests.oracle.cases import CASES
from tests.oracle.evaluate import members
from tests.oracle.strategies import Scene, questions
from tests.oracle.writing import Case

_ANSWERED = [case for case in CASES if case.expected_keys is not None]


@pytest.mark.parametrize("case", _ANSWERED, ids=lambda case: f"{case.rule_number}: {case.title}")
def test_a_case_holds_for_its_text_too(case: Case) -> None:
    world = case.schema.world(case.changes)
    found = members(world, parse(to_text(case.condition)), case.now_us)
    assert frozenset(found) == case.expected_keys


@given(questions(profiles_max=12))
@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
def test_a_random_condition_means_what_its_text_says(question: tuple[Scene, Condition]) -> None:
    scene, condition = question
    world = scene.world
    again = parse(to_text(condition))
    assert members(world, again, scene.now_us) == members(world, condition, scene.now_us)
    assert parse(to_text(again)) == again
