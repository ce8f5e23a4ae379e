"""The README's example runs as printed, against a server of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headcount_server.app import build
from headcount_server.config import ServerConfig

README = Path(__file__).parent.parent / "README.md"


def test_the_python_example_of_the_readme_runs_and_prints_what_it_should(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(source) == 1 and len(source[0].splitlines()) <= 35
    server = build(ServerConfig(listen="127.0.0.1:0", data=tmp_path))
    try:
        code = source[0].replace("127.0.0.1:50051", server.address)
        exec(compile(code, str(README), "exec"), {})
    finally:
        server.stop()
    printed = capsys.readouterr().out
    assert "3 of 6" in printed
    assert "[('keen-and-rich', 3)]" in printed
    assert "{'keen-and-rich': True}" in printed
