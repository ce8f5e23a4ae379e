"""Rows of counted joins and leaves, of all segments together, in the order of time.

A row says how many joined and left one segment between two minutes. Old rows are rolled up: minutes into hours, hours
into days. What is captured shares memory and, but for both ends of a tier, is the same each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import StoreDamaged
from headcount_engine.indexes.state import Plain
from headcount_engine.model.batches import I64, U32, Mask

U16 = NDArray[np.uint16]
_FROZEN_ROWS = 16_384
_U32_MAX = (1 << 32) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """n rows: 22 bytes each.

    segment       u32: its number
    first         i64: the first minute since the epoch with a change
    span          u16: how many minutes later the last change was
    joined, left  u32
    """

    segment: U32
    first: I64
    span: U16
    joined: U32
    left: U32

    def __len__(self) -> int:
        return len(self.segment)

    def at(self, which: Mask | slice) -> Rows:
        return Rows(
            self.segment[which], self.first[which], self.span[which], self.joined[which], self.left[which]
        )

    def plain(self) -> list[NDArray[np.generic]]:
        return [self.segment, self.first, self.span, self.joined, self.left]

    @staticmethod
    def restore(plain: Sequence[NDArray[np.generic]]) -> Rows:
        """The rows; raises StoreDamaged."""
        dtypes = [np.uint32, np.int64, np.uint16, np.uint32, np.uint32]
        if (
            len(plain) != len(dtypes)
            or len({len(array) for array in plain}) != 1
            or any(array.dtype != dtype for array, dtype in zip(plain, dtypes, strict=True))
        ):
            raise StoreDamaged("a history whose columns do not fit together")
        return Rows(*plain)  # type: ignore[arg-type]


NO_ROWS = Rows(
    np.zeros(0, dtype=np.uint32),
    np.zeros(0, dtype=np.int64),
    np.zeros(0, dtype=np.uint16),
    np.zeros(0, dtype=np.uint32),
    np.zeros(0, dtype=np.uint32),
)


def joined_rows(parts: Sequence[Rows]) -> Rows:
    """End to end."""
    if not parts:
        return NO_ROWS
    return Rows(
        np.concatenate([p.segment for p in parts]),
        np.concatenate([p.first for p in parts]),
        np.concatenate([p.span for p in parts]),
        np.concatenate([p.joined for p in parts]),
        np.concatenate([p.left for p in parts]),
    )


def rolled_up(rows: Rows, periods: I64) -> Rows:
    """One row for each segment and period (i64 parallel to the rows), in the order of the periods."""
    if not len(rows):
        return rows
    order = np.lexsort((rows.first, rows.segment, periods))
    segment, period = rows.segment[order], periods[order]
    starts = np.flatnonzero(np.append(True, (np.diff(period) != 0) | (np.diff(segment) != 0)))
    joined = np.add.reduceat(rows.joined[order].astype(np.int64), starts)
    left = np.add.reduceat(rows.left[order].astype(np.int64), starts)
    if max(int(joined.max()), int(left.max())) > _U32_MAX:
        return rows
    first = rows.first[order]
    last = np.maximum.reduceat(first + rows.span[order], starts)
    return Rows(
        segment[starts],
        first[starts],
        (last - first[starts]).astype(np.uint16),
        joined.astype(np.uint32),
        left.astype(np.uint32),
    )


class Tier:
    """Rows of one fineness: appended at the young end, taken from the old one. Under the history's lock."""

    def __init__(self) -> None:
        self._frozen: list[Rows] = []
        self._open: list[Rows] = []
        self._open_rows = 0

    def append(self, rows: Rows) -> None:
        if not len(rows):
            return
        self._open.append(rows)
        self._open_rows += len(rows)
        if self._open_rows >= _FROZEN_ROWS:
            self._frozen.append(joined_rows(self._open))
            self._open, self._open_rows = [], 0

    def take_before(self, minute: int) -> Rows:
        """Take out the rows that begin before a minute."""
        taken: list[Rows] = []
        frozen: list[Rows] = []
        for rows in self._frozen:
            self._split(rows, minute, taken, frozen)
        still_open: list[Rows] = []
        if self._open:
            self._split(joined_rows(self._open), minute, taken, still_open)
        self._frozen, self._open, self._open_rows = frozen, still_open, sum(map(len, still_open))
        return joined_rows(taken)

    @staticmethod
    def _split(rows: Rows, minute: int, taken: list[Rows], kept: list[Rows]) -> None:
        if int(rows.first.min()) >= minute:
            kept.append(rows)
            return
        is_old = rows.first < minute
        taken.append(rows.at(is_old))
        if not bool(is_old.all()):
            kept.append(rows.at(~is_old))

    def of(self, segment: int) -> Rows:
        """The rows of one segment. One pass over all rows."""
        return joined_rows([rows.at(rows.segment == segment) for rows in self.parts])

    def drop(self, segments: Sequence[int]) -> None:
        """Take out all rows of some segments."""
        gone = np.array(segments, dtype=np.uint32)

        def keep(parts: list[Rows]) -> list[Rows]:
            kept = [rows.at(~np.isin(rows.segment, gone)) for rows in parts]
            return [rows for rows in kept if len(rows)]

        self._frozen, self._open = keep(self._frozen), keep(self._open)
        self._open_rows = sum(map(len, self._open))

    @property
    def parts(self) -> tuple[Rows, ...]:
        """All rows, in pieces."""
        return (*self._frozen, *self._open)

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for rows in self.parts for array in rows.plain())

    def capture(self) -> Plain:
        """Frozen parts as they are, and the open rows as one."""
        return cast("Plain", [[rows.plain() for rows in self._frozen], joined_rows(self._open).plain()])

    def restore(self, plain: Plain) -> None:
        """Take what was captured; raises StoreDamaged."""
        frozen, still_open = cast(
            "tuple[Sequence[Sequence[NDArray[np.generic]]], Sequence[NDArray[np.generic]]]", plain
        )
        self._frozen = [Rows.restore(part) for part in frozen]
        rows = Rows.restore(still_open)
        self._open, self._open_rows = [rows] if len(rows) else [], len(rows)
