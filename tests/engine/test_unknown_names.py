"""A name that nobody has matches nobody, and the answer names the nearest that somebody has."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, events, profiles

NOW = 20_000 * 86_400_000_000


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database.open(None, clock=ManualClock(NOW))
    made.write_profiles(
        profiles(
            ["a", "b"],
            column("$tags", Kind.TEXT_SET, [frozenset({"vip", "new"}), None]),
            column("$channels", Kind.TEXT_SET, [frozenset({"email", "push"}), None]),
            column("$consent.newsletter", Kind.BOOL, [True, None]),
            column("country", Kind.TEXT, ["SE", None]),
        )
    )
    made.write_events(events(["a"], "purchase", [NOW - 1]))
    yield made
    made.close()


UNKNOWN = [
    ('tag "vipp"', "nobody has the tag 'vipp' so far; nearest: 'vip'"),
    ('tag "vipp" and country = "SE"', "nobody has the tag 'vipp' so far; nearest: 'vip'"),
    ('tag "quite another"', "nobody has the tag 'quite another' so far"),
    ('channel "emial"', "nobody has the channel 'emial' so far; nearest: 'email'"),
    (
        'consent "newsleter"',
        "nobody has said anything about the topic 'newsleter' so far; nearest: 'newsletter'",
    ),
    ("did purchas", "nobody has done 'purchas' so far; nearest: 'purchase'"),
]


@pytest.mark.parametrize(("rule", "warning"), UNKNOWN)
def test_a_warning_names_the_nearest(database: Database, rule: str, warning: str) -> None:
    """Only event names had suggestions; tags and channels had no warning at all. Asked again it is the same."""
    for _ in range(3):
        answer = database.count(rule)
        assert (answer.count, answer.warnings) == (0, (warning,))
    assert database.members(rule).warnings == (warning,)
    assert database.explain("a", rule).warnings == (warning,)
    assert database.explain("nobody", rule).warnings == (warning,)


def test_names_that_somebody_has_and_values_of_attributes_are_not_warned_of(database: Database) -> None:
    rules = [
        'tag "vip"',
        'channel "email"',
        'consent "newsletter"',
        "did purchase",
        'country = "SF"',
        'not tag "new"',
    ]
    for rule in rules:
        assert not database.count(rule).warnings and not database.count(rule).warnings


def test_a_tag_that_comes_to_be_is_not_warned_of_any_more(database: Database) -> None:
    assert database.count('tag "gold"').warnings
    database.write_profiles(profiles(["b"], column("$tags", Kind.TEXT_SET, [frozenset({"gold"})])))
    answer = database.count('tag "gold"')
    assert (answer.count, answer.warnings) == (1, ())


def test_a_name_that_only_an_erased_profile_had_is_not_offered(database: Database) -> None:
    database.write_profiles(profiles(["c"], column("$tags", Kind.TEXT_SET, [frozenset({"viper"})])))
    database.erase_profile("c")
    assert all("\u212a" not in warning for warning in database.count('tag "vipers"').warnings)
