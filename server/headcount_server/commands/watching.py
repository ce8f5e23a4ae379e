"""headcount watch: who joins and who leaves, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import say
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Json,
    Target,
    connected,
    instant_text,
    print_json,
)

if TYPE_CHECKING:
    from headcount import MembershipChange

_STARTS = {"start": "oldest", "now": "now"}


def watch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME...", help="Segments by id or name; none means all.")
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="start|now|CURSOR",
            help="The oldest change that is kept, the next one, or where an earlier watch stopped.",
        ),
    ] = "now",
    initial: Annotated[bool, typer.Option("--initial", help="Begin with who is in already.")] = False,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Follow segments: every join and leave once, in order, until interrupted. Goes on when the server restarts."""
    from headcount import HeadcountError

    with connected(target) as client:
        watched = client.watch(
            *(names or ()), start=_STARTS.get(start, start), include_initial_members=initial
        )
        came_from = watched.cursor
        is_refused = False
        try:
            with watched:
                for change in watched:
                    if as_json:
                        print_json(change_json(change))
                    else:
                        print(change_text(change), flush=True)
        except HeadcountError:
            # Where nothing came yet, the place to go on at is what was given, and may be what is wrong.
            is_refused = watched.cursor == came_from
            raise
        finally:
            if watched.cursor and not is_refused and not as_json:
                say(f"go on from here with: --from {watched.cursor}")


def change_json(change: MembershipChange) -> Json:
    """A change for programs."""
    return {
        "change": change.change.value,
        "profile": change.profile,
        "segment": change.segment,
        "version": change.version,
        "now": instant_text(change.now),
        "cause": change.cause.value or None,
        "cursor": change.cursor,
    }


def change_text(change: MembershipChange) -> str:
    """A change for people."""
    cause = f"   ({change.cause.value})" if change.cause.value else ""
    return (
        f"{instant_text(change.now):<27}  {change.change.value:<7}  {change.segment}  {change.profile}{cause}"
    )
