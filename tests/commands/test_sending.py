"""resolve, preview and export on the command line: keys to standard output, the waterfall beside them, safe files."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from headcount import Client, Event, Identifier, ProfileUpdate
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
        (("--include", "grown", "--cap-count", "3"), Exit.USAGE, "--cap-count goes with --cap-event"),
        (("--include", "grown", "--cap-within", "3d"), Exit.USAGE, "--cap-within goes with --cap-event"),
        (("--include", "grown", "--holdout-salt", "s"), Exit.USAGE, "--holdout-salt goes with --holdout"),
        (("--include", "grown", "--offset", "3"), Exit.USAGE, "--offset goes with --audience"),
        (("--include", "grown", "--audience", "audiences/x"), Exit.USAGE, "resolved already"),
        (("--audience", "audiences/x", "--unknown"), Exit.USAGE, "resolved already"),
        (("--audience", "audiences/x"), Exit.NOT_FOUND, "there is no audience 'audiences/x'"),
        (("--include", "grown", "--waterfall-only", "--ttl", "1h"), Exit.USAGE, "--ttl"),
        (("--include", "grown", "--ttl", "long"), Exit.USAGE, "--ttl"),
        (("--include", "grown", "--limit", str(2**64)), Exit.USAGE, "--limit"),
        (
            ("--include", "grown", "--cap-event", "x", "--cap-count", str(2**32)),
            Exit.USAGE,
            "1<=x<=4294967295",
        ),
    ],
)
def test_what_cannot_be_resolved_says_why(
    people: CommandLine, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    ran = people("resolve", *arguments)
    assert ran.code == code and said in ran.err
    assert ran.out == ""


def test_a_wrong_rule_is_shown_itself_and_a_wrong_name_without_a_place(people: CommandLine) -> None:
    """The caret stood under a name that was no rule, or under the first rule where the second one was wrong."""
    name = people("resolve", "--include", "nosuch")
    assert name.err == "headcount: unknown segment 'nosuch'\n"
    second = people("resolve", "--include", "grown", "--include", "age > 3 and agee < 5")
    assert second.err.splitlines()[1:] == ["  age > 3 and agee < 5", "              ^"]


def test_an_audience_is_read_again_from_an_offset(people: CommandLine) -> None:
    first = json.loads(people("resolve", "--include", "grown", "--ttl", "2h", "--json").out)
    assert first["now"].startswith("2024-06-15T12:0") and first["expires"].startswith("2024-06-15T14:0")
    name = first["audience"]
    again = people("resolve", "--audience", name)
    assert (again.out.split(), again.err) == (first["keys"], "7 of 7\n")
    rest = people("resolve", "--audience", name, "--offset", 5, "--keep", "last-two")
    assert (rest.out, rest.err) == ("p8\np9\n", "kept as segment last-two: 7\n2 of 7\n")
    found = json.loads(people("resolve", "--audience", name, "--offset", 6, "--json").out)
    assert found == {"audience": name, "offset": 6, "size": 7, "keys": ["p9"]}
    assert people("resolve", "--audience", name, "--offset", 8).code == Exit.INVALID


# ------------------------------------------------------------------------------------------- preview, export


@pytest.fixture
def known(server: RunningServer, headcount: CommandLine) -> CommandLine:
    """a and b with everything that a profile can have, c with nothing."""
    with Client(server.address) as client:
        client.declare_attributes(identifiers=["email"], consent_topics={"news": True})
        client.upsert_profiles(
            [
                ProfileUpdate(
                    key,
                    {"age": 30},
                    tags_added=["vip", "old"],
                    channels_added=["push"],
                    identifiers=[Identifier("email", f"{key}@x.se")],
                    consents={"news": key == "a"},
                )
                for key in "ab"
            ]
        )
        client.upsert_profiles([{"key": "c", "age": 1}])
    return headcount


def test_a_preview_shows_what_an_export_writes(known: CommandLine) -> None:
    """Identifiers, tags, channels and consents were asked for by their names, and their columns left empty."""
    names = ("email", "$tags", "$channels", "$consent.news", "age")
    asked = [word for name in names for word in ("-a", name)]
    shown = known("preview", "everyone", *asked).out
    assert [re.split(r" {2,}", line.strip()) for line in shown.splitlines()[2:]] == [
        ["a", "a@x.se", "old, vip", "push", "true", "30"],
        ["b", "b@x.se", "old, vip", "push", "false", "30"],
        ["c", "1"],
    ]
    written = list(csv.DictReader(io.StringIO(known("export", "everyone", *asked).out)))
    assert written[0] == {
        "key": "a", "email": "a@x.se", "$tags": "old|vip", "$channels": "push", "$consent.news": "true", "age": "30",
    }  # fmt: skip
    assert known("preview", "everyone").out.splitlines()[0].split() == [
        "key", "age", "email", "$channels", "$consent.news", "$tags",
    ]  # fmt: skip
    first = json.loads(known("preview", "everyone", "--json").out)["profiles"][0]
    assert first["consents"]["news"]["time"].startswith("2024-06-15T12:0")
    assert {k: v for k, v in first.items() if k != "consents"} == {
        "key": "a", "attributes": {"age": 30}, "tags": ["old", "vip"], "channels": ["push"],
        "identifiers": {"email": "a@x.se"},
    }  # fmt: skip


def test_an_attribute_that_is_not_there_is_named(known: CommandLine) -> None:
    for command in ("preview", "export"):
        ran = known(command, "everyone", "-a", "agee")
        assert ran.err == "headcount: there is no attribute 'agee'; did you mean 'age'?\n"
    hidden = known("preview", "everyone", "-a", "$changed.$consent.news")
    assert hidden.code == Exit.USAGE and "export" in hidden.err


def test_an_export_is_of_who_was_a_member_then(people: CommandLine, server: RunningServer) -> None:
    then = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    with Client(server.address) as client:
        client.track([Event("mail", f"p{i}", then + dt.timedelta(days=i)) for i in range(3)])
    asked = ("export", "did mail in last 24 hours", "-a", "age", "--at", "2024-06-02T12:00:00Z")
    assert people(*asked).out == "key,age\np1,13\n"
    assert people("export", "--audience", "audiences/x", "--at", "2024-06-02T12:00:00Z").code == Exit.USAGE


@pytest.mark.parametrize(
    "command", [("resolve", "--include", "grown"), ("export", "grown"), ("preview", "grown")]
)
def test_an_output_that_is_full_is_told_in_a_line(
    people: CommandLine, server: RunningServer, command: tuple[str, ...]
) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "headcount_server.commands", *command, "--target", server.address],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ran.returncode == Exit.FAULT and "Traceback" not in ran.stderr
    assert "headcount: the output cannot be written: No space left on device\n" in ran.stderr
    assert "Exception ignored" not in ran.stderr


def test_long_names_of_files(people: CommandLine, tmp_path: Path) -> None:
    too_long = people("export", "grown", "-o", tmp_path / f"{'x' * 300}.csv")
    assert too_long.code == Exit.USAGE and "File name too long" in too_long.err
    longest = tmp_path / f"{'å' * 125}.csv"
    assert people("export", "grown", "-o", longest).code == Exit.DONE and longest.is_file()


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
