"""DuckDB: tables in memory, events sorted by time (zone maps skip what is older), texts as ENUM."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import assert_never

import duckdb

from bench.asked import WEEK_FROM_US, Asked, Frequent, Leaves, MoneyRange, SamePage
from bench.data import Data
from bench.peers.base import Peer
from bench.tiers import NOW_US, Tier

_WEEK = f"time > {WEEK_FROM_US} and time <= {NOW_US}"


class DuckDb(Peer):
    version = f"DuckDB {duckdb.__version__}"

    def __init__(self, data: Data, tier: Tier) -> None:
        super().__init__(data, tier)
        self._connection = duckdb.connect(config={"threads": os.cpu_count() or 1})
        for name in ("country", "plan", "device", "loyalty_tier"):
            self._enum(name, str(data.files.profiles), name)
        self._enum("page", str(data.files.events), "page")
        self._connection.execute(
            "create table profiles as select cast(substr(key, 2) as uinteger) id, cast(country as country) country,"
            " cast(plan as plan) plan, subscribed, cast(device as device) device, cast(loyalty_tier as loyalty_tier)"
            " loyalty_tier, cast(age as smallint) age, cast(lifetime_value * 100 as integer) lifetime_value"
            f" from read_parquet('{data.files.profiles}')"
        )
        self._connection.execute(
            "create table events as select cast(substr(key, 2) as uinteger) profile, cast(page as page) page,"
            f" epoch_us(time) as time from read_parquet('{data.files.events}') order by time"
        )

    def _enum(self, type_: str, path: str, column: str) -> None:
        self._connection.execute(
            f"create type {type_} as enum"
            f" (select distinct {column} from read_parquet('{path}') where {column} is not null)"
        )

    def ask(self, question: Asked) -> Callable[[], int] | None:
        sql = _sql(question)

        def call() -> int:
            row = self._connection.execute(sql).fetchone()
            assert row is not None
            return int(row[0])

        return call

    def form(self, question: Asked) -> str:
        return (
            "table in memory, sorted by time"
            if isinstance(question, Frequent | SamePage)
            else "table in memory"
        )

    def close(self) -> None:
        self._connection.close()


def _sql(question: Asked) -> str:
    match question:
        case Leaves(countries, plan, tiers, not_device, age):
            last = (
                f"loyalty_tier in {_listed(tiers)}" if age is None else f"age between {age[0]} and {age[1]}"
            )
            return (
                f"select count(*) from profiles where country in {_listed(countries)} and plan = '{plan}'"
                f" and subscribed and device is distinct from '{not_device}' and {last}"
            )
        case MoneyRange(low, high):
            return f"select count(*) from profiles where lifetime_value between {low * 100} and {high * 100}"
        case Frequent(times, page):
            where = _WEEK if page is None else f"{_WEEK} and page = '{page}'"
            return (
                f"select count(*) from (select profile from events where {where} group by profile"
                f" having count(*) >= {times})"
            )
        case SamePage(times):
            return (
                f"select count(distinct profile) from (select profile from events where {_WEEK}"
                f" group by profile, page having count(*) >= {times})"
            )
        case _:
            assert_never(question)


def _listed(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{v}'" for v in values) + ")"
