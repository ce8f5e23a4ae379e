"""Event ids: known for as long as they are to be, in the bytes that they may take, whatever is captured meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headcount_engine.errors import StoreDamaged
from headcount_engine.indexes import deduplication
from headcount_engine.indexes.deduplication import EventIds
from headcount_engine.model.batches import Texts

START = 10**15
HORIZON = 1_000


def come(ids: EventIds, names: list[str], contents: list[int], now_us: int) -> tuple[list[bool], list[bool]]:
    """(repeats, of these: different) of a batch, whose new ids are then remembered."""
    seen = ids.look(Texts.of(names), np.array(contents, dtype=np.uint32), now_us)
    ids.publish(seen.kept(np.ones(len(names), dtype=np.bool_)), now_us)
    return seen.is_repeat.tolist(), seen.is_different.tolist()


def restarted(ids: EventIds, **options: int) -> EventIds:
    made = EventIds(**options)
    made.restore([[part.copy() if isinstance(part, np.ndarray) else part for part in c] for c in ids.dump()])
    return made


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 30), st.integers(0, 1)), min_size=1, max_size=12),
            st.sampled_from([0, 1, 300, HORIZON - 1, HORIZON, 5 * HORIZON]),
            st.booleans(),
        ),
        max_size=25,
    ),
    st.sampled_from([8, 3, 1 << 16]),
)
@settings(max_examples=150, deadline=None)
def test_an_id_is_known_for_exactly_the_horizon(
    batches: list[tuple[list[tuple[int, int]], int, bool]], chunk_ids: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deduplication, "_SPAN_US_MAX", 700)
        ids = EventIds(HORIZON)
        ids._chunk_ids = chunk_ids
        known: dict[int, tuple[int, int]] = {}
        now_us = START
        for rows, later_us, restarts in batches:
            now_us += later_us
            if restarts:
                before = ids
                ids = EventIds(HORIZON)
                ids._chunk_ids = chunk_ids
                ids.restore(before.dump())
            repeats, differ = come(ids, [f"id {n}" for n, _ in rows], [c for _, c in rows], now_us)
            for (number, content), is_repeat, is_different in zip(rows, repeats, differ, strict=True):
                came_us, first = known.get(number, (START - 10 * HORIZON, 0))
                assert is_repeat == (came_us > now_us - HORIZON)
                assert is_different == (is_repeat and first != content)
                if not is_repeat:
                    known[number] = now_us, content


def test_past_the_cap_the_oldest_are_forgotten_and_that_is_told() -> None:
    ids = EventIds(10**12, ids_max=800)
    for i in range(30):
        come(ids, [f"{i}-{j}" for j in range(100)], [0] * 100, START + i)
        assert len(ids) <= 800
    since_us = ids.known_since_us(START + 29)
    assert START + 20 <= since_us <= START + 23
    for i in range(30):
        repeats, _ = come(restarted(ids, horizon_us=10**12, ids_max=800), [f"{i}-0"], [0], START + 30)
        assert repeats == [START + i >= since_us], i


def test_an_id_takes_at_most_32_bytes_at_every_number_of_them() -> None:
    ids, contents = EventIds(), np.zeros(5_000, dtype=np.uint32)
    chance = np.random.default_rng(7)
    for i in range(120):
        names = Texts(chance.integers(97, 122, 5_000 * 12).astype(np.uint8), np.arange(0, 5_001 * 12, 12))
        ids.publish(ids.look(names, contents, START).kept(np.ones(5_000, dtype=np.bool_)), START + i)
        if len(ids) >= 100_000:
            tables = sum(table.nbytes for table in ids._tables.values())
            assert (24 * len(ids) + tables) / len(ids) <= 31.2
            assert ids.nbytes / len(ids) <= 32


def test_what_is_captured_is_shared_and_stays_as_it_was() -> None:
    ids = EventIds()
    come(ids, [f"a{i}" for i in range(1_000)], list(range(1_000)), START)
    captured = ids.dump()
    copied = restarted(ids).dump()
    come(ids, [f"b{i}" for i in range(70_000)], [1] * 70_000, START + 5)
    come(ids, ["c"], [1], START + deduplication.HORIZON_US + 6)
    for shared, copy, chunk in zip(captured, copied, [ids.dump()[0]], strict=False):
        for part, same in zip(shared[1:], copy[1:], strict=True):
            assert np.array_equal(part, same)  # type: ignore[call-overload]
        assert chunk[0] != shared[0]


def test_ids_of_an_older_checkpoint_are_known() -> None:
    names = Texts.of(["a", "b", "c"])
    first, second = (deduplication.hash_column(names, int(seed)) for seed in deduplication._SEEDS)
    arrivals = np.array([START + 9, START, START + 9]) - deduplication.INSTANT_MIN_US + 1
    ids = EventIds(HORIZON)
    ids.restore([first, second, arrivals, np.array([1, 2, 3], dtype=np.uint32)])
    assert come(ids, ["a", "b", "c"], [1, 2, 4], START + HORIZON) == (
        [True, False, True],
        [False, False, True],
    )


def test_parts_that_do_not_fit_are_refused() -> None:
    halves, offsets = np.zeros(4, dtype=np.uint64), np.zeros(3, dtype=np.uint32)
    with pytest.raises(StoreDamaged):
        EventIds().restore([[START, halves, offsets, offsets]])
