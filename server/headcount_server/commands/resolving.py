"""resolve: whom to send to, and how that came about; also an audience that was resolved before."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.segment_options import span_of
from headcount_server.commands.tables import Bar
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    At,
    Json,
    Target,
    connected,
    duration_text,
    instant_text,
    looking_for,
    parse_instant,
    print_json,
    print_table,
)
from headcount_server.commands.whom import who_in

if TYPE_CHECKING:
    from headcount import Audience, AudienceName, Client, FrequencyCap, Holdout, LimitOrder

_CAP_COUNT_MAX: Final = 2**32 - 1
_LIMIT_MAX: Final = 2**64 - 1


def resolve(
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="WHO", help="A segment or a rule whose members to reach; may be repeated."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHO", help="A segment or a rule to leave out: it always wins; may be repeated."
        ),
    ] = None,
    known: Annotated[
        bool | None, typer.Option("--known/--unknown", help="Only profiles with, or without, an identifier.")
    ] = None,
    channel: Annotated[str, typer.Option(metavar="NAME", help="Only those reachable by this channel.")] = "",
    topic: Annotated[str, typer.Option(metavar="NAME", help="Only those whose consent allows it.")] = "",
    suppress: Annotated[
        list[str] | None,
        typer.Option(metavar="WHO", help="A segment or a rule that nothing is sent to; may be repeated."),
    ] = None,
    cap_event: Annotated[
        str | None, typer.Option(metavar="EVENT", help="Leave out who had enough of this event.")
    ] = None,
    cap_count: Annotated[
        int | None, typer.Option(metavar="N", help="How many are enough; else 1.", min=1, max=_CAP_COUNT_MAX)
    ] = None,
    cap_within: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="Within which time up to now: 30m, 12h, 7d, 2w; else 7d."),
    ] = None,
    holdout: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Leave out a fixed share, such as 10%.")
    ] = None,
    holdout_salt: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Another salt, other people.")
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", help="At most so many; 0 means all.", min=0, max=_LIMIT_MAX)
    ] = 0,
    highest: Annotated[
        str | None, typer.Option(metavar="ATTRIBUTE", help="The limit takes the highest values first.")
    ] = None,
    lowest: Annotated[
        str | None, typer.Option(metavar="ATTRIBUTE", help="The limit takes the lowest values first.")
    ] = None,
    sample_salt: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The limit takes a sample under this salt.")
    ] = None,
    keep: Annotated[
        str | None, typer.Option(metavar="ID", help="Keep the members as a manual segment of this id.")
    ] = None,
    ttl: Annotated[
        str | None, typer.Option(metavar="SPAN", help="How long the audience can be read: 30m, 2h; else 1h.")
    ] = None,
    audience: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Read one that was resolved before, audiences/..., instead."),
    ] = None,
    offset: Annotated[
        int | None,
        typer.Option(metavar="N", help="With --audience: how many members to skip.", min=0, max=_LIMIT_MAX),
    ] = None,
    waterfall_only: Annotated[
        bool, typer.Option("--waterfall-only", help="Show the waterfall and give no keys.")
    ] = False,
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Whom to reach: keys, one a line, on standard output; how it came about on standard error.

    With --json both are one object on standard output.
    """
    if keep is not None and waterfall_only:
        raise CommandError("--keep needs the members: leave --waterfall-only out", Exit.USAGE)
    if ttl is not None and waterfall_only:
        raise CommandError("--waterfall-only keeps nobody: leave --ttl out", Exit.USAGE)
    _refuse_idle(
        ("--cap-event", cap_event, {"--cap-count": cap_count, "--cap-within": cap_within}),
        ("--holdout", holdout, {"--holdout-salt": holdout_salt}),
        ("--audience", audience, {"--offset": offset}),
    )
    if audience is not None:
        steps = (
            include, exclude, channel, topic, suppress, cap_event, holdout, limit, highest, lowest, sample_salt, ttl,
            at, waterfall_only,
        )  # fmt: skip
        if known is not None or any(steps):
            raise CommandError(
                "--audience is resolved already: only --offset and --keep go with it", Exit.USAGE
            )
        _read_again(audience, offset or 0, keep, target, as_json)
        return
    if not include:
        raise CommandError("resolve needs somebody to --include", Exit.USAGE)
    order = _order(highest, lowest, sample_salt, limit)
    life = None if ttl is None else span_of(ttl, "--ttl")
    with connected(target) as client:
        found = client.create_audience(
            [who_in(client, text) for text in include],
            [who_in(client, text) for text in exclude or ()],
            known=known,
            channel=channel,
            topic=topic,
            suppressions=[who_in(client, text) for text in suppress or ()],
            frequency_cap=_cap(cap_event, cap_count or 1, cap_within or "7d"),
            holdout=_holdout(holdout, holdout_salt or ""),
            limit=limit,
            order=order,
            time_to_live=life,
            at=parse_instant(at),
            validate_only=waterfall_only,
        )
        if not as_json:
            _show_waterfall(found)
        if keep is not None:
            _keep(client, found, keep)
        if as_json:
            _print_resolved(client, found)
        elif not waterfall_only:
            _print_keys(client, found, 0)


