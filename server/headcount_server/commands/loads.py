"""headcount load: profiles and events from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit
from headcount_server.commands.files import check_inputs
from headcount_server.commands.talking import DEFAULT_TARGET, AsJson, Target

if TYPE_CHECKING:
    from headcount_server.loading.options import LoadOptions, TimeUnit

app = typer.Typer(
    help="Read CSV, Parquet and JSON Lines files into a server.", no_args_is_help=True, rich_markup_mode=None
)

Files = Annotated[
    list[Path], typer.Argument(help="CSV, TSV, Parquet or JSON Lines; also .gz, .bz2, .zst; - and pipes.")
]
Key = Annotated[str, typer.Option(metavar="COLUMN", help="The column with the profile's key.")]
Types = Annotated[
    list[str] | None,
    typer.Option(
        "--type", metavar="COLUMN=TYPE", help="bool, int, decimal(2), float, text, set, instant, date, point."
    ),
]
Lists = Annotated[
    list[str] | None,
    typer.Option("--list", metavar="COLUMN", help="A set: split on | in CSV, an array in JSON."),
]
Renames = Annotated[
    list[str] | None, typer.Option("--map", metavar="COLUMN=NAME", help="Call a column by another name.")
]
Ignored = Annotated[list[str] | None, typer.Option("--ignore", metavar="COLUMN", help="Leave a column out.")]
Zone = Annotated[
    str | None,
    typer.Option(metavar="ZONE", help="For dates and times without an offset, such as Europe/Stockholm."),
]
Unit = Annotated[
    str | None,
    typer.Option("--time-unit", metavar="UNIT", help="What whole numbers count as instants: s, ms or us."),
]
FileFormat = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="csv, tsv, parquet or jsonl.")
]
Delimiter = Annotated[str | None, typer.Option(metavar="CHAR", help="Between the cells of a CSV file.")]
RejectedFile = Annotated[
    Path | None,
    typer.Option("--rejected", metavar="FILE", help="Write rejected rows here, as CSV, with the reason."),
]


@app.command()
def profiles(
    files: Files,
    key: Key,
    types: Types = None,
    lists: Lists = None,
    identifiers: Annotated[
        list[str] | None,
        typer.Option(
            "--identifier", metavar="COLUMN", help="A column by which profiles are known, such as email."
        ),
    ] = None,
    tags: Annotated[str | None, typer.Option(metavar="COLUMN", help="A set of tags to add.")] = None,
    channels: Annotated[str | None, typer.Option(metavar="COLUMN", help="A set of channels to add.")] = None,
    recreate: Annotated[
        bool,
        typer.Option("--recreate", help="Keys of erased profiles make new ones; else they are rejected."),
    ] = False,
    renames: Renames = None,
    ignored: Ignored = None,
    zone: Zone = None,
    unit: Unit = None,
    file_format: FileFormat = None,
    delimiter: Delimiter = None,
    rejected: RejectedFile = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Create profiles or change those that exist: columns become attributes, what is empty stays as it is.

    Columns called $tags, $channels and $consent.TOPIC, as an export calls them or --map does, become just these.
    """
    from headcount_server.loading.options import LoadOptions, parse_renames, parse_types
    from headcount_server.loading.problems import OptionProblem

    try:
        options = LoadOptions(
            key=key,
            types=parse_types(types or []),
            lists=frozenset(lists or ()),
            identifiers=frozenset(identifiers or ()),
            tags=tags or "",
            channels=channels or "",
            renamed=parse_renames(renames or []),
            ignored=frozenset(ignored or ()),
            zone=_zone(zone),
            unit=_unit(unit),
        )
    except OptionProblem as problem:
        raise CommandError(str(problem), Exit.USAGE) from problem
    _load(files, options, file_format, delimiter, recreate, rejected, target, as_json)


@app.command()
def events(
    files: Files,
    key: Key,
    time: Annotated[str, typer.Option(metavar="COLUMN", help="The column that says when it happened.")],
    name: Annotated[
        str | None, typer.Option(metavar="EVENT", help="What all rows are: purchase, page_view.")
    ] = None,
    name_column: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column that says what each row is.")
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option("--id", metavar="COLUMN", help="The event's id: the same id again is the same event."),
    ] = None,
    types: Types = None,
    lists: Lists = None,
    renames: Renames = None,
    ignored: Ignored = None,
    zone: Zone = None,
    unit: Unit = None,
    file_format: FileFormat = None,
    delimiter: Delimiter = None,
    rejected: RejectedFile = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Record what people did: a row is an event, and the columns left over become its properties."""
    from headcount_server.loading.options import LoadOptions, parse_renames, parse_types
    from headcount_server.loading.problems import OptionProblem

    if (name is None) == (name_column is None):
        raise CommandError("events take either --name EVENT or --name-column COLUMN", Exit.USAGE)
    try:
        options = LoadOptions(
            key=key,
            time=time,
            event=name or "",
            name_column=name_column or "",
            id=id_column or "",
            types=parse_types(types or []),
            lists=frozenset(lists or ()),
            renamed=parse_renames(renames or []),
            ignored=frozenset(ignored or ()),
            zone=_zone(zone),
            unit=_unit(unit),
        )
    except OptionProblem as problem:
        raise CommandError(str(problem), Exit.USAGE) from problem
    _load(files, options, file_format, delimiter, False, rejected, target, as_json)


def _zone(name: str | None) -> str:
    from headcount_engine.errors import InvalidValue
    from headcount_engine.model.instants import zone

    if name is None:
        return ""
    try:
        zone(name)
    except InvalidValue as error:
        raise CommandError(f"--zone: {error.message}", Exit.INVALID) from error
    return name


def _unit(text: str | None) -> TimeUnit | None:
    from headcount_server.loading.options import TimeUnit

    if text is None:
        return None
    try:
        return TimeUnit(text)
    except ValueError:
        raise CommandError("--time-unit is s, ms or us", Exit.USAGE) from None


def _load(
    files: list[Path],
    options: LoadOptions,
    file_format: str | None,
    delimiter: str | None,
    recreate: bool,
    rejected: Path | None,
    target: str,
    as_json: bool,
) -> None:
    from headcount_server.commands.load_run import LoadRun
    from headcount_server.loading.files import Format

    chosen: Format | None = None
    if file_format is not None:
        try:
            chosen = Format(file_format)
        except ValueError:
            raise CommandError("--format is csv, tsv, parquet or jsonl", Exit.USAGE) from None
    if delimiter is not None:
        delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
            raise CommandError("--delimiter is one ASCII character", Exit.USAGE)
    check_inputs(files)
    run = LoadRun(files, options, chosen, delimiter, recreate, rejected, target, as_json)
    code = run.run()
    if code is not Exit.DONE:
        raise typer.Exit(code)
