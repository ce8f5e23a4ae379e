"""A real server under load is killed with SIGKILL, again and again; what it acknowledged is there each time.

Each writer keeps a journal of its own: a batch is pending when it is sent and committed when the answer came. After
every restart each committed batch is there whole, each pending one is there whole or not at all.
"""

from __future__ import annotations

import faulthandler
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from headcount import Client, HeadcountError, ProfileUpdate

BATCH = 20
CYCLE_S_MAX = 180
WRITERS = 4


@dataclass
class Journal:
    """What one writer sent, by batch name. Only its own thread writes it; it is read when that has ended."""

    writer: int
    committed: set[str] = field(default_factory=set)
    pending: set[str] = field(default_factory=set)
    number: int = 0


@contextmanager
def server(path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "headcount_server.commands", "serve", "--listen", "127.0.0.1:0"]
    process = subprocess.Popen(
        [*command, "--data", str(path), "--log-level", "error"], stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("headcount is listening on "), line
            yield process, line.split()[-1]
        finally:
            process.kill()


def write_until_it_ends(address: str, journal: Journal, acknowledged: threading.Semaphore) -> None:
    with Client(address, timeout=20) as client:
        while True:
            journal.number += 1
            name = f"w{journal.writer}-{journal.number}"
            journal.pending.add(name)
            try:
                client.upsert_profiles([ProfileUpdate(f"{name}-{i}", {"batch": name}) for i in range(BATCH)])
            except HeadcountError:
                return
            journal.pending.remove(name)
            journal.committed.add(name)
            acknowledged.release()


def assert_committed(client: Client, names: list[str]) -> None:
    """Each of these batches is there whole: one count for all, and which one it is where that is too low."""
    for start in range(0, len(names), 1_000):
        part = names[start : start + 1_000]
        listed = ", ".join(f'"{name}"' for name in part)
        if client.count(f"batch in ({listed})").count != BATCH * len(part):
            lost = [name for name in part if client.count(f'batch = "{name}"').count != BATCH]
            raise AssertionError(f"{lost} were acknowledged and are not there")


def check(client: Client, journals: list[Journal]) -> None:
    total = 0
    for journal in journals:
        assert_committed(client, sorted(journal.committed))
        for name in sorted(journal.pending):
            found = client.count(f'batch = "{name}"').count
            assert found in (0, BATCH), f"{name} is there by half"
            journal.pending.remove(name)
            if found:
                journal.committed.add(name)
        total += BATCH * len(journal.committed)
    assert client.count("everyone").count == total, "something is there that nobody wrote"


def kill_again_and_again(path: Path, cycles: int, seed: int) -> int:
    """Batches acknowledged over all cycles, none of them lost."""
    chance = random.Random(seed)
    journals = [Journal(writer) for writer in range(WRITERS)]
    for cycle in range(cycles + 1):
        # A bound on each cycle in place of the one on the whole test.
        faulthandler.dump_traceback_later(CYCLE_S_MAX, exit=True, file=sys.__stderr__)
        with server(path) as (process, address):
            if cycle:
                with Client(address, timeout=60) as client:
                    check(client, journals)
            if cycle == cycles:
                break
            acknowledged = threading.Semaphore(0)
            threads = [
                threading.Thread(target=write_until_it_ends, args=(address, journal, acknowledged))
                for journal in journals
            ]
            for thread in threads:
                thread.start()
            assert acknowledged.acquire(timeout=60)
            time.sleep(chance.random() * 0.3)
            process.kill()
            for thread in threads:
                thread.join()
    faulthandler.cancel_dump_traceback_later()
    return sum(len(journal.committed) for journal in journals)


def test_a_killed_server_comes_back_with_all_that_it_acknowledged(tmp_path: Path) -> None:
    assert kill_again_and_again(tmp_path, cycles=2, seed=1) > 2


@pytest.mark.long
def test_a_hundred_kills_of_one_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    batches = kill_again_and_again(tmp_path, cycles=100, seed=2)
    with capsys.disabled():
        print(f"\nkill -9: 100 cycles, {batches} batches acknowledged, 0 lost")  # noqa: T201 - the suite's figures
