"""Which values of an event property are in use, the most frequent first."""

from __future__ import annotations

import numpy as np

from headcount_engine.indexes.dictionaries import TRUE_CODE, SetDictionary, TextDictionary
from headcount_engine.indexes.events import EventStore, TypeView
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.batches import I64
from headcount_engine.model.values import Cell, Kind

LOOKED_AT = 1 << 20
"""Events of each property that are looked at: the latest. 5 ms."""


def frequent_values(
    events: EventStore, held: TypeView, name: str, now_us: int, count: int
) -> tuple[Cell, ...]:
    """Up to `count` values among the latest million events up to now, those that as many have in the order of their
    texts: of a set its elements. None of kinds without codes.
    """
    kind = held.properties[name].kind
    if kind not in (Kind.TEXT, Kind.BOOL, Kind.TEXT_SET):
        return ()
    by_code = _counts(held, name, now_us)
    codes = np.flatnonzero(by_code[1:]) + 1
    if kind is Kind.BOOL:
        found: dict[Cell, int] = {code == TRUE_CODE: int(by_code[code]) for code in codes.tolist()}
    elif kind is Kind.TEXT:
        largest = codes[by_code[codes] >= _least(by_code[codes], count)]
        texts = events.dictionary(name, kind)
        assert isinstance(texts, TextDictionary)
        found = {texts.value(code): int(by_code[code]) for code in largest.tolist()}
    else:
        sets = events.dictionary(name, kind)
        assert isinstance(sets, SetDictionary)
        numbers = sets.pairs_of(codes.astype(np.uint32))
        by_element = np.bincount(numbers & 0xFFFFFFFF, weights=by_code[codes][numbers >> 32], minlength=1)
        elements = np.flatnonzero(by_element)
        largest = elements[by_element[elements] >= _least(by_element[elements].astype(np.int64), count)]
        found = {sets.elements[n].decode(): int(by_element[n]) for n in largest.tolist()}
    return tuple(sorted(found, key=lambda cell: (-found[cell], str(cell))))[:count]


def _least(counts: I64, count: int) -> int:
    """How many have the last of the `count` most frequent."""
    return 1 if len(counts) <= count else int(np.partition(counts, -count)[-count])


def _counts(held: TypeView, name: str, now_us: int) -> I64:
    """How many of the latest events have each code; 0 is absent."""
    total = np.zeros(1, dtype=np.int64)
    left = LOOKED_AT
    for run in sorted(held.runs, key=lambda run: run.ends[1], reverse=True):
        values = run.properties.get(name)
        _, end = run.between(INSTANT_MIN_US, now_us)
        start = max(end - left, 0)
        left -= end - start
        if values is not None and start < end:
            counts = np.bincount(values[start:end], minlength=len(total)).astype(np.int64)
            counts[: len(total)] += total
            total = counts
    return total
