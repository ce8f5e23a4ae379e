"""Tables on terminals of any width: bars shrink or go, texts fold between words, ids and numbers stay whole."""

from __future__ import annotations

import re

import pytest

from headcount import Client
from headcount_server.app import RunningServer
from headcount_server.commands.tables import BAR_CELLS, Bar, Column, bar, layout
from tests.commands.conftest import CommandLine

LONG = "young-people-with-a-plan-that-costs"
RULE = 'plan = "pro" and age >= 18 or plan = "free" and age < 20 and never did purchase in last 30 days'


@pytest.fixture
def people(server: RunningServer, headcount: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Segments with long ids, read on a terminal of 80 columns."""
    with Client(server.address) as client:
        client.upsert_profiles(
            {"key": f"p{i}", "age": 10 + i, "plan": "pro" if i % 3 else "free"} for i in range(30)
        )
        client.create_segment("vips", 'plan = "pro"', display_name="Our very best customers")
        client.create_segment(LONG, RULE, folder="spring/mail", labels=["a", "b"])
        client.create_segment("by-hand", source="crm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return headcount


def plain(text: str) -> list[str]:
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()]


def test_a_bar_is_as_long_as_its_share_and_never_hides_something() -> None:
    assert [bar(value, 4, 4) for value in (0, 4, 2, 0.5, 0.01)] == ["", "████", "██", "▌", "▏"]
    assert bar(1, 0) == ""


def test_bars_shrink_and_then_go() -> None:
    headings, rows = ("id", "size", ""), [("a-long-segment-id", "1,234", Bar(1, 2)), ("b", "5", Bar(2, 2))]
    fixed = len("a-long-segment-id") + 3 + len("1,234")
    widths = {room: layout(headings, rows, fixed + 3 + room, ("size",))[2:] for room in (99, 24, 10, 6, 5, 0)}
    assert widths == {
        99: [Column(2, BAR_CELLS)], 24: [Column(2, 24)], 10: [Column(2, 10)], 6: [Column(2, 6)], 5: [], 0: [],
    }  # fmt: skip
    assert [c.width for c in layout(headings, rows, 5, ("size",))] == [17, 5], "ids and numbers stay whole"


def test_texts_fold_between_words_and_optional_columns_go_first() -> None:
    headings = ("id", "name", "folder", "rule")
    rows = [(LONG, "Some name", "spring/mail", "one two three four five six seven")]
    wide = layout(headings, rows, 200, optional=("name", "folder"))
    assert [c.width for c in wide] == [35, 9, 11, 33]
    narrower = layout(headings, rows, 79, optional=("name", "folder"))
    assert [(c.place, c.width) for c in narrower] == [(0, 35), (2, 11), (3, 27)]
    narrow = layout(headings, rows, 60, optional=("name", "folder"))
    assert [(c.place, c.width) for c in narrow] == [(0, 35), (3, 22)], "words stay whole, lines do not"


def test_segments_read_well_on_eighty_columns(people: CommandLine) -> None:
    """Ids were broken inside a word, one character to a line where names were long too."""
    lines = plain(people("segments", "list").out)
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["id", "size", "kind", "rule"]
    assert any(line.startswith(f"{LONG}  ") for line in lines)
    assert any(re.match(r"by-hand +0   manual   a list from crm$", line) for line in lines)


def test_what_has_room_is_shown(people: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    people("settings", "--legacy-before", "2030-01-01T00:00:00Z")
    people("segments", "pause", "vips")
    lines = plain(people("segments", "list").out)
    assert lines[0].split() == ["id", "size", "state", "name", "kind", "folder", "labels", "legacy", "rule"]
    vips = next(line for line in lines if line.startswith("vips"))
    assert re.split(r" {3,}", vips) == [
        "vips", "20", "paused", "Our very best customers", "rule", "yes", 'plan = "pro"',
    ]  # fmt: skip


def test_a_waterfall_and_a_breakdown_fit_eighty_columns(people: CommandLine) -> None:
    """A bar ran over two lines."""
    step = ("resolve", "--include", "vips", "--include", LONG, "--exclude", f"({RULE}) and age > 25")
    fall = plain(people(*step).err)
    table = fall[: next(i for i, line in enumerate(fall) if " of 30 at 2024-06-15T" in line)]
    assert all(len(line) <= 80 for line in table)
    assert sum(bool(re.search(r"[+-]?\d+ +\d+ +[+-]?\d+$", line)) for line in table) == 3, "no bar, no fold"
    lines = plain(people("breakdown", "vips", "plan").out)
    assert all(len(line) <= 80 for line in lines)
    assert any(line.startswith("pro") and line.endswith("█" * 24) for line in lines)


def test_on_no_terminal_no_line_is_folded(people: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FORCE_COLOR")
    rule = " or ".join(f"age = {i}" for i in range(100))
    people("segments", "create", "many", rule)
    assert any(
        line.startswith("many ") and line.endswith("age = 99")
        for line in plain(people("segments", "list").out)
    )
