"""How long does it take to resolve half of everyone and to read them: the first chunk, all as a bitmap, all as keys?

Over gRPC with the client, resolving included: two includes and an exclude, from the attributes. Keys arrive as Python
strings. The floors do the client's part alone: the same bytes taken apart where they lie. Beside: dense ids, the
engine without a wire, and reading while another client writes 20,000 events a second.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from pyroaring import BitMap

from bench.context import Context
from bench.data import bitmap_of
from bench.measure import resident_bytes_of, timed
from bench.outcome import Floor, Kind, Outcome, rate, took
from bench.outcome import size as sized
from bench.serving import serving
from bench.steady_writer import EVENTS_A_SECOND
from bench.tiers import Tier
from headcount import Audience, Client
from headcount_engine.audiences.request import AudienceRequest

ROW = "audience_stream"
QUESTION = "audience of 5 M out of 10 M: first chunk; whole, as a bitmap; whole, as keys"
INCLUDES = ("subscribed = true", "age between 18 and 34")
EXCLUDES = ('plan = "plan-1"',)
TIMEOUT_S = 120.0
READINGS = 10


def measure(context: Context) -> list[Outcome]:
    is_large = context.tier is Tier.L
    mask = _members(context)
    size, raw = int(mask.sum()), bitmap_of(mask)
    note = f"{size:,} of {len(mask):,}"
    with serving(context) as served, Client(served.address, timeout=TIMEOUT_S) as client:
        keys = list(client.read_keys(_resolved(client)))
        if len(keys) != size or not set(np.flatnonzero(mask)[:3].tolist()) <= {int(k[1:]) for k in keys[:3]}:
            raise RuntimeError("the audience is not that of the data")
        text = "".join(keys)
        ends = [0, *itertools.accumulate(map(len, keys))]
        portable = raw.serialize()
        first = timed(lambda: next(client.read_chunks(_resolved(client))), samples_min=20)
        bitmap = timed(lambda: [BitMap.deserialize(b) for b in client.read_roaring(_resolved(client))])
        as_keys = timed(lambda: _exhaust(client.read_keys(_resolved(client))))
        as_ids = timed(lambda: _exhaust(client.read_ids(_resolved(client))))
        grown = _growth(served.pid, client)
        with _written_to(served.address) as rates:
            beside_writes = timed(lambda: _exhaust(client.read_keys(_resolved(client))))
            first_beside = timed(lambda: next(client.read_chunks(_resolved(client))), samples_min=20)
            events = client.status().events
            grown_beside = _growth(served.pid, client)
            events = client.status().events - events
    cut = timed(lambda: [text[a:b] for a, b in itertools.pairwise(ends)])
    return [
        took(ROW, "first chunk", first, target=0.05 if is_large else None, answer=size, note=note),
        took(
            ROW, "whole, as a bitmap", bitmap, target=0.3 if is_large else None, note=note,
            floor=Floor("raw pyroaring, the same bitmap deserialised", timed(lambda: BitMap.deserialize(portable)).p50),
        ),
        rate(
            ROW, "whole, as keys", size, as_keys, target=2e6, note=note,
            floor=Floor("one text cut into as many strings", size / cut.p50),
        ),
        rate(ROW, "whole, as keys, beside 20 k events/s", size, beside_writes, target=2e6, note=note),
        took(ROW, "first chunk, beside 20 k events/s", first_beside, target=0.05 if is_large else None, note=note),
        rate(ROW, "whole, as ids", size, as_ids, note=note, is_beside=True),
        Outcome(ROW, "events that went in meanwhile", Kind.RATE, rates[0], samples=1, target=EVENTS_A_SECOND),
        sized(ROW, f"what the server grows by while {READINGS} audiences are read", grown, note=note, is_beside=True),
        sized(
            ROW, f"what the server grows by while {READINGS} audiences are read, beside 20 k events/s", grown_beside,
            note=f"{events:,} events were written meanwhile", is_beside=True,
        ),
        *_in_process(context, size, note),
    ]  # fmt: skip


def _members(context: Context) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    data = context.data
    reached = data.is_true("subscribed") | data.between("age", 18, 34)
    return reached & ~data.equals("plan", "plan-1")


def _resolved(client: Client) -> Audience:
    return client.create_audience(INCLUDES, EXCLUDES)


def _growth(pid: int, client: Client) -> int:
    """By how many bytes the server grows while audiences are resolved and read, one after the other."""
    before = resident_bytes_of(pid)
    for _ in range(READINGS):
        _exhaust(client.read_keys(_resolved(client)))
    return max(resident_bytes_of(pid) - before, 0)


def _exhaust(items: Iterator[object]) -> None:
    for _ in items:
        pass


def _in_process(context: Context, size: int, note: str) -> list[Outcome]:
    """Without a wire: the waterfall alone, and keys as packed texts."""
    sending, request = context.loaded.database.sending, AudienceRequest(INCLUDES, EXCLUDES)
    handle = sending.handle(sending.resolve(request).name)

    def gathered() -> None:
        for offset in range(0, handle.size, 1 << 15):
            sending.keys(handle, offset, 1 << 15)

    waterfall = timed(lambda: sending.resolve(request, validate_only=True))
    return [
        took(ROW, "in process, the waterfall alone", waterfall, answer=size, note=note, is_beside=True),
        rate(ROW, "in process, packed keys", size, timed(gathered), note=note, is_beside=True),
    ]


@contextmanager
def _written_to(address: str) -> Iterator[list[float]]:
    """While another process writes events to the server, at the rate of the target; then the rate that it came to."""
    command = [sys.executable, "-m", "bench.steady_writer", address]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    rates = list[float]()
    try:
        time.sleep(1.0)
        yield rates
    finally:
        told, _ = writer.communicate()  # Closes its input, at which it ends.
    rates.append(float(told))
