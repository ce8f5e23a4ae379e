"""preview, export: a look at whom a segment, a rule or an audience means, and files of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final, cast

import typer

from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.profile_fields import field_text, fields_json, is_shown, names_in
from headcount_server.commands.tables import bar
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    At,
    Target,
    connected,
    instant_text,
    looking_for,
    parse_instant,
    print_json,
    print_table,
)
from headcount_server.commands.whom import who_in

if TYPE_CHECKING:
    from headcount import Audience, AudienceName, Client
    from headcount.sending import FileFormat

_SUFFIXES: dict[str, FileFormat] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_PART_NAME_BYTES: Final = 200
"""Of the name of a file that is not whole yet; a folder takes 255."""
Names = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        "-a",
        metavar="NAME",
        help="An attribute to give, also $tags, $channels, $consent.TOPIC; may be repeated.",
    ),
]
OfAudience = Annotated[
    str | None,
    typer.Option("--audience", metavar="NAME", help="A resolved audience, audiences/..., instead of a rule."),
]


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
    hidden = [name for name in attributes or () if not is_shown(name)]
    if hidden:
        raise CommandError(f"a preview does not show {hidden[0]}: export gives it", Exit.USAGE)
    with connected(target) as client, looking_for("audience", audience or ""):
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
                "profiles": [fields_json(profile) for profile in found.profiles],
                "next_page_token": found.next_page_token,
                "version": found.version,
                "now": instant_text(found.now),
            }
        )
        return
    names = attributes or names_in(found.profiles)
    rows = [(profile.key, *(field_text(profile, name) for name in names)) for profile in found.profiles]
    print_table(("key", *names), rows)
    say(f"{len(found.profiles):,} of {found.total_size:,}")
    if found.next_page_token:
        say(f"next page: --page-token {found.next_page_token}")


def _asked(client: Client, who: str | None, audience: str | None) -> str | AudienceName:
    from headcount import AudienceName

    if (who is None) == (audience is None):
        raise CommandError("give either a segment or rule, or --audience NAME", Exit.USAGE)
    return AudienceName(audience) if audience is not None else who_in(client, who or "")


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
    at: At = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """All members with chosen attributes as CSV, Parquet or JSON Lines, in constant memory.

    In CSV a text that a spreadsheet would run as a formula gets an apostrophe in front. With --at it is who was a
    member then, with the attributes of now.
    """
    if at is not None and audience is not None:
        raise CommandError("--audience is resolved already: leave --at out", Exit.USAGE)
    instant = parse_instant(at)
    path = None if output is None else checked_output(output, force)
    chosen = _format(file_format, path)
    with connected(target) as client, looking_for("audience", audience or ""):
        asked: str | Audience | AudienceName = _asked(client, who, audience)
        if instant is not None and isinstance(asked, str):
            asked = client.create_audience([asked], at=instant)
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
    try:
        if path.is_dir() or not path.name:
            raise CommandError(f"{path} is a folder", Exit.USAGE)
        if not path.parent.is_dir():
            raise CommandError(f"there is no folder {path.parent}", Exit.NOT_FOUND)
        if path.exists() and not force:
            raise CommandError(f"{path} is there already: --force writes over it", Exit.REFUSED)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", Exit.USAGE) from error
    return path


@contextmanager
def _written(path: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file that gets its name when it is whole."""
    from headcount.errors import HeadcountError

    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    short = path.name.encode()[:_PART_NAME_BYTES].decode(errors="ignore")
    part = path.with_name(f".{short}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
        part.replace(path)
    except HeadcountError:
        # Some of them are errors of the operating system's kind too, and none is about the file.
        raise
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", Exit.FAULT) from error
    finally:
        part.unlink(missing_ok=True)


def _show_progress(rows: int, size: int) -> None:
    """On a terminal, over the line before."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{rows:>12,} of {size:,}  {bar(rows, size)}\033[K")
        sys.stderr.flush()
