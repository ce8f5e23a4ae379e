"""Leaves that need more of a history than a count: different values, days, the latest, sequences; and `same`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bound import (
    And,
    Bound,
    EventCount,
    EventDays,
    EventDistinct,
    EventExtreme,
    EventSequence,
    Keyed,
    TypeSource,
)
from headcount_engine.conditions.spans import Span
from headcount_engine.evaluation.identity import Identity
from headcount_engine.evaluation.plan import events_in
from headcount_engine.evaluation.slices import Slice, slices
from headcount_engine.evaluation.spaces import Pairs, People, Space
from headcount_engine.evaluation.sums import compare_doubles
from headcount_engine.indexes.identities import PopulationView
from headcount_engine.kernels import events as event_kernels
from headcount_engine.kernels import histories as kernels
from headcount_engine.limits import BLOCK_BITS, BLOCK_WORDS
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64, U8, U32
from headcount_engine.model.instants import local_days
from headcount_engine.model.values import Kind

T = TypeVar("T", bound=np.generic)


def _ids(space: Space) -> int:
    return space.blocks << BLOCK_BITS


def _joined(parts: Sequence[NDArray[T]], dtype: type[T]) -> NDArray[T]:
    return np.concatenate(parts) if parts else np.empty(0, dtype=dtype)


def _count_different(members: U32, keys: I64, space: Space) -> U32:
    """How many different keys each member has: u32 per member."""
    order = np.lexsort((keys, members))
    counts = np.zeros(_ids(space), dtype=np.uint32)
    kernels.count_changes(members[order], keys[order], counts)
    return counts


def distinct_set(bound: EventDistinct, space: Space, deadline: Deadline) -> Bitmap:
    """Members with a number of different values that passes; none is 0."""
    identity = Identity(bound.fields)
    members, keys = [], []
    for part in slices(space, bound.sources, bound.span, deadline):
        part = part.passing()
        values = part.values(bound.property)
        if values is not None:
            rows, found = identity.keys(values, part.source)
            members.append(part.members[rows])
            keys.append(found)
    counts = _count_different(_joined(members, np.uint32), _joined(keys, np.int64), space)
    passing = compare_doubles(bound.test, counts.astype(np.float64))
    return bitmaps.from_words(np.packbits(passing, bitorder="little").view(np.uint64)) & space.everyone


def days_set(bound: EventDays, space: Space, deadline: Deadline) -> Bitmap:
    """Members that were active on a number of days that passes; none is 0."""
    members, days = [], []
    for part in slices(space, bound.sources, bound.span, deadline):
        part = part.passing()
        members.append(part.members)
        days.append(local_days(part.times_us, bound.zone))
    counts = _count_different(_joined(members, np.uint32), _joined(days, np.int64), space)
    words = np.empty(_ids(space) // 64, dtype=np.uint64)
    high = (1 << 62) if bound.count.high is None else bound.count.high
    event_kernels.counts_to_words(counts, bound.count.low, high, words)
    return bitmaps.from_words(words) & space.everyone


def extreme_set(bound: EventExtreme, space: Space, deadline: Deadline) -> Bitmap:
    """Members whose latest (or first) matching event passes."""
    times = np.zeros(_ids(space), dtype=np.int64)
    batches = np.full(_ids(space), -1, dtype=np.int64)
    rows = np.zeros(_ids(space), dtype=np.int64)
    passes = np.zeros(_ids(space), dtype=np.uint8)
    for part in slices(space, bound.sources, bound.span, deadline):
        kernels.keep_extreme(
            part.members, part.times_us, part.batches, part.arrival_rows, part.mask,
            part.test(bound.passes[part.source]), bound.is_latest, times, batches, rows, passes,
        )  # fmt: skip
    return bitmaps.from_words(np.packbits(passes, bitorder="little").view(np.uint64))


# ------------------------------------------------------------------------------------------------ sequences


def sequence_set(bound: EventSequence, space: Space, deadline: Deadline) -> Bitmap:
    """Members with a first and a then after it in time, or with a first that none follows in time."""
    members, times, firsts, thens = _in_order(bound, space, deadline)
    words = np.zeros(space.blocks * BLOCK_WORDS, dtype=np.uint64)
    if bound.is_negated:
        kernels.not_followed(members, times, firsts, thens, bound.within_us, bound.ripe_us, words)
    else:
        kernels.followed(members, times, firsts, thens, bound.within_us, words)
    return bitmaps.from_words(words)


def _in_order(bound: EventSequence, space: Space, deadline: Deadline) -> tuple[U32, I64, U8, U8]:
    """(members, times, is a first, is a then) of all events that are either, by member, then (time, arrival)."""
    parts: list[Slice] = []
    firsts: list[U8] = []
    thens: list[U8] = []
    for part, is_first, is_then in _either(bound, space, deadline):
        parts.append(part)
        firsts.append(is_first)
        thens.append(is_then)
    members = _joined([p.members for p in parts], np.uint32)
    times = _joined([p.times_us for p in parts], np.int64)
    order: I64
    if len(parts) > 1:
        batches = np.concatenate([p.batches for p in parts])
        rows = np.concatenate([p.arrival_rows for p in parts])
        order = np.lexsort((rows, batches, times, members))
    else:
        starts = np.zeros(_ids(space) + 1, dtype=np.int64)
        order = np.empty(len(members), dtype=np.int64)
        kernels.group_by_profile(members, starts, order)
    return members[order], times[order], _joined(firsts, np.uint8)[order], _joined(thens, np.uint8)[order]


def _either(bound: EventSequence, space: Space, deadline: Deadline) -> Iterator[tuple[Slice, U8, U8]]:
    """Each run once, with what of it is a first and what a then; events that are neither are left out."""
    wanted: dict[str, tuple[TypeSource | None, TypeSource | None]] = {}
    for source in bound.first:
        wanted[source.type.name] = (source, None)
    for source in bound.then:
        wanted[source.type.name] = (wanted.get(source.type.name, (None, None))[0], source)
    span = Span(
        min(bound.first_span.first, bound.then_span.first), max(bound.first_span.last, bound.then_span.last)
    )
    for first, then in wanted.values():
        held = first or then
        assert held is not None
        for part in slices(space, (TypeSource(held.type, None),), span, deadline):
            is_first = _role(part, first, bound.first_span)
            is_then = _role(part, then, bound.then_span)
            either = np.flatnonzero(is_first | is_then)
            if len(either):
                rows = either if part.rows is None else part.rows[either]
                chosen = Slice(part.run, part.start, part.end, rows, part.members[either], None, 0)
                yield chosen, is_first[either], is_then[either]


def _role(part: Slice, source: TypeSource | None, span: Span) -> U8:
    if source is None:
        return np.zeros(len(part), dtype=np.uint8)
    times = part.times_us
    inside = ((times >= span.first) & (times <= span.last)).view(np.uint8)
    return inside if source.where is None else inside & part.test(source.where)


# ------------------------------------------------------------------------------------------------ same


def pair_space(bound: Keyed, people: PopulationView, deadline: Deadline) -> Pairs:
    """The pairs of profile and value that `child` is asked about.

    If the child needs some count of at least one, pairs without such an event cannot satisfy it, so only that leaf's
    events make pairs; else every event that carries the property does.
    """
    identity = Identity(bound.fields)
    carried: dict[int, tuple[I64, U32]] = {}
    coded = {f.type.kind for f in bound.fields} <= {Kind.TEXT} or {f.type.kind for f in bound.fields} <= {
        Kind.TEXT_SET
    }
    dense = _DenseKeys(coded)
    for source, held in enumerate(bound.sources):
        for run in held.type.runs:
            values = run.properties.get(bound.property)
            if values is not None:
                positions, values_keys = identity.keys(values, source)
                carried[id(run)] = (positions, dense.numbers(values_keys))
    anchor = _anchor(bound.child)
    sources, span = (bound.sources, bound.span) if anchor is None else (anchor.sources, anchor.span)
    everything = People(people)
    profiles: list[U32] = []
    keys32: list[U32] = []
    for part in slices(everything, sources, span, deadline):
        rows_of, keys_of = carried.get(id(part.run), (np.empty(0, np.int64), np.empty(0, np.uint32)))
        first, last = np.searchsorted(rows_of, [part.start, part.end])
        rows: I64 = rows_of[first:last]
        keys = keys_of[first:last]
        if len(part.mask):
            passing = part.mask[rows - part.start] != 0
            rows, keys = rows[passing], keys[passing]
        profiles.append(part.run.profiles[rows])
        keys32.append(keys)
    return _make_pairs(_joined(profiles, np.uint32), _joined(keys32, np.uint32), carried, people)


class _DenseKeys:
    """Keys of 64 bits as dense numbers of 32; codes are that already."""

    def __init__(self, is_small: bool) -> None:
        self._is_small = is_small
        self._numbers: dict[int, int] = {}

    def numbers(self, keys: I64) -> U32:
        if not len(keys):
            return np.empty(0, dtype=np.uint32)
        if not self._numbers and self._is_small:
            return keys.astype(np.uint32)
        unique, inverse = np.unique(keys, return_inverse=True)
        dense = [self._numbers.setdefault(k, len(self._numbers)) for k in unique.tolist()]
        return np.array(dense, dtype=np.uint32)[inverse]


def _make_pairs(
    profiles: U32, keys: U32, carried: dict[int, tuple[I64, U32]], people: PopulationView
) -> Pairs:
    slots = 1 << max(2 * len(profiles), 16).bit_length()
    table = (np.zeros(slots, dtype=np.uint64), np.zeros(slots, dtype=np.uint32))
    owners = np.empty(len(profiles), dtype=np.uint32)
    numbers = np.empty(len(profiles), dtype=np.uint32)
    count = kernels.enter_pairs(profiles, keys, *table, 0, owners, numbers)
    return Pairs(owners[:count].copy(), carried, table, people)


def _anchor(child: Bound) -> EventCount | None:
    """The count of at least one that `child` cannot hold without, over the fewest events; None if there is none."""
    match child:
        case EventCount() if child.count.low >= 1:
            return child
        case And(children):
            found = [a for a in map(_anchor, children) if a is not None]
            return min(found, key=lambda a: events_in(a.sources, a.span), default=None)
        case _:
            return None
