"""Staging of event batches."""

from __future__ import annotations

import numpy as np

from headcount_engine.errors import LimitExceeded, UnknownName
from headcount_engine.indexes.deduplication import Seen, hash_column
from headcount_engine.indexes.dictionaries import SetDictionary, TextDictionary
from headcount_engine.indexes.events import ROW, TypeEdit
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import TextTable, take_texts
from headcount_engine.ingest.admission import Verdicts, admit_keys, admit_texts, admit_times, reject_bad_texts
from headcount_engine.ingest.coercion import Coerced, coerce
from headcount_engine.ingest.keys import GivenIds, KeyResolver
from headcount_engine.ingest.staging import Staged
from headcount_engine.limits import Limits
from headcount_engine.model.answers import Settings
from headcount_engine.model.batches import I64, U32, U64, Column, EventBatch, Mask, Reason, Texts
from headcount_engine.model.schema import checked_name
from headcount_engine.model.values import ValueType

_ODD = np.uint64(0x9E3779B97F4A7C15)


def stage_events(
    indexes: Indexes, batch: EventBatch, now_us: int, settings: Settings, limits: Limits
) -> Staged:
    """Decide a batch against the committed state. Raises LimitExceeded or UnknownName; bad rows fall one by one."""
    if len(batch) > limits.batch_rows:
        raise LimitExceeded("batch_rows", limits.batch_rows, len(batch))
    verdicts = Verdicts(len(batch))
    keys = _admitted_keys(indexes, batch, limits, verdicts)
    admit_times(batch.times_us, now_us, limits, verdicts)
    groups = _by_name(batch, limits, verdicts)
    _leave_out_expired(indexes, batch, groups, now_us, verdicts)
    if len(indexes.events.types.keys() | groups.keys()) > limits.event_types:
        raise LimitExceeded("event_types", limits.event_types)
    columns = _Properties(indexes, batch, settings, limits)
    for name, rows in groups.items():
        columns.check(name, rows, verdicts)
    given = None if isinstance(batch.keys, Texts) else GivenIds(indexes, batch.keys, verdicts)
    seen = _look_up_ids(indexes, batch, keys, now_us, limits, verdicts)
    repeats = _leave_out_repeats(seen, verdicts)
    resolver = given or KeyResolver(indexes, keys, batch.create, verdicts)
    rejected = tuple(r for r in verdicts.rejected() if r.reason is not Reason.DUPLICATE or r.message)
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
        duplicates=len(repeats),
        repeated_rows=repeats,
        new_keys=resolved.new_keys,
        creating_rows=resolved.first_rows,
        events=tuple(edits),
        event_ids=None if seen is None else seen.kept(verdicts.accepted),
        takes_batch=bool(edits),
    )


def _look_up_ids(
    indexes: Indexes, batch: EventBatch, keys: Texts, now_us: int, limits: Limits, verdicts: Verdicts
) -> Seen | None:
    """Which rows repeat an event id; rows already turned away neither repeat nor count as having come."""
    if batch.event_ids is None or not len(batch.event_ids.data):
        return None
    admitted = admit_texts(batch.event_ids, limits.key_bytes, as_key=False)
    reject_bad_texts(admitted, verdicts, "event_id", Reason.BAD_VALUE, "the event id")
    ids = admitted.texts
    if not verdicts.accepted.all():
        standing = np.where(verdicts.accepted, np.diff(ids.offsets), 0)
        rows = np.flatnonzero(standing)
        kept = ids.take(rows)
        offsets = np.zeros(len(ids) + 1, dtype=np.int64)
        np.cumsum(standing, out=offsets[1:])
        ids = Texts(kept.data, offsets)
    return indexes.event_ids.look(ids, _digests(batch, keys), now_us)


