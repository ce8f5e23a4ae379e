"""What `export` wrote, `load profiles` reads: into a server that knows the types, and into an empty one."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from headcount import Client, Point, ProfileUpdate
from headcount.rows import CellInput
from headcount_server.app import RunningServer, build
from headcount_server.commands.exits import Exit
from headcount_server.config import ServerConfig
from tests.commands.conftest import NOW, CommandLine

TYPES = {
    "active": "bool",
    "visits": "int",
    "paid": "decimal(2)",
    "score": "float",
    "plan": "text",
    "likes": "set",
    "seen": "instant",
    "born": "date",
    "home": "point",
}
UTC = dt.UTC
PEOPLE: list[dict[str, CellInput]] = [
    {
        "key": "a",
        "active": True,
        "visits": 3,
        "paid": Decimal("12.50"),
        "score": 0.25,
        "plan": "pro, yearly",
        "likes": {"tea", "art"},
        "seen": dt.datetime(2024, 5, 1, 12, 0, 0, 250, tzinfo=UTC),
        "born": dt.date(1980, 2, 29),
        "home": Point(59.33, 18.0),
    },
    {
        "key": "b",
        "active": False,
        "visits": -4,
        "paid": Decimal("-0.05"),
        "score": 1e-7,
        "plan": 'say "no"',
        "likes": {"tea"},
        "seen": dt.datetime(1969, 1, 1, tzinfo=UTC),
        "born": dt.date(2001, 1, 1),
        "home": Point(-33.9, -0.00001),
    },
    {"key": "c"},
]
SETS = {"a": ({"vip", "new"}, {"email", "push"}), "b": ({"vip"}, {"sms"}), "c": (set[str](), set[str]())}
CONSENTS: dict[str, dict[str, bool]] = {"a": {"news": True, "offers": False}, "b": {"news": False}, "c": {}}
COLUMNS = [*TYPES, "$tags", "$channels", "$consent.news", "$consent.offers"]
LOST: dict[str, dict[str, str]] = {"csv": {"paid": "float"}, "jsonl": {"paid": "float"}, "parquet": {}}
"""What a file cannot say of itself: beside its own rows, only the schema tells a decimal from a float."""


def tell(client: Client) -> None:
    for person in PEOPLE:
        key = str(person["key"])
        tags, channels = SETS[key]
        attributes = {name: value for name, value in person.items() if name != "key"}
        client.upsert_profiles(
            [ProfileUpdate(key, attributes, tags_added=tags, channels_added=channels, consents=CONSENTS[key])]
        )


@pytest.fixture
def told(server: RunningServer, headcount: CommandLine) -> CommandLine:
    with Client(server.address) as client:
        client.declare_attributes(TYPES)
        tell(client)
    return headcount


@pytest.fixture
def empty(capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[str, CommandLine]]:
    with build(ServerConfig(listen="127.0.0.1:0", clock_start=NOW, grace_s=1)) as running:
        yield running.address, CommandLine(running.address, capsys)


def held(address: str, key: str) -> dict[str, object]:
    with Client(address) as client:
        found = client.get_profile(key)
        return {
            **found.attributes,
            "$tags": set(found.tags),
            "$channels": set(found.channels),
            "$consents": {c.topic: c.subscribed for c in found.consents},
        }


def exported(told: CommandLine, file: Path) -> Path:
    names = [part for name in COLUMNS for part in ("-a", name)]
    assert told("export", "everyone", *names, "-o", file).code == Exit.DONE
    return file


@pytest.mark.parametrize("suffix", list(LOST))
def test_an_export_of_every_type_fills_an_empty_server(
    told: CommandLine, server: RunningServer, empty: tuple[str, CommandLine], tmp_path: Path, suffix: str
) -> None:
    # Half the rows were rejected: tags and channels were read as attributes of texts.
    address, other = empty
    file = exported(told, tmp_path / f"all.{suffix}")
    ran = other("load", "profiles", file, "--key", "key", "--json")
    assert ran.code == Exit.DONE, ran
    for key in ("a", "b", "c"):
        before, after = held(server.address, key), held(address, key)
        for name in LOST[suffix]:
            if name in before:
                assert after.pop(name) == float(str(before.pop(name)))
        assert after == before
    with Client(address) as client:
        types = {name: a.type for name, a in client.get_schema().attributes.items() if name in TYPES}
    assert types == {**TYPES, **LOST[suffix]}


@pytest.mark.parametrize("suffix", list(LOST))
def test_an_export_is_exact_where_the_types_are_declared(
    told: CommandLine, server: RunningServer, empty: tuple[str, CommandLine], tmp_path: Path, suffix: str
) -> None:
    address, other = empty
    with Client(address) as client:
        client.declare_attributes(TYPES)
    file = exported(told, tmp_path / f"all.{suffix}")
    assert other("load", "profiles", file, "--key", "key").code == Exit.DONE
    for key in ("a", "b", "c"):
        assert held(address, key) == held(server.address, key)


def test_columns_of_any_name_become_consents_tags_and_channels(
    empty: tuple[str, CommandLine], tmp_path: Path
) -> None:
    address, headcount = empty
    file = tmp_path / "crm.csv"
    file.write_text("id,letter,labels\n1,true,b|a\n2,false,\n3,,a\n4,perhaps,a\n")
    maps = ("--map", "letter=$consent.news", "--map", "labels=$tags")
    ran = headcount("load", "profiles", file, "--key", "id", *maps, "--json")
    (report,) = json.loads(ran.out)
    assert ran.code == Exit.SOME_REJECTED
    assert [(r["line"], r["column"]) for r in report["rejections"]] == [(5, "letter")]
    assert held(address, "1") == {"$tags": {"a", "b"}, "$channels": set(), "$consents": {"news": True}}
    assert held(address, "2")["$consents"] == {"news": False}
    assert held(address, "3")["$consents"] == {}
    both = ("--tags", "labels", "--map", "letter=$tags")
    assert headcount("load", "profiles", file, "--key", "id", *both).code == Exit.INVALID


def test_when_something_changed_is_left_to_the_server(empty: tuple[str, CommandLine], tmp_path: Path) -> None:
    address, headcount = empty
    file = tmp_path / "x.csv"
    file.write_text("key,$consent.news,$changed.$consent.news\na,true,2020-01-01T00:00:00Z\n")
    ran = headcount("load", "profiles", file, "--key", "key")
    assert ran.code == Exit.DONE and "ignored" in ran.err
    assert held(address, "a")["$consents"] == {"news": True}


@pytest.mark.parametrize(
    ("cells", "type_"),
    [
        (["a|b", "a"], "set"),
        (["b|a", "a"], "text"),
        (["a||b"], "text"),
        (["a", "b"], "text"),
        (["59.33,18.0", "-1.0,1.5"], "point"),
        (["59,18"], "text"),
        (["91.5,18.0"], "text"),
        (["59.33,18.0", "x"], "text"),
    ],
)
def test_only_what_an_export_writes_so_is_taken_for_a_set_or_a_point(
    empty: tuple[str, CommandLine], tmp_path: Path, cells: list[str], type_: str
) -> None:
    address, headcount = empty
    file = tmp_path / "x.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([["key", "x"], *([str(i), cell] for i, cell in enumerate(cells))])
    assert headcount("load", "profiles", file, "--key", "key").code == Exit.DONE
    with Client(address) as client:
        assert client.get_schema().attributes["x"].type == type_


@pytest.mark.parametrize("lists", [["[59.33, 18.0]", "[1.5, 2.5, 3.5]"], ["[59.33, 18.0]", "[1, 2]"]])
def test_lists_of_numbers_that_are_not_all_points_are_sets(
    empty: tuple[str, CommandLine], tmp_path: Path, lists: list[str]
) -> None:
    address, headcount = empty
    file = tmp_path / "x.jsonl"
    file.write_text("".join(f'{{"key": "{i}", "x": {one}}}\n' for i, one in enumerate(lists)))
    assert headcount("load", "profiles", file, "--key", "key").code == Exit.DONE
    with Client(address) as client:
        assert client.get_schema().attributes["x"].type == "set"


def test_a_point_far_down_a_file_that_is_none_is_rejected_alone(
    empty: tuple[str, CommandLine], tmp_path: Path
) -> None:
    address, headcount = empty
    file = tmp_path / "x.jsonl"
    rows = [f'{{"key": "{i}", "x": [1.5, 2.5]}}\n' for i in range(12_000)]
    rows[11_000] = '{"key": "k", "x": [1.5]}\n'
    file.write_text("".join(rows))
    ran = headcount("load", "profiles", file, "--key", "key", "--json")
    (report,) = json.loads(ran.out)
    assert (report["accepted"], report["rejections"][0]["line"]) == (11_999, 11_001)
    assert held(address, "11999")["x"] == Point(1.5, 2.5)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_file_may_come_through_a_pipe(
    told: CommandLine, empty: tuple[str, CommandLine], tmp_path: Path, suffix: str
) -> None:
    # A pipe was "no file", because it was opened twice and asked for its size.
    _, other = empty
    data = exported(told, tmp_path / f"all.{suffix}").read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(data))
    writer.start()
    try:
        ran = other("load", "profiles", pipe, "--key", "key", "--format", suffix)
    finally:
        writer.join()
    assert ran.code == Exit.DONE and f"{pipe}: 3 rows read, 3 accepted" in ran.out


def test_files_that_are_not_there_end_the_load_before_it_begins(
    empty: tuple[str, CommandLine], tmp_path: Path
) -> None:
    _, headcount = empty
    there = tmp_path / "x.csv"
    there.write_text("key\na\n")
    load = ("load", "profiles", "--key", "key", there)
    for wrong, code in ((tmp_path / "gone.csv", Exit.NOT_FOUND), (tmp_path, Exit.INVALID)):
        ran = headcount(*load, wrong)
        assert (ran.code, ran.out) == (code, "") and str(wrong) in ran.err
    ran = headcount(*load, "--rejected", tmp_path / "nowhere" / "x.csv")
    assert ran.code == Exit.INVALID and "--rejected" in ran.err
    assert headcount("profile", "a").code == Exit.NOT_FOUND


def test_erased_people_are_loaded_again_where_it_is_said(
    empty: tuple[str, CommandLine], tmp_path: Path
) -> None:
    # The error spoke of an option that the command did not have.
    address, headcount = empty
    file = tmp_path / "x.csv"
    file.write_text("key,plan\na,pro\n")
    load = ("load", "profiles", file, "--key", "key")
    headcount(*load)
    with Client(address) as client:
        client.erase_profile("a")
    ran = headcount(*load)
    assert ran.code == Exit.SOME_REJECTED and "recreate" in ran.err
    assert headcount(*load, "--recreate").code == Exit.DONE
    assert held(address, "a")["plan"] == "pro"
