"""A table in memory, read as if it were a file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from headcount_server.loading.raw import Progress, RawChunk, Source

CHUNK_ROWS = 100_000


class TableReader:
    """An Arrow table; positions are row numbers from 1. Text columns may be dictionaries."""

    source = Source.TYPED
    position_word = "row"

    def __init__(self, table: pa.Table) -> None:
        self._table = table
        self._done = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._table.column_names)

    def progress(self) -> Progress:
        return Progress(self._done, self._table.num_rows)

    def close(self) -> None:
        """Nothing is open."""

    def chunks(self) -> Iterator[RawChunk]:
        for batch in self._table.to_batches(max_chunksize=CHUNK_ROWS):
            positions = np.arange(self._done + 1, self._done + 1 + batch.num_rows, dtype=np.int64)
            self._done += batch.num_rows
            yield RawChunk(positions, dict(zip(self.names, batch.columns, strict=True)), {})
