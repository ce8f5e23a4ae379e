"""Reading a file as `headcount load` does, without a server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from headcount_engine.model.values import ValueType
from headcount_server.loading.batches import ReadyBatch, open_file
from headcount_server.loading.options import LoadOptions
from headcount_server.loading.problems import Rejected


@dataclass(frozen=True)
class Read:
    """What became of a file: the type of each column, its rows as dicts, the rejected rows."""

    types: dict[str, str]
    rows: list[dict[str, object]]
    rejected: list[Rejected]
    positions: list[int]

    def reasons(self) -> list[tuple[int, str, str]]:
        return [(r.position, r.column, r.reason) for r in self.rejected]


def read_file(path: Path, options: LoadOptions, known: dict[str, ValueType] | None = None) -> Read:
    load = open_file(path, options, known or {})
    try:
        load.settle()
        rows, rejected, positions = list[dict[str, object]](), list[Rejected](), list[int]()
        for batch in load.batches():
            rows += rows_of(batch)
            rejected += batch.rejected
            positions += batch.positions.tolist()
        types = {plan.name: str(plan.type) for plan in load.plans}
    finally:
        load.close()
    return Read(types, rows, rejected, positions)


def rows_of(batch: ReadyBatch) -> list[dict[str, object]]:
    """The rows of a batch as plain values; what is absent is left out, a null is None."""
    rows: list[dict[str, object]] = [{"key": key} for key in batch.keys.to_pylist()]
    for index, row in enumerate(rows):
        if batch.times is not None:
            row["time"] = int(batch.times[index])
            row["event"] = batch.names if isinstance(batch.names, str) else batch.names[index].as_py()
        if batch.ids is not None:
            row["id"] = batch.ids[index].as_py()
        for column in batch.columns:
            if column.data.present[index]:
                value = column.data.values[index]
                row[column.plan.name] = (
                    value.as_py() if isinstance(value, pa.Scalar) else np.asarray(value).tolist()
                )
            elif column.nulls is not None and column.nulls[index]:
                row[column.plan.name] = None
    return rows
