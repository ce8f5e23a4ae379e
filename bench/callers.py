"""Processes that call a server which keeps live segments: one writes, one reads, one makes people join, one listens.

Each says `ready` when it has made what it needs, begins when it reads a line, and prints what it saw as JSON. Instants
are those of the machine's monotonic clock, which all processes share.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import grpc

from bench.clocks import SharedClock
from bench.generator import KEY_DIGITS
from bench.messages import columns_of
from bench.stream import EventStream
from bench.tiers import Tier
from headcount import ChangeKind, Client, EventColumns
from headcount.wire import audience_calls
from headcount.wire.calls import Asked
from headcount.wire.ingest import INGEST_PATH, Batches, IngestOptions

PROBE_EVENT = "bench_probe"
TIMEOUT_S = 60.0
_SERIES = 50
"""The writers' streams are told from those of the process with the engine by their seeds."""


class Caller:
    """Such a process, from the outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def wait_ready(self) -> None:
        """Return when it has made what it needs, or sees what it listens to."""
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("a caller ended before it began")

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def saw(self) -> dict[str, object]:
        """What it saw, when it has ended."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a caller ended without telling what it saw")
        return cast("dict[str, object]", json.loads(line))


@contextlib.contextmanager
def calling(what: str, address: str, **options: object) -> Iterator[Caller]:
    """Start such a process; it is ended at the end of the block if it has not ended by itself."""
    command = [sys.executable, "-m", "bench.callers", what, address]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Caller(process)
    finally:
        process.terminate()
        process.communicate()


# ------------------------------------------------------------------------------------------- in those processes


def _begin() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


def _write(address: str, clock: SharedClock, tier: Tier, rate: int, rows: int, seconds: float) -> object:
    """Messages made beforehand, sent on one stream when they are due; each moves the clock to its newest event."""
    stream, batches = EventStream(tier, clock, _SERIES + rate % 97), Batches(IngestOptions())
    made: list[tuple[int, bytes]] = []
    for _ in range(int(rate * seconds / rows)):
        part = stream.take(rows)
        made += [(int(part.times_us.max()), message) for message in batches.events(columns_of(part))]
    _begin()
    started = time.monotonic()

    def paced() -> Iterator[bytes]:
        for number, (newest_us, message) in enumerate(made):
            time.sleep(max(0.0, started + number * rows / rate - time.monotonic()))
            clock.advance_to(newest_us)
            yield message

    with grpc.insecure_channel(address) as channel:
        stub: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(INGEST_PATH)
        answers = sum(1 for _ in stub(paced(), timeout=TIMEOUT_S))
    if answers != len(made):
        raise RuntimeError(f"{answers} of {len(made)} messages were answered")
    # The first message was sent at once, so the last was due a step before the time is up.
    return {"events": len(made) * rows, "seconds": max(time.monotonic() - started, len(made) * rows / rate)}


def _read(address: str, segment: str, seconds: float, profiles: int) -> object:
    """The size of one segment and one membership in it, in turns, in requests serialised beforehand."""
    asked = Asked(0, None)
    count = audience_calls.count(f'in segment "{segment}"', None, False, asked)
    checks = [
        audience_calls.check(f"c{i * 7_919 % profiles:0{KEY_DIGITS}d}", (segment,), (), None, asked)
        for i in range(500)
    ]
    with grpc.insecure_channel(address) as channel:
        ask_count: Callable[..., bytes] = channel.unary_unary(count.path)
        ask_check: Callable[..., bytes] = channel.unary_unary(checks[0].path)
        for each in checks[:50]:
            ask_count(count.request, timeout=TIMEOUT_S)
            ask_check(each.request, timeout=TIMEOUT_S)
        _begin()
        counts: list[float] = []
        memberships: list[float] = []
        end, number = time.perf_counter() + seconds, 0
        while time.perf_counter() < end:
            started = time.perf_counter()
            ask_count(count.request, timeout=TIMEOUT_S)
            between = time.perf_counter()
            ask_check(checks[number % len(checks)].request, timeout=TIMEOUT_S)
            memberships.append(time.perf_counter() - between)
            counts.append(between - started)
            number += 1
    return {"count": counts, "membership": memberships}


def _probe(address: str, clock: SharedClock, rate: int, seconds: float) -> object:
    """One event after the other, each by another profile; when each was sent and acknowledged."""
    acknowledged: dict[str, float] = {}
    sent: dict[str, float] = {}
    with Client(address, timeout=TIMEOUT_S) as client:
        _begin()
        started = time.monotonic()
        for number in range(int(rate * seconds)):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            key = f"c{number:0{KEY_DIGITS}d}"
            now = dt.datetime.fromtimestamp(clock.now_us() / 1e6, dt.UTC)
            sent[key] = time.monotonic()
            client.track(EventColumns(PROBE_EVENT, [key], [now]))
            acknowledged[key] = time.monotonic()
    return {"sent": sent, "acknowledged": acknowledged}


def _listen(address: str, segment: str, leaves: int, joins: int) -> object:
    """When so many joins and leaves of a segment came, by profile."""
    came: dict[ChangeKind, dict[str, float]] = {ChangeKind.JOINED: {}, ChangeKind.LEFT: {}}
    with Client(address) as client, client.watch(segment, include_initial_members=True) as watch:
        is_first = True
        for batch in watch.batches():
            now = time.monotonic()
            if is_first:
                print("ready", flush=True)
                is_first = False
            for change in batch.changes:
                came[change.change][change.profile] = now
            if len(came[ChangeKind.JOINED]) >= joins and len(came[ChangeKind.LEFT]) >= leaves:
                break
    return {"joined": came[ChangeKind.JOINED], "left": came[ChangeKind.LEFT]}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["write", "read", "probe", "listen"])
    parser.add_argument("address")
    parser.add_argument("--clock", type=Path)
    parser.add_argument("--tier", type=Tier, default=Tier.S)
    parser.add_argument("--rate", type=int, default=1)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--segment", default="")
    parser.add_argument("--joins", type=int, default=0)
    parser.add_argument("--leaves", type=int, default=0)
    given = parser.parse_args()
    match given.what:
        case "write":
            clock = SharedClock(given.clock)
            saw = _write(given.address, clock, given.tier, given.rate, given.rows, given.seconds)
        case "read":
            saw = _read(given.address, given.segment, given.seconds, given.tier.size.profiles)
        case "probe":
            saw = _probe(given.address, SharedClock(given.clock), given.rate, given.seconds)
        case _:
            saw = _listen(given.address, given.segment, given.leaves, given.joins)
    print(json.dumps(saw), flush=True)


if __name__ == "__main__":
    main()
