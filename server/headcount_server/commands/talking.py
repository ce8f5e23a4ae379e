"""What all commands that talk to a server share: where it is, how its failures end, how output is written."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit, code_of, describe
from headcount_server.commands.tables import GAP, Bar, Cell, bar, layout

if TYPE_CHECKING:
    from headcount import Client, Tls
    from headcount.channel import Connection

DEFAULT_TARGET = "127.0.0.1:50051"
_FILE_CELLS = 1 << 20
"""The width of a table that is read on no terminal: by a program, or from a file. No line is folded."""

Target = Annotated[
    str,
    typer.Option("--target", envvar="HEADCOUNT_TARGET", metavar="HOST:PORT", help="The server to talk to."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="INSTANT", help="Evaluate at this instant: events as they had happened by then."
    ),
]

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


@contextmanager
def connected(target: str, *rules: str) -> Iterator[Client]:
    """A client of the server. Failures end the command; `rules` are the texts that an error may point into."""
    from headcount import HeadcountError

    try:
        with client_of(target) as client:
            yield client
    except HeadcountError as error:
        raise CommandError(describe(error, target, rules), code_of(error)) from error


def connection_of(target: str) -> Connection:
    """How to reach a server: with the token of HEADCOUNT_TOKEN, trusting the authorities in the file HEADCOUNT_TLS_CA.

    That is `system` for those of the system. Neither is an option: a command line can be seen by the whole machine.
    """
    from headcount.channel import Connection

    if Connection(target).is_local:
        return Connection(target)
    return Connection(target, token=os.environ.get("HEADCOUNT_TOKEN") or None, tls=_tls())


def client_of(target: str) -> Client:
    """A client over that connection."""
    from headcount import Client

    connection = connection_of(target)
    return Client(target, token=connection.token, tls=connection.tls)


def _tls() -> Tls | None:
    from headcount import Tls

    named = os.environ.get("HEADCOUNT_TLS_CA")
    if not named:
        return None
    if named == "system":
        return Tls()
    try:
        return Tls(root_certificates=Path(named).read_bytes())
    except OSError as error:
        raise CommandError(
            f"HEADCOUNT_TLS_CA: {named} cannot be read: {error.strerror}", Exit.INVALID
        ) from error


@contextmanager
def looking_for(kind: str, name: str) -> Iterator[None]:
    """Ends the command with the name where a thing of this kind is not there: the server's messages do not name it."""
    from headcount.errors import NotFound

    try:
        yield
    except NotFound as error:
        if error.metadata.get("kind") == kind:
            raise CommandError(f"there is no {kind} {name!r}", Exit.NOT_FOUND) from error
        raise


def counted(count: int, one: str, many: str = "") -> str:
    """`1 profile`, `2,469 profiles`; `many` where it is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def print_json(value: Json) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)


def instant_text(instant: dt.datetime) -> str:
    """ISO 8601 in UTC: no fraction if whole seconds, else six digits."""
    text = (
        instant.astimezone(dt.UTC)
        .replace(tzinfo=None)
        .isoformat(timespec="microseconds" if instant.microsecond else "seconds")
    )
    return f"{text}Z"


def parse_instant(text: str | None, option: str = "--at") -> dt.datetime | None:
    """An instant with Z or an offset; ends the command if it is none."""
    if text is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise CommandError(
            f"{option}: an instant is written as 2024-01-31T12:00:00Z, with Z or an offset", Exit.INVALID
        )
    return instant


def in_segment(segment: str) -> str:
    """The rule that means a segment's members."""
    return f"in segment {json.dumps(segment, ensure_ascii=False)}"


def duration_text(microseconds: int) -> str:
    if microseconds < 1_000:
        return f"{microseconds} us"
    return f"{microseconds / 1_000:.1f} ms" if microseconds < 1_000_000 else f"{microseconds / 1e6:.2f} s"


def print_table(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    right: Sequence[str] = (),
    *,
    optional: Sequence[str] = (),
    to_stderr: bool = False,
) -> None:
    """A table; the columns in `right` are numbers, those in `optional` shown where there is room."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, stderr=to_stderr)
    room = console.width if console.is_terminal else _FILE_CELLS
    columns = layout(headings, rows, room, right, optional)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        heading = headings[column.place]
        is_number = heading in right
        table.add_column(
            heading,
            justify="right" if is_number else "left",
            no_wrap=is_number,
            overflow="fold",
            width=column.width,
        )
    for row in rows:
        cells = [(row[column.place], column.width) for column in columns]
        table.add_row(
            *(
                Text(bar(cell.value, cell.largest, width) if isinstance(cell, Bar) else cell)
                for cell, width in cells
            )
        )
    needed = sum(column.width for column in columns) + GAP * (len(columns) - 1)
    Console(highlight=False, stderr=to_stderr, width=max(needed, room)).print(table)
