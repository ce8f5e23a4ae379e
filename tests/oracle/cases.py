"""The specification as cases: `CASES` can be run against any evaluator."""

from __future__ import annotations

from tests.oracle import cases_attributes, cases_events, cases_people, cases_time
from tests.oracle.writing import Case

CASES: list[Case] = [*cases_attributes.CASES, *cases_time.CASES, *cases_events.CASES, *cases_people.CASES]
