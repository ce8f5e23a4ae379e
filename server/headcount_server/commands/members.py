"""headcount load members: the list of a segment from a file, with what became of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.files import Report, check_inputs, readable, report
from headcount_server.commands.lists import By
from headcount_server.commands.segments import found_segment
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Json,
    Target,
    connected,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from headcount import ImportReceipt

_ROWS_TOLD: Final = 10
_REASONS: Final = {"UNKNOWN_PROFILE": "unknown", "DUPLICATE": "duplicate"}
_MALFORMED: Final = "malformed"
_HEADING: Final = ("row", "reason", "line", "value", "message")


def members(
    file: Annotated[Path, typer.Argument(help="CSV; - for standard input.")],
    segment: Annotated[str, typer.Option("--segment", metavar="NAME", help="The segment's id or name.")],
    mode: Annotated[str, typer.Option(metavar="MODE", help="append, replace or remove.")] = "append",
    column: Annotated[
        str,
        typer.Option(
            metavar="COLUMN", help="The column to read, by name or by number from 1; else the first."
        ),
    ] = "",
    by: By = None,
    delimiter: Annotated[str, typer.Option(metavar="CHAR", help="Between the cells.")] = "",
    header: Annotated[
        bool | None,
        typer.Option(
            "--header/--no-header",
            help="The first row is the header, or is data. Else it is the header if it is called as one: key, id, "
            "profile, the type of --by, or the column asked for.",
            show_default=False,
        ),
    ] = None,
    allow_empty: Annotated[
        bool,
        typer.Option("--allow-empty", help="With --mode replace: a file that names nobody empties the list."),
    ] = False,
    rejected: Annotated[
        Path | None,
        typer.Option("--rejected", metavar="FILE", help="Write the rows without effect here, as CSV."),
    ] = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Put who is in a file on the list of a segment. Nobody is created; the same file again changes nothing."""
    from headcount import ImportMode

    try:
        chosen = ImportMode(mode)
    except ValueError:
        raise CommandError("--mode is append, replace or remove", Exit.USAGE) from None
    delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
    check_inputs([file])
    with report(rejected, "--rejected", _HEADING) as rows, readable(file) as source:
        with connected(target) as client:
            receipt = client.import_members(
                found_segment(client, segment).id,
                source,
                chosen,
                column=column,
                identifier_type=by or "",
                delimiter=delimiter,
                has_header=header,
                allow_empty=allow_empty,
                timeout=3_600,
            )
        read = _read_again(source, receipt, column, delimiter or ",", header, by or "")
        _tell(receipt, read, rows, rejected is None, as_json)
    if receipt.unknown or receipt.malformed:
        raise typer.Exit(Exit.SOME_REJECTED)


@dataclass(frozen=True, slots=True)
class _Read:
    """What stands in the file: its first row, and by line what the rows without effect say."""

    first: str
    values: Mapping[int, str]


def _read_again(
    source: Path, receipt: ImportReceipt, column: str, delimiter: str, header: bool | None, by: str
) -> _Read:
    from headcount_server.loading.member_files import Layout, layout_of, read_rows

    wanted = {row.line for row in receipt.rejected_rows}
    layout: Layout | None = None
    first, values = "", dict[int, str]()
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
        for row in read_rows(text, delimiter):
            if layout is None:
                layout = layout_of(row.cells, column, header, by)
                first = _shown(delimiter.join(row.cells))
            if row.line in wanted:
                cell = layout.cell(row)
                values[row.line] = _shown(delimiter.join(row.cells) if cell is None else cell)
            if len(values) == len(wanted):
                break
    return _Read(first, values)


def _shown(text: str) -> str:
    """Bytes that are no UTF-8 as escapes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _tell(receipt: ImportReceipt, read: _Read, rows: Report, tells_rows: bool, as_json: bool) -> None:
    rows.begin()
    rejections: list[dict[str, Json]] = [
        {
            "row": row.row + 1,
            "reason": _REASONS.get(row.reason, _MALFORMED),
            "line": row.line,
            "value": read.values.get(row.line, ""),
            "message": row.message,
        }
        for row in receipt.rejected_rows
    ]
    for rejection in rejections:
        rows.write([rejection[name] for name in _HEADING])
    facts = {
        "rows": receipt.rows,
        "joined": receipt.joined,
        "left": receipt.left,
        "size": receipt.size,
        "unknown": receipt.unknown,
        "duplicates": receipt.duplicates,
        "malformed": receipt.malformed,
    }
    if as_json:
        header = read.first if receipt.has_header else None
        print_json({**facts, "version": receipt.version, "header": header, "rejections": rejections})
        return
    if receipt.has_header:
        say(f"the first row was taken for the header: {read.first}")
    elif receipt.rows:
        say("the first row was taken for data; --header says that it names the columns")
    print_table(tuple(facts), [tuple(f"{n:,}" for n in facts.values())], right=tuple(facts))
    if tells_rows:
        for row in receipt.rejected_rows[:_ROWS_TOLD]:
            say(f"line {row.line}: {row.message}")
        more = receipt.unknown + receipt.duplicates + receipt.malformed - _ROWS_TOLD
        if more > 0:
            say(f"and {more:,} more rows without effect; --rejected FILE lists the first thousand")
