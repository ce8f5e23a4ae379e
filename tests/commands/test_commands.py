"""The command line against a running server: what it prints, and how it ends."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path

import pytest

from headcount import Client, ProfileUpdate
from headcount_server.app import RunningServer
from headcount_server.commands.exits import Exit
from headcount_server.commands.main import main
from tests.commands.conftest import CommandLine

PEOPLE = "id,plan,zip,likes,mail\np1,pro,00004,a|b,a@x\np2,free,00123,,b@x\np3,pro,7,b,\n"
ORDERS = (
    "who,at,amount,order\np1,2024-06-01T00:00:00Z,10.50,o1\np1,2024-06-10T00:00:00Z,5,o2\n"
    "p2,2024-01-01T00:00:00Z,1,o3\np4,2024-06-14T00:00:00Z,99.99,o4\n"
)


@pytest.fixture
def loaded(headcount: CommandLine, tmp_path: Path) -> CommandLine:
    (tmp_path / "people.csv").write_text(PEOPLE)
    (tmp_path / "orders.csv").write_text(ORDERS)
    people = headcount(
        "load", "profiles", tmp_path / "people.csv", "--key", "id", "--list", "likes", "--identifier", "mail"
    )
    assert people.code == Exit.DONE, people
    orders = headcount(
        "load", "events", tmp_path / "orders.csv", "--key", "who", "--time", "at", "--name", "purchase",
        "--id", "order", "--type", "amount=decimal(2)",
    )  # fmt: skip
    assert orders.code == Exit.DONE, orders
    return headcount


def test_what_was_loaded_can_be_counted(loaded: CommandLine) -> None:
    answers = {
        'plan = "pro"': 2,
        'zip = "00004"': 1,
        'likes any of ("b")': 2,
        "did purchase in last 30 days": 2,
        "sum(purchase.amount) > 15.49": 2,
        "never did purchase": 1,
    }
    for rule, count in answers.items():
        ran = loaded("count", rule, "--json")
        answer = json.loads(ran.out)
        assert (ran.code, answer["count"], answer["total"]) == (Exit.DONE, count, 4), rule
        assert answer["now"].startswith("2024-06-15T12:0") and answer["now"].endswith("Z")
        assert set(answer) == {"count", "total", "version", "now", "engine_us"}
    past = loaded("count", "did purchase in last 30 days", "--at", "2024-06-05T00:00:00Z", "--json")
    assert json.loads(past.out)["count"] == 1
    assert loaded("count", 'plan = "pro"').out.startswith("2 of 4 ")


def test_a_rule_that_cannot_be_read_is_shown_with_a_caret(loaded: CommandLine) -> None:
    ran = loaded("count", "did purchase at leest 2 times")
    assert ran.code == Exit.INVALID and ran.out == ""
    message, rule, caret = ran.err.splitlines()
    assert message.startswith("headcount: line 1, column 17: ")
    assert rule[caret.index("^") :].startswith("leest")


def test_endings_tell_what_happened(loaded: CommandLine, capsys: pytest.CaptureFixture[str]) -> None:
    endings = {
        ("count", 'colour = "red"'): Exit.INVALID,
        ("count", "did purchase", "--at", "yesterday"): Exit.INVALID,
        ("count",): Exit.USAGE,
        ("cuont", "x"): Exit.USAGE,
        ("segments", "show", "nothing"): Exit.NOT_FOUND,
        ("profile", "nobody"): Exit.NOT_FOUND,
        ("check", "p1", 'plan = "pro"'): Exit.DONE,
        ("check", "p2", 'plan = "pro"'): Exit.NO,
        ("check", "nobody", 'plan = "pro"'): Exit.NO,
        ("load", "profiles", "gone.csv", "--key", "id"): Exit.NOT_FOUND,
        ("load", "events", "gone.csv", "--key", "id", "--time", "at"): Exit.USAGE,
        ("load", "profiles", "gone.csv", "--key", "id", "--type", "a=nothing"): Exit.USAGE,
    }
    for arguments, code in endings.items():
        ran = loaded(*arguments)
        assert ran.code == code, (arguments, ran)
        assert (ran.err != "") == (code not in (Exit.DONE, Exit.NO)) or "nobody" in arguments
        assert "Traceback" not in ran.err
    assert main(["count", "did purchase", "--target", "127.0.0.1:1"]) == Exit.NO_ANSWER
    assert "no server answers at 127.0.0.1:1" in capsys.readouterr().err


def test_segments_are_created_shown_changed_copied_and_deleted(loaded: CommandLine) -> None:
    made = loaded(
        "segments", "create", "Pro, active", 'plan = "pro" and did purchase', "--label", "team=crm", "--json"
    )
    assert made.code == Exit.DONE, made
    segment = json.loads(made.out)
    assert (segment["id"], segment["name"], segment["size"]) == ("pro-active", "Pro, active", 1)
    assert loaded("segments", "create", "Pro, active", "everyone").code == Exit.REFUSED
    assert loaded("count", "--segment", "pro-active", "--json").code == Exit.DONE
    assert loaded("check", "p1", "--segment", "pro-active").out == "yes  pro-active\n"

    assert loaded("segments", "create", "user", 'not in segment "pro-active"').code == Exit.DONE
    refused = loaded("segments", "delete", "pro-active")
    assert refused.code == Exit.REFUSED and "user" in refused.err

    edited = loaded("segments", "edit", "Pro, active", "--rule", 'plan = "pro"', "--name", "Pro", "--json")
    assert json.loads(edited.out)["size"] == 2
    assert json.loads(loaded("segments", "duplicate", "pro-active", "copy", "--json").out)["size"] == 2
    listed = json.loads(loaded("segments", "list", "--json").out)
    assert {s["id"]: s["size"] for s in listed} == {"copy": 2, "pro-active": 2, "user": 2}
    assert "pro-active" in loaded("segments", "list").out
    for name in ("user", "copy", "pro-active"):
        assert loaded("segments", "delete", name).code == Exit.DONE
    assert json.loads(loaded("segments", "list", "--json").out) == []


def test_a_mistyped_event_is_told_when_a_segment_is_saved(loaded: CommandLine) -> None:
    note = "note: nobody has done 'purchas' so far; nearest: 'purchase'"
    made = loaded("segments", "create", "w1", "did purchas")
    assert made.code == Exit.DONE and note in made.err
    assert note in loaded("segments", "show", "w1").err
    assert note in loaded("segments", "create", "w2", "--kind", "manual", "--holding", "did purchas").err
    shown = json.loads(loaded("segments", "duplicate", "w1", "w3", "--json").out)
    assert shown["warnings"] == [note.removeprefix("note: ")]
    fixed = loaded("segments", "edit", "w1", "--rule", "did purchase", "--json")
    assert json.loads(fixed.out)["warnings"] == []


def test_the_schema_tells_what_is_tracked_asked_and_kept(
    server: RunningServer, headcount: CommandLine
) -> None:
    with Client(server.address) as client:
        client.declare_attributes(
            {"plan": "text"},
            tracked=["plan"],
            identifiers=["email"],
            consent_topics={"news": True, "offers": False},
        )
        client.declare_events({"view": {"page": "text"}}, retention={"view": dt.timedelta(days=1.5)})
        client.upsert_profiles([ProfileUpdate("a", tags_added=[f"t{i:02}" for i in range(25)])])
    text = headcount("schema").out
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        "plan text tracked 0",
        "identifiers: email",
        "consent topics: news (opt-in), offers (opt-out)",
        "event view: 0, of 0 profiles, kept for 1.5 days",
    ):
        assert line in lines, text
    assert "t19, and 5 more" in text and "channels" not in text
    found = json.loads(headcount("schema", "--json").out)
    assert found["tracked"] == ["plan"] and len(found["tags"]) == 25
    assert found["consent_topics"] == {"news": "opt-in", "offers": "opt-out"}
    assert found["events"]["view"]["kept_days"] == 1.5


def test_a_profile_shows_what_is_known(loaded: CommandLine) -> None:
    profile = json.loads(loaded("profile", "p1", "--json").out)
    assert profile["attributes"] == {"likes": ["a", "b"], "plan": "pro", "zip": "00004"} | (
        {"mail": "a@x"} if "mail" in profile["attributes"] else {}
    )
    assert "00004" in loaded("profile", "p1").out


def test_the_schema_tells_names_and_types(loaded: CommandLine) -> None:
    schema = json.loads(loaded("schema", "--json").out)
    assert schema["attributes"]["plan"] == "text" and schema["attributes"]["likes"] == "set"
    assert schema["profiles"]["plan"] == 3 and schema["identifiers"] == ["mail"]
    assert schema["events"]["purchase"] == {
        "count": 4, "profiles": 3, "kept_days": None, "properties": {"amount": "decimal(2)"},
    }  # fmt: skip
    text = loaded("schema").out
    assert "identifiers: mail" in text and "event purchase: 4, of 3 profiles\n" in text
    assert [line.split() for line in text.splitlines() if line.startswith("plan ")] == [["plan", "text", "3"]]
    assert json.loads(loaded("status", "--json").out)["events"] == 4
    assert "purchase" in loaded("schema").out and "4 profiles" in loaded("status").out


def test_the_same_orders_again_change_nothing(loaded: CommandLine, tmp_path: Path) -> None:
    again = loaded(
        "load", "events", tmp_path / "orders.csv", "--key", "who", "--time", "at", "--name", "purchase",
        "--id", "order", "--json",
    )  # fmt: skip
    (report,) = json.loads(again.out)
    assert (report["duplicates"], report["rejected"]) == (4, 0)
    assert json.loads(loaded("status", "--json").out)["events"] == 4


def test_bad_rows_are_reported_by_line_from_whichever_side_refuses_them(
    loaded: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "more.csv"
    long_key = "k" * 600
    path.write_text(f"id,plan,zip\nq1,pro,1\nq2\n{long_key},pro,2\n,pro,3\nq3,free,4\n")
    rejected = tmp_path / "rejected.csv"
    ran = loaded("load", "profiles", path, "--key", "id", "--rejected", rejected, "--json")
    assert ran.code == Exit.SOME_REJECTED
    (report,) = json.loads(ran.out)
    assert (report["rows"], report["accepted"], report["created"], report["rejected"]) == (5, 2, 2, 3)
    assert sorted(r["line"] for r in report["rejections"]) == [3, 4, 5]
    with rejected.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["position"] for row in rows} == {"3", "4", "5"}
    assert any(long_key in row["row"] and row["column"] == "id" for row in rows)
    text = loaded("load", "profiles", path, "--key", "id")
    assert "line 3: 1 cells where the header has 3" in text.err and "3 rejected" in text.out


def test_the_schema_is_printed_before_loading_and_a_type_is_kept(loaded: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "more.jsonl"
    path.write_text('{"id": "p1", "plan": "team", "score": 1}\n{"id": "p2", "plan": null, "score": 2}\n')
    ran = loaded("load", "profiles", path, "--key", "id")
    assert ran.code == Exit.DONE, ran
    assert "plan   text (as before)" in ran.err and "score  int (inferred)" in ran.err
    assert json.loads(loaded("count", "plan exists", "--json").out)["count"] == 2


def test_a_big_file_is_cut_into_messages_that_the_server_takes(
    headcount: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "big.csv"
    path.write_text("id,text,n\n" + "".join(f"k{n},{n * 7919 % 10007:0>200},{n}\n" for n in range(60_000)))
    ran = headcount("load", "profiles", path, "--key", "id", "--json")
    (report,) = json.loads(ran.out)
    assert (ran.code, report["accepted"], report["created"]) == (Exit.DONE, 60_000, 60_000)
    assert json.loads(headcount("count", f'text = "{7919:0>200}"', "--json").out)["count"] == 6
    assert json.loads(headcount("count", "n >= 59990", "--json").out)["count"] == 10


def test_completion_scripts_name_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert main(["completion", shell]) == Exit.DONE
        assert "headcount" in capsys.readouterr().out
    assert main(["completion", "tcsh"]) == Exit.USAGE
