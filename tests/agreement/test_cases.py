"""Every sentence of the specification that the engine can be asked holds in it."""

from __future__ import annotations

import pytest

from tests.agreement.driving import Driven, assert_agree, one_by_one
from tests.agreement.evaluated import is_evaluated, is_taken
from tests.oracle.cases import CASES
from tests.oracle.writing import Case

ASKED = [case for case in CASES if is_evaluated(case.condition) and all(map(is_taken, case.changes))]


def _sentence(case: Case) -> str:
    return f"{case.rule_number}: {case.title}"


@pytest.mark.parametrize("case", ASKED, ids=_sentence)
def test_rule(case: Case) -> None:
    driven = Driven(case.schema)
    driven.play(case.changes)
    if case.expected_keys is not None:
        assert driven.members(case.condition, case.now_us) == case.expected_keys
    assert_agree(driven, case.schema.world(case.changes), case.condition, case.now_us)


@pytest.mark.parametrize("case", [case for case in ASKED if case.expected_keys is not None], ids=_sentence)
def test_row_by_row(case: Case) -> None:
    driven = Driven(case.schema)
    driven.play(case.changes, one_by_one)
    assert driven.members(case.condition, case.now_us) == case.expected_keys


def test_most_cases_are_asked() -> None:
    assert len(ASKED) >= 150
