"""headcount checkpoint, and what status says of a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headcount_engine.model.batches import ProfileBatch, Texts
from headcount_server.app import build
from headcount_server.commands.exits import Exit
from headcount_server.config import ServerConfig
from tests.commands.conftest import CommandLine


def test_a_checkpoint_is_made_and_the_status_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with build(ServerConfig(listen="127.0.0.1:0", data=tmp_path / "store", grace_s=1)) as server:
        run = CommandLine(server.address, capsys)
        server.database.write_profiles(ProfileBatch(Texts.of(["a", "b"])))
        before = json.loads(run("status", "--json").out)["durability"]
        assert (before["durable_version"], before["checkpoint_version"]) == (1, 0) and before["log_bytes"] > 0
        assert run("checkpoint").out.startswith("version 1 is written: ")
        after = json.loads(run("status", "--json").out)["durability"]
        assert (after["checkpoint_version"], after["log_bytes"], after["store_failure"]) == (1, 0, "")
        assert "stored: version 1 is safe, checkpoint at version 1, 0.0 MB of log since" in run("status").out


def test_a_server_in_memory_refuses(headcount: CommandLine) -> None:
    ran = headcount("checkpoint")
    assert ran.code == Exit.REFUSED and "in memory makes no checkpoints" in ran.err
    assert json.loads(headcount("status", "--json").out)["durability"] is None
