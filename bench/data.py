"""The generated data as plain arrays, independent of the engine: for floors, and for answers to check with."""

from __future__ import annotations

from functools import lru_cache
from typing import assert_never

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyroaring import BitMap

from bench.asked import WEEK_FROM_US, Asked, Frequent, Leaves, MoneyRange, SamePage
from bench.generator import Files
from bench.tiers import NOW_US

Mask = NDArray[np.bool_]


class Data:
    """One tier's files, column by column as they are asked for."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self._recent: pa.Table | None = None

    @lru_cache(maxsize=4)  # noqa: B019 - one per process
    def attribute(self, name: str) -> pa.ChunkedArray:
        return pq.read_table(self.files.profiles, columns=[name]).column(name)

    def recent_events(self) -> pa.Table:
        """`profile` (a number), `page` and `time` of the events of the last 7 days."""
        if self._recent is None:
            recent = pc.field("time") > pa.scalar(WEEK_FROM_US, pa.timestamp("us", "UTC"))
            table = pq.read_table(self.files.events, columns=["key", "page", "time"], filters=recent)
            until = pc.less_equal(table["time"], pa.scalar(NOW_US, pa.timestamp("us", "UTC")))
            table = table.filter(until)
            numbers = pc.cast(pc.utf8_slice_codeunits(table["key"], 1), pa.uint32())
            self._recent = table.drop_columns(["key"]).append_column("profile", numbers)
        return self._recent

    def equals(self, name: str, *values: str) -> Mask:
        """Profiles whose attribute has one of the texts; an absent one is none of them."""
        found = pc.is_in(self.attribute(name), value_set=pa.array(values))
        return _mask(found)

    def is_true(self, name: str) -> Mask:
        return _mask(self.attribute(name))

    def between(self, name: str, low: int, high: int) -> Mask:
        column = self.attribute(name)
        found = pc.and_(pc.greater_equal(column, low), pc.less_equal(column, high))
        return _mask(found)

    def leaf_masks(self, asked: Leaves) -> list[Mask]:
        """The five conditions, each as profiles that satisfy it."""
        last = (
            self.equals("loyalty_tier", *asked.tiers)
            if asked.age is None
            else self.between("age", *asked.age)
        )
        return [
            self.equals("country", *asked.countries), self.equals("plan", asked.plan), self.is_true("subscribed"),
            ~self.equals("device", asked.not_device), last,
        ]  # fmt: skip

    def answer(self, asked: Asked) -> int:
        """The count, worked out with plain array operations."""
        match asked:
            case Leaves():
                return int(np.logical_and.reduce(self.leaf_masks(asked)).sum())
            case MoneyRange(low, high):
                return int(self.between("lifetime_value", low, high).sum())
            case Frequent(times, page):
                events = self.recent_events()
                if page is not None:
                    events = events.filter(pc.equal(events["page"], page))
                _, counts = np.unique(events["profile"].to_numpy(), return_counts=True)
                return int((counts >= times).sum())
            case SamePage(times):
                events = self.recent_events()
                pages = events["page"].combine_chunks().dictionary_encode()
                pairs = events["profile"].to_numpy().astype(np.int64) << 32
                pairs |= pages.indices.to_numpy().astype(np.int64)
                found, counts = np.unique(pairs, return_counts=True)
                return len(np.unique(found[counts >= times] >> 32))
            case _:
                assert_never(asked)


def _mask(found: pa.ChunkedArray) -> Mask:
    made: Mask = pc.fill_null(found, False).to_numpy()
    return made


def bitmap_of(mask: Mask) -> BitMap:
    """A raw roaring bitmap, run-optimised as its makers advise."""
    made = BitMap(np.flatnonzero(mask).astype(np.uint32))
    made.run_optimize()
    return made
