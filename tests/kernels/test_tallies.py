"""Counters of events in windows and what comes into range: against counting by hand, full cells included."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.kernels import tallies as kernels
from headcount_engine.kernels.tallies import ARRIVED, ENTERED, FULL, LEFT

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


@pytest.mark.parametrize("span", [-1, 0, 3])
@pytest.mark.parametrize("room", ["little", "much"])
def test_events_touch_the_counters_that_they_pass(span: int, room: str) -> None:
    counters, n = Counters(9, 4), 300
    profiles = RANDOM.integers(0, 1 << 32, n).astype(np.uint32)
    times = RANDOM.integers(-10, 70, n).astype(np.int64)
    bits = [set(np.array([0, 5, 64, 70])[RANDOM.random(4) < 0.5].tolist()) for _ in range(n)]
    code = ARRIVED if span < 0 else LEFT
    wanted = [
        (int(profiles[i]) << 32) | (int(counters.columns[c]) << 8) | code
        for i in range(n)
        for c in counters.hit(bits[i], int(times[i]), span)
    ]
    found: list[int] = []
    done, ahead = 0, 3
    while done < n:
        keys = np.zeros(ahead + (len(counters.columns) if room == "little" else 5_000), dtype=np.uint64)
        done, used = kernels.touch(
            done, profiles, times, span, code, rows_of(bits), *counters.arrays(), keys, ahead
        )
        assert not keys[:ahead].any()
        found += keys[ahead:used].tolist()
    assert sorted(found) == sorted(wanted) and wanted


@pytest.mark.parametrize("first_id", [0, 1 << 20])
@pytest.mark.parametrize("room", ["little", "much"])
def test_cells_are_settled_and_counts_that_change_range_are_told_with_why(room: str, first_id: int) -> None:
    people, width, steps = 40, 16, 3_000
    before = RANDOM.choice([10, 11, 12, 13, 251, 253, 254, FULL], (people, width)).astype(np.uint8)
    rows, columns = RANDOM.integers(0, people, steps), RANDOM.integers(0, width, steps)
    codes = RANDOM.choice([LEFT, ENTERED, ARRIVED], steps, p=[0.4, 0.3, 0.3])
    keys = ((rows + first_id) << 32 | columns << 8 | codes).astype(np.uint64)
    keys.sort()
    ranges = [(0, 10), (11, 1 << 62), (12, 13), (10, 12), (300, 1 << 62)]
    by_column = [[i for i in range(5) if RANDOM.random() < 0.3] for _ in range(width)]
    starts, picked = lists(by_column)
    lows, highs = (np.array([ranges[i][k] for i in picked.tolist()], dtype=np.int64) for k in (0, 1))
    slots = np.arange(len(picked), dtype=np.int64) + 100
    cells, values = np.zeros(steps, dtype=np.uint64), np.zeros(steps, dtype=np.uint8)
    full = np.zeros((steps, 4), dtype=np.int64)
    out = np.empty((5 if room == "little" else 9_000, 3), dtype=np.int64)
    told: list[list[int]] = []
    done = cell = fulls = rounds = 0
    kept = before.copy()
    while done < steps:
        done, cell, found, fulls = kernels.settle(
            done, keys, first_id, before, starts, slots, lows, highs, CLOCK, EVENT, cells, values, cell, out,
            full, fulls,
        )  # fmt: skip
        told += out[:found].tolist()
        rounds += 1
    assert (kept == before).all() and (rounds > 1) is (room == "little")
    moved: dict[tuple[int, int], list[int]] = {}
    for row, column, code in zip(rows.tolist(), columns.tolist(), codes.tolist(), strict=True):
        clocked, arrived = moved.setdefault((row, column), [0, 0])
        moved[row, column] = [
            clocked + (0 if code == ARRIVED else code - LEFT or -1),
            arrived + (code == ARRIVED),
        ]
    wanted, wanted_full = [], []
    after = before.copy()
    for place, (row, column) in enumerate(sorted(moved)):
        old, (by_clock, by_events) = int(before[row, column]), moved[row, column]
        middle, new = old + by_clock, old + by_clock + by_events
        if old == FULL or new >= FULL:
            wanted_full.append([place, old, by_clock, by_events])
            after[row, column] = FULL
            continue
        after[row, column] = np.uint8(new & FULL)
        for i in range(starts[column], starts[column + 1]):
            was, meanwhile, now = (lows[i] <= count <= highs[i] for count in (old, middle, new))
            if was != now:
                wanted.append([first_id + row, int(slots[i]), CLOCK if meanwhile == now else EVENT])
    assert told == wanted and wanted
    assert full[:fulls].tolist() == wanted_full and wanted_full
    assert cell == len(moved)
    kernels.put(cells[:cell], values[:cell], first_id, before)
    assert (before == after).all()


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_steps_in_any_order_are_added_up_and_full_cells_told(parts: int) -> None:
    """Rows in two places of 128 profiles each; a cell holds 255 at most."""
    shards = [RANDOM.integers(0, 256, (128, 16), dtype=np.uint8) for _ in range(2)]
    before = np.concatenate(shards).astype(np.int64)
    profiles, columns = RANDOM.integers(0, 256, 3_000), RANDOM.integers(0, 16, 3_000)
    keys = (
        (profiles.astype(np.uint64) << np.uint64(32))
        | (columns.astype(np.uint64) << np.uint64(8))
        | np.uint64(2)
    )
    full = np.empty((parts, len(keys)), dtype=np.uint64)
    addresses = np.array([s.ctypes.data for s in shards], dtype=np.int64)
    found = [kernels.step(keys, addresses, 7, 2, part, parts, full[part]) for part in range(parts)]
    after = before.copy()
    np.add.at(after, (profiles, columns), 1)
    assert (np.concatenate(shards) == np.minimum(after, 255)).all()
    expected = np.maximum(after - np.maximum(before, 254), 0)
    told = np.zeros_like(after)
    names = np.concatenate([full[part, :n] for part, n in enumerate(found)])
    np.add.at(
        told, ((names >> np.uint64(24)).astype(np.int64), (names & np.uint64(0xFFFFFF)).astype(np.int64)), 1
    )
    assert (told == expected).all()
