"""Whom new atoms hold for, a block of profiles at a time: thousands of atoms then need the memory of one block each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine.atoms.rows import Rows
from headcount_engine.conditions.bound import And, Bound, ColumnTest, Complement, Or
from headcount_engine.kernels import tallies as kernels
from headcount_engine.kernels.tallies import FULL
from headcount_engine.limits import BLOCK_BITS, BLOCK_IDS, BLOCK_WORDS
from headcount_engine.model.batches import I64, U64

UNBOUNDED = 1 << 62
"""A count that nobody reaches."""


@dataclass(frozen=True, slots=True, eq=False)
class CountReader:
    """Atoms on counters: the column of each, and the counts (`lows` to `highs`) for which it holds.

    `full`: what full cells of these columns hold, by profile and column.
    """

    rows: Rows[np.uint8]
    columns: I64
    lows: I64
    highs: I64
    full: Mapping[tuple[int, int], int]

    def block(self, number: int, existing: U64, out: U64) -> None:
        """Everyone's bits in one block, a line of words an atom; `existing`: a bit for everyone there is."""
        rows = self.rows.block(number)
        part = np.empty((len(self.columns), (len(rows) + 63) >> 6), dtype=np.uint64)
        highs = np.where(self.highs >= FULL, UNBOUNDED, self.highs)
        kernels.ranges_to_words(rows, self.columns, np.minimum(self.lows, FULL), highs, part)
        out[:, part.shape[1] :] = 0
        out[:, : part.shape[1]] = part
        for (id_, column), held in self.full.items():
            if id_ >> BLOCK_BITS != number:
                continue
            word, bit = (id_ & (BLOCK_IDS - 1)) >> 6, np.uint64(1 << (id_ & 63))
            for place in np.flatnonzero(self.columns == column).tolist():
                out[place, word] &= ~bit
                if self.lows[place] <= held <= self.highs[place]:
                    out[place, word] |= bit
        out &= existing


class Filling:
    """Where the bits of new atoms come from. Any thread may read a block."""

    def __init__(
        self,
        counted: tuple[Sequence[int], CountReader],
        scanned: Sequence[tuple[int, Bound]],
        found: Sequence[tuple[int, U64]],
    ) -> None:
        """By slot: atoms on counters, conditions made of tests on columns, and those found for everyone already."""
        slots, self._counts = counted
        self._counted = len(slots)
        self._scans = [_scan_of(bound) for _, bound in scanned]
        self._found = [words for _, words in found]
        self.slots: I64 = np.array(
            [*slots, *(slot for slot, _ in scanned), *(slot for slot, _ in found)], dtype=np.int64
        )
        """By line of a block, the atom's."""

    def __len__(self) -> int:
        return len(self.slots)

    def room(self) -> U64:
        """Memory for one block, not initialised: u64 of (atoms, BLOCK_WORDS)."""
        return np.empty((len(self), BLOCK_WORDS), dtype=np.uint64)

    def block(self, number: int, existing: U64, out: U64) -> None:
        """The bits of one block into a room; `existing`: a bit for everyone there is, by words of that block."""
        line = self._counted
        if line:
            self._counts.block(number, existing, out[:line])
        for scan in self._scans:
            scan(number, existing, out[line])
            line += 1
        first = number * BLOCK_WORDS
        for words in self._found:
            out[line] = words[first : first + BLOCK_WORDS]
            line += 1


def is_scanned(bound: Bound) -> bool:
    """Whether a condition is made of tests on columns alone."""
    match bound:
        case ColumnTest():
            return True
        case Complement(child):
            return is_scanned(child)
        case And(children) | Or(children):
            return bool(children) and all(map(is_scanned, children))
        case _:
            return False


_Scan = Callable[[int, U64, U64], None]
"""Writes the words of one block, given its number, a bit for everyone there is, and where to."""


def _scan_of(bound: Bound) -> _Scan:
    """A condition made of tests on columns, by scans that leave nothing behind."""
    match bound:
        case ColumnTest(attribute, predicate):
            scan = attribute.column.scan(predicate)
            return lambda number, existing, out: scan(number, out)
        case Complement(child):
            return _inverse(_scan_of(child))
        case And(children) | Or(children):
            combine = np.bitwise_and if isinstance(bound, And) else np.bitwise_or
            return _combined(combine, [_scan_of(child) for child in children])
        case _:
            raise TypeError(bound)


def _inverse(scan: _Scan) -> _Scan:
    def scanned(number: int, existing: U64, out: U64) -> None:
        scan(number, existing, out)
        np.bitwise_not(out, out=out)
        np.bitwise_and(existing, out, out=out)

    return scanned


def _combined(combine: np.ufunc, scans: Sequence[_Scan]) -> _Scan:
    def scanned(number: int, existing: U64, out: U64) -> None:
        scans[0](number, existing, out)
        part = np.empty_like(out)
        for scan in scans[1:]:
            scan(number, existing, part)
            combine(out, part, out=out)

    return scanned
