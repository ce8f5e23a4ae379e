"""headcount watch and headcount segments history, as a person and as a program uses them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from headcount import Client
from headcount_server.app import RunningServer
from headcount_server.commands.exits import Exit
from headcount_server.commands.history import sparkline
from tests.commands.conftest import CommandLine


class Watching:
    """`headcount watch` in a process of its own; its lines as they come."""

    def __init__(self, target: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "headcount_server.commands", "watch", *arguments, "--target", target],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def lines(self, count: int) -> list[str]:
        assert self.process.stdout is not None
        guard = threading.Timer(60, self.process.kill)
        guard.start()
        try:
            return [self.process.stdout.readline().rstrip("\n") for _ in range(count)]
        finally:
            guard.cancel()

    def interrupt(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@pytest.fixture
def client(server: RunningServer) -> Iterator[Client]:
    with Client(server.address, timeout=60) as client:
        client.upsert_profiles([{"key": "ann", "cart": 99}, {"key": "bo", "cart": 150}])
        client.create_segment("small", "cart < 100", display_name="Small carts")
        yield client


def test_a_watch_prints_an_object_a_line_until_it_is_interrupted(
    server: RunningServer, client: Client
) -> None:
    watching = Watching(server.address, "small", "--from", "start", "--json")
    client.upsert_profiles([{"key": "ann", "cart": 100}, {"key": "bo", "cart": 1}])
    found = [json.loads(line) for line in watching.lines(3)]
    assert [(f["change"], f["profile"], f["segment"], f["cause"]) for f in found] == [
        ("joined", "ann", "small", "definition"),
        ("left", "ann", "small", "attribute"),
        ("joined", "bo", "small", "attribute"),
    ]
    assert all(set(f) == {"change", "profile", "segment", "version", "now", "cause", "cursor"} for f in found)
    assert all(f["now"].startswith("2024-06-15T12:0") and f["now"].endswith("Z") for f in found)
    code, err = watching.interrupt()
    assert code == Exit.INTERRUPTED and "Traceback" not in err
    again = Watching(server.address, "small", "--from", found[1]["cursor"], "--json")
    assert json.loads(again.lines(1)[0]) == found[2]
    again.interrupt()


def test_a_watch_for_people_begins_with_who_is_in_and_tells_where_to_go_on(
    server: RunningServer, client: Client
) -> None:
    watching = Watching(server.address, "Small carts", "--initial")
    first = watching.lines(1)[0]
    assert first.split()[1:] == ["initial", "small", "ann"]
    client.upsert_profiles([{"key": "bo", "cart": 1}])
    assert watching.lines(1)[0].split()[1:] == ["joined", "small", "bo", "(attribute)"]
    _, err = watching.interrupt()
    assert "go on from here with: --from " in err
    cursor = err.split("--from ")[1].split()[0]
    client.upsert_profiles([{"key": "ann", "cart": 500}])
    again = Watching(server.address, "--from", cursor)
    assert again.lines(1)[0].split()[1:4] == ["left", "small", "ann"]
    again.interrupt()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nobody",), Exit.NOT_FOUND, "no such segment"),
        (("small", "--from", "yesterday"), Exit.INVALID, "not a cursor"),
    ],
)
def test_what_cannot_be_watched_ends_with_a_line_and_a_code(
    headcount: CommandLine, client: Client, arguments: tuple[str, ...], code: Exit, message: str
) -> None:
    ran = headcount("watch", *arguments)
    assert (ran.code, ran.out) == (code, "") and message in ran.err
    assert "go on from here" not in ran.err


def test_a_history_is_a_table_with_a_sparkline_and_json(headcount: CommandLine, client: Client) -> None:
    client.upsert_profiles([{"key": "bo", "cart": 1}, {"key": "cy", "cart": 2}])
    client.upsert_profiles([{"key": "ann", "cart": 100}])
    told = json.loads(headcount("segments", "history", "small", "--json").out)
    assert (told["size"], len(told["history"])) == (2, 30)
    assert told["history"][-1] == {"start": "2024-06-15T00:00:00Z", "size": 2, "joined": 3, "left": 1}
    assert all(p["size"] == 0 for p in told["history"][:-1])
    shown = headcount("segments", "history", "Small carts").out
    assert "2 profiles" in shown and f"{'▁' * 29}█" in shown and "+3" in shown and "-1" in shown
    minutes = json.loads(
        headcount(
            "segments", "history", "small", "--from", "2024-06-15T11:58:00Z", "--step", "1m", "--json"
        ).out
    )["history"]
    assert [p["start"][11:16] for p in minutes[:3]] == ["11:58", "11:59", "12:00"]
    assert sum(p["joined"] for p in minutes) == 3 and minutes[-1]["size"] == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--step", "0d"), Exit.INVALID),
        (("--step", "fast"), Exit.INVALID),
        (("--step", "1m", "--from", "2023-01-01T00:00:00Z"), Exit.INVALID),
        (("--from", "2030-01-01T00:00:00Z"), Exit.INVALID),
        (("--from", "2024-06-01"), Exit.INVALID),
    ],
)
def test_a_history_that_cannot_be_is_refused_in_a_line(
    headcount: CommandLine, client: Client, arguments: tuple[str, ...], code: Exit
) -> None:
    ran = headcount("segments", "history", "small", *arguments)
    assert ran.code == code and ran.out == "" and len(ran.err.strip().splitlines()) == 1
    assert headcount("segments", "history", "nobody").code == Exit.NOT_FOUND


def test_a_sparkline_spans_from_the_lowest_to_the_highest() -> None:
    assert sparkline([]) == ""
    assert sparkline([0, 0]) == "▁▁" and sparkline([7, 7]) == "▄▄"
    assert sparkline([10, 11, 17]) == "▁▂█"


def test_the_commands_of_this_file_stand_in_the_help(headcount: CommandLine, tmp_path: Path) -> None:
    for words in (("watch", "--help"), ("segments", "history", "--help")):
        done = subprocess.run(
            [sys.executable, "-m", "headcount_server.commands", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 and "--from" in done.stdout
