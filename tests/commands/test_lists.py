"""Lists, states, templates and elements on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headcount_server.commands.exits import Exit
from tests.commands.conftest import CommandLine


@pytest.fixture
def people(headcount: CommandLine, tmp_path: Path) -> CommandLine:
    rows = "".join(f"p{i},{10 + i},p{i}@x.se\n" for i in range(20))
    (tmp_path / "people.csv").write_text("id,age,email\n" + rows)
    (tmp_path / "orders.csv").write_text("who,at\np12,2024-06-10T00:00:00Z\n")
    loads = (
        ("profiles", tmp_path / "people.csv", "--key", "id", "--identifier", "email"),
        ("events", tmp_path / "orders.csv", "--key", "who", "--time", "at", "--name", "purchase"),
    )
    for load in loads:
        assert headcount("load", *load).code == Exit.DONE
    return headcount


def size(people: CommandLine, name: str) -> int:
    found: int = json.loads(people("segments", "show", name, "--json").out)["size"]
    return found


def test_a_list_is_made_filled_and_emptied_by_hand(people: CommandLine) -> None:
    assert people("segments", "create", "Guests", "--source", "crm").code == Exit.DONE
    added = people("segments", "add", "Guests", "p1", "p2", "p1")
    assert added.code == Exit.DONE and added.out.startswith("guests   2 joined, 2 profiles")
    by_mail = people("segments", "add", "Guests", "p3@x.se", "no@x.se", "--by", "email")
    assert by_mail.code == Exit.SOME_REJECTED and "row 2" in by_mail.err
    assert people("segments", "remove", "Guests", "p1").out.startswith("guests   1 left, 2 profiles")
    assert people("segments", "remove", "Guests", "p3").out == "guests   1 left, 1 profile\n"
    shown = people("segments", "show", "guests").out
    assert "manual" in shown and "crm" in shown


def test_a_file_of_members_is_appended_replaced_and_removed(people: CommandLine, tmp_path: Path) -> None:
    people("segments", "create", "list")
    file, left_out = tmp_path / "members.csv", tmp_path / "out.csv"
    file.write_text("n,mail\n1,p1@x.se\n2,p2@x.se\n3,nobody\n4,p1@x.se\n5\n")
    load = ("load", "members", file, "--segment", "list", "--column", "mail", "--by", "email")
    ran = people(*load, "--json", "--rejected", left_out)
    assert ran.code == Exit.SOME_REJECTED, ran
    told = json.loads(ran.out)
    assert [told[k] for k in ("rows", "joined", "size", "unknown", "duplicates", "malformed")] == [
        5,
        2,
        2,
        1,
        1,
        1,
    ]
    assert [line.split(",")[:2] for line in left_out.read_text().splitlines()[1:]] == [
        ["3", "unknown_profile"],
        ["4", "duplicate"],
        ["5", "bad_key"],
    ]
    keys = tmp_path / "keys.csv"
    keys.write_text("p2\np7\n")
    again = ("load", "members", keys, "--segment", "list", "--no-header")
    assert people(*again, "--mode", "replace").code == Exit.DONE and size(people, "list") == 2
    assert people(*again, "--mode", "remove").code == Exit.DONE and size(people, "list") == 0
    assert people(*again, "--mode", "guess").code == Exit.USAGE
    assert people("load", "members", tmp_path / "gone", "--segment", "list").code == Exit.NOT_FOUND


def test_pausing_keeps_members_and_resuming_lets_them_go_on(people: CommandLine, tmp_path: Path) -> None:
    people("segments", "create", "adults", "age >= 18", "--retention", "30d")
    assert "retention    30d" in people("segments", "show", "adults").out
    paused = people("segments", "pause", "adults")
    assert paused.code == Exit.DONE and "paused" in paused.out
    (tmp_path / "more.csv").write_text("id,age\nnew,70\n")
    people("load", "profiles", tmp_path / "more.csv", "--key", "id")
    assert size(people, "adults") == 12
    people("segments", "resume", "adults")
    assert size(people, "adults") == 13
    people("segments", "archive", "adults")
    assert "adults" not in people("segments", "list").out
    assert "archived" in people("segments", "list", "--archived").out
    assert people("segments", "edit", "adults", "--state", "gone").code == Exit.USAGE
    assert people("segments", "edit", "adults", "--retention", "long").code == Exit.USAGE


def test_a_list_begins_with_a_rule_or_a_union(people: CommandLine) -> None:
    people("segments", "create", "old", "age >= 28")
    people("segments", "create", "young", "age < 11")
    assert (
        people("segments", "create", "both", "--kind", "manual", "--union", "old", "--union", "young").code
        == 0
    )
    assert people("segments", "create", "some", "--kind", "manual", "--holding", "age < 15").code == 0
    assert (size(people, "both"), size(people, "some")) == (3, 5)
    copied = people("segments", "duplicate", "some", "some more")
    assert copied.code == Exit.DONE and size(people, "some-more") == 5
    wrong = people("segments", "create", "x", "age > 1", "--holding", "age > 2")
    assert wrong.code == Exit.USAGE


def test_templates_are_listed_and_made_into_segments(people: CommandLine) -> None:
    found = {t["id"]: t for t in json.loads(people("segments", "templates", "--json").out)}
    assert len(found) >= 10 and found["lapsed"]["open"] == [] and found["unmoved"]["open"]
    ran = people("segments", "create", "Gone", "--template", "lapsed", "--set", "days_before=60")
    assert ran.code == Exit.DONE and "never did purchase in last 60 days" in ran.out
    assert people("segments", "create", "x", "--template", "unmoved").code == Exit.INVALID
    assert people("segments", "create", "x", "--template", "nothing").code == Exit.NOT_FOUND
    assert "lapsing" in people("segments", "templates", "--category", "lifecycle").out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--template", "lapsing", "--set", "dayz=4"), Exit.INVALID, "did you mean 'days'?"),
        (
            ("--template", "lapsing", "--set", "percent=4"),
            Exit.INVALID,
            "has no place 'percent'; it has purchase",
        ),
        (("--template", "lapsing", "--set", "days=120"), Exit.INVALID, "--set days_before="),
        (
            ("--template", "lapsing", "--set", "days=90", "--set", "days_before=90"),
            Exit.INVALID,
            "matches nobody: days is to be less than 90",
        ),
        (("--set", "days=4"), Exit.USAGE, "--template"),
        (("--kind", "rule"), Exit.USAGE, "--kind rule needs a RULE"),
        (("--kind", "overrides"), Exit.USAGE, "--kind overrides needs a RULE"),
        (("age > 3", "--retain-unknown"), Exit.USAGE, "--retention"),
    ],
)
def test_what_would_be_left_out_without_a_word_is_refused(
    people: CommandLine, arguments: tuple[str, ...], code: Exit, said: str
) -> None:
    """A place that a template has not, or one without a template, made a segment of other people than asked for."""
    ran = people("segments", "create", "q", *arguments)
    assert (ran.code, ran.out) == (code, "") and said in ran.err
    assert people("segments", "show", "q").code == Exit.NOT_FOUND


def test_all_places_of_a_template_are_listed(people: CommandLine) -> None:
    lines = people("segments", "templates").out.splitlines()
    lapsing = next(line for line in lines if line.startswith("lapsing"))
    assert "purchase=purchase, days_before=90, days=30" in lapsing
    assert any("view=purchase" in line or "view=?" in line for line in lines)


def test_segments_are_listed_by_state_and_kind(people: CommandLine) -> None:
    people("segments", "create", "adults", "age >= 18")
    people("segments", "create", "drafted", "age >= 18", "--state", "draft")
    people("segments", "create", "old", "age >= 28")
    people("segments", "archive", "old")
    for states, expected in (
        (("draft",), {"drafted"}),
        (("live",), {"adults"}),
        (("archived", "draft"), {"old", "drafted"}),
    ):
        options = [word for state in states for word in ("--state", state)]
        found = json.loads(people("segments", "list", *options, "--json").out)
        assert {segment["id"] for segment in found} == expected
    for nothing in (("--kind", "overrides"), ("--state", "paused")):
        assert people("segments", "list", *nothing).err == "no segment is like that\n"
    assert people("segments", "list", "--state", "gone").code == Exit.USAGE
    assert people("segments", "list", "--state", "draft", "--archived").code == Exit.USAGE


def test_labels_and_retention_are_changed_and_shown(people: CommandLine) -> None:
    made = people(
        "segments", "create", "adults", "age >= 18", "--retention", "30d", "--retain-unknown", "--label", "x"
    )
    assert "retention    30d, unknown profiles only" in made.out and "labels       x" in made.out
    assert "created      2024-06-15T12:0" in made.out and "updated      2024-06-15T12:0" in made.out
    edited = people("segments", "edit", "adults", "--no-labels", "--retain-all", "--json")
    found = json.loads(edited.out)
    assert (found["labels"], found["retains_unknown_only"], found["retention"]) == ([], False, "30d")
    assert people("segments", "edit", "adults", "--no-labels", "--label", "y").code == Exit.USAGE
    people("segments", "create", "some", "age >= 28")
    assert people("segments", "edit", "some", "--retain-unknown").code == Exit.USAGE
    assert people("segments", "edit", "some", "--retention", f"{10**9 - 1}w").code == Exit.USAGE


def test_elements_are_listed_with_examples(people: CommandLine) -> None:
    found = json.loads(people("segments", "elements", "--json").out)
    age = next(e for e in found if e["name"] == "age")
    assert (age["category"], age["type"], age["profiles"], age["example"]) == (
        "attribute",
        "int",
        20,
        "age >= 10",
    )
    only = people("segments", "elements", "--category", "event").out
    assert "purchase" in only and "age" not in only
    assert people("segments", "elements", "--category", "rumour").code == Exit.USAGE
