"""Staging of profile batches."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np

from headcount_engine.errors import Aborted, InvalidValue, LimitExceeded, UnknownName
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.columns import ColumnEdit, cuts_by_block
from headcount_engine.indexes.dictionaries import SetDictionary, TextDictionary
from headcount_engine.indexes.predicates import Stored, absent_value
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import take_texts
from headcount_engine.ingest.admission import Verdicts, admit_keys, admit_texts
from headcount_engine.ingest.coercion import Coerced, coerce
from headcount_engine.ingest.consents import Answers, admit_answers, is_consent, needs_turns
from headcount_engine.ingest.keys import KeyResolver
from headcount_engine.ingest.staging import OwnerEdit, Staged
from headcount_engine.limits import Limits
from headcount_engine.model.answers import Settings
from headcount_engine.model.batches import I64, U32, Change, Column, Mask, ProfileBatch, Reason, Texts
from headcount_engine.model.schema import (
    AttributeDefinition,
    answers_definition,
    changed_attribute,
    checked_name,
    stamp_definition,
)
from headcount_engine.model.values import NUMERIC, Kind

_I64_MIN = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    column: Column
    attribute: Attribute
    coerced: Coerced


def occurrences(batch: ProfileBatch) -> list[I64]:
    """Rows split so that no part has one key twice, where a batch needs that; else all rows as one part.

    Setting values needs no split (the last row wins); adding to what is there does, and so do answers about topics
    that carry their own instants.
    """
    if not _builds_on_rows(batch):
        return [np.arange(len(batch), dtype=np.int64)]
    from headcount_engine.indexes.texts import TextTable

    numbers = TextTable().intern(admit_texts(batch.keys, len(batch.keys.data), as_key=True).texts)
    order = np.argsort(numbers, kind="stable")
    starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    turn = np.empty(len(order), dtype=np.int64)
    turn[order] = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    return [np.flatnonzero(turn == t) for t in range(int(turn.max(initial=0)) + 1)]


def _builds_on_rows(batch: ProfileBatch) -> bool:
    """Whether what a row of a profile does depends on the profile's rows before."""
    return needs_turns(batch) or any(c.change is not Change.SET for c in batch.columns)


def stage_profiles(
    indexes: Indexes, batch: ProfileBatch, now_us: int, settings: Settings, limits: Limits
) -> Staged:
    """Decide a batch against the committed state, at an instant that tracked attributes remember.

    Raises LimitExceeded, UnknownName (an attribute that may not be inferred) or InvalidValue (a batch that contradicts
    itself); bad rows are turned away one by one.
    """
    if len(batch) > limits.batch_rows:
        raise LimitExceeded("batch_rows", limits.batch_rows, len(batch))
    verdicts = Verdicts(len(batch))
    keys = admit_keys(batch.keys, limits, verdicts)
    _check_columns(batch)
    new_attributes: dict[str, Attribute] = {}
    targets = []
    for column in batch.columns:
        if unfit := _unfit(column, indexes, new_attributes):
            verdicts.reject(_says(column), column.name, Reason.WRONG_TYPE, f"{column.name}: {unfit}")
            continue
        attribute = _attribute_for(column, indexes, new_attributes, settings, limits)
        coerced = coerce(column, attribute.definition.type, limits)
        verdicts.reject(coerced.bad, column.name, Reason.WRONG_TYPE, f"{column.name}: {coerced.message}")
        admit_answers(column, coerced.present, now_us, limits, verdicts)
        targets.append(_Target(column, attribute, coerced))
    resolver = KeyResolver(indexes, keys, batch.create, verdicts, recreate=batch.recreate)
    if len(indexes.identities.view().redirects.losers):
        _check_once(batch, resolver.tokens, verdicts)
    for target in targets:
        if target.attribute.definition.is_identifier:
            _check_identifier(target, resolver.tokens, verdicts)
        if target.column.change is Change.INCREMENT:
            _check_increment(target, resolver.tokens, verdicts)
    rejected = verdicts.rejected()
    if batch.all_or_nothing and rejected:
        return Staged(0, rejected)
    resolved = resolver.resolve(limits)
    owners: list[OwnerEdit] = []
    edits: list[tuple[Attribute, ColumnEdit]] = []
    for target in targets:
        before = [edit for attribute, edit in edits if attribute is target.attribute]
        rows, profiles = _last_rows(target, resolved.ids, verdicts.accepted)
        if is_consent(target.attribute.definition.name):
            answers = Answers(indexes, target.attribute, new_attributes)
            stands, instants = answers.standing(target.column, rows, profiles, now_us)
            rows, profiles, instants = rows[stands], profiles[stands], instants[stands]
        if not len(rows):
            continue
        edit = _stage_column(target, rows, profiles, owners, before)
        edits.append((target.attribute, edit))
        if is_consent(target.attribute.definition.name):
            edits += answers.edits(profiles, instants, edit.changed.astype(np.int64))
        elif target.attribute.definition.is_tracked:
            edits.append(_stamp(target.attribute, edit, now_us, indexes, new_attributes))
    return Staged(
        accepted=int(verdicts.accepted.sum()),
        rejected=rejected,
        new_keys=resolved.new_keys,
        creating_rows=resolved.first_rows,
        new_attributes=tuple(new_attributes.values()),
        columns=tuple(edits),
        owners=tuple(owners),
    )


