"""merge, erase and the proof of an erasure, as commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headcount import Client, Identifier, ProfileUpdate
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


def test_who_is_not_there_is_named(server: RunningServer, headcount: CommandLine) -> None:
    """The server names no profile in what it says, since that travels to logs; the command knows whom it asked for."""
    with Client(server.address) as client:
        client.upsert_profiles([{"key": key} for key in "abc"])
    assert (
        headcount("merge", "a", "b", "x").err == "headcount: there is no profile 'x' (merged 1 before that)\n"
    )
    assert headcount("merge", "y", "a").err == "headcount: there is no profile 'y'\n"
    assert headcount("erase", "c", "z", "--yes").err == (
        "headcount: there is no profile 'z' (erased 1 before that)\n"
    )
    for command in ("profile", "check"):
        ran = headcount(command, "nobody")
        assert (ran.code, ran.err) == (Exit.NOT_FOUND, "headcount: there is no profile 'nobody'\n")


def test_a_profile_is_found_by_an_identifier(server: RunningServer, headcount: CommandLine) -> None:
    with Client(server.address) as client:
        client.declare_attributes(identifiers=["email"], consent_topics={"news": True})
        client.upsert_profiles(
            [
                ProfileUpdate(
                    "a", {"age": 30}, identifiers=[Identifier("email", "a@x")], consents={"news": False}
                )
            ]
        )
        client.create_segment("grown", "age >= 18")
    found = json.loads(headcount("profile", "a@x", "--by", "email", "--json").out)
    assert (found["key"], found["identifiers"]) == ("a", {"email": "a@x"})
    assert found["consents"]["news"]["subscribed"] is False
    assert "news (consent)" in headcount("profile", "a@x", "--by", "email").out
    assert headcount("check", "a@x", "--by", "email").out == "grown\n"
    assert headcount("check", "a@x", "age > 29", "--segment", "grown", "--by", "email").code == Exit.DONE
    nobody = headcount("check", "b@x", "age > 29", "--by", "email")
    assert (nobody.code, nobody.err) == (Exit.NOT_FOUND, "headcount: nobody has the email 'b@x'\n")
    assert headcount("check", "a", "--at", "2024-01-01T00:00:00Z").code == Exit.USAGE


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
