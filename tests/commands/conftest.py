"""A server on a free port, and the command line pointed at it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from headcount_server.app import RunningServer, build
from headcount_server.commands.main import main
from headcount_server.config import ServerConfig

NOW = "2024-06-15T12:00:00Z"


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str


class CommandLine:
    """Runs command lines in this process against one server."""

    def __init__(self, target: str, capsys: pytest.CaptureFixture[str]) -> None:
        self._target = target
        self._capsys = capsys

    def __call__(self, *arguments: object) -> Ran:
        self._capsys.readouterr()
        code = main([*map(str, arguments), "--target", self._target])
        written = self._capsys.readouterr()
        return Ran(code, written.out, written.err)


@pytest.fixture
def server() -> Iterator[RunningServer]:
    with build(ServerConfig(listen="127.0.0.1:0", clock_start=NOW, grace_s=1)) as running:
        yield running


@pytest.fixture
def headcount(server: RunningServer, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(server.address, capsys)
