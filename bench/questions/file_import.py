"""How fast does the command line import a Parquet file of events?

The whole command, its start included, into an empty server in a process of its own: durable, with each batch synced,
and beside that one that keeps everything in memory. Modules are compiled to bytecode before, as in any installation
that was used once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.context import Context
from bench.measure import Timing, once
from bench.outcome import Outcome, rate
from bench.serving import durable_server, plain_server
from bench.tiers import Tier

ROW = "file_import"
QUESTION = "import of CSV or Parquet events (bulk durability)"
TARGET = 500_000
COMMAND = "headcount_server.commands"
ROWS = {Tier.S: 300_000}
"""Of other tiers two million."""


def measure(context: Context) -> list[Outcome]:
    path, rows = _file(context)
    # Kept apart, so that a checkout is left as it was.
    compiled = context.folder / "bytecode"
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(compiled)
    subprocess.run([sys.executable, "-c", f"import {COMMAND}.load_run"], check=True, env=environment)
    with durable_server(context.folder) as address:
        durable = _imported(path, rows, address, environment)
    with plain_server() as address:
        in_memory = _imported(path, rows, address, environment)
    return [
        rate(ROW, "Parquet events", rows, durable, target=TARGET, note="start included"),
        rate(
            ROW,
            f"{rows / 1e6:g} M Parquet events into memory, start included",
            rows,
            in_memory,
            is_beside=True,
        ),
    ]


def _imported(path: Path, rows: int, address: str, environment: dict[str, str]) -> Timing:
    command = [
        sys.executable, "-m", COMMAND, "load", "events", "--key", "key", "--time", "time",
        "--name-column", "name", "--target", address, "--json", str(path),
    ]  # fmt: skip
    output: list[str] = []

    def load() -> None:
        output.append(
            subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        )

    timing = once(load)
    accepted = sum(file["accepted"] for file in json.loads(output[0]))
    if accepted != rows:
        raise RuntimeError(f"the import took {accepted} of {rows} rows")
    return timing


def _file(context: Context) -> tuple[Path, int]:
    """The first events as a file of their own."""
    rows = ROWS.get(context.tier, 2_000_000)
    path = context.folder / f"{context.files.events.stem}-start-{rows}.parquet"
    if not path.exists():
        batch = next(pq.ParquetFile(context.files.events).iter_batches(rows))
        pq.write_table(pa.Table.from_batches([batch]), path, compression="lz4")
    return path, pq.ParquetFile(path).metadata.num_rows
