"""Live segments of a benchmark: many saved in one commit, and proof that what is kept for them is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.segments import Definition
from headcount_engine import Database
from headcount_engine.changes.chunks import ChangeKind
from headcount_engine.changes.cursors import Position
from headcount_engine.conditions.text import parse
from headcount_engine.ingest.staging import Staged
from headcount_engine.model.answers import SegmentDraft

SAVED_AT_ONCE = 2_000
"""Everyone's bits of so many segments, and of what they read, are held while they are saved."""
CHECKED = 100
"""So many segments are evaluated anew to compare with."""
_READ_RECORDS = 1 << 40


def save(database: Database, definitions: Sequence[Definition]) -> None:
    """Save segments, many in one commit: one by one, what all of them share would be set up again for each."""
    for start in range(0, len(definitions), SAVED_AT_ONCE):
        _save(database, definitions[start : start + SAVED_AT_ONCE])


def _save(database: Database, definitions: Sequence[Definition]) -> None:
    made = tuple(
        database._catalogue.drafted(SegmentDraft(d.name, d.rule, d.id), parse(d.rule), database._now_us())
        for d in definitions
    )
    database._commit(lambda _: Staged(accepted=len(made), segments=made))


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many are in each segment at a version."""

    of: dict[str, int]
    version: int


def sizes(database: Database) -> Sizes:
    """Of all live segments, as they are kept."""
    ids = sorted(database._catalogue.all())
    found, version, _ = database.live_reads.sizes(ids)
    return Sizes({id_: size for id_, size in zip(ids, found, strict=True) if size is not None}, version)


def check(database: Database, before: Sizes | None = None) -> int:
    """Compare sizes with an evaluation of the rules, and with those of before and the changes since.

    Returns how many joins and leaves there were. Raises RuntimeError.
    """
    database.tick()
    now = sizes(database)
    for id_ in list(now.of)[:: max(len(now.of) // CHECKED, 1)]:
        rule = database.get_segment(id_).rule
        if database.count(rule).count != now.of[id_]:
            raise RuntimeError(f"{id_} is kept with {now.of[id_]:,} members, which its rule does not have")
    return 0 if before is None else _told(database, before, now)


def _told(database: Database, before: Sizes, now: Sizes) -> int:
    """The joins and leaves in between, which must make the one sizes of the others."""
    folded, told = dict(before.of), 0
    stretch = database._changes.log.read(Position(before.version + 1), None, _READ_RECORDS)
    for block in stretch.blocks:
        told += len(block)
        if block.segment in folded:
            folded[block.segment] += len(block) if block.kind is ChangeKind.JOINED else -len(block)
    if any(folded[id_] != now.of[id_] for id_ in folded):
        raise RuntimeError("joins and leaves do not make the sizes that are kept")
    return told
