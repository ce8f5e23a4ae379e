"""overlap, affinity: what members of several segments share, and what those of one have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit
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
    from headcount import Affinity, Overlap

_PAIRS_SHOWN = 20
_MATRIX_MAX = 12
"""Segments up to which the matrix itself is shown."""


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
    names = tuple(segments or ())
    # A place in a rule is told by its number among all that is asked about, the segments first.
    with connected(target, *("" for _ in names), *rules) as client:
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
    audiences = counted(len(found), "audience")
    print(f"{audiences} of {counted(found.total, 'profile')}   ({duration_text(found.engine_us)})")
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
            Bar(found.jaccard(i, j) or 0.0, 1.0),
        )
        for i, j in shown
    ]
    right = ("both", "jaccard", "lift")
    print_table(("audience", "and", *right, ""), rows_of_pairs, right=right)
    if len(pairs) > len(shown):
        more = counted(len(pairs) - len(shown), "more pair that shares", "more pairs that share")
        print(f"{more} somebody: --json gives all")
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


# ------------------------------------------------------------------------------------------------ affinity


def affinity(
    who: Annotated[str, typer.Argument(help="A segment or a rule; with --rule, a rule.")],
    is_rule: Annotated[bool, typer.Option("--rule", help="The argument is a rule, never a segment.")] = False,
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
    instant = parse_instant(at)
    with connected(target, who) as client:
        rule = who if is_rule else who_in(client, who)
        found = client.affinity(
            rule, limit=limit, min_support=support, min_lift=lift, look_alikes=alike, at=instant
        )
    if as_json:
        print_json(_affinity_json(found))
        return
    print(f"{found.size:,} of {counted(found.total, 'profile')}   ({duration_text(found.engine_us)})")
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
            Bar(t.lift, largest),
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
