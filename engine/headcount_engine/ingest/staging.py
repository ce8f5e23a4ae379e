"""What a commit will do, decided: nothing of it is visible, and publishing it cannot fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.columns import ColumnEdit
from headcount_engine.indexes.deduplication import IdsEdit
from headcount_engine.indexes.events import TypeEdit
from headcount_engine.membership.catalogue import Definition
from headcount_engine.model.batches import I64, U32, RejectedRow, Texts
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
