"""Membership of profiles in segments, a profile at a time: rows of bits in, flips out.

A row of `atoms` holds one bit for each atom of a profile, a row of `members` one for each segment, 64 to a word. A
segment's program is a postfix list of i64 codes, `op + 8 * arg`; COUNT takes two more codes, the least and the most.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headcount_engine.kernels.bits import trailing_zeros
from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.kernels.machine import set_word_at, word_at
from headcount_engine.model.batches import I64, U8, U64

ATOM = 0
"""Push a bit of the profile's atoms."""
MEMBER = 1
"""Push whether the profile is in another segment, which comes earlier in the order."""
CONST = 2
NOT = 3
AND = 4
OR = 5
COUNT = 6
"""AND, OR and COUNT combine the topmost `arg` values."""


@inline_kernel
def _bit(row: U64, at: int) -> np.uint8:
    return np.uint8((row[at >> 6] >> np.uint64(at & 63)) & np.uint64(1))


@inline_kernel
def _run(codes: I64, start: int, end: int, atoms: U64, members: U64, stack: U8) -> np.uint8:
    """The value of one program for one profile."""
    top = -1
    at = start
    while at < end:
        op = codes[at] & 7
        arg = codes[at] >> 3
        at += 1
        if op == ATOM:
            top += 1
            stack[top] = _bit(atoms, arg)
        elif op == MEMBER:
            top += 1
            stack[top] = _bit(members, arg)
        elif op == CONST:
            top += 1
            stack[top] = np.uint8(arg)
        elif op == NOT:
            stack[top] ^= np.uint8(1)
        else:
            total = 0
            for i in range(top - arg + 1, top + 1):
                total += stack[i]
            top -= arg - 1
            if op == AND:
                stack[top] = np.uint8(total == arg)
            elif op == OR:
                stack[top] = np.uint8(total > 0)
            else:
                stack[top] = np.uint8((codes[at] <= total) & (total <= codes[at + 1]))
                at += 2
    value: np.uint8 = stack[0]
    return value


@inline_kernel
def _ask(ranks: I64, start: int, end: int, cause: int, pending: U64, causes: U8) -> None:
    """Note that some segments have to be asked again, and why: of several causes the least."""
    for i in range(start, end):
        rank = ranks[i]
        pending[rank >> 6] |= np.uint64(1) << np.uint64(rank & 63)
        if cause < causes[rank]:
            causes[rank] = np.uint8(cause)


@kernel("(int64[::1], int64, int64, uint64[::1], uint64[::1], uint8[::1])")
def value_of(codes: I64, start: int, end: int, atoms: U64, members: U64, stack: U8) -> int:
    """The value of the program codes[start:end] for one profile."""
    return int(_run(codes, start, end, atoms, members, stack))


@inline_kernel
def _draw_one(codes: I64, start: int, end: int, atoms: I64, members: I64, existing: U64, stack: U64) -> None:
    """One program over words, a bit a profile; its value is left in the first line of the stack."""
    top = -1
    at = start
    while at < end:
        op = codes[at] & 7
        arg = codes[at] >> 3
        at += 1
        if op in (ATOM, MEMBER):
            top += 1
            address = atoms[arg] if op == ATOM else members[arg]
            for w in range(len(existing)):
                stack[top, w] = word_at(address, w)
        elif op == CONST:
            top += 1
            for w in range(len(existing)):
                stack[top, w] = existing[w] if arg else np.uint64(0)
        elif op == NOT:
            for w in range(len(existing)):
                stack[top, w] = existing[w] & ~stack[top, w]
        else:
            first = top - arg + 1
            if op == COUNT:
                for w in range(len(existing)):
                    stack[first, w] = _counted(
                        stack[first : top + 1], w, codes[at], codes[at + 1], existing[w]
                    )
                at += 2
            elif arg == 0:
                for w in range(len(existing)):
                    stack[first, w] = existing[w] if op == AND else np.uint64(0)
            else:
                for i in range(first + 1, top + 1):
                    if op == AND:
                        for w in range(len(existing)):
                            stack[first, w] &= stack[i, w]
                    else:
                        for w in range(len(existing)):
                            stack[first, w] |= stack[i, w]
            top = first


@inline_kernel
def _counted(lines: U64, w: int, low: int, high: int, existing: np.uint64) -> np.uint64:
    """Word `w`: where from `low` to `high` of the lines have a bit."""
    found = np.uint64(0)
    for b in range(64):
        total = np.int64(0)
        for i in range(len(lines)):
            total += np.int64((lines[i, w] >> np.uint64(b)) & np.uint64(1))
        found |= np.uint64((low <= total) & (total <= high)) << np.uint64(b)
    return found & existing


