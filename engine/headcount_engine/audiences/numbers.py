"""Numbers of profiles as a breakdown reads them: those of an attribute, or how often an event happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headcount_engine.indexes.attributes import to_cell
from headcount_engine.indexes.predicates import absent_value
from headcount_engine.kernels import breakdowns
from headcount_engine.limits import BLOCK_WORDS, INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64, U64
from headcount_engine.model.values import Cell, Kind, ValueType

_DAYS = (-719_162, 2_932_896)
"""The first and last day of the calendar, in days since 1970-01-01."""


class Numbers:
    """The numbers of some profiles, the members, in block arrays of one dtype of signed integers or doubles.

    `members` and `everyone` are words over the same blocks; profiles past the last block array have no number.
    """

    def __init__(
        self,
        blocks: tuple[NDArray[Any], ...],
        dtype: np.dtype[Any],
        type_: ValueType,
        members: U64,
        everyone: U64,
        deadline: Deadline,
    ) -> None:
        self.type = type_
        self.wide: np.dtype[Any] = np.dtype("float64" if dtype.kind == "f" else "int64")
        self._absent = absent_value(dtype)
        self._blocks = blocks
        self._members = members
        self._everyone = everyone
        self._deadline = deadline

    def cell(self, stored: int | float) -> Cell:
        """A stored number as people see it."""
        found = to_cell(stored, self.type, None)
        assert found is not None
        return found

    def can_show(self, stored: int) -> bool:
        """Whether a stored number is in the calendar, where that matters."""
        match self.type.kind:
            case Kind.INSTANT:
                return INSTANT_MIN_US <= stored <= INSTANT_MAX_US
            case Kind.DATE:
                return _DAYS[0] <= stored <= _DAYS[1]
            case _:
                return True

    def ends(self) -> tuple[int, int] | tuple[float, float] | None:
        """The members' least and greatest number; None if they have none."""
        ends, counted = np.zeros(2, dtype=self.wide), np.zeros(1, dtype=np.int64)
        for values, words in self._parts(self._members):
            breakdowns.find_ends(values, self._absent, words, ends, counted)
        return (ends[0].item(), ends[1].item()) if counted[0] else None

    def values(self) -> NDArray[Any]:
        """The members' numbers in order of id, absent ones left out."""
        found = [np.empty(0, dtype=self.wide)]
        for values, words in self._parts(self._members):
            chosen = values[np.unpackbits(words.view(np.uint8), bitorder="little").view(np.bool_)]
            there = chosen == chosen if self.wide.kind == "f" else chosen != self._absent
            found.append(chosen[there].astype(self.wide))
        return np.concatenate(found)

    def count_ranges(self, edges: NDArray[Any]) -> tuple[I64, I64]:
        """(members, everyone): counts as the kernel of that name leaves them."""
        return self._counted(breakdowns.count_ranges, edges)

    def count_listed(self, listed: NDArray[Any]) -> tuple[I64, I64]:
        """(members, everyone): counts as the kernel of that name leaves them; `listed` ascending."""
        return self._counted(breakdowns.count_listed, listed)

    def _counted(self, kernel: Callable[..., None], operand: NDArray[Any]) -> tuple[I64, I64]:
        both = []
        for mask in (self._members, self._everyone):
            counts = np.zeros(len(operand) + 2, dtype=np.int64)
            for values, words in self._parts(mask):
                kernel(values, self._absent, operand, words, counts)
            without_array = mask[len(self._blocks) * BLOCK_WORDS :]
            counts[0] += int(np.bitwise_count(without_array).sum()) if len(without_array) else 0
            both.append(counts)
        return both[0], both[1]

    def _parts(self, mask: U64) -> Iterator[tuple[NDArray[Any], U64]]:
        for b, values in enumerate(self._blocks[: len(mask) // BLOCK_WORDS]):
            if b % 16 == 15:
                self._deadline.check()
            yield values, mask[b * BLOCK_WORDS : (b + 1) * BLOCK_WORDS]
