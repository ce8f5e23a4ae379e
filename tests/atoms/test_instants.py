"""The order of a column's instants: what it finds is at least what a look at every profile finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from headcount_engine.atoms.instants import ABSENT, GREATEST, InstantOrder

VALUES = st.sampled_from([ABSENT, ABSENT, ABSENT + 1, -5, 0, 1, 2, 3, 7, 10**15, GREATEST]) | st.integers(
    -20, 20
)
BATCHES = st.lists(st.dictionaries(st.integers(0, 70), VALUES, max_size=30), max_size=40)
BOUNDS = [ABSENT, ABSENT + 1, -21, -5, 0, 1, 2, 10, 10**15, GREATEST]


def note(order: InstantOrder, batch: dict[int, int]) -> None:
    ids = np.array(sorted(batch), dtype=np.uint32)
    order.note(ids, np.array([batch[i] for i in sorted(batch)], dtype=np.int64))


def assert_finds(order: InstantOrder, now: dict[int, int], ever: dict[int, set[int]]) -> None:
    """Everything that is so is found; nothing is found that never was."""
    for first in BOUNDS:
        for last in BOUNDS:
            found = order.between(first, last).tolist()
            assert found == sorted(set(found))
            assert {i for i, v in now.items() if v != ABSENT and first <= v <= last} <= set(found)
            assert all(any(v != ABSENT and first <= v <= last for v in ever[i]) for i in found)
        held, been = sorted(v for v in now.values() if v > first), set().union(*ever.values())
        following = order.next_after(first)
        if following is None:
            assert not held
        else:
            assert following > first and following in been and (not held or following <= held[0])


@given(st.lists(VALUES, max_size=40), BATCHES)
@example([], [{0: ABSENT}, {0: 1}, {0: ABSENT}])
@example([1] * 40, [{i: 5} for i in range(40)] + [{i: 1} for i in range(40)])
def test_nothing_that_is_so_is_missed(start: list[int], batches: list[dict[int, int]]) -> None:
    order = InstantOrder.of(
        [np.array(start[:25], dtype=np.int64), np.array(start[25:], dtype=np.int64)], ABSENT
    )
    now = dict(enumerate(start))
    ever = {i: {v} for i, v in now.items()}
    assert_finds(order, now, ever)
    for batch in batches:
        note(order, batch)
        now |= batch
        for who, value in batch.items():
            ever.setdefault(who, set()).add(value)
        order._check([np.array([now.get(i, ABSENT) for i in range(71)], dtype=np.int64)], ABSENT)
    assert_finds(order, now, ever)


@given(
    st.lists(st.integers(-5, 30), max_size=60),
    BATCHES,
    st.integers(-6, 31),
    st.integers(1, 40),
    st.booleans(),
)
def test_a_reach_has_that_many_entries_or_says_that_there_are_fewer(
    start: list[int], batches: list[dict[int, int]], value: int, entries: int, is_down: bool
) -> None:
    order = InstantOrder.of([np.array(start, dtype=np.int64)], ABSENT)
    for batch in batches:
        note(order, batch)
    far = order.reach(value, entries, is_down=is_down)

    def between(run: np.ndarray, bound: int | None) -> int:
        run = run[run != ABSENT]
        past = run[run < value] if is_down else run[run > value]
        if bound is None:
            return len(past)
        return int(((past > bound) if is_down else (past < bound)).sum())

    counts = [between(run.values, far) for run in order._runs]
    if far is None:
        # Absence at the front of a run takes places, so a few less may have been enough.
        assert all(count < entries for count in counts)
    else:
        assert (far < value) if is_down else (far > value)
        assert all(count < entries for count in counts)
        at = [between(run.values, far - 1 if is_down else far + 1) for run in order._runs]
        assert max(at) >= entries


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_values_of_any_width_are_taken_and_their_least_is_no_value(dtype: str) -> None:
    absent = np.iinfo(dtype).min
    order = InstantOrder.of([np.array([absent, 5, absent + 1], dtype=dtype)], absent)
    assert order.between(ABSENT, GREATEST).tolist() == [1, 2]
    order.note(np.array([0, 1], dtype=np.uint32), np.array([7, absent], dtype=dtype))
    order._check([np.array([7, ABSENT, absent + 1], dtype=np.int64)], ABSENT)
    assert order.between(7, 7).tolist() == [0]


def test_no_value_may_be_zero_as_it_is_among_days_of_the_year() -> None:
    order = InstantOrder.of([np.array([0, 33, 0, 64]), np.array([0, 33])], absent=0)
    assert order.between(0, 400).tolist() == [1, 3, 5] and order.next_after(-1) == 33


def test_stale_entries_go_when_runs_are_merged() -> None:
    """However often values change, no more than one entry in seven is stale."""
    random, n = np.random.default_rng(5), 20_000
    values = random.integers(0, 10**12, n)
    order = InstantOrder.of([values[:9_000], values[9_000:]], ABSENT)
    for batch in range(120):
        ids = np.unique(random.integers(0, n, 1 + (batch * 37) % 700)).astype(np.uint32)
        values[ids] = random.integers(0, 10**12, len(ids))
        values[ids[::5]] = ABSENT
        order.note(ids, values[ids])
        entries = sum(len(run.ids) for run in order._runs)
        assert entries <= n * 8 / 7
    order._check([values], ABSENT)
    assert order.nbytes < 14 * n
