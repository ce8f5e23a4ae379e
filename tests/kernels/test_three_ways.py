"""The tests of this folder also pass as plain Python, and compiled with every index checked.

An index out of range is undefined in a kernel: it may read a neighbour's byte and go unseen. With bounds checked it
raises; as plain Python a wrong type or an overflow shows. Both need their own process and their own compiled code.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
WAYS = {"plain Python": {"NUMBA_DISABLE_JIT": "1"}, "bounds checked": {"NUMBA_BOUNDSCHECK": "1"}}


IS_ONE_OF_THEM = any(name in os.environ for way in WAYS.values() for name in way)


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """Both at once: each spends most of its time on one core, compiling or interpreting."""
    files = sorted(str(path) for path in HERE.glob("test_*.py") if path != Path(__file__).resolve())
    # Wrapping arithmetic is meant; only numpy's scalars, in plain Python, warn of it.
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore:overflow encountered:RuntimeWarning"]
    command = [sys.executable, "-m", "pytest", *options, *files]
    running = {}
    for way, variables in WAYS.items():
        cache = tmp_path_factory.mktemp("cache")
        environment = {**os.environ, **variables, "NUMBA_CACHE_DIR": str(cache)}
        running[way] = subprocess.Popen(
            command,
            cwd=HERE.parents[1],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    yield running
    for process in running.values():
        process.kill()
        process.communicate()


@pytest.mark.skipif(IS_ONE_OF_THEM, reason="is one of the ways")
@pytest.mark.parametrize("way", WAYS)
def test_kernels_pass_their_tests(way: str, processes: dict[str, subprocess.Popen[str]]) -> None:
    output, _ = processes[way].communicate(timeout=500)
    assert processes[way].returncode == 0, output[-6000:]
    assert " passed" in output and "skipped" not in output
