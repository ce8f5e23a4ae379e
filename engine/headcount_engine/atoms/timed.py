"""Instants and dates whose passing changes an answer: kept in order, so that the clock finds them without a scan."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from headcount_engine.atoms.after import After
from headcount_engine.atoms.instants import ABSENT, InstantOrder
from headcount_engine.atoms.reads import (
    TimedAttribute,
    TimedProperty,
    attribute_span,
    crossings,
    matches,
    passes,
)
from headcount_engine.atoms.registry import Atom
from headcount_engine.atoms.tallies import ascending
from headcount_engine.conditions.fields import Field, bind_field
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Anniversary
from headcount_engine.indexes.columns import widen
from headcount_engine.indexes.predicates import MonthDays, Stored
from headcount_engine.indexes.runs import Run
from headcount_engine.limits import MICROSECONDS_PER_DAY
from headcount_engine.model.batches import I64, U32
from headcount_engine.model.instants import local_days
from headcount_engine.model.values import Kind, ValueType

_INT64 = np.dtype(np.int64)
_HALF_A_DAY_US = MICROSECONDS_PER_DAY // 2
_A_YEAR_US = 366 * MICROSECONDS_PER_DAY


@dataclass(frozen=True, slots=True)
class _Key:
    """What an order is kept of: an attribute, or with `event` a property of events; as days of the year in a zone."""

    name: str
    event: str | None = None
    is_yearly: bool = False
    zone: str | None = None


@dataclass(slots=True, eq=False)
class _Held:
    """An order in use. Of a property, `owners` are the profiles of the numbered events (a number is an id there).

    `users`: by slot and window, since one atom may have several windows on the same values. Owners stay those who had
    the events first: who was merged into another is found under the old id.
    """

    order: InstantOrder
    type: ValueType
    users: dict[tuple[int, TimedAttribute], Atom] = field(default_factory=dict)
    owners: list[U32] = field(default_factory=list)
    entries: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TimedEdit:
    """Values to be entered: by key, the ids (or the profiles of new events) and their values as kept."""

    columns: Sequence[tuple[_Key, U32, I64]]
    events: Sequence[tuple[_Key, U32, I64]]


class TimedColumns:
    """All orders that atoms need, each once."""

    def __init__(self) -> None:
        self._held: dict[_Key, _Held] = {}

    @property
    def nbytes(self) -> int:
        return sum(h.order.nbytes + sum(o.nbytes for o in h.owners) for h in self._held.values())

    def watch(self, atom: Atom, after: After, moment: Moment) -> None:
        """Keep what an atom needs in order, as published."""
        for timed in atom.reads.timed_attributes:
            attribute = after.attribute(timed.name)
            if attribute is None:
                continue
            type_ = attribute.definition.type
            key = _key_of(timed, None, type_, moment)
            held = self._held.get(key)
            if held is None:
                held = self._held[key] = _Held(InstantOrder(), type_)
                ids = np.arange(after.first_new, dtype=np.int64)
                self._note(
                    held, key, ids.astype(np.uint32), _kept(attribute.column.view().gather(ids), key, type_)
                )
            held.users[atom.slot, timed] = atom
        for timed_property in atom.reads.timed_properties:
            for name in after.type_names():
                if matches(timed_property.events, name):
                    self._watch_property(atom, timed_property, name, after, moment)

    def _watch_property(
        self, atom: Atom, timed: TimedProperty, name: str, after: After, moment: Moment
    ) -> None:
        view = after.type_view(name)
        type_ = None if view is None else view.properties.get(timed.timed.name)
        if type_ is None or type_.kind not in (Kind.INSTANT, Kind.DATE):
            return
        key = _key_of(timed.timed, name, type_, moment)
        held = self._held.get(key)
        if held is None:
            held = self._held[key] = _Held(InstantOrder(), type_)
            known = after.indexes.events.types.get(name)
            for run in known.view().runs if known is not None else ():
                self._note_events(held, *_of_events(run, key, type_))
        held.users[atom.slot, timed.timed] = atom

    def unwatch(self, atom: Atom) -> None:
        """An atom is gone; orders that nobody uses go with it."""
        for key, held in list(self._held.items()):
            held.users = {use: user for use, user in held.users.items() if user is not atom}
            if not held.users:
                del self._held[key]

    def crossed(self, before: Moment, moment: Moment) -> list[tuple[Atom, I64]]:
        """For each atom the profiles of whose values some crossed an end of its window (and maybe a few more)."""
        if before.now_us == moment.now_us:
            return []
        found = []
        for key, held in self._held.items():
            for (_, timed), atom in held.users.items():
                spans = _moved(timed, held.type, before, moment)
                parts = [part for first, last in spans if len(part := held.order.between(first, last))]
                if parts:
                    ids = np.concatenate(parts)
                    if key.event is not None:
                        ids = np.concatenate(held.owners)[ids]
                    found.append((atom, ascending(ids.astype(np.int64))))
        return found

    def passed(self, before: Moment, moment: Moment) -> list[tuple[Atom, I64]]:
        """For each atom the profiles of whose values an end of its window went over some, as often as it did or more.

        Also of values that were in the window at neither moment, but in between.
        """
        found = []
        for key, held in self._held.items():
            for (_, timed), atom in held.users.items():
                parts = [
                    part
                    for first, last in _passed(timed, held.type, before, moment)
                    if len(part := held.order.between(first, last))
                ]
                if parts:
                    ids = np.concatenate(parts)
                    if key.event is not None:
                        ids = np.concatenate(held.owners)[ids]
                    found.append((atom, ids.astype(np.int64)))
        return found

    def stage(self, after: After, moment: Moment, new_users: Sequence[Atom]) -> TimedEdit:
        """What a commit enters. `new_users`: atoms on properties, which new event types may concern."""
        for atom in new_users:
            for timed in atom.reads.timed_properties:
                for name in after.changes.events:
                    if matches(timed.events, name):
                        self._watch_property(atom, timed, name, after, moment)
        columns, events = [], []
        for key, held in self._held.items():
            if key.event is not None:
                edit = after.changes.events.get(key.event)
                for piece in edit.pieces if edit is not None else ():
                    events.append((key, *_of_events(piece, key, held.type)))
            elif key.name in after.changes.columns:
                attribute, edits = after.changes.columns[key.name]
                ids = ascending(np.concatenate([e.changed for e in edits]).astype(np.int64))
                values = after.values(attribute, ids)
                columns.append((key, ids.astype(np.uint32), _kept(values, key, held.type)))
        return TimedEdit(columns, events)

    def publish(self, edit: TimedEdit) -> None:
        """Enter what was staged."""
        for key, ids, values in edit.columns:
            self._note(self._held[key], key, ids, values)
        for key, profiles, values in edit.events:
            self._note_events(self._held[key], profiles, values)

    @staticmethod
    def _note(held: _Held, key: _Key, ids: U32, values: I64) -> None:
        held.order.note(ids, values)

    @staticmethod
    def _note_events(held: _Held, profiles: U32, values: I64) -> None:
        numbers = np.arange(held.entries, held.entries + len(profiles), dtype=np.uint32)
        held.entries += len(profiles)
        held.owners.append(profiles)
        held.order.note(numbers, values)


def _key_of(timed: TimedAttribute, event: str | None, type_: ValueType, moment: Moment) -> _Key:
    if timed.anniversary is None:
        return _Key(timed.name, event)
    zone = timed.anniversary[1] or moment.zone
    return _Key(timed.name, event, True, None if type_.kind is Kind.DATE else zone)


def _kept(values: Stored, key: _Key, type_: ValueType) -> I64:
    """Values as they are kept in order: microseconds, days, or 32 * month + day."""
    wide: I64 = values if values.dtype == _INT64 else widen(values, _INT64)
    if not key.is_yearly:
        return wide
    out = np.full(len(wide), ABSENT, dtype=np.int64)
    there = wide != ABSENT
    days = wide[there] if key.zone is None else local_days(wide[there], key.zone)
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    out[there] = 32 * (months.astype(np.int64) % 12 + 1) + (dates - months).astype(np.int64) + 1
    return out


def _of_events(run: Run, key: _Key, type_: ValueType) -> tuple[U32, I64]:
    """(profiles, values) of the events that have the property."""
    values = run.properties.get(key.name)
    if values is None:
        return np.empty(0, dtype=np.uint32), np.empty(0, dtype=np.int64)
    kept = _kept(values, key, type_)
    there = kept != ABSENT
    return run.profiles[there].copy(), kept[there]


def _moved(timed: TimedAttribute, type_: ValueType, before: Moment, moment: Moment) -> list[tuple[int, int]]:
    """Values (from, to) that are now in the window and were not, or the other way round."""
    if timed.anniversary is None:
        is_date = type_.kind is Kind.DATE
        old, new = (attribute_span(timed, is_date, m) for m in (before, moment))
        return [(span.first, span.last) for span, _ in crossings(old, new)]
    then, now = (_wanted(timed, type_, m) for m in (before, moment))
    return [(day, day) for day in sorted(then ^ now)]


def _passed(timed: TimedAttribute, type_: ValueType, before: Moment, moment: Moment) -> list[tuple[int, int]]:
    """Values (from, to) that an end of the window went over; what two ends did is there twice."""
    if timed.anniversary is None:
        is_date = type_.kind is Kind.DATE
        old, new = (attribute_span(timed, is_date, m) for m in (before, moment))
        return [(span.first, span.last) for span in passes(old, new)]
    if moment.now_us - before.now_us >= _A_YEAR_US:
        return [(0, 32 * 13)] * 2
    # No local day is shorter than half a day: none is left out.
    instants = [*range(before.now_us, moment.now_us, _HALF_A_DAY_US), moment.now_us]
    wanted = [_wanted(timed, type_, replace(moment, now_us=at_us)) for at_us in instants]
    days = {day for then, now in itertools.pairwise(wanted) for day in then ^ now}
    return [(day, day) for day in sorted(days)] * 2


def _wanted(timed: TimedAttribute, type_: ValueType, moment: Moment) -> frozenset[int]:
    assert timed.anniversary is not None
    leaf = Anniversary(timed.name, timed.anniversary[0], timed.anniversary[1])
    (predicate,) = bind_field(leaf, Field(timed.name, type_, None, 0), moment).any_of
    assert isinstance(predicate, MonthDays)
    return predicate.wanted
