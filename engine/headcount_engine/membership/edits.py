"""What a commit does to live segments, staged: nothing of it has happened yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headcount_engine.atoms.current import AtomsEdit
from headcount_engine.atoms.rows import Turned
from headcount_engine.atoms.tallies import Recount
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.spans import Moment
from headcount_engine.membership.flips import NO_FLIPS, NO_IDS
from headcount_engine.membership.places import Place
from headcount_engine.membership.retention import RetentionEdit
from headcount_engine.membership.sets import Flipped
from headcount_engine.model.batches import I64, U64
from headcount_engine.model.changes import SegmentFlips

if TYPE_CHECKING:
    from headcount_engine.membership.live import LiveSegments


@dataclass(frozen=True, slots=True, eq=False)
class LiveEdit:
    """What a commit does to live segments.

    ids, atom_rows, member_rows   rows that are new or found anew, as they will be
    atom_bits, member_bits        bits of other rows that turn
    columns                       by slot of a segment, everyone's bit as it will be: definitions
    flips, growth                 by slot: the ids that join or leave, and by how many the size grows
    sets                          by slot, everyone who is in, where definitions change it
    """

    moment: Moment
    atoms: AtomsEdit | None = None
    recount: Recount | None = None
    ids: I64 = field(default_factory=lambda: NO_IDS)
    atom_rows: U64 | None = None
    member_rows: U64 | None = None
    atom_bits: Turned | None = None
    member_bits: Turned | None = None
    columns: Mapping[int, U64] = field(default_factory=dict)
    flips: Flipped = NO_FLIPS
    growth: I64 = field(default_factory=lambda: NO_IDS)
    sets: Mapping[int, Bitmap] = field(default_factory=dict)
    places: Mapping[str, Place] | None = None
    """All segments as they will be, where definitions change."""
    anew: LiveSegments | None = None
    """Everything made anew, to be taken over."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a commit does: to the rows, for those who watch, and to who is kept."""

    edit: LiveEdit
    flips: tuple[SegmentFlips, ...] = ()
    retained: tuple[RetentionEdit, ...] = ()
