"""Polars: frames in memory, lazy queries, texts as Enum, events sorted by time and cut by binary search.

Both of its engines are tried and the faster one is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

import polars as pl

from bench.asked import WEEK_FROM_US, Asked, Frequent, Leaves, MoneyRange, SamePage
from bench.data import Data
from bench.peers.base import Peer, fastest
from bench.tiers import NOW_US, Tier


class Polars(Peer):
    version = f"Polars {pl.__version__}"

    def __init__(self, data: Data, tier: Tier) -> None:
        super().__init__(data, tier)
        profiles = pl.read_parquet(
            data.files.profiles,
            columns=["country", "plan", "subscribed", "device", "loyalty_tier", "age", "lifetime_value"],
        ).with_columns(pl.col("age").cast(pl.Int16), (pl.col("lifetime_value") * 100).cast(pl.Int32))
        texts = ("country", "plan", "device", "loyalty_tier")
        self._profiles = profiles.with_columns(pl.col(t).cast(_enum_of(profiles[t])) for t in texts)
        events = pl.read_parquet(data.files.events, columns=["key", "page", "time"])
        self._events = (
            events.select(
                pl.col("key").str.slice(1).cast(pl.UInt32).alias("profile"),
                pl.col("page").cast(_enum_of(events["page"])),
                pl.col("time").dt.epoch("us"),
            )
            .sort("time")
            .rechunk()
        )
        self._forms: dict[Asked, str] = {}

    def ask(self, question: Asked) -> Callable[[], int] | None:
        def collected(engine: str) -> Callable[[], int]:
            return lambda: int(self._query(question).collect(engine=engine).item())  # type: ignore[call-overload]

        self._forms[question], call = fastest({e: collected(e) for e in ("in-memory", "streaming")})
        return call

    def form(self, question: Asked) -> str:
        return f"lazy frame, {self._forms[question]} engine"

    def _query(self, question: Asked) -> pl.LazyFrame:
        match question:
            case Leaves(countries, plan, tiers, not_device, age):
                last = (
                    pl.col("loyalty_tier").is_in(list(tiers))
                    if age is None
                    else pl.col("age").is_between(*age)
                )
                kept = self._profiles.lazy().filter(
                    pl.col("country").is_in(list(countries)), pl.col("plan") == plan, pl.col("subscribed"),
                    pl.col("device").ne_missing(not_device), last,
                )  # fmt: skip
                return kept.select(pl.len())
            case MoneyRange(low, high):
                inside = pl.col("lifetime_value").is_between(low * 100, high * 100)
                return self._profiles.lazy().filter(inside).select(pl.len())
            case Frequent(times, page):
                week = self._week() if page is None else self._week().filter(pl.col("page") == page)
                return week.group_by("profile").len().select((pl.col("len") >= times).sum())
            case SamePage(times):
                often = self._week().group_by("profile", "page").len().filter(pl.col("len") >= times)
                return often.select(pl.col("profile").n_unique())
            case _:
                assert_never(question)

    def _week(self) -> pl.LazyFrame:
        times = self._events["time"]
        start = int(times.search_sorted(WEEK_FROM_US, side="right"))
        end = int(times.search_sorted(NOW_US, side="right"))
        return self._events.slice(start, end - start).lazy()


def _enum_of(column: pl.Series) -> pl.Enum:
    return pl.Enum(column.drop_nulls().unique().cast(pl.String).sort())
