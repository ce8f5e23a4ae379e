"""Counts of events in windows, kept for every profile: one byte a counter, profile by profile.

255 stands for "255 or more": what such a cell really holds is the caller's business, who is told of every step that
touches one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headcount_engine.kernels.bits import trailing_zeros
from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.model.batches import I64, U8, U32, U64

FULL = 255


@kernel(*(f"({t}[::1], uint64[:, ::1], uint64[:, ::1])" for t in ("uint8", "uint16", "uint32")))
def look_up(codes: NDArray[Any], table: U64, bits: U64) -> None:
    """bits[i] |= table[codes[i]]: what is known of each value, as a row of bits."""
    for i in range(len(codes)):
        for w in range(table.shape[1]):
            bits[i, w] |= table[codes[i], w]


@kernel("(uint8[::1], int64, uint64[:, ::1])")
def set_bit(mask: U8, at: int, bits: U64) -> None:
    """Set bit `at` of every row that the mask (0 or 1) names."""
    word, shift = at >> 6, np.uint64(at & 63)
    for i in range(len(mask)):
        bits[i, word] |= np.uint64(mask[i]) << shift


@inline_kernel
def _passes(bits: U64, need: U64, deny: U64) -> bool:
    for w in range(len(bits)):
        if (bits[w] & need[w]) != need[w] or (bits[w] & deny[w]) != np.uint64(0):
            return False
    return True


@inline_kernel
def _step(counts: U8, row: int, column: int, step: int, spilled: I64, out: int) -> int:
    """Move one cell; returns how many steps are spilled by now."""
    held = np.int64(counts[row, column])
    if held == FULL or held + step == FULL:
        counts[row, column] = np.uint8(FULL)
        spilled[out, 0] = row
        spilled[out, 1] = column
        spilled[out, 2] = step
        return out + 1
    counts[row, column] = np.uint8(held + step)
    return out


@kernel(
    "(int64, uint32[::1], int64[::1], int64[::1], int64[::1], uint64[:, ::1], int64[::1], int64[::1], int64[::1], "
    "int64[::1], int64[::1], int64[::1], uint64[:, ::1], uint64[:, ::1], int64[::1], int64[::1], uint8[:, ::1], "
    "int64[:, ::1])"
)
def add_events(
    first: int,
    rows: U32,
    times_us: I64,
    spans: I64,
    steps: I64,
    bits: U64,
    always_starts: I64,
    always: I64,
    bit_starts: I64,
    by_bit: I64,
    columns: I64,
    windows: I64,
    need: U64,
    deny: U64,
    firsts: I64,
    lasts: I64,
    counts: U8,
    spilled: I64,
) -> tuple[int, int]:
    """Add events to, or take them from, the counters that they pass, from event `first` on.

    Event i belongs to row rows[i] of `counts`. Where spans[i] is -1 it is new and counts in every span that holds its
    time (firsts[s] <= time <= lasts[s]); else it has just entered (steps[i] = 1) or left (-1) span spans[i].

    Counter c is column columns[c] of `counts`, over span windows[c], and its events need and must not have some
    `bits`. Those that need none are listed by span (`always`), the others under one of the bits that they need
    (`by_bit`), so that an event looks at few.

    Steps on full cells go to `spilled` as (row, column, step). Returns (events done, spilled): it stops before an event
    whose steps might not fit.
    """
    out = 0
    for i in range(first, len(rows)):
        if out + len(columns) > len(spilled):
            return i, out
        low = 0 if spans[i] < 0 else spans[i]
        high = len(firsts) if spans[i] < 0 else spans[i] + 1
        step = steps[i]
        for s in range(low, high):
            if spans[i] < 0 and not firsts[s] <= times_us[i] <= lasts[s]:
                continue
            for j in range(always_starts[s], always_starts[s + 1]):
                c = always[j]
                if _passes(bits[i], need[c], deny[c]):
                    out = _step(counts, rows[i], columns[c], step, spilled, out)
        for word in range(bits.shape[1]):
            left = bits[i, word]
            while left != np.uint64(0):
                bit = word * 64 + trailing_zeros(left)
                left &= left - np.uint64(1)
                for j in range(bit_starts[bit], bit_starts[bit + 1]):
                    c = by_bit[j]
                    s = windows[c]
                    if spans[i] < 0:
                        if not firsts[s] <= times_us[i] <= lasts[s]:
                            continue
                    elif spans[i] != s:
                        continue
                    if _passes(bits[i], need[c], deny[c]):
                        out = _step(counts, rows[i], columns[c], step, spilled, out)
    return len(rows), out


@kernel("(uint32[::1], uint32[::1], uint32[::1])")
def local_rows(profiles: U32, places: U32, rows: U32) -> None:
    """rows[i] = places[profiles[i]]."""
    for i in range(len(profiles)):
        rows[i] = places[profiles[i]]


@kernel(
    "(int64, uint8[:, ::1], uint8[:, ::1], uint8[:, ::1], uint64[:, ::1], uint64[:, ::1], int64[::1], int64[::1], "
    "int64[::1], int64[::1], int64, int64, int64[:, ::1])"
)
def crossed(
    first: int,
    before: U8,
    between: U8,
    after: U8,
    before_eights: U64,
    after_eights: U64,
    atom_starts: I64,
    atoms: I64,
    lows: I64,
    highs: I64,
    clock: int,
    event: int,
    out: I64,
) -> tuple[int, int]:
    """Which counts have come into or gone out of the range of an atom: (row, atom, cause), from row `first` on.

    `between` is the state after the clock and before the events: an atom that has flipped by then flipped by the
    `clock`. By column, `atoms` with their ranges `lows` and `highs`; `*_eights` are the counts eight at a time. Full
    cells are left out. Returns (rows done, found).
    """
    found = 0
    for row in range(first, len(before)):
        if found + len(atoms) > len(out):
            return row, found
        for eight in range(before_eights.shape[1]):
            if before_eights[row, eight] == after_eights[row, eight]:
                continue
            for column in range(8 * eight, 8 * eight + 8):
                old, new = np.int64(before[row, column]), np.int64(after[row, column])
                if old in (new, FULL) or new == FULL:
                    continue
                middle = np.int64(between[row, column])
                for i in range(atom_starts[column], atom_starts[column + 1]):
                    was = lows[i] <= old <= highs[i]
                    now = lows[i] <= new <= highs[i]
                    if was != now:
                        out[found, 0] = row
                        out[found, 1] = atoms[i]
                        out[found, 2] = clock if (lows[i] <= middle <= highs[i]) == now else event
                        found += 1
    return len(before), found
