"""A file as batches ready to send, and the rows that are not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headcount_server.loading.columns import ColumnData
from headcount_server.loading.files import Format, format_of
from headcount_server.loading.options import LoadOptions, Role
from headcount_server.loading.plan import ColumnPlan, Planner, Schema
from headcount_server.loading.problems import Rejected
from headcount_server.loading.raw import I64, Mask, Progress, RawChunk, Reader, Source, joined
from headcount_server.loading.typed import read_column

SAMPLE_ROWS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class ReadyColumn:
    """A typed column. `nulls`: rows that hold an explicit null, which takes the attribute away; None for no row."""

    plan: ColumnPlan
    data: ColumnData
    nulls: Mask | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReadyBatch:
    """Rows ready to send. Every array has a place for each row.

    `positions` are places in the file; `keys`, `ids` and the texts of `names` Arrow string arrays; `names` is one text
    for all rows or an array; `times` int64 microseconds. `rejected` are the rows of the chunk that are not here.
    """

    positions: I64
    keys: pa.Array
    columns: tuple[ReadyColumn, ...]
    chunk: RawChunk
    rows: I64
    """For each row its index in `chunk`."""
    times: I64 | None = None
    names: str | pa.Array = ""
    ids: pa.Array | None = None
    rejected: tuple[Rejected, ...] = ()
    special: Mapping[Role, str] = field(default_factory=dict)
    """The file's names for the key, the time, the event's name and its id."""

    def __len__(self) -> int:
        return len(self.positions)

    def rejection(self, row: int, column: str, reason: str) -> Rejected:
        """The rejection of a row of this batch, by its index."""
        return Rejected(int(self.positions[row]), column, reason, source_of(self.chunk, int(self.rows[row])))


def open_file(
    path: Path,
    options: LoadOptions,
    known: Schema,
    *,
    file_format: Format | None = None,
    delimiter: str | None = None,
) -> FileLoad:
    """A file ready to be settled; without a format, its name says what it is. Raises FileProblem or OptionProblem."""
    # Imported here: Parquet and JSON take a while to load, and a load needs one format.
    reader: Reader
    match file_format or format_of(path):
        case Format.CSV | Format.TSV as kind:
            from headcount_server.loading.csv_files import CsvReader

            reader = CsvReader(path, delimiter or ("\t" if kind is Format.TSV else ","))
        case Format.PARQUET:
            from headcount_server.loading.parquet_files import ParquetReader

            reader = ParquetReader(path)
        case Format.JSON_LINES:
            from headcount_server.loading.json_files import JsonReader

            kinds = Planner(options, Source.JSON, known).declared_kinds()
            reader = JsonReader(path, keeps_nulls=not options.is_events, declared=kinds)
    return FileLoad(reader, options, known)


class FileLoad:
    """One file, or a table in memory, on its way to the server: `settle` first, then `batches`."""

    def __init__(self, reader: Reader, options: LoadOptions, known: Schema) -> None:
        self._options = options
        self._reader = reader
        self._planner = Planner(options, reader.source, known)
        self._plans = dict[str, ColumnPlan]()
        self._chunks = reader.chunks()
        self._head: RawChunk | None = None

    @property
    def position_word(self) -> str:
        return self._reader.position_word

    @property
    def plans(self) -> tuple[ColumnPlan, ...]:
        """What each column becomes; grows when an empty column gets its first value."""
        return tuple(self._plans.values())

    def progress(self) -> Progress:
        return self._reader.progress()

    def close(self) -> None:
        self._reader.close()

    def settle(self) -> tuple[ColumnPlan, ...]:
        """Read the first rows and decide what each column becomes. Raises FileProblem or OptionProblem."""
        head = list[RawChunk]()
        while sum(map(len, head)) < SAMPLE_ROWS and (chunk := next(self._chunks, None)) is not None:
            head.append(chunk)
        names = self._reader.names
        if names or sum(map(len, head)):
            self._planner.check_names(names)
        if head:
            self._head = joined(head)
            self._plan(self._head, SAMPLE_ROWS)
        return self.plans

    def batches(self) -> Iterator[ReadyBatch]:
        """The rows, in order. Raises FileProblem where the file cannot be read any further."""
        if self._head is not None:
            yield self._ready(self._head)
            self._head = None
        for chunk in self._chunks:
            self._plan(chunk, len(chunk))
            yield self._ready(chunk)

    def _plan(self, chunk: RawChunk, rows: int) -> None:
        for name, column in chunk.columns.items():
            if name not in self._plans or self._plans[name].type is None:
                self._plans[name] = self._planner.plan(name, column.slice(0, rows))

    def _ready(self, chunk: RawChunk) -> ReadyBatch:
        rejections = _Rejections(chunk)
        columns = dict[str, ReadyColumn]()
        for name, array in chunk.columns.items():
            plan = self._plans[name]
            if plan.role is Role.IGNORED:
                continue
            kind = plan.type
            if kind is None:
                # Nothing yet, here or in the server: an explicit null has nothing to take away either.
                continue
            data = read_column(array, kind, self._options.zone, plan.unit)
            rejections.add(name, data)
            columns[name] = ReadyColumn(plan, data, chunk.nulls.get(name))
        for role, what in ((Role.KEY, "no key"), (Role.TIME, "no time"), (Role.EVENT_NAME, "no event name")):
            for ready in columns.values():
                if ready.plan.role is role:
                    rejections.add_rows(ready.plan.source, ~ready.data.present, what)
        return self._assembled(chunk, columns, rejections)

    def _assembled(
        self, chunk: RawChunk, columns: dict[str, ReadyColumn], rejections: _Rejections
    ) -> ReadyBatch:
        keep = rejections.keep
        rows = np.flatnonzero(keep)
        if len(rows) < len(chunk):
            columns = {name: _filtered(column, keep) for name, column in columns.items()}
        by_role = {column.plan.role: column.data for column in columns.values()}
        times, names, ids = by_role.get(Role.TIME), by_role.get(Role.EVENT_NAME), by_role.get(Role.EVENT_ID)
        valued = (Role.ATTRIBUTE, Role.PROPERTY, Role.IDENTIFIER, Role.TAGS, Role.CHANNELS, Role.CONSENT)
        key = by_role.get(Role.KEY)
        special = {c.plan.role: c.plan.source for c in columns.values() if c.plan.role not in valued}
        return ReadyBatch(
            positions=chunk.positions[rows],
            special=special,
            keys=pa.array([], pa.string()) if key is None else key.values,
            columns=tuple(c for c in columns.values() if c.plan.role in valued and _says_something(c)),
            chunk=chunk,
            rows=rows,
            times=None if times is None else np.asarray(times.values, dtype=np.int64),
            names=self._options.event if names is None else names.values,
            ids=None if ids is None else _filled(ids.values),
            rejected=tuple(
                sorted((*chunk.rejected, *rejections.found), key=lambda rejected: rejected.position)
            ),
        )


class _Rejections:
    """Collects what is wrong with the rows of one chunk: the first reason found for each counts."""

    def __init__(self, chunk: RawChunk) -> None:
        self._chunk = chunk
        self.found = list[Rejected]()
        self.keep = np.ones(len(chunk), dtype=np.bool_)

    def add(self, column: str, data: ColumnData) -> None:
        for problem in data.problems:
            self.add_rows(column, problem.rows, problem.reason)

    def add_rows(self, column: str, rows: Mask, reason: str) -> None:
        for row in np.flatnonzero(rows & self.keep).tolist():
            source = source_of(self._chunk, row)
            self.found.append(Rejected(int(self._chunk.positions[row]), column, reason, source))
        self.keep &= ~rows


def source_of(chunk: RawChunk, row: int) -> str:
    """A row as JSON, to be looked at or sent again."""
    values = {name: column[row].as_py() for name, column in chunk.columns.items()}
    present = {name: value for name, value in values.items() if value is not None}
    return json.dumps(present, ensure_ascii=False, default=str)


def _filtered(column: ReadyColumn, keep: Mask) -> ReadyColumn:
    nulls = None if column.nulls is None else column.nulls[keep]
    return ReadyColumn(column.plan, column.data.filtered(keep), nulls)


def _says_something(column: ReadyColumn) -> bool:
    return bool(column.data.present.any()) or (column.nulls is not None and bool(column.nulls.any()))


def _filled(ids: pa.Array) -> pa.Array:
    return pc.fill_null(ids, "") if ids.null_count else ids
