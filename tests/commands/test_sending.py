"""resolve, preview and export on the command line: keys to standard output, the waterfall beside them, safe files."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from headcount import Client
from headcount_server.app import RunningServer
from headcount_server.commands.exits import CommandError, Exit
from headcount_server.commands.sending import checked_output
from tests.commands.conftest import CommandLine


@pytest.fixture
def people(server: RunningServer, headcount: CommandLine) -> CommandLine:
    """p0 ... p9, their ages and plans; the segments `grown` (age 18 or more) and `Best clients` (plan pro)."""
    with Client(server.address) as client:
        client.upsert_profiles(
            {
                "key": f"p{i}",
                "age": 10 + 3 * i,
                "plan": "pro" if i % 3 else "free",
                "note": "=1+1" if i == 9 else "x",
            }
            for i in range(10)
        )
        client.create_segment("grown", "age >= 18")
        client.create_segment("best", 'plan = "pro"', display_name="Best clients")
    return headcount


def test_keys_come_one_a_line_and_the_waterfall_beside_them(people: CommandLine) -> None:
    ran = people("resolve", "--include", "grown", "--exclude", "Best clients")
    assert (ran.code, ran.out) == (0, "p3\np6\np9\n")
    lines = [line.split() for line in ran.err.splitlines()]
    assert [line[:1] + line[-4:-1] for line in lines[2:4]] == [
        ["include", "+7", "7", "+3"],
        ["exclude", "-4", "3", "-4"],
    ]
    assert ran.err.splitlines()[-2].startswith("3 of 10 at 2024-06-15T")
    assert "audiences/" in ran.err.splitlines()[-1]


def test_json_gives_both_at_once(people: CommandLine) -> None:
    ran = people("resolve", "--include", "grown", "--include", "age < 12", "--exclude", "best", "--json")
    found = json.loads(ran.out)
    assert ran.out.count("\n") == 1 and ran.err == ""
    assert found["keys"] == ["p0", "p3", "p6", "p9"] and found["size"] == 4
    assert found["waterfall"][0] == {
        "step": "include", "who": 'in segment "grown"', "changed": 7, "remaining": 7, "unique": 3,
    }  # fmt: skip
    assert [line["step"] for line in found["waterfall"]] == ["include", "include", "exclude"]


def test_every_step_has_its_option(people: CommandLine) -> None:
    ran = people(
        "resolve", "--include", "everyone", "--unknown", "--channel", "email", "--topic", "news", "--suppress", "best",
        "--cap-event", "mail", "--cap-count", 2, "--cap-within", "2w", "--holdout", "10%", "--holdout-salt", "s",
        "--limit", 3, "--highest", "age", "--json",
    )  # fmt: skip
    assert [(line["step"], line["who"]) for line in json.loads(ran.out)["waterfall"]] == [
        ("include", "everyone"),
        ("known", "not known"),
        ("channel", "email"),
        ("consent", "news"),
        ("suppression", 'in segment "best"'),
        ("frequency cap", "did mail at least 2 times in last 14 days"),
        ("holdout", 'sample 10% salt "s"'),
        ("limit", "top 3 by age"),
    ]


def test_a_limit_takes_who_it_is_told_to(people: CommandLine) -> None:
    assert people("resolve", "--include", "everyone", "--limit", 2, "--lowest", "age").out == "p0\np1\n"
    assert people("resolve", "--include", "everyone", "--limit", 1, "--highest", "age").out == "p9\n"
    sampled = [
        people("resolve", "--include", "everyone", "--limit", 4, "--sample-salt", s).out for s in "xxy"
    ]
    assert sampled[0] == sampled[1] != sampled[2]


def test_the_waterfall_can_be_had_alone(people: CommandLine) -> None:
    ran = people("resolve", "--include", "grown", "--waterfall-only")
    assert (ran.code, ran.out) == (0, "")
    assert "include" in ran.err and "audiences/" not in ran.err
    found = json.loads(people("resolve", "--include", "grown", "--waterfall-only", "--json").out)
    assert (found["audience"], found["size"], "keys" in found) == ("", 7, False)


def test_what_was_sent_is_kept_and_left_out_next_time(people: CommandLine) -> None:
    first = people("resolve", "--include", "grown", "--limit", 3, "--lowest", "age", "--keep", "first-wave")
    assert first.out == "p3\np4\np5\n" and "kept as segment first-wave: 3" in first.err
    assert people("resolve", "--include", "grown", "--exclude", "first-wave").out == "p6\np7\np8\np9\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), Exit.USAGE, "somebody to --include"),
        (("--include", "grow"), Exit.INVALID, "'grown'"),
        (("--include", "age >"), Exit.INVALID, "age >"),
        (("--include", "grown", "--limit", "1", "--highest", "age", "--lowest", "age"), Exit.USAGE, "one of"),
        (("--include", "grown", "--highest", "age"), Exit.USAGE, "--limit"),
        (("--include", "grown", "--limit", "1", "--highest", "plan"), Exit.INVALID, "a rank takes numbers"),
        (("--include", "grown", "--holdout", "x"), Exit.USAGE, "percentage"),
        (("--include", "grown", "--holdout", "100%"), Exit.INVALID, "share"),
        (("--include", "grown", "--cap-event", "x", "--cap-within", "7"), Exit.USAGE, "unit"),
        (("--include", "grown", "--keep", "x", "--waterfall-only"), Exit.USAGE, "--keep"),
        (("--include", "grown", "--keep", "best"), Exit.REFUSED, "exists"),
    ],
)
def test_what_cannot_be_resolved_says_why(
    people: CommandLine, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    ran = people("resolve", *arguments)
    assert ran.code == code and said in ran.err
    assert ran.out == ""


# ------------------------------------------------------------------------------------------- preview, export


def test_a_preview_is_a_table_of_chosen_attributes(people: CommandLine) -> None:
    ran = people("preview", "grown", "-a", "plan", "-a", "age", "--size", 2)
    assert [line.split() for line in ran.out.splitlines() if line.strip()][::2] == [
        ["key", "plan", "age"],
        ["p3", "free", "19"],
    ]
    assert ran.err.startswith("2 of 7\nnext page: --page-token ")
    token = ran.err.split()[-1]
    page = json.loads(
        people("preview", "grown", "-a", "plan", "-a", "age", "--page-token", token, "--json").out
    )
    assert [profile["key"] for profile in page["profiles"]] == ["p5", "p6", "p7", "p8", "p9"]
    sample = json.loads(people("preview", "everyone", "--sample", "s", "--size", 3, "--json").out)
    assert len(sample["profiles"]) == 3 and sample["total"] == 10 and sample["next_page_token"] == ""


def test_files_hold_the_members(people: CommandLine, tmp_path: Path) -> None:
    table, lines, sheet = tmp_path / "x.parquet", tmp_path / "x.jsonl", tmp_path / "x.csv"
    for file in (table, lines, sheet):
        ran = people("export", "grown", "-a", "age", "-a", "note", "-o", file)
        assert (ran.code, ran.out, ran.err) == (0, "", f"7 profiles written to {file}\n")
    rows = [{"key": f"p{i}", "age": 10 + 3 * i, "note": "=1+1" if i == 9 else "x"} for i in range(3, 10)]
    assert pq.read_table(table).to_pylist() == rows
    assert [json.loads(line) for line in lines.read_text().splitlines()] == rows
    assert list(csv.reader(io.StringIO(sheet.read_text())))[-1] == ["p9", "37", "'=1+1"]
    assert sorted(tmp_path.iterdir()) == [sheet, lines, table]


def test_an_export_loads_back_as_it_was(people: CommandLine, server: RunningServer, tmp_path: Path) -> None:
    for suffix in ("parquet", "jsonl", "csv"):
        file = tmp_path / f"x.{suffix}"
        assert people("export", 'plan = "pro" and age < 30', "-a", "age", "-a", "plan", "-o", file).code == 0
        with Client(server.address) as client:
            client.upsert_profiles({"key": f"p{i}", "age": None, "plan": None} for i in range(10))
        assert people("load", "profiles", file, "--key", "key").code == 0
        assert people("count", 'plan = "pro" and age < 30').out.startswith("4 of 10")
        with Client(server.address) as client:
            client.upsert_profiles(
                {"key": f"p{i}", "age": 10 + 3 * i, "plan": "pro" if i % 3 else "free"} for i in range(10)
            )


def test_without_a_file_the_rows_go_to_standard_output(people: CommandLine) -> None:
    ran = people("export", "age > 36", "-a", "age", "--format", "jsonl")
    assert (ran.code, ran.out, ran.err) == (0, '{"key": "p9", "age": 37}\n', "1 profile\n")


@pytest.mark.parametrize("name", ["", " ", "../x.csv", "a/../../x.csv", "x\0.csv", "x\n.csv", "/", "."])
def test_names_of_files_that_lead_astray_are_refused(people: CommandLine, name: str) -> None:
    ran = people("export", "grown", "-o", name)
    assert (ran.code, ran.out) == (Exit.USAGE, "")
    with pytest.raises(CommandError):
        checked_output(name, True)


def test_a_file_is_not_written_over_and_never_half(
    people: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.csv"
    file.write_text("mine")
    assert people("export", "grown", "-o", file).code == Exit.REFUSED
    assert people("export", "nope = 1", "-o", file, "--force").code == Exit.INVALID
    assert file.read_text() == "mine" and os.listdir(tmp_path) == ["x.csv"]
    assert people("export", "grown", "-o", file, "--force").code == 0
    assert file.read_text().startswith("key\np3\n")
    assert people("export", "grown", "-o", tmp_path / "x.xml").code == Exit.USAGE
    assert people("export", "grown", "-o", tmp_path / "no" / "x.csv").code == Exit.NOT_FOUND
    assert people("export", "grown", "-a", "nope", "-o", tmp_path / "y.csv").code == Exit.INVALID
    assert os.listdir(tmp_path) == ["x.csv"]
