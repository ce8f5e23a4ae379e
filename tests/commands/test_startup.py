"""A command that only talks to a server starts quickly and loads nothing that it does not need."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time

import pytest

HEAVY = (
    "numpy",
    "numba",
    "pyarrow",
    "pyroaring",
    "headcount_engine",
    "headcount_server.app",
    "rich",
    "structlog",
)
START_S = 3.0
"""Half a second on an idle machine; the rest is for one that is busy with other tests."""


def run_and_list_modules(arguments: list[str]) -> set[str]:
    code = (
        "import sys\n"
        "from headcount_server.commands.main import main\n"
        f"main({arguments!r})\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["count", "did purchase", "--target", "127.0.0.1:1"],
        ["check", "p1", "did purchase", "--target", "127.0.0.1:1", "--json"],
        ["segments", "create", "vip", "did purchase", "--target", "127.0.0.1:1"],
        ["schema", "--target", "127.0.0.1:1", "--json"],
        ["completion", "bash"],
    ],
)
def test_commands_that_talk_to_a_server_load_nothing_heavy(arguments: list[str]) -> None:
    loaded = run_and_list_modules(arguments)
    unwanted = set(HEAVY)
    # Releases of typer that have adapters load pydantic for every command line.
    if importlib.util.find_spec("typer._adapters") is None:
        unwanted.add("pydantic")
    assert not loaded & unwanted


def test_help_is_there_at_once() -> None:
    started = time.monotonic()
    code = "from headcount_server.commands.main import run; run()"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True)
    assert "segments" in done.stdout
    assert time.monotonic() - started < START_S
