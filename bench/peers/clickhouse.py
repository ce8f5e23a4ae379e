"""ClickHouse, in process as chdb: MergeTree tables, events ordered by time, texts as LowCardinality.

For boolean rules also its bitmaps: one groupBitmap state per value, combined by bitmapAnd and its like; the faster form
is reported. Times include what chdb takes to hand over a query and its answer.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from typing import assert_never

import chdb
from chdb.session import Session

from bench.asked import WEEK_FROM_US, Asked, Frequent, Leaves, MoneyRange, SamePage
from bench.data import Data
from bench.peers.base import Peer, fastest
from bench.tiers import NOW_US, Tier

_WEEK = f"time > {WEEK_FROM_US} and time <= {NOW_US}"


class ClickHouse(Peer):
    version = f"ClickHouse in chdb {chdb.__version__}"

    def __init__(self, data: Data, tier: Tier) -> None:
        super().__init__(data, tier)
        self._folder = tempfile.mkdtemp(prefix="bench-clickhouse-")
        self._session = Session(self._folder)  # type: ignore[no-untyped-call]
        self._run("create database bench")
        self._run(
            "create table bench.profiles (id UInt32, country LowCardinality(Nullable(String)),"
            " plan LowCardinality(Nullable(String)), subscribed Nullable(Bool),"
            " device LowCardinality(Nullable(String)),"
            " loyalty_tier LowCardinality(Nullable(String)), age Nullable(Int16), lifetime_value Nullable(Int32))"
            " engine = MergeTree order by id"
        )
        self._run(
            "insert into bench.profiles select toUInt32(substring(key, 2)), country, plan, subscribed, device,"
            f" loyalty_tier, age, toInt32(lifetime_value * 100) from file('{data.files.profiles}', Parquet)"
        )
        self._run(
            "create table bench.events (profile UInt32, page LowCardinality(String), time Int64)"
            " engine = MergeTree order by time"
        )
        self._run(
            "insert into bench.events select toUInt32(substring(key, 2)), page, toUnixTimestamp64Micro(time)"
            f" from file('{data.files.events}', Parquet)"
        )
        self._run("optimize table bench.events final")
        self._run("optimize table bench.profiles final")
        self._index()
        self._forms: dict[Asked, str] = {}

    def _index(self) -> None:
        """A bitmap per value of the coded attributes, and one of everybody."""
        self._run(
            "create table bench.bitmaps (name String, value String, ids AggregateFunction(groupBitmap, UInt32))"
            " engine = AggregatingMergeTree order by (name, value)"
        )
        for name in ("country", "plan", "subscribed", "device", "loyalty_tier", "age"):
            self._run(
                f"insert into bench.bitmaps select '{name}', toString(assumeNotNull({name})), groupBitmapState(id)"
                f" from bench.profiles where {name} is not null group by {name}"
            )
        self._run("insert into bench.bitmaps select 'everyone', '', groupBitmapState(id) from bench.profiles")
        self._run("optimize table bench.bitmaps final")

    def _run(self, sql: str) -> str:
        return str(self._session.query(sql, "CSV"))  # type: ignore[no-untyped-call]

    def ask(self, question: Asked) -> Callable[[], int] | None:
        settings = f" settings max_threads = {os.cpu_count() or 1}"
        forms = {"table": _sql(question) + settings}
        if isinstance(question, Leaves):
            forms["bitmaps"] = _bitmap_sql(question) + settings
        calls = {name: _call(self._run, sql) for name, sql in forms.items()}
        self._forms[question], call = fastest(calls)
        return call

    def form(self, question: Asked) -> str:
        return self._forms[question]

    def close(self) -> None:
        self._session.close()  # type: ignore[no-untyped-call]
        shutil.rmtree(self._folder, ignore_errors=True)


def _call(run: Callable[[str], str], sql: str) -> Callable[[], int]:
    return lambda: int(run(sql))


def _sql(question: Asked) -> str:
    match question:
        case Leaves(countries, plan, tiers, not_device, age):
            last = (
                f"loyalty_tier in {_listed(tiers)}" if age is None else f"age between {age[0]} and {age[1]}"
            )
            return (
                f"select count() from bench.profiles where country in {_listed(countries)} and plan = '{plan}'"
                f" and subscribed and (device is null or device != '{not_device}') and {last}"
            )
        case MoneyRange(low, high):
            return f"select count() from bench.profiles where lifetime_value between {low * 100} and {high * 100}"
        case Frequent(times, page):
            where = _WEEK if page is None else f"{_WEEK} and page = '{page}'"
            return (
                f"select count() from (select profile from bench.events where {where} group by profile"
                f" having count() >= {times})"
            )
        case SamePage(times):
            return (
                f"select uniqExact(profile) from (select profile from bench.events where {_WEEK}"
                f" group by profile, page having count() >= {times})"
            )
        case _:
            assert_never(question)


def _bitmap_sql(question: Leaves) -> str:
    def any_of(name: str, values: tuple[str, ...]) -> str:
        where = f"name = '{name}' and value in {_listed(values)}"
        return f"(select groupBitmapMergeState(ids) from bench.bitmaps where {where})"

    last = (
        any_of("loyalty_tier", question.tiers)
        if question.age is None
        else any_of("age", tuple(str(a) for a in range(question.age[0], question.age[1] + 1)))
    )
    required = f"bitmapAnd({any_of('plan', (question.plan,))}, {any_of('country', question.countries)})"
    required = f"bitmapAnd({required}, bitmapAnd({any_of('subscribed', ('true',))}, {last}))"
    return f"select bitmapAndnotCardinality({required}, {any_of('device', (question.not_device,))})"


def _listed(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{v}'" for v in values) + ")"