def _refuse_idle(*groups: tuple[str, object, Mapping[str, object]]) -> None:
    """Ends the command where an option is given and the one that it goes with is not: it would do nothing."""
    for leader, given, followers in groups:
        for option, value in followers.items():
            if given is None and value is not None:
                raise CommandError(f"{option} goes with {leader}", Exit.USAGE)


def _keep(client: Client, audience: Audience | AudienceName, segment_id: str) -> None:
    kept = client.keep_audience(audience, segment_id)
    say(f"kept as segment {kept.id}: {kept.size:,}")


def _print_keys(client: Client, audience: Audience | AudienceName, offset: int) -> int:
    """The keys from an offset on, one a line; the size of the whole audience."""
    size = 0
    for chunk in client.read_chunks(audience, offset=offset):
        size = chunk.size
        if chunk.keys:
            sys.stdout.write("\n".join(chunk.keys) + "\n")
    sys.stdout.flush()
    return size


def _read_again(name: str, offset: int, keep: str | None, target: str, as_json: bool) -> None:
    """The members of an audience that was resolved before, from an offset on."""
    from headcount import AudienceName

    audience = AudienceName(name)
    with connected(target) as client, looking_for("audience", name):
        if keep is not None:
            _keep(client, audience, keep)
        if as_json:
            _print_with_keys(client, audience, {"audience": name, "offset": offset}, offset)
        else:
            size = _print_keys(client, audience, offset)
            say(f"{max(0, size - offset):,} of {size:,}")


def _cap(event: str | None, count: int, within: str) -> FrequencyCap | None:
    from headcount import FrequencyCap

    if event is None:
        return None
    return FrequencyCap(event, count, span_of(within, "--cap-within"))


def _holdout(percent: str | None, salt: str) -> Holdout | None:
    from decimal import Decimal, InvalidOperation

    from headcount import Holdout

    if percent is None:
        return None
    try:
        share = Decimal(percent.strip().removesuffix("%")) / 100
    except InvalidOperation:
        raise CommandError("--holdout is a percentage such as 10%", Exit.USAGE) from None
    return Holdout(share, salt)


def _order(highest: str | None, lowest: str | None, salt: str | None, limit: int) -> LimitOrder | None:
    from headcount import by_highest, by_lowest, by_sample

    found = [
        *([] if highest is None else [by_highest(highest)]),
        *([] if lowest is None else [by_lowest(lowest)]),
        *([] if salt is None else [by_sample(salt)]),
    ]
    if len(found) > 1:
        raise CommandError("a limit takes one of --highest, --lowest and --sample-salt", Exit.USAGE)
    if found and not limit:
        raise CommandError("--highest, --lowest and --sample-salt go with a --limit", Exit.USAGE)
    return found[0] if found else None


def _show_waterfall(audience: Audience) -> None:
    """A line a step on standard error, with a bar of how many remain."""
    from headcount import StageKind

    most = max((stage.remaining for stage in audience.waterfall), default=0)
    rows = []
    for stage in audience.waterfall:
        sign = "+" if stage.kind is StageKind.INCLUDE else "-"
        rows.append(
            (
                stage.kind.value,
                stage.text,
                _signed(sign, stage.changed),
                f"{stage.remaining:,}",
                _signed(sign, stage.unique_contribution),
                Bar(stage.remaining, most),
            )
        )
    print_table(
        ("step", "who", "change", "remain", "alone", ""),
        rows,
        right=("change", "remain", "alone"),
        to_stderr=True,
    )
    say(
        f"{audience.size:,} of {audience.total:,} at {instant_text(audience.now)}, version {audience.version:,}   "
        f"({duration_text(audience.engine_us)})"
    )
    if audience.name:
        assert audience.expire_time is not None
        say(f"{audience.name} until {instant_text(audience.expire_time)}")
    for warning in audience.warnings:
        say(f"note: {warning.message}")


def _signed(sign: str, count: int) -> str:
    return f"{sign}{count:,}" if count else "0"


def _print_resolved(client: Client, audience: Audience) -> None:
    """One JSON object, its keys last and written as they come."""
    head: dict[str, Json] = {
        "audience": audience.name,
        "size": audience.size,
        "total": audience.total,
        "version": audience.version,
        "now": instant_text(audience.now),
        "engine_us": audience.engine_us,
        "expires": None if audience.expire_time is None else instant_text(audience.expire_time),
        "waterfall": [
            {
                "step": stage.kind.value,
                "who": stage.text,
                "changed": stage.changed,
                "remaining": stage.remaining,
                "unique": stage.unique_contribution,
            }
            for stage in audience.waterfall
        ],
        "warnings": [warning.message for warning in audience.warnings],
    }
    if audience.name:
        _print_with_keys(client, audience, head, 0)
    else:
        print_json(head)


def _print_with_keys(
    client: Client, audience: Audience | AudienceName, head: Mapping[str, Json], offset: int
) -> None:
    """One JSON object that ends with the keys, written as they come."""
    out = sys.stdout
    separator = ""
    chunks = client.read_chunks(audience, offset=offset)
    first = next(chunks)
    out.write(json.dumps({**head, "size": first.size}, ensure_ascii=False)[:-1] + ', "keys": [')
    for chunk in itertools.chain((first,), chunks):
        if chunk.keys:
            out.write(separator + ", ".join(json.dumps(key, ensure_ascii=False) for key in chunk.keys))
            separator = ", "
    out.write("]}\n")
    out.flush()
