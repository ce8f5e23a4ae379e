"""Staging of erasures: everything of a profile goes, and what it leaves behind lets nobody find it again.

Its values become absent, its events leave their runs, its identifiers name nobody, its keys (those of profiles that
were merged into it among them) are overwritten and from then on refused. A text in a dictionary that only it had is
overwritten too. The ids of its events stay known, so that events sent again are still repetitions.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.indexes.attributes import Attribute
from headcount_engine.indexes.columns import ColumnEdit, cuts_by_block
from headcount_engine.indexes.dictionaries import Dictionary, SetDictionary
from headcount_engine.indexes.predicates import absent_value
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.texts import BLANK, TextTable
from headcount_engine.indexes.tombstones import (
    EraseEdit,
    Holder,
    Released,
    digests_of,
    marks_of,
)
from headcount_engine.ingest.keys import existing_profile
from headcount_engine.ingest.relinking import relinking
from headcount_engine.ingest.staging import OwnerEdit, Staged
from headcount_engine.limits import BLOCK_BITS, BLOCK_IDS, Limits
from headcount_engine.membership.lists import ListStore
from headcount_engine.model.batches import I64, U8
from headcount_engine.model.values import Kind

LEAST_BYTES = len(BLANK)
"""A shorter text is in every file by chance: there is nothing to overwrite, and nothing that could be proved."""


def stage_erasure(indexes: Indexes, lists: ListStore, key: str, now_us: int, limits: Limits) -> Staged:
    """Decide an erasure. Raises NotFound where the key names nobody, an erased profile's included."""
    profile = existing_profile(indexes, key, limits, "key")
    identities, secret = indexes.identities, indexes.tombstones.secret
    merged = identities.view().redirects.into(profile).astype(np.int64)
    keys = np.union1d(merged, [profile]).astype(np.int64)
    texts = identities.keys.take(keys)
    columns, owners = [], []
    for attribute in indexes.attributes.all().values():
        edit = _emptied(attribute, profile)
        if edit is not None:
            columns.append((attribute, edit))
        if attribute.definition.is_identifier:
            codes = np.flatnonzero(attribute.owners == profile + 1)
            if len(codes):
                owners.append(OwnerEdit(attribute, codes, np.zeros(len(codes), dtype=np.uint32)))
    digests = digests_of(secret, _raw(identities.keys, keys), is_value=False)
    released = tuple(_Unheld(indexes, secret, profile).all())
    erasure = EraseEdit(profile, keys, digests, marks_of(secret, texts), released, secret, now_us)
    return Staged(
        accepted=1,
        columns=tuple(columns),
        owners=tuple(owners),
        lists=lists.without(bitmaps.from_ids(np.array([profile], dtype=np.int64))),
        erasures=(erasure,),
        relinking=relinking(indexes, erasures=(erasure,)),
    )


def stage_release(indexes: Indexes) -> Staged:
    """Decide to overwrite every text that nobody holds: values that were replaced or refused leave such entries.

    One pass over every column of codes and every property of texts.
    """
    released = tuple(_Unheld(indexes, indexes.tombstones.secret).all())
    return Staged(
        accepted=int(bool(released)), released=released, relinking=relinking(indexes, released=released)
    )


def _emptied(attribute: Attribute, profile: int) -> ColumnEdit | None:
    ids = np.array([profile], dtype=np.int64)
    column = attribute.column
    if column.view().get(profile) is None:
        return None
    values = column.view().gather(ids)
    values[:] = absent_value(values.dtype)
    return column.stage(ids, values, cuts_by_block(ids))


def _raw(table: TextTable, numbers: I64) -> Iterable[bytes]:
    return (table[number] for number in numbers.tolist())


