"""The data as a staged commit will leave it, seen through some of the profiles only.

Both are ReadViews, so every evaluator works on them as on the whole. `Few` numbers its profiles from 0 in the order of
their ids: what is evaluated through it costs what these profiles hold, not what everyone does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.needs import IDENTIFIERS
from headcount_engine.indexes import predicates
from headcount_engine.indexes.attributes import Attribute, AttributeView
from headcount_engine.indexes.columns import ColumnEdit, ColumnView, widen
from headcount_engine.indexes.dictionaries import SetDictionary, TextDictionary
from headcount_engine.indexes.events import TypeEdit, TypeView
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.runs import Run, encode_arrival
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.totals import Totals
from headcount_engine.indexes.values import ChangedIds, ValueIndex
from headcount_engine.kernels import events as kernels
from headcount_engine.kernels.samples import sample_buckets
from headcount_engine.limits import BLOCK_IDS
from headcount_engine.model.batches import I64, U8, U32, U64, Texts
from headcount_engine.model.values import Kind, ValueType

_SCAN_PER_PROFILE = 2_000
"""Events of a run that may be looked at for each profile before the run's order by profile is used instead."""
_NO_MASK: U8 = np.empty(0, dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What a commit will change, as far as conditions can see it.

    new_keys     keys of profiles that get the next ids
    columns      by attribute name: the attribute and what will be written, one edit after the other
    events       by event name: what will be added
    replaced     by event name: all published runs as they will be, where merges or erasures change them
    declared     by event name: properties that are declared with the commit
    merged       profiles that end in another, and which
    """

    new_keys: Texts
    columns: Mapping[str, tuple[Attribute, tuple[ColumnEdit, ...]]]
    events: Mapping[str, TypeEdit]
    declared: Mapping[str, Mapping[str, ValueType]]
    replaced: Mapping[str, tuple[Run, ...]] = field(default_factory=dict)
    merged: Mapping[int, int] = field(default_factory=dict)


NO_CHANGES = Changes(Texts.of([]), {}, {}, {})


class After:
    """Committed and staged data together, by global ids."""

    def __init__(self, indexes: Indexes, changes: Changes) -> None:
        self.indexes = indexes
        self.changes = changes
        self.first_new = indexes.identities.view().ids_end
        self.ids_end = self.first_new + len(changes.new_keys)

    def attribute(self, name: str) -> Attribute | None:
        """An attribute, staged ones included."""
        held = self.indexes.attributes.get(name)
        if held is None and name in self.changes.columns:
            return self.changes.columns[name][0]
        return held

    def attribute_names(self) -> set[str]:
        return {*self.indexes.attributes.all(), *self.changes.columns}

    def values(self, attribute: Attribute, ids: I64) -> Stored:
        """Stored values of ascending ids, in whatever dtype holds them all."""
        values = attribute.column.view().gather(ids)
        if attribute.definition.type.kind is Kind.POINT and values.ndim == 1:
            values = np.full((len(ids), 2), np.nan)  # a column without blocks does not know its shape
        staged = self.changes.columns.get(attribute.definition.name)
        for edit in staged[1] if staged is not None else ():
            values = _overlaid(values, ids, edit)
        return values

    def type_view(self, name: str) -> TypeView | None:
        """An event type without events: its properties, staged ones included."""
        held = self.indexes.events.types.get(name)
        edit = self.changes.events.get(name)
        declared = self.changes.declared.get(name, {})
        if held is None and edit is None and not declared:
            return None
        properties = {} if held is None else dict(held.view().properties)
        properties |= declared
        if edit is not None:
            properties |= edit.new_properties
        return TypeView(name, (), properties, None if held is None else held.view().retention)

    def type_names(self) -> list[str]:
        return list(dict.fromkeys([*self.indexes.events.types, *self.changes.events, *self.changes.declared]))

    def runs(self, name: str) -> list[Run]:
        """All events of a type: the runs there are, and those that will be added."""
        held = self.indexes.events.types.get(name)
        edit = self.changes.events.get(name)
        runs = self.changes.replaced.get(name, held.view().runs if held is not None else ())
        return [*runs, *(edit.pieces if edit is not None else ())]

    def keys_at(self, ids: I64) -> Texts:
        """Keys of ids, staged ones included."""
        old = ids < self.first_new
        if bool(old.all()):
            return self.indexes.identities.keys.take(ids)
        if not bool(old.any()):
            return self.changes.new_keys.take(ids - self.first_new)
        parts = [
            self.indexes.identities.keys.take(np.array([i]))
            if i < self.first_new
            else self.changes.new_keys.take(np.array([i - self.first_new]))
            for i in ids.tolist()
        ]
        return Texts.of([part.to_list()[0] for part in parts])

    def find_keys(self, keys: Texts) -> I64:
        """Ids, -1 for unknown keys."""
        found = self.indexes.identities.find(keys)
        for loser, survivor in self.changes.merged.items():
            found[found == loser] = survivor
        if len(self.changes.new_keys):
            new = {key: self.first_new + i for i, key in enumerate(self.changes.new_keys.to_list())}
            for row, key in enumerate(keys.to_list()):
                found[row] = new.get(key, found[row])
        return found

    def buckets(self, salt: str, ids: I64) -> U64:
        """Sample buckets of ids."""
        old = ids < self.first_new
        out = np.empty(len(ids), dtype=np.uint64)
        if bool(old.any()):
            out[old] = self.indexes.samples.buckets(salt, self.first_new)[ids[old]]
        if not bool(old.all()):
            new = self.changes.new_keys.take(ids[~old] - self.first_new)
            out[~old] = sample_buckets(new.data, new.offsets, salt.encode())
        return out


def _overlaid(values: Stored, ids: I64, edit: ColumnEdit) -> Stored:
    at = np.searchsorted(edit.ids, ids)
    inside = at < len(edit.ids)
    inside[inside] = edit.ids[at[inside]] == ids[inside]
    if values.dtype.itemsize < edit.dtype.itemsize:
        values = widen(values, edit.dtype)
    new = edit.values if edit.values.dtype == values.dtype else widen(edit.values, values.dtype)
    values[inside] = new[at[inside]]
    return values


class Few:
    """A ReadView of some profiles: ascending ids, seen as 0 .. n - 1.

    Holds the events of the types named only; others look as if nobody had done them.
    """

    def __init__(
        self, after: After, ids: I64, types: frozenset[str], version: int = 0, *, is_empty: bool = False
    ) -> None:
        """`is_empty`: the ids have not been given out; nothing is known of them, not even a key."""
        self._is_empty = is_empty
        self._after = after
        self._ids = ids
        self._views: dict[str, AttributeView] = {}
        self._values: dict[str, Stored] = {}
        self._arrays: dict[str, Stored] = {}
        self.version = version
        self.population = PopulationView(len(ids), bitmaps.from_range(0, len(ids)), len(ids))
        self.event_types: Mapping[str, TypeView] = {
            name: self._type(name, is_needed=name in types) for name in after.type_names()
        }

    def __len__(self) -> int:
        return len(self._ids)

    # ------------------------------------------------------------------------------------------ attributes

    def values(self, name: str) -> Stored:
        """Stored values of an attribute that is there: n, or (n, 2) for points."""
        held = self._arrays.get(name)
        if held is None:
            attribute = self._after.attribute(name)
            assert attribute is not None
            held = self._arrays[name] = self._after.values(attribute, self._ids)
        return held

    def attribute(self, name: str) -> AttributeView | None:
        if name not in self._views:
            held = self._after.attribute(name)
            if held is None:
                return None
            entries = 0 if held.dictionary is None else len(held.dictionary)
            view = AttributeView(held.definition, self._column(name), held.dictionary, entries)
            self._views[name] = view
        return self._views[name]

    def _column(self, name: str) -> ColumnView:
        values = self.values(name)
        blocks = []
        for start in range(0, max(len(values), 1), BLOCK_IDS):
            part = values[start : start + BLOCK_IDS]
            block = np.full(
                (BLOCK_IDS, *values.shape[1:]), predicates.absent_value(values.dtype), values.dtype
            )
            block[: len(part)] = part
            blocks.append(block)
        return ColumnView(tuple(blocks), values.dtype, ChangedIds(), 0, ValueIndex())

    def attribute_names(self) -> Mapping[str, object]:
        return dict.fromkeys(self._after.attribute_names())

    def identifiers(self) -> list[AttributeView]:
        found = []
        for name in sorted(self._after.attribute_names()):
            held = self._after.attribute(name)
            if held is not None and held.definition.is_identifier:
                view = self.attribute(name)
                assert view is not None
                found.append(view)
        return found

    # ------------------------------------------------------------------------------------------ events

    def _type(self, name: str, *, is_needed: bool) -> TypeView:
        view = self._after.type_view(name)
        assert view is not None
        if not is_needed:
            return replace(view, retention=None)
        parts = [self._own(run) for run in self._after.runs(name)]
        retention = view.retention
        if retention is not None:
            retention = replace(retention, totals=self._own_totals(retention.totals))
        return TypeView(name, tuple(p for p in parts if len(p)), view.properties, retention)

    def _own_totals(self, totals: Totals) -> Totals:
        """What is known of events of these profiles that are gone, by their local numbers."""
        at = np.searchsorted(totals.profiles, self._ids)
        there = at < len(totals)
        there[there] = totals.profiles[at[there]] == self._ids[there]
        at = at[there]
        local = np.flatnonzero(there).astype(np.uint32)
        return Totals(local, totals.counts[at], totals.firsts_us[at], totals.lasts_us[at])

    def _own(self, run: Run) -> Run:
        """The events of these profiles in one run, in its order, by their local numbers."""
        rows = self._rows(run)
        starts, batches = (
            encode_arrival(run.batches_at(rows)) if len(rows) else (run.arrival_starts, run.arrival_batches)
        )
        local = np.searchsorted(self._ids, run.profiles[rows]).astype(np.uint32)
        properties = {name: values[rows] for name, values in run.properties.items()}
        return Run(local, run.times_us[rows], properties, starts, batches)

    def _rows(self, run: Run) -> I64:
        if len(self._ids) * _SCAN_PER_PROFILE < len(run) and run.permutations.is_worth_using(run.profiles):
            parts = [run.permutations.rows_of(run.profiles, int(i)) for i in self._ids.tolist()]
            return np.sort(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)
        rows = np.empty(len(run), dtype=np.int64)
        found = kernels.select_rows(run.profiles, _NO_MASK, self._words(), rows)
        return rows[:found]

    def _words(self) -> U64:
        """A bit for each of these profiles, by global id."""
        words = np.zeros((self._after.ids_end >> 6) + 1, dtype=np.uint64)
        kernels.mark(self._ids.astype(np.uint32), words)
        return words

    # ------------------------------------------------------------------------------------------ the rest of a view

    def sample_buckets(self, salt: str) -> U64:
        if self._is_empty:
            return np.zeros(len(self._ids), dtype=np.uint64)
        return self._after.buckets(salt, self._ids)

    def property_texts(self, name: str) -> TextDictionary | None:
        return self._after.indexes.events.texts.get(name)

    def property_sets(self, name: str) -> SetDictionary | None:
        return self._after.indexes.events.sets.get(name)

    def find_keys(self, keys: Texts) -> I64:
        found = self._after.find_keys(keys)
        at = np.searchsorted(self._ids, found)
        inside = at < len(self._ids)
        inside[inside] = self._ids[at[inside]] == found[inside]
        return np.where(inside, at, -1)

    def own(self, people: Bitmap) -> Bitmap:
        if not people:
            return people
        held = [place for place, id_ in enumerate(self._ids.tolist()) if id_ in people]
        return Bitmap(held)

    def keys_at(self, ids: I64) -> Texts:
        return self._after.keys_at(self._ids[ids])


def names_read(names: frozenset[str], after: After) -> set[str]:
    """Attribute names with IDENTIFIERS spelled out."""
    if IDENTIFIERS not in names:
        return set(names)
    found = set(names) - {IDENTIFIERS}
    for name in after.attribute_names():
        held = after.attribute(name)
        if held is not None and held.definition.is_identifier:
            found.add(name)
    return found


def as_u32(ids: I64) -> U32:
    """Ids as they are stored."""
    return ids.astype(np.uint32)
