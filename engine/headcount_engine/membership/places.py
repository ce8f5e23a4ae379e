"""Live segments as they are kept, and everyone's bits of those that are defined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headcount_engine.atoms.current import CurrentAtoms
from headcount_engine.atoms.filling import Filling
from headcount_engine.atoms.registry import AtomKey, Retained
from headcount_engine.atoms.rows import ColumnWriter, Rows, addresses, column_of_block, put_columns
from headcount_engine.evaluation.threads import WORKERS, side_by_side
from headcount_engine.kernels import members as kernels
from headcount_engine.limits import BLOCK_WORDS
from headcount_engine.membership import programs
from headcount_engine.membership.catalogue import Definition
from headcount_engine.membership.programs import Formula
from headcount_engine.model.batches import U64

_SMALL = 256
"""Fewer lines of a block than this, in all blocks together, are not worth a second thread."""


@dataclass(slots=True, eq=False)
class Place:
    """One live segment: its bit in a row, what it reads, and its members."""

    id: str
    slot: int
    formula: Formula
    atoms: list[AtomKey]
    slots: frozenset[int]
    others: list[str]
    definition: Definition


def ordered(places: Mapping[str, Place]) -> list[str]:
    """Ids so that every segment comes after those that it refers to."""
    done: dict[str, None] = {}
    for root in places:
        stack = [(root, False)]
        while stack:
            id_, is_ready = stack.pop()
            if id_ in done:
                continue
            if is_ready:
                done[id_] = None
                continue
            stack.append((id_, True))
            stack.extend((other, False) for other in places[id_].others if other not in done)
    return list(done)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Everyone's bits: by slot of a segment, its `members`; by slot of an atom, who is `kept` by retention."""

    members: dict[int, U64] = field(default_factory=dict)
    kept: dict[int, U64] = field(default_factory=dict)


def draw(
    defined: set[str],
    places: Mapping[str, Place],
    atoms: CurrentAtoms,
    rows: Rows[np.uint64],
    filling: Filling,
    relisted: Mapping[int, U64],
    existing: U64,
    *,
    is_read: bool,
) -> Drawn:
    """Everyone's bits of the segments that are defined, that read lists given anew, or that refer to such.

    The rows of atoms are written: new atoms, lists given anew (by slot, their words), and who is kept by retention,
    since those for whom a rule comes to hold by this are kept no longer. Those of members are only where nobody can
    read them yet (`is_read` False). `existing`: a bit for everyone there is.
    """
    chosen = set(defined)
    if relisted:
        chosen |= {id_ for id_, p in places.items() if not p.slots.isdisjoint(relisted)}
    order = []
    for id_ in ordered(places):
        if id_ in chosen or not chosen.isdisjoint(places[id_].others):
            chosen.add(id_)
            order.append(places[id_])
    members = np.empty((len(order), len(existing)), dtype=np.uint64)
    hidden = [p for p in order if programs.is_hidden(p.id)]
    kept = np.empty((len(hidden), len(existing)), dtype=np.uint64)
    drawn = Drawn(
        {place.slot: members[line] for line, place in enumerate(order)},
        {atoms.slot_of(Retained(p.definition.id)): kept[line] for line, p in enumerate(hidden)},
    )
    rows.ensure(atoms.rows.ids_end)
    drawing = _Drawing(places, order, atoms, rows, filling, relisted, existing, drawn, is_read=is_read)
    blocks = len(existing) // BLOCK_WORDS
    parts = WORKERS if blocks * (len(filling) + len(order)) >= _SMALL else 1
    side_by_side([range(first, blocks, parts) for first in range(parts)], drawing.draw)
    put_columns(atoms.rows, {**relisted, **drawn.kept})
    return drawn


class _Drawing:
    """The programs of segments in order, as the kernel runs them; what threads that draw share."""

    def __init__(
        self,
        places: Mapping[str, Place],
        order: Sequence[Place],
        atoms: CurrentAtoms,
        rows: Rows[np.uint64],
        filling: Filling,
        relisted: Mapping[int, U64],
        existing: U64,
        drawn: Drawn,
        *,
        is_read: bool,
    ) -> None:
        """`order`: the segments, each after those it refers to."""
        self._is_read = is_read
        self._members = np.array([place.slot for place in order], dtype=np.int64)
        self._atoms, self._rows, self._filling, self._existing = atoms.rows, rows, filling, existing
        codes: list[int] = []
        starts, outs, becomes = [0], list[U64](), list[int]()
        depth = 2
        for place in order:
            codes += programs.codes_of(place.formula, atoms.slot_of, lambda other: places[other].slot)
            starts.append(len(codes))
            outs.append(drawn.members[place.slot])
            becomes.append(place.slot)
            depth = max(depth, programs.depth_of(place.formula))
            if programs.is_hidden(place.id):
                slot = atoms.slot_of(Retained(place.definition.id))
                codes += programs.codes_of_others(slot, place.slot)
                starts.append(len(codes))
                outs.append(drawn.kept[slot])
                becomes.append(-1 - slot)
        self._codes, self._starts = np.array(codes, dtype=np.int64), np.array(starts, dtype=np.int64)
        self._becomes, self._depth = np.array(becomes, dtype=np.int64), depth
        self._outs = np.array([words.ctypes.data for words in outs], dtype=np.int64)
        self._atom_slots_end = 64 * atoms.rows.width
        self._member_slots_end = 1 + max((p.slot for p in places.values()), default=0)
        self._listed = {slot: np.ascontiguousarray(words) for slot, words in relisted.items()}
        read = {slot for place in order for slot in place.slots} | set(drawn.kept)
        self._held_atoms = sorted(read.difference(filling.slots.tolist(), relisted))
        others = {places[other].slot for place in order for other in place.others}
        self._held_members = sorted(others.difference(drawn.members))

    def draw(self, numbers: Iterable[int]) -> None:
        """Some blocks, one after the other in the same memory."""
        room, writer = self._filling.room(), ColumnWriter(self._atoms, self._filling.slots)
        member_writer = ColumnWriter(self._rows, self._members)
        held = np.empty((len(self._held_atoms) + len(self._held_members), BLOCK_WORDS), dtype=np.uint64)
        stack = np.empty((self._depth + 1, BLOCK_WORDS), dtype=np.uint64)
        atoms = np.zeros(self._atom_slots_end, dtype=np.int64)
        members = np.zeros(self._member_slots_end, dtype=np.int64)
        for number in numbers:
            offset = number * 8 * BLOCK_WORDS
            existing = self._existing[number * BLOCK_WORDS : (number + 1) * BLOCK_WORDS]
            self._filling.block(number, existing, room)
            atoms[self._filling.slots] = addresses(room)
            for slot, words in self._listed.items():
                atoms[slot] = words.ctypes.data + offset
            split = len(self._held_atoms)
            for line, slot in enumerate(self._held_atoms):
                column_of_block(self._atoms, slot, number, held[line])
            for line, slot in enumerate(self._held_members, split):
                column_of_block(self._rows, slot, number, held[line])
            atoms[self._held_atoms] = addresses(held[:split])
            members[self._held_members] = addresses(held[split:])
            kernels.draw(
                self._outs + offset, self._becomes, self._starts, self._codes, atoms, members, existing, stack
            )
            writer.put(number, addresses(room))
            if not self._is_read:
                member_writer.put(number, members[self._members])
