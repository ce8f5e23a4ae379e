"""Staging of event batches."""

from __future__ import annotations

import numpy as np

from headcount_engine.errors import LimitExceeded, UnknownName
from headcount_engine.indexes.dictionaries import SetDictionary, TextDictionary
from headcount_engine.indexes.events import ROW, TypeEdit
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import TextTable
from headcount_engine.ingest.admission import Verdicts, admit_keys, admit_texts, admit_times, reject_bad_texts
from headcount_engine.ingest.coercion import Coerced, coerce
from headcount_engine.ingest.keys import KeyResolver
from headcount_engine.ingest.staging import Staged
from headcount_engine.limits import Limits
from headcount_engine.model.answers import Settings
from headcount_engine.model.batches import I64, Column, EventBatch, Mask, Reason, Texts
from headcount_engine.model.schema import checked_name
from headcount_engine.model.values import ValueType


def stage_events(
    indexes: Indexes, batch: EventBatch, now_us: int, settings: Settings, limits: Limits
) -> Staged:
    """Decide a batch against the committed state. Raises LimitExceeded or UnknownName; bad rows fall one by one."""
    if len(batch) > limits.batch_rows:
        raise LimitExceeded("batch_rows", limits.batch_rows, len(batch))
    verdicts = Verdicts(len(batch))
    keys = admit_keys(batch.keys, limits, verdicts)
    admit_times(batch.times_us, now_us, limits, verdicts)
    groups = _by_name(batch, limits, verdicts)
    if len(indexes.events.types.keys() | groups.keys()) > limits.event_types:
        raise LimitExceeded("event_types", limits.event_types)
    columns = _Properties(indexes, batch, settings, limits)
    for name, rows in groups.items():
        columns.check(name, rows, verdicts)
    resolver = KeyResolver(indexes.identities, keys, batch.create, verdicts)
    rejected = verdicts.rejected()
    if batch.all_or_nothing and rejected:
        return Staged(0, rejected)
    resolved = resolver.resolve(limits)
    edits = []
    for name, rows in groups.items():
        standing = rows[verdicts.accepted[rows]]
        if len(standing):
            edits.append(_stage_type(indexes, name, standing, resolved.ids, batch, columns, len(groups) > 1))
    return Staged(
        accepted=int(verdicts.accepted.sum()),
        rejected=rejected,
        new_keys=resolved.new_keys,
        events=tuple(edits),
        takes_batch=True,
    )


def _by_name(batch: EventBatch, limits: Limits, verdicts: Verdicts) -> dict[str, I64]:
    """Rows of each event name, in row order; rows with a bad name are turned away."""
    if isinstance(batch.names, str):
        return {checked_name(batch.names, "an event", limits): np.arange(len(batch), dtype=np.int64)}
    admitted = admit_texts(batch.names, limits.name_bytes, as_key=True)
    reject_bad_texts(admitted, verdicts, "name", Reason.BAD_NAME, "the event name")
    table = TextTable()
    numbers = table.intern(admitted.texts)
    order = np.argsort(numbers, kind="stable")
    ends = np.searchsorted(numbers[order], np.arange(len(table)), side="right")
    groups, start = {}, 0
    for number, end in enumerate(ends.tolist()):
        rows = order[start:end]
        start = end
        if verdicts.accepted[rows].any():
            groups[table[number].decode()] = rows
    return groups


class _Properties:
    """The property columns of a batch, coerced once for each type that the event types in it ask for."""

    def __init__(self, indexes: Indexes, batch: EventBatch, settings: Settings, limits: Limits) -> None:
        self._indexes = indexes
        self._settings = settings
        self._limits = limits
        self._columns = {checked_name(c.name, "a property", limits): c for c in batch.properties}
        self._coerced: dict[tuple[str, ValueType], Coerced] = {}
        self._rows = len(batch)

    def check(self, event: str, rows: I64, verdicts: Verdicts) -> None:
        """Turn away the rows of one event whose properties do not fit."""
        for name, column in self._columns.items():
            if not _has_any(column, rows):
                continue
            coerced = self.coerced(event, name)
            if coerced.bad.any():
                bad = np.zeros(self._rows, dtype=np.bool_)
                bad[rows] = coerced.bad[rows]
                verdicts.reject(bad, name, Reason.WRONG_TYPE, f"{name}: {coerced.message}")

    def coerced(self, event: str, name: str) -> Coerced:
        declared = self._indexes.events.type_of(event, name)
        if declared is None and not self._settings.infers_schema:
            raise UnknownName(f"property of event {event!r}", name)
        target = declared or self._columns[name].type
        if (name, target) not in self._coerced:
            self._coerced[name, target] = coerce(self._columns[name], target, self._limits)
        return self._coerced[name, target]

    def stored(self, event: str, rows: I64) -> tuple[dict[str, Stored], dict[str, ValueType]]:
        """Values as stored, and types, of the properties that some of the rows have."""
        values: dict[str, Stored] = {}
        types: dict[str, ValueType] = {}
        for name, column in self._columns.items():
            if not _has_any(column, rows):
                continue
            types[name] = self._indexes.events.type_of(event, name) or column.type
            values[name] = self._codes_or_values(name, column, self.coerced(event, name), types[name], rows)
        return values, types

    def _codes_or_values(
        self, name: str, column: Column, coerced: Coerced, target: ValueType, rows: I64
    ) -> Stored:
        if not isinstance(coerced.values, Texts):
            return coerced.values if _is_all(rows, self._rows) else coerced.values[rows]
        dictionary = self._indexes.events.dictionary(name, target.kind)
        present = coerced.present[rows]
        codes = np.zeros(len(rows), dtype=np.uint32)
        given = rows[present]
        if isinstance(dictionary, TextDictionary):
            every = _is_all(given, len(coerced.values))
            codes[present] = dictionary.codes(coerced.values if every else coerced.values.take(given))
            return codes
        assert isinstance(dictionary, SetDictionary) and column.element_offsets is not None
        starts, ends = column.element_offsets[given], column.element_offsets[given + 1]
        offsets = np.append(0, np.cumsum(ends - starts))
        at = np.arange(int(offsets[-1]), dtype=np.int64) + np.repeat(starts - offsets[:-1], ends - starts)
        codes[present] = dictionary.codes(coerced.values.take(at), offsets)
        return codes


def _has_any(column: Column, rows: I64) -> bool:
    present: Mask | None = column.present
    return present is None or bool(present[rows].any())


def _is_all(rows: I64, total: int) -> bool:
    return len(rows) == total and (total == 0 or bool((rows == np.arange(total)).all()))


def _stage_type(
    indexes: Indexes,
    name: str,
    rows: I64,
    ids: I64,
    batch: EventBatch,
    columns: _Properties,
    is_mixed: bool,
) -> TypeEdit:
    """`is_mixed`: the batch holds other event types too, so the row tells which of two at one instant came first."""
    values, types = columns.stored(name, rows)
    if is_mixed:
        values[ROW] = (rows + 1).astype(np.uint32)
    held = indexes.events.types.get(name) or indexes.events.ensure(name)
    return held.stage(
        ids[rows].astype(np.uint32), batch.times_us[rows].astype(np.int64), values, types, indexes.events.batches
    )
