"""explain, plan, compare, sizes and dry runs on the command line: for people, for programs, and how they end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headcount_server.commands.exits import Exit
from tests.commands.conftest import CommandLine

RULE = 'age >= 18 and (plan = "pro" or did purchase in last 30 days)'


@pytest.fixture
def people(headcount: CommandLine, tmp_path: Path) -> CommandLine:
    rows = "".join(f"p{i},{10 + i},{('free', 'pro')[i % 2]}\n" for i in range(20))
    (tmp_path / "people.csv").write_text("id,age,plan\n" + rows)
    (tmp_path / "orders.csv").write_text("who,at\np12,2024-06-10T00:00:00Z\np3,2024-01-01T00:00:00Z\n")
    loads = (
        ("profiles", tmp_path / "people.csv", "--key", "id"),
        ("events", tmp_path / "orders.csv", "--key", "who", "--time", "at", "--name", "purchase"),
    )
    for load in loads:
        assert headcount("load", *load).code == Exit.DONE
    return headcount


def test_an_explanation_reads_as_a_tree(people: CommandLine) -> None:
    ran = people("explain", "p12", RULE)
    assert ran.code == Exit.DONE, ran
    lines = ran.out.splitlines()
    assert lines[0].startswith("p12 is in   (")
    assert lines[1] == f"yes  {RULE}"
    assert lines[2].startswith("yes    age >= 18   [22]")
    assert lines[3] == 'yes    plan = "pro" or did purchase in last 30 days'
    assert lines[4] == 'no       plan = "pro"   [free]'
    assert lines[5].startswith("yes      did purchase in last 30 days   [1]")
    assert sum("<- decisive" in line for line in lines) == 1
    assert lines[-2].startswith("to change that: ")
    assert lines[-1] == "the clock alone will change this at 2024-07-10T00:00:00Z"
    assert people("explain", "p0", RULE).out.startswith("p0 is out")


def test_an_explanation_for_programs_has_values_and_paths(people: CommandLine) -> None:
    found = json.loads(people("explain", "p3", RULE, "--json").out)
    assert (found["exists"], found["member"], found["next_change"]) == (True, False, None)
    nodes = {node["path"]: node for node in found["nodes"]}
    assert (nodes["0"]["holds"], nodes["0"]["actual"]) == (False, 13)
    assert (nodes["1.1"]["text"], nodes["1.1"]["actual"]) == ("did purchase in last 30 days", 0)
    assert found["decisive"] == ["age >= 18"]


def test_segments_are_explained_and_strangers_are_not_found(people: CommandLine) -> None:
    assert people("segments", "create", "adults", "age >= 18").code == Exit.DONE
    assert "no     age >= 18   [10]" in people("explain", "p0", "--segment", "adults").out
    unknown = people("explain", "stranger", RULE)
    assert (unknown.code, unknown.out) == (Exit.NOT_FOUND, "") and "stranger" in unknown.err
    assert json.loads(people("explain", "stranger", RULE, "--json").out)["exists"] is False
    assert people("explain", "p0").code == Exit.USAGE
    assert people("explain", "p0", RULE, "--segment", "adults").code == Exit.USAGE


def test_a_count_shows_the_size_of_every_part(people: CommandLine) -> None:
    lines = people("count", RULE, "--sizes").out.splitlines()
    assert lines[0].startswith("7 of 20 ")
    assert lines[1:] == [
        f" 7  {RULE}",
        "12    age >= 18",
        '11    plan = "pro" or did purchase in last 30 days',
        '10      plan = "pro"',
        " 1      did purchase in last 30 days",
    ]
    found = json.loads(people("count", RULE, "--sizes", "--json").out)
    assert [(n["path"], n["count"]) for n in found["nodes"]] == [
        ("", 7), ("0", 12), ("1", 11), ("1.0", 10), ("1.1", 1),
    ]  # fmt: skip
    assert "nodes" not in json.loads(people("count", RULE, "--json").out)


def test_a_count_and_a_new_segment_say_that_a_rule_can_never_match(people: CommandLine) -> None:
    note = "note: this rule can never match: `age > 5` and `age < 3` exclude each other"
    counted = people("count", "age > 5 and age < 3")
    assert counted.out.startswith("0 of ") and note in counted.err
    made = people("segments", "create", "none", "age > 5 and age < 3")
    assert made.code == Exit.DONE and note in made.err


def test_a_comparison_says_who_joins_and_leaves(people: CommandLine) -> None:
    ran = people("compare", "age >= 18", "age >= 20 or age < 12", "--by", "plan", "--sample", "1")
    assert ran.code == Exit.DONE, ran
    lines = ran.out.splitlines()
    assert lines[:3] == [
        "12 before, 12 after: some of them stay",
        "  2 join    p0, ...",
        "  2 leave   p8, ...",
    ]
    assert [line.split() for line in lines if line.startswith(("free", "pro"))] == [
        ["free", "1", "1"],
        ["pro", "1", "1"],
    ]
    assert "whatever the data" not in ran.out
    assert (
        "  whatever the data, nobody can join" in people("compare", "age >= 18", "age >= 20").out.splitlines()
    )
    found = json.loads(people("compare", "age >= 18", "age >= 20", "--by", "age", "--json").out)
    assert (found["joined"], found["left"], found["relation"]) == (0, 2, "contains")
    assert found["proved"] == "contains"
    assert found["by"]["age"]["groups"] == [
        {"value": 18, "joined": 0, "left": 1},
        {"value": 19, "joined": 0, "left": 1},
    ]


def test_the_caret_stands_under_the_rule_at_fault(people: CommandLine) -> None:
    ran = people("compare", "age >= 18", "age >= 20 and agee = 2")
    assert ran.code == Exit.INVALID
    message, rule, caret = ran.err.splitlines()
    assert message.startswith("headcount: line 1, column 15: ") and "'age'" in message
    assert rule.strip() == "age >= 20 and agee = 2"
    assert rule[caret.index("^") :] == "agee = 2"
    second = people("check", "p1", "everyone", "colour = 1")
    assert second.err.splitlines()[1].strip() == "colour = 1"


def test_a_plan_shows_its_steps(people: CommandLine) -> None:
    ran = people("plan", RULE)
    assert ran.code == Exit.DONE and "step" in ran.out and "purchase" in ran.out
    steps = json.loads(people("plan", RULE, "--json").out)["steps"]
    assert (steps[0]["path"], steps[0]["size"]) == ("", 7)
    assert len(steps) >= 4


def test_a_dry_run_shows_what_an_edit_would_change_and_changes_nothing(people: CommandLine) -> None:
    assert people("segments", "create", "adults", "age >= 18").code == Exit.DONE
    ran = people("segments", "edit", "adults", "--rule", "age >= 25", "--dry-run")
    assert ran.code == Exit.DONE, ran
    assert "12 before, 5 after" in ran.out and "7 leave" in ran.out and "nothing was changed" in ran.err
    found = json.loads(people("segments", "edit", "adults", "--rule", "everyone", "--dry-run", "--json").out)
    assert (found["segment"]["size"], found["change"]["joined"]) == (20, 8)
    kept = json.loads(people("segments", "show", "adults", "--json").out)
    assert (kept["rule"], kept["size"]) == ("age >= 18", 12)
    refused = people("segments", "edit", "adults", "--rule", 'in segment "adults"', "--dry-run")
    assert refused.code == Exit.INVALID
