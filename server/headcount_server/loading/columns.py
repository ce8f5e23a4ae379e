"""Typed columns as loading holds them, between the file and the wire."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headcount_server.loading.raw import Mask

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Rows whose value does not fit, and why."""

    rows: Mask
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class ColumnData:
    """One column of a chunk.

    `values`: TEXT an Arrow array of string, or of string in a dictionary; TEXT_SET an Arrow list of string; otherwise
    numpy: BOOL bool, INT, DECIMAL (unscaled) and INSTANT (us) int64, DATE (days) int32, FLOAT float64, POINT float64 of
    (n, 2). Where `present` is False a value means nothing, and so it does in the rows of `problems`.
    """

    values: NDArray[np.generic] | pa.Array
    present: Mask
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.present)

    def filtered(self, keep: Mask) -> ColumnData:
        """The rows where `keep` holds, without their problems."""
        if isinstance(self.values, pa.Array):
            return ColumnData(self.values.filter(pa.array(keep)), self.present[keep])
        return ColumnData(self.values[keep], self.present[keep])

    def sliced(self, start: int, stop: int) -> ColumnData:
        """Rows `start` up to, without, `stop`; no copy."""
        if isinstance(self.values, pa.Array):
            return ColumnData(self.values.slice(start, stop - start), self.present[start:stop])
        return ColumnData(self.values[start:stop], self.present[start:stop])


def present_of(array: pa.Array) -> Mask:
    """Where the array is not null."""
    if array.null_count == 0:
        return np.ones(len(array), dtype=np.bool_)
    mask: Mask = array.is_valid().to_numpy(zero_copy_only=False)
    return mask


def numbers_of(array: pa.Array, dtype: type[T]) -> NDArray[T]:
    """A numeric array as numpy, 0 where null."""
    if array.null_count:
        array = pc.fill_null(array, pa.scalar(0, array.type))
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=dtype)