@kernel(
    "(int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], int64[::1], uint64[::1], uint64[:, ::1])"
)
def draw(
    outs: I64, becomes: I64, starts: I64, codes: I64, atoms: I64, members: I64, existing: U64, stack: U64
) -> None:
    """Programs over words of everyone, one after the other: program p is codes[starts[p]:starts[p + 1]].

    `atoms` and `members` hold the addresses of words, by slot, as many as `existing`, which has a bit for everyone
    there is. Words of program p go to the address outs[p], which from there on is that of member becomes[p], or where
    that is below 0, of atom -1 - becomes[p]. The stack has a line for each value a program holds at once.
    """
    for p in range(len(outs)):
        _draw_one(codes, starts[p], starts[p + 1], atoms, members, existing, stack)
        for w in range(len(existing)):
            set_word_at(outs[p], w, stack[0, w])
        if becomes[p] < 0:
            atoms[-1 - becomes[p]] = outs[p]
        else:
            members[becomes[p]] = outs[p]


@kernel(
    "(int64, int64[::1], int64[::1], uint8[::1], uint64[:, ::1], uint64[:, ::1], int64[::1], int64[::1], int64[::1], "
    "int64[::1], int64[::1], int64[::1], int64[::1], uint8[::1], uint64[::1], uint8[::1], int64[:, ::1])"
)
def evaluate(
    first: int,
    toggle_starts: I64,
    toggled: I64,
    toggle_causes: U8,
    atoms: U64,
    members: U64,
    user_starts: I64,
    users: I64,
    follower_starts: I64,
    followers: I64,
    slots: I64,
    code_starts: I64,
    codes: I64,
    stack: U8,
    pending: U64,
    causes: U8,
    flips: I64,
) -> tuple[int, int]:
    """Apply the toggles of each row from `first` on, ask the segments they touch, note who flipped.

    Row r has the toggles toggle_starts[r] .. toggle_starts[r + 1]: `toggled` atoms, which flip, with their causes. By
    atom, `users` are the ranks of the segments that read it; by rank, `followers` are the ranks of segments that
    refer to it, all later; `slots` is the place of each rank in a row of `members`, and `codes` its program. `pending`
    (a bit a rank, all 0), `causes` (a byte a rank, all 255) and `stack` are scratch, left as they came.

    A flip is (row, slot, 1 for joined, cause). Returns (rows done, flips noted): it stops before a row whose flips
    might not fit.
    """
    found = 0
    ranks = len(slots)
    for row in range(first, len(toggle_starts) - 1):
        if found + ranks > len(flips):
            return row, found
        for i in range(toggle_starts[row], toggle_starts[row + 1]):
            atom = toggled[i]
            atoms[row, atom >> 6] ^= np.uint64(1) << np.uint64(atom & 63)
            _ask(users, user_starts[atom], user_starts[atom + 1], toggle_causes[i], pending, causes)
        for word in range(len(pending)):
            while pending[word] != np.uint64(0):
                rank = word * 64 + trailing_zeros(pending[word])
                pending[word] &= pending[word] - np.uint64(1)
                cause = causes[rank]
                causes[rank] = np.uint8(255)
                slot = slots[rank]
                value = _run(codes, code_starts[rank], code_starts[rank + 1], atoms[row], members[row], stack)
                if value != _bit(members[row], slot):
                    members[row, slot >> 6] ^= np.uint64(1) << np.uint64(slot & 63)
                    flips[found, 0] = row
                    flips[found, 1] = slot
                    flips[found, 2] = value
                    flips[found, 3] = cause
                    found += 1
                    _ask(followers, follower_starts[rank], follower_starts[rank + 1], cause, pending, causes)
    return len(toggle_starts) - 1, found


@kernel("(uint64[:, ::1], uint64[:, ::1], int64, int64, int64[:, ::1])")
def differences(before: U64, after: U64, cause: int, first: int, flips: I64) -> tuple[int, int]:
    """Flips between two states of some rows, from row `first` on; returns as evaluate does."""
    found = 0
    for row in range(first, len(before)):
        if found + 64 * before.shape[1] > len(flips):
            return row, found
        for word in range(before.shape[1]):
            left = before[row, word] ^ after[row, word]
            while left != np.uint64(0):
                at = trailing_zeros(left)
                left &= left - np.uint64(1)
                flips[found, 0] = row
                flips[found, 1] = word * 64 + at
                flips[found, 2] = np.int64((after[row, word] >> np.uint64(at)) & np.uint64(1))
                flips[found, 3] = cause
                found += 1
    return len(before), found


