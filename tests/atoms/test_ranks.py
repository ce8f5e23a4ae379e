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
        patch.setattr("headcount_engine.atoms.ranks._ENTRIES_MIN", 0)
        followed = Followed.of(data.draw(st.lists(pool, max_size=40)), is_float=kind == "doubles")
        for rank in data.draw(st.lists(RANKS, max_size=4)):
            followed.watch(rank)
        for batch in data.draw(batches(pool)):
            if followed.watched and data.draw(st.integers(0, 5)) == 0:
                followed.unwatch(data.draw(st.sampled_from(sorted(followed.watched))))
            if data.draw(st.integers(0, 3)) == 0:
                followed.watch(data.draw(RANKS))
            followed.write(batch, watch_between=data.draw(st.none() | RANKS))


class Recorded:
    """Keys, and how many were asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, ids: I64) -> Texts:
        self.asked += len(ids)
        return keys(ids)


def test_keys_are_asked_for_only_where_some_of_equals_are_taken() -> None:
    recorded, random = Recorded(), np.random.default_rng(1)
    values = random.permutation(3_000).astype(np.float64)
    ranks = RankOrder.of(np.arange(3_000, dtype=np.uint32), values, recorded)
    for end in End:
        ranks.watch(end, Decimal(100), False)
    for _ in range(50):
        ids = np.unique(random.integers(0, 3_000, 40)).astype(np.uint32)
        ranks.publish(ranks.stage(ids, random.random(len(ids)) * 3_000))
    assert recorded.asked == 0
    ids = np.arange(500, dtype=np.uint32)
    ranks.publish(ranks.stage(ids, np.full(500, 5_000.0)))
    assert 0 < recorded.asked <= 2 * 500


def test_keys_of_profiles_that_are_not_published_yet_come_with_the_batch() -> None:
    def published(ids: I64) -> Texts:
        assert (ids < 4).all(), "this profile has no key yet"
        return keys(ids)

    ranks = RankOrder.of(np.arange(4, dtype=np.uint32), np.zeros(4, dtype=np.int8), published)
    handle = ranks.watch(End.TOP, Decimal(3), False)
    edit = ranks.stage(np.arange(4, 9, dtype=np.uint32), np.zeros(5, dtype=np.int8), keys)
    wanted = expected(dict.fromkeys(range(9), 0), (End.TOP, Decimal(3), False))
    entered, gone = edit.flips[handle]
    held = set(ranks.members(handle).tolist())
    assert sorted((held - set(gone.tolist())) | set(entered.tolist())) == wanted


def test_a_rank_larger_than_everybody_takes_everybody_and_stops_growing_at_its_size() -> None:
    followed = Followed.of([])
    handle = followed.watch((End.BOTTOM, Decimal(5), False))
    assert followed.sets[handle] == []
    for who in range(8):
        followed.write({who: 10 - who})
        assert len(followed.sets[handle]) == min(5, who + 1)
    followed.write(dict.fromkeys(range(8)))
    assert followed.sets[handle] == []
    followed.write({7: 1, 3: 1})
    assert followed.sets[handle] == [3, 7]


def test_percentages_are_rounded_up() -> None:
    followed = Followed.of(list(range(10)))
    tenth = followed.watch((End.TOP, Decimal(10), True))
    sliver = followed.watch((End.BOTTOM, Decimal("0.0001"), True))
    assert (len(followed.sets[tenth]), len(followed.sets[sliver])) == (1, 1)
    followed.write({10: 3})
    assert (len(followed.sets[tenth]), len(followed.sets[sliver])) == (2, 1)
    followed.write({0: None})
    assert (len(followed.sets[tenth]), len(followed.sets[sliver])) == (1, 1)


def test_there_and_back_leaves_everything_as_it_was() -> None:
    followed = Followed.of([3, 1, 2, 2, 2, 1])
    handle = followed.watch((End.TOP, Decimal(3), False))
    before = followed.sets[handle]
    for value in (0, None, 99, 2**40, 2):
        followed.write({2: value})
        followed.write({2: 2})
        assert followed.sets[handle] == before


def test_both_zeros_are_one_value() -> None:
    followed = Followed.of([0.0, -0.0, 0.0, -0.0], is_float=True)
    handle = followed.watch((End.TOP, Decimal(2), False))
    before = followed.sets[handle]
    edit = followed.ranks.stage(np.array(before, dtype=np.uint32), np.array([-0.0, -0.0]))
    assert [len(part) for part in edit.flips[handle]] == [0, 0]


def test_an_edit_that_was_overtaken_is_refused() -> None:
    ranks = RankOrder.of(np.arange(3, dtype=np.uint32), np.arange(3), keys)
    first, second = (ranks.stage(np.array([0], dtype=np.uint32), np.array([v])) for v in (5, 6))
    ranks.publish(first)
    with pytest.raises(AssertionError):
        ranks.publish(second)


def test_an_edit_that_is_dropped_leaves_no_trace() -> None:
    followed = Followed.of([1, 1, 1, 2, 3])
    followed.watch((End.TOP, Decimal(3), False))
    for value in (0, 9, None):
        followed.ranks.stage(np.array([0, 4], dtype=np.uint32), stored([value, value]))
        followed.ranks._check()
    followed.write({0: 4, 4: 1})


@pytest.mark.parametrize(
    "top", [3, 40, 10**6], ids=["great groups of equals", "small groups", "hardly any equals"]
)
def test_ranks_follow_a_population_that_drifts(top: int) -> None:
    """Values rise, profiles come and go, so edges travel a long way: past stretches of equals and whole groups."""
    random, size = np.random.default_rng(top), 4_000
    texts = [key(who).encode() for who in range(size)]
    place = np.empty(size, dtype=np.int64)
    place[sorted(range(size), key=texts.__getitem__)] = np.arange(size)
    values = random.integers(0, top, size).astype(np.float64)
    values[::3] = np.nan
    there = np.flatnonzero(~np.isnan(values))
    ranks = RankOrder.of(there.astype(np.uint32), values[there], keys)
    watched = {
        ranks.watch(end, amount, is_percent): (end, amount, is_percent)
        for end in End
        for amount, is_percent in ((Decimal(1_200), False), (Decimal(30), True), (Decimal(1), True))
    }
    held = {handle: set(ranks.members(handle).tolist()) for handle in watched}
    for step in range(60):
        ids = np.unique(random.integers(0, size, (1, 30, 900)[step % 3])).astype(np.uint32)
        values[ids] = np.floor(random.random(len(ids)) * top * (1 + step / 30))
        values[ids[random.random(len(ids)) < (0.5 if step % 20 > 10 else 0.1)]] = np.nan
        edit = ranks.stage(ids, values[ids])
        ranks.publish(edit)
        there = np.flatnonzero(~np.isnan(values))
        for handle, (end, amount, is_percent) in watched.items():
            sign = -1 if end is End.TOP else 1
            order = there[np.lexsort((place[there], sign * values[there]))]
            wanted = math.ceil(Fraction(amount) * len(there) / 100) if is_percent else int(amount)
            entered, gone = (set(part.tolist()) for part in edit.flips[handle])
            assert not entered & held[handle] and gone <= held[handle]
            held[handle] = (held[handle] | entered) - gone
            assert held[handle] == set(order[:wanted].tolist())
    ranks._check()
    assert ranks.nbytes > 0
