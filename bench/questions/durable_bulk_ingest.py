"""How fast do events get in durably, over gRPC and in process?

Every batch is on the medium before it is acknowledged. Over gRPC: ten thousand events a message, serialised beforehand,
on one stream into a server in a process of its own, whose profiles are there already; the client library, which has to
make the messages from Python lists, stands beside. In process: the tier's own load, in batches of 100,000.
"""

from __future__ import annotations

import time

import grpc

from bench.context import Context
from bench.floors import sequential_write
from bench.generator import EVENT_CHUNK, events
from bench.measure import Timing
from bench.messages import columns_of
from bench.outcome import Floor, Outcome, rate, took
from bench.serving import durable_server
from bench.tiers import Tier
from headcount import Client, EventColumns
from headcount.wire.ingest import INGEST_PATH, Batches, IngestOptions

ROW = "durable_bulk_ingest"
QUESTION = "durable bulk ingest over gRPC"
TARGET = 200_000
EVENT_BYTES = 24
BATCH = 10_000
EVENTS = {Tier.S: 200_000}
"""So many are sent; to other tiers a million, three times."""
ROUNDS = {Tier.S: 1}


def measure(context: Context) -> list[Outcome]:
    batch = sequential_write(BATCH * EVENT_BYTES, context.folder)
    one = sequential_write(100, context.folder)
    sent = EVENTS.get(context.tier, EVENT_CHUNK)
    streamed, through_client = _over_grpc(context, sent)
    in_process = context.durable["load_events_per_s"]
    return [
        rate(ROW, "events", sent, streamed, target=TARGET,
             floor=Floor("240 KB per 10,000 events appended and synced", BATCH / batch.p50)),
        rate(ROW, "events, through the client library", sent, through_client, is_beside=True),
        rate(ROW, "in process, batches of 100,000, each synced", in_process, Timing.of([1.0]), is_beside=True),
        rate(ROW, "floor: 240 KB per 10,000 events appended and synced", BATCH, batch, is_beside=True),
        took(ROW, "floor: 100 bytes appended and synced", one, is_beside=True),
    ]  # fmt: skip


def _over_grpc(context: Context, sent: int) -> tuple[Timing, Timing]:
    """Seconds for so many events each way."""
    profiles = min(context.tier.size.profiles, 1_000_000)
    made = next(events(sent, profiles))
    columns = [columns_of(made.part(at, at + BATCH)) for at in range(0, len(made), BATCH)]
    with durable_server(context.folder) as address:
        # The first stream makes the profiles and the schema, and is no part of it.
        _stream(address, columns)
        streamed = [_stream(address, columns) for _ in range(ROUNDS.get(context.tier, 3))]
        through_client = _through_client(address, columns, sent)
    return Timing.of(streamed), Timing.of([through_client])


def _stream(address: str, columns: list[EventColumns]) -> float:
    batches = Batches(IngestOptions())
    messages = [message for each in columns for message in batches.events(each)]
    with grpc.insecure_channel(address) as channel:
        stub: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(INGEST_PATH)
        started = time.perf_counter()
        answers = sum(1 for _ in stub(iter(messages), timeout=120))
        seconds = time.perf_counter() - started
    if answers != len(messages):
        raise RuntimeError(f"{answers} of {len(messages)} messages were answered")
    return seconds


def _through_client(address: str, columns: list[EventColumns], sent: int) -> float:
    with Client(address) as client:
        before = client.status().events
        started = time.perf_counter()
        with client.ingest() as writer:
            for each in columns:
                writer.events(each)
        seconds = time.perf_counter() - started
        written = client.status().events - before
    if written != sent:
        raise RuntimeError(f"{written:,} of {sent:,} events are counted")
    return seconds
