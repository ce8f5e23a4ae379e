"""headcount segments pause, resume, archive, add, remove, templates, elements; headcount load members."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.segment_options import places_of
from headcount_server.commands.segment_shown import print_segment
from headcount_server.commands.segments import Name, app, found_segment
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Target,
    connected,
    counted,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from headcount import ImportReceipt, SegmentState
    from headcount.values import MemberReceipt

_ROWS_TOLD = 10


def _to_state(name: str, state: SegmentState, target: str, as_json: bool) -> None:
    with connected(target) as client:
        segment = found_segment(client, name)
        print_segment(client.update_segment(segment.id, state=state, etag=segment.etag), as_json)


@app.command()
def pause(name: Name, target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Keep the members as they are, whatever happens to profiles."""
    from headcount import SegmentState

    _to_state(name, SegmentState.PAUSED, target, as_json)


@app.command()
def resume(name: Name, target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Keep the members current again; also what makes a draft live and takes a segment out of the archive."""
    from headcount import SegmentState

    _to_state(name, SegmentState.LIVE, target, as_json)


@app.command()
def archive(name: Name, target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Keep the members as they are, and leave the segment out of lists."""
    from headcount import SegmentState

    _to_state(name, SegmentState.ARCHIVED, target, as_json)


Members = Annotated[list[str], typer.Argument(metavar="MEMBER...", help="Keys of profiles.")]
By = Annotated[
    str | None, typer.Option("--by", metavar="TYPE", help="They are identifiers of this type, such as email.")
]


@app.command()
def add(
    name: Name, members: Members, by: By = None, target: Target = DEFAULT_TARGET, as_json: AsJson = False
) -> None:
    """Add profiles to a manual segment, or to one with overrides. Nobody is created."""
    _edit(name, members, by, target, as_json, adds=True)


@app.command()
def remove(
    name: Name, members: Members, by: By = None, target: Target = DEFAULT_TARGET, as_json: AsJson = False
) -> None:
    """Take profiles out of a manual segment; out of one with overrides, whatever its rule says."""
    _edit(name, members, by, target, as_json, adds=False)


def _edit(name: str, members: list[str], by: str | None, target: str, as_json: bool, *, adds: bool) -> None:
    from headcount import Identifier

    keys = members if by is None else []
    identifiers = [] if by is None else [Identifier(by, value) for value in members]
    with connected(target) as client:
        segment = found_segment(client, name)
        call = client.add_members if adds else client.remove_members
        receipt = call(segment.id, keys, identifiers=identifiers)
    _tell_edit(segment.id, receipt, "joined" if adds else "left", as_json)


def _tell_edit(id_: str, receipt: MemberReceipt, did: str, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "segment": id_,
                did: receipt.changed,
                "size": receipt.size,
                "version": receipt.version,
                "rejected": [{"row": r.row, "reason": r.reason} for r in receipt.rejected_rows],
            }
        )
    else:
        print(f"{id_}   {receipt.changed:,} {did}, {counted(receipt.size, 'profile')}")
        for row in receipt.rejected_rows[:_ROWS_TOLD]:
            say(f"row {row.row + 1}: {row.message}")
    if receipt.rejected_rows and not all(r.reason == "DUPLICATE" for r in receipt.rejected_rows):
        raise typer.Exit(Exit.SOME_REJECTED)