def _check_once(batch: ProfileBatch, tokens: I64, verdicts: Verdicts) -> None:
    """Refuse to add twice to one profile at a time: `occurrences` saw two keys, which have become one profile's."""
    if _builds_on_rows(batch):
        standing = tokens[verdicts.accepted]
        if len(np.unique(standing)) < len(standing):
            raise Aborted("profiles were merged while the batch was on its way: send it again")


def _check_columns(batch: ProfileBatch) -> None:
    """One attribute may be added to and removed from, in the order of the columns; nothing else twice in a batch."""
    changes: dict[str, set[Change]] = {}
    for column in batch.columns:
        of_name = changes.setdefault(column.name, set())
        if of_name and not {*of_name, column.change} <= {Change.SET, Change.ADD, Change.REMOVE}:
            raise InvalidValue("an attribute is set or incremented, not both in one batch", path=column.name)
        if column.change in of_name and column.change is not Change.SET:
            raise InvalidValue("an attribute twice in one batch", path=column.name)
        if of_name and is_consent(column.name):
            raise InvalidValue("a topic twice in one batch", path=column.name)
        if column.is_identifier and of_name:
            raise InvalidValue("an identifier twice in one batch", path=column.name)
        of_name.add(column.change)


def _attribute_for(
    column: Column, indexes: Indexes, new: dict[str, Attribute], settings: Settings, limits: Limits
) -> Attribute:
    name = checked_name(column.name, "an attribute", limits)
    found = indexes.attributes.get(name) or new.get(name)
    says_consent = is_consent(name) and column.type.kind is Kind.BOOL
    if found is None:
        if not says_consent and (not settings.infers_schema or name.startswith("$")):
            raise UnknownName("attribute", name)
        if len(indexes.attributes.all()) + len(new) >= limits.attributes:
            raise LimitExceeded("attributes", limits.attributes)
        definition = AttributeDefinition(
            name, column.type, says_consent, column.is_identifier, is_inferred=True
        )
        found = new[name] = Attribute(definition)
        if says_consent:
            changed = stamp_definition(name)
            new[changed.name] = Attribute(changed)
    if is_consent(name):
        answered = answers_definition(name)
        # Also where an earlier release made the topic.
        if indexes.attributes.get(answered.name) is None and answered.name not in new:
            new[answered.name] = Attribute(answered)
    if column.is_identifier and not found.definition.is_identifier:
        raise InvalidValue(f"attribute {name!r} exists and is not an identifier", path=name)
    return found


def _unfit(column: Column, indexes: Indexes, new: dict[str, Attribute]) -> str:
    """Why the change cannot be done to an attribute of that type; empty if it can."""
    name = unicodedata.normalize("NFC", column.name)
    found = indexes.attributes.get(name) or new.get(name)
    kind = column.type.kind if found is None else found.definition.type.kind
    if column.change in (Change.ADD, Change.REMOVE) and kind is not Kind.TEXT_SET:
        return "is not a set: nothing can be added to it or removed"
    if column.change is Change.INCREMENT and kind not in NUMERIC:
        return "is not a number: it cannot be incremented"
    return ""


