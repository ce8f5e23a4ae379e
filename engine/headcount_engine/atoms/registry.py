"""The predicates in use: each canonical leaf once, whoever says it, with a bit in every profile's row."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from headcount_engine.atoms.reads import Reads, reads_of
from headcount_engine.conditions.bound import Bound
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.tree import (
    Anniversary,
    AttributeLeaf,
    Condition,
    Did,
    HasChannel,
    HasConsent,
    HasTag,
    InWindow,
    Known,
    Rank,
    walk,
)
from headcount_engine.model.segments import ListName


class AtomKind(enum.Enum):
    """How an atom is kept current."""

    COUNT = "count"
    """`did x at least k times`: by the steps of a counter."""
    COLUMN = "column"
    """On attributes: by testing the values that were written, or that the clock carried over an end."""
    VERIFY = "verify"
    """All else: by asking again about each profile whose data it reads changed or crossed an end."""
    RANK = "rank"
    """By the order index of its attribute."""
    LIST = "list"
    """What somebody put on a list."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of a segment as an atom."""

    segment: str
    which: ListName


@dataclass(frozen=True, slots=True)
class Retained:
    """Who is kept in a segment although the rule ceased to hold, as an atom."""

    segment: str


AtomKey = Condition | Listed | Retained


@dataclass(slots=True, eq=False)
class Atom:
    """One predicate. `slot` is its bit in a row; `holds_of_nobody`: its truth for one of whom nothing is known.

    `bound` is kept with what it was bound to, so that it need not be made again.
    """

    slot: int
    key: AtomKey
    kind: AtomKind
    reads: Reads
    users: int = 0
    holds_of_nobody: bool = False
    bound: Bound | None = None
    bound_to: tuple[int, ...] = field(default_factory=tuple)

    @property
    def leaf(self) -> Condition:
        """The condition; of an atom that is one."""
        assert not isinstance(self.key, Listed | Retained)
        return self.key


def kind_of(key: AtomKey) -> AtomKind:
    """How an atom of this key is kept current."""
    match key:
        case Listed() | Retained():
            return AtomKind.LIST
        case Rank():
            return AtomKind.RANK
        case Did() if not _is_timed(key):
            return AtomKind.COUNT
        case HasTag() | HasChannel() | HasConsent() | Known():
            return AtomKind.COLUMN
        case _ if isinstance(key, AttributeLeaf):
            return AtomKind.COLUMN
        case _:
            return AtomKind.VERIFY


def _is_timed(leaf: Did) -> bool:
    """Whether the clock changes which events pass the `where`."""
    where = leaf.events.where
    return where is not None and any(isinstance(n, InWindow | Anniversary) for n in walk(where))


class Atoms:
    """All atoms by key and by slot. Slots of atoms that nobody uses are given out again."""

    def __init__(self) -> None:
        self._by_key: dict[AtomKey, Atom] = {}
        self._by_slot: list[Atom | None] = []
        self._free: list[int] = []

    def __iter__(self) -> Iterator[Atom]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    @property
    def slots(self) -> int:
        """One more than the highest slot ever given out."""
        return len(self._by_slot)

    def get(self, key: AtomKey) -> Atom | None:
        return self._by_key.get(key)

    def at(self, slot: int) -> Atom:
        """The atom in a slot that is in use."""
        atom = self._by_slot[slot]
        assert atom is not None
        return atom

    def find(self, slot: int) -> Atom | None:
        """The atom in a slot; None where it is free."""
        return self._by_slot[slot]

    def use(self, key: AtomKey, definitions: Definitions) -> tuple[Atom, bool]:
        """(the atom with one more user, whether it is new)."""
        atom = self._by_key.get(key)
        is_new = atom is None
        if atom is None:
            if self._free:
                slot = self._free.pop()
            else:
                slot = len(self._by_slot)
                self._by_slot.append(None)
            reads = Reads() if isinstance(key, Listed | Retained) else reads_of(key, definitions)
            atom = Atom(slot, key, kind_of(key), reads)
            self._by_key[key] = self._by_slot[slot] = atom
        atom.users += 1
        return atom, is_new

    def drop(self, key: AtomKey) -> Atom | None:
        """One user less; the atom if that was the last, whose slot is free from now on."""
        atom = self._by_key[key]
        atom.users -= 1
        if atom.users:
            return None
        del self._by_key[key]
        self._by_slot[atom.slot] = None
        self._free.append(atom.slot)
        return atom
