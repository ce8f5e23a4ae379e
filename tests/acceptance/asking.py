"""Who is in, by every way that a client has of asking; and short ways of writing down what people did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from headcount import Client, Event, Rule
from headcount.rows import CellInput

NOW = dt.datetime(2024, 6, 15, 12, tzinfo=dt.UTC)


def ago(days: float = 0, hours: float = 0) -> dt.datetime:
    return NOW - dt.timedelta(days=days, hours=hours)


def who(headcount: Client, rule: str | Rule) -> str:
    """The keys of the members in order, with blanks between; the list, the count and the checks agree on them."""
    everyone = [profile.key for profile in headcount.list_profiles()]
    listed = [profile.key for profile in headcount.list_profiles(rule)]
    found = headcount.count(rule)
    assert (found.count, found.total) == (len(listed), len(everyone))
    table = headcount.check_many(everyone, rules=[rule])
    together = [key for row, key in enumerate(everyone) if table.is_member(row)]
    alone = [key for key in everyone if headcount.check(key, rules=[rule])]
    assert sorted(listed) == sorted(together) == sorted(alone)
    return " ".join(sorted(listed))


def who_at(headcount: Client, rule: str | Rule, at: dt.datetime) -> str:
    """As `who`, at another instant."""
    everyone = sorted(profile.key for profile in headcount.list_profiles())
    table = headcount.check_many(everyone, rules=[rule], at=at)
    found = [key for row, key in enumerate(everyone) if table.is_member(row)]
    assert headcount.count(rule, at=at).count == len(found)
    return " ".join(found)


def did(headcount: Client, name: str, key: str, /, *when: dt.datetime, **properties: CellInput) -> None:
    """One event at each of the instants."""
    receipt = headcount.track(Event(name, key, time, "", properties) for time in when)
    assert receipt.accepted_rows == len(when)


def people(headcount: Client, **attributes: Iterable[tuple[str, CellInput]]) -> None:
    """`people(headcount, plan=[("ann", "pro"), ("bo", None)])`: an attribute for each of these people."""
    for name, given in attributes.items():
        rows = [{"key": key, name: value} for key, value in given]
        assert headcount.upsert_profiles(rows).accepted_rows == len(rows)
