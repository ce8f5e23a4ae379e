"""What merges and erasures do to events and texts, worked out before it is published.

A record of the log says only who was merged or erased; this follows from it and from the state before, when the write
is staged and again when it is replayed. So publishing is a few references put in place of others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

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
from headcount_engine.indexes.totals import Retention
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
    edits = (held.rewritten(change.of_run, change.of_retention(held.retention)) for held in types)
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

    def of_retention(self, retention: Retention | None) -> Retention | None:
        if retention is None:
            return None
        totals = retention.totals
        for loser, survivor in self._survivors.items():
            totals = totals.merged(loser, survivor)
        for profile in self._erased:
            totals = totals.without(profile)
        return retention if totals is retention.totals else replace(retention, totals=totals)


def expiry(indexes: Indexes, floors: Mapping[str, int]) -> Relinking | None:
    """What letting go of the raw events before an instant, by event type, does; None where there are no types."""
    edits = []
    for name, floor_us in floors.items():
        held = indexes.events.types[name]
        assert held.retention is not None
        gone = [(run, runs.events_before(run, floor_us)) for run in held.view().runs]
        totals = held.retention.totals
        if any(count for _, count in gone):
            totals = totals.plus(
                np.concatenate([run.profiles[:count] for run, count in gone]),
                np.concatenate([run.times_us[:count] for run, count in gone]),
            )
        retention = Retention(held.retention.kept_us, floor_us, totals)
        edits.append(held.rewritten(partial(_since, floor_us), retention))
    return Relinking(tuple(edit for edit in edits if edit is not None), ()) if edits else None


def _since(floor_us: int, run: Run) -> Run | None:
    """The events of a run from an instant on."""
    gone = runs.events_before(run, floor_us)
    if not gone:
        return run
    return None if gone == len(run) else runs.cut(run, gone, len(run))


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
