"""explain, plan, compare: what those ask who write rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.asking import say_warnings
from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.profile_fields import cell_json, cell_text
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
    from headcount.editing import ChangeBreakdown, Comparison, Explanation, NodeExplanation, Plan

_GROUP_CHARACTERS = 100
"""Of the text of a group, whose parts stand below it."""


def explain(
    key: Annotated[str, typer.Argument(help="The profile's key.")],
    rule: Annotated[str | None, typer.Argument(help="The rule to explain.")] = None,
    segment: Annotated[
        str | None, typer.Option(metavar="NAME", help="Explain a segment instead of a rule.")
    ] = None,
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Why a profile is in or out: every part of the rule with what was found, and what would change it."""
    if (rule is None) == (segment is None):
        raise CommandError("explain takes either a rule or --segment NAME", Exit.USAGE)
    text = in_segment(segment) if segment is not None else rule or ""
    instant = parse_instant(at)
    with connected(target, text) as client:
        found = client.explain(key, text, at=instant)
    if as_json:
        print_json(_explanation_json(key, found))
    else:
        say_warnings(found.warnings)
        if found.exists:
            _print_explanation(key, found)
    if not found.exists:
        say(f"headcount: there is no profile {key!r}")
        raise typer.Exit(Exit.NOT_FOUND)


def _print_explanation(key: str, found: Explanation) -> None:
    print(f"{key} is {'in' if found.is_member else 'out'}   ({duration_text(found.engine_us)})")
    parents = {node.path.rpartition(".")[0] if "." in node.path else "" for node in found.nodes if node.path}
    for node in found.nodes:
        print(_node_line(node, node.path in parents, node.text in found.decisive_leaves))
    if found.decisive_leaves:
        print(f"to change that: {'; '.join(found.decisive_leaves)}")
    if found.next_change is not None:
        print(f"the clock alone will change this at {instant_text(found.next_change)}")
    elif found.is_next_change_unknown:
        print("whether the clock alone will change this is not known: it hangs on too much")


def _node_line(node: NodeExplanation, is_group: bool, is_decisive: bool) -> str:
    text = node.text
    if is_group and len(text) > _GROUP_CHARACTERS:
        text = f"{text[: _GROUP_CHARACTERS - 3]}..."
    line = f"{'yes' if node.holds else 'no ':3}  {'  ' * node.depth}{text}"
    if node.found:
        line += f"   [{node.found}]"
    return f"{line}   <- decisive" if is_decisive and not is_group else line


def _explanation_json(key: str, found: Explanation) -> Json:
    return {
        "key": key,
        "exists": found.exists,
        "member": found.is_member,
        "nodes": [
            {
                "path": node.path,
                "text": node.text,
                "holds": node.holds,
                "found": node.found,
                "actual": cell_json(node.actual),
            }
            for node in found.nodes
        ],
        "decisive": list(found.decisive_leaves),
        "next_change": None if found.next_change is None else instant_text(found.next_change),
        "next_change_unknown": found.is_next_change_unknown,
        "warnings": [warning.message for warning in found.warnings],
        "version": found.version,
        "now": instant_text(found.now),
        "engine_us": found.engine_us,
    }


def plan(
    rule: Annotated[str, typer.Argument(help="The rule to count.")],
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """How a rule is counted: the steps, with the sizes and times that were expected and found."""
    instant = parse_instant(at)
    with connected(target, rule) as client:
        found = client.plan(rule, at=instant)
    if as_json:
        print_json(_plan_json(found))
        return
    rows = [
        (
            "  " * step.depth + step.text,
            "-" if step.size is None else f"{step.size:,}",
            f"{step.estimated_size:,}",
            "-" if step.took_us is None else duration_text(round(step.took_us)),
            duration_text(round(step.estimated_us)),
        )
        for step in found.steps
    ]
    headings = ("step", "size", "expected", "took", "expected time")
    print_table(headings, rows, right=headings[1:])


def _plan_json(found: Plan) -> Json:
    return {
        "steps": [
            {
                "path": step.path,
                "text": step.text,
                "size": step.size,
                "estimated_size": step.estimated_size,
                "took_us": step.took_us,
                "estimated_us": step.estimated_us,
            }
            for step in found.steps
        ],
        "version": found.version,
        "now": instant_text(found.now),
        "engine_us": found.engine_us,
    }


def compare(
    old: Annotated[str, typer.Argument(help="The rule in force.")],
    new: Annotated[str, typer.Argument(help="The rule that would take its place.")],
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="ATTRIBUTE", help="Tell who changes by value; may be repeated."),
    ] = None,
    sample: Annotated[int, typer.Option(help="How many keys of either side to name.", min=0, max=1_000)] = 0,
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Who would join and who would leave if one rule took the place of another."""
    instant = parse_instant(at)
    with connected(target, old, new) as client:
        found = client.compare(old, new, by=by or (), sample_size=sample, at=instant)
    if as_json:
        print_json(comparison_json(found))
        return
    print_comparison(found)


_RELATIONS = {
    "equal": "the same profiles",
    "contains": "only some of them stay",
    "contained": "all of them stay",
    "disjoint": "none of them stays",
    "overlapping": "some of them stay",
}
_PROVED = {
    "equal": "nobody can join or leave",
    "contains": "nobody can join",
    "contained": "nobody can leave",
    "disjoint": "nobody can stay",
}


def print_comparison(found: Comparison) -> None:
    """What an edit would change, for people."""
    print(f"{found.before_size:,} before, {found.after_size:,} after: {_RELATIONS[found.relation.value]}")
    print(f"  {found.joined:,} join    {_names(found.joined_keys, found.joined)}".rstrip())
    print(f"  {found.left:,} leave   {_names(found.left_keys, found.left)}".rstrip())
    if found.proved is not None:
        print(f"  whatever the data, {_PROVED[found.proved.value]}")
    for attribute, changes in found.by_attribute.items():
        print()
        print_table((attribute, "join", "leave"), _rows(changes), right=("join", "leave"))


def _names(keys: tuple[str, ...], count: int) -> str:
    shown = ", ".join(keys)
    return f"{shown}, ..." if keys and len(keys) < count else shown


def _rows(changes: ChangeBreakdown) -> list[tuple[str, str, str]]:
    rows = [(cell_text(group.value), f"{group.joined:,}", f"{group.left:,}") for group in changes.groups]
    for name, group in (("(other)", changes.other), ("(absent)", changes.absent)):
        if group.joined or group.left:
            rows.append((name, f"{group.joined:,}", f"{group.left:,}"))
    return rows


def comparison_json(found: Comparison) -> dict[str, Json]:
    """What an edit would change, for programs."""
    return {
        "before_size": found.before_size,
        "after_size": found.after_size,
        "joined": found.joined,
        "left": found.left,
        "relation": found.relation.value,
        "proved": None if found.proved is None else found.proved.value,
        "joined_keys": list(found.joined_keys),
        "left_keys": list(found.left_keys),
        "by": {name: _breakdown_json(changes) for name, changes in found.by_attribute.items()},
        "version": found.version,
        "now": instant_text(found.now),
        "engine_us": found.engine_us,
    }


def _breakdown_json(changes: ChangeBreakdown) -> Json:
    return {
        "groups": [
            {"value": cell_json(group.value), "joined": group.joined, "left": group.left}
            for group in changes.groups
        ],
        "other": {"joined": changes.other.joined, "left": changes.other.left},
        "absent": {"joined": changes.absent.joined, "left": changes.absent.left},
    }
