"""Tables of texts, dictionaries, kept bitmaps and lists of changes, each alone."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headcount_engine.indexes.columns import Column, cuts_by_block
from headcount_engine.indexes.dictionaries import SetDictionary, TextDictionary
from headcount_engine.indexes.predicates import Coded, Listed, Nothing, Predicate, Present, Range, passes
from headcount_engine.indexes.texts import TextTable
from headcount_engine.indexes.values import ChangedIds
from headcount_engine.kernels import texts as kernels
from headcount_engine.limits import BLOCK_IDS
from headcount_engine.model.batches import Texts

SEED = np.uint64(1)


@given(st.lists(st.lists(st.text(max_size=6).filter(lambda t: t.isprintable()), max_size=30), max_size=8))
def test_a_table_of_texts_is_a_dict_of_first_appearances(parts: list[list[str]]) -> None:
    table, expected = TextTable(), dict[str, int]()
    for part in parts:
        for text in part:
            expected.setdefault(text, len(expected))
        assert table.intern(Texts.of(part)).tolist() == [expected[text] for text in part]
        assert len(table) == len(expected)
    texts = list(expected)
    assert table.find(Texts.of(texts)).tolist() == list(range(len(texts)))
    assert [table.find_one(text) for text in texts] == list(range(len(texts)))
    assert table.slice(0, len(table)).to_list() == texts
    order = Random(1).sample(range(len(texts)), len(texts))
    assert table.take(np.array(order, dtype=np.int64)).to_list() == [texts[i] for i in order]
    assert table.find_one("not a text that was drawn") == -1


def test_a_table_grows_past_its_first_arrays_and_keeps_its_numbers() -> None:
    table = TextTable()
    words = [f"{'long ' * (i % 40)}{i}" for i in range(5_000)]
    for start in range(0, 5_000, 333):
        part = words[start : start + 333]
        assert table.intern(Texts.of(part)).tolist() == list(range(start, start + len(part)))
    assert table.find(Texts.of(words)).tolist() == list(range(5_000))
    assert [table[i].decode() for i in (0, 39, 4_999)] == [words[0], words[39], words[4_999]]


def test_a_reader_with_older_arrays_does_not_read_past_them() -> None:
    """A reader took the arrays; the writer then moved to larger ones, but went on filling the table that both hold.

    What was entered since lies past the reader's arrays. It is not there for the reader, and must not be looked at.
    """
    words = [f"a text that was entered early {i}" for i in range(20)]
    early, late = Texts.of(words), Texts.of([f"a text that was entered late {i}" for i in range(20)])
    # The reader's arrays are the front parts of the writer's, so that a look past their end finds the late texts.
    room, more = np.zeros(4096, dtype=np.uint8), np.zeros(64, dtype=np.int64)
    arena, starts = room[: len(early.data)], more[:21]
    table, out = np.zeros(64, dtype=np.uint32), np.empty(20, dtype=np.int64)
    kernels.intern_texts(early.data, early.offsets, arena, starts, table, SEED, 0, out)
    kernels.intern_texts(late.data, late.offsets, room, more, table, SEED, 20, out)
    assert out.tolist() == list(range(20, 40))
    kernels.find_texts(late.data, late.offsets, arena, starts, table, SEED, 20, out)
    assert out.tolist() == [-1] * 20
    alone = [Texts.of([word]).data for word in late.to_list()]
    assert [kernels.find_text(data, arena, starts, table, SEED, 20) for data in alone] == [-1] * 20
    kernels.find_texts(early.data, early.offsets, arena, starts, table, SEED, 20, out)
    assert out.tolist() == list(range(20))


def test_a_kept_table_is_only_extended_when_a_dictionary_grows() -> None:
    dictionary, asked = TextDictionary(), list[str]()

    def decide(texts: list[str]) -> list[bool]:
        asked.extend(texts)
        return ["a" in text for text in texts]

    dictionary.codes(Texts.of(["a", "b"]))
    assert dictionary.passes("key", decide, 2).tolist() == [0, 1, 0]
    dictionary.codes(Texts.of(["ca", "a", "d"]))
    assert dictionary.passes("key", decide, 4).tolist() == [0, 1, 0, 1, 0]
    assert dictionary.passes("key", decide, 2).tolist() == [0, 1, 0]
    assert asked == ["a", "b", "ca", "d"]
    assert dictionary.find(Texts.of(["d", "e"])).tolist() == [4, 0] and dictionary.value(3) == "ca"


def test_sets_are_one_whatever_the_order_and_repeats_of_their_elements() -> None:
    dictionary = SetDictionary()
    rows = [["b", "a"], [], ["a", "b", "a"], ["c"], []]
    texts = Texts.of([text for row in rows for text in row])
    offsets = np.append(0, np.cumsum([len(row) for row in rows])).astype(np.int64)
    codes = dictionary.codes(texts, offsets)
    assert codes.tolist() == [1, 2, 1, 3, 2] and dictionary.empty_code() == 2
    assert [dictionary.value(code) for code in (1, 2, 3)] == [frozenset("ab"), frozenset(), frozenset("c")]
    pairs = dictionary.pairs_of(np.array([0, 3, 1, 2], dtype=np.uint32)).tolist()
    assert [pair >> 32 for pair in pairs] == [1, 2, 2]


def test_changed_ids_are_kept_up_to_a_bound_and_then_forgotten() -> None:
    changes = ChangedIds(ids_max=10)
    for part in ([1, 2, 3], [4, 5], [], [6, 7, 8, 9]):
        changes.note(np.array(part, dtype=np.uint32), 0)
    assert changes.since(0, 9).tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert changes.since(3, 9).tolist() == [4, 5, 6, 7, 8, 9]
    assert changes.since(3, 5).tolist() == [4, 5] and changes.since(9, 9).tolist() == []
    changes.note(np.array([10, 11], dtype=np.uint32), 0)
    assert changes.since(0, 11) is None and changes.since(3, 11).tolist() == [4, 5, 6, 7, 8, 9, 10, 11]
    changes.note(np.arange(50, dtype=np.uint32), 0)
    assert changes.since(3, 61) is None and changes.since(61, 61).tolist() == []


@pytest.mark.parametrize(
    "predicate",
    [Present(), Nothing(), Range(3, 3), Range(-5, 10), Listed((1, 5, 300)), Range(1_000, 10**12)],
    ids=str,
)
def test_a_kept_bitmap_follows_its_column(predicate: Predicate) -> None:
    """Few changes, many changes, a wider dtype, values that come and go."""
    random, column, values = np.random.default_rng(2), Column(np.dtype("int8")), dict[int, int]()
    absent = np.iinfo(np.int64).min
    for version, top in enumerate((10, 10, 10, 400, 400, 10**10, 10**10), 1):
        ids = np.unique(random.integers(0, 2 * BLOCK_IDS, 40_000 if version == 3 else 50)).astype(np.int64)
        written = random.integers(-10, top, len(ids))
        written[::7] = absent
        column.publish(column.stage(ids, written, cuts_by_block(ids)), version, 2 * BLOCK_IDS)
        values |= dict(zip(ids.tolist(), written.tolist(), strict=True))
        keys = np.array(sorted(values), dtype=np.int64)
        now = np.array([values[key] for key in keys.tolist()], dtype=np.int64)
        expected = keys[passes(predicate, now)].tolist()
        for _ in range(2):
            assert list(column.view().bitmap(predicate)) == expected


def test_a_table_over_codes_is_kept_by_its_condition_and_not_its_contents() -> None:
    column, dictionary = Column(np.dtype("uint8")), TextDictionary()
    for version, part in enumerate((["a", "b"], ["ab", "c"], ["d", "a"]), 1):
        ids = np.array([2 * version, 2 * version + 1], dtype=np.int64)
        codes = dictionary.codes(Texts.of(part))
        column.publish(column.stage(ids, codes, cuts_by_block(ids)), version, 10)
        table = dictionary.passes("has a", lambda texts: ["a" in text for text in texts], len(dictionary))
        found = list(column.view().bitmap(Coded("has a", table)))
        assert found == [[2], [2, 4], [2, 4, 7]][version - 1]
