"""merge, erase and the proof of an erasure, as commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from headcount import Client
from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_server.app import RunningServer
from headcount_server.commands.exits import Exit
from headcount_server.commands.main import main
from tests.agreement.columns import profiles
from tests.commands.conftest import CommandLine

NOW = 20_000 * 86_400_000_000


def test_profiles_are_merged_and_erased(server: RunningServer, headcount: CommandLine) -> None:
    with Client(server.address) as client:
        client.upsert_profiles([{"key": key} for key in "abcd"])
        ran = headcount("merge", "a", "b", "c")
        assert ran.code == Exit.DONE and ran.out == "merged 2 into a\n"
        assert client.get_profile("c").key == "a"
        assert headcount("erase", "c", "d", "--yes").out.startswith("erased 2 at version ")
        assert client.count("everyone").count == 0
    assert headcount("erase", "c", "--yes").code == Exit.NOT_FOUND
    assert headcount("merge", "a", "x", "--json").code == Exit.NOT_FOUND


def test_erasing_asks_first(
    server: RunningServer, headcount: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(server.address) as client:
        client.upsert_profiles([{"key": "a"}])
        monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
        assert headcount("erase", "a").code == Exit.REFUSED and client.count("everyone").count == 1
        monkeypatch.setattr("typer.confirm", lambda *_, **__: True)
        assert headcount("erase", "a").code == Exit.DONE and client.count("everyone").count == 0


def test_verify_proves_an_erasure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "store"
    with Database.open(store, clock=ManualClock(NOW)) as database:
        database.write_profiles(profiles(["a SENTINEL", "another"]))
        database.erase_profile("a SENTINEL")
    assert main(["verify", str(store), "--erased", "a SENTINEL"]) == Exit.NO
    assert "not yet completed" in capsys.readouterr().out
    with Database.open(store, clock=ManualClock(NOW)) as database:
        assert database.complete_erasures() == 1
    assert main(["verify", str(store), "--erased", "a SENTINEL"]) == Exit.DONE
    told = capsys.readouterr().out
    assert told.startswith("gone: ") and "erased and completed" in told
    assert main(["verify", str(store), "--erased", "another"]) == Exit.NO
    told = capsys.readouterr().out
    assert "left: checkpoint-" in told and "knows of no erasure" in told
    assert main(["verify", str(store), "--erased", "a SENTINEL", "--text", "another"]) == Exit.NO
    assert main(["verify", str(store), "--text", "another"]) == Exit.USAGE
    assert main(["verify", str(tmp_path / "nowhere"), "--erased", "x"]) == Exit.NOT_FOUND
