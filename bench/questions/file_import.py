"""How fast does the command line import a Parquet file of events?"""

from __future__ import annotations

from bench.context import Context
from bench.outcome import Kind, Outcome, waits

ROW = "file_import"
QUESTION = "import of CSV or Parquet events (bulk durability)"


def measure(_: Context) -> list[Outcome]:
    return [waits(ROW, "Parquet events", Kind.RATE, "durability, and the command `load`", 500_000)]
