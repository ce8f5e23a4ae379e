"""count, check, profile: questions to a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.profile_fields import cell_text, fields_json
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
    looking_for,
    parse_instant,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from headcount import Client, values
    from headcount.values import ConsentAnswer, Profile


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


By = Annotated[
    str | None,
    typer.Option("--by", metavar="TYPE", help="KEY is an identifier of this type, such as email."),
]


def check(
    key: Annotated[str, typer.Argument(help="The profile's key; with --by, an identifier.")],
    rules: Annotated[list[str] | None, typer.Argument(metavar="[RULE]...", help="Rules to check.")] = None,
    segment: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A segment to check; may be repeated.")
    ] = None,
    by: By = None,
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
        if at is not None:
            raise CommandError("--at goes with a rule or --segment", Exit.USAGE)
        _memberships(key, by, target, as_json)
        return
    instant = parse_instant(at)
    with connected(target, *texts) as client:
        key = key if by is None else _key_of(client, by, key)
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


def _key_of(client: Client, type_: str, value: str) -> str:
    """The key of who carries an identifier; ends the command where nobody does."""
    from headcount import Identifier

    key = client.lookup([Identifier(type_, value)])[0]
    if key is None:
        raise CommandError(f"nobody has the {type_} {value!r}", Exit.NOT_FOUND)
    return key


def _memberships(key: str, by: str | None, target: str, as_json: bool) -> None:
    with connected(target) as client:
        key = key if by is None else _key_of(client, by, key)
        with looking_for("profile", key):
            answer = client.memberships(key)
    if as_json:
        now = instant_text(answer.now)
        print_json({"key": key, "segments": list(answer.segments), "version": answer.version, "now": now})
        return
    for name in answer.segments:
        print(name)


def profile(
    key: Annotated[str, typer.Argument(help="The profile's key; with --by, an identifier.")],
    by: By = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Everything known about one profile, and the segments it is in."""
    with connected(target) as client:
        key = key if by is None else _key_of(client, by, key)
        with looking_for("profile", key):
            found = client.get_profile(key)
    if as_json:
        print_json(_profile_json(found))
        return
    rows = [(name, cell_text(value)) for name, value in sorted(found.attributes.items())]
    rows += [(f"{identifier.type} (identifier)", identifier.value) for identifier in found.identifiers]
    rows += [("tags", ", ".join(sorted(found.tags)))] if found.tags else []
    rows += [("channels", ", ".join(sorted(found.channels)))] if found.channels else []
    rows += [(f"{answer.topic} (consent)", _consent_text(answer)) for answer in found.consents]
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


def _consent_text(answer: ConsentAnswer) -> str:
    said = "subscribed" if answer.subscribed else "unsubscribed"
    return said if answer.time is None else f"{said} {instant_text(answer.time)}"


def _profile_json(found: Profile) -> Json:
    return {
        **fields_json(found),
        "id": found.id,
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
