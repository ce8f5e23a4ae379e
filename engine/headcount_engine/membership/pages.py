"""Segments as callers see them: filtered, ordered, paged, stored and read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from headcount_engine.conditions.text import parse
from headcount_engine.errors import InvalidValue
from headcount_engine.limits import Limits
from headcount_engine.membership.catalogue import CatalogueView, Definition
from headcount_engine.membership.folders import checked_folder, is_inside
from headcount_engine.model.answers import Segment, SegmentPage, SegmentQuery, Settings
from headcount_engine.model.instants import format_instant
from headcount_engine.model.segments import LANGUAGE_LEVEL, SegmentKind, SegmentState

_PAGE_MAX = 1_000
_SHOWN_STATES = frozenset(SegmentState) - {SegmentState.ARCHIVED}


def segment_of(
    definition: Definition,
    size: int | None,
    version: int,
    now_us: int,
    catalogue: CatalogueView,
    settings: Settings,
) -> Segment:
    """A definition with its size at a version and now, and with what it refers to and is referred to by."""
    return Segment(
        id=definition.id,
        name=definition.name,
        rule=definition.text,
        description=definition.description,
        folder=definition.folder,
        labels=dict(definition.labels),
        created_us=definition.created_us,
        updated_us=definition.updated_us,
        etag=definition.etag,
        size=size,
        version=version,
        now_us=now_us,
        kind=definition.kind,
        state=definition.state,
        retention_us=definition.retention_us,
        retention_is_for_unknown=definition.retention_is_for_unknown,
        source=definition.source,
        legacy_reason=legacy_reason(definition, settings),
        references=tuple(t.id for t in catalogue.targets(definition)),
        dependents=tuple(d.id for d in catalogue.dependents(definition.id)),
    )


def legacy_reason(definition: Definition, settings: Settings, level: int = LANGUAGE_LEVEL) -> str:
    """Why a segment should be looked at again: made before a configured instant, or under an older language level."""
    if definition.rule is not None and definition.language_level < level:
        return f"its rule was saved under level {definition.language_level} of the language; this is level {level}"
    if settings.legacy_before_us is not None and definition.created_us < settings.legacy_before_us:
        return f"created before {format_instant(settings.legacy_before_us)}"
    return ""


def select(definitions: Iterable[Definition], query: SegmentQuery, limits: Limits) -> list[Definition]:
    """Those that pass all filters of a query. Raises InvalidValue for a folder that cannot be."""
    if query.folder is not None:
        query = replace(query, folder=checked_folder(query.folder, limits, "folder"))
    return [d for d in definitions if _passes(d, query)]


def _passes(definition: Definition, query: SegmentQuery) -> bool:
    if query.folder is not None and not is_inside(definition.folder, query.folder):
        return False
    if query.kind is not None and definition.kind is not query.kind:
        return False
    states = query.states or _SHOWN_STATES
    if definition.state not in states:
        return False
    if query.label is not None:
        key, has_value, value = query.label.partition("=")
        held = definition.labels.get(key)
        if held is None or (has_value and held != value):
            return False
    if query.text:
        wanted = query.text.casefold()
        texts = (definition.id, definition.name, definition.description)
        return any(wanted in text.casefold() for text in texts)
    return True


def page_of(segments: list[Segment], query: SegmentQuery, version: int, now_us: int) -> SegmentPage:
    """One page in the asked order; raises InvalidValue for an order or token that is not ours.

    The token is the position in the order, so a page begun stays consistent as long as the catalogue does.
    """
    field, _, direction = query.order_by.partition(" ")
    if field not in ("id", "name", "size", "created", "updated") or direction not in ("", "asc", "desc"):
        raise InvalidValue(
            "order_by is id, name, size, created or updated, with or without ` desc`", path="order_by"
        )
    if not 0 <= query.page_size <= _PAGE_MAX:
        raise InvalidValue(f"page_size is at most {_PAGE_MAX}", path="page_size")
    start = 0
    if query.page_token:
        if not query.page_token.isascii() or not query.page_token.isdigit() or len(query.page_token) > 9:
            raise InvalidValue("not a page token of this list", path="page_token")
        start = int(query.page_token)
    keys = {
        "id": lambda s: (s.id,),
        "name": lambda s: (s.name.casefold(), s.id),
        "size": lambda s: (s.size or 0, s.id),
        "created": lambda s: (s.created_us, s.id),
        "updated": lambda s: (s.updated_us, s.id),
    }
    ordered = sorted(segments, key=keys[field], reverse=direction == "desc")
    end = start + (query.page_size or 100)
    token = str(end) if end < len(ordered) else ""
    return SegmentPage(tuple(ordered[start:end]), token, len(ordered), version, now_us)


def dump_definition(definition: Definition) -> dict[str, str]:
    """A definition as texts."""
    return {
        "id": definition.id,
        "name": definition.name,
        "rule": definition.text,
        "description": definition.description,
        "folder": definition.folder,
        "labels": json.dumps(dict(definition.labels)),
        "created_us": str(definition.created_us),
        "updated_us": str(definition.updated_us),
        "revision": str(definition.revision),
        "kind": definition.kind.value,
        "state": definition.state.value,
        "retention_us": "" if definition.retention_us is None else str(definition.retention_us),
        "retention_is_for_unknown": "1" if definition.retention_is_for_unknown else "",
        "source": definition.source,
        "language_level": str(definition.language_level),
    }


def restore_definition(node: Mapping[str, str], limits: Limits) -> Definition:
    """The inverse of dump_definition. What stores made before a field was there means by its absence is the default."""
    retention = node.get("retention_us", "")
    return Definition(
        node["id"],
        node["name"],
        parse(node["rule"], limits) if node["rule"] else None,
        node["description"],
        node["folder"],
        json.loads(node["labels"]),
        int(node["created_us"]),
        int(node["updated_us"]),
        int(node["revision"]),
        SegmentKind(node.get("kind", SegmentKind.RULE)),
        SegmentState(node.get("state", SegmentState.LIVE)),
        int(retention) if retention else None,
        bool(node.get("retention_is_for_unknown", "")),
        node.get("source", ""),
        int(node.get("language_level", "1")),
    )
