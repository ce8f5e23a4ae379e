"""The events that a leaf is about: for each run the part in the span, and which of it passes `where`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from headcount_engine.conditions.bound import (
    Always,
    CountEvent,
    EventTest,
    NotEvent,
    PropertyTest,
    TypeSource,
)
from headcount_engine.conditions.spans import Span
from headcount_engine.evaluation.spaces import Space
from headcount_engine.indexes import predicates
from headcount_engine.indexes.events import ROW
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.runs import Run
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64, U8, U32, Mask

NO_MASK: U8 = np.empty(0, dtype=np.uint8)
"""All events pass."""


@dataclass(slots=True, eq=False)
class Slice:
    """Some events of one run, in its order.

    members  u32: whose each event is, in the space
    where    what they have to pass; None: all pass
    source   index of the source in the leaf
    """

    run: Run
    start: int
    end: int
    rows: I64 | None
    """Positions from `start`; None: all from start to end."""
    members: U32
    where: EventTest | None
    source: int
    _mask: U8 | None = None

    @property
    def mask(self) -> U8:
        """u8 per event, or empty if all pass; worked out when first asked for."""
        if self._mask is None:
            self._mask = NO_MASK if self.where is None else self.test(self.where)
        return self._mask

    def __len__(self) -> int:
        return len(self.members)

    def of(self, column: Stored) -> Stored:
        """A column of the run, for these events."""
        part = column[self.start : self.end]
        return part if self.rows is None else part[self.rows]

    def values(self, name: str) -> Stored | None:
        """A property of these events; None if no event of the run has it."""
        held = self.run.properties.get(name)
        return None if held is None else self.of(held)

    def test(self, test: EventTest) -> U8:
        """u8 per event: 1 where a test holds."""
        mask = event_mask(test, self.run, self.start, self.end)
        return mask if self.rows is None else mask[self.rows]

    @property
    def times_us(self) -> I64:
        times: I64 = self.of(self.run.times_us)
        return times

    @property
    def batches(self) -> I64:
        """Batch number of each event: i64."""
        if len(self.run.arrival_starts) == 1:
            return np.full(len(self), self.run.arrival_batches[0], dtype=np.int64)
        rows = np.arange(self.start, self.end) if self.rows is None else self.rows + self.start
        return self.run.batches_at(rows)

    @property
    def arrival_rows(self) -> I64:
        """Row in the batch of each event where it matters, else 0: i64."""
        held = self.values(ROW)
        return np.zeros(len(self), dtype=np.int64) if held is None else held.astype(np.int64)

    def passing(self) -> Slice:
        """The same without the events that do not pass."""
        if not len(self.mask):
            return self
        chosen = np.flatnonzero(self.mask)
        rows = chosen if self.rows is None else self.rows[chosen]
        return Slice(self.run, self.start, self.end, rows, self.members[chosen], None, self.source)

    def picked(self) -> list[Part]:
        """The events that pass, where postings find them, and slices of what must be looked through."""
        wanted = None if self.where is None or self.rows is not None else _wanted(self.where)
        column = None if wanted is None else self.run.properties.get(wanted[0])
        if wanted is None or column is None or column.dtype.kind != "u":
            return [self]
        name, codes = wanted
        found, rest = self.run.postings.members(name, codes, self.run.profiles, column, self.start, self.end)
        parts: list[Part] = [Picked(members) for members in found if len(members)]
        return parts + [self.part(start, end) for start, end in rest]

    def part(self, start: int, end: int) -> Slice:
        """The events from start to end, of a slice of all its run's from a position on."""
        members = self.members[start - self.start : end - self.start]
        return Slice(self.run, start, end, None, members, self.where, self.source)

    def cut(self, pieces: int) -> list[Slice]:
        """The same events as up to so many slices of equal length."""
        if self.rows is not None or pieces < 2:
            return [self]
        edges = [self.start + (self.end - self.start) * i // pieces for i in range(pieces + 1)]
        return [self.part(a, b) for a, b in itertools.pairwise(edges) if a < b]


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """Members of events that pass, each once for every event; nothing else is known of these."""

    members: U32
    where: None = None

    def __len__(self) -> int:
        return len(self.members)

    def cut(self, pieces: int) -> list[Picked]:
        """As up to so many parts of equal length."""
        edges = [len(self.members) * i // pieces for i in range(pieces + 1)]
        return [Picked(self.members[a:b]) for a, b in itertools.pairwise(edges) if a < b]


Part = Slice | Picked


def _wanted(test: EventTest) -> tuple[str, tuple[int, ...]] | None:
    """(property, codes) of a test that a property has one of these codes; None for any other test."""
    match test:
        case PropertyTest(name, predicates.Range(low, high)) if low == high and low > 0:
            return name, (int(low),)
        case CountEvent(1, high, children) if high == len(children):
            found = [_wanted(child) for child in children]
            names = {held[0] for held in found if held is not None}
            if None in found or len(names) != 1:
                return None
            return names.pop(), tuple(sorted({c for held in found if held is not None for c in held[1]}))
        case _:
            return None


def slices(space: Space, sources: tuple[TypeSource, ...], span: Span, deadline: Deadline) -> Iterator[Slice]:
    """The parts of all runs that lie in the span; empty ones are left out. The deadline is looked at between runs."""
    for number, source in enumerate(sources):
        for run in source.type.runs:
            start, end = run.between(span.first, span.last)
            if start == end:
                continue
            deadline.check()
            rows, members = space.members_of(run, start, end)
            if not len(members):
                continue
            yield Slice(run, start, end, rows, members, source.where, number)


def event_mask(test: EventTest, run: Run, start: int, end: int) -> U8:
    """u8 per event of run[start:end]: 1 where the test holds."""
    match test:
        case Always(value):
            return np.full(end - start, value, dtype=np.uint8)
        case PropertyTest(name, predicate):
            held = run.properties.get(name)
            if held is None:
                return np.zeros(end - start, dtype=np.uint8)
            return predicates.mask_events(predicate, held[start:end])
        case NotEvent(child):
            mask = event_mask(child, run, start, end)
            flipped: U8 = mask ^ np.uint8(1)
            return flipped
        case CountEvent(low, high, children):
            masks = [event_mask(c, run, start, end) for c in children]
            if low == len(masks):
                return np.asarray(np.minimum.reduce(masks))
            if low == 1 and high == len(masks):
                return np.asarray(np.maximum.reduce(masks))
            total = np.sum(masks, axis=0, dtype=np.uint16)
            return np.asarray((total >= low) & (total <= high), dtype=np.uint8)
        case _:
            assert_never(test)


def rows_passing(test: EventTest, run: Run, rows: I64) -> Mask:
    """bool per position in `rows`: whether that event passes."""
    match test:
        case Always(value):
            return np.full(len(rows), value, dtype=np.bool_)
        case PropertyTest(name, predicate):
            held = run.properties.get(name)
            if held is None:
                return np.zeros(len(rows), dtype=np.bool_)
            return predicates.passes(predicate, held[rows])
        case NotEvent(child):
            return ~rows_passing(child, run, rows)
        case CountEvent(low, high, children):
            total = np.sum([rows_passing(c, run, rows) for c in children], axis=0)
            return np.asarray((total >= low) & (total <= high))
        case _:
            assert_never(test)
