"""Dictionaries of coded columns: code 0 is absent, code n + 1 is entry n.

A condition on a text or a set is decided once per distinct entry, never per profile: `passes` gives a u8 table over
codes, kept and only extended when the dictionary has grown.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

from headcount_engine.indexes.texts import BLANK, TextTable
from headcount_engine.kernels import sets as kernels
from headcount_engine.model.batches import I64, U8, U32, Texts

_TABLES_KEPT = 256
_BLANKED = BLANK.tobytes().decode()

FALSE_CODE = 1
TRUE_CODE = 2


class _Tables:
    """Tables by the condition they answer for, least recently used out first. Any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, U8] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, entries: int, extend: Callable[[int, int], U8]) -> U8:
        """u8 of entries + 1 (code 0 fails); `extend(first, end)` decides entries first .. end - 1."""
        with self._lock:
            table = self._kept.get(key)
            if table is not None:
                self._kept.move_to_end(key)
        have = 0 if table is None else len(table) - 1
        if table is None or have < entries:
            fresh = np.zeros(entries + 1, dtype=np.uint8)
            if table is not None:
                fresh[: have + 1] = table
            if have < entries:
                fresh[have + 1 :] = extend(have, entries)
            table = fresh
            with self._lock:
                self._kept[key] = table
                if len(self._kept) > _TABLES_KEPT:
                    self._kept.popitem(last=False)
        return table[: entries + 1]


class TextDictionary:
    """Distinct texts of one attribute or property."""

    def __init__(self) -> None:
        self.table = TextTable()
        self._tables = _Tables()

    def __len__(self) -> int:
        return len(self.table)

    def codes(self, texts: Texts) -> U32:
        """Codes of texts, entering new ones: u32 of n."""
        return (self.table.intern(texts) + 1).astype(np.uint32)

    def find(self, texts: Texts) -> I64:
        """Codes of texts, 0 where the dictionary has no such entry: i64 of n."""
        codes: I64 = self.table.find(texts) + 1
        return codes

    def value(self, code: int) -> str:
        return self.table[code - 1].decode()

    def passes(self, key: Hashable, decide: Callable[[list[str]], list[bool]], entries: int) -> U8:
        """u8 table over codes 0 .. entries; `decide` is asked for each entry once."""

        def extend(first: int, end: int) -> U8:
            return np.array(decide(self.table.slice(first, end).to_list()), dtype=np.uint8)

        return self._tables.get(key, entries, extend)

    @property
    def nbytes(self) -> int:
        return self.table.nbytes


class SetDictionary:
    """Distinct sets of texts of one attribute or property; a set is stored as its ascending element codes.

    Profiles share few distinct sets, so a set column is a column of codes like any other.
    """

    def __init__(self) -> None:
        self.elements = TextTable()
        self.sets = TextTable(holds_texts=False)
        self._tables = _Tables()

    def __len__(self) -> int:
        return len(self.sets)

    def codes(self, elements: Texts, offsets: I64) -> U32:
        """Codes of n sets given as texts, row by row (duplicates collapse): u32 of n."""
        rows = len(offsets) - 1
        owners = np.repeat(np.arange(rows, dtype=np.int64), np.diff(offsets))
        return self.codes_of_pairs(rows, (owners << 32) | self.elements.intern(elements))

    def codes_of_pairs(self, rows: int, pairs: I64) -> U32:
        """Codes of n sets given as pairs row << 32 | element number, in any order, repeats allowed."""
        unique = np.unique(pairs)
        offsets = np.searchsorted(unique >> 32, np.arange(rows + 1, dtype=np.int64)).astype(np.int64)
        packed = (unique & 0xFFFFFFFF).astype("<u4")
        return (self.sets.intern(Texts(packed.view(np.uint8), offsets * 4)) + 1).astype(np.uint32)

    def pairs_of(self, codes: U32) -> I64:
        """The pairs row << 32 | element number of the sets with these codes; absent (0) gives none."""
        elements, starts = self.raw
        numbers = codes.astype(np.int64) - 1
        there = numbers >= 0
        first = np.where(there, starts[numbers], 0)
        lengths = np.where(there, starts[numbers + 1] - first, 0)
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        at = np.arange(total, dtype=np.int64) + np.repeat(first - (ends - lengths), lengths)
        owners = np.repeat(np.arange(len(codes), dtype=np.int64), lengths)
        pairs: I64 = (owners << 32) | elements[at].astype(np.int64)
        return pairs

    def has(self, element: str) -> bool:
        """Whether any set ever had an element."""
        return self.elements.find_one(element) >= 0

    def some(self, count: int) -> list[str]:
        """The first so many elements; those that only erased profiles had are not among them."""
        found = self.elements.slice(0, min(count, len(self.elements))).to_list()
        return [text for text in found if not text.startswith(_BLANKED)]

    def value(self, code: int) -> frozenset[str]:
        packed = np.frombuffer(self.sets[code - 1], dtype="<u4")
        return frozenset(self.elements[int(e)].decode() for e in packed)

    def used(self) -> list[str]:
        """The texts that stand in some set, in no order; without those that were blanked."""
        sets = len(self.sets)
        elements, starts = self.raw
        lengths = np.diff(starts[: sets + 1])
        is_whole = np.ones(sets, dtype=np.bool_)
        is_whole[self.sets.blanks[self.sets.blanks < sets]] = False
        standing = elements[: int(lengths.sum())][np.repeat(is_whole, lengths)]
        numbers = np.setdiff1d(standing.astype(np.int64), self.elements.blanks)
        return self.elements.take(numbers).to_list()

    @property
    def raw(self) -> tuple[U32, I64]:
        """(elements, starts): set n is elements[starts[n]:starts[n + 1]], element numbers ascending."""
        data, starts = self.sets.raw
        return data[: len(data) // 4 * 4].view("<u4"), starts // 4

    def empty_code(self) -> int:
        """Code of the empty set, or 0 if no profile ever had it."""
        return int(self.sets.find(Texts(np.empty(0, np.uint8), np.zeros(2, np.int64)))[0]) + 1

    def passes_count(
        self,
        key: Hashable,
        decide: Callable[[list[str]], list[bool]],
        test: Callable[[U32, U32], U8],
        entries: int,
    ) -> U8:
        """u8 table over codes 0 .. entries.

        `decide` says which element texts are looked for; `test(found, sizes)` which sets pass, given for each how
        many of its elements are looked for and how many it has.
        """

        def extend(first: int, end: int) -> U8:
            elements, starts = self.raw
            passes = np.array(decide(self.elements.slice(0, len(self.elements)).to_list()), dtype=np.uint8)
            found = np.zeros(end - first, dtype=np.uint32)
            kernels.count_passing(elements, starts, first, end, passes, found)
            return test(found, np.diff(starts[first : end + 1]).astype(np.uint32))

        return self._tables.get(key, entries, extend)

    @property
    def nbytes(self) -> int:
        return self.elements.nbytes + self.sets.nbytes


Dictionary = TextDictionary | SetDictionary
