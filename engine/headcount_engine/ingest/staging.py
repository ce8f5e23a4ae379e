"""What a commit will do, decided: nothing of it is visible, and publishing it cannot fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.columns import ColumnEdit
from headcount_engine.indexes.deduplication import IdsEdit
from headcount_engine.indexes.events import TypeEdit
from headcount_engine.indexes.identities import MergeEdit
from headcount_engine.indexes.requests import Mark
from headcount_engine.indexes.tombstones import EraseEdit, Released
from headcount_engine.ingest.relinking import Relinking
from headcount_engine.membership.catalogue import Definition
from headcount_engine.membership.lists import ListEdit
from headcount_engine.membership.retention import RetentionEdit
from headcount_engine.model.answers import Settings
from headcount_engine.model.batches import I64, U32, RejectedRow, Texts
from headcount_engine.model.changes import SegmentFlips
from headcount_engine.model.values import ValueType


@dataclass(frozen=True, slots=True, eq=False)
class OwnerEdit:
    """Identifier codes and the profile (+ 1; 0 for nobody) that each names from now on."""

    attribute: Attribute
    codes: I64
    profile_plus_one: U32


@dataclass(frozen=True, slots=True, eq=False)
class Staged:
    """One commit, whole: what the log will hold and what publishing applies, in this order."""

    accepted: int
    rejected: tuple[RejectedRow, ...] = ()
    duplicates: int = 0
    repeated_rows: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """Rows whose event was there already, ascending; with `creating_rows` for the receipts of writes that share this
    commit, and not in the log."""
    creating_rows: I64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """The row that brings each new key, ascending."""
    new_keys: Texts = field(default_factory=lambda: Texts.of([]))
    new_attributes: tuple[Attribute, ...] = ()
    columns: tuple[tuple[Attribute, ColumnEdit], ...] = ()
    owners: tuple[OwnerEdit, ...] = ()
    events: tuple[TypeEdit, ...] = ()
    declared_events: Mapping[str, Mapping[str, ValueType]] = field(default_factory=dict)
    event_ids: IdsEdit | None = None
    takes_batch: bool = False
    """Whether an event batch number is used up."""
    segments: tuple[Definition, ...] = ()
    """Definitions to enter or replace."""
    removed_segments: tuple[str, ...] = ()
    """Ids of segments to take out."""
    lists: tuple[ListEdit, ...] = ()
    """What happens to the lists of segments, after `segments` are entered and before any is taken out."""
    retained: tuple[RetentionEdit, ...] = ()
    """Who comes to be kept in which segments after ceasing to match, and who is kept no longer, in this order."""
    flips: tuple[SegmentFlips, ...] = ()
    """Who joins and leaves which segments by all of this; at most one of a segment."""
    merges: tuple[MergeEdit, ...] = ()
    """Profiles that end in another, in this order. Their values and lists are in `columns`, `owners` and `lists`."""
    leads: tuple[OwnerEdit, ...] = ()
    """Identifiers that name a survivor without being its value, after `owners`."""
    erasures: tuple[EraseEdit, ...] = ()
    """Profiles that go."""
    released: tuple[Released, ...] = ()
    """Dictionary entries that nobody holds any more, beside those of `erasures`."""
    relinking: Relinking | None = None
    """What merges, erasures and releases do to events and texts. Follows from them, and is not in the log."""
    requests: tuple[Mark, ...] = ()
    """Requests that this commit carries out, or a part of."""
    settings: Settings | None = None
    """The settings from now on; None leaves them."""
    retentions: Mapping[str, int | None] = field(default_factory=dict)
    """How long raw events of a type are kept from now on, in microseconds; None: for ever."""
    floors: Mapping[str, int] = field(default_factory=dict)
    """The instant before which raw events of a type go."""
    completes_version: int = 0
    """Erasures up to this version have left every file of the store; 0: nothing new is known."""