def _says(column: Column) -> Mask:
    """The rows of which a column says something."""
    said = np.ones(len(column), dtype=np.bool_) if column.present is None else column.present.astype(np.bool_)
    return said if column.unset is None else said | column.unset


def _check_identifier(target: _Target, tokens: I64, verdicts: Verdicts) -> None:
    """An identifier names one profile: the one that has it, else the first row that brings it."""
    dictionary, texts = target.attribute.dictionary, target.coerced.values
    assert isinstance(dictionary, TextDictionary) and isinstance(texts, Texts)
    rows = np.flatnonzero(target.coerced.present & verdicts.accepted)
    codes = dictionary.codes(take_texts(*texts.raw, rows)).astype(np.int64)
    owners = np.array([target.attribute.owner_of(c) for c in codes.tolist()], dtype=np.int64)
    _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    claimed = np.where(owners >= 0, owners, tokens[rows][first][inverse])
    bad = np.zeros(len(tokens), dtype=np.bool_)
    bad[rows[claimed != tokens[rows]]] = True
    name = target.column.name
    verdicts.reject(bad, name, Reason.IDENTIFIER_TAKEN, f"{name}: this identifier names another profile")


def _check_increment(target: _Target, tokens: I64, verdicts: Verdicts) -> None:
    """The sum must be a value of the type."""
    sums, bad = _incremented(target, tokens)
    del sums
    name = target.column.name
    verdicts.reject(bad & target.coerced.present, name, Reason.BAD_VALUE, f"{name}: the sum is out of range")


def _incremented(target: _Target, ids: I64) -> tuple[Stored, Mask]:
    """Old value (absent counts as 0) plus the given one, per row; and where that is not a value."""
    values = target.coerced.values
    assert not isinstance(values, Texts)
    old = _old_values(target.attribute, ids, values.dtype)
    gone = np.isnan(old) if old.dtype.kind == "f" else old == absent_value(old.dtype)
    old = np.where(gone, 0, old).astype(values.dtype)
    given = np.where(target.coerced.present, values, 0).astype(values.dtype)
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            sums = old + given
        return sums, ~np.isfinite(sums)
    with np.errstate(over="ignore"):
        total = old + given
    return total, (((old ^ total) & (given ^ total)) < 0) | (total == _I64_MIN)


def _old_values(attribute: Attribute, ids: I64, dtype: np.dtype[Any]) -> Stored:
    """Stored values of profiles in any order, repeats allowed; ids not yet there are absent."""
    unique, inverse = np.unique(np.maximum(ids, 0), return_inverse=True)
    view = attribute.column.view()
    held = view.gather(unique)
    if held.dtype != dtype:
        absent = held == absent_value(held.dtype) if held.dtype.kind != "f" else np.isnan(held)
        held = np.where(absent, absent_value(dtype), held).astype(dtype)
    return held[inverse]


def _last_rows(target: _Target, ids: I64, accepted: Mask) -> tuple[I64, I64]:
    """(rows that say something, the last one of each profile; the profiles, ascending)."""
    column, coerced = target.column, target.coerced
    touched = coerced.present | column.unset if column.unset is not None else coerced.present
    rows = np.flatnonzero(touched & accepted)
    order = np.argsort(ids[rows], kind="stable")
    rows = rows[order]
    profiles = ids[rows]
    last = np.append(profiles[1:] != profiles[:-1], True)[: len(rows)]
    return rows[last], profiles[last]


def _stage_column(
    target: _Target, rows: I64, profiles: I64, owners: list[OwnerEdit], before: list[ColumnEdit]
) -> ColumnEdit:
    """The staged edit of one column by some rows, each of another profile, ascending.

    `before`: what earlier columns of the batch do to the same attribute.
    """
    attribute = target.attribute
    values = _stored_values(target, rows, profiles, before)
    if attribute.definition.is_identifier:
        owners.append(_own(attribute, profiles, values))
    return attribute.column.stage(profiles, values, cuts_by_block(profiles))


