"""Ranks that are kept: after every batch they hold whom sorting everybody gives, and the flips are the difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount_engine.atoms import ties
from headcount_engine.atoms.ranks import RankOrder
from headcount_engine.conditions.tree import End
from headcount_engine.indexes.columns import narrowest
from headcount_engine.indexes.predicates import absent_value
from headcount_engine.model.batches import I64, Texts

Rank = tuple[End, Decimal, bool]


def key(who: int) -> str:
    """Not in the order of ids; of several lengths; past ASCII."""
    return f"{'é' if who % 3 else 'e'}{who * 7 % 11}{'/' * (who % 4)}{who}"


def keys(ids: I64) -> Texts:
    return Texts.of([key(who) for who in ids.tolist()])


def expected(values: dict[int, float], rank: Rank) -> list[int]:
    """Sort everybody who has a value."""
    end, amount, is_percent = rank
    sign = -1 if end is End.TOP else 1
    order = sorted(values, key=lambda who: (sign * values[who], key(who).encode()))
    size = math.ceil(Fraction(amount) * len(values) / 100) if is_percent else int(amount)
    return sorted(order[:size])


def stored(values: Sequence[float | None], *, is_float: bool = False) -> np.ndarray:
    """As a column stores them: the narrowest width that holds them, its own absent value."""
    there = np.array([v for v in values if v is not None], dtype=np.float64 if is_float else np.int64)
    dtype = np.dtype(np.float64) if is_float else narrowest(np.dtype(np.int8), there)
    return np.array([absent_value(dtype) if v is None else v for v in values], dtype=dtype)


@dataclass
class Followed:
    """A RankOrder, and the values themselves."""

    ranks: RankOrder
    values: dict[int, float]
    is_float: bool = False
    watched: dict[int, Rank] = field(default_factory=dict)
    sets: dict[int, list[int]] = field(default_factory=dict)

    @staticmethod
    def of(start: Sequence[float | None], *, is_float: bool = False) -> Followed:
        ids = np.arange(len(start), dtype=np.uint32)
        ranks = RankOrder.of(ids, stored(start, is_float=is_float), keys)
        return Followed(ranks, {i: v for i, v in enumerate(start) if v is not None}, is_float)

    def watch(self, rank: Rank) -> int:
        handle = self.ranks.watch(*rank)
        self.watched[handle] = rank
        self.sets[handle] = self.ranks.members(handle).tolist()
        assert self.sets[handle] == expected(self.values, rank)
        return handle

    def unwatch(self, handle: int) -> None:
        self.ranks.unwatch(handle)
        del self.watched[handle], self.sets[handle]

    def write(self, batch: dict[int, float | None], *, watch_between: Rank | None = None) -> None:
        ids = np.array(sorted(batch), dtype=np.uint32)
        before = {handle: self.ranks.members(handle).tolist() for handle in self.watched}
        edit = self.ranks.stage(ids, stored([batch[i] for i in sorted(batch)], is_float=self.is_float))
        assert before == {handle: self.ranks.members(handle).tolist() for handle in self.watched}
        if watch_between is not None:
            self.watch(watch_between)
        self.ranks.publish(edit)
        self.values |= {who: value for who, value in batch.items() if value is not None}
        for who in [who for who, value in batch.items() if value is None]:
            self.values.pop(who, None)
        for handle, rank in self.watched.items():
            wanted = expected(self.values, rank)
            if handle in edit.flips:
                entered, gone = (part.tolist() for part in edit.flips[handle])
                assert entered == sorted(set(wanted) - set(self.sets[handle]))
                assert gone == sorted(set(self.sets[handle]) - set(wanted))
            assert self.ranks.members(handle).tolist() == wanted
            self.sets[handle] = wanted
        self.ranks._check()


RANKS = st.tuples(
    st.sampled_from(End), st.sampled_from([1, 2, 3, 7, 20, 1000]).map(Decimal), st.just(False)
) | st.tuples(
    st.sampled_from(End),
    st.sampled_from(["0.001", "1", "10", "33.3", "50", "99.9", "100"]).map(Decimal),
    st.just(True),
)
TIED = st.sampled_from([None, 0, 1, 1, 1, 2])
WHOLE = (
    TIED
    | st.integers(-100, 100)
    | st.sampled_from([-128, -127, 127, 128, -(2**31), 2**31, 2**63 - 1, 1 - 2**63])
)
FLOATS = TIED | st.sampled_from([-0.0, 0.0, 5e-324, -5e-324, 1e308, -1e308]) | st.floats(-10, 10)


def batches(values: st.SearchStrategy[float | None]) -> st.SearchStrategy[list[dict[int, float | None]]]:
    return st.lists(st.dictionaries(st.integers(0, 45), values, max_size=15), max_size=12)


@pytest.mark.parametrize("reach", [512, 2], ids=["stretches hold all equals", "stretches run out"])
@pytest.mark.parametrize("kind", ["equals", "whole numbers", "doubles"])
@given(data=st.data())
def test_a_kept_rank_is_what_sorting_everybody_gives(kind: str, reach: int, data: st.DataObject) -> None:
    """Short stretches of equals are moved along, run out and are cut anew; the usual ones hold any group here."""
    pool = {"equals": TIED, "whole numbers": WHOLE, "doubles": FLOATS}[kind]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ties, "_REACH", reach)
        patch.setattr(ties, "_SINGLY", 3)
        followed = Followed.of(data.draw(st.lists(pool, max_size=40)), is_float=kind == "doubles")
        for rank in data.draw(st.lists(RANKS, max_size=4)):
            followed.watch(rank)
        for batch in data.draw(batches(pool)):
            if followed.watched and data.draw(st.integers(0, 5)) == 0:
                followed.unwatch(data.draw(st.sampled_from(sorted(followed.watched))))
            if data.draw(st.integers(0, 3)) == 0:
                followed.watch(data.draw(RANKS))
            followed.write(batch, watch_between=data.draw(st.none() | RANKS))
