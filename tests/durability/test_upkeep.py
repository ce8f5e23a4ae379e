"""What an open store does by itself: checkpoints when they are due, syncs at intervals, instants recorded."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.errors import StoreError
from headcount_engine.model.durability import DurabilityOptions, SyncMode
from headcount_engine.model.values import Kind
from tests.agreement.columns import column, profiles
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import NOW, opened
from tests.durability.histories import OPTIONS, Small


def eventually(holds: Callable[[], bool]) -> None:
    """Upkeep looks every few milliseconds here; ten seconds is for a machine that is very busy."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def database(files: CrashFiles, options: DurabilityOptions) -> Database:
    return Database.open(None, files=files, clock=ManualClock(NOW), durability=options)


def test_a_checkpoint_is_made_when_the_log_is_long_enough_and_the_log_is_cut() -> None:
    files = CrashFiles()
    options = DurabilityOptions(checkpoint_log_bytes=20_000, now_every_s=0.02)
    with database(files, options) as live:
        keeper = live._keeper
        assert keeper is not None
        for round_ in range(3):
            for i in range(30):
                live.write_profiles(
                    profiles([f"{round_}-{i}"], column("text", Kind.TEXT, ["x" * 900 + f"{round_} {i}"]))
                )
            eventually(lambda: keeper.store.log_bytes < 20_000)
        assert keeper.store.checkpoint_version > 30
        logs = [name for name in files.names() if name.endswith(".log")]
        assert logs[0] > "log-00000000000000000001.log"
    assert opened(CrashFiles(files.process_ended())).status().profiles == 90


def test_a_checkpoint_is_made_after_some_time() -> None:
    files = CrashFiles()
    with database(files, DurabilityOptions(checkpoint_every_s=0.02)) as live:
        live.write_profiles(profiles(["a"]))
        eventually(lambda: live._keeper is not None and live._keeper.store.checkpoint_version == 1)


def test_an_automatic_checkpoint_that_fails_is_said_and_writes_go_on() -> None:
    files = CrashFiles()
    live = database(files, DurabilityOptions(checkpoint_every_s=0.02, now_every_s=60))
    keeper = live._keeper
    assert keeper is not None
    files._fault = lambda _, kind: OSError(28, "injected") if kind == "rename" else None
    live.write_profiles(profiles(["a"]))
    eventually(lambda: keeper.last_failure is not None)
    assert "the log has everything" in str(keeper.last_failure) and live.store_failure is None
    live.write_profiles(profiles(["b"]))
    facts = live.durability()
    assert facts is not None and facts.failure is None and facts.checkpoint_failure == keeper.last_failure
    assert facts.checkpoint_version == 0 < facts.log_bytes
    with pytest.raises(StoreError, match="the log has everything"):
        live.close()
    assert opened(CrashFiles(files.process_ended())).status().profiles == 2


def test_now_is_recorded_while_nothing_is_written() -> None:
    files, clock = CrashFiles(), ManualClock(NOW)
    live = Database.open(None, files=files, clock=clock, durability=DurabilityOptions(now_every_s=0.01))
    clock.advance_to(NOW + 5)
    eventually(lambda: opened(CrashFiles(files.process_ended()), 0)._gate.now_us == NOW + 5)
    assert opened(CrashFiles(files.process_ended()), 0).count("everyone").now_us == NOW + 5
    live.close()


def test_at_intervals_many_commits_share_a_sync_and_power_takes_only_the_last_ones() -> None:
    files = CrashFiles()
    options = replace(OPTIONS, sync=SyncMode.INTERVAL, interval_s=0.01)
    small = Small(files, options)
    before = files.calls
    for _ in range(200):
        small.commit()
    assert files.calls - before < 400
    eventually(lambda: Small(CrashFiles(files.image(random.Random(1)))).version == 200)
    small.commit()
    for seed in range(20):
        assert Small(CrashFiles(files.image(random.Random(seed)))).version in (200, 201)
    small.store.close()
    assert Small(CrashFiles(files.image(random.Random(1)))).version == 201


def test_a_sync_that_fails_between_commits_makes_the_store_read_only() -> None:
    files = CrashFiles()
    small = Small(files, replace(OPTIONS, sync=SyncMode.INTERVAL, interval_s=0.01))
    files._fault = lambda _, kind: OSError(5, "injected") if kind == "sync" else None
    small.commit()
    eventually(lambda: small.store.failure is not None)
    with pytest.raises(StoreError, match="read-only"):
        small.commit()


def test_left_to_the_operating_system_nothing_is_synced_before_the_end() -> None:
    files = CrashFiles()
    small = Small(files, replace(OPTIONS, sync=SyncMode.OPERATING_SYSTEM))
    before = files.calls
    for _ in range(50):
        small.commit()
    assert files.calls - before == 50
    assert Small(CrashFiles(files.process_ended())).version == 50
    small.store.close()
    assert Small(CrashFiles(files.image(random.Random(3)))).version == 50


def test_only_what_changed_is_written_again(tmp_path: Path) -> None:
    with Database.open(tmp_path, clock=ManualClock(NOW), durability=OPTIONS) as live:
        count = 150_000
        live.write_profiles(
            profiles([f"k{i}" for i in range(count)], column("n", Kind.INT, [i * 7919 for i in range(count)]))
        )
        first = live.checkpoint()
        assert live.checkpoint().new_bytes == 0
        live.write_profiles(profiles(["k5"], column("n", Kind.INT, [1])))
        second = live.checkpoint()
        # Of the column's three blocks one was touched; the keys have not grown.
        assert first.new_bytes > 1_000_000 and 0 < second.new_bytes < first.new_bytes / 4
    with Database.open(tmp_path, clock=ManualClock(NOW), durability=OPTIONS) as again:
        assert again.get_profile("k5").attributes == {"n": 1} and again.get_profile("k6").attributes == {
            "n": 47514
        }
