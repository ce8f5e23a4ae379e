"""A durable store's life, in processes of its own: filled, checkpointed beside writes, killed, opened again.

    python -m bench.durable fill --tier M --folder ... --store ... --out ...
    python -m bench.durable restart --store ... --out ...
    python -m bench.durable acknowledge --store ... --out ...

Every commit is on the medium before it returns (the default). Filling ends as a loss of power would: nothing is closed,
and what was written after the last checkpoint is in the log alone.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench import living
from bench.context import warm_kernels
from bench.generator import EVENT_CHUNK, Files, events, write_parquet
from bench.loading import event_batches, profile_batches
from bench.measure import peak_bytes
from bench.segments import definitions
from bench.tiers import NOW_US, Tier
from headcount_engine import Database
from headcount_engine.clock import ManualClock
from headcount_engine.durability.keeper import Captured, Keeper
from headcount_engine.model.batches import EventBatch, ProfileBatch, Texts
from headcount_engine.model.durability import DurabilityOptions, SyncMode

COMMIT_ROWS = 10_000
ROUNDS = {Tier.S: 1, Tier.M: 2}
"""Checkpoints beside writes; of other tiers 3."""
ALONE_S = 0.7
"""Of writes before each of them, and after it, to compare with."""
SEGMENTS = {Tier.L: 100}
"""A thousand of ten million profiles do not fit into the memory that is beside them while they are made."""
PREPARED = 150
"""Batches made before a round, off the clock."""
TAIL_COMMITS = 50
"""Batches of 10,000 that only the log has at the restart."""
BY_HAND = DurabilityOptions(is_automatic=False)
BULK = DurabilityOptions(sync=SyncMode.OPERATING_SYSTEM, is_automatic=False)

WRITERS = (1, 8, 32, 128)
"""Threads that write single events at one time."""
PEOPLE = 10_000

Figures = dict[str, float]


def measured(tier: Tier, folder: Path) -> Figures:
    """Fill a store, and open it again in another process; what both took. Answers are compared."""
    store = folder / f"{tier}-store"
    shutil.rmtree(store, ignore_errors=True)
    try:
        figures = _run("fill", "--tier", tier, "--folder", str(folder), "--store", str(store))
        again = _run("restart", "--store", str(store))
    finally:
        shutil.rmtree(store, ignore_errors=True)
    for name in ("profiles", "events", "active", "members", "segments"):
        if figures[name] != again[name]:
            raise RuntimeError(f"{name}: {again[name]:,.0f} after the restart, {figures[name]:,.0f} before")
    return figures | again


def acknowledged(folder: Path, seconds: float) -> dict[int, tuple[list[float], float]]:
    """By number of writers, how long each single write took, in a process of its own, and all of them together.

    Each number of writers has so many seconds.
    """
    store = folder / "acknowledged-store"
    shutil.rmtree(store, ignore_errors=True)
    try:
        seen = _run("acknowledge", "--store", str(store), "--seconds", str(seconds))
    finally:
        shutil.rmtree(store, ignore_errors=True)
    return {int(writers): (waits, elapsed) for writers, (waits, elapsed) in seen.items()}


def _run(*arguments: str) -> dict[str, Any]:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([sys.executable, "-m", "bench.durable", *arguments, "--out", out.name], check=True)
        return json.loads(Path(out.name).read_text())  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------- in those processes


def _fill(tier: Tier, folder: Path, store: Path) -> Figures:
    warm_kernels()
    files = write_parquet(folder, tier)
    database = Database.open(store, clock=ManualClock(NOW_US), durability=BY_HAND)
    keeper = _keeper(database)
    profile_s, profiles, profile_bytes = _timed_writes(
        database.write_profiles, profile_batches(files.profiles)
    )
    event_s, rows, event_bytes = _timed_writes(database.write_events, event_batches(files.events))
    figures: Figures = {
        "load_profiles_per_s": profiles / profile_s, "load_events_per_s": rows / event_s,
        "log_bytes": keeper.store.log_bytes, "given_bytes": profile_bytes + event_bytes,
    }  # fmt: skip
    started = time.perf_counter()
    report = database.checkpoint()
    figures |= {"checkpoint_s": time.perf_counter() - started, "checkpoint_bytes": report.total_bytes}
    commits = _commits(tier)
    figures |= _beside_checkpoints(database, keeper, commits, files, ROUNDS.get(tier, 3))
    living.save(database, definitions(SEGMENTS.get(tier, tier.size.segments)))
    for _ in range(TAIL_COMMITS):
        _write(database, next(commits))
    figures |= _answers(database) | {"tail_bytes": keeper.store.log_bytes, "fill_peak_bytes": peak_bytes()}
    return figures


def _acknowledge(store: Path, lasting_s: float) -> dict[str, object]:
    """One event a write, by ever more threads, each of which waits until its own is acknowledged."""
    warm_kernels()
    sys.setswitchinterval(2e-4)
    database = Database.open(store, durability=BY_HAND)
    people = Texts.of([f"p{i}" for i in range(PEOPLE)])
    database.write_profiles(ProfileBatch(people, ()))
    seen: dict[str, object] = {}
    for writers in WRITERS:
        waits: list[list[float]] = [[] for _ in range(writers)]
        started = time.perf_counter()
        threads = [
            threading.Thread(target=_write_singly, args=(database, people, number, started + lasting_s, own))
            for number, own in enumerate(waits)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        elapsed = time.perf_counter() - started
        seen[str(writers)] = ([wait for own in waits for wait in own], elapsed)
    expected = sum(len(waits) for waits, _ in seen.values())  # type: ignore[misc]
    if database.status().events != expected:
        raise RuntimeError(f"{database.status().events:,} of {expected:,} acknowledged events are counted")
    return seen


def _write_singly(database: Database, people: Texts, number: int, ends_at: float, waits: list[float]) -> None:
    at = number
    while time.perf_counter() < ends_at:
        batch = EventBatch(people.take(np.array([at % PEOPLE])), "click", np.array([NOW_US], dtype=np.int64))
        waits.append(_write(database, batch))
        at += 977


def _given_bytes(batch: EventBatch | ProfileBatch) -> int:
    """What a batch brings: the bytes of its texts, and of its numbers as they are given."""
    texts = [batch.keys, *([batch.names, batch.times_us] if isinstance(batch, EventBatch) else [])]
    columns = batch.properties if isinstance(batch, EventBatch) else batch.columns
    return sum(
        len(v.data) if isinstance(v, Texts) else 0 if isinstance(v, str) else v.nbytes
        for v in [*texts, *(column.values for column in columns)]
    )


def _timed_writes(write: Callable[..., object], batches: Iterator[object]) -> tuple[float, int, int]:
    spent, rows, given = 0.0, 0, 0
    for batch in batches:
        started = time.perf_counter()
        write(batch)
        spent += time.perf_counter() - started
        rows += len(batch)  # type: ignore[arg-type]
        given += _given_bytes(batch)  # type: ignore[arg-type]
    return spent, rows, given


def _write(database: Database, batch: EventBatch) -> float:
    started = time.perf_counter()
    database.write_events(batch)
    return time.perf_counter() - started


def _commits(tier: Tier) -> Iterator[EventBatch]:
    """Batches of 10,000 that go on after the history, under other seeds."""
    total = tier.size.events
    last = -(-total // EVENT_CHUNK) - 1
    for seed in itertools.count(5_000):
        for chunk in events(total, tier.size.profiles, seed, first_chunk=last):
            parts = range(0, len(chunk) - COMMIT_ROWS + 1, COMMIT_ROWS)
            yield from [chunk.part(start, start + COMMIT_ROWS).to_batch() for start in parts]


def _beside_checkpoints(
    database: Database, keeper: Keeper, commits: Iterator[EventBatch], files: Files, rounds: int
) -> Figures:
    """Rounds of commits alone, while another thread makes a checkpoint, and alone again.

    Each round compares with its own time alone, so that the mood of the machine falls on both.
    """
    captures = _timed_captures(keeper)
    changed = itertools.cycle(profile_batches(files.profiles))
    alone: list[float] = []
    beside: list[float] = []
    took: list[float] = []
    shares: list[float] = []
    for _ in range(rounds):
        ready = [next(commits) for _ in range(PREPARED)]
        # What the checkpoint finds changed is what a store in use would have: profiles too.
        for batch in itertools.islice(changed, 5):
            database.write_profiles(batch)
        before = _written_for(ALONE_S, database, ready)
        thread = threading.Thread(target=lambda: took.append(_seconds(database.checkpoint)))
        meanwhile: list[float] = []
        thread.start()
        while thread.is_alive():
            if not ready:
                ready = [next(commits) for _ in range(10)]
            meanwhile.append(_write(database, ready.pop()))
        thread.join()
        ready += [next(commits) for _ in range(max(0, PREPARED // 3 - len(ready)))]
        lone = before + _written_for(ALONE_S, database, ready)
        shares.append(float(np.mean(lone) / np.mean(meanwhile)))
        alone, beside = alone + lone, beside + meanwhile
    return {
        "capture_s": max(captures), "checkpoint_beside_s": float(np.median(took)), "commits_beside": len(beside),
        "lone_p50_s": float(np.median(alone)), "lone_p99_s": float(np.percentile(alone, 99)),
        "beside_p50_s": float(np.median(beside)), "beside_p99_s": float(np.percentile(beside, 99)),
        "throughput_share": float(np.median(shares)), "share_least": min(shares), "share_most": max(shares),
    }  # fmt: skip


def _written_for(seconds: float, database: Database, ready: list[EventBatch]) -> list[float]:
    """What each of as many batches took as fit into so many seconds, one at least."""
    spent = [_write(database, ready.pop())]
    while ready and sum(spent) < seconds:
        spent.append(_write(database, ready.pop()))
    return spent


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _timed_captures(keeper: Keeper) -> list[float]:
    """How long writes are held for each checkpoint from here on."""
    captures: list[float] = []
    capture = keeper._capture

    def timed_capture(rotate: Callable[[], None]) -> Captured:
        held: list[float] = []

        def timed_rotate() -> None:
            # From here on writes are held; before, it waits for the one under way.
            held.append(time.perf_counter())
            rotate()

        captured = capture(timed_rotate)
        captures.append(time.perf_counter() - held[0])
        return captured

    keeper._capture = timed_capture
    return captures


def _restart(store: Path) -> Figures:
    warm_kernels()
    started = time.perf_counter()
    database = Database.open(store, clock=ManualClock(NOW_US), durability=BULK)
    took = time.perf_counter() - started
    report = database.recovery
    assert report is not None
    figures = _answers(database) | {"restart_s": took, "replayed": float(report.replayed)}
    figures["rebuild_s"] = took - report.took_s
    return figures | {"replayed_bytes": float(report.log_bytes), "restart_peak_bytes": float(peak_bytes())}


def _answers(database: Database) -> Figures:
    status = database.status()
    active = database.count("did any event at least 3 times in last 7 days and subscribed = true").count
    members = float(sum(living.sizes(database).of.values()))
    return {
        "profiles": float(status.profiles), "events": float(status.events), "active": float(active),
        "members": members, "segments": float(status.segments),
    }  # fmt: skip


def _keeper(database: Database) -> Keeper:
    assert database._keeper is not None
    return database._keeper


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["fill", "restart", "acknowledge"])
    parser.add_argument("--tier", type=Tier, default=Tier.S)
    parser.add_argument("--folder", type=Path, default=Path(".cache/bench"))
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    figures: dict[str, Any]
    match given.what:
        case "fill":
            figures = _fill(given.tier, given.folder, given.store)
        case "restart":
            figures = _restart(given.store)
        case _:
            figures = _acknowledge(given.store, given.seconds)
    given.out.write_text(json.dumps(figures))
    sys.stdout.flush()
    os._exit(0)  # As a loss of power would: nothing is closed.


if __name__ == "__main__":
    main()
