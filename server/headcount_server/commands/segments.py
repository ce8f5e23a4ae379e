"""headcount segments: list, create, show, edit, duplicate, delete. What concerns lists is in `lists`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.editing import comparison_json, print_comparison
from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.segment_options import (
    kind_of,
    places_of,
    span_of,
    state_of,
    union_of,
)
from headcount_server.commands.segment_shown import print_segment, segment_json, show_segments
from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Target,
    connected,
    print_json,
)

if TYPE_CHECKING:
    from headcount import Client, Comparison
    from headcount.values import Segment

app = typer.Typer(help="Named audiences and their exact sizes.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The segment's id or name.")]
Description = Annotated[str | None, typer.Option(help="What it is for.")]
Folder = Annotated[str | None, typer.Option(help="Where it is kept, such as spring/mail.")]
Labels = Annotated[list[str] | None, typer.Option("--label", help="A label; may be repeated.")]

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def id_of(name: str) -> str:
    """The id for a name: `Heavy buyers, lapsed` becomes `heavy-buyers-lapsed`."""
    if _ID.fullmatch(name):
        return name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].rstrip("-")
    if not made:
        raise CommandError(f"no id can be made from {name!r}: give one with --id", Exit.INVALID)
    return made


@app.command("list")
def list_(
    folder: Folder = None,
    label: Annotated[str | None, typer.Option(help="Only those with this label.")] = None,
    text: Annotated[
        str | None, typer.Option(help="Only those whose name or description contains this.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="Only those: rule, manual or overrides.")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help="Only those: draft, live, paused, archived; may be repeated."),
    ] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones too.")] = False,
    order_by: Annotated[
        str,
        typer.Option(
            metavar="ORDER", help="display_name, size, create_time or update_time; also with ' desc'."
        ),
    ] = "",
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """All segments with their exact sizes."""
    states = [known for known in map(state_of, state or ()) if known is not None]
    if states and archived:
        raise CommandError("--archived adds to all states: with --state name it there", Exit.USAGE)
    with connected(target) as client:
        found = list(
            client.list_segments(
                folder=folder or "",
                label=label or "",
                text=text or "",
                kind=kind_of(kind),
                states=states,
                order_by=order_by,
                include_archived=archived,
            )
        )
    if as_json:
        print_json([segment_json(segment) for segment in found])
        return
    if not found:
        is_narrowed = folder or label or text or kind or states
        say("no segment is like that" if is_narrowed else "there are no segments")
        return
    show_segments(found)


Retention = Annotated[
    str | None,
    typer.Option(
        metavar="SPAN", help="How long members stay after they ceased to match: 30d, 12h; 0 is none."
    ),
]
RetainsUnknown = Annotated[
    bool | None,
    typer.Option(
        "--retain-unknown/--retain-all",
        help="Only unknown profiles are retained, or all who ceased to match.",
    ),
]
Source = Annotated[str | None, typer.Option(help="Where a list comes from, such as the name of a CRM.")]
State = Annotated[str | None, typer.Option(metavar="STATE", help="draft, live, paused or archived.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Its name; the id is made from it.")],
    rule: Annotated[str | None, typer.Argument(help="Who is in it; none for a list.")] = None,
    segment_id: Annotated[
        str | None, typer.Option("--id", help="Its id: small letters, digits, - and _.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option(metavar="KIND", help="rule, manual or overrides; else rule if it has one.")
    ] = None,
    state: State = None,
    holding: Annotated[
        str | None, typer.Option(metavar="RULE", help="A list: it begins with who matches this now.")
    ] = None,
    union: Annotated[
        list[str] | None,
        typer.Option(metavar="SEGMENT", help="A list: it begins with the members of these; may be repeated."),
    ] = None,
    template: Annotated[str | None, typer.Option(metavar="ID", help="The rule of a template.")] = None,
    places: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PLACE=VALUE", help="What to put in a place of it; may be repeated."),
    ] = None,
    retention: Retention = None,
    retains_unknown: RetainsUnknown = None,
    source: Source = None,
    description: Description = None,
    folder: Folder = None,
    labels: Labels = None,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Define a segment: by a rule, by a template, or as a list."""
    new_id = segment_id if segment_id is not None else id_of(name)
    if sum(given is not None for given in (rule, template, holding, union)) > 1:
        raise CommandError("a segment takes one of RULE, --template, --holding and --union", Exit.USAGE)
    if places and template is None:
        raise CommandError("--set fills a place of a template: say which with --template", Exit.USAGE)
    chosen, span = kind_of(kind), None if retention is None else span_of(retention, "--retention")
    if kind in ("rule", "overrides") and rule is None and template is None:
        raise CommandError(f"--kind {kind} needs a RULE or a --template", Exit.USAGE)
    if retains_unknown is not None and not span:
        raise CommandError("--retain-unknown and --retain-all go with --retention", Exit.USAGE)
    if union:
        holding = union_of(union)
    with connected(target, rule or holding or "") as client:
        if template is not None:
            rule = _rule_of_template(client, template, places_of(places))
        segment = client.create_segment(
            new_id,
            rule,
            kind=chosen,
            state=state_of(state),
            display_name=name,
            description=description,
            folder=folder,
            labels=labels,
            retention=span,
            retains_unknown_only=retains_unknown,
            source=source,
            holding=holding,
        )
        shown = client.get_segment(segment.id, min_version=segment.version)
        print_segment(replace(shown, warnings=segment.warnings), as_json)


