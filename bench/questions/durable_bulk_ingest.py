"""How fast do events get in over gRPC, durably? Waits for the log; what the disk allows stands beside."""

from __future__ import annotations

from bench.context import Context
from bench.floors import sequential_write
from bench.outcome import Kind, Outcome, rate, took, waits

ROW = "durable_bulk_ingest"
QUESTION = "durable bulk ingest over gRPC"
EVENT_BYTES = 24
BATCH = 10_000


def measure(context: Context) -> list[Outcome]:
    batch = sequential_write(BATCH * EVENT_BYTES, context.folder)
    one = sequential_write(100, context.folder)
    return [
        waits(ROW, "events", Kind.RATE, "durability", 200_000),
        rate(ROW, "floor: 240 KB per 10,000 events appended and synced", BATCH, batch, is_beside=True),
        took(ROW, "floor: 100 bytes appended and synced", one, is_beside=True),
    ]
