"""How fast does the command line import a Parquet file of events?

The row wants the rows on disk and waits for the log. Beside it: the whole command, its start included, into a server in
a process of its own that keeps everything in memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from bench.context import Context
from bench.measure import once
from bench.outcome import Kind, Outcome, rate, waits
from bench.serving import plain_server

ROW = "file_import"
QUESTION = "import of CSV or Parquet events (bulk durability)"
ROW_GROUPS = 2
"""Of a million rows each."""


def measure(context: Context) -> list[Outcome]:
    path, rows = _file(context)
    with plain_server() as address:
        command = [
            sys.executable, "-m", "headcount_server.commands", "load", "events", "--key", "key", "--time", "time",
            "--name-column", "name", "--target", address, "--json", str(path),
        ]  # fmt: skip
        output: list[str] = []

        def load() -> None:
            output.append(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

        timing = once(load)
    accepted = sum(file["accepted"] for file in json.loads(output[0]))
    if accepted != rows:
        raise RuntimeError(f"the import took {accepted} of {rows} rows")
    return [
        waits(ROW, "Parquet events", Kind.RATE, "durability", 500_000),
        rate(
            ROW, f"{rows / 1e6:g} M Parquet events into memory, start included", rows, timing, is_beside=True
        ),
    ]


def _file(context: Context) -> tuple[Path, int]:
    """The first two million events as a file of their own."""
    path = context.folder / f"{context.files.events.stem}-start.parquet"
    source = pq.ParquetFile(context.files.events)
    groups = list(range(min(ROW_GROUPS, source.num_row_groups)))
    if not path.exists():
        pq.write_table(source.read_row_groups(groups), path, compression="lz4")
    return path, pq.ParquetFile(path).metadata.num_rows
