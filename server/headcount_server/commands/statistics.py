"""headcount segments statistics: a segment in numbers, and beside others."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.breakdowns import Ranges, breakdown_json, by_of, print_breakdown
from headcount_server.commands.history import points_json, sparkline, step_of
from headcount_server.commands.segments import found_segment
from headcount_server.commands.tables import Bar
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
    from headcount.analytics import Beside, SegmentStatistics

_STEPS = 30
"""Of the history, where nothing says how far back it goes."""


def statistics(
    name: Annotated[str, typer.Argument(help="The segment's id or name.")],
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ATTRIBUTE",
            help="How members divide: an attribute, event:NAME, :tags, :channels, :segments, :events.",
        ),
    ] = None,
    overlap: Annotated[
        list[str] | None,
        typer.Option(metavar="SEGMENT", help="What it shares with another segment; may be repeated."),
    ] = None,
    limit: Annotated[int, typer.Option(help="The largest groups to show.", min=1, max=10_000)] = 20,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="INSTANT", help="Where the history begins; else 30 steps back."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="INSTANT", help="Where the history ends; now if not given.")
    ] = None,
    step: Annotated[str, typer.Option(metavar="LENGTH", help="Of one bar: 15m, 1h, 1d, 1w.")] = "1d",
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """A segment in numbers: its size and history, how its members divide, what it shares with others."""
    length = step_of(step)
    begin, until = parse_instant(start, "--from"), parse_instant(end, "--to")
    ways = [by_of(one, limit, Ranges()) for one in by or ()]
    with connected(target) as client:
        segment = found_segment(client, name)
        if begin is None:
            begin = (until or client.status().now) - (_STEPS - 1) * length
        others = [found_segment(client, other).id for other in overlap or ()]
        found = client.statistics(
            segment.id, by=ways, overlap_with=others, start=begin, end=until, interval=length
        )
    if as_json:
        print_json(_json(segment.id, found))
    else:
        _print(segment.id, found, begin)


def _print(segment_id: str, found: SegmentStatistics, begin: dt.datetime) -> None:
    share = f", {found.size / found.total:.1%}" if found.total else ""
    print(f"{segment_id}   {found.size:,} of {counted(found.total, 'profile')}{share}")
    if found.history:
        sizes = [point.size for point in found.history]
        joined, left = sum(p.joined for p in found.history), sum(p.left for p in found.history)
        print(f"since {instant_text(begin)}: {joined:,} joined, {left:,} left")
        print(f"{sparkline(sizes)}   {min(sizes):,} to {max(sizes):,}")
    for one in found.breakdowns:
        print()
        print_breakdown(one)
    if found.overlaps:
        print()
        _print_overlaps(found)


def _print_overlaps(found: SegmentStatistics) -> None:
    rows = [
        (
            beside.segment,
            f"{beside.size:,}",
            f"{beside.both:,}",
            f"{beside.both / found.size:.1%}" if found.size else "-",
            f"{_jaccard(found.size, beside):.1%}",
            Bar(_jaccard(found.size, beside), 1.0),
        )
        for beside in found.overlaps
    ]
    right = ("size", "both", "share", "jaccard")
    print_table(("beside", *right, ""), rows, right=right)


def _jaccard(size: int, beside: Beside) -> float:
    """Those in both as a share of those in either; 0 where nobody is."""
    either = size + beside.size - beside.both
    return beside.both / either if either else 0.0


def _json(segment_id: str, found: SegmentStatistics) -> Json:
    return {
        "segment": segment_id,
        "size": found.size,
        "total": found.total,
        "history": points_json(found.history),
        "breakdowns": [breakdown_json(one) for one in found.breakdowns],
        "overlaps": [
            {
                "segment": beside.segment,
                "size": beside.size,
                "both": beside.both,
                "jaccard": _jaccard(found.size, beside),
            }
            for beside in found.overlaps
        ],
        "version": found.version,
        "now": instant_text(found.now),
        "engine_us": found.engine_us,
    }
