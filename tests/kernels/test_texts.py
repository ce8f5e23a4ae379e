"""The table of texts against a dict, and samples against hashlib."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from headcount_engine.kernels import samples
from headcount_engine.kernels import texts as kernels
from headcount_engine.model.batches import Texts

SEED = np.uint64(0x1234567890ABCDEF)
WORDS = [
    "",
    "a",
    "b",
    "ab",
    "a\0",
    "\0",
    "\0\0",
    "12345678",
    "123456789",
    "1234567",
    "é",
    "😀" * 5,
    "x" * 200,
]


class Table:
    """The arrays that a table is made of, with room for all that a test enters."""

    def __init__(self, slots: int = 4096) -> None:
        self.arena = np.zeros(1 << 16, dtype=np.uint8)
        self.starts = np.zeros(slots, dtype=np.int64)
        self.table = np.zeros(slots, dtype=np.uint32)
        self.count = 0

    def intern(self, words: list[str], seed: np.uint64 = SEED) -> list[int]:
        texts, out = Texts.of(words), np.empty(len(words), dtype=np.int64)
        args = (texts.data, texts.offsets, self.arena, self.starts, self.table, seed, self.count, out)
        self.count = int(kernels.intern_texts(*args))
        return out.tolist()

    def find(self, words: list[str], seed: np.uint64 = SEED) -> list[int]:
        texts, out = Texts.of(words), np.empty(len(words), dtype=np.int64)
        args = (texts.data, texts.offsets, self.arena, self.starts, self.table, seed, self.count, out)
        kernels.find_texts(*args)
        alone = [Texts.of([word]).data for word in words]
        rest = (self.arena, self.starts, self.table, seed, self.count)
        assert [kernels.find_text(data, *rest) for data in alone] == out.tolist()
        return out.tolist()


def test_texts_are_numbered_in_order_of_first_appearance() -> None:
    table, expected = Table(), {}
    for part in (WORDS, [], WORDS[::-1], [f"key {i % 300}" for i in range(500)]):
        for word in part:
            expected.setdefault(word, len(expected))
        assert table.intern(part) == [expected[word] for word in part]
    assert table.count == len(expected)
    assert table.find([*WORDS, "c", "key 299", "key 300"]) == [
        *range(len(WORDS)),
        -1,
        expected["key 299"],
        -1,
    ]
    for word, number in expected.items():
        held = table.arena[table.starts[number] : table.starts[number + 1]]
        assert held.tobytes().decode() == word


def test_texts_that_fall_into_one_slot_are_told_apart() -> None:
    """A table of 128 slots with 60 texts has long stretches that are full."""
    table = Table(slots=128)
    words = [f"{i}" for i in range(60)]
    assert table.intern(words) == list(range(60))
    assert table.find(words[::-1]) == list(range(59, -1, -1))
    assert table.find([f"not {i}" for i in range(60)]) == [-1] * 60


def test_a_bigger_table_is_filled_with_the_same_numbers() -> None:
    table = Table()
    words = [f"key {i}" for i in range(200)]
    table.intern(words)
    table.table = np.zeros(512, dtype=np.uint32)
    kernels.fill_table(
        table.arena, table.starts, np.zeros(0, dtype=np.int64), 0, table.count, SEED, table.table
    )
    assert table.find(words) == list(range(200)) and (table.table > 0).sum() == 200


def test_the_hash_depends_on_every_byte_and_on_the_seed() -> None:
    def hashed(text: str, seed: np.uint64 = SEED) -> int:
        data = np.frombuffer(text.encode(), dtype=np.uint8)
        return int(kernels.hash_bytes(data, 0, len(data), seed))

    words = ["", "\0", "\0\0", *("x" * i + "y" + "x" * (16 - i) for i in range(17)), "x" * 17]
    assert len({hashed(word) for word in words}) == len(words)
    assert hashed("abc") != hashed("abc", np.uint64(1))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("plain", kernels.PLAIN), ("", kernels.EMPTY), (" ", kernels.PLAIN), ("a\nb", kernels.CONTROL),
        ("\x7f", kernels.CONTROL), ("\0", kernels.CONTROL), ("é", kernels.UNICODE), ("\né", kernels.UNICODE),
        ("é\n", kernels.UNICODE), ("x" * 20, kernels.PLAIN), ("x" * 21, kernels.LONG), ("é" * 11, kernels.LONG),
    ],
)  # fmt: skip
def test_a_quick_look_tells_what_a_text_holds(text: str, kind: int) -> None:
    texts, out = Texts.of(["before", text, "after"]), np.full(3, 99, dtype=np.uint8)
    kernels.classify_texts(texts.data, texts.offsets, 20, out)
    assert out.tolist() == [kernels.PLAIN, kind, kernels.PLAIN]


def test_texts_are_gathered_in_any_order() -> None:
    texts = Texts.of(WORDS)
    rows = [3, 0, 12, 12, 10]
    lengths = [len(WORDS[row].encode()) for row in rows]
    offsets = np.append(0, np.cumsum(lengths)).astype(np.int64)
    out = np.zeros(int(offsets[-1]), dtype=np.uint8)
    kernels.gather_texts(texts.data, texts.offsets[rows], out, offsets)
    assert Texts(out, offsets).to_list() == [WORDS[row] for row in rows]


@pytest.mark.parametrize("salt", ["", "spring", "s" * 70])
def test_a_bucket_is_the_md5_that_hashlib_computes(salt: str) -> None:
    """Lengths around 56 and 64 bytes are where the padding takes another block."""
    keys = [
        "",
        "a",
        "é",
        *("k" * n for n in (1, 8, 48, 49, 50, 54, 55, 56, 57, 63, 64, 65, 119, 120, 128, 512)),
    ]
    texts = Texts.of(keys)
    found = samples.sample_buckets(texts.data, texts.offsets, salt.encode())
    digests = [hashlib.md5((key + salt).encode()).digest() for key in keys]
    assert found.tolist() == [int.from_bytes(digest[:8], "big") for digest in digests]
