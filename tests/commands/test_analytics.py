"""overlap, breakdown and affinity on the command line: tables with bars for people, JSON for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headcount_server.commands.exits import Exit
from tests.commands.conftest import CommandLine


@pytest.fixture
def people(headcount: CommandLine, tmp_path: Path) -> CommandLine:
    """Forty people; pros are the odd ones, adults those from p8 on, buyers every fourth."""
    rows = "".join(f"p{i},{10 + i},{('free', 'pro')[i % 2]},2024-0{1 + i % 3}-15\n" for i in range(40))
    (tmp_path / "people.csv").write_text("id,age,plan,born\n" + rows)
    orders = "".join(f"p{i},2024-06-10T00:00:00Z\n" for i in range(0, 40, 4))
    (tmp_path / "orders.csv").write_text("who,at\n" + orders)
    loads = (
        ("profiles", tmp_path / "people.csv", "--key", "id"),
        ("events", tmp_path / "orders.csv", "--key", "who", "--time", "at", "--name", "purchase"),
    )
    for load in loads:
        assert headcount("load", *load).code == Exit.DONE
    for name, rule in (("pros", 'plan = "pro"'), ("adults", "age >= 18"), ("buyers", "did purchase")):
        assert headcount("segments", "create", name, rule).code == Exit.DONE
    return headcount


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if line.strip()]


def test_an_overlap_reads_as_a_matrix_and_as_pairs_most_alike_first(people: CommandLine) -> None:
    ran = people("overlap", "pros", "adults", "buyers", "--rule", "everyone")
    assert ran.code == Exit.DONE, ran
    found = lines(ran.out)
    assert found[0][:5] == ["4", "audiences", "of", "40", "profiles"]
    assert ["1", "pros", "20", "20", "16", "0", "20"] in found
    assert ["4", "everyone", "40", "20", "32", "10", "40"] in found
    pairs = [line for line in found if any(cell.endswith("%") for cell in line)]
    assert pairs[0][:5] == ["adults", "everyone", "32", "80.0%", "1.00"]
    assert pairs[0][5].startswith("█")
    shares = [float(pair[3].rstrip("%")) for pair in pairs]
    assert shares == sorted(shares, reverse=True) and len(pairs) == 5
    assert "headcount segments create NAME '(in segment \"adults\") and (everyone)'" in ran.out


def test_an_overlap_of_nothing_named_is_of_all_segments_and_its_cells_can_be_saved(
    people: CommandLine,
) -> None:
    found = json.loads(people("overlap", "--json").out)
    assert {one["name"]: one["size"] for one in found["audiences"]} == {
        "pros": 20,
        "adults": 32,
        "buyers": 10,
    }
    names = [one["name"] for one in found["audiences"]]
    first = found["pairs"][0]
    assert sorted(first["audiences"]) == ["adults", "pros"] and first["both"] == 16
    assert first["jaccard"] == pytest.approx(16 / 36) and first["lift"] == pytest.approx(1.0)
    assert found["matrix"][names.index("buyers")][names.index("pros")] == 0
    assert people("segments", "create", "both", first["rule"]).code == Exit.DONE
    assert json.loads(people("count", "--segment", "both", "--json").out)["count"] == 16


def test_a_breakdown_reads_with_shares_lift_and_bars(people: CommandLine) -> None:
    ran = people("breakdown", "adults", "plan", ":events", "event:purchase")
    assert ran.code == Exit.DONE, ran
    found = lines(ran.out)
    assert found[0][:4] == ["32", "of", "40", "profiles"]
    assert ["free", "16", "50.0%", "20", "1.00", "█" * 24] in found
    assert ["purchase", "8", "25.0%", "10", "1.00", "█" * 8] in found
    assert ["(absent)", "24", "75.0%", "30", "1.00", "█" * 24] in found
    assert ["0", "24", "75.0%", "30", "1.00", "█" * 24] in found


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        (("--bins", "2"), ["18 to before 34", "34 to before 50"]),
        (("--quantiles", "4"), ["18 to before 26", "26 to before 34", "34 to before 42", "42 to before 50"]),
        (("--edges", "20, 30.5"), ["below 20", "20 to before 30.5", "30.5 and up"]),
    ],
)
def test_ranges_are_named_by_their_ends(
    people: CommandLine, options: tuple[str, ...], labels: list[str]
) -> None:
    ran = people("breakdown", "age >= 18", "age", "--rule", *options)
    assert ran.code == Exit.DONE, ran
    assert [line for line in labels if line not in ran.out] == []


def test_calendar_steps_and_dates_as_edges(people: CommandLine) -> None:
    by_month = people("breakdown", "everyone", "born", "--rule", "--step", "month")
    assert "2024-01-01 to before 2024-02-01" in by_month.out
    found = json.loads(
        people("breakdown", "everyone", "born", "--rule", "--edges", "2024-02-01", "--json").out
    )
    groups = found["breakdowns"][0]["groups"]
    assert [(g["from"], g["to"], g["count"]) for g in groups] == [
        (None, "2024-02-01", 14), ("2024-02-01", None, 26),
    ]  # fmt: skip


def test_a_breakdown_for_programs_says_everything(people: CommandLine) -> None:
    found = json.loads(people("breakdown", "buyers", "plan", "--limit", "1", "--json").out)
    assert (found["size"], found["total"]) == (10, 40)
    one = found["breakdowns"][0]
    assert (one["by"], one["name"]) == ("attribute", "plan")
    assert one["groups"] == [
        {"value": "free", "count": 10, "total_count": 20, "share": 1.0, "lift": 2.0}
    ]  # fmt: skip
    assert (one["other"]["count"], one["other"]["total_count"]) == (0, 20)


def test_what_members_have_in_common_is_named_as_rules(people: CommandLine) -> None:
    ran = people("affinity", "buyers", "--alike", "2")
    assert ran.code == Exit.DONE, ran
    assert ["did", "purchase", "10", "100.0%", "10", "4.00", "█" * 24] in lines(ran.out)
    assert ["plan", "=", '"free"', "10", "100.0%", "20", "2.00", "█" * 12] in lines(ran.out)
    found = json.loads(people("affinity", "buyers", "--alike", "2", "--json").out)
    assert found["traits"][0]["rule"] == "did purchase"
    assert len(found["look_alikes"]) == 2
    everyone = people("affinity", "everyone", "--rule")
    assert "nothing that they have more often" in everyone.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("overlap", "gone"), Exit.INVALID),
        (("breakdown", "adults", "shoe_size"), Exit.INVALID),
        (("breakdown", "adults", ":shoes"), Exit.USAGE),
        (("breakdown", "adults", "age", "--bins", "2", "--quantiles", "2"), Exit.USAGE),
        (("breakdown", "adults", "age", "--step", "decade"), Exit.USAGE),
        (("breakdown", "adults", "age", "--edges", "2,1"), Exit.INVALID),
        (("breakdown", "adults", "age", "--edges", "2024-13-01"), Exit.INVALID),
        (("affinity", "adults", "--lift", "1"), Exit.INVALID),
    ],
)
def test_what_cannot_be_asked_ends_with_a_code_and_a_line(
    people: CommandLine, arguments: tuple[str, ...], code: Exit
) -> None:
    ran = people(*arguments)
    assert (ran.code, ran.out) == (code, ""), ran
    assert ran.err.startswith("headcount: ")


def test_a_rule_is_taken_where_a_segment_is(people: CommandLine) -> None:
    """Where resolve, preview and export see a rule by themselves, it was read as the name of a segment."""
    by_rule = json.loads(people("breakdown", 'plan = "pro"', "age", "--bins", "2", "--json").out)
    by_segment = json.loads(people("breakdown", "pros", "age", "--bins", "2", "--json").out)
    assert by_rule["breakdowns"] == by_segment["breakdowns"]
    assert json.loads(people("affinity", "did purchase", "--json").out)["size"] == 10
    near = people("breakdown", "prs", "age")
    assert (near.code, near.err) == (
        Exit.INVALID,
        "headcount: unknown segment 'prs'; did you mean 'pros'?\n",
    )
    wrong = people("affinity", "agee > 3")
    assert wrong.code == Exit.INVALID and wrong.err.splitlines()[1:] == ["  agee > 3", "  ^"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("age", "--zone", "Nowhere"), "--zone goes with --step"),
        (("event:purchase", "--step", "month"), "not with event:purchase"),
        (("age", ":tags", "--bins", "3"), "--bins goes with an attribute or event:NAME, not with :tags"),
        ((":events", "--edges", "1,2"), "--edges goes with"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    people: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    ran = people("breakdown", "pros", *arguments)
    assert (ran.code, ran.out) == (Exit.USAGE, "") and said in ran.err


@pytest.mark.parametrize("edges", ["10,50,abc", "10,inf", "2024-01-01Tx", "2024-02-30"])
def test_edges_that_are_none_are_named_by_their_own_option(people: CommandLine, edges: str) -> None:
    ran = people("breakdown", "pros", "age", "--edges", edges)
    assert ran.code == Exit.INVALID and ran.err.startswith("headcount: --edges")


def test_the_rule_at_fault_is_the_one_that_is_shown(people: CommandLine) -> None:
    """Beside segments the caret stood under another rule than the one that could not be read."""
    ran = people("overlap", "pros", "--rule", "age > 3", "--rule", "age > 3 and plam = 1")
    assert ran.err.splitlines()[1:] == ["  age > 3 and plam = 1", "              ^"]


def test_one_is_not_many(people: CommandLine) -> None:
    assert people("overlap", "pros").out.startswith("1 audience of 40 profiles ")
    people("segments", "create", "one", "age = 10")
    assert people("segments", "show", "one").out.startswith("one   1 profile\n")


def test_a_segment_in_numbers(people: CommandLine) -> None:
    asked = ("segments", "statistics", "pros", "--by", "age", "--by", ":events", "--overlap", "adults")
    found = json.loads(people(*asked, "--step", "1h", "--json").out)
    assert (found["segment"], found["size"], found["total"]) == ("pros", 20, 40)
    assert len(found["history"]) == 30 and found["history"][-1]["size"] == 20
    assert [one["by"] for one in found["breakdowns"]] == ["attribute", "events"]
    assert found["overlaps"] == [{"segment": "adults", "size": 32, "both": 16, "jaccard": 16 / 36}]
    ran = people(*asked)
    assert ran.code == Exit.DONE and ran.out.startswith("pros   20 of 40 profiles, 50.0%\n")
    assert "▁█   0 to 20" in ran.out
    assert ["adults", "32", "16", "80.0%", "44.4%"] in [line[:5] for line in lines(ran.out)]
    assert people("segments", "statistics", "nothing").code == Exit.NOT_FOUND
    assert people("segments", "statistics", "pros", "--overlap", "nothing").code == Exit.NOT_FOUND
