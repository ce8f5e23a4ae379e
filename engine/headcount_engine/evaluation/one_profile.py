"""Is this one in? The bound rule for one profile: one cell per attribute leaf, its own events per event leaf, no scan.

Explain is this path with every answer recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

import numpy as np

from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import (
    AboutProfile,
    All,
    And,
    Bound,
    ColumnTest,
    Complement,
    CountOf,
    EventCount,
    EventDays,
    EventDistinct,
    EventExtreme,
    EventSequence,
    EventSum,
    Given,
    Keyed,
    Or,
    Ranked,
    Sampled,
    TypeSource,
)
from headcount_engine.conditions.spans import Span
from headcount_engine.evaluation.identity import Identity
from headcount_engine.evaluation.slices import rows_passing
from headcount_engine.evaluation.sums import as_numbers, total_passes
from headcount_engine.indexes import predicates
from headcount_engine.indexes.events import ROW
from headcount_engine.indexes.predicates import Stored
from headcount_engine.indexes.runs import Run
from headcount_engine.model.batches import I64
from headcount_engine.model.instants import local_days


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """The profile's events of one run that a leaf is about: ascending positions."""

    run: Run
    rows: I64
    source: int

    def values(self, name: str) -> Stored | None:
        """A property of these events; None if the run lacks it."""
        held = self.run.properties.get(name)
        return None if held is None else held[self.rows]

    def order(self) -> list[tuple[int, int, int, int]]:
        """(time, batch, row in the batch, position) of each event."""
        rows = self.values(ROW)
        in_batch = np.zeros(len(self.rows), dtype=np.int64) if rows is None else rows
        batches = self.run.batches_at(self.rows)
        columns = (self.run.times_us[self.rows], batches, in_batch, self.rows)
        return list(zip(*(c.tolist() for c in columns), strict=True))


