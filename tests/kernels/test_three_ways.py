"""The tests of this folder also pass as plain Python, and compiled with every index checked.

An index out of range is undefined in a kernel: it may read a neighbour's byte and go unseen. With bounds checked it
raises; as plain Python a wrong type or an overflow shows. Both need their own process and their own compiled code.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
WAYS = {"plain Python": {"NUMBA_DISABLE_JIT": "1"}, "bounds checked": {"NUMBA_BOUNDSCHECK": "1"}}


@pytest.mark.skipif(
    any(name in os.environ for way in WAYS.values() for name in way), reason="is one of the ways"
)
@pytest.mark.parametrize("way", WAYS)
def test_kernels_pass_their_tests(way: str, tmp_path: Path) -> None:
    files = sorted(str(path) for path in HERE.glob("test_*.py") if path != Path(__file__).resolve())
    # Wrapping arithmetic is meant; only numpy's scalars, in plain Python, warn of it.
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore:overflow encountered:RuntimeWarning"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=HERE.parents[1],
        env={**os.environ, **WAYS[way], "NUMBA_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    assert " passed" in run.stdout and "skipped" not in run.stdout
