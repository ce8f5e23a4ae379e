"""What merges and erasures do to events and texts, worked out before it is published.

A record of the log says only who was merged or erased; this follows from it and from the state before, when the write
is staged and again when it is replayed. So publishing is a few references put in place of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine.indexes import runs
from headcount_engine.indexes.dictionaries import Dictionary
from headcount_engine.indexes.events import RunsEdit
from headcount_engine.indexes.identities import MergeEdit
from headcount_engine.indexes.runs import Run
from headcount_engine.indexes.state import tables_of
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import TextTable
from headcount_engine.indexes.tombstones import EraseEdit, Holder, Released
from headcount_engine.model.batches import I64, U8, U32


@dataclass(frozen=True, slots=True, eq=False)
class BlankEdit:
    """Texts of a table that are overwritten, and its bytes after that."""

    table: TextTable
    numbers: I64
    arena: U8


@dataclass(frozen=True, slots=True, eq=False)
class Relinking:
    """`runs`: the event types whose runs change. `blanks`: the tables in which texts are overwritten."""

    runs: tuple[RunsEdit, ...]
    blanks: tuple[BlankEdit, ...]

    def publish(self, indexes: Indexes) -> None:
        """Put it in place."""
        for edit in self.runs:
            indexes.events.types[edit.name].replace_runs(edit)
        for blank in self.blanks:
            blank.table.blank(blank.numbers, blank.arena)


def relinking(
    indexes: Indexes,
    merges: Sequence[MergeEdit] = (),
    erasures: Sequence[EraseEdit] = (),
    released: Sequence[Released] = (),
) -> Relinking | None:
    """What these do; None if there are none. One look at whose each event is, for each profile that goes."""
    if not merges and not erasures and not released:
        return None
    change = _Change(merges, erasures)
    types = indexes.events.types.values() if merges or erasures else ()
    edits = (held.rewritten(change.of_run) for held in types)
    keys = [erasure.keys for erasure in erasures]
    entries = [*released, *(entry for erasure in erasures for entry in erasure.released)]
    return Relinking(tuple(edit for edit in edits if edit is not None), _blanks(indexes, keys, entries))


class _Change:
    """Events of merged profiles to their survivors, those of erased ones away."""

    def __init__(self, merges: Sequence[MergeEdit], erasures: Sequence[EraseEdit]) -> None:
        self._survivors = {merge.loser: merge.survivor for merge in merges}
        self._erased = [erasure.profile for erasure in erasures]

    def of_run(self, run: Run) -> Run | None:
        changed: Run | None = run
        for loser, survivor in self._survivors.items():
            rows = np.flatnonzero(run.profiles == loser)
            if len(rows):
                assert changed is not None
                changed = runs.reassigned(changed, rows, survivor)
        if self._erased:
            rows = np.flatnonzero(_any_of(run.profiles, self._erased))
            if len(rows):
                assert changed is not None
                changed = runs.without(changed, rows)
        return changed


def _any_of(profiles: U32, wanted: Sequence[int]) -> np.ndarray:
    return profiles == wanted[0] if len(wanted) == 1 else np.isin(profiles, wanted)


def _blanks(indexes: Indexes, keys: Sequence[I64], released: Sequence[Released]) -> tuple[BlankEdit, ...]:
    numbers: dict[int, tuple[TextTable, list[I64]]] = {}
    tables = [(indexes.identities.keys, chosen) for chosen in keys]
    tables.extend((tables_of(dictionary_of(indexes, r))[r.part], r.numbers) for r in released)
    for table, chosen in tables:
        numbers.setdefault(id(table), (table, []))[1].append(chosen)
    merged = ((table, np.unique(np.concatenate(parts))) for table, parts in numbers.values())
    return tuple(BlankEdit(table, chosen, table.blanked(chosen)) for table, chosen in merged)


def dictionary_of(indexes: Indexes, released: Released) -> Dictionary | None:
    """The dictionary in which entries were released."""
    match released.holder:
        case Holder.ATTRIBUTE:
            return indexes.attributes.all()[released.name].dictionary
        case Holder.PROPERTY_TEXTS:
            return indexes.events.texts[released.name]
        case Holder.PROPERTY_SETS:
            return indexes.events.sets[released.name]
