"""Parquet: columns that know their types."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headcount_server.loading.problems import FileProblem
from headcount_server.loading.raw import Progress, RawChunk, Source

CHUNK_ROWS = 100_000


class ParquetReader:
    """One Parquet file. Positions are row numbers from 1."""

    source = Source.TYPED
    position_word = "row"

    def __init__(self, path: Path) -> None:
        try:
            # Text columns that the writer kept as dictionaries stay so: few texts, many codes.
            self._file = pq.ParquetFile(path)
        except FileNotFoundError as error:
            raise FileProblem("there is no such file") from error
        except (pa.ArrowInvalid, OSError) as error:
            raise FileProblem("it is not a Parquet file, or not a whole one") from error
        names = tuple(self._file.schema_arrow.names)
        for index, name in enumerate(names):
            if name in names[:index]:
                raise FileProblem(f"two columns are called {name!r}")
        self._names = names
        self._done = 0

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def progress(self) -> Progress:
        return Progress(self._done, self._file.metadata.num_rows)

    def close(self) -> None:
        self._file.close()

    def chunks(self) -> Iterator[RawChunk]:
        try:
            for batch in self._file.iter_batches(batch_size=CHUNK_ROWS):
                positions = np.arange(self._done + 1, self._done + 1 + batch.num_rows, dtype=np.int64)
                self._done += batch.num_rows
                yield RawChunk(positions, dict(zip(self._names, batch.columns, strict=True)), {})
        except (pa.ArrowInvalid, OSError) as error:
            raise FileProblem("the file is damaged", self._done) from error
