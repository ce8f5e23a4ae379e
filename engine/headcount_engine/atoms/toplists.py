"""Ranks of all attributes that live segments use, each kept by an order of its attribute."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.atoms.after import After
from headcount_engine.atoms.ranks import RankEdit, RankOrder
from headcount_engine.atoms.registry import Atom
from headcount_engine.atoms.tallies import Toggles
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.tree import Rank
from headcount_engine.indexes.store import Indexes
from headcount_engine.model.batches import I64, Texts
from headcount_engine.model.changes import Cause


@dataclass(frozen=True, slots=True, eq=False)
class RanksEdit:
    """By attribute, what its order makes of a commit; `slots` are the atoms of its handles then."""

    edits: Sequence[tuple[str, RankEdit, Mapping[int, int]]]

    def toggles(self) -> list[Toggles]:
        """Who enters and leaves; others move when one does."""
        found = []
        for _, edit, slots in self.edits:
            for handle, (entered, gone) in edit.flips.items():
                ids = np.concatenate([entered, gone]).astype(np.int64)
                if len(ids):
                    found.append(Toggles.of(ids, slots[handle], Cause.ATTRIBUTE))
        return found


class Ranks:
    """One order for each attribute that is ranked."""

    def __init__(self) -> None:
        self._orders: dict[str, RankOrder] = {}
        self._slots: dict[str, dict[int, int]] = {}

    @property
    def nbytes(self) -> int:
        return sum(order.nbytes for order in self._orders.values())

    def watch(self, atom: Atom, after: After) -> Bitmap:
        """Keep a rank; who is in it, as published."""
        leaf = _rank(atom)
        name = unicodedata.normalize("NFC", leaf.attribute)
        if name not in self._orders:
            attribute = after.attribute(name)
            assert attribute is not None
            ids = np.arange(after.first_new, dtype=np.int64)
            values = attribute.column.view().gather(ids)
            keys = _Keys(after.indexes)
            self._orders[name] = RankOrder.of(ids.astype(np.uint32), values, keys)
            self._slots[name] = {}
        order = self._orders[name]
        handle = order.watch(leaf.end, leaf.amount, leaf.is_percent)
        self._slots[name][handle] = atom.slot
        return bitmaps.from_ids(order.members(handle))

    def unwatch(self, atom: Atom) -> None:
        """Keep it no longer; an order without ranks goes."""
        name = unicodedata.normalize("NFC", _rank(atom).attribute)
        slots = self._slots[name]
        (handle,) = [h for h, slot in slots.items() if slot == atom.slot]
        self._orders[name].unwatch(handle)
        del slots[handle]
        if not slots:
            del self._orders[name], self._slots[name]

    def stage(self, after: After, written: Mapping[str, I64]) -> RanksEdit:
        """What written values do to the ranks of their attributes."""
        edits = []
        for name, order in self._orders.items():
            ids = written.get(name)
            if ids is not None and len(ids):
                values = after.values(after.changes.columns[name][0], ids)
                edit = order.stage(ids.astype(np.uint32), values, after.keys_at)
                edits.append((name, edit, dict(self._slots[name])))
        return RanksEdit(edits)

    def publish(self, edit: RanksEdit) -> None:
        """Make staged orders true."""
        for name, staged, _ in edit.edits:
            if name in self._orders:
                self._orders[name].publish(staged)


class _Keys:
    """Keys of published profiles."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def __call__(self, ids: I64) -> Texts:
        return self._indexes.identities.keys.take(ids)


def _rank(atom: Atom) -> Rank:
    leaf = atom.leaf
    assert isinstance(leaf, Rank)
    return leaf
