"""A growing list of different texts, each found by its bytes in 0.3 us and without the GIL.

Serves as the key arena of identities (38 bytes a key against 161 for a Python dict) and as the dictionary of text
columns. Text number i never changes; numbers are dense from 0.
"""

from __future__ import annotations

import os

import numpy as np

from headcount_engine.kernels import texts as kernels
from headcount_engine.model.batches import I64, U8, U32, Texts

BLANK = np.frombuffer("\u212a".encode(), dtype=np.uint8)
"""How a text that was blanked begins. The Kelvin sign is in no text in NFC, so no text that is admitted begins so."""
_SEED = np.uint64(int.from_bytes(os.urandom(8), "little"))


class TextTable:
    """Append-only. One writer; readers may probe at the same time and see a text once it is complete."""

    def __init__(self, *, holds_texts: bool = True) -> None:
        """`holds_texts`: whether the entries are texts, of which some may be blanked, or any bytes."""
        self._holds_texts = holds_texts
        self._arena: U8 = np.empty(1 << 12, dtype=np.uint8)
        self._starts: I64 = np.zeros(1 << 8, dtype=np.int64)
        self._table: U32 = np.zeros(1 << 9, dtype=np.uint32)
        self._count = 0
        self._blanks: I64 = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> bytes:
        starts = self._starts
        return self._arena[starts[number] : starts[number + 1]].tobytes()

    def find(self, texts: Texts) -> I64:
        """Number of each text, -1 where it is not there: i64 of n."""
        out = np.empty(len(texts), dtype=np.int64)
        if len(texts):
            # The count first: what it covers is in every array taken after it, however far the writer has moved on.
            count = self._count
            kernels.find_texts(
                texts.data, texts.offsets, self._arena, self._starts, self._table, _SEED, count, out
            )
        return out

    def find_one(self, text: str) -> int:
        """Number of one text, or -1."""
        count = self._count
        data: U8 = np.frombuffer(bytearray(text, "utf-8", "surrogatepass"), dtype=np.uint8)
        return kernels.find_text(data, self._arena, self._starts, self._table, _SEED, count)

    def intern(self, texts: Texts) -> I64:
        """Number of each text, appending those that are missing: i64 of n."""
        self._reserve(len(texts), int(texts.offsets[-1]))
        out = np.empty(len(texts), dtype=np.int64)
        self._count = int(
            kernels.intern_texts(
                texts.data, texts.offsets, self._arena, self._starts, self._table, _SEED, self._count, out
            )
        )
        return out

    def extend(self, texts: Texts) -> None:
        """Append texts that are not in the table, blanked ones among them, under the next numbers."""
        first, size = self._count, len(texts.data)
        self._reserve(len(texts), size)
        at = int(self._starts[first])
        self._arena[at : at + size] = texts.data
        end = first + len(texts)
        self._starts[first + 1 : end + 1] = texts.offsets[1:] + at
        if self._holds_texts:
            self._blanks = np.concatenate([self._blanks, first + _blank_rows(texts)])
        kernels.fill_table(self._arena, self._starts, self._blanks, first, end, _SEED, self._table)
        self._count = end

    def blanked(self, numbers: I64) -> U8:
        """A copy of all bytes in which these texts are overwritten with nothing, at their length; for `blank`.

        Texts of less than three bytes become NULs, so they must be of a kind that admits no control characters.
        """
        arena = self._arena.copy()
        for number in numbers.tolist():
            held = arena[self._starts[number] : self._starts[number + 1]]
            held[:] = 0
            if len(held) >= len(BLANK):
                held[: len(BLANK)] = BLANK
        return arena

    def blank(self, numbers: I64, arena: U8) -> None:
        """Take what `blanked` gave, with no other change in between; `find` and `intern` no longer know the texts.

        Who reads the old bytes at the time goes on with them.
        """
        self._arena = arena
        self._blanks = np.union1d(self._blanks, numbers)

    def slice(self, first: int, end: int) -> Texts:
        """Texts first .. end - 1, sharing the arena's bytes."""
        starts = self._starts[first : end + 1]
        return Texts(self._arena[starts[0] : starts[-1]], starts - starts[0])

    def take(self, numbers: I64) -> Texts:
        """The texts with these numbers, copied out in that order."""
        # The starts first: their texts are in every arena taken after them.
        starts = self._starts
        return take_texts(self._arena, starts, numbers)

    @property
    def blanks(self) -> I64:
        """Numbers of the texts that were blanked, ascending."""
        return self._blanks

    @property
    def raw(self) -> tuple[U8, I64]:
        """(bytes, starts): text i is bytes[starts[i]:starts[i + 1]] for i < len(self)."""
        return self._arena, self._starts

    @property
    def nbytes(self) -> int:
        """Bytes in use: arena, starts and the whole table."""
        return int(self._starts[self._count]) + 8 * self._count + self._table.nbytes

    def _reserve(self, texts: int, size: int) -> None:
        """Make room; arrays are replaced, never moved under a reader."""
        used = int(self._starts[self._count])
        if used + size > len(self._arena):
            arena = np.empty(max(2 * len(self._arena), used + size), dtype=np.uint8)
            arena[:used] = self._arena[:used]
            self._arena = arena
        need = self._count + texts
        if need + 1 > len(self._starts):
            starts = np.zeros(max(2 * len(self._starts), need + 1), dtype=np.int64)
            starts[: self._count + 1] = self._starts[: self._count + 1]
            self._starts = starts
        if 2 * need > len(self._table):
            table = np.zeros(1 << (2 * need - 1).bit_length(), dtype=np.uint32)
            kernels.fill_table(self._arena, self._starts, self._blanks, 0, self._count, _SEED, table)
            self._table = table


def take_texts(arena: U8, starts: I64, numbers: I64) -> Texts:
    """The texts with these numbers of a table whose `raw` this was, copied out in that order."""
    begins = starts[numbers]
    offsets = np.zeros(len(numbers) + 1, dtype=np.int64)
    np.cumsum(starts[numbers + 1] - begins, out=offsets[1:])
    out = np.empty(int(offsets[-1]), dtype=np.uint8)
    kernels.gather_texts(arena, begins, out, offsets)
    return Texts(out, offsets)


def _blank_rows(texts: Texts) -> I64:
    """Which of the texts were blanked."""
    starts = texts.offsets[:-1]
    rows = np.flatnonzero(np.diff(texts.offsets) >= len(BLANK))
    for i, byte in enumerate(BLANK.tolist()):
        rows = rows[texts.data[starts[rows] + i] == byte]
    return rows.astype(np.int64)
