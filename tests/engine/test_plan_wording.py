"""The steps of a plan say their tests as users write them: what they say, asked again, is the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.answers import PlanStep
from headcount_engine.model.instants import parse_instant
from headcount_engine.model.values import Date, Instant, Kind, ValueType
from tests.agreement.columns import column, profiles

NOW = parse_instant("2024-03-10T12:00:00Z").us
HOUR, DAY = 3_600_000_000, 86_400_000_000
COUNT = 60
LEAVES = {
    'country = "SE"': 'country = "SE"',
    'country in ("SE", "NO")': None,
    'country = "se" ignoring case': 'country = "se" ignoring case',
    'country contains "E"': 'country contains "E"',
    'country = "nowhere"': "country is what nobody has",
    "country is empty": "country is not empty",
    "vip = true": "vip = true",
    "vip = false": "vip = false",
    "age > 30": "age >= 31",
    "age <= 30": "age <= 30",
    "age = 30": "age = 30",
    "age between 18 and 30": "age between 18 and 30",
    "age in (18, 20, 30)": "age in (18, 20, 30)",
    "age in (1, 2, 3, 4, 5, 6, 7)": "age in (1, 2, 3, 4, 5) and 2 more",
    "age exists": "age exists",
    "spent > 10.5": "spent >= 10.51",
    "spent = 10.5": "spent = 10.5",
    "score > 0.1": "score > 0.1",
    "score >= 0.1": "score >= 0.1",
    "score < 0.3": "score < 0.3",
    "score between 0.1 and 0.3": "score between 0.1 and 0.3",
    "born before 2000-01-05": "born before 2000-01-05",
    "born from 2000-01-05 to 2000-02-01": "born from 2000-01-05 to 2000-02-01",
    "joined in last 1 hours": "joined from 2024-03-10T11:00:00.000001Z to 2024-03-10T12:00:00.000001Z",
    "joined before 2024-03-09": "joined before 2024-03-09T00:00:00Z",
    "joined at or after 2024-03-09": "joined at or after 2024-03-09T00:00:00Z",
    'tag "new"': 'tag "new"',
    'channel "email"': 'channel "email"',
    'interests all of ("cars", "golf")': 'interests all of ("cars", "golf")',
    'interests exactly ("cars")': 'interests exactly ("cars")',
    "size(interests) >= 2": "size(interests) >= 2",
    'version >= semver "1.2.0"': 'version >= semver "1.2.0"',
}
"""By a leaf, how its one step says it; None where it has a step for each value."""


@pytest.fixture(scope="module")
def crowd() -> Iterator[Database]:
    database = Database.open(None, clock=ManualClock(NOW))
    rows = range(COUNT)
    sets = [frozenset(("cars", "golf", "food")[: i % 4]) for i in rows]
    database.write_profiles(
        profiles(
            [f"p{i}" for i in rows],
            column("country", Kind.TEXT, [("SE", "NO", "DE", "", None)[i % 5] for i in rows]),
            column("vip", Kind.BOOL, [(True, False, None)[i % 3] for i in rows]),
            column("age", Kind.INT, list(rows)),
            column("spent", ValueType(Kind.DECIMAL, 2), [Decimal(i) / 4 for i in rows]),
            column("score", Kind.FLOAT, [i / 10 for i in rows]),
            column("born", Kind.DATE, [Date(10_957 + i) for i in rows]),
            column("joined", Kind.INSTANT, [Instant(NOW - i * HOUR) for i in rows]),
            column("interests", Kind.TEXT_SET, sets),
            column("$tags", Kind.TEXT_SET, [frozenset({"new"}) if i % 2 else None for i in rows]),
            column("$channels", Kind.TEXT_SET, [frozenset({"email"}) if i % 7 else None for i in rows]),
            column("version", Kind.TEXT, [f"1.{i}.0" for i in rows]),
        )
    )
    yield database
    database.close()


def said(step: PlanStep) -> list[str]:
    """What the leaves of a plan say after how they are found."""
    if step.children:
        return [text for child in step.children for text in said(child)]
    return [re.sub(r"^(without )?(bitmap|scan) ", "", step.text)]


@pytest.mark.parametrize(("leaf", "wording"), LEAVES.items(), ids=list(LEAVES))
def test_a_step_says_its_test_as_users_write_it(crowd: Database, leaf: str, wording: str | None) -> None:
    """Plans printed codes and the ends of int64: `country = 2`, `age 31..9223372036854775807`."""
    found = said(crowd.describe(leaf))
    if wording is not None:
        assert found == [wording]
    if wording is None or not wording.endswith(("nobody has", "more")):
        again = crowd.count(" or ".join(found)).count
        assert crowd.count(leaf).count in (again, COUNT - again)
