"""A row of bits or counters for every profile, by shards of 2**20 ids.

Only the writer reads and writes rows; what others may see is copied out under the gate. Memory is taken from the system
untouched, so that the room ahead of the last profile costs nothing until it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from headcount_engine.evaluation.threads import shares, side_by_side
from headcount_engine.kernels import members as kernels
from headcount_engine.limits import BLOCK_IDS, BLOCK_WORDS
from headcount_engine.model.batches import I64, U64, Mask

SHARD_BITS = 20
SHARD_ROWS = 1 << SHARD_BITS
_LEAST_ROWS = 1 << 12
_GATHERED_LEAST = 1_000
"""So many rows are worth a thread."""
_TRANSPOSED_MIN = 6
"""From so many columns on, blocks of 64 by 64 bits are turned at once."""

Cell = TypeVar("Cell", bound=np.generic)


class Rows(Generic[Cell]):
    """n rows of `width` cells, 0 where nothing was written. Widths are whole multiples of `step`."""

    def __init__(self, dtype: type[Cell], step: int) -> None:
        self._dtype = dtype
        self._step = step
        self.width = step
        self.ids_end = 0
        self._shards: list[NDArray[Cell]] = []

    def ensure(self, ids_end: int) -> None:
        """Make room for ids below `ids_end`."""
        self.ids_end = max(self.ids_end, ids_end)
        last = (self.ids_end - 1) >> SHARD_BITS
        while len(self._shards) <= last:
            self._shards.append(np.zeros((0, self.width), dtype=self._dtype))
        for number, shard in enumerate(self._shards):
            wanted = min(self.ids_end - (number << SHARD_BITS), SHARD_ROWS)
            if wanted > len(shard):
                rows = max(_LEAST_ROWS, 1 << (wanted - 1).bit_length())
                self._shards[number] = _grown(shard, rows, self.width)

    def widen(self, cells: int) -> None:
        """Make rows at least this wide, with some room ahead."""
        if cells <= self.width:
            return
        wanted = max(cells, self.width + self.width // 4)
        self.width = -(-wanted // self._step) * self._step
        self._shards = [_grown(shard, len(shard), self.width) for shard in self._shards]

    def gather(self, ids: I64) -> NDArray[Cell]:
        """A copy of the rows of ascending ids: (n, width). Raises IndexError where one has no row."""
        if len(ids) and not 0 <= int(ids[0]) <= int(ids[-1]) < self.ids_end:
            raise IndexError(f"ids up to {int(ids[-1])} of {self.ids_end} rows")
        out = np.empty((len(ids), self.width), dtype=self._dtype)
        parts = [
            (number, start + first, start + last)
            for number, start, end in shard_cuts(ids)
            for first, last in shares(end - start, _GATHERED_LEAST)
        ]

        def gather(part: tuple[int, int, int]) -> None:
            number, start, end = part
            kernels.gather(self._shards[number], ids[start:end], number << SHARD_BITS, out[start:end])

        side_by_side(parts, gather)
        return out

    def scatter(self, ids: I64, rows: NDArray[Cell]) -> None:
        """Write rows of ascending ids."""
        for number, start, end in shard_cuts(ids):
            self._shards[number][ids[start:end] & (SHARD_ROWS - 1)] = rows[start:end]

    def row(self, id_: int) -> NDArray[Cell]:
        """A copy of one row; zeros for an id that has none."""
        if id_ >= self.ids_end:
            return np.zeros(self.width, dtype=self._dtype)
        row: NDArray[Cell] = self._shards[id_ >> SHARD_BITS][id_ & (SHARD_ROWS - 1)].copy()
        return row

    def bit(self, id_: int, at: int) -> bool:
        """Bit `at` of one row of u64; False for an id that has none."""
        if id_ >= self.ids_end:
            return False
        word = self._shards[id_ >> SHARD_BITS].item(id_ & (SHARD_ROWS - 1), at >> 6)
        return bool((word >> (at & 63)) & 1)

    def bits(self, ids: I64, places: I64) -> Mask:
        """Some bits of rows of u64, for ids in any order: bool of (n, places); False for ids that have no row."""
        found = np.zeros((len(ids), len(places)), dtype=np.bool_)
        shifts = (places & 63).astype(np.uint64)
        for first, shard in self.shards():
            own = np.flatnonzero((ids >= first) & (ids < first + len(shard)))
            words = shard[(ids[own] - first)[:, np.newaxis], places >> 6].view(np.uint64)
            found[own] = (words >> shifts) & np.uint64(1)
        return found

    def shards(self) -> list[tuple[int, NDArray[Cell]]]:
        """(first id, the rows in use) of every shard; written in place by the writer alone."""
        return [
            (number << SHARD_BITS, shard[: min(len(shard), self.ids_end - (number << SHARD_BITS))])
            for number, shard in enumerate(self._shards)
        ]

    def block(self, number: int) -> NDArray[Cell]:
        """The rows in use of one block of ids, in place: fewer than BLOCK_IDS, or none, where they end."""
        first = number * BLOCK_IDS
        if first >= self.ids_end:
            return np.empty((0, self.width), dtype=self._dtype)
        at = first & (SHARD_ROWS - 1)
        return self._shards[first >> SHARD_BITS][at : at + min(BLOCK_IDS, self.ids_end - first)]

    @property
    def nbytes(self) -> int:
        """Of the rows in use."""
        return self.ids_end * self.width * np.dtype(self._dtype).itemsize


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """Bits that turn, each named by an id and its place in the row: i64 of n both."""

    ids: I64
    bits: I64


def turn(rows: Rows[np.uint64], turned: Turned) -> None:
    """Turn bits. One that is named twice stays as it is."""
    for first, shard in rows.shards():
        kernels.turn_bits(turned.ids, turned.bits, first, shard)


def put_columns(rows: Rows[np.uint64], words: Mapping[int, U64]) -> None:
    """Write whole columns of bits: by column, words with a bit for each id."""
    for first, shard in rows.shards():
        if len(words) < _TRANSPOSED_MIN:
            for at, column in words.items():
                kernels.words_to_column(_own(column, first, len(shard)), at, shard)
            continue
        held = {at: _own(column, first, len(shard)) for at, column in words.items()}
        chosen = np.array(sorted({at >> 6 for at in words}), dtype=np.int64)
        line_of = {word: line for line, word in enumerate(chosen.tolist())}
        addresses = np.zeros((len(chosen), 64), dtype=np.int64)
        keep = np.full(len(chosen), np.uint64((1 << 64) - 1))
        for at, column in held.items():
            line = line_of[at >> 6]
            addresses[line, at & 63] = column.ctypes.data
            keep[line] &= ~np.uint64(1 << (at & 63))
        kernels.put_columns(addresses, keep, chosen, shard)


def column_words(rows: Rows[np.uint64], at: int, blocks: int) -> U64:
    """One column of bits as so many blocks of words."""
    words = np.zeros(blocks * BLOCK_WORDS, dtype=np.uint64)
    for first, shard in rows.shards():
        own = words[first >> 6 : (first >> 6) + ((len(shard) + 63) >> 6)]
        kernels.column_to_words(shard, at, own)
    return words


class ColumnWriter:
    """Writes columns of bits a block of ids at a time, always the same columns."""

    def __init__(self, rows: Rows[np.uint64], columns: I64) -> None:
        """`columns`: the places of the bits, in any order, each once."""
        self._rows = rows
        self._words = np.unique(columns >> 6)
        self._lines = np.searchsorted(self._words, columns >> 6), columns & 63
        bits = np.zeros(len(self._words), dtype=np.uint64)
        np.bitwise_or.at(bits, self._lines[0], np.uint64(1) << (columns & 63).astype(np.uint64))
        self._keep = ~bits

    def put(self, number: int, lines: I64) -> None:
        """Write one block: `lines` are the addresses of its BLOCK_WORDS words, column by column in their order."""
        places = np.zeros((len(self._words), 64), dtype=np.int64)
        places[self._lines] = lines
        kernels.put_columns(places, self._keep, self._words, self._rows.block(number))


def column_of_block(rows: Rows[np.uint64], at: int, number: int, out: U64) -> None:
    """One column of bits in one block of ids, as words, into `out`."""
    kernels.column_to_words(rows.block(number), at, out)


def addresses(lines: U64) -> I64:
    """Where each line of a contiguous array lies in memory."""
    return lines.ctypes.data + lines.strides[0] * np.arange(len(lines), dtype=np.int64)


def _own(words: U64, first: int, rows: int) -> U64:
    """The words for so many rows from id `first` on, zeros where there are none."""
    wanted = (rows + 63) >> 6
    part = words[first >> 6 : (first >> 6) + wanted]
    if len(part) == wanted:
        return np.ascontiguousarray(part)
    out = np.zeros(wanted, dtype=np.uint64)
    out[: len(part)] = part
    return out


def shard_cuts(ids: I64) -> list[tuple[int, int, int]]:
    """(shard, from, to) for every shard that the ascending ids fall in."""
    if not len(ids):
        return []
    first, last = int(ids[0]) >> SHARD_BITS, int(ids[-1]) >> SHARD_BITS
    if first == last:
        return [(first, 0, len(ids))]
    edges = np.searchsorted(ids, np.arange(first, last + 2, dtype=np.int64) << SHARD_BITS).tolist()
    return [
        (shard, edges[i], edges[i + 1])
        for i, shard in enumerate(range(first, last + 1))
        if edges[i] < edges[i + 1]
    ]


def _grown(shard: NDArray[Cell], rows: int, width: int) -> NDArray[Cell]:
    grown = np.zeros((rows, width), dtype=shard.dtype)
    grown[: len(shard), : shard.shape[1]] = shard
    return grown
