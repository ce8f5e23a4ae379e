"""Counts of events in windows, kept for every profile: one byte a counter, profile by profile.

255 stands for "255 or more": what such a cell really holds is the caller's business, who is told of every one that is
touched. Steps are first noted, as keys, and sorted, so that each cell is looked at once and memory is walked in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headcount_engine.kernels.bits import trailing_zeros
from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.kernels.machine import set_word_at, word_at
from headcount_engine.model.batches import I64, U8, U32, U64

FULL = 255
LEFT, ENTERED, ARRIVED = 0, 1, 2
"""Why an event moves a counter: it left the window by the clock, entered it by the clock, or is new."""
COLUMNS_MAX = 1 << 24


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
def _key(profile: int, column: int, code: int) -> np.uint64:
    return (np.uint64(profile) << np.uint64(32)) | np.uint64((column << 8) | code)


@kernel(
    "(int64, uint32[::1], int64[::1], int64, int64, uint64[:, ::1], int64[::1], int64[::1], int64[::1], int64[::1], "
    "int64[::1], int64[::1], uint64[:, ::1], uint64[:, ::1], int64[::1], int64[::1], uint64[::1], int64)"
)
def touch(
    first: int,
    profiles: U32,
    times_us: I64,
    span: int,
    code: int,
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
    keys: U64,
    used: int,
) -> tuple[int, int]:
    """Note the counters that events move, from event `first` on, as keys: profile << 32 | column << 8 | code.

    Where `span` is -1 the events are new and count in every span that holds their time (firsts[s] <= time <= lasts[s]);
    else they have just entered or left that span. Counter c is column columns[c], over span windows[c], and its events
    need and must not have some `bits`. Those that need none are listed by span (`always`), the others under one of the
    bits that they need (`by_bit`), so that an event looks at few.

    Keys are written from place `used` on. Returns (events done, places used): it stops before an event whose keys might
    not fit.
    """
    low, high = (0, len(firsts)) if span < 0 else (span, span + 1)
    for i in range(first, len(profiles)):
        if used + len(columns) > len(keys):
            return i, used
        for s in range(low, high):
            if span < 0 and not firsts[s] <= times_us[i] <= lasts[s]:
                continue
            for j in range(always_starts[s], always_starts[s + 1]):
                c = always[j]
                if _passes(bits[i], need[c], deny[c]):
                    keys[used] = _key(profiles[i], columns[c], code)
                    used += 1
        for word in range(bits.shape[1]):
            left = bits[i, word]
            while left != np.uint64(0):
                bit = word * 64 + trailing_zeros(left)
                left &= left - np.uint64(1)
                for j in range(bit_starts[bit], bit_starts[bit + 1]):
                    c = by_bit[j]
                    s = windows[c]
                    if span < 0:
                        if not firsts[s] <= times_us[i] <= lasts[s]:
                            continue
                    elif span != s:
                        continue
                    if _passes(bits[i], need[c], deny[c]):
                        keys[used] = _key(profiles[i], columns[c], code)
                        used += 1
    return len(profiles), used


@kernel(
    "(int64, uint64[::1], int64, uint8[:, ::1], int64[::1], int64[::1], int64[::1], int64[::1], int64, int64, "
    "uint64[::1], uint8[::1], int64, int64[:, ::1], int64[:, ::1], int64)"
)
def settle(
    first: int,
    keys: U64,
    first_id: int,
    counts: U8,
    atom_starts: I64,
    atoms: I64,
    lows: I64,
    highs: I64,
    clock: int,
    event: int,
    cells: U64,
    values: U8,
    cell: int,
    toggles: I64,
    full: I64,
    fulls: int,
) -> tuple[int, int, int, int]:
    """What ascending keys make of the cells they name, and which counts thereby come into or go out of a range.

    `counts` are the rows of profiles from `first_id` on, which stay as they are. By column, `atoms` with their ranges
    `lows` and `highs`: (profile, atom, cause) goes to `toggles`, where an atom that flips by the clock alone already
    has the cause `clock`, and `event` otherwise. Each cell goes to `cells` as profile << 32 | column << 8, with what it
    will hold to `values`, from place `cell` on; of those that are full or may become it, (place, held, clock's steps,
    events' steps) goes to `full` from place `fulls` on, and nothing else is said.

    Returns (keys done, next place of cells, toggles, next place of full): it stops before toggles might not fit.
    """
    found = 0
    at = first
    while at < len(keys):
        name = keys[at] >> np.uint64(8)
        column = np.int64(name & np.uint64(0xFFFFFF))
        if found + atom_starts[column + 1] - atom_starts[column] > len(toggles):
            break
        by_clock, by_events = 0, 0
        while at < len(keys) and keys[at] >> np.uint64(8) == name:
            code = np.int64(keys[at] & np.uint64(0xFF))
            if code == ARRIVED:
                by_events += 1
            else:
                by_clock += 1 if code == ENTERED else -1
            at += 1
        profile = np.int64(name >> np.uint64(24))
        old = np.int64(counts[profile - first_id, column])
        middle = old + by_clock
        new = middle + by_events
        cells[cell] = name << np.uint64(8)
        if old == FULL or new >= FULL:
            full[fulls, 0], full[fulls, 1], full[fulls, 2], full[fulls, 3] = cell, old, by_clock, by_events
            fulls += 1
            values[cell] = FULL
        else:
            values[cell] = np.uint8(new)
            for i in range(atom_starts[column], atom_starts[column + 1]):
                was = lows[i] <= old <= highs[i]
                now = lows[i] <= new <= highs[i]
                if was != now:
                    toggles[found, 0] = profile
                    toggles[found, 1] = atoms[i]
                    toggles[found, 2] = clock if (lows[i] <= middle <= highs[i]) == now else event
                    found += 1
        cell += 1
    return at, cell, found, fulls


@kernel("(uint64[::1], int64[::1], int64, int64, int64, int64, uint64[::1])")
def step(keys: U64, addresses: I64, shard_bits: int, words: int, part: int, parts: int, full: U64) -> int:
    """Add one to the cells that keys name, in any order, of counters that nobody listens to yet.

    Rows of `words` words each lie at `addresses`, 2**shard_bits of them at every one. Only profiles of one of several
    parts are stepped, by lines of 64, so that others may step the others meanwhile. A cell that is full, or becomes it,
    goes to `full` (profile << 24 | column) at every such step. Returns how many did.
    """
    found = 0
    low = (np.int64(1) << shard_bits) - 1
    for i in range(len(keys)):
        profile = np.int64(keys[i] >> np.uint64(32))
        if (profile >> 6) % parts != part:
            continue
        column = np.int64((keys[i] >> np.uint64(8)) & np.uint64(0xFFFFFF))
        address = addresses[profile >> shard_bits]
        at = (profile & low) * words + (column >> 3)
        shift = np.uint64(8 * (column & 7))
        word = word_at(address, at)
        held = (word >> shift) & np.uint64(0xFF)
        if held >= np.uint64(FULL - 1):
            full[found] = keys[i] >> np.uint64(8)
            found += 1
        if held < np.uint64(FULL):
            set_word_at(address, at, word + (np.uint64(1) << shift))
    return found


@kernel("(uint64[::1], uint8[::1], int64, uint8[:, ::1])")
def put(cells: U64, values: U8, first_id: int, counts: U8) -> None:
    """Write cells (profile << 32 | column << 8) of the rows of profiles from `first_id` on."""
    for i in range(len(cells)):
        profile = np.int64(cells[i] >> np.uint64(32))
        counts[profile - first_id, np.int64((cells[i] >> np.uint64(8)) & np.uint64(0xFFFFFF))] = values[i]


@kernel("(uint8[:, ::1], int64[::1], int64[::1], int64[::1], uint64[:, ::1])")
def ranges_to_words(counts: U8, columns: I64, lows: I64, highs: I64, words: U64) -> None:
    """words[k] of every row, a bit each: lows[k] <= counts[row, columns[k]] <= highs[k].

    64 rows at a time, which stay in the cache for all ranges.
    """
    for w in range((len(counts) + 63) >> 6):
        rows = min(64, len(counts) - 64 * w)
        for k in range(len(columns)):
            column, low, high = columns[k], lows[k], highs[k]
            word = np.uint64(0)
            for i in range(rows):
                held = np.int64(counts[64 * w + i, column])
                word |= np.uint64((low <= held) & (held <= high)) << np.uint64(i)
            words[k, w] = word