class _Unheld:
    """Finds the dictionary entries that nobody holds; with a profile, that nobody else holds and it does."""

    def __init__(self, indexes: Indexes, secret: bytes, profile: int | None = None) -> None:
        self._indexes = indexes
        self._secret = secret
        self._profile = profile

    def all(self) -> Iterable[Released]:
        for name, attribute in self._indexes.attributes.all().items():
            if attribute.dictionary is not None:
                mine = self._own_codes(attribute)
                if mine is None or len(mine):
                    held = self._held(attribute, len(attribute.dictionary))
                    yield from self._released(Holder.ATTRIBUTE, name, attribute.dictionary, mine, held)
        for name, texts in self._indexes.events.texts.items():
            yield from self._of_property(Holder.PROPERTY_TEXTS, name, Kind.TEXT, texts)
        for name, sets in self._indexes.events.sets.items():
            yield from self._of_property(Holder.PROPERTY_SETS, name, Kind.TEXT_SET, sets)

    def _own_codes(self, attribute: Attribute) -> I64 | None:
        """The codes that the profile holds; None where no profile is asked for."""
        if self._profile is None:
            return None
        own = {attribute.column.view().get(self._profile)}
        own.update(code for code, owner in attribute.leads.items() if owner == self._profile + 1)
        return np.array(sorted(code for code in own if isinstance(code, int)), dtype=np.int64)

    def _held(self, attribute: Attribute, entries: int) -> U8:
        """u8 over codes 0 .. entries: 1 where another profile has that value. One pass over the column."""
        held = np.zeros(entries + 1, dtype=np.uint8)
        own_block = -1 if self._profile is None else self._profile >> BLOCK_BITS
        for number, block in enumerate(attribute.column.blocks()):
            if number == own_block:
                assert self._profile is not None
                block = np.delete(block, self._profile & (BLOCK_IDS - 1))
            held[block] = 1
        for code, owner in attribute.leads.items():
            if self._profile is None or owner != self._profile + 1:
                held[code] = 1
        return held

    def _of_property(
        self, holder: Holder, name: str, kind: Kind, dictionary: Dictionary
    ) -> Iterable[Released]:
        held = np.zeros(len(dictionary) + 1, dtype=np.uint8)
        mine = np.zeros(len(dictionary) + 1, dtype=np.uint8)
        for view in self._indexes.events.views().values():
            if name not in view.properties or view.properties[name].kind is not kind:
                continue
            for run in view.runs:
                values = run.properties.get(name)
                if values is None:
                    continue
                if self._profile is None:
                    held[values] = 1
                    continue
                own = run.profiles == self._profile
                if own.any():
                    mine[values[own]] = 1
                    held[values[~own]] = 1
                else:
                    held[values] = 1
        chosen = None if self._profile is None else np.flatnonzero(mine[1:]) + 1
        if chosen is None or len(chosen):
            yield from self._released(holder, name, dictionary, chosen, held)

    def _released(
        self, holder: Holder, name: str, dictionary: Dictionary, mine: I64 | None, held: U8
    ) -> Iterable[Released]:
        """Of the codes `mine` (None: of all), the texts that are in nothing that is held."""
        held[0] = 1
        if isinstance(dictionary, SetDictionary):
            table = dictionary.elements
            numbers = np.arange(len(table)) if mine is None else _elements(dictionary, mine)
            numbers = np.setdiff1d(numbers, _elements(dictionary, np.flatnonzero(held[1:]) + 1))
        else:
            table = dictionary.table
            numbers = np.flatnonzero(held == 0) - 1 if mine is None else mine[held[mine] == 0] - 1
        _, starts = table.raw
        numbers = np.setdiff1d(numbers, table.blanks)
        numbers = numbers[starts[numbers + 1] - starts[numbers] >= LEAST_BYTES]
        if len(numbers):
            digests = digests_of(self._secret, _raw(table, numbers), is_value=True)
            yield Released(holder, name, 0, numbers, digests)


def _elements(sets: SetDictionary, codes: I64) -> I64:
    """Numbers of the elements that are in some of these sets, ascending."""
    return np.unique(sets.pairs_of(codes.astype(np.uint32)) & 0xFFFFFFFF)