def members(
    file: Annotated[Path, typer.Argument(help="CSV with a header; - for standard input.")],
    segment: Annotated[str, typer.Option("--segment", metavar="NAME", help="The segment's id or name.")],
    mode: Annotated[str, typer.Option(metavar="MODE", help="append, replace or remove.")] = "append",
    column: Annotated[str, typer.Option(metavar="COLUMN", help="The column to read; else the first.")] = "",
    by: By = None,
    delimiter: Annotated[str, typer.Option(metavar="CHAR", help="Between the cells.")] = "",
    no_header: Annotated[
        bool, typer.Option("--no-header", help="The first row is data; --column is then a number.")
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
    from_input = str(file) == "-"
    if not from_input and not file.is_file():
        raise CommandError(f"there is no file {file}", Exit.NOT_FOUND)
    with connected(target) as client:
        receipt = client.import_members(
            found_segment(client, segment).id,
            sys.stdin.buffer if from_input else file,
            chosen,
            column=column,
            identifier_type=by or "",
            delimiter=delimiter,
            has_header=not no_header,
            timeout=3_600,
        )
    _tell_import(receipt, rejected, as_json)


def _tell_import(receipt: ImportReceipt, rejected: Path | None, as_json: bool) -> None:
    if rejected is not None:
        with rejected.open("w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(("row", "reason", "message"))
            writer.writerows((r.row + 1, r.reason.lower(), r.message) for r in receipt.rejected_rows)
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
        print_json({**facts, "version": receipt.version})
    else:
        print_table(tuple(facts), [tuple(f"{n:,}" for n in facts.values())], right=tuple(facts))
        if rejected is None:
            for row in receipt.rejected_rows[:_ROWS_TOLD]:
                say(f"row {row.row + 1}: {row.message}")
            more = receipt.unknown + receipt.duplicates + receipt.malformed - _ROWS_TOLD
            if more > 0:
                say(f"and {more:,} more rows without effect; --rejected FILE lists the first thousand")
    if receipt.unknown or receipt.malformed:
        raise typer.Exit(Exit.SOME_REJECTED)


@app.command()
def templates(
    category: Annotated[
        str, typer.Option(help="lifecycle, purchases, engagement or profile; else all of them.")
    ] = "",
    places: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PLACE=VALUE", help="What to put in a place; may be repeated."),
    ] = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Ready-made segments, filled in from the schema. `segments create NAME --template ID` makes one."""
    with connected(target) as client:
        found = list(client.list_templates(category=category, arguments=places_of(places)))
    if as_json:
        print_json(
            [
                {
                    "id": t.id,
                    "name": t.display_name,
                    "category": t.category,
                    "description": t.description,
                    "rule": t.rule,
                    "open": list(t.open),
                    "places": [
                        {
                            "name": p.name,
                            "description": p.description,
                            "value": p.value,
                            "candidates": list(p.candidates),
                        }
                        for p in t.places
                    ],
                }
                for t in found
            ]
        )
        return
    rows = [
        (
            t.id,
            t.category,
            ", ".join(f"{p.name}={p.value}" if p.value else f"{p.name}=?" for p in t.places),
            t.rule,
        )
        for t in found
    ]
    print_table(("template", "category", "places", "rule"), rows, optional=("category",))


@app.command()
def elements(
    category: Annotated[str | None, typer.Option(help="attribute, event, tag, segment, ...")] = None,
    text: Annotated[str, typer.Option(help="Only those whose name contains this.")] = "",
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """All that a rule may be made of here, with an example of each."""
    from headcount import ElementCategory

    try:
        chosen = None if category is None else ElementCategory(category.replace("_", " ").replace("-", " "))
    except ValueError:
        names = ", ".join(one.value for one in ElementCategory)
        raise CommandError(f"--category is one of {names}", Exit.USAGE) from None
    with connected(target) as client:
        found = list(client.list_rule_elements(category=chosen, text=text))
    if as_json:
        print_json(
            [
                {
                    "category": e.category.value,
                    "name": e.name,
                    "type": e.type,
                    "operators": list(e.operators),
                    "example": e.example,
                    "profiles": e.profile_count,
                    "values": [str(value) for value in e.sample_values],
                }
                for e in found
            ]
        )
        return
    rows = [(e.category.value, e.name, e.type, f"{e.profile_count:,}", e.example) for e in found]
    print_table(("category", "name", "type", "profiles", "example"), rows, right=("profiles",))
