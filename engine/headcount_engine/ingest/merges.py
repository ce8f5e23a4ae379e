"""Staging of merges: everything of some profiles goes to another, in one step.

The survivor's value wins, else the first loser's that there is; sets unite; of what was said about a topic the later
wins, by the instants at which it was said; those, and the instant of a tracked change, go with the value. Identifiers
move: one that the survivor has no room for, having another of its type, still leads to it. Events move by their profile
id, lists by their entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine.errors import FailedPrecondition, InvalidArgument
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.columns import ColumnEdit, cuts_by_block
from headcount_engine.indexes.dictionaries import SetDictionary
from headcount_engine.indexes.identities import MergeEdit
from headcount_engine.indexes.predicates import absent_value
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.keys import existing_profile, own_id
from headcount_engine.ingest.relinking import relinking
from headcount_engine.ingest.staging import OwnerEdit, Staged
from headcount_engine.limits import Limits
from headcount_engine.membership.lists import ListStore
from headcount_engine.model.schema import answered_attribute, changed_attribute, consent_attribute

Value = int | float | tuple[float, float] | None
_NEVER = -(1 << 63)


@dataclass(frozen=True, slots=True)
class _Held:
    """A stored value, and the instants of its change and of an answer where they are kept and known."""

    value: Value
    changed_us: int | None
    answered_us: int | None = None

    @property
    def said_us(self) -> int:
        """When it was last said."""
        return max(_or_never(self.answered_us), _or_never(self.changed_us))


def stage_merge(
    indexes: Indexes,
    lists: ListStore,
    survivor_key: str,
    loser_keys: Sequence[str],
    now_us: int,
    limits: Limits,
    *,
    force: bool,
) -> Staged:
    """Decide a merge. A loser whose key leads to the survivor already is left out: it was merged before.

    Raises NotFound where a key names nobody, InvalidArgument where it is the survivor's own, FailedPrecondition where
    two profiles with identifiers would become one and `force` is not set.
    """
    survivor = existing_profile(indexes, survivor_key, limits, "survivor_key")
    losers: list[int] = []
    for key in loser_keys:
        loser = existing_profile(indexes, key, limits, "merged_key")
        if own_id(indexes, key, limits) == survivor:
            raise InvalidArgument("a profile cannot be merged into itself", path="merged_key")
        if loser != survivor and loser not in losers:
            losers.append(loser)
    if not losers:
        return Staged(accepted=0)
    if not force and sum(_is_known(indexes, profile) for profile in (survivor, *losers)) > 1:
        raise FailedPrecondition("both profiles have identifiers: they are merged only with force")
    folding = _Folding(indexes, survivor, losers, now_us)
    for attribute in indexes.attributes.all().values():
        folding.fold(attribute)
    merges = tuple(MergeEdit(survivor, loser) for loser in losers)
    return Staged(
        accepted=len(losers),
        columns=tuple(folding.columns),
        owners=tuple(folding.owners),
        leads=tuple(folding.leads),
        lists=tuple(edit for loser in losers for edit in lists.moved(loser, survivor)),
        merges=merges,
        relinking=relinking(indexes, merges),
    )


def _is_known(indexes: Indexes, profile: int) -> bool:
    return any(
        a.definition.is_identifier and a.column.view().get(profile) is not None
        for a in indexes.attributes.all().values()
    )


class _Folding:
    """Folds the losers into the survivor, attribute by attribute."""

    def __init__(self, indexes: Indexes, survivor: int, losers: list[int], now_us: int) -> None:
        self._indexes = indexes
        self._survivor = survivor
        self._losers = losers
        self._now_us = now_us
        self.columns: list[tuple[Attribute, ColumnEdit]] = []
        self.owners: list[OwnerEdit] = []
        self.leads: list[OwnerEdit] = []

    def fold(self, attribute: Attribute) -> None:
        name = attribute.definition.name
        if name.startswith((changed_attribute(""), answered_attribute(""))):
            return  # goes with the attribute of which it tells
        stamps = self._indexes.attributes.get(changed_attribute(name))
        answers = self._indexes.attributes.get(answered_attribute(name))
        own = old = self._held(attribute, stamps, answers, self._survivor)
        theirs = [self._held(attribute, stamps, answers, loser) for loser in self._losers]
        for other in theirs:
            own = self._folded(attribute, own, other)
        if own != old or any(other.value is not None for other in theirs):
            self._put(attribute, own.value)
        if stamps is not None and (own != old or any(other.changed_us is not None for other in theirs)):
            self._put(stamps, own.changed_us)
        if answers is not None and (own != old or any(other.answered_us is not None for other in theirs)):
            self._put(answers, own.answered_us)
        if attribute.definition.is_identifier:
            self._move_identifiers(attribute, own, [other.value for other in theirs])

    @staticmethod
    def _held(
        attribute: Attribute, stamps: Attribute | None, answers: Attribute | None, profile: int
    ) -> _Held:
        changed = None if stamps is None else stamps.column.view().get(profile)
        answered = None if answers is None else answers.column.view().get(profile)
        assert changed is None or isinstance(changed, int)
        assert answered is None or isinstance(answered, int)
        return _Held(attribute.column.view().get(profile), changed, answered)

    def _folded(self, attribute: Attribute, own: _Held, other: _Held) -> _Held:
        if other.value is None:
            return own
        if own.value is None:
            return other
        if attribute.definition.name.startswith(consent_attribute("")):
            return other if own.said_us < other.said_us else own
        if isinstance(attribute.dictionary, SetDictionary):
            united = _united(attribute.dictionary, own.value, other.value)
            if united != own.value:
                return _Held(united, None if own.changed_us is None else self._now_us)
        return own

    def _put(self, attribute: Attribute, value: Value) -> None:
        """The survivor has `value`, the losers nothing."""
        column = attribute.column
        ids = np.array(sorted([self._survivor, *self._losers]), dtype=np.int64)
        dtype = np.dtype("uint32") if column.dtype.kind == "u" else column.dtype
        if dtype.kind == "i":
            dtype = np.dtype("int64")
        shape = (len(ids), 2) if column.view().gather(ids).ndim == 2 else (len(ids),)
        values = np.full(shape, absent_value(dtype), dtype=dtype)
        if value is not None:
            values[ids == self._survivor] = value
        self.columns.append((attribute, column.stage(ids, values, cuts_by_block(ids))))

    def _move_identifiers(self, attribute: Attribute, own: _Held, theirs: list[Value]) -> None:
        codes = [code for code in theirs if isinstance(code, int)]
        taken = [code for code in codes if code == own.value]
        left = [code for code in codes if code != own.value]
        gone = {loser + 1 for loser in self._losers}
        left.extend(code for code, owner in attribute.leads.items() if owner in gone)
        for found, edits in ((taken, self.owners), (left, self.leads)):
            if found:
                profile = np.full(len(found), self._survivor + 1, dtype=np.uint32)
                edits.append(OwnerEdit(attribute, np.array(found, dtype=np.int64), profile))


def _or_never(changed_us: int | None) -> int:
    return _NEVER if changed_us is None else changed_us


def _united(dictionary: SetDictionary, own: Value, other: Value) -> int:
    assert isinstance(own, int) and isinstance(other, int)
    pairs = dictionary.pairs_of(np.array([own, other], dtype=np.uint32))
    return int(dictionary.codes_of_pairs(1, pairs & 0xFFFFFFFF)[0])
