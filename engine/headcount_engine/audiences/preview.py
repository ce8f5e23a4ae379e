"""Some members with their attributes: a page in order of id, or a uniform sample that is the same for the same salt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.audiences.cells import chosen, pick
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.tree import End
from headcount_engine.evaluation.ranks import first_of
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.answers import ProfileAnswer
from headcount_engine.model.batches import I64
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import Cell


@dataclass(frozen=True, slots=True)
class Page:
    """Those after an id, in order of id; -1 is before all."""

    after_id: int = -1


@dataclass(frozen=True, slots=True)
class Sample:
    """Those with the smallest buckets under a salt."""

    salt: str


Part = Page | Sample


@dataclass(frozen=True, slots=True)
class Shown:
    """The first `size` members beside another answer, with these attributes; none named: all that there are."""

    size: int
    attributes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class PreviewAnswer:
    """`profiles` and their dense `ids`, of `total` members. `has_more`: a page that is not the last."""

    profiles: tuple[ProfileAnswer, ...]
    ids: tuple[int, ...]
    total: int
    has_more: bool
    version: int
    now_us: int
    engine_us: int


def preview(
    view: ReadView, members: Bitmap, part: Part, size: int, names: Sequence[str], now_us: int
) -> tuple[tuple[ProfileAnswer, ...], tuple[int, ...], bool]:
    """(profiles, ids, whether there are more after them). Tags, channels and identifiers come with the names."""
    ids, has_more = _page(members, part.after_id, size) if isinstance(part, Page) else (
        _sample(members, part.salt, size, view), False
    )  # fmt: skip
    attributes = chosen(view, names)
    identifiers = {a.definition.name for a in view.identifiers()}
    rows: list[dict[str, Cell]] = [{} for _ in ids]
    extra = [a for a in view.identifiers() if a.definition.name not in names]
    sets = [a for name in (TAGS, CHANNELS) if name not in names and (a := view.attribute(name)) is not None]
    for picked in pick([*attributes, *extra, *sets], ids):
        for row, cell in enumerate(picked.cells()):
            if cell is not None:
                rows[row][picked.name] = cell
    keys = view.keys_at(ids).to_list()
    profiles = tuple(
        _profile(key, id_, cells, identifiers, view.version, now_us)
        for key, id_, cells in zip(keys, ids.tolist(), rows, strict=True)
    )
    return profiles, tuple(ids.tolist()), has_more


def _page(members: Bitmap, after_id: int, size: int) -> tuple[I64, bool]:
    start = 0 if after_id < 0 else members.rank(after_id)
    ids = bitmaps.to_ids(members[start : start + size]).astype(np.int64)
    return ids, start + len(ids) < len(members)


def _sample(members: Bitmap, salt: str, size: int, view: ReadView) -> I64:
    ids = bitmaps.to_ids(members).astype(np.int64)
    if len(ids) > size:
        ids = first_of(ids, view.sample_buckets(salt)[ids], size, End.BOTTOM, view)
        ids.sort()
    return ids


def _profile(
    key: str, id_: int, cells: dict[str, Cell], identifiers: set[str], version: int, now_us: int
) -> ProfileAnswer:
    held = {name: cell for name, cell in cells.items() if isinstance(cell, frozenset)}
    texts = {name: cell for name, cell in cells.items() if name in identifiers and isinstance(cell, str)}
    apart = identifiers | {TAGS, CHANNELS}
    attributes = {name: cell for name, cell in cells.items() if name not in apart}
    empty: frozenset[str] = frozenset()
    return ProfileAnswer(
        key, id_, attributes, held.get(TAGS, empty), held.get(CHANNELS, empty), texts, version, now_us
    )
