"""Pairs sorted and merged, edges of ranks counted, keys put in order: against sorted lists."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.kernels import orders
from headcount_engine.model.batches import Texts

RANDOM = np.random.default_rng(29)
ABSENT = np.iinfo(np.int64).min


def owned(texts: list[str]) -> tuple[np.ndarray, np.ndarray]:
    packed = Texts.of(texts)
    return packed.data.copy(), packed.offsets


def as_array(text: str) -> np.ndarray:
    return np.array(bytearray(text.encode()), dtype=np.uint8)


WORDS = ["a", "b", "ab", "aa", "aaa", "a\x7f", "é", "zz", "日本", "B", "a" * 40, "a" * 41, "0", "00"]


@pytest.mark.parametrize("bits", [0, 1, 11, 12, 40, 64])
@pytest.mark.parametrize("n", [0, 1, 2, 300])
def test_pairs_are_sorted_and_equals_keep_their_order(bits: int, n: int) -> None:
    top = (1 << bits) - 1
    pool = np.array([0, top, top >> 1, top >> 3, 1 & top], dtype=np.uint64)
    keys = RANDOM.choice(pool, n)
    ids = np.arange(n, dtype=np.uint32)
    expected = np.argsort(keys, kind="stable")
    others = np.empty_like(keys), np.empty_like(ids)
    wanted = keys[expected].tolist(), expected.tolist()
    is_other = orders.sort_pairs(keys, ids, *others, bits, np.empty(1 << orders.DIGIT_BITS, dtype=np.int64))
    held = others if is_other else (keys, ids)
    assert (held[0].tolist(), held[1].tolist()) == wanted


@pytest.mark.parametrize("is_last", [True, False])
def test_a_merge_keeps_the_newer_entry_of_an_id(is_last: bool) -> None:
    for _ in range(40):
        older = {
            int(i): int(RANDOM.integers(-3, 4)) for i in RANDOM.choice(130, RANDOM.integers(0, 50), False)
        }
        newer = {
            int(i): int(RANDOM.choice([ABSENT, -3, 0, 3, 9]))
            for i in RANDOM.choice(130, RANDOM.integers(0, 50), False)
        }
        if not is_last:
            older |= dict.fromkeys(list(older)[:3], ABSENT)
        runs = []
        for run in (older, newer):
            pairs = sorted((value, who) for who, value in run.items())
            runs.append(np.array([value for value, _ in pairs], dtype=np.int64))
            runs.append(np.array([who for _, who in pairs], dtype=np.uint32))
        marks, room = np.zeros(3, dtype=np.uint64), len(older) + len(newer)
        out, out_ids = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.uint32)
        count = orders.merge_pairs(*runs, is_last, marks, out, out_ids)
        expected = {who: value for who, value in (older | newer).items() if not is_last or value != ABSENT}
        assert dict(zip(out_ids[:count].tolist(), out[:count].tolist(), strict=True)) == expected
        assert count == len(expected) and (np.diff(out[:count]) >= 0).all()
        assert not marks.any()


@pytest.mark.parametrize("is_top", [True, False])
def test_crossings_of_an_edge_are_counted(is_top: bool) -> None:
    pool = np.array([ABSENT, ABSENT + 1, -1, 0, 1, np.iinfo(np.int64).max])
    for n in (0, 1, 200):
        old, new = RANDOM.choice(pool, n), RANDOM.choice(pool, n)
        for edge in pool[1:].tolist():

            def side(values: np.ndarray, edge: int = edge) -> tuple[list[bool], list[bool]]:
                there: list[int] = values.tolist()
                before = [v != ABSENT and (v > edge if is_top else v < edge) for v in there]
                return before, [v == edge for v in there]

            (was, was_tied), (now, now_tied) = side(old), side(new)
            out = np.empty(3, dtype=np.int64)
            orders.count_crossings(old, new, edge, is_top, out)
            touched = [any(row) for row in zip(was, was_tied, now, now_tied, strict=True)]
            assert out.tolist() == [sum(now) - sum(was), sum(now_tied) - sum(was_tied), sum(touched)]


def test_texts_compare_by_their_bytes_and_a_text_comes_before_its_continuations() -> None:
    data, offsets = owned(WORDS)
    for text in WORDS:
        out = np.full(len(WORDS), 7, dtype=np.uint8)
        orders.texts_at_most(data, offsets, as_array(text), out)
        assert out.tolist() == [word.encode() <= text.encode() for word in WORDS]


@pytest.mark.parametrize("n", [0, 1, 5, 12, 13, 60, 400])
@pytest.mark.parametrize("arrangement", ["drawn", "ascending", "descending", "all the same"])
def test_a_part_of_the_order_of_texts_is_found(n: int, arrangement: str) -> None:
    words = [f"{'shared ' * int(RANDOM.integers(0, 3))}{int(RANDOM.integers(0, 10**6))}" for _ in range(n)]
    match arrangement:
        case "ascending":
            words.sort()
        case "descending":
            words.sort(reverse=True)
        case "all the same":
            words = ["one word"] * n
        case _:
            pass
    data, offsets = owned(words)
    expected = sorted(word.encode() for word in words)
    for first, end in (
        (0, n),
        (0, min(n, 1)),
        (n // 2, min(n, n // 2 + 3)),
        (max(0, n - 2), n),
        (n // 3, n // 3),
    ):
        order = np.arange(n, dtype=np.int64)
        orders.select_texts(data, offsets, order, first, end, np.empty(orders.STACK, dtype=np.int64))
        found = [words[i].encode() for i in order.tolist()]
        assert found[first:end] == expected[first:end]
        assert sorted(found[:first]) == expected[:first] and sorted(found[end:]) == expected[end:]
        assert sorted(order.tolist()) == list(range(n))
