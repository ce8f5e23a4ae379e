"""Published files on their way into a database: read as the command line reads them, packed and unpacked as on the
wire, only without the wire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.values import ValueType
from headcount_server.loading.batches import open_file
from headcount_server.loading.options import LoadOptions
from headcount_server.loading.wire.packing import messages
from headcount_server.wire.columns import event_batch, profile_batch


def database_at(now_us: int) -> Database:
    """A database in memory whose clock stands still."""
    clock = ManualClock(now_us)
    return Database.open(None, clock=clock)


def load(database: Database, path: Path, options: LoadOptions) -> int:
    """Take every row of a file; returns how many. A row that is refused, by either side, fails the test."""
    reading = open_file(path, options, _known(database, options))
    taken = 0
    try:
        reading.settle()
        for batch in reading.batches():
            assert not batch.rejected
            for _, message in messages(batch):
                if options.is_events:
                    made = event_batch(message.events, "events", create=True, all_or_nothing=False)
                    receipt = database.write_events(made)
                else:
                    people = profile_batch(message.profiles, "profiles", create=True, all_or_nothing=False)
                    receipt = database.write_profiles(people)
                assert not receipt.rejected
                taken += receipt.accepted
    finally:
        reading.close()
    return taken


def _known(database: Database, options: LoadOptions) -> dict[str, ValueType]:
    if options.is_events:
        return {p.name: p.type for p in database.schema().properties}
    return {a.name: a.type for a in database.schema().attributes}


def json_rows(path: Path) -> Iterator[dict[str, object]]:
    """The objects of a JSON Lines file."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def parquet_columns(path: Path) -> dict[str, list[object]]:
    """A Parquet file as lists; instants are microseconds."""
    table = pyarrow.parquet.read_table(path)
    columns: dict[str, list[object]] = {}
    for name in table.column_names:
        column = table.column(name)
        if pyarrow.types.is_timestamp(column.type):
            column = column.cast(pyarrow.timestamp("us", tz=column.type.tz)).cast(pyarrow.int64())
        columns[name] = column.to_pylist()
    return columns
