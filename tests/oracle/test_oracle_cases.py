"""Every sentence of the specification that has a case holds in the oracle."""

from __future__ import annotations

import pytest

from tests.oracle.cases import CASES
from tests.oracle.evaluate import matches, members
from tests.oracle.world import Refused
from tests.oracle.writing import Case


def _sentence(case: Case) -> str:
    return f"{case.rule_number}: {case.title}"


@pytest.mark.parametrize("case", CASES, ids=_sentence)
def test_rule(case: Case) -> None:
    world = case.schema.world(case.changes)
    if case.expected_keys is None:
        with pytest.raises(Refused):
            members(world, case.condition, case.now_us)
    else:
        assert members(world, case.condition, case.now_us) == case.expected_keys
        one_by_one = {key for key in world.profiles if matches(world, case.condition, key, case.now_us)}
        assert one_by_one == case.expected_keys


def test_there_are_enough_cases_and_no_two_have_one_name() -> None:
    assert len(CASES) >= 150
    assert len({_sentence(case) for case in CASES}) == len(CASES)