@kernel(*(f"({t}[:, ::1], int64[::1], int64, {t}[:, ::1])" for t in ("uint64", "uint8")))
def gather(rows: NDArray[Any], ids: I64, first_id: int, out: NDArray[Any]) -> None:
    """out[i] = the row of ids[i]; `rows` are those from `first_id` on, and every id has one."""
    for i in range(len(ids)):
        row = ids[i] - first_id
        for w in range(rows.shape[1]):
            out[i, w] = rows[row, w]


@kernel("(uint64[:, ::1], int64, uint64[::1])")
def column_to_words(rows: U64, at: int, words: U64) -> None:
    """Bit `at` of every row as words; `words` has room for all rows."""
    word, shift = at >> 6, np.uint64(at & 63)
    for w in range(len(words)):
        value = np.uint64(0)
        for i in range(min(64, len(rows) - 64 * w)):
            value |= ((rows[64 * w + i, word] >> shift) & np.uint64(1)) << np.uint64(i)
        words[w] = value


@kernel("(uint64[::1], int64, uint64[:, ::1])")
def words_to_column(words: U64, at: int, rows: U64) -> None:
    """Set bit `at` of every row to what the words say."""
    word, shift = at >> 6, np.uint64(at & 63)
    keep = ~(np.uint64(1) << shift)
    for i in range(len(rows)):
        bit = (words[i >> 6] >> np.uint64(i & 63)) & np.uint64(1)
        rows[i, word] = (rows[i, word] & keep) | (bit << shift)


@inline_kernel
def _turn(block: U64) -> None:
    """Transpose 64 words of 64 bits, by the halving exchange of Hacker's Delight 7-3."""
    half = 32
    mask = np.uint64(0x00000000FFFFFFFF)
    while half:
        k = 0
        while k < 64:
            moved = ((block[k] >> np.uint64(half)) ^ block[k + half]) & mask
            block[k] ^= moved << np.uint64(half)
            block[k + half] ^= moved
            k = (k + half + 1) & ~half
        half >>= 1
        mask ^= mask << np.uint64(half)


@kernel("(uint64[:, ::1], uint64, int64, uint64[:, ::1])")
def transpose(columns: U64, keep: np.uint64, word: int, rows: U64) -> None:
    """Write 64 columns of bits (words each, one a line) as word `word` of the rows; bits of `keep` stay as they are."""
    block = np.empty(64, dtype=np.uint64)
    for w in range((len(rows) + 63) >> 6):
        for i in range(64):
            block[i] = columns[i, w]
        _turn(block)
        for i in range(min(64, len(rows) - 64 * w)):
            rows[64 * w + i, word] = (rows[64 * w + i, word] & keep) | (block[i] & ~keep)


@kernel("(int64[::1], int64[::1], int64, uint64[:, ::1])")
def turn_bits(ids: I64, bits: I64, first_id: int, rows: U64) -> None:
    """Turn bit bits[i] of the row of ids[i]; `rows` are those from `first_id` on, other ids are left out."""
    for i in range(len(ids)):
        row = ids[i] - first_id
        if 0 <= row < len(rows):
            rows[row, bits[i] >> 6] ^= np.uint64(1) << np.uint64(bits[i] & 63)


@kernel("(int64[:, ::1], uint64[::1], int64[::1], uint64[:, ::1])")
def put_columns(addresses: I64, keep: U64, words: I64, rows: U64) -> None:
    """As `transpose`, for many words of the rows: words[k] from the columns at addresses[k], none where that is 0.

    A column has a bit for each row. Some thousand rows are finished before the next are touched, so that a row, which
    lies in one place, is not fetched anew for every word of it.
    """
    block = np.empty(64, dtype=np.uint64)
    total = (len(rows) + 63) >> 6
    for first in range(0, total, 64):
        for k in range(len(words)):
            word = words[k]
            for w in range(first, min(first + 64, total)):
                for i in range(64):
                    block[i] = word_at(addresses[k, i], w) if addresses[k, i] else np.uint64(0)
                _turn(block)
                for i in range(min(64, len(rows) - 64 * w)):
                    rows[64 * w + i, word] = (rows[64 * w + i, word] & keep[k]) | (block[i] & ~keep[k])


@kernel("(uint64[::1], int64[::1], int64[::1])")
def set_places(row: U64, places: I64, out: I64) -> int:
    """places[i] for every set bit i of one row, but for those below 0; returns how many."""
    found = 0
    for word in range(len(row)):
        left = row[word]
        while left != np.uint64(0):
            place = places[word * 64 + trailing_zeros(left)]
            left &= left - np.uint64(1)
            if place >= 0:
                out[found] = place
                found += 1
    return found
