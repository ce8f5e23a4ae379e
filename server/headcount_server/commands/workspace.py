"""settings: what the workspace chose, shown and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from headcount_server.commands.exits import CommandError, Exit
from headcount_server.commands.segment_options import retention_text
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Json,
    Target,
    connected,
    instant_text,
    parse_instant,
    print_json,
)

if TYPE_CHECKING:
    from headcount.settings import Settings

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def settings(
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="The IANA zone of calendar days, such as Europe/Oslo.")
    ] = None,
    first_day: Annotated[
        str | None, typer.Option(metavar="DAY", help="The first day of a week: monday, sunday ...")
    ] = None,
    opt_out: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOPIC", help="A topic with which no answer counts as yes; all of them, may be repeated."
        ),
    ] = None,
    no_opt_out: Annotated[
        bool, typer.Option("--no-opt-out", help="Every topic wants to be agreed to.")
    ] = False,
    legacy_before: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Segments made before it are marked as legacy; never: none is."),
    ] = None,
    infers: Annotated[
        bool | None,
        typer.Option("--infer/--no-infer", help="Whether names that nobody declared are inferred from data."),
    ] = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """What the workspace chose; with options, change it for good."""
    from headcount.settings import NEVER

    if opt_out and no_opt_out:
        raise CommandError("either --opt-out or --no-opt-out", Exit.USAGE)
    topics = [] if no_opt_out else opt_out
    before = NEVER if legacy_before == "never" else parse_instant(legacy_before, "--legacy-before")
    day = None if first_day is None else _day_of(first_day)
    is_change = any(given is not None for given in (zone, day, topics, before, infers))
    with connected(target) as client:
        found = client.get_settings()
        if is_change:
            found = client.update_settings(
                default_zone=zone,
                first_day_of_week=day,
                infers_schema=infers,
                opt_out_topics=topics,
                legacy_before=before,
                etag=found.etag,
            )
    if as_json:
        print_json(_json(found))
    else:
        _print(found)


def _day_of(text: str) -> int:
    """0 for Monday; the first letters are enough."""
    wanted = text.strip().lower()
    days = [number for number, day in enumerate(_DAYS) if len(wanted) >= 2 and day.startswith(wanted)]
    if len(days) != 1:
        raise CommandError(f"--first-day is one of {', '.join(_DAYS)}", Exit.USAGE)
    return days[0]


def _print(found: Settings) -> None:
    legacy = "none" if found.legacy_before is None else f"made before {instant_text(found.legacy_before)}"
    facts = {
        "zone": found.default_zone,
        "first day": _DAYS[found.first_day_of_week],
        "opt-out topics": ", ".join(sorted(found.opt_out_topics)) or "none",
        "legacy": legacy,
        "undeclared names": "inferred" if found.infers_schema else "refused",
        "event ids": f"{found.deduplication_max_event_ids:,} for {retention_text(found.deduplication_horizon)}",
        "event lead": retention_text(found.max_event_lead),
        "changes kept": retention_text(found.change_retention),
    }
    for what, value in facts.items():
        print(f"{what:<17} {value}")
    for name, bound in sorted(found.limits.items()):
        print(f"at most           {bound:,} {name}")


def _json(found: Settings) -> Json:
    return {
        "zone": found.default_zone,
        "first_day_of_week": _DAYS[found.first_day_of_week],
        "opt_out_topics": sorted(found.opt_out_topics),
        "legacy_before": None if found.legacy_before is None else instant_text(found.legacy_before),
        "infers_schema": found.infers_schema,
        "deduplication_horizon_s": found.deduplication_horizon.total_seconds(),
        "deduplication_max_event_ids": found.deduplication_max_event_ids,
        "max_event_lead_s": found.max_event_lead.total_seconds(),
        "change_retention_s": found.change_retention.total_seconds(),
        "limits": dict(found.limits),
        "etag": found.etag,
        "version": found.version,
        "now": instant_text(found.now),
    }
