"""count, check, profile: questions to a server."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

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
    from headcount import values
    from headcount.values import Cell, Profile


def count(
    rule: Annotated[str | None, typer.Argument(help='A rule, such as: plan = "pro" and did purchase')] = None,
    segment: Annotated[
        str | None, typer.Option(metavar="NAME", help="Count a segment instead of a rule.")
    ] = None,
    sizes: Annotated[
        bool, typer.Option("--sizes", help="Give the exact size of every part of the rule as well.")
    ] = False,
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """How many profiles a rule describes, exactly."""
    if (rule is None) == (segment is None):
        raise CommandError("count takes either a rule or --segment NAME", Exit.USAGE)
    text = in_segment(segment) if segment is not None else rule or ""
    instant = parse_instant(at)
    with connected(target, text) as client:
        answer = client.count(text, at=instant, node_sizes=sizes)
    if not as_json:
        print(f"{answer.count:,} of {answer.total:,}   ({duration_text(answer.engine_us)})")
        _print_sizes(answer.node_sizes)
        say_warnings(answer.warnings)
        return
    found: dict[str, Json] = {
        "count": answer.count,
        "total": answer.total,
        "version": answer.version,
        "now": instant_text(answer.now),
        "engine_us": answer.engine_us,
    }
    if sizes:
        found["nodes"] = [
            {"path": node.path, "text": node.text, "count": node.count} for node in answer.node_sizes
        ]
    if answer.warnings:
        found["warnings"] = [warning.message for warning in answer.warnings]
    print_json(found)


def _print_sizes(nodes: tuple[values.NodeSize, ...]) -> None:
    """A line a part of the rule, indented as deep as it lies."""
    width = max((len(f"{node.count:,}") for node in nodes), default=0)
    for node in nodes:
        depth = node.path.count(".") + 1 if node.path else 0
        print(f"{node.count:>{width},}  {'  ' * depth}{node.text}")


def say_warnings(warnings: tuple[values.Warning, ...]) -> None:
    """What is to be known about an answer, on standard error."""
    for warning in warnings:
        say(f"note: {warning.message}")


def check(
    key: Annotated[str, typer.Argument(help="The profile's key.")],
    rules: Annotated[list[str] | None, typer.Argument(metavar="[RULE]...", help="Rules to check.")] = None,
    segment: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A segment to check; may be repeated.")
    ] = None,
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Whether a profile is in rules and segments. Ends with 0 if it is in all of them, else with 1.

    Without rules and segments it says which segments the profile is in.
    """
    texts = tuple(rules or ())
    segments = tuple(segment or ())
    if not texts and not segments:
        _memberships(key, target, as_json)
        return
    instant = parse_instant(at)
    with connected(target, *texts) as client:
        answer = client.check(key, *segments, rules=texts, at=instant)
    held = [*answer.segments.values(), *answer.rules]
    if as_json:
        print_json(
            {
                "key": key,
                "exists": answer.exists,
                "segments": dict(answer.segments),
                "rules": list(answer.rules),
                "version": answer.version,
                "now": instant_text(answer.now),
                "engine_us": answer.engine_us,
            }
        )
    else:
        if not answer.exists:
            say(f"note: there is no profile {key!r}")
        for question, is_in in zip([*answer.segments, *texts], held, strict=True):
            print(f"{'yes' if is_in else 'no ':3}  {question}")
    if not all(held):
        raise typer.Exit(Exit.NO)


def _memberships(key: str, target: str, as_json: bool) -> None:
    with connected(target) as client:
        answer = client.memberships(key)
    if as_json:
        now = instant_text(answer.now)
        print_json({"key": key, "segments": list(answer.segments), "version": answer.version, "now": now})
        return
    for name in answer.segments:
        print(name)


def profile(
    key: Annotated[str, typer.Argument(help="The profile's key.")],
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Everything known about one profile, and the segments it is in."""
    with connected(target) as client:
        found = client.get_profile(key)
    if as_json:
        print_json(_profile_json(found))
        return
    rows = [(name, cell_text(value)) for name, value in sorted(found.attributes.items())]
    rows += [(f"{identifier.type} (identifier)", identifier.value) for identifier in found.identifiers]
    rows += [("tags", ", ".join(sorted(found.tags)))] if found.tags else []
    rows += [("channels", ", ".join(sorted(found.channels)))] if found.channels else []
    print(f"profile {found.key}   (known)" if found.is_known else f"profile {found.key}")
    if rows:
        print_table(("attribute", "value"), rows)
    if found.events:
        events = [
            (
                event.event_name,
                f"{event.count:,}",
                instant_text(event.first_time),
                instant_text(event.last_time),
            )
            for event in found.events
        ]
        print_table(("event", "times", "first", "last"), events, right=("times",))
    print("in segments: " + (", ".join(found.segments) or "none"))


def _profile_json(found: Profile) -> Json:
    return {
        "key": found.key,
        "id": found.id,
        "attributes": {name: cell_json(value) for name, value in sorted(found.attributes.items())},
        "tags": sorted(found.tags),
        "channels": sorted(found.channels),
        "identifiers": {identifier.type: identifier.value for identifier in found.identifiers},
        "events": {
            event.event_name: {
                "count": event.count,
                "first": instant_text(event.first_time),
                "last": instant_text(event.last_time),
            }
            for event in found.events
        },
        "segments": list(found.segments),
        "known": found.is_known,
    }


def cell_json(value: Cell) -> Json:
    """Numbers as numbers but for decimals, which are exact and therefore text."""
    from headcount.values import Point

    match value:
        case None | bool() | int() | float() | str():
            return value
        case frozenset():
            return sorted(value)
        case dt.datetime():
            return instant_text(value)
        case dt.date():
            return value.isoformat()
        case Point():
            return [value.latitude, value.longitude]
        case _:
            return str(value)


def cell_text(value: Cell) -> str:
    """A value for people."""
    match cell_json(value):
        case bool() as flag:
            return "true" if flag else "false"
        case list() as elements:
            return ", ".join(map(str, elements))
        case other:
            return str(other)
