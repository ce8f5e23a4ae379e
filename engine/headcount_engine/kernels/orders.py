"""Loops over values in order: sorting and merging (value, id) pairs, what a batch does to a rank, keys in byte order.

Values are i64; the least one stands for "no value". Texts lie end to end, text i is data[offsets[i]:offsets[i + 1]],
and are compared byte by byte, a text before its continuations.
"""

from __future__ import annotations

import numpy as np

from headcount_engine.kernels.jit import inline_kernel, kernel
from headcount_engine.model.batches import I64, U8, U32, U64

DIGIT_BITS = 11
"""Bits that one pass of the sort looks at: 2,048 counters stay in the first-level cache."""
STACK = 128
"""Room that `select_texts` needs for the parts it puts off: two numbers for each halving of 2**64."""

_FEW = 12
_ABSENT = np.iinfo(np.int64).min


@kernel("(uint64[::1], uint32[::1], uint64[::1], uint32[::1], int64, int64[::1])")
def sort_pairs(keys: U64, ids: U32, other_keys: U64, other_ids: U32, bits: int, counts: I64) -> bool:
    """Stable radix sort of pairs by the low `bits` bits of their keys. 4 ns a pair and pass of 11 bits.

    `other_*` are scratch of the same lengths, `counts` of 2,048. True if the result is in the scratch arrays.
    """
    digit = np.uint64((1 << DIGIT_BITS) - 1)
    is_other = False
    for shift in range(0, bits, DIGIT_BITS):
        counts[:] = 0
        for i in range(len(keys)):
            counts[np.int64((keys[i] >> np.uint64(shift)) & digit)] += 1
        total = 0
        for d in range(len(counts)):
            here = counts[d]
            counts[d] = total
            total += here
        for i in range(len(keys)):
            bucket = np.int64((keys[i] >> np.uint64(shift)) & digit)
            place = counts[bucket]
            other_keys[place] = keys[i]
            other_ids[place] = ids[i]
            counts[bucket] = place + 1
        keys, other_keys = other_keys, keys
        ids, other_ids = other_ids, ids
        is_other = not is_other
    return is_other


@kernel(
    "(int64[::1], uint32[::1], int64[::1], uint32[::1], boolean, uint64[::1], int64[::1], uint32[::1])",
)
def merge_pairs(
    older: I64, older_ids: U32, newer: I64, newer_ids: U32, is_last: bool, marks: U64, out: I64, out_ids: U32
) -> int:
    """Merge two runs in order of value; an id of the newer run takes its older entry out. Returns how many are left.

    `is_last`: there is no run before the older one, so "no value" need not be remembered. `marks` has a bit for every
    id, zeroed, and is so again afterwards. `out` has room for both. 3 ns an entry.
    """
    for j in range(len(newer_ids)):
        marks[newer_ids[j] >> np.uint32(6)] |= np.uint64(1) << np.uint64(newer_ids[j] & np.uint32(63))
    count = 0
    j = 0
    if is_last:
        while j < len(newer) and newer[j] == _ABSENT:
            j += 1
    for i in range(len(older)):
        while j < len(newer) and newer[j] < older[i]:
            out[count] = newer[j]
            out_ids[count] = newer_ids[j]
            count += 1
            j += 1
        who = older_ids[i]
        if (marks[who >> np.uint32(6)] >> np.uint64(who & np.uint32(63))) & np.uint64(1) == 0:
            out[count] = older[i]
            out_ids[count] = who
            count += 1
    while j < len(newer):
        out[count] = newer[j]
        out_ids[count] = newer_ids[j]
        count += 1
        j += 1
    for j in range(len(newer_ids)):
        marks[newer_ids[j] >> np.uint32(6)] = np.uint64(0)
    return count


@kernel("(int64[::1], int64[::1], int64, boolean, int64[::1])")
def count_crossings(old: I64, new: I64, edge: int, is_top: bool, out: I64) -> None:
    """What a batch does to a rank's edge. 1 ns a row.

    out[0]: by how much the number of values before the edge grows (above it for the top, below it for the bottom);
    out[1]: by how much that of values at it grows; out[2]: rows that were or are before it or at it.
    """
    before = 0
    tied = 0
    touched = 0
    for i in range(len(old)):
        was_tied = old[i] == edge
        is_tied = new[i] == edge
        if is_top:
            was = old[i] > edge
            now = new[i] > edge
        else:
            was = old[i] < edge and old[i] != _ABSENT
            now = new[i] < edge and new[i] != _ABSENT
        before += int(now) - int(was)
        tied += int(is_tied) - int(was_tied)
        touched += int(was or now or was_tied or is_tied)
    out[0] = before
    out[1] = tied
    out[2] = touched


@inline_kernel
def _is_before(a: U8, a_start: int, a_end: int, b: U8, b_start: int, b_end: int) -> bool:
    """Whether a[a_start:a_end] comes before b[b_start:b_end]."""
    shared = min(a_end - a_start, b_end - b_start)
    for i in range(shared):
        x, y = a[a_start + i], b[b_start + i]
        if x != y:
            return bool(x < y)
    return bool(a_end - a_start < b_end - b_start)


@kernel("(uint8[::1], int64[::1], uint8[::1], uint8[::1])")
def texts_at_most(data: U8, offsets: I64, text: U8, out: U8) -> None:
    """out[i] = 1 where text i does not come after `text`, else 0."""
    for i in range(len(offsets) - 1):
        out[i] = not _is_before(text, 0, len(text), data, offsets[i], offsets[i + 1])


@kernel("(uint8[::1], int64[::1], int64[::1], int64, int64, int64[::1])")
def select_texts(data: U8, offsets: I64, order: I64, first: int, end: int, stack: I64) -> None:
    """Permute `order` (numbers of texts) until order[first:end] holds what a full sort would put there, sorted.

    What precedes is before these, what follows after, in no order. Quicksort (Hoare, 1961) that passes over the parts
    outside; pivots are drawn, so that no arrangement of keys is bad every time. `stack`: i64 of STACK.
    """
    drawn = np.uint64(0x9E3779B97F4A7C15)
    depth = 0
    low, high = 0, len(order)
    while True:
        while high - low > _FEW and low < end and high > first:
            drawn ^= drawn << np.uint64(13)
            drawn ^= drawn >> np.uint64(7)
            drawn ^= drawn << np.uint64(17)
            pivot = order[low + np.int64(drawn % np.uint64(high - low))]
            start, stop = offsets[pivot], offsets[pivot + 1]
            i, j = low, high - 1
            while i <= j:
                while _is_before(data, offsets[order[i]], offsets[order[i] + 1], data, start, stop):
                    i += 1
                while _is_before(data, start, stop, data, offsets[order[j]], offsets[order[j] + 1]):
                    j -= 1
                if i <= j:
                    order[i], order[j] = order[j], order[i]
                    i += 1
                    j -= 1
            # [low, j] are not after the pivot, [i, high) not before it; the larger part waits.
            if j + 1 - low > high - i:
                stack[depth], stack[depth + 1] = low, j + 1
                low = i
            else:
                stack[depth], stack[depth + 1] = i, high
                high = j + 1
            depth += 2
        if low < end and high > first:
            for i in range(low + 1, high):
                moved = order[i]
                start, stop = offsets[moved], offsets[moved + 1]
                j = i
                while j > low and _is_before(
                    data, start, stop, data, offsets[order[j - 1]], offsets[order[j - 1] + 1]
                ):
                    order[j] = order[j - 1]
                    j -= 1
                order[j] = moved
        if depth == 0:
            return
        depth -= 2
        low, high = stack[depth], stack[depth + 1]
