"""Is this one in? The bound rule for one profile: one cell per attribute leaf, its own events per event leaf, no scan."""

from __future__ import annotations

from typing import assert_never

import numpy as np

from headcount_engine.conditions.bound import (
    All,
    Always,
    And,
    Bound,
    ColumnTest,
    Complement,
    CountEvent,
    CountOf,
    EventCount,
    EventSum,
    EventTest,
    Given,
    NotEvent,
    Or,
    PropertyTest,
    TypeSource,
)
from headcount_engine.conditions.spans import Span
from headcount_engine.evaluation.events import as_numbers, total_passes
from headcount_engine.indexes import predicates
from headcount_engine.indexes.runs import Run
from headcount_engine.model.batches import I64, Mask


class OneProfile:
    """Answers about one existing profile. Sub-rules that occur twice are answered once."""

    def __init__(self, profile: int) -> None:
        self._profile = profile
        self._answers: dict[int, bool] = {}
        self._rows: dict[int, I64] = {}

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
            case Complement(child):
                return not self.holds(child)
            case And(children):
                return all(self.holds(c) for c in children)
            case Or(children):
                return any(self.holds(c) for c in children)
            case CountOf(low, high, children):
                return low <= sum(self.holds(c) for c in children) <= high
            case EventCount(sources, span, count):
                return sum(len(rows) for s in sources for _, rows in self._matching(s, span)) in count
            case EventSum():
                return self._sum_passes(bound)
            case _:
                assert_never(bound)

    def _sum_passes(self, bound: EventSum) -> bool:
        numbers = []
        for source, digits in zip(bound.sources, bound.digits, strict=True):
            for run, rows in self._matching(source, bound.span):
                held = run.properties.get(bound.property)
                if held is not None:
                    there = held[rows]
                    absent = np.isnan(there) if there.dtype.kind == "f" else there == predicates.absent_value(there.dtype)
                    numbers.extend(as_numbers(there[~absent], digits))
        return total_passes(bound, numbers)

    def _matching(self, source: TypeSource, span: Span) -> list[tuple[Run, I64]]:
        """The profile's events of one type that lie in the span and pass, as positions in each run."""
        found = []
        for run in source.type.runs:
            rows = self._rows_in(run)
            start, end = run.between(span.first, span.last)
            rows = rows[(rows >= start) & (rows < end)]
            if len(rows) and source.where is not None:
                rows = rows[rows_passing(source.where, run, rows)]
            if len(rows):
                found.append((run, rows))
        return found

    def _rows_in(self, run: Run) -> I64:
        rows = self._rows.get(id(run))
        if rows is None:
            rows = self._rows[id(run)] = run.permutations.rows_of(run.profiles, self._profile)
        return rows


def rows_passing(test: EventTest, run: Run, rows: I64) -> Mask:
    """bool per row: whether that event passes."""
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
            return (total >= low) & (total <= high)
        case _:
            assert_never(test)
