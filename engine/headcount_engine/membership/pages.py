"""Segments as callers see them: filtered, ordered, paged, stored and read back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from headcount_engine.conditions.text import parse
from headcount_engine.errors import InvalidValue
from headcount_engine.limits import Limits
from headcount_engine.membership.catalogue import Definition
from headcount_engine.model.answers import Segment, SegmentPage, SegmentQuery

_PAGE_MAX = 1_000


def segment_of(definition: Definition, size: int | None, version: int, now_us: int) -> Segment:
    """A definition with its size at a version and now."""
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
    )


def select(definitions: Iterable[Definition], query: SegmentQuery) -> list[Definition]:
    """Those that pass all filters of a query."""
    return [d for d in definitions if _passes(d, query)]


def _passes(definition: Definition, query: SegmentQuery) -> bool:
    if query.folder is not None and definition.folder != query.folder:
        return False
    if query.label is not None:
        key, has_value, value = query.label.partition("=")
        held = definition.labels.get(key)
        if held is None or (has_value and held != value):
            return False
    if query.text:
        wanted = query.text.casefold()
        return wanted in definition.name.casefold() or wanted in definition.description.casefold()
    return True


def page_of(segments: list[Segment], query: SegmentQuery, version: int, now_us: int) -> SegmentPage:
    """One page in the asked order; raises InvalidValue for an order or token that is not ours.

    The token is the position in the order, so a page begun stays consistent as long as the catalogue does.
    """
    field, _, direction = query.order_by.partition(" ")
    if field not in ("name", "size", "created", "updated") or direction not in ("", "asc", "desc"):
        raise InvalidValue(
            "order_by is name, size, created or updated, with or without ` desc`", path="order_by"
        )
    if not 0 <= query.page_size <= _PAGE_MAX:
        raise InvalidValue(f"page_size is at most {_PAGE_MAX}", path="page_size")
    start = 0
    if query.page_token:
        if not query.page_token.isascii() or not query.page_token.isdigit() or len(query.page_token) > 9:
            raise InvalidValue("not a page token of this list", path="page_token")
        start = int(query.page_token)
    keys = {
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
    }


def restore_definition(node: Mapping[str, str], limits: Limits) -> Definition:
    """The inverse of dump_definition."""
    return Definition(
        node["id"],
        node["name"],
        parse(node["rule"], limits),
        node["description"],
        node["folder"],
        json.loads(node["labels"]),
        int(node["created_us"]),
        int(node["updated_us"]),
        int(node["revision"]),
    )
