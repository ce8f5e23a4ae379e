"""Tweets about the Higgs boson (SNAP): 563,069 retweets, mentions and replies of 304,691 accounts in one week."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from headcount_engine.database import Database
from headcount_server.loading.options import LoadOptions
from tests.real.asking import assert_members
from tests.real.files import database_at, load, parquet_columns

pytestmark = pytest.mark.realdata

MINUTE, HOUR, DAY = 60_000_000, 3_600_000_000, 86_400_000_000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NOW = (dt.datetime(2012, 7, 8, tzinfo=dt.UTC) - EPOCH) // dt.timedelta(microseconds=1)

Tweet = tuple[int, str, int]
"""When, what and at whom."""
Tweets = list[Tweet]


@dataclass(frozen=True, slots=True)
class Store:
    database: Database
    accounts: list[str]
    targeted: dict[str, int]
    tweets: dict[str, Tweets]
    """By account, in the order of the file, which is that of time; only of those who tweeted."""


@pytest.fixture(scope="module")
def store(shared_data: Callable[[str], Path]) -> Store:
    people, path = shared_data("real/higgs/people.csv"), shared_data("real/higgs/events.parquet")
    database = database_at(NOW)
    assert load(database, people, LoadOptions(key="id")) == 304_691
    assert load(database, path, LoadOptions(key="user", time="ts", name_column="event")) == 563_069
    with people.open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = parquet_columns(path)
    tweets: dict[str, Tweets] = {}
    users = cast("list[str]", columns["user"])
    happened = zip(
        cast("list[int]", columns["ts"]),
        cast("list[str]", columns["event"]),
        cast("list[int]", columns["target"]),
        strict=True,
    )
    for user, tweet in zip(users, happened, strict=True):
        tweets.setdefault(user, []).append(tweet)
    targeted = {row["id"]: int(row["targeted"]) for row in rows if row["targeted"]}
    return Store(database, [row["id"] for row in rows], targeted, tweets)


def times(tweets: Tweets, event: str, since: int = 0) -> int:
    return sum(name == event and at >= since for at, name, _ in tweets)


def targets(tweets: Tweets, event: str) -> set[int]:
    return {target for _, name, target in tweets if name == event}


def most_at_one(tweets: Tweets, event: str) -> int:
    """How often the event went to its most frequent target."""
    counts: dict[int, int] = {}
    for _, name, target in tweets:
        if name == event:
            counts[target] = counts.get(target, 0) + 1
    return max(counts.values(), default=0)


def soon(tweets: Tweets, first: str, then: str, within_us: int) -> bool:
    began = None
    for at, name, _ in tweets:
        # A tweet may be both, so it is tested as the second before it stands as the first.
        if name == then and began is not None and at - began <= within_us:
            return True
        if name == first:
            began = at
    return False


def busy_hours(tweets: Tweets, least: int, hours: int) -> int:
    counts = Counter((NOW - at) // HOUR for at, _, _ in tweets)
    return sum(count >= least for hour, count in counts.items() if hour < hours)


RULES: dict[str, Callable[[Tweets], bool]] = {
    "did retweet at least 20 times": lambda h: times(h, "retweet") >= 20,
    "did reply and never did retweet": lambda h: times(h, "reply") > 0 and not times(h, "retweet"),
    "did mention in last 12 hours": lambda h: times(h, "mention", NOW - 12 * HOUR + 1) > 0,
    "did retweet from 2012-07-04T08:00:00Z to 2012-07-04T08:30:00Z": lambda h: any(
        name == "retweet" and 0 <= at - (NOW - 4 * DAY + 8 * HOUR) < 30 * MINUTE for at, name, _ in h
    ),
    "did any event where target = 88": lambda h: any(target == 88 for _, _, target in h),
    "distinct(mention.target) >= 25": lambda h: len(targets(h, "mention")) >= 25,
    "days(any event) >= 7": lambda h: len({at // DAY for at, _, _ in h}) >= 7,
    'days(any event) = 1 in zone "America/Los_Angeles"': lambda h: len({(at - 7 * HOUR) // DAY for at, _, _ in h}) == 1,
    "last(any event.target) = 677": lambda h: h[-1][2] == 677,
    "max(retweet.target) < 100": lambda h: 0 < max(targets(h, "retweet"), default=0) < 100,
    "first did any event in last 6 hours": lambda h: NOW - h[0][0] < 6 * HOUR,
    "did any event at least 2 times per 1 hours in at least 6 of last 96 periods": lambda h: busy_hours(h, 2, 96) >= 6,
    "did mention then reply within 5 minutes": lambda h: soon(h, "mention", "reply", 5 * MINUTE),
    "did reply then reply within 30 seconds": lambda h: soon(h, "reply", "reply", MINUTE // 2),
    "same target (did retweet at least 5 times)": lambda h: most_at_one(h, "retweet") >= 5,
    "same target (did retweet and did mention and did reply)": lambda h: bool(
        targets(h, "retweet") & targets(h, "mention") & targets(h, "reply")
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
def test_accounts_are_found_by_what_they_did(store: Store, rule: str) -> None:
    expected = {account for account, tweets in store.tweets.items() if RULES[rule](tweets)}
    assert expected
    assert_members(store.database, rule, expected, store.accounts)


def test_accounts_that_did_nothing_are_the_others(store: Store) -> None:
    assert store.database.count("never did any event").count == 304_691 - len(store.tweets)


def test_accounts_are_found_by_how_often_they_were_targeted(store: Store) -> None:
    for rule, expected in {
        "targeted > 1000": {key for key, value in store.targeted.items() if value > 1_000},
        "targeted is empty and did retweet at least 10 times": {
            key for key, h in store.tweets.items() if key not in store.targeted and times(h, "retweet") >= 10
        },
        "top 1000 by targeted": sorted(store.targeted, key=lambda key: (-store.targeted[key], key.encode()))[
            :1_000
        ],
        "bottom 100 by targeted": sorted(store.targeted, key=lambda key: (store.targeted[key], key.encode()))[
            :100
        ],
    }.items():
        assert_members(store.database, rule, expected, store.accounts)


def test_sizes_as_of_every_day_add_up(store: Store) -> None:
    """At midnight after each day: those who were active within it, by numpy over the whole file."""
    stamps = np.array([at for tweets in store.tweets.values() for at, _, _ in tweets])
    users = np.repeat(np.arange(len(store.tweets)), [len(tweets) for tweets in store.tweets.values()])
    for day in range(7):
        end = NOW - day * DAY
        active = len(np.unique(users[(stamps > end - DAY) & (stamps <= end)]))
        assert store.database.count("did any event in last 24 hours", at_us=end).count == active
