"""Programs over words, against Python's sets."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.kernels import fused

RANDOM = np.random.default_rng(19)
WORDS = 2 * fused.CHUNK_WORDS + 7
"""Two whole chunks and a part."""


def random_words(share: float) -> np.ndarray:
    return np.packbits(RANDOM.random(64 * WORDS) < share, bitorder="little").view(np.uint64)


def ids(words: np.ndarray) -> set[int]:
    return set(np.flatnonzero(np.unpackbits(words.view(np.uint8), bitorder="little")).tolist())


HELD = [random_words(share) for share in (0.5, 0.9, 0.02, 0.0, 1.0)]


def operand(op: int, number: int) -> int:
    return op + 8 * number


def evaluated(codes: list[int]) -> set[int]:
    """The program on a stack of sets."""
    stack: list[set[int]] = []
    for code in codes:
        op, held = code & 7, ids(HELD[code >> 3]) if code & 7 <= fused.WITHOUT else set()
        if op == fused.LOAD:
            stack.append(held)
            continue
        right = held if op <= fused.WITHOUT else stack.pop()
        left = stack.pop()
        plain = op if op <= fused.WITHOUT else op - 3
        stack.append({fused.AND: left & right, fused.OR: left | right, fused.WITHOUT: left - right}[plain])
    assert len(stack) == 1
    return stack[0]


def random_program(operands: int) -> list[int]:
    """Any order of loads and combinations that leaves one result."""
    codes, depth = [operand(fused.LOAD, int(RANDOM.integers(len(HELD))))], 1
    for _ in range(operands - 1):
        number = int(RANDOM.integers(len(HELD)))
        if RANDOM.random() < 0.5 and depth < fused.DEPTH_MAX:
            codes.append(operand(fused.LOAD, number))
            depth += 1
        else:
            codes.append(operand(int(RANDOM.choice([fused.AND, fused.OR, fused.WITHOUT])), number))
    codes += RANDOM.choice([fused.AND_TOP, fused.OR_TOP, fused.WITHOUT_TOP], depth - 1).tolist()
    return codes


PROGRAMS = [
    [operand(fused.LOAD, 0)],
    *([operand(fused.LOAD, 0), operand(op, 1)] for op in (fused.AND, fused.OR, fused.WITHOUT)),
    *([operand(fused.LOAD, 0), operand(fused.LOAD, 1), op] for op in (fused.AND_TOP, fused.OR_TOP, fused.WITHOUT_TOP)),
    [operand(fused.LOAD, i % 3) for i in range(fused.DEPTH_MAX)] + [fused.OR_TOP] * (fused.DEPTH_MAX - 1),
    *(random_program(operands) for operands in (3, 5, 9, 20)),
]  # fmt: skip


@pytest.mark.parametrize("codes", PROGRAMS, ids=lambda codes: f"{len(codes)} steps")
def test_a_program_gives_what_sets_give(codes: list[int]) -> None:
    expected = evaluated(codes)
    addresses = np.array([held.ctypes.data for held in HELD], dtype=np.int64)
    program = np.array(codes, dtype=np.int64)
    stack = np.full((fused.DEPTH_MAX, fused.CHUNK_WORDS), 0xABCD, dtype=np.uint64)
    out = np.full(WORDS, 0x1234, dtype=np.uint64)
    fused.run_program(addresses, program, stack, out)
    assert ids(out) == expected
    assert fused.count_program(addresses, program, WORDS, stack) == len(expected)
    assert fused.count_program(addresses, program, 0, stack) == 0


def test_bits_are_counted_and_looked_up() -> None:
    for held in HELD:
        assert fused.count_bits(held) == len(ids(held))
    held, there = HELD[0][:3], ids(HELD[0][:3])
    asked = np.array([*range(192), -1, -64, -(2**40), 192, 193, 2**40], dtype=np.int64)
    out = np.ones(len(asked), dtype=np.bool_)
    fused.test_bits(held, asked, out)
    assert out.tolist() == [number in there for number in asked.tolist()]
    fused.test_bits(held[:0], asked, out)
    assert not out.any()
