"""Stack Exchange (statistics): users, their posts and badges over four years, in CSV and Parquet."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from headcount_engine.database import Database
from headcount_engine.model.values import Kind
from headcount_server.loading.options import LoadOptions
from tests.real.asking import assert_members
from tests.real.files import database_at, load, parquet_columns

pytestmark = pytest.mark.realdata

NOW = dt.datetime(2014, 9, 14, 3, tzinfo=dt.UTC)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
HOUR, DAY = 3_600_000_000, 86_400_000_000


def us(text: str) -> int:
    return (dt.datetime.fromisoformat(text) - EPOCH) // dt.timedelta(microseconds=1)


NOW_US = (NOW - EPOCH) // dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class User:
    reputation: int
    created: dt.datetime
    views: int
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Event:
    us: int
    name: str
    score: int | None = None
    view_count: int | None = None
    answer_count: int | None = None
    comment_count: int | None = None
    favorite_count: int | None = None


Events = list[Event]


@dataclass(frozen=True, slots=True)
class Store:
    database: Database
    users: dict[str, User]
    events: dict[str, Events]
    """By user; by time, then arrival: posts were loaded before badges."""


@pytest.fixture(scope="module")
def store(shared_data: Callable[[str], Path]) -> Store:
    users, posts, badges = (shared_data(f"real/stats_se/{name}.csv") for name in ("users", "posts", "badges"))
    database = database_at(NOW_US)
    assert load(database, users, LoadOptions(key="Id")) == 40_325
    assert (
        load(database, posts, LoadOptions(key="user", time="ts", name_column="event", id="event_id"))
        == 90_584
    )
    assert load(database, badges, LoadOptions(key="user", time="ts", event="badge", id="event_id")) == 79_851
    people = {
        row["Id"]: User(
            int(row["Reputation"]), dt.datetime.fromisoformat(row["CreationDate"]), int(row["Views"]),
            int(row["UpVotes"]), int(row["DownVotes"]),
        )
        for row in rows(users)
    }  # fmt: skip
    events: dict[str, Events] = {key: [] for key in people}
    for row in rows(posts):
        numbers = (row[f"{name}_count"] for name in ("view", "answer", "comment", "favorite"))
        counts = [int(text) if text else None for text in (row["score"], *numbers)]
        events[row["user"]].append(Event(us(row["ts"]), row["event"], *counts))
    for row in rows(badges):
        events[row["user"]].append(Event(us(row["ts"]), "badge"))
    for own in events.values():
        own.sort(key=lambda event: event.us)
    return Store(database, people, events)


def rows(path: Path) -> Iterable[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def test_events_known_already_are_not_counted_again(store: Store, shared_data: Callable[[str], Path]) -> None:
    path = shared_data("real/stats_se/badges.csv")
    before = store.database.status().events
    load(store.database, path, LoadOptions(key="user", time="ts", event="badge", id="event_id"))
    assert store.database.status().events == before == 170_435


def new_york(created: dt.datetime) -> dt.datetime:
    return created.astimezone(ZoneInfo("America/New_York"))


USERS: dict[str, Callable[[User], bool]] = {
    "Reputation >= 10000": lambda u: u.reputation >= 10_000,
    "Views = 0": lambda u: u.views == 0,
    "UpVotes > 100 and DownVotes < 10": lambda u: u.up > 100 and u.down < 10,
    "DownVotes between 5 and 15": lambda u: 5 <= u.down <= 15,
    "CreationDate in last 7 days": lambda u: NOW - u.created < dt.timedelta(days=7),
    "CreationDate between 12 hours and 3 days ago": lambda u: (
        dt.timedelta(hours=12) <= NOW - u.created < dt.timedelta(days=3)
    ),
    "CreationDate today": lambda u: u.created.date() == NOW.date(),
    "CreationDate yesterday": lambda u: u.created.date() == dt.date(2014, 9, 13),
    'CreationDate yesterday in zone "America/New_York"': lambda u: new_york(u.created).date() == dt.date(2014, 9, 12),
    "CreationDate last week": lambda u: dt.date(2014, 9, 1) <= u.created.date() < dt.date(2014, 9, 8),
    "CreationDate last month": lambda u: (u.created.year, u.created.month) == (2014, 8),
    "CreationDate in last 4 calendar quarters": lambda u: u.created.date() >= dt.date(2013, 10, 1),
    'CreationDate last year in zone "Asia/Tokyo"': lambda u: (
        u.created.astimezone(ZoneInfo("Asia/Tokyo")).year == 2013
    ),
    "CreationDate anniversary in next 3 days": lambda u: u.created.month == 9 and u.created.day in (15, 16, 17),
    "CreationDate at or after 2014-01-01 and Reputation > 500": lambda u: u.created.year >= 2014 and u.reputation > 500,
}  # fmt: skip


def named(events: Events, name: str) -> Events:
    return [event for event in events if event.name == name]


def posts(events: Events) -> Events:
    return [event for event in events if event.name.startswith("post_")]


def recent(events: Events, days: int) -> Events:
    return [event for event in events if 0 <= NOW_US - event.us < days * DAY]


def days_in(events: Events, zone: str) -> set[dt.date]:
    return {
        (EPOCH + dt.timedelta(microseconds=event.us)).astimezone(ZoneInfo(zone)).date() for event in events
    }


def answered_soon(events: Events, within_us: int) -> bool:
    asked = None
    for event in events:
        if event.name == "post_question":
            asked = event.us
        elif event.name == "post_answer" and asked is not None and event.us - asked <= within_us:
            return True
    return False


def months_of_2014(events: Events) -> set[int]:
    days = (EPOCH + dt.timedelta(microseconds=event.us) for event in events if NOW_US - event.us < 300 * DAY)
    return {day.month for day in days if day.year == 2014}


def mean(numbers: list[int]) -> Fraction:
    return Fraction(sum(numbers), len(numbers)) if numbers else Fraction(0)


def went_quiet(events: Events, days: int) -> bool:
    """Whether a question was followed by nothing for so many days, which are over."""
    following = None
    for event in reversed(events):
        is_question = event.name == "post_question"
        is_over = event.us + days * DAY <= NOW_US
        if is_question and is_over and (following is None or following - event.us > days * DAY):
            return True
        following = event.us
    return False


EVENTS: dict[str, Callable[[Events], bool]] = {
    "did badge at least 10 times": lambda h: len(named(h, "badge")) >= 10,
    "never did any event": lambda h: not h,
    "did any event in last 7 days": lambda h: bool(recent(h, 7)),
    "did `post_*` more than 100 times": lambda h: len(posts(h)) > 100,
    "did post_question where view_count > 10000": lambda h: any((e.view_count or 0) > 10_000 for e in h),
    "did post_question where favorite_count does not exist and score >= 5": lambda h: any(
        e.favorite_count is None and (e.score or 0) >= 5 for e in named(h, "post_question")
    ),
    "did post_answer at least 5 times where score = 0 in last 365 days": lambda h: (
        sum(e.score == 0 for e in recent(named(h, "post_answer"), 365)) >= 5
    ),
    "sum(post_answer.score) >= 100": lambda h: sum(e.score or 0 for e in named(h, "post_answer")) >= 100,
    "sum(`post_*`.comment_count) = 7": lambda h: sum(e.comment_count or 0 for e in posts(h)) == 7,
    "avg(post_question.view_count) > 900": lambda h: mean([e.view_count for e in h if e.view_count is not None]) > 900,
    "min(post_answer.score) < -2": lambda h: min((e.score or 0 for e in named(h, "post_answer")), default=0) < -2,
    "max(post_question.favorite_count) >= 20": lambda h: max((e.favorite_count or 0 for e in h), default=0) >= 20,
    "distinct(`post_*`.score) >= 10": lambda h: len({e.score for e in posts(h)}) >= 10,
    "last post_answer has score < 0": lambda h: any((e.score or 0) < 0 for e in named(h, "post_answer")[-1:]),
    "last post_question where view_count >= 100 has answer_count = 0": lambda h: any(
        e.answer_count == 0 for e in [e for e in named(h, "post_question") if (e.view_count or 0) >= 100][-1:]
    ),
    "first(post_question.answer_count) >= 5": lambda h: any(
        (e.answer_count or 0) >= 5 for e in named(h, "post_question")[:1]
    ),
    'days(`post_*`) >= 50 in zone "America/New_York"': lambda h: len(days_in(posts(h), "America/New_York")) >= 50,
    "days(any event) = 3 in last 30 days": lambda h: len(days_in(recent(h, 30), "UTC")) == 3,
    "did `post_*` at least 1 times per calendar month in at least 7 of last 8 periods": lambda h: (
        len(months_of_2014(posts(h)) & set(range(1, 9))) >= 7
    ),
    "did `post_*` at least 3 times per 7 days in at least 4 of last 4 periods": lambda h: all(
        sum((NOW_US - e.us) // (7 * DAY) == period for e in posts(h)) >= 3 for period in range(4)
    ),
    "first did `post_*` this year": lambda h: any(e.us >= us("2014-01-01T00:00:00Z") for e in posts(h)[:1]),
    "did post_question then post_answer within 1 hours": lambda h: answered_soon(h, HOUR),
    "did post_question then not any event within 365 days matured": lambda h: went_quiet(h, 365),
    "same score (did post_question and did post_answer at least 20 times)": lambda h: any(
        sum(e.score == score for e in named(h, "post_answer")) >= 20
        for score in {e.score for e in named(h, "post_question")}
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", USERS)
def test_users_are_found_by_what_they_are(store: Store, rule: str) -> None:
    expected = {key for key, user in store.users.items() if USERS[rule](user)}
    assert 0 < len(expected) < len(store.users), "a rule that tells users apart"
    assert_members(store.database, rule, expected, list(store.users))


@pytest.mark.parametrize("rule", EVENTS)
def test_users_are_found_by_what_they_did(store: Store, rule: str) -> None:
    expected = {key for key, events in store.events.items() if EVENTS[rule](events)}
    assert 0 < len(expected) < len(store.users), "a rule that tells users apart"
    assert_members(store.database, rule, expected, list(store.users))


POSTS: dict[str, Callable[[dict[str, int | None]], bool]] = {
    "ViewCount does not exist": lambda p: p["ViewCount"] is None,
    "ViewCount >= 20000": lambda p: (p["ViewCount"] or 0) >= 20_000,
    "not FavoriteCount > 3": lambda p: (p["FavoriteCount"] or 0) <= 3,
    "PostTypeId = 1 and AnswerCount = 0": lambda p: p["PostTypeId"] == 1 and p["AnswerCount"] == 0,
    "Score < -3": lambda p: (p["Score"] or 0) < -3,
    "LastEditorUserId = 930 or OwnerUserId = 930": lambda p: 930 in (p["LastEditorUserId"], p["OwnerUserId"]),
    "OwnerUserId does not exist and LastEditorUserId exists": lambda p: (
        p["OwnerUserId"] is None and p["LastEditorUserId"] is not None
    ),
    "CommentCount in (10, 20, 30)": lambda p: p["CommentCount"] in (10, 20, 30),
    "exactly 2 of (Score > 10, ViewCount > 1000, AnswerCount > 3)": lambda p: (
        ((p["Score"] or 0) > 10) + ((p["ViewCount"] or 0) > 1000) + ((p["AnswerCount"] or 0) > 3) == 2
    ),
    "CreationDate in last 30 days": lambda p: 0 <= NOW_US - (p["CreationDate"] or 0) < 30 * DAY,
}


def test_posts_as_profiles_are_where_plain_python_has_them(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("real/stats_se/posts_as_profiles.parquet")
    database = database_at(NOW_US)
    assert load(database, path, LoadOptions(key="Id")) == 91_976
    kinds = {a.name: a.type.kind for a in database.schema().attributes}
    assert kinds.pop("CreationDate") is Kind.INSTANT and set(kinds.values()) == {Kind.INT}
    columns = parquet_columns(path)
    keys = cast("list[str]", columns.pop("Id"))
    numbers = cast("dict[str, list[int | None]]", columns)
    found: dict[str, dict[str, int | None]] = {
        key: dict(zip(numbers, values, strict=True))
        for key, values in zip(keys, zip(*numbers.values(), strict=True), strict=True)
    }
    for rule, holds in POSTS.items():
        expected = {key for key, post in found.items() if holds(post)}
        assert expected, rule
        assert_members(database, rule, expected, keys)


def test_badges_as_profiles_are_counted_by_their_owner(shared_data: Callable[[str], Path]) -> None:
    path = shared_data("real/stats_se/badges_as_profiles.parquet")
    database = database_at(NOW_US)
    assert load(database, path, LoadOptions(key="Id")) == 79_851
    columns = parquet_columns(path)
    owners: dict[int, set[str]] = defaultdict(set)
    for key, owner in zip(
        cast("list[str]", columns["Id"]), cast("list[int]", columns["UserId"]), strict=True
    ):
        owners[owner].add(key)
    everyone = cast("list[str]", columns["Id"])
    for owner in (5, 8, sorted(owners)[-1]):
        assert_members(database, f"UserId = {owner}", owners[owner], everyone)
    several = set().union(*(owners[owner] for owner in (5, 6, 8, 23)))
    assert_members(database, "UserId in (5, 6, 8, 23, 99999999)", several, everyone)
