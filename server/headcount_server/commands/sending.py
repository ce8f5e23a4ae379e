"""resolve, preview, export: whom to send to, a look at them, and files of them."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

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
    from headcount import Audience, AudienceName, Client, FrequencyCap, Holdout, LimitOrder
    from headcount.sending import FileFormat
    from headcount.values import Profile

_BAR_CELLS = 24
_WITHIN = re.compile(r"([0-9]+)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SUFFIXES: dict[str, FileFormat] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
Names = Annotated[
    list[str] | None,
    typer.Option("--attribute", "-a", metavar="NAME", help="An attribute to give; may be repeated."),
]
OfAudience = Annotated[
    str | None,
    typer.Option("--audience", metavar="NAME", help="A resolved audience, audiences/..., instead of a rule."),
]


# ------------------------------------------------------------------------------------------------- resolve


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
    cap_count: Annotated[int, typer.Option(metavar="N", help="How many are enough.", min=1)] = 1,
    cap_within: Annotated[
        str, typer.Option(metavar="SPAN", help="Within which time up to now: 30m, 12h, 7d, 2w.")
    ] = "7d",
    holdout: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Leave out a fixed share, such as 10%.")
    ] = None,
    holdout_salt: Annotated[str, typer.Option(metavar="TEXT", help="Another salt, other people.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", help="At most so many; 0 means all.", min=0)] = 0,
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
    if not include:
        raise CommandError("resolve needs somebody to --include", Exit.USAGE)
    if keep is not None and waterfall_only:
        raise CommandError("--keep needs the members: leave --waterfall-only out", Exit.USAGE)
    order = _order(highest, lowest, sample_salt, limit)
    given = [*include, *(exclude or ()), *(suppress or ())]
    with connected(target, *given) as client:
        audience = client.create_audience(
            [_who(client, text) for text in include],
            [_who(client, text) for text in exclude or ()],
            known=known,
            channel=channel,
            topic=topic,
            suppressions=[_who(client, text) for text in suppress or ()],
            frequency_cap=_cap(cap_event, cap_count, cap_within),
            holdout=_holdout(holdout, holdout_salt),
            limit=limit,
            order=order,
            at=parse_instant(at),
            validate_only=waterfall_only,
        )
        if not as_json:
            _show_waterfall(audience)
        if keep is not None:
            kept = client.keep_audience(audience, keep)
            say(f"kept as segment {kept.id}: {kept.size:,}")
        if as_json:
            _print_resolved(client, audience)
        elif not waterfall_only:
            for chunk in client.read_chunks(audience):
                if chunk.keys:
                    sys.stdout.write("\n".join(chunk.keys) + "\n")
            sys.stdout.flush()


def _who(client: Client, text: str) -> str:
    """A rule: that of a segment where one has this id or name, else the text itself."""
    from headcount import InvalidArgument, InvalidRule

    try:
        client.parse(in_segment(text))
    except InvalidArgument as no_segment:
        try:
            client.parse(text)
        except InvalidRule:
            # Without a space it was meant as a name, and the names that are near say more than a place in a rule.
            if " " not in text.strip():
                raise no_segment from None
            raise
        return text
    return in_segment(text)


def _cap(event: str | None, count: int, within: str) -> FrequencyCap | None:
    from headcount import FrequencyCap

    if event is None:
        return None
    found = _WITHIN.fullmatch(within)
    if found is None:
        raise CommandError("--cap-within is a number and a unit: 30m, 12h, 7d, 2w", Exit.USAGE)
    try:
        span = dt.timedelta(**{_UNITS[found[2]]: int(found[1])})
    except OverflowError:
        raise CommandError("--cap-within is longer than time goes back", Exit.USAGE) from None
    return FrequencyCap(event, count, span)


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
    from headcount_server.commands.analytics import bar

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
                bar(stage.remaining, most, _BAR_CELLS),
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
    if not audience.name:
        print_json(head)
        return
    out = sys.stdout
    out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "keys": [')
    separator = ""
    for chunk in client.read_chunks(audience):
        if chunk.keys:
            out.write(separator + ", ".join(json.dumps(key, ensure_ascii=False) for key in chunk.keys))
            separator = ", "
    out.write("]}\n")
    out.flush()


# ------------------------------------------------------------------------------------------------- preview


def preview(
    who: Annotated[str | None, typer.Argument(help="A segment or a rule.")] = None,
    audience: OfAudience = None,
    attributes: Names = None,
    size: Annotated[int, typer.Option(help="How many profiles to show.", min=1, max=1_000)] = 20,
    sample: Annotated[
        str | None,
        typer.Option(metavar="SALT", help="A uniform sample under this salt instead of the first."),
    ] = None,
    page_token: Annotated[str, typer.Option(metavar="TOKEN", help="From the page before.")] = "",
    at: At = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Some members with their attributes: the first of them, or a uniform sample."""
    with connected(target, who or "") as client:
        found = client.preview(
            _asked(client, who, audience),
            attributes=attributes or (),
            page_size=size,
            page_token=page_token,
            sample_salt=sample,
            at=parse_instant(at),
        )
    if as_json:
        print_json(
            {
                "total": found.total_size,
                "profiles": [_profile_json(profile) for profile in found.profiles],
                "next_page_token": found.next_page_token,
                "version": found.version,
                "now": instant_text(found.now),
            }
        )
        return
    names = attributes or sorted({name for p in found.profiles for name in p.attributes})
    print_table(("key", *names), [_row(profile, names) for profile in found.profiles])
    say(f"{len(found.profiles):,} of {found.total_size:,}")
    if found.next_page_token:
        say(f"next page: --page-token {found.next_page_token}")


