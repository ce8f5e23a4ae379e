"""Local targets: the same client over a store in a directory, without a server."""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
from contextlib import suppress
from pathlib import Path

import pytest

from headcount import (
    AsyncClient,
    Client,
    FailedPrecondition,
    HeadcountError,
    InvalidArgument,
    InvalidRule,
    NotFound,
    Tls,
    connect,
)
from headcount.errors import Unavailable

NOW = dt.datetime(2024, 6, 15, 12, tzinfo=dt.UTC)


def test_a_store_in_a_directory_keeps_what_was_written(tmp_path: Path) -> None:
    target = f"local:{tmp_path / 'data'}"
    with connect(target) as headcount:
        receipt = headcount.upsert_profiles([{"key": "a", "age": 1}, {"key": "b", "age": 2}])
        headcount.create_segment("old", "age >= 2")
        assert headcount.count("age >= 1", min_version=receipt.version).count == 2
    with connect(target) as headcount:
        assert headcount.get_segment("old").size == 1
        assert headcount.check("b", "old")["old"]
        assert headcount.status().state.value == "serving"


def test_two_at_a_time_cannot_have_the_same_directory(tmp_path: Path) -> None:
    with connect(f"local:{tmp_path}"), pytest.raises(FailedPrecondition) as refused:
        connect(f"local:{tmp_path}")
    assert refused.value.reason == "STORE_LOCKED"


def test_failures_are_those_of_a_server() -> None:
    with connect("local:") as headcount:
        with pytest.raises(InvalidRule) as refused:
            headcount.count("age >")
        assert refused.value.details.rule is not None and refused.value.details.rule.line == 1
        with pytest.raises(NotFound):
            headcount.get_segment("gone")
        with pytest.raises(HeadcountError) as late:
            headcount.count("everyone", timeout=-1.0)
        assert late.value.code == "DEADLINE_EXCEEDED"
    with pytest.raises(HeadcountError) as closed:
        headcount.count("everyone")
    assert closed.value.reason == "CLIENT_CLOSED"


def test_a_stream_of_rows_goes_the_same_way_and_says_what_is_wrong() -> None:
    with connect("local:?clock_start=2024-06-15T12:00:00Z") as headcount:
        with headcount.ingest() as writer:
            for i in range(5_000):
                writer.profile(f"p{i}", {"age": i})
                writer.event("buy", f"p{i}", NOW - dt.timedelta(hours=1), id=str(i))
        assert writer.summary.accepted_rows == 10_000
        assert headcount.count("did buy in last 2 hours").count == 5_000


def test_a_caller_who_leaves_a_stream_by_an_exception_leaves_nothing_behind() -> None:
    with connect("local:") as headcount:
        with suppress(KeyError), headcount.ingest() as writer:
            writer.profile("a", {"age": 1})
            raise KeyError
        assert headcount.count("everyone").count == 0


def test_coroutines_have_it_too() -> None:
    async def talk() -> None:
        async with AsyncClient("local:?clock_start=2024-06-15T12:00:00Z") as headcount:
            await headcount.upsert_profiles([{"key": "a", "age": 1}])
            async with headcount.ingest() as writer:
                for i in range(3_000):
                    await writer.event("buy", f"p{i}", NOW - dt.timedelta(hours=1))
            assert writer.summary.accepted_rows == 3_000
            counted = await asyncio.gather(*(headcount.count("did buy") for _ in range(8)))
            assert {found.count for found in counted} == {3_000}
            with pytest.raises(InvalidRule):
                await headcount.count("nonsense >")
            with suppress(KeyError):
                async with headcount.ingest() as writer:
                    await writer.profile("b", {"age": 1})
                    raise KeyError
            assert (await headcount.count("everyone")).count == 3_001
            async with headcount.checker(rules=["did buy"]) as checker:
                held = await asyncio.gather(*(checker.check(key) for key in ("a", "p1", "p2999", "p3000")))
            assert [answer.rules for answer in held] == [(False,), (True,), (True,), (False,)]
            assert [answer.exists for answer in held] == [True, True, True, False]
            async with headcount.checker("gone") as checker:
                with pytest.raises(InvalidRule):
                    await checker.check("a")
                with pytest.raises(InvalidRule):
                    await checker.check("b")
            with pytest.raises(HeadcountError):
                await checker.check("c")
            assert (await headcount.update_settings(first_day_of_week=6)).first_day_of_week == 6

    asyncio.run(asyncio.wait_for(talk(), 60))


def test_without_the_engine_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(f"No module named {name!r}", name="headcount_server")

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(FailedPrecondition, match="pip install") as refused:
        connect("local:./data")
    assert refused.value.reason == "ENGINE_NOT_INSTALLED"


@pytest.mark.parametrize(
    "target", ["local:?colour=red", "local:?clock_start=noon", "local:?clock_start=2024-06-15T12:00:00"]
)
def test_a_target_that_cannot_be_read_is_refused(target: str) -> None:
    with pytest.raises(InvalidArgument):
        connect(target)


def test_a_local_target_takes_no_credentials_and_others_are_servers_as_ever() -> None:
    with pytest.raises(InvalidArgument):
        Client("local:", token="secret")
    with pytest.raises(InvalidArgument):
        Client("local:", tls=Tls())
    with connect("127.0.0.1:1", timeout=0.5) as headcount, pytest.raises((Unavailable, HeadcountError)):
        headcount.status()
