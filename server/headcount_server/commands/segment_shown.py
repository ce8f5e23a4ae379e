"""Segments as the command line shows them: one, or many in a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headcount_server.commands.exits import say
from headcount_server.commands.segment_options import retention_text
from headcount_server.commands.talking import Json, counted, instant_text, print_json, print_table

if TYPE_CHECKING:
    from headcount.values import Segment


def show_segments(found: Sequence[Segment]) -> None:
    """The segments as a table; what is the same for all, or has no room, is left out."""
    columns = {
        "id": [segment.id for segment in found],
        "size": [f"{segment.size:,}" for segment in found],
        "state": [segment.state.value for segment in found],
        "name": [segment.display_name for segment in found],
        "kind": [_KINDS.get(segment.kind.value, segment.kind.value) for segment in found],
        "folder": [segment.folder for segment in found],
        "labels": [", ".join(segment.labels) for segment in found],
        "legacy": ["yes" if segment.is_legacy else "" for segment in found],
        "rule": [_whence(segment) for segment in found],
    }
    told_by_others = {"state": "live", "kind": "rule", "folder": "", "labels": "", "legacy": ""}
    for name, usual in told_by_others.items():
        if set(columns[name]) == {usual}:
            del columns[name]
    if columns["name"] == columns["id"]:
        del columns["name"]
    rows = list(zip(*columns.values(), strict=True))
    print_table(tuple(columns), rows, right=("size",), optional=_SHOWN_WHERE_ROOM)


_KINDS = {"data-driven": "rule", "manual": "manual", "data-driven with overrides": "overrides"}
"""As --kind takes them."""
_SHOWN_WHERE_ROOM = ("labels", "name", "folder", "kind", "legacy")
"""The first goes first."""


def _whence(segment: Segment) -> str:
    """Where its members come from, in a cell."""
    return segment.rule or (f"a list from {segment.source}" if segment.source else "a list")


def print_segment(segment: Segment, as_json: bool) -> None:
    if as_json:
        print_json(segment_json(segment))
        return
    print(f"{segment.id}   {counted(segment.size, 'profile')}")
    facts = [
        ("name", segment.display_name if segment.display_name != segment.id else ""),
        ("kind", "" if segment.kind.value == "data-driven" else segment.kind.value),
        ("state", "" if segment.state.value == "live" else segment.state.value),
        ("rule", segment.rule),
        ("retention", _retention(segment)),
        ("source", segment.source),
        ("legacy", segment.legacy_reason),
        ("description", segment.description),
        ("folder", segment.folder),
        ("labels", ", ".join(segment.labels)),
        ("refers to", ", ".join(segment.references)),
        ("used by", ", ".join(segment.dependents)),
        ("created", instant_text(segment.create_time) if segment.create_time else ""),
        ("updated", instant_text(segment.update_time) if segment.update_time else ""),
    ]
    for what, value in facts:
        if value:
            print(f"  {what:<12} {value}")
    for warning in segment.warnings:
        say(f"note: {warning.message}")


def _retention(segment: Segment) -> str:
    if segment.retention is None:
        return ""
    text = retention_text(segment.retention)
    return f"{text}, unknown profiles only" if segment.retains_unknown_only else text


def segment_json(segment: Segment) -> Json:
    """A segment for programs."""
    return {
        "id": segment.id,
        "name": segment.display_name,
        "size": segment.size,
        "rule": segment.rule,
        "kind": segment.kind.value,
        "state": segment.state.value,
        "description": segment.description,
        "retention": None if segment.retention is None else retention_text(segment.retention),
        "retains_unknown_only": segment.retains_unknown_only,
        "source": segment.source,
        "legacy": segment.legacy_reason,
        "folder": segment.folder,
        "labels": list(segment.labels),
        "references": list(segment.references),
        "dependents": list(segment.dependents),
        "warnings": [warning.message for warning in segment.warnings],
        "etag": segment.etag,
        "created": instant_text(segment.create_time) if segment.create_time else None,
        "updated": instant_text(segment.update_time) if segment.update_time else None,
    }
