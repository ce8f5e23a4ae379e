"""overlap, breakdown, affinity: questions about many members at once."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.asking import cell_json, cell_text
from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    At,
    Json,
    Target,
    connected,
    duration_text,
    in_segment,
    instant_text,
    parse_instant,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from headcount import Affinity, Breakdown, Breakdowns, By, Overlap
    from headcount.analytics import Edge, Group, Step

_BAR_CELLS = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_PAIRS_SHOWN = 20
_MATRIX_MAX = 12
"""Segments up to which the matrix itself is shown."""


def bar(value: float, largest: float, cells: int = _BAR_CELLS) -> str:
    """A bar of eighths of a character; the largest value fills all cells, and what is more than 0 shows."""
    if value <= 0 or largest <= 0:
        return ""
    eighths = max(1, round(value / largest * cells * 8))
    whole, part = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[part] if part else "")


# ------------------------------------------------------------------------------------------------ overlap


def overlap(
    segments: Annotated[list[str] | None, typer.Argument(metavar="[SEGMENT]...", help="Segments.")] = None,
    rule: Annotated[
        list[str] | None, typer.Option(metavar="RULE", help="A rule beside the segments; may be repeated.")
    ] = None,
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """How many are in each pair of segments, with Jaccard and lift; without segments, in each pair of all."""
    rules, instant = tuple(rule or ()), parse_instant(at)
    with connected(target, *rules) as client:
        names = tuple(segments or ())
        if not names and not rules:
            names = tuple(found.id for found in client.list_segments(page_size=1_000))
        if not names and not rules:
            raise CommandError("there are no segments to compare", Exit.NOT_FOUND)
        found = client.overlap(*names, rules=rules, at=instant)
    if as_json:
        print_json(_overlap_json(found))
    else:
        _print_overlap(found)


def _pairs(found: Overlap) -> list[tuple[int, int]]:
    """Pairs that share anybody, those most alike first."""
    pairs = [
        (i, j) for i in range(len(found)) for j in range(i + 1, len(found)) if found.matrix[i][j]
    ]  # fmt: skip
    return sorted(pairs, key=lambda pair: (-(found.jaccard(*pair) or 0.0), pair))


def _print_overlap(found: Overlap) -> None:
    print(f"{len(found)} audiences of {found.total:,} profiles   ({duration_text(found.engine_us)})")
    if len(found) <= _MATRIX_MAX:
        marks = [str(i + 1) for i in range(len(found))]
        rows = [
            (marks[i], found.labels[i], f"{found.sizes[i]:,}", *(f"{cell:,}" for cell in row))
            for i, row in enumerate(found.matrix)
        ]
        print_table(("", "audience", "size", *marks), rows, right=("size", *marks))
    pairs = _pairs(found)
    if not pairs:
        print("no two of them share anybody")
        return
    print()
    shown = pairs[:_PAIRS_SHOWN]
    rows_of_pairs = [
        (
            found.labels[i],
            found.labels[j],
            f"{found.matrix[i][j]:,}",
            f"{found.jaccard(i, j) or 0.0:.1%}",
            f"{found.lift(i, j) or 0.0:.2f}",
            bar(found.jaccard(i, j) or 0.0, 1.0),
        )
        for i, j in shown
    ]
    right = ("both", "jaccard", "lift")
    print_table(("audience", "and", *right, ""), rows_of_pairs, right=right)
    if len(pairs) > len(shown):
        print(f"{len(pairs) - len(shown):,} more pairs that share somebody: --json gives all")
    print(f"as a segment: headcount segments create NAME '{found.rule(*shown[0])}'")


def _overlap_json(found: Overlap) -> Json:
    return {
        "audiences": [
            {"name": label, "rule": rule, "size": size}
            for label, rule, size in zip(found.labels, found.rules, found.sizes, strict=True)
        ],
        "total": found.total,
        "matrix": [list(row) for row in found.matrix],
        "pairs": [
            {
                "audiences": [found.labels[i], found.labels[j]],
                "both": found.matrix[i][j],
                "jaccard": found.jaccard(i, j),
                "lift": found.lift(i, j),
                "rule": found.rule(i, j),
            }
            for i, j in _pairs(found)
        ],
        "version": found.version,
        "now": instant_text(found.now),
        "engine_us": found.engine_us,
    }


# ------------------------------------------------------------------------------------------------ how members divide


def breakdown(
    segment: Annotated[str, typer.Argument(help="A segment; with --rule, the rule to break down.")],
    by: Annotated[
        list[str],
        typer.Argument(
            metavar="ATTRIBUTE...", help="Attributes, event:NAME, or :tags, :channels, :segments, :events."
        ),
    ],
    is_rule: Annotated[bool, typer.Option("--rule", help="The first argument is a rule.")] = False,
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
    zone: Annotated[str, typer.Option(help="The IANA zone of calendar steps.")] = "",
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """How the members of a segment divide by the values of attributes, with share and lift against everyone."""
    if sum(one is not None for one in (bins, quantiles, edges, step)) > 1:
        raise CommandError("one of --bins, --quantiles, --edges and --step", Exit.USAGE)
    rule, instant = (segment if is_rule else in_segment(segment)), parse_instant(at)
    cuts, length = _edges(edges), _step(step)
    asked = [_by(name, limit, bins, quantiles, cuts, length, zone) for name in by]
    with connected(target, rule) as client:
        found = client.breakdown(rule, *asked, at=instant)
    if as_json:
        print_json(_breakdowns_json(found))
        return
    print(f"{found.size:,} of {found.total:,} profiles   ({duration_text(found.engine_us)})")
    for one in found.breakdowns:
        print()
        _print_breakdown(one)
    for warning in found.warnings:
        say(f"note: {warning.message}")


def _by(
    name: str,
    limit: int,
    bins: int | None,
    quantiles: int | None,
    edges: tuple[Edge, ...] | None,
    step: Step | None,
    zone: str,
) -> By:
    from headcount import BY_CHANNELS, BY_EVENTS, BY_SEGMENTS, BY_TAGS, By, by_event

    belongings = {":tags": BY_TAGS, ":channels": BY_CHANNELS, ":segments": BY_SEGMENTS, ":events": BY_EVENTS}
    if name.startswith(":"):
        if name not in belongings:
            raise CommandError(f"{name!r} is none of {', '.join(belongings)}", Exit.USAGE)
        return dataclasses.replace(belongings[name], limit=limit)
    event = re.fullmatch(r"event:(.+)", name)
    if event is not None:
        return by_event(event[1], limit=limit, equal_width=bins, quantiles=quantiles, edges=edges)
    return By("attribute", name, limit, bins, quantiles, edges, step, zone)


def _step(text: str | None) -> Step | None:
    match text:
        case None | "day" | "week" | "month" | "quarter" | "year":
            return text
        case _:
            raise CommandError("--step is day, week, month, quarter or year", Exit.USAGE)


def _edges(text: str | None) -> tuple[Edge, ...] | None:
    """Numbers, dates and instants between commas."""
    import datetime as dt
    from decimal import Decimal, InvalidOperation

    if text is None:
        return None
    found: list[Edge] = []
    for part in text.split(","):
        word = part.strip()
        try:
            number = Decimal(word)
            found.append(int(number) if number == number.to_integral_value() else number)
        except InvalidOperation:
            if re.fullmatch(r"\d{4}-\d\d-\d\d", word):
                try:
                    found.append(dt.date.fromisoformat(word))
                except ValueError:
                    raise CommandError(f"--edges: no such day: {word}", Exit.INVALID) from None
            else:
                instant = parse_instant(word)
                assert instant is not None
                found.append(instant)
    return tuple(found)


def _title(by: By) -> str:
    return by.name if by.kind == "attribute" else f"times {by.name}" if by.kind == "event_name" else by.kind


def _label(group: Group) -> str:
    if not group.is_range:
        return cell_text(group.value)
    if group.value is None:
        return f"below {cell_text(group.upper)}"
    low = cell_text(group.value)
    return f"{low} and up" if group.upper is None else f"{low} to before {cell_text(group.upper)}"


def _print_breakdown(found: Breakdown) -> None:
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
            bar(group.share or 0.0, largest),
        )
        for label, group in shown
    ]
    right = ("members", "share", "everyone", "lift")
    print_table((_title(found.by), *right, ""), rows, right=right)


def _breakdowns_json(found: Breakdowns) -> Json:
    return {
        "size": found.size,
        "total": found.total,
        "breakdowns": [
            {
                "by": one.by.kind,
                "name": one.by.name,
                "groups": [
                    {
                        **(
                            {"from": cell_json(group.value), "to": cell_json(group.upper)}
                            if group.is_range
                            else {"value": cell_json(group.value)}
                        ),
                        **_counts(group),
                    }
                    for group in one.groups
                ],
                "other": _counts(one.other),
                "absent": _counts(one.absent),
            }
            for one in found.breakdowns
        ],
        "version": found.version,
        "now": instant_text(found.now),
        "engine_us": found.engine_us,
    }


def _counts(group: Group) -> dict[str, Json]:
    return {
        "count": group.count,
        "total_count": group.total_count,
        "share": group.share,
        "lift": group.lift,
    }


# ------------------------------------------------------------------------------------------------ affinity


def affinity(
    segment: Annotated[str, typer.Argument(help="A segment; with --rule, the rule to look at.")],
    is_rule: Annotated[bool, typer.Option("--rule", help="The argument is a rule.")] = False,
    limit: Annotated[int, typer.Option(help="The traits to show.", min=1, max=1_000)] = 20,
    support: Annotated[
        float, typer.Option(help="The least share of members that have a trait.", min=0.0, max=1.0)
    ] = 0.05,
    lift: Annotated[float, typer.Option(help="How many times more frequent, at least.")] = 1.2,
    alike: Annotated[int, typer.Option(help="How many to name who look like them.", min=0, max=100_000)] = 0,
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """What members have more often than everyone, and who else has most of it."""
    rule, instant = (segment if is_rule else in_segment(segment)), parse_instant(at)
    with connected(target, rule) as client:
        found = client.affinity(
            rule, limit=limit, min_support=support, min_lift=lift, look_alikes=alike, at=instant
        )
    if as_json:
        print_json(_affinity_json(found))
        return
    print(f"{found.size:,} of {found.total:,} profiles   ({duration_text(found.engine_us)})")
    if not found.traits:
        print("nothing that they have more often than everyone")
        return
    largest = max(trait.lift for trait in found.traits)
    rows = [
        (
            t.rule,
            f"{t.count:,}",
            f"{t.share:.1%}",
            f"{t.total_count:,}",
            f"{t.lift:.2f}",
            bar(t.lift, largest),
        )
        for t in found.traits
    ]
    right = ("members", "share", "everyone", "lift")
    print_table(("they are more often", *right, ""), rows, right=right)
    if found.look_alikes:
        print()
        print_table(
            ("who looks like them", "score"),
            [(key, f"{score:,}") for key, score in found.look_alikes],
            right=("score",),
        )


def _affinity_json(found: Affinity) -> Json:
    return {
        "size": found.size,
        "total": found.total,
        "traits": [
            {
                "rule": trait.rule,
                "count": trait.count,
                "total_count": trait.total_count,
                "share": trait.share,
                "lift": trait.lift,
                "weight": trait.weight,
            }
            for trait in found.traits
        ],
        "look_alikes": [{"key": key, "score": score} for key, score in found.look_alikes],
        "version": found.version,
        "now": instant_text(found.now),
        "engine_us": found.engine_us,
    }