class OneProfile:
    """Answers about one existing profile. Sub-rules that occur twice are answered once."""

    def __init__(self, profile: int, set_of: Callable[[Bound], Bitmap]) -> None:
        """`set_of` evaluates for everyone: what a rank needs, as it depends on all others."""
        self._profile = profile
        self._set_of = set_of
        self._answers: dict[int, bool] = {}
        self._rows: dict[int, I64] = {}
        self._outer: OneProfile | None = None
        self._carrying: dict[int, I64] | None = None
        """Inside `same`: for each run, the positions of the events that carry the value."""

    def holds(self, bound: Bound) -> bool:
        """Whether the profile satisfies the bound rule."""
        answer = self._answers.get(id(bound))
        if answer is None:
            answer = self._answers[id(bound)] = self._holds(bound)
        return answer

    def _holds(self, bound: Bound) -> bool:
        match bound:
            case All():
                return True
            case Given(bitmap):
                return self._profile in bitmap
            case ColumnTest(attribute, predicate):
                return predicates.holds(predicate, attribute.column.get(self._profile))
            case Sampled(buckets, low, high):
                return low <= int(buckets[self._profile]) < high
            case Ranked():
                return self._profile in self._set_of(bound)
            case Complement(child):
                return not self.holds(child)
            case And(children):
                return all(self.holds(c) for c in children)
            case Or(children):
                return any(self.holds(c) for c in children)
            case CountOf(low, high, children):
                return low <= sum(self.holds(c) for c in children) <= high
            case EventCount():
                return self.event_count(bound) in bound.count
            case EventSum():
                return total_passes(bound, self.numbers(bound))
            case EventDistinct():
                return bound.test(self.different_values(bound))
            case EventDays():
                return self.active_days(bound) in bound.count
            case EventExtreme():
                return self._extreme_passes(bound)
            case EventSequence():
                return self._sequence_holds(bound)
            case Keyed():
                return any(
                    self.about(carrying).holds(bound.child) for carrying in self.carried(bound).values()
                )
            case AboutProfile(child):
                return (self._outer or self).holds(child)
            case _:
                assert_never(bound)

    # ------------------------------------------------------------------------------------------ what leaves measure

    def event_count(self, bound: EventCount) -> int:
        """How many events match."""
        gone = (totals.of(self._profile) for totals in bound.gone)
        kept = sum(len(own.rows) for own in self._matching(bound.sources, bound.span))
        return kept + sum(held[0] for held in gone if held is not None)

    def numbers(self, bound: EventSum) -> list[Fraction | float]:
        """The values that are summed, exactly."""
        found: list[Fraction | float] = []
        for own in self._matching(bound.sources, bound.span):
            held = own.values(bound.property)
            if held is not None:
                there = held[predicates.passes(predicates.Present(), held)]
                found.extend(as_numbers(there, bound.digits[own.source]))
        return found

    def different_values(self, bound: EventDistinct) -> int:
        """How many different values the property has."""
        identity = Identity(bound.fields)
        keys: set[int] = set()
        for own in self._matching(bound.sources, bound.span):
            held = own.values(bound.property)
            if held is not None:
                keys.update(identity.keys(held, own.source)[1].tolist())
        return len(keys)

    def active_days(self, bound: EventDays) -> int:
        """On how many days there was a match."""
        days: set[int] = set()
        for own in self._matching(bound.sources, bound.span):
            days.update(local_days(own.run.times_us[own.rows], bound.zone).tolist())
        return len(days)

    def _extreme_passes(self, bound: EventExtreme) -> bool:
        best = None
        for own in self._matching(bound.sources, bound.span):
            passing = rows_passing(bound.passes[own.source], own.run, own.rows).tolist()
            for place, passes in zip(own.order(), passing, strict=True):
                if best is None or (place > best[0]) is bound.is_latest:
                    best = (place, passes)
        return best is not None and best[1]

    def _sequence_holds(self, bound: EventSequence) -> bool:
        firsts = self._places(bound.first, bound.first_span)
        thens = self._places(bound.then, bound.then_span)
        for first in firsts:
            follows = any(then > first and then[0] - first[0] <= bound.within_us for then in thens)
            if follows is not bound.is_negated and first[0] <= bound.ripe_us:
                return True
        return False

    def _places(self, sources: tuple[TypeSource, ...], span: Span) -> list[tuple[int, int, int, int]]:
        return [place for own in self._matching(sources, span) for place in own.order()]

    # ------------------------------------------------------------------------------------------ keyed

    def carried(self, bound: Keyed) -> dict[int, dict[int, I64]]:
        """For each value on the profile's own events: by run, the positions of the events that carry it."""
        identity = Identity(bound.fields)
        found: dict[int, dict[int, list[int]]] = {}
        for own in self._matching(bound.sources, bound.span):
            held = own.values(bound.property)
            if held is not None:
                rows, keys = identity.keys(held, own.source)
                for row, key in zip(own.rows[rows].tolist(), keys.tolist(), strict=True):
                    found.setdefault(key, {}).setdefault(id(own.run), []).append(row)
        return {
            key: {run: np.unique(np.array(rows, dtype=np.int64)) for run, rows in by_run.items()}
            for key, by_run in found.items()
        }

    def about(self, carrying: dict[int, I64]) -> OneProfile:
        """The same profile, seeing only these events of each run."""
        inner = OneProfile(self._profile, self._set_of)
        inner._outer = self
        inner._carrying = carrying
        return inner

    # ------------------------------------------------------------------------------------------ its events

    def _matching(self, sources: tuple[TypeSource, ...], span: Span) -> Iterator[Own]:
        """The profile's events that lie in the span and pass, by run."""
        for number, source in enumerate(sources):
            for run in source.type.runs:
                rows = self._rows_in(run)
                start, end = run.between(span.first, span.last)
                rows = rows[(rows >= start) & (rows < end)]
                if len(rows) and source.where is not None:
                    rows = rows[rows_passing(source.where, run, rows)]
                if len(rows):
                    yield Own(run, rows, number)

    def _rows_in(self, run: Run) -> I64:
        if self._carrying is not None:
            return self._carrying.get(id(run), np.empty(0, dtype=np.int64))
        rows = self._rows.get(id(run))
        if rows is None:
            rows = self._rows[id(run)] = run.permutations.rows_of(run.profiles, self._profile)
        return rows
