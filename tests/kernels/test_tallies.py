"""Counters of events in windows and what comes into range: against counting by hand, full cells included."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.kernels import tallies as kernels
from headcount_engine.kernels.tallies import FULL

RANDOM = np.random.default_rng(37)
CLOCK, EVENT = 3, 2


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
@pytest.mark.parametrize("words", [1, 3])
def test_a_table_over_codes_adds_bits_to_each_event(dtype: str, words: int) -> None:
    codes = RANDOM.integers(0, 9, 50).astype(dtype)
    table = RANDOM.integers(0, 1 << 64, (9, words), dtype=np.uint64)
    bits = RANDOM.integers(0, 1 << 64, (50, words), dtype=np.uint64)
    expected = bits | table[codes]
    kernels.look_up(codes, table, bits)
    assert (bits == expected).all()


@pytest.mark.parametrize("at", [0, 63, 64, 100])
def test_a_mask_sets_one_bit(at: int) -> None:
    mask = RANDOM.integers(0, 2, 40).astype(np.uint8)
    bits = RANDOM.integers(0, 1 << 64, (40, 2), dtype=np.uint64)
    expected = bits.copy()
    expected[mask == 1, at >> 6] |= np.uint64(1 << (at & 63))
    kernels.set_bit(mask, at, bits)
    assert (bits == expected).all()


def test_profiles_get_the_places_they_have() -> None:
    profiles = RANDOM.integers(0, 20, 30).astype(np.uint32)
    places, rows = RANDOM.permutation(20).astype(np.uint32), np.empty(30, dtype=np.uint32)
    kernels.local_rows(profiles, places, rows)
    assert (rows == places[profiles]).all()


class Counters:
    """Random counters over windows, each with bits that it needs and bits that it must not have."""

    def __init__(self, count: int, windows: int) -> None:
        self.firsts = RANDOM.integers(-20, 60, windows).astype(np.int64)
        self.lasts = self.firsts + RANDOM.integers(-1, 40, windows)
        self.windows = RANDOM.integers(0, windows, count).astype(np.int64)
        self.columns = RANDOM.permutation(count + 5)[:count].astype(np.int64)
        pool = np.array([0, 5, 64, 70])
        self.need = [set(pool[RANDOM.random(4) < 0.3].tolist()) for _ in range(count)]
        self.deny = [set(pool[RANDOM.random(4) < 0.2].tolist()) - need for need in self.need]

    def arrays(self) -> tuple[np.ndarray, ...]:
        count, windows = len(self.columns), len(self.firsts)
        always = [
            [c for c in range(count) if not self.need[c] and self.windows[c] == w] for w in range(windows)
        ]
        by_bit = [[c for c in range(count) if self.need[c] and min(self.need[c]) == b] for b in range(128)]
        need, deny = rows_of(self.need), rows_of(self.deny)
        return (
            *lists(always), *lists(by_bit), self.columns, self.windows, need, deny, self.firsts, self.lasts,
        )  # fmt: skip

    def hit(self, bits: set[int], time: int, span: int) -> list[int]:
        """The counters that an event moves."""
        found = []
        for c, window in enumerate(self.windows.tolist()):
            in_window = window == span if span >= 0 else self.firsts[window] <= time <= self.lasts[window]
            if in_window and self.need[c] <= bits and not self.deny[c] & bits:
                found.append(c)
        return found


def lists(entries: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.zeros(len(entries) + 1, dtype=np.int64)
    np.cumsum([len(e) for e in entries], out=starts[1:])
    return starts, np.array([x for e in entries for x in e], dtype=np.int64)


def rows_of(sets: list[set[int]]) -> np.ndarray:
    out = np.zeros((len(sets), 2), dtype=np.uint64)
    for row, bits in enumerate(sets):
        for bit in bits:
            out[row, bit >> 6] |= np.uint64(1 << (bit & 63))
    return out


@pytest.mark.parametrize("start", [0, 253, FULL])
@pytest.mark.parametrize("room", ["little", "much"])
def test_events_step_the_counters_that_they_pass(start: int, room: str) -> None:
    counters, n, people = Counters(9, 4), 300, 5
    rows = RANDOM.integers(0, people, n).astype(np.uint32)
    times = RANDOM.integers(-10, 70, n).astype(np.int64)
    spans = RANDOM.integers(-1, 4, n).astype(np.int64)
    # Nothing leaves a counter that it is not in: what may go below is kept out of the test by starting high.
    steps = np.where(spans < 0, 1, RANDOM.choice([1, -1] if start else [1], n)).astype(np.int64)
    bits = [set(np.array([0, 5, 64, 70])[RANDOM.random(4) < 0.5].tolist()) for _ in range(n)]
    counts = np.full((people, 64), start, dtype=np.uint8)
    spilled = np.empty((len(counters.columns) if room == "little" else 5_000, 3), dtype=np.int64)
    # By cell: what it holds, or, once it is full, every step since; the caller adds these up.
    expected = {(r, c): start for r in range(people) for c in range(64)}
    wanted: list[list[int]] = []
    for i in range(n):
        for c in counters.hit(bits[i], int(times[i]), int(spans[i])):
            cell = int(rows[i]), int(counters.columns[c])
            if expected[cell] == FULL or expected[cell] + steps[i] == FULL:
                expected[cell] = FULL
                wanted.append([*cell, int(steps[i])])
            else:
                expected[cell] += int(steps[i])
    found: list[list[int]] = []
    done = 0
    while done < n:
        done, count = kernels.add_events(
            done, rows, times, spans, steps, rows_of(bits), *counters.arrays(), counts, spilled
        )
        found += spilled[:count].tolist()
    assert sorted(found) == sorted(wanted)
    assert {cell: int(counts[cell]) for cell in expected} == expected
    assert bool(wanted) is (start > 0)


@pytest.mark.parametrize("room", ["little", "much"])
def test_counts_that_come_into_a_range_or_leave_it_are_told_with_why(room: str) -> None:
    people, width = 40, 16
    before, between, after = (RANDOM.choice([0, 1, 2, 3, 254, FULL], (people, width)) for _ in range(3))
    before, between, after = (a.astype(np.uint8) for a in (before, between, after))
    after[::3] = before[::3]
    ranges = [(0, 0), (1, 1 << 62), (2, 3), (0, 2), (300, 1 << 62)]
    by_column = [[i for i in range(5) if RANDOM.random() < 0.3] for _ in range(width)]
    starts, picked = lists(by_column)
    lows, highs = (np.array([ranges[i][k] for i in picked.tolist()], dtype=np.int64) for k in (0, 1))
    slots = np.arange(len(picked), dtype=np.int64) + 100
    out = np.empty((len(picked) if room == "little" else 9_000, 3), dtype=np.int64)
    found: list[list[int]] = []
    first = 0
    while first < people:
        first, count = kernels.crossed(
            first, before, between, after, before.view(np.uint64), after.view(np.uint64), starts, slots, lows, highs,
            CLOCK, EVENT, out,
        )  # fmt: skip
        found += out[:count].tolist()
    wanted = []
    for row in range(people):
        for column in range(width):
            old, middle, new = (int(a[row, column]) for a in (before, between, after))
            if FULL in (old, new):
                continue
            for i in range(starts[column], starts[column + 1]):
                was, meanwhile, now = (lows[i] <= n <= highs[i] for n in (old, middle, new))
                if was != now:
                    wanted.append([row, int(slots[i]), CLOCK if meanwhile == now else EVENT])
    assert found == wanted and wanted
