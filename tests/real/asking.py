"""A rule beside what plain Python says of each profile, and the engine asked in every way."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from headcount_engine.database import Database
from headcount_engine.model.batches import Texts

ASKED_ONE_BY_ONE = 12
ASKED_TOGETHER = 600


def assert_members(
    database: Database,
    rule: str,
    expected: Collection[str],
    everyone: Sequence[str],
    at_us: int | None = None,
) -> None:
    """The set path gives exactly `expected`, the count agrees, and so does asking for some profiles.

    `everyone`: all keys of the database. Those asked for are spread over members and others alike.
    """
    wanted = set(expected)
    answer = database.members(rule, at_us=at_us)
    found = set(database.keys_of(answer.ids).to_list())
    assert found == wanted, f"{rule}: {sorted(found ^ wanted)[:5]} of {len(found ^ wanted)} differ"
    assert not answer.warnings, rule
    count = database.count(rule, at_us=at_us)
    assert (count.count, count.total) == (len(wanted), len(everyone)), rule
    some = _spread([key for key in everyone if key in wanted], ASKED_TOGETHER // 2)
    some += _spread([key for key in everyone if key not in wanted], ASKED_TOGETHER // 2)
    together = database.check_many(Texts.of(some), [rule], at_us=at_us)
    assert together.is_known.all()
    assert {some[row] for row in np.flatnonzero(together.results[:, 0]).tolist()} == wanted & set(some), rule
    for key in _spread(some, ASKED_ONE_BY_ONE):
        assert database.check(key, [rule], at_us=at_us).results == ((key in wanted),), f"{rule}: {key}"


def _spread(keys: list[str], count: int) -> list[str]:
    """At most `count` of the keys, from all over the list."""
    return keys if len(keys) <= count else [keys[i * len(keys) // count] for i in range(count)]
