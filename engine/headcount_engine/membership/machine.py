"""The programs of all live segments in the arrays that the kernel runs, and the order in which they hang together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from headcount_engine.atoms.current import CurrentAtoms
from headcount_engine.atoms.tallies import Toggles
from headcount_engine.atoms.touches import lists_of
from headcount_engine.evaluation.threads import shares, side_by_side
from headcount_engine.kernels import members as kernels
from headcount_engine.membership import programs
from headcount_engine.membership.ceasing import timed_parts
from headcount_engine.membership.places import Place, ordered
from headcount_engine.model.batches import I64, U64
from headcount_engine.model.segments import SegmentState

_FLIPS_LEAST = 1 << 12
_ROWS_LEAST = 1_000
"""Rows for which a second thread is worth its start."""


class Machine:
    """The programs of all segments in the arrays that the kernel runs."""

    def __init__(self, places: Mapping[str, Place], atoms: CurrentAtoms, width: int) -> None:
        order = ordered(places)
        ranks = {id_: rank for rank, id_ in enumerate(order)}
        users: list[list[int]] = [[] for _ in range(max(64 * atoms.rows.width, atoms.atoms.slots))]
        followers: list[list[int]] = [[] for _ in order]
        codes: list[int] = []
        starts = [0]
        depth = 1

        for rank, id_ in enumerate(order):
            place = places[id_]
            for slot in place.slots:
                users[slot].append(rank)
            for other in place.others:
                followers[ranks[other]].append(rank)
            codes.extend(programs.codes_of(place.formula, atoms.slot_of, lambda other: places[other].slot))
            starts.append(len(codes))
            depth = max(depth, programs.depth_of(place.formula))
        self.rules = [place for id_, place in places.items() if programs.is_hidden(id_)]
        self.levels = levels(places, order)
        self.formulas = {id_: place.formula for id_, place in places.items()}
        parts = {place.id: timed_parts(self.formulas, place.id) for place in self.rules}
        self.timed_slots = {
            id_: [atoms.slot_of(leaf) for leaf in leaves] for id_, (leaves, _) in parts.items()
        }
        """By rule with a retention, the atoms that the clock can change,"""
        self.stays = {id_: segments for id_, (_, segments) in parts.items()}
        """and the segments with a retention that it reads."""
        self.names = {places[id_].slot: id_ for id_ in order if not programs.is_hidden(id_)}
        shown = {
            slot: id_
            for slot, id_ in self.names.items()
            if places[id_].definition.state is not SegmentState.ARCHIVED
        }
        ordered_ids = sorted(shown.values())
        # As objects, so that numpy picks hundreds of them at once.
        self.ids: NDArray[np.object_] = np.array(ordered_ids, dtype=object)
        by_id = {id_: place for place, id_ in enumerate(ordered_ids)}
        self.places = np.full(64 * width, -1, dtype=np.int64)
        """By slot, the segment's place among the ids; -1 where there is none."""
        for slot, id_ in shown.items():
            self.places[slot] = by_id[id_]
        self._user_starts, self._users = lists_of(users)
        self._follower_starts, self._followers = lists_of(followers)
        self._slots = np.array([places[id_].slot for id_ in order], dtype=np.int64)
        self._code_starts = np.array(starts, dtype=np.int64)
        self._codes = np.array(codes, dtype=np.int64)
        self._stack = np.zeros(depth + 1, dtype=np.uint8)
        self._pending = np.zeros((len(order) + 63) >> 6, dtype=np.uint64)
        self._causes = np.full(max(len(order), 1), 255, dtype=np.uint8)
        self._width = width
        self._of_nobody: U64 | None = None
        self._row_of_nobody: U64 | None = None

    def run(self, ids: I64, toggles: Toggles, atom_rows: U64, member_rows: U64) -> I64:
        """Apply toggles to the rows of `ids` and ask who flips: (row, slot, joined, cause) each."""
        order = np.argsort(toggles.ids, kind="stable")
        starts = np.searchsorted(toggles.ids[order], np.append(ids, np.iinfo(np.int64).max)).astype(np.int64)
        atoms, causes = toggles.atoms[order], toggles.causes[order]

        def ask(part: tuple[int, int]) -> list[I64]:
            begin, end = part
            found_in_part = []
            own_starts, own_atoms, own_members = (
                starts[begin : end + 1],
                atom_rows[begin:end],
                member_rows[begin:end],
            )
            stack, pending, own_causes = self._stack.copy(), self._pending.copy(), self._causes.copy()
            out = np.empty((max(_FLIPS_LEAST, 2 * len(self._slots), end - begin), 4), dtype=np.int64)
            first = 0
            while first < end - begin:
                first, found = kernels.evaluate(
                    first, own_starts, atoms, causes, own_atoms, own_members, self._user_starts, self._users,
                    self._follower_starts, self._followers, self._slots, self._code_starts, self._codes,
                    stack, pending, own_causes, out,
                )  # fmt: skip
                out[:found, 0] += begin
                found_in_part.append(out[:found].copy())
            return found_in_part

        parts = side_by_side(shares(len(ids), _ROWS_LEAST), ask)
        flips = [found for part in parts for found in part]
        return np.concatenate(flips) if flips else np.empty((0, 4), dtype=np.int64)

    def members_of_nobody(self, atom_row: U64, width: int) -> U64:
        """The segments that a profile is in of whom nothing is known."""
        if (
            self._of_nobody is None
            or self._row_of_nobody is None
            or not np.array_equal(self._row_of_nobody, atom_row)
        ):
            members = np.zeros((1, width), dtype=np.uint64)
            for rank in range(len(self._slots)):
                start, end = int(self._code_starts[rank]), int(self._code_starts[rank + 1])
                value = kernels.value_of(self._codes, start, end, atom_row, members[0], self._stack)
                slot = int(self._slots[rank])
                members[0, slot >> 6] |= np.uint64(int(value) << (slot & 63))
            self._of_nobody, self._row_of_nobody = members[0], atom_row
        return self._of_nobody


def levels(places: Mapping[str, Place], order: Sequence[str]) -> list[list[Place]]:
    """The rules of segments with retention: those that hang on no other such segment, then those that do, and so on."""
    depths: dict[str, int] = {}
    levels: list[list[Place]] = []
    for id_ in order:
        depth = max((depths[other] for other in places[id_].others), default=0)
        if programs.is_hidden(id_):
            levels.extend([] for _ in range(depth + 1 - len(levels)))
            levels[depth].append(places[id_])
            depth += 1
        depths[id_] = depth
    return levels