def _rule_of_template(client: Client, template: str, places: dict[str, str]) -> str:
    """Ends the command where there is no such template, or where places of it are open."""
    for found in client.list_templates(arguments=places):
        if found.id == template:
            names = [place.name for place in found.places]
            if strange := [name for name in places if name not in names]:
                raise CommandError(
                    f"--set: template {template!r} has no place {strange[0]!r}; it has {', '.join(names)}",
                    Exit.INVALID,
                )
            if found.open:
                raise CommandError(
                    "left to say: "
                    + ", ".join(f"{p.description} (--set {p.name}=...)" for p in found.places if not p.value),
                    Exit.INVALID,
                )
            return found.rule
    raise CommandError(f"there is no template {template!r}; `segments templates` lists them", Exit.NOT_FOUND)


@app.command()
def show(name: Name, target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """One segment: its rule, exact size, and what refers to it."""
    with connected(target) as client:
        print_segment(found_segment(client, name), as_json)


@app.command()
def edit(
    name: Name,
    rule: Annotated[str | None, typer.Option(help="Who is in it from now on.")] = None,
    new_name: Annotated[str | None, typer.Option("--name", help="Its new name; the id stays.")] = None,
    description: Description = None,
    folder: Folder = None,
    labels: Labels = None,
    no_labels: Annotated[bool, typer.Option("--no-labels", help="Take all labels away.")] = False,
    state: State = None,
    retention: Retention = None,
    retains_unknown: RetainsUnknown = None,
    source: Source = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change: who joins and who leaves.")
    ] = False,
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Change a segment; a changed rule is in force at once."""
    if labels and no_labels:
        raise CommandError("either --label or --no-labels", Exit.USAGE)
    said = [] if no_labels else labels
    given = (rule, new_name, description, folder, said, state, retention, retains_unknown, source)
    if all(one is None for one in given):
        raise CommandError(
            "edit takes at least one of --rule, --name, --description, --folder, --label, --no-labels, --state, "
            "--retention, --retain-unknown, --retain-all, --source",
            Exit.USAGE,
        )
    span = None if retention is None else span_of(retention, "--retention")
    with connected(target, rule or "") as client:
        before = found_segment(client, name)
        if retains_unknown is not None and not (before.retention if span is None else span):
            raise CommandError("--retain-unknown and --retain-all go with a retention", Exit.USAGE)
        after = client.update_segment(
            before.id,
            rule=rule,
            display_name=new_name,
            description=description,
            folder=folder,
            labels=said,
            state=state_of(state),
            retention=span,
            retains_unknown_only=retains_unknown,
            source=source,
            etag=before.etag,
            validate_only=dry_run,
        )
        if dry_run:
            _print_dry_run(after, client.compare(before.rule, after.rule) if before.rule else None, as_json)
        else:
            print_segment(client.get_segment(after.id, min_version=after.version), as_json)


def _print_dry_run(after: Segment, change: Comparison | None, as_json: bool) -> None:
    """The segment as it would be, and what that would change."""
    if as_json:
        print_json(
            {"segment": segment_json(after), "change": None if change is None else comparison_json(change)}
        )
        return
    print_segment(after, as_json)
    if change is not None:
        print_comparison(change)
    say("nothing was changed: --dry-run")


@app.command()
def duplicate(
    name: Name,
    new_id: Annotated[
        str, typer.Argument(metavar="NEW_NAME", help="The name of the copy; its id is made from it.")
    ],
    target: Target = DEFAULT_TARGET,
    as_json: AsJson = False,
) -> None:
    """Copy a segment."""
    with connected(target) as client:
        copy = client.duplicate_segment(found_segment(client, name).id, id_of(new_id), display_name=new_id)
        print_segment(client.get_segment(copy.id, min_version=copy.version), as_json)


@app.command()
def delete(name: Name, target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Delete a segment. Refused while other segments refer to it."""
    with connected(target) as client:
        segment = found_segment(client, name)
        answer = client.delete_segment(segment.id, etag=segment.etag)
    if as_json:
        print_json({"deleted": segment.id, "version": answer.version})
    else:
        print(f"deleted {segment.id}")


def found_segment(client: Client, name: str) -> Segment:
    """The segment of that id or name; raises NotFound."""
    from headcount.errors import HeadcountError

    try:
        return client.get_segment(name)
    except HeadcountError as error:
        if error.code not in ("NOT_FOUND", "INVALID_ARGUMENT"):
            raise
        for segment in client.list_segments(text=name):
            if segment.display_name == name:
                return segment
        raise
