"""The workspace's settings and the release on the command line."""

from __future__ import annotations

import json

import pytest

from headcount_server.commands.exits import Exit
from headcount_server.commands.main import main
from tests.commands.conftest import CommandLine


def test_settings_are_shown_and_changed(headcount: CommandLine) -> None:
    shown = headcount("settings").out.splitlines()
    assert shown[:4] == [
        "zone              UTC",
        "first day         monday",
        "opt-out topics    none",
        "legacy            none",
    ]
    change = (
        "settings", "--zone", "Europe/Oslo", "--first-day", "sun", "--opt-out", "sms", "--opt-out", "push",
        "--legacy-before", "2024-01-01T00:00:00Z", "--no-infer",
    )  # fmt: skip
    assert headcount(*change).code == Exit.DONE
    found = json.loads(headcount("settings", "--json").out)
    names = ("zone", "first_day_of_week", "opt_out_topics", "legacy_before", "infers_schema")
    assert [found[name] for name in names] == [
        "Europe/Oslo", "sunday", ["push", "sms"], "2024-01-01T00:00:00Z", False,
    ]  # fmt: skip
    back = json.loads(headcount("settings", "--legacy-before", "never", "--no-opt-out", "--json").out)
    assert (back["legacy_before"], back["opt_out_topics"], back["zone"]) == (None, [], "Europe/Oslo")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--first-day", "t"), Exit.USAGE),
        (("--first-day", "noday"), Exit.USAGE),
        (("--opt-out", "a", "--no-opt-out"), Exit.USAGE),
        (("--legacy-before", "yesterday"), Exit.INVALID),
        (("--zone", "Nowhere"), Exit.INVALID),
    ],
)
def test_settings_that_cannot_be_are_refused(
    headcount: CommandLine, arguments: tuple[str, ...], code: Exit
) -> None:
    ran = headcount("settings", *arguments)
    assert (ran.code, ran.out) == (code, "") and ran.err.startswith("headcount: ")


def test_the_release_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == Exit.DONE
    assert capsys.readouterr().out.startswith("headcount 0.")