def _admitted_keys(indexes: Indexes, batch: EventBatch, limits: Limits, verdicts: Verdicts) -> Texts:
    """Keys of the rows. Of ids only where events have ids too: the same event is told by either of the two."""
    if isinstance(batch.keys, Texts):
        return admit_keys(batch.keys, limits, verdicts)
    end = indexes.identities.view().ids_end
    if batch.event_ids is None or not end:
        return Texts(np.zeros(0, dtype=np.uint8), np.zeros(len(batch) + 1, dtype=np.int64))
    return indexes.identities.keys.take(np.where((batch.keys >= 0) & (batch.keys < end), batch.keys, 0))


def _digests(batch: EventBatch, keys: Texts) -> U32:
    """32 bits of what each row says: profile, name, time and properties, whatever else its batch holds and how."""
    total = hash_column(keys) ^ (batch.times_us.astype(np.uint64) * _ODD)
    names = Texts.of([batch.names]) if isinstance(batch.names, str) else batch.names
    total = (total ^ hash_column(names)) * _ODD
    for column in batch.properties:
        # A sum of what is there: the order of the columns does not count, and absent ones add nothing.
        name = hash_column(Texts.of([column.name]))
        digest = (_column_digest(column) ^ name) * _ODD
        digest ^= digest >> np.uint64(29)
        total += digest if column.present is None else np.where(column.present, digest, np.uint64(0))
    total *= _ODD
    return (total >> np.uint64(32)).astype(np.uint32)


def _column_digest(column: Column) -> U64:
    values = column.values
    if isinstance(values, Texts):
        digest = hash_column(values)
        if column.element_offsets is not None:
            sums = np.append(np.uint64(0), np.cumsum(digest, dtype=np.uint64))
            digest = sums[column.element_offsets[1:]] - sums[column.element_offsets[:-1]]
    elif values.ndim == 2:
        digest = np.ascontiguousarray(values, dtype=np.float64).view(np.uint64).sum(axis=1, dtype=np.uint64)
    else:
        digest = values.astype(np.float64 if values.dtype.kind == "f" else np.int64).view(np.uint64)
    return digest


def _leave_out_repeats(seen: Seen | None, verdicts: Verdicts) -> I64:
    """Take repeats out; only those with other content are reported. Returns their rows."""
    if seen is None or not seen.is_repeat.any():
        return np.zeros(0, dtype=np.int64)
    for chosen, message in (
        (seen.is_different, "this event id came before with other content; the first one stays"),
        (seen.is_repeat & ~seen.is_different, ""),
    ):
        bad = np.zeros(len(verdicts.accepted), dtype=np.bool_)
        bad[seen.rows[chosen]] = True
        verdicts.reject(bad, "event_id", Reason.DUPLICATE, message)
    return seen.rows[seen.is_repeat]


def _leave_out_expired(
    indexes: Indexes, batch: EventBatch, groups: dict[str, I64], now_us: int, verdicts: Verdicts
) -> None:
    """Turn away events older than those of their type that are kept."""
    for name, rows in groups.items():
        held = indexes.events.types.get(name)
        if held is None or held.retention is None:
            continue
        bad = np.zeros(len(batch), dtype=np.bool_)
        bad[rows] = batch.times_us[rows] < max(now_us - held.retention.kept_us, held.retention.floor_us)
        message = "the time is older than events of this type are kept: outside the accepted window"
        verdicts.reject(bad, "time", Reason.OUTSIDE_WINDOW, message)


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
            codes[present] = dictionary.codes(
                coerced.values if every else take_texts(*coerced.values.raw, given)
            )
            return codes
        assert isinstance(dictionary, SetDictionary) and column.element_offsets is not None
        starts, ends = column.element_offsets[given], column.element_offsets[given + 1]
        offsets = np.append(0, np.cumsum(ends - starts))
        at = np.arange(int(offsets[-1]), dtype=np.int64) + np.repeat(starts - offsets[:-1], ends - starts)
        codes[present] = dictionary.codes(take_texts(*coerced.values.raw, at), offsets)
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
        ids[rows].astype(np.uint32),
        batch.times_us[rows].astype(np.int64),
        values,
        types,
        indexes.events.batches,
    )
