"""How the members of a rule divide: by value, by range, by calendar step, by what they did; beside everyone.

Exact counts, each in one pass over the column under a mask of words: 1 to 3 ms a pass at a million profiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.audiences.bins import Ranges, fitting_steps, ranges_of
from headcount_engine.audiences.numbers import Numbers
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import EventCount, TypeSource
from headcount_engine.conditions.spans import Span
from headcount_engine.conditions.tree import AT_LEAST_ONCE, Condition, EventName
from headcount_engine.errors import InvalidArgument, UnknownField, UnknownName
from headcount_engine.evaluation.answer import Question
from headcount_engine.evaluation.execute import Execution
from headcount_engine.indexes.attributes import AttributeView
from headcount_engine.indexes.dictionaries import FALSE_CODE, TRUE_CODE, SetDictionary, TextDictionary
from headcount_engine.indexes.events import TypeView
from headcount_engine.kernels import breakdowns as kernels
from headcount_engine.kernels import events
from headcount_engine.limits import BLOCK_IDS, BLOCK_WORDS, INSTANT_MIN_US
from headcount_engine.model.analytics import (
    Belonging,
    Breakdown,
    By,
    ByAttribute,
    ByBelonging,
    ByEventCount,
    CalendarSteps,
    EachValue,
    Edges,
    EqualWidth,
    Group,
    Quantiles,
)
from headcount_engine.model.batches import I64, U64
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import Cell, Kind, ValueType

GROUPS_MAX = 10_000
_LOOKED_AT = 4_096
"""Members by whose numbers it is first judged whether there are too many different ones to list."""
_COUNT = ValueType(Kind.INT)


def breakdowns(
    question: Question,
    members: Bitmap,
    asked: Sequence[By],
    segments: Mapping[str, Condition],
    execution: Execution,
) -> tuple[tuple[Breakdown, ...], list[str]]:
    """(the members divided in each of the ways asked for, warnings).

    `segments`: by id, for whoever asks for those; what the question pinned must cover them. Raises UnknownField,
    InvalidArgument, DeadlineExceeded.
    """
    dividing = Dividing(question, members, segments, execution)
    found = tuple(_divided(dividing, by, f"breakdowns[{place}]") for place, by in enumerate(asked))
    return found, dividing.warnings


def _divided(dividing: Dividing, by: By, path: str) -> Breakdown:
    try:
        return dividing.by(by)
    except UnknownName as error:
        raise UnknownField(error.kind, error.name, error.suggestions, path=f"{path}.attribute") from error


class Dividing:
    """One set of members under division. Not for more than one thread."""

    def __init__(
        self, question: Question, members: Bitmap, segments: Mapping[str, Condition], execution: Execution
    ) -> None:
        self._question = question
        self._members = members
        self._segments = segments
        self._execution = execution
        self._binder = question.binder()
        population = question.view.population
        self._blocks = population.blocks
        self._masks: tuple[U64, U64] = (bitmaps.to_words(members, population.blocks), population.words[0])

    @property
    def warnings(self) -> list[str]:
        """What was asked about that nobody has so far."""
        return self._binder.warnings

    def by(self, by: By) -> Breakdown:
        if not 1 <= by.limit <= GROUPS_MAX:
            raise InvalidArgument(f"1 to {GROUPS_MAX:,} groups, got {by.limit:,}", path="limit")
        self._question.deadline.check()
        match by:
            case ByAttribute(name):
                attribute = self._binder.attribute(name)
                kind = attribute.definition.type.kind
                if kind is Kind.POINT:
                    raise InvalidArgument(f"{name!r} is a point: it has no values to list", path="attribute")
                if kind in (Kind.BOOL, Kind.TEXT, Kind.TEXT_SET):
                    if by.bins is not None and not isinstance(by.bins, EachValue):
                        raise InvalidArgument(f"{kind.value} values have no ranges", path="bins")
                    if kind is Kind.TEXT_SET:
                        return self._by_element(by, attribute)
                    return self._by_code(by, attribute)
                return self._by_number(by, self.numbers(attribute))
            case ByEventCount(event):
                return self._by_number(by, self._event_counts(event))
            case ByBelonging(what):
                return self._by_belonging(by, what)
            case _:
                assert_never(by)

    def _by_belonging(self, by: ByBelonging, what: Belonging) -> Breakdown:
        match what:
            case Belonging.TAGS:
                return self._by_element(by, self._binder.attribute(TAGS))
            case Belonging.CHANNELS:
                return self._by_element(by, self._binder.attribute(CHANNELS))
            case Belonging.SEGMENTS:
                plans = {id_: self._execution.plan(self._binder.bind(r)) for id_, r in self._segments.items()}
                return self._by_set(by, {id_: self._execution.members(plan) for id_, plan in plans.items()})
            case Belonging.EVENTS:
                types = self._question.view.event_types
                return self._by_set(by, {name: self._doers(types[name]) for name in sorted(types)})
            case _:
                assert_never(what)

    # ------------------------------------------------------------------------------------------------ codes

    def _code_counts(self, attribute: AttributeView) -> tuple[I64, I64]:
        """(members, everyone) by code; code 0 is absent."""
        both = []
        entries = 2 if attribute.dictionary is None else attribute.entries
        for mask in self._masks:
            counts = np.zeros(entries + 1, dtype=np.int64)
            for b in range(self._blocks):
                words = mask[b * BLOCK_WORDS : (b + 1) * BLOCK_WORDS]
                if b < len(attribute.column.blocks):
                    kernels.count_codes(attribute.column.blocks[b], words, counts)
                else:
                    counts[0] += int(np.bitwise_count(words).sum())
                if b % 16 == 15:
                    self._question.deadline.check()
            both.append(counts)
        return both[0], both[1]

    def _by_code(self, by: ByAttribute, attribute: AttributeView) -> Breakdown:
        counts, totals = self._code_counts(attribute)
        dictionary = attribute.dictionary

        def cell(code: int) -> Cell:
            if dictionary is None:
                return {FALSE_CODE: False, TRUE_CODE: True}[code]
            assert isinstance(dictionary, TextDictionary)
            return dictionary.value(code)

        candidates = _largest(counts, by.limit, first=1)
        chosen = sorted(candidates, key=lambda code: (-counts[code], str(cell(code))))[: by.limit]
        groups = tuple(_single(cell(code), counts[code], totals[code]) for code in chosen)
        absent = int(counts[0]), int(totals[0])
        return Breakdown(by, groups, self._rest(groups, absent), absent)

    def _rest(self, groups: Sequence[Group], absent: tuple[int, int]) -> tuple[int, int]:
        """Who is in no group and not absent, where everyone is in one group at most."""
        total = self._question.view.population.count
        return (
            len(self._members) - absent[0] - sum(g.count for g in groups),
            total - absent[1] - sum(g.total_count for g in groups),
        )

    def _by_element(self, by: ByAttribute | ByBelonging, attribute: AttributeView) -> Breakdown:
        """Sets: codes are counted once, and then what each stands for."""
        dictionary = attribute.dictionary
        assert isinstance(dictionary, SetDictionary)
        by_code = self._code_counts(attribute)
        elements, starts = dictionary.raw
        starts = starts[: attribute.entries + 1]
        elements = elements[: int(starts[-1]) if len(starts) else 0]
        lengths = np.diff(starts)
        owners = np.repeat(np.arange(len(lengths)), lengths)
        counts, totals = (
            np.bincount(elements, weights=held[1:][owners], minlength=1).astype(np.int64) for held in by_code
        )
        candidates = _largest(counts, by.limit, first=0)
        names = {number: dictionary.elements[number].decode() for number in candidates}
        chosen = sorted(candidates, key=lambda number: (-counts[number], names[number]))[: by.limit]
        groups = tuple(_single(names[number], counts[number], totals[number]) for number in chosen)
        is_other = ~np.isin(elements, np.array(chosen, dtype=elements.dtype))
        has_other = np.bincount(owners, weights=is_other, minlength=len(lengths)) > 0
        is_empty = lengths == 0
        other = tuple(int(held[1:][has_other].sum()) for held in by_code)
        absent = tuple(int(held[0] + held[1:][is_empty].sum()) for held in by_code)
        return Breakdown(by, groups, (other[0], other[1]), (absent[0], absent[1]))

    # ------------------------------------------------------------------------------------------------ sets

    def _doers(self, held: TypeView) -> Bitmap:
        """Who did something at least once, up to now."""
        span = Span(INSTANT_MIN_US, self._question.moment.now_us)
        found = self._execution.set_of(EventCount((TypeSource(held, None),), span, AT_LEAST_ONCE))
        population = self._question.view.population
        return found if population.count == population.ids_end else found & population.existing

    def _by_set(self, by: ByBelonging, sets: Mapping[str, Bitmap]) -> Breakdown:
        members, everyone = self._members, self._question.view.population
        found = [(members.intersection_cardinality(held), len(held), name) for name, held in sets.items()]
        found.sort(key=lambda group: (-group[0], group[2]))
        groups = tuple(_single(name, count, total) for count, total, name in found[: by.limit] if count)
        shown = {group.value for group in groups}
        rest = Bitmap.union(*(held for name, held in sets.items() if name not in shown), bitmaps.EMPTY)
        in_some = Bitmap.union(*sets.values(), bitmaps.EMPTY)
        return Breakdown(
            by,
            groups,
            (members.intersection_cardinality(rest), len(rest)),
            (len(members) - members.intersection_cardinality(in_some), everyone.count - len(in_some)),
        )

    # ------------------------------------------------------------------------------------------------ numbers

    def numbers(self, attribute: AttributeView) -> Numbers:
        """The numbers, instants or dates of an attribute."""
        column = attribute.column
        deadline = self._question.deadline
        return Numbers(column.blocks, column.dtype, attribute.definition.type, *self._masks, deadline)

    def _event_counts(self, event: str) -> Numbers:
        """How often each profile did it, up to now; nobody did what nobody knows, with a warning."""
        counts = np.zeros(self._blocks * BLOCK_IDS, dtype=np.uint32)
        for held in self._binder.types(EventName(event)):
            for run in held.runs:
                self._question.deadline.check()
                start, end = run.between(INSTANT_MIN_US, self._question.moment.now_us)
                events.count(run.profiles[start:end], counts)
        blocks = tuple(counts.astype(np.int64).reshape(-1, BLOCK_IDS))
        return Numbers(blocks, np.dtype("int64"), _COUNT, *self._masks, self._question.deadline)

    def _by_number(self, by: ByAttribute | ByEventCount, numbers: Numbers) -> Breakdown:
        match by.bins:
            case None:
                if self.are_few(numbers, by.limit):
                    return self._by_single_number(by, numbers)
                if numbers.type.kind in (Kind.INSTANT, Kind.DATE):
                    steps = fitting_steps(by.limit, numbers, self._question.moment)
                    return self.by_range(by, numbers, ranges_of(steps, numbers, self._question.moment))
                ranges = ranges_of(EqualWidth(min(by.limit, 1_000)), numbers, self._question.moment)
                return self.by_range(by, numbers, ranges)
            case EachValue():
                return self._by_single_number(by, numbers)
            case EqualWidth() | Quantiles() | Edges() | CalendarSteps():
                return self.by_range(by, numbers, ranges_of(by.bins, numbers, self._question.moment))
            case _:
                assert_never(by.bins)

    @staticmethod
    def are_few(numbers: Numbers, limit: int) -> bool:
        """Whether the members have at most so many different numbers."""
        values = numbers.values()
        first = values[: max(_LOOKED_AT, 2 * limit)]
        return len(np.unique(first)) <= limit and len(np.unique(values)) <= limit

    def _by_single_number(self, by: ByAttribute | ByEventCount, numbers: Numbers) -> Breakdown:
        values, counts = np.unique(numbers.values(), return_counts=True)
        # By count, then by value: unique values come ascending, and the sort is stable.
        chosen = np.argsort(-counts, kind="stable")[: by.limit]
        ascending = np.sort(chosen)
        mine, all_ = numbers.count_listed(values[ascending])
        groups = tuple(
            _single(numbers.cell(values[index].item()), mine[2 + place], all_[2 + place])
            for index, place in zip(chosen, np.searchsorted(ascending, chosen), strict=True)
        )
        return Breakdown(by, groups, (int(mine[1]), int(all_[1])), (int(mine[0]), int(all_[0])))

    def by_range(self, by: ByAttribute | ByEventCount, numbers: Numbers, ranges: Ranges) -> Breakdown:
        """The members of each range."""
        mine, all_ = numbers.count_ranges(ranges.stored)
        absent = int(mine[0]), int(all_[0])
        inner = len(ranges.cells) - 1
        groups = [
            Group(ranges.cells[i], ranges.cells[i + 1], True, int(mine[2 + i]), int(all_[2 + i]))
            for i in range(inner)
        ]
        if ranges.is_open:
            below = Group(None, ranges.cells[0], True, int(mine[1]), int(all_[1]))
            above = Group(ranges.cells[-1], None, True, int(mine[-1]), int(all_[-1]))
            groups = [below, *groups, above]
        return Breakdown(by, tuple(groups), self._rest(groups, absent), absent)


def _single(value: Cell, count: int, total: int) -> Group:
    return Group(value, None, False, int(count), int(total))


def _largest(counts: I64, limit: int, first: int) -> list[int]:
    """Numbers with the largest counts above 0, and all that tie with the last of them."""
    there = np.flatnonzero(counts[first:]) + first
    if len(there) > limit:
        edge = np.partition(counts[there], len(there) - limit)[len(there) - limit]
        there = there[counts[there] >= edge]
    return [int(number) for number in there]