def _profile_json(profile: Profile) -> Json:
    found: dict[str, Json] = {
        "key": profile.key,
        "attributes": {name: cell_json(value) for name, value in sorted(profile.attributes.items())},
    }
    if profile.tags:
        found["tags"] = sorted(profile.tags)
    return found


def _row(profile: Profile, names: list[str]) -> list[str]:
    return [
        profile.key,
        *(cell_text(profile.attributes[n]) if n in profile.attributes else "" for n in names),
    ]


def _asked(client: Client, who: str | None, audience: str | None) -> str | AudienceName:
    from headcount import AudienceName

    if (who is None) == (audience is None):
        raise CommandError("give either a segment or rule, or --audience NAME", Exit.USAGE)
    return AudienceName(audience) if audience is not None else _who(client, who or "")


# -------------------------------------------------------------------------------------------------- export


def export(
    who: Annotated[str | None, typer.Argument(help="A segment or a rule.")] = None,
    audience: OfAudience = None,
    attributes: Names = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="csv, parquet or jsonl; else as FILE ends."),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="A file to write, instead of standard output."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    target: Target = DEFAULT_TARGET,
) -> None:
    """All members with chosen attributes as CSV, Parquet or JSON Lines, in constant memory.

    In CSV a text that a spreadsheet would run as a formula gets an apostrophe in front.
    """
    path = None if output is None else checked_output(output, force)
    chosen = _format(file_format, path)
    with connected(target, who or "") as client:
        asked = _asked(client, who, audience)
        with _written(path) as file:
            rows = size = 0
            for piece in client.export(asked, chosen, attributes=attributes or ()):
                file.write(piece.data)
                rows, size = piece.next_offset, piece.size
                _show_progress(rows, size)
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    people = "1 profile" if size == 1 else f"{size:,} profiles"
    say(people if path is None else f"{people} written to {path}")


def _format(given: str | None, path: Path | None) -> FileFormat:
    if given is not None:
        if given not in _SUFFIXES.values():
            raise CommandError("--format is csv, parquet or jsonl", Exit.USAGE)
        return cast("FileFormat", given)
    if path is None:
        return "csv"
    found = _SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise CommandError("a file ends in .csv, .parquet or .jsonl, or --format says what it is", Exit.USAGE)
    return found


def checked_output(name: str, force: bool) -> Path:
    """Where a file may be written: not above the working directory, and not over another unasked.

    Ends the command otherwise. The name is the caller's own, never that of a segment.
    """
    if not name.strip() or any(ord(character) < 32 or character == "\x7f" for character in name):
        raise CommandError("the name of a file is not empty and holds no control characters", Exit.USAGE)
    path = Path(name)
    if ".." in path.parts:
        raise CommandError("the name of a file does not climb with ..", Exit.USAGE)
    if path.is_dir() or not path.name:
        raise CommandError(f"{path} is a folder", Exit.USAGE)
    if not path.parent.is_dir():
        raise CommandError(f"there is no folder {path.parent}", Exit.NOT_FOUND)
    if path.exists() and not force:
        raise CommandError(f"{path} is there already: --force writes over it", Exit.REFUSED)
    return path


@contextmanager
def _written(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that gets its name when it is whole."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", Exit.FAULT) from error
    finally:
        part.unlink(missing_ok=True)


def _show_progress(rows: int, size: int) -> None:
    """On a terminal, over the line before."""
    if sys.stderr.isatty():
        from headcount_server.commands.analytics import bar

        sys.stderr.write(f"\r{rows:>12,} of {size:,}  {bar(rows, size, _BAR_CELLS)}\033[K")
        sys.stderr.flush()