def _stamp(
    attribute: Attribute, edit: ColumnEdit, now_us: int, indexes: Indexes, new: dict[str, Attribute]
) -> tuple[Attribute, ColumnEdit]:
    """The instant of change of the profiles whose value of a tracked attribute changes."""
    name = changed_attribute(attribute.definition.name)
    stamps = indexes.attributes.get(name) or new[name]
    ids = edit.changed.astype(np.int64)
    values = np.full(len(ids), now_us, dtype=np.int64)
    return stamps, stamps.column.stage(ids, values, cuts_by_block(ids))


def _stored_values(target: _Target, rows: I64, profiles: I64, before: list[ColumnEdit]) -> Stored:
    coerced, column, dictionary = target.coerced, target.column, target.attribute.dictionary
    present = coerced.present[rows]
    if dictionary is not None and not present.any():
        # Only unset rows, perhaps of a column of another type, whose given values are all turned away.
        return np.zeros(len(rows), dtype=np.uint32)
    if isinstance(dictionary, SetDictionary):
        return _set_codes(target, dictionary, rows, profiles, before)
    if isinstance(dictionary, TextDictionary):
        assert isinstance(coerced.values, Texts)
        codes = np.zeros(len(rows), dtype=np.uint32)
        given = rows[present]
        whole = len(given) == len(coerced.values) and bool((given == np.arange(len(given))).all())
        codes[present] = dictionary.codes(coerced.values if whole else take_texts(*coerced.values.raw, given))
        return codes
    if column.change is Change.INCREMENT:
        sums, _ = _incremented(
            target, np.where(target.coerced.present, _by_row(rows, profiles, len(column)), 0)
        )
        return np.where(present, sums[rows], absent_value(sums.dtype))
    assert not isinstance(coerced.values, Texts)
    return coerced.values[rows]


def _by_row(rows: I64, profiles: I64, count: int) -> I64:
    ids = np.zeros(count, dtype=np.int64)
    ids[rows] = profiles
    return ids


def _set_codes(
    target: _Target, dictionary: SetDictionary, rows: I64, profiles: I64, before: list[ColumnEdit]
) -> Stored:
    """Codes of the sets after the change; unset rows are absent."""
    column, texts, present = target.column, target.coerced.values, target.coerced.present[rows]
    assert isinstance(texts, Texts) and column.element_offsets is not None
    starts, ends = column.element_offsets[rows], column.element_offsets[rows + 1]
    lengths = np.where(present, ends - starts, 0)
    total = np.cumsum(lengths)
    at = np.arange(int(total[-1]), dtype=np.int64) + np.repeat(starts - (total - lengths), lengths)
    owners = np.repeat(np.arange(len(rows), dtype=np.int64), lengths)
    pairs = (owners << 32) | dictionary.elements.intern(take_texts(*texts.raw, at))
    if column.change is not Change.SET:
        held = _held_codes(target.attribute, profiles, before)
        old = dictionary.pairs_of(held)
        pairs = np.union1d(old, pairs) if column.change is Change.ADD else np.setdiff1d(old, pairs)
    codes = dictionary.codes_of_pairs(len(rows), pairs)
    if column.change is Change.REMOVE:
        codes[held == 0] = 0
    codes[~present] = 0
    return codes


def _held_codes(attribute: Attribute, profiles: I64, before: list[ColumnEdit]) -> U32:
    """Codes of ascending profiles as earlier columns of the batch leave them."""
    held: U32 = attribute.column.view().gather(profiles).astype(np.uint32)
    for edit in before:
        at = np.searchsorted(profiles, edit.ids)
        at = np.minimum(at, len(profiles) - 1)
        same = profiles[at] == edit.ids
        held[at[same]] = edit.values[same]
    return held


def _own(attribute: Attribute, profiles: I64, codes: Stored) -> OwnerEdit:
    """Old identifiers of these profiles name nobody, the new ones name them."""
    held = attribute.column.view().gather(profiles).astype(np.int64)
    given = codes.astype(np.int64)
    released = held[(held > 0) & (held != given)]
    taken = given > 0
    return OwnerEdit(
        attribute,
        np.concatenate([released, given[taken]]),
        np.concatenate([np.zeros(len(released), np.uint32), (profiles[taken] + 1).astype(np.uint32)]),
    )
