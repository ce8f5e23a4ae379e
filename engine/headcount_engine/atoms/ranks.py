"""Ranks of one attribute, kept: top and bottom so many, or so many percent, at the cost of those who cross the edge.

A rank is its edge: the value of the last one taken, how many values lie before it, how many are equal to it, and the
key of the last of these that is in. A batch moves the counts; only if the edge then stands wrong do the values around
it matter, and these come from an order that is shared by all ranks of the attribute. Values are whole numbers inside:
doubles as the integers that order as they do.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

import numpy as np

from headcount_engine.atoms.instants import ABSENT, GREATEST, InstantOrder
from headcount_engine.atoms.ties import Stretch, at_most, crossing
from headcount_engine.conditions.tree import End
from headcount_engine.indexes.columns import widen
from headcount_engine.indexes.predicates import Stored
from headcount_engine.kernels import orders
from headcount_engine.model.batches import F64, I64, U32, Mask, Texts

Keys = Callable[[I64], Texts]
"""Keys of dense ids, in the order asked."""

_ENTRIES_MIN = 64
_INT64 = np.dtype(np.int64)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a rank takes: `share` times the number of profiles that have the attribute, or `amount` as a count."""

    end: End
    amount: Fraction
    is_percent: bool

    def size(self, present: int) -> int:
        """Of so many who have the attribute: rounded up, and never more than there are."""
        exact = self.amount * present / 100 if self.is_percent else self.amount
        return min(-(-exact.numerator // exact.denominator), present)


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """Where a rank ends.

    value    of the last one taken; before anybody has a value, the best there could be
    before   how many have a better value
    tied     how many have this one
    last     key of the last of the tied that is taken; None: all of them are
    stretch  the tied around that one, to the last of them if all are taken; None: not looked at yet
    """

    value: int
    before: int
    tied: int
    last: bytes | None
    stretch: Stretch | None


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """Values that change: ids ascending; ABSENT for none. `present`: how many have a value afterwards."""

    ids: U32
    old: I64
    new: I64
    present: int
    keys: Keys
    _touching: dict[int, tuple[I64, Texts]] = field(default_factory=dict)

    def touching(self, value: int) -> tuple[I64, Texts]:
        """The rows that had or get a value, and their keys; asked for once, however many ranks end at the value."""
        if value not in self._touching:
            rows = np.flatnonzero((self.old == value) | (self.new == value))
            self._touching[value] = rows, self.keys(self.ids[rows].astype(np.int64))
        return self._touching[value]


@dataclass(frozen=True, slots=True, eq=False)
class RankEdit:
    """A staged batch. `flips` by handle: (entered, gone), u32 ascending, of which no id is in both."""

    flips: dict[int, tuple[U32, U32]]
    edges: dict[int, Edge]
    batch: _Batch
    number: int


class RankOrder:
    """All ranks over one attribute, in use. For the writer's thread alone; 22 bytes a profile.

    One batch is staged at a time: `stage`, then `publish` of its edit, or nothing.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._values: I64 = np.empty(0, dtype=np.int64)
        self._order = InstantOrder()
        self._present = 0
        self._wanted: dict[int, Wanted] = {}
        self._edges: dict[int, Edge] = {}
        self._handles = itertools.count(1)
        self._published = 0

    @staticmethod
    def of(ids: U32, values: Stored, keys: Keys) -> RankOrder:
        """Of ids, each once, and their stored values; those with the absent value are left out. 70 ms a million."""
        ranks = RankOrder(keys)
        ordered = _ordered(values)
        there = ordered != ABSENT
        ids, ordered = ids[there], ordered[there]
        ranks._cover(ids)
        ranks._values[ids] = ordered
        ranks._order = InstantOrder.of_pairs(ids, ordered)
        ranks._present = len(ids)
        return ranks

    def watch(self, end: End, amount: Decimal, is_percent: bool) -> int:
        """Keep a rank from now on; `amount` is more than 0. Returns its handle. One pass over the values."""
        handle = next(self._handles)
        wanted = Wanted(end, Fraction(amount), is_percent)
        self._wanted[handle], self._edges[handle] = wanted, self._first_edge(wanted)
        return handle

    def unwatch(self, handle: int) -> None:
        """Keep it no longer."""
        del self._wanted[handle], self._edges[handle]

    def members(self, handle: int) -> U32:
        """Ascending ids of a rank as published. One pass over the values."""
        ids = np.flatnonzero(self._values != ABSENT).astype(np.uint32)
        taken = _takes(self._wanted[handle], self._edges[handle], ids, self._values[ids], self._keys)
        return ids[taken]

    def stage(self, ids: U32, values: Stored, keys: Keys | None = None) -> RankEdit:
        """Decide who enters and who leaves each rank if these ids get these values; changes nothing.

        `ids` ascending, each once; `values` parallel, of any width, absent where there is none any more; `keys` also
        knows ids that are not published yet.
        """
        new = _ordered(values)
        old = np.full(len(ids), ABSENT, dtype=np.int64)
        known = len(ids) if len(ids) and ids[-1] < len(self._values) else int((ids < len(self._values)).sum())
        old[:known] = self._values[ids[:known]]
        rows = np.flatnonzero(old != new)
        old, new = old[rows], new[rows]
        present = self._present + int(np.count_nonzero(new != ABSENT)) - int(np.count_nonzero(old != ABSENT))
        batch = _Batch(ids[rows].astype(np.uint32), old, new, present, keys or self._keys)
        flips, edges = dict[int, tuple[U32, U32]](), dict[int, Edge]()
        for handle in self._edges:
            edges[handle], flips[handle] = self._step(handle, batch)
        return RankEdit(flips, edges, batch, self._published)

    def publish(self, edit: RankEdit) -> None:
        """Make a staged batch true. Ranks watched since it was staged follow it too."""
        assert edit.number == self._published, "another batch was published after this one was staged"
        batch = edit.batch
        self._edges = {
            handle: edit.edges[handle] if handle in edit.edges else self._step(handle, batch)[0]
            for handle in self._edges
        }
        if len(batch.ids):
            self._cover(batch.ids)
            self._values[batch.ids] = batch.new
            self._order.note(batch.ids, batch.new)
        self._present = batch.present
        self._published += 1

    @property
    def nbytes(self) -> int:
        stretches = (edge.stretch for edge in self._edges.values())
        held = sum(stretch.nbytes for stretch in stretches if stretch is not None)
        return self._values.nbytes + self._order.nbytes + held

    # ------------------------------------------------------------------------------------------ the edge

    def _first_edge(self, wanted: Wanted) -> Edge:
        there = self._values[self._values != ABSENT]
        if not len(there):
            return Edge(GREATEST if wanted.end is End.TOP else ABSENT + 1, 0, 0, None, None)
        size = wanted.size(len(there))
        place = len(there) - size if wanted.end is End.TOP else size - 1
        value = int(np.partition(there, place)[place])
        before = int((there > value).sum() if wanted.end is End.TOP else (there < value).sum())
        group = np.flatnonzero(self._values == value)
        place = size - before
        keys = None if place == len(group) else self._keys(group)
        return _edge(value, before, group.astype(np.uint32), place, keys)

    def _step(self, handle: int, batch: _Batch) -> tuple[Edge, tuple[U32, U32]]:
        """The edge after a batch, and who entered and left."""
        wanted, edge = self._wanted[handle], self._edges[handle]
        counts = np.empty(3, dtype=np.int64)
        is_top = wanted.end is End.TOP
        orders.count_crossings(batch.old, batch.new, edge.value, is_top, counts)
        before, tied = edge.before + int(counts[0]), edge.tied + int(counts[1])
        size, old_size = wanted.size(batch.present), wanted.size(self._present)
        if size == old_size and not counts[2]:
            return edge, (_NOBODY, _NOBODY)
        if before < size <= before + tied or size == before == 0:
            new, others = self._stay(edge, batch, before, tied, size - before)
        else:
            new, others = self._move(edge, batch, before, tied, size, is_top)
        was, now = _takes_of(wanted, edge, batch, batch.old), _takes_of(wanted, new, batch, batch.new)
        ids = batch.ids
        if len(others):
            ids, values = np.concatenate([ids, others]), self._values[others]
            was = np.concatenate([was, _takes(wanted, edge, others, values, batch.keys)])
            now = np.concatenate([now, _takes(wanted, new, others, values, batch.keys)])
        return new, (np.sort(ids[now & ~was]), np.sort(ids[was & ~now]))

    def _stay(self, edge: Edge, batch: _Batch, before: int, tied: int, place: int) -> tuple[Edge, U32]:
        """The same value, of whose holders `place` are taken now. Returns also the others who may cross."""
        stretch = edge.stretch
        if stretch is not None:
            rows, keys = batch.touching(edge.value)
            if len(rows):
                gone, come = batch.old[rows] == edge.value, batch.new[rows] == edge.value
                stretch = stretch.changed(keys, batch.ids[rows], gone, come)
            if not stretch.has(place):
                stretch = None
        last = None if place == tied or stretch is None else stretch.key_at(place)
        kept = None if stretch is None else stretch.trimmed(place, tied)
        if place == tied and edge.last is None:
            return Edge(edge.value, before, tied, None, kept), _NOBODY
        if stretch is not None:
            ids = np.sort(np.array(stretch.across(edge.last, last), dtype=np.uint32))
            return Edge(edge.value, before, tied, last, kept), ids[_others(ids, batch.ids)]
        ids, _, others = self._live(edge.value, edge.value, batch)
        keys = batch.keys(ids.astype(np.int64))
        new = _edge(edge.value, before, ids, place, keys)
        return new, ids[:others][crossing(keys, edge.last, new.last)[:others]]

    def _move(
        self, edge: Edge, batch: _Batch, before: int, tied: int, size: int, is_top: bool
    ) -> tuple[Edge, U32]:
        """Another value: so far on that the rank has its size. Returns also the others between, who may cross."""
        is_growing = size > before + tied
        is_down = is_top == is_growing
        steps = size - before - tied if is_growing else before - size + 1
        ids, values, others = self._passed(edge.value, steps, is_down, batch)
        place = len(values) - steps if is_down else steps - 1
        value = int(np.partition(values, place)[place])
        nearer = values > value if is_down else values < value
        here = values == value
        group = ids[here]
        passed = int(np.count_nonzero(nearer))
        before += tied + passed if is_growing else -passed - len(group)
        keys = None if size - before == len(group) else batch.keys(group.astype(np.int64))
        new = _edge(value, before, group, size - before, keys)
        crossed = ids[:others][(nearer | here)[:others]]
        if is_growing and edge.last is None:
            return new, crossed
        left, _, others = self._live(edge.value, edge.value, batch)
        return new, np.concatenate([crossed, left[:others]])

    def _passed(self, value: int, steps: int, is_down: bool, batch: _Batch) -> tuple[U32, I64, int]:
        """As `_live`, of values past `value` on one side: the nearest, at least `steps` of them."""
        entries = 2 * steps + _ENTRIES_MIN
        while True:
            far = self._order.reach(value, entries, is_down=is_down)
            if is_down:
                found = self._live(ABSENT + 1 if far is None else far, value - 1, batch)
            else:
                found = self._live(value + 1, GREATEST if far is None else far, batch)
            if far is None or len(found[0]) >= steps:
                return found
            entries *= 4

    def _live(self, first: int, last: int, batch: _Batch) -> tuple[U32, I64, int]:
        """(ids, values, how many of them are not in the batch) of values in [first, last] after the batch."""
        ids = self._order.between(first, last)
        values = self._values[ids]
        kept = (values >= first) & (values <= last) & _others(ids, batch.ids)
        rows = (batch.new >= first) & (batch.new <= last)
        ids = ids[kept]
        found = np.concatenate([ids, batch.ids[rows]]), np.concatenate([values[kept], batch.new[rows]])
        return *found, len(ids)

    def _cover(self, ids: U32) -> None:
        """Make room for the values of these ids."""
        if len(ids) and (end := int(ids.max()) + 1) > len(self._values):
            values = np.full(max(end, 2 * len(self._values)), ABSENT, dtype=np.int64)
            values[: len(self._values)] = self._values
            self._values = values

    def _check(self) -> None:
        """Compare every edge and the order with the values themselves."""
        self._order._check([self._values], ABSENT)
        ids = np.flatnonzero(self._values != ABSENT)
        assert self._present == len(ids), "so many have no value"
        texts = [key.encode() for key in self._keys(ids).to_list()]
        held = list(zip(self._values[ids].tolist(), texts, ids.tolist(), strict=True))
        for handle, wanted in self._wanted.items():
            edge, is_top = self._edges[handle], wanted.end is End.TOP
            inside = sorted((-v if is_top else v, key) for v, key, _ in held)[: wanted.size(len(held))]
            group = sorted((key, who) for v, key, who in held if v == edge.value)
            assert edge.before == sum(v > edge.value if is_top else v < edge.value for v, _, _ in held)
            assert edge.tied == len(group)
            if not inside:
                continue
            assert (-inside[-1][0] if is_top else inside[-1][0]) == edge.value, "the edge has another value"
            place = len(inside) - edge.before
            assert edge.last == (None if place == len(group) else inside[-1][1]), (
                "another is the last one taken"
            )
            if edge.stretch is not None:
                edge.stretch._check(group)
                assert edge.stretch.has(place) and (edge.last is not None or edge.stretch.last is None)


_NOBODY: U32 = np.empty(0, dtype=np.uint32)


def _edge(value: int, before: int, group: U32, place: int, keys: Texts | None) -> Edge:
    """An edge at a value whose holders are `group`, of whom `place` are taken; `keys` unless all are."""
    if keys is None or place == len(group):
        return Edge(value, before, len(group), None, None)
    stretch = Stretch.around(keys, group, place)
    return Edge(value, before, len(group), stretch.key_at(place), stretch)


def _is_better(wanted: Wanted, edge: Edge, values: I64) -> Mask:
    """Which values lie before the edge; ABSENT does not."""
    better: Mask
    if wanted.end is End.TOP:
        better = values > edge.value
    else:
        better = (values < edge.value) & (values != ABSENT)
    return better


def _takes(wanted: Wanted, edge: Edge, ids: U32, values: I64, keys: Keys) -> Mask:
    """Which of these ids, having these values, a rank with that edge takes."""
    taken = _is_better(wanted, edge, values)
    tied = np.flatnonzero(values == edge.value)
    if edge.last is None:
        taken[tied] = True
    elif len(tied):
        taken[tied] = at_most(keys(ids[tied].astype(np.int64)), edge.last)
    return taken


def _takes_of(wanted: Wanted, edge: Edge, batch: _Batch, values: I64) -> Mask:
    """The same of the ids of a batch: `values` are its old or its new ones."""
    taken = _is_better(wanted, edge, values)
    if edge.last is None:
        taken |= values == edge.value
    else:
        rows, keys = batch.touching(edge.value)
        taken[rows[(values[rows] == edge.value) & at_most(keys, edge.last)]] = True
    return taken


def _others(ids: U32, batch: U32) -> Mask:
    """Which of the ids are not in the batch; both ascending. The shorter is looked up in the longer."""
    if not len(ids) or not len(batch):
        return np.ones(len(ids), dtype=np.bool_)
    if len(ids) <= len(batch):
        places = np.minimum(np.searchsorted(batch, ids), len(batch) - 1)
        kept: Mask = batch[places] != ids
        return kept
    kept = np.ones(len(ids), dtype=np.bool_)
    places = np.minimum(np.searchsorted(ids, batch), len(ids) - 1)
    kept[places[ids[places] == batch]] = False
    return kept


def _ordered(values: Stored) -> I64:
    """As whole numbers in the same order, in an array of their own: ABSENT for no value, one number for both zeros."""
    if values.dtype.kind == "i":
        return widen(values, _INT64)
    wide: F64 = values.astype(np.float64) + 0.0
    bits = wide.view(np.int64)
    # The bits of negative doubles ascend as the doubles descend.
    out: I64 = np.where(bits < 0, bits ^ GREATEST, bits)
    out[np.isnan(wide)] = ABSENT
    return out
