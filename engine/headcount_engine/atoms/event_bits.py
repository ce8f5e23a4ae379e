"""What is known of each event as a row of bits: which of the conditions on one event hold for it.

The `where` of a counter comes down to bits that must be set and bits that must not. A condition on a coded property
is a table over its codes, so that an event costs one look-up for each property, however many conditions there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from headcount_engine.conditions.bound import Always, CountEvent, EventTest, NotEvent, PropertyTest
from headcount_engine.evaluation.slices import event_mask
from headcount_engine.indexes import predicates
from headcount_engine.indexes.runs import Run
from headcount_engine.kernels import tallies as kernels
from headcount_engine.model.batches import U64


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """Bits that an event must have and must not have."""

    need: frozenset[int]
    deny: frozenset[int]


class EventBits:
    """The tests of one event type, each with its bit."""

    def __init__(self, codes: dict[str, int]) -> None:
        """`codes`: by name of a coded property, the number of its codes (0, absent, included)."""
        self._codes = codes
        self._tests: dict[EventTest, int] = {}
        self._tables: dict[str, U64] = {}
        self._untabled: list[tuple[EventTest, int]] = []
        self.words = 1

    def wanted(self, test: EventTest | None) -> Wanted | None:
        """What an event must have to pass; None if none can. Enters tests that are new."""
        if test is None or test == Always(True):
            return Wanted(frozenset(), frozenset())
        if test == Always(False):
            return None
        literals = _literals(test)
        if literals is None:
            literals = [(test, True)]
        need = frozenset(self._bit(t) for t, is_wanted in literals if is_wanted)
        deny = frozenset(self._bit(t) for t, is_wanted in literals if not is_wanted)
        return None if need & deny else Wanted(need, deny)

    def seal(self) -> None:
        """Make the tables; no test may be entered after."""
        self.words = max(1, (len(self._tests) + 63) >> 6)
        for test, bit in self._tests.items():
            if isinstance(test, PropertyTest) and test.name in self._codes:
                table = self._tables.get(test.name)
                if table is None:
                    table = np.zeros((self._codes[test.name], self.words), dtype=np.uint64)
                    self._tables[test.name] = table
                passing = predicates.passes(test.predicate, np.arange(len(table), dtype=np.uint32))
                table[passing, bit >> 6] |= np.uint64(1 << (bit & 63))
            else:
                self._untabled.append((test, bit))

    def of(self, run: Run, start: int, end: int) -> U64:
        """The bits of events [start, end) of a run: u64 of (n, words)."""
        bits = np.zeros((end - start, self.words), dtype=np.uint64)
        for name, table in self._tables.items():
            held = run.properties.get(name)
            if held is not None:
                kernels.look_up(held[start:end], table, bits)
        for test, bit in self._untabled:
            kernels.set_bit(event_mask(test, run, start, end), bit, bits)
        return bits

    def _bit(self, test: EventTest) -> int:
        return self._tests.setdefault(test, len(self._tests))


def _literals(test: EventTest) -> list[tuple[EventTest, bool]] | None:
    """The test as a conjunction of single tests, each wanted or not; None if it is none."""
    match test:
        case PropertyTest():
            return [(test, True)]
        case NotEvent(PropertyTest() as child):
            return [(child, False)]
        case CountEvent(low, _, children) if low == len(children):
            return _all_literals(children)
        case NotEvent(CountEvent(1, high, children)) if high == len(children):
            parts = [NotEvent(c) if isinstance(c, PropertyTest) else None for c in children]
            return None if None in parts else [(c, False) for c in children]
        case _:
            return None


def _all_literals(children: Iterable[EventTest]) -> list[tuple[EventTest, bool]] | None:
    found: list[tuple[EventTest, bool]] = []
    for child in children:
        literals = _literals(child)
        if literals is None:
            return None
        found.extend(literals)
    return found


def packed(wanted: list[frozenset[int]], words: int) -> U64:
    """Sets of bits as rows: u64 of (n, words)."""
    rows = np.zeros((len(wanted), words), dtype=np.uint64)
    for row, bits in enumerate(wanted):
        for bit in bits:
            rows[row, bit >> 6] |= np.uint64(1 << (bit & 63))
    return rows
