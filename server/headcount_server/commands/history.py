"""headcount segments history: how large a segment was, who joined and who left, step by step."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Json,
    Target,
    connected,
    counted,
    instant_text,
    parse_instant,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from headcount.analytics import HistoryPoint

_STEP = re.compile(r"(\d{1,9})\s*(m|h|d|w)(?:in(?:ute)?s?|ours?|ays?|eeks?)?", re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_BARS = "▁▂▃▄▅▆▇█"


def history(
    name: Annotated[str, typer.Argument(help="The segment's id or name.")],
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="INSTANT", help="Where to begin; 30 steps back if not given."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="INSTANT", help="Where to end; now if not given.")
    ] = None,
    step: Annotated[str, typer.Option(metavar="LENGTH", help="Of one line: 15m, 1h, 1d, 1w.")] = "1d",
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """The size of a segment over time, with joins and leaves in each step."""
    length = step_of(step)
    begin, until = parse_instant(start, "--from"), parse_instant(end, "--to")
    with connected(target) as client:
        if begin is None:
            begin = (until or client.status().now) - 29 * length
        found = client.statistics(name, start=begin, end=until, interval=length)
    if as_json:
        print_json(
            {
                "segment": name,
                "size": found.size,
                "version": found.version,
                "now": instant_text(found.now),
                "history": points_json(found.history),
            }
        )
        return
    sizes = [point.size for point in found.history]
    print(f"{name}   {counted(found.size, 'profile')}   {sparkline(sizes)}")
    print_table(("from", "size", "joined", "left"), _rows(found.history), right=("size", "joined", "left"))


def points_json(points: Sequence[HistoryPoint]) -> Json:
    """The steps of a history, for programs."""
    return [
        {"start": instant_text(p.start), "size": p.size, "joined": p.joined, "left": p.left} for p in points
    ]


def _rows(points: Sequence[HistoryPoint]) -> list[tuple[str, str, str, str]]:
    return [
        (
            instant_text(point.start),
            f"{point.size:,}",
            f"+{point.joined:,}" if point.joined else "",
            f"-{point.left:,}" if point.left else "",
        )
        for point in points
    ]


def sparkline(values: Sequence[int]) -> str:
    """The values as a line of bars, the lowest and the highest of them as low and as high as a bar gets."""
    if not values:
        return ""
    low, high = min(values), max(values)
    if low == high:
        return _BARS[0 if high == 0 else 3] * len(values)
    return "".join(_BARS[(value - low) * (len(_BARS) - 1) // (high - low)] for value in values)


def step_of(text: str) -> dt.timedelta:
    """`15m`, `1h`, `2 days`; ends the command if it is none."""
    match = _STEP.fullmatch(text.strip().lower())
    if match is None or int(match[1]) == 0:
        raise CommandError(f"--step: {text!r} is no length of time; write 15m, 1h, 1d or 1w", Exit.INVALID)
    try:
        return dt.timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        raise CommandError("--step: longer than any history", Exit.INVALID) from None
