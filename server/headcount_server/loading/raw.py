"""A chunk of a file, taken apart but not yet understood."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headcount_server.loading.problems import Rejected

Mask = NDArray[np.bool_]
I64 = NDArray[np.int64]


class Source(enum.Enum):
    """What the file itself says about types."""

    TEXTS = "texts"
    """Nothing: every cell is text, an empty one is absent (CSV)."""
    JSON = "json"
    """Numbers, texts and lists are told apart; dates are texts."""
    TYPED = "typed"
    """Everything (Parquet)."""


@dataclass(frozen=True, slots=True, eq=False)
class RawChunk:
    """Some rows of a file.

    `positions`: for each row its line (CSV, JSON Lines) or row number (Parquet), from 1. `columns`: an Arrow array
    for each column, a null being absent. `nulls`: for columns that say so, the rows that hold an explicit null.
    `rejected`: rows that could not be taken apart, by position; they have no place in the columns.
    """

    positions: I64
    columns: Mapping[str, pa.Array]
    nulls: Mapping[str, Mask]
    rejected: tuple[Rejected, ...] = ()

    def __len__(self) -> int:
        return len(self.positions)


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a file was read: `done` of `total`, in bytes or rows."""

    done: int
    total: int


class Reader(Protocol):
    """A file of some format, read once from start to end."""

    source: Source
    position_word: str
    """What positions count: `line` or `row`."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns; those of JSON Lines may grow while reading."""

    def chunks(self) -> Iterator[RawChunk]:
        """All rows, in order, a few ten thousand at a time. Raises FileProblem where it cannot go on."""

    def progress(self) -> Progress: ...

    def close(self) -> None: ...


def joined(chunks: list[RawChunk]) -> RawChunk:
    """Several chunks with the same columns as one."""
    if len(chunks) == 1:
        return chunks[0]
    names = list(dict.fromkeys(name for chunk in chunks for name in chunk.columns))
    columns = {name: _concatenated([_column(chunk, name) for chunk in chunks]) for name in names}
    null_names = {name for chunk in chunks for name in chunk.nulls}
    nulls = {
        name: np.concatenate(
            [chunk.nulls.get(name, np.zeros(len(chunk), dtype=np.bool_)) for chunk in chunks]
        )
        for name in null_names
    }
    positions = np.concatenate([chunk.positions for chunk in chunks])
    return RawChunk(positions, columns, nulls, tuple(r for chunk in chunks for r in chunk.rejected))


def _column(chunk: RawChunk, name: str) -> pa.Array:
    return chunk.columns[name] if name in chunk.columns else pa.nulls(len(chunk))


def _concatenated(arrays: list[pa.Array]) -> pa.Array:
    types = {array.type for array in arrays if not pa.types.is_null(array.type)}
    if len(types) == 1:
        kind = types.pop()
        return pa.concat_arrays([a.cast(kind) if pa.types.is_null(a.type) else a for a in arrays])
    return pa.concat_arrays(arrays)
