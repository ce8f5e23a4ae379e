"""breakdown: how members divide by attributes, events, tags, channels and segments."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.profile_fields import cell_json, cell_text
from headcount_server.commands.tables import Bar
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    At,
    Json,
    Target,
    connected,
    counted,
    duration_text,
    instant_text,
    parse_instant,
    print_json,
    print_table,
)
from headcount_server.commands.whom import who_in

if TYPE_CHECKING:
    from headcount import Breakdown, Breakdowns, By
    from headcount.analytics import Edge, Group, Step


def breakdown(
    who: Annotated[str, typer.Argument(help="A segment or a rule; with --rule, a rule.")],
    by: Annotated[
        list[str],
        typer.Argument(
            metavar="ATTRIBUTE...", help="Attributes, event:NAME, or :tags, :channels, :segments, :events."
        ),
    ],
    is_rule: Annotated[
        bool, typer.Option("--rule", help="The first argument is a rule, never a segment.")
    ] = False,
    limit: Annotated[int, typer.Option(help="The largest groups to show.", min=1, max=10_000)] = 20,
    bins: Annotated[int | None, typer.Option(help="So many ranges of equal width.", min=1, max=1_000)] = None,
    quantiles: Annotated[
        int | None, typer.Option(help="So many ranges with as many members each.", min=1, max=1_000)
    ] = None,
    edges: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Ranges between these numbers, dates or instants.")
    ] = None,
    step: Annotated[
        str | None, typer.Option(metavar="STEP", help="Calendar steps: day, week, month, quarter or year.")
    ] = None,
    zone: Annotated[str, typer.Option(help="The IANA zone of calendar steps; else the workspace's.")] = "",
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """How the members of a segment or rule divide by the values of attributes, with share and lift against everyone."""
    if sum(one is not None for one in (bins, quantiles, edges, step)) > 1:
        raise CommandError("one of --bins, --quantiles, --edges and --step", Exit.USAGE)
    if zone and step is None:
        raise CommandError("--zone goes with --step", Exit.USAGE)
    instant, ranges = parse_instant(at), Ranges(bins, quantiles, _edges(edges), _step(step), zone)
    asked = [by_of(name, limit, ranges) for name in by]
    with connected(target, who) as client:
        rule = who if is_rule else who_in(client, who)
        found = client.breakdown(rule, *asked, at=instant)
    if as_json:
        print_json(_breakdowns_json(found))
        return
    print(f"{found.size:,} of {counted(found.total, 'profile')}   ({duration_text(found.engine_us)})")
    for one in found.breakdowns:
        print()
        print_breakdown(one)
    for warning in found.warnings:
        say(f"note: {warning.message}")


@dataclasses.dataclass(frozen=True, slots=True)
class Ranges:
    """How numbers, instants and dates are cut: in one of the ways, or as the server does."""

    bins: int | None = None
    quantiles: int | None = None
    edges: tuple[Edge, ...] | None = None
    step: Step | None = None
    zone: str = ""

    @property
    def option(self) -> str:
        """The option by which they were asked for; empty for none."""
        named = {
            "--bins": self.bins, "--quantiles": self.quantiles, "--edges": self.edges, "--step": self.step,
        }  # fmt: skip
        return next((option for option, given in named.items() if given is not None), "")


def by_of(name: str, limit: int, ranges: Ranges) -> By:
    """What `age`, `event:purchase` and `:tags` ask for. Ends the command for ranges that would do nothing."""
    from headcount import BY_CHANNELS, BY_EVENTS, BY_SEGMENTS, BY_TAGS, By, by_event

    belongings = {":tags": BY_TAGS, ":channels": BY_CHANNELS, ":segments": BY_SEGMENTS, ":events": BY_EVENTS}
    if name.startswith(":"):
        if name not in belongings:
            raise CommandError(f"{name!r} is none of {', '.join(belongings)}", Exit.USAGE)
        if ranges.option:
            raise CommandError(
                f"{ranges.option} goes with an attribute or event:NAME, not with {name}", Exit.USAGE
            )
        return dataclasses.replace(belongings[name], limit=limit)
    bins, quantiles, edges = ranges.bins, ranges.quantiles, ranges.edges
    event = re.fullmatch(r"event:(.+)", name)
    if event is not None:
        if ranges.step is not None:
            raise CommandError(f"--step goes with an instant or a date, not with {name}", Exit.USAGE)
        return by_event(event[1], limit=limit, equal_width=bins, quantiles=quantiles, edges=edges)
    return By("attribute", name, limit, bins, quantiles, edges, ranges.step, ranges.zone)


def _step(text: str | None) -> Step | None:
    match text:
        case None | "day" | "week" | "month" | "quarter" | "year":
            return text
        case _:
            raise CommandError("--step is day, week, month, quarter or year", Exit.USAGE)


def _edges(text: str | None) -> tuple[Edge, ...] | None:
    """Numbers, dates and instants between commas."""
    return None if text is None else tuple(_edge(part.strip()) for part in text.split(","))


def _edge(word: str) -> Edge:
    import datetime as dt
    from decimal import Decimal, InvalidOperation

    try:
        number = Decimal(word)
    except InvalidOperation:
        pass
    else:
        if not number.is_finite():
            raise CommandError(f"--edges: {word} is not a number", Exit.INVALID)
        return int(number) if number == number.to_integral_value() else number
    if re.fullmatch(r"\d{4}-\d\d-\d\d", word):
        try:
            return dt.date.fromisoformat(word)
        except ValueError:
            raise CommandError(f"--edges: no such day: {word}", Exit.INVALID) from None
    if not re.match(r"\d{4}-\d\d-\d\dT", word):
        raise CommandError(
            f"--edges are numbers, dates or instants between commas, not {word!r}", Exit.INVALID
        )
    instant = parse_instant(word, "--edges")
    assert instant is not None
    return instant


def _title(by: By) -> str:
    return by.name if by.kind == "attribute" else f"times {by.name}" if by.kind == "event_name" else by.kind


def _label(group: Group) -> str:
    if not group.is_range:
        return cell_text(group.value)
    if group.value is None:
        return f"below {cell_text(group.upper)}"
    low = cell_text(group.value)
    return f"{low} and up" if group.upper is None else f"{low} to before {cell_text(group.upper)}"


def print_breakdown(found: Breakdown) -> None:
    shown = [(_label(group), group) for group in found.groups]
    shown += [
        (name, group)
        for name, group in (("(other)", found.other), ("(absent)", found.absent))
        if group.count or group.total_count
    ]
    largest = max((group.share or 0.0 for _, group in shown), default=0.0)
    rows = [
        (
            label,
            f"{group.count:,}",
            "-" if group.share is None else f"{group.share:.1%}",
            f"{group.total_count:,}",
            "-" if group.lift is None else f"{group.lift:.2f}",
            Bar(group.share or 0.0, largest),
        )
        for label, group in shown
    ]
    right = ("members", "share", "everyone", "lift")
    print_table((_title(found.by), *right, ""), rows, right=right)


def _breakdowns_json(found: Breakdowns) -> Json:
    return {
        "size": found.size,
        "total": found.total,
        "breakdowns": [breakdown_json(one) for one in found.breakdowns],
        "version": found.version,
        "now": instant_text(found.now),
        "engine_us": found.engine_us,
    }


def breakdown_json(found: Breakdown) -> Json:
    """One way to divide members, for programs."""
    return {
        "by": found.by.kind,
        "name": found.by.name,
        "groups": [
            {
                **(
                    {"from": cell_json(group.value), "to": cell_json(group.upper)}
                    if group.is_range
                    else {"value": cell_json(group.value)}
                ),
                **_counts(group),
            }
            for group in found.groups
        ],
        "other": _counts(found.other),
        "absent": _counts(found.absent),
    }


def _counts(group: Group) -> dict[str, Json]:
    return {
        "count": group.count,
        "total_count": group.total_count,
        "share": group.share,
        "lift": group.lift,
    }
