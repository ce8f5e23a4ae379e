"""Rows of bits through programs, compared, turned and read: against formulas over Python bools."""

from __future__ import annotations

import numpy as np
import pytest

from headcount_engine.kernels import members as kernels

RANDOM = np.random.default_rng(31)
NO_CAUSE = 255


class Programs:
    """Random programs in order: each over atoms, and over segments that come earlier."""

    def __init__(self, atoms: int, segments: int) -> None:
        self.atoms = atoms
        self.slots = RANDOM.permutation(segments * 2)[:segments].astype(np.int64)
        self.codes: list[int] = []
        self.starts = [0]
        self.reads: list[set[int]] = []
        self.others: list[set[int]] = []
        for rank in range(segments):
            self.reads.append(set())
            self.others.append(set())
            self._add(rank, int(RANDOM.integers(0, 4)))
            self.starts.append(len(self.codes))

    def _add(self, rank: int, depth: int) -> None:
        lot = int(RANDOM.integers(0, 6))
        if depth == 0 or lot == 0:
            if rank and RANDOM.random() < 0.3:
                other = int(RANDOM.integers(0, rank))
                self.others[rank].add(other)
                self.codes.append(kernels.MEMBER + 8 * int(self.slots[other]))
            elif RANDOM.random() < 0.1:
                self.codes.append(kernels.CONST + 8 * int(RANDOM.integers(0, 2)))
            else:
                atom = int(RANDOM.integers(0, self.atoms))
                self.reads[rank].add(atom)
                self.codes.append(kernels.ATOM + 8 * atom)
            return
        if lot == 1:
            self._add(rank, depth - 1)
            self.codes.append(kernels.NOT)
            return
        n = int(RANDOM.integers(1, 4))
        for _ in range(n):
            self._add(rank, depth - 1)
        if lot in (2, 3):
            self.codes.append((kernels.AND if lot == 2 else kernels.OR) + 8 * n)
        else:
            low = int(RANDOM.integers(0, n + 1))
            self.codes += [kernels.COUNT + 8 * n, low, int(RANDOM.integers(low, n + 1))]

    def value(self, rank: int, atoms: list[bool], members: dict[int, bool]) -> bool:
        """The obvious way: Python's own stack."""
        stack: list[bool] = []
        codes = iter(self.codes[self.starts[rank] : self.starts[rank + 1]])
        for code in codes:
            op, arg = code & 7, code >> 3
            if op == kernels.ATOM:
                stack.append(atoms[arg])
            elif op == kernels.MEMBER:
                stack.append(members[arg])
            elif op == kernels.CONST:
                stack.append(bool(arg))
            elif op == kernels.NOT:
                stack.append(not stack.pop())
            else:
                taken = [stack.pop() for _ in range(arg)]
                if op == kernels.AND:
                    stack.append(all(taken))
                elif op == kernels.OR:
                    stack.append(any(taken))
                else:
                    low, high = next(codes), next(codes)
                    stack.append(low <= sum(taken) <= high)
        (held,) = stack
        return held

    def members(self, atoms: list[bool]) -> dict[int, bool]:
        found: dict[int, bool] = {}
        for rank, slot in enumerate(self.slots.tolist()):
            found[slot] = self.value(rank, atoms, found)
        return found


def lists(entries: list[set[int]]) -> tuple[np.ndarray, np.ndarray]:
    starts = np.zeros(len(entries) + 1, dtype=np.int64)
    np.cumsum([len(e) for e in entries], out=starts[1:])
    return starts, np.array([x for e in entries for x in sorted(e)], dtype=np.int64)


def packed(rows: list[list[bool]], words: int) -> np.ndarray:
    out = np.zeros((len(rows), words), dtype=np.uint64)
    for row, bits in enumerate(rows):
        for at, bit in enumerate(bits):
            out[row, at >> 6] |= np.uint64(int(bit) << (at & 63))
    return out


def as_row(members: dict[int, bool], width: int) -> list[bool]:
    return [members.get(slot, False) for slot in range(width)]


@pytest.mark.parametrize(("atoms", "segments"), [(3, 1), (70, 9), (20, 130)])
@pytest.mark.parametrize("room", ["little", "much"])
def test_toggled_atoms_flip_exactly_the_segments_that_come_out_differently(
    atoms: int, segments: int, room: str
) -> None:
    programs, rows = Programs(atoms, segments), 12
    words, slots_end = (atoms + 63) >> 6, 2 * segments
    member_words = (slots_end + 63) >> 6
    before = [(RANDOM.random(atoms) < 0.5).tolist() for _ in range(rows)]
    toggles = [np.flatnonzero(RANDOM.random(atoms) < 0.15).tolist() for _ in range(rows)]
    toggles[0] = []
    causes = RANDOM.integers(1, 9, sum(map(len, toggles))).astype(np.uint8)
    starts = np.zeros(rows + 1, dtype=np.int64)
    np.cumsum([len(t) for t in toggles], out=starts[1:])
    after = [[bit ^ (a in t) for a, bit in enumerate(row)] for row, t in zip(before, toggles, strict=True)]
    was, now = ([programs.members(row) for row in state] for state in (before, after))
    users = [{r for r in range(segments) if a in programs.reads[r]} for a in range(64 * words)]
    followers = [{r for r in range(segments) if o in programs.others[r]} for o in range(segments)]
    atom_rows = packed(before, words)
    member_rows = packed([as_row(m, slots_end) for m in was], member_words)
    pending = np.zeros((segments + 63) >> 6, dtype=np.uint64)
    least = np.full(segments, NO_CAUSE, dtype=np.uint8)
    stack = np.zeros(64, dtype=np.uint8)
    flips = np.empty((segments if room == "little" else 10_000, 4), dtype=np.int64)
    found: list[tuple[int, ...]] = []
    first = 0
    while first < rows:
        first, count = kernels.evaluate(
            first, starts, np.array([a for t in toggles for a in t], dtype=np.int64), causes, atom_rows, member_rows,
            *lists(users), *lists(followers), programs.slots, np.array(programs.starts, dtype=np.int64),
            np.array(programs.codes, dtype=np.int64), stack, pending, least, flips,
        )  # fmt: skip
        found += [tuple(flip) for flip in flips[:count].tolist()]
    assert (atom_rows == packed(after, words)).all()
    assert (member_rows == packed([as_row(m, slots_end) for m in now], member_words)).all()
    assert not pending.any() and (least == NO_CAUSE).all()
    assert {flip[:3] for flip in found} == {
        (row, slot, int(now[row][slot]))
        for row in range(rows)
        for slot in programs.slots.tolist()
        if was[row][slot] != now[row][slot]
    }
    assert len(found) == len({flip[:2] for flip in found}), "a segment flips once in a row"
    for row, slot, _, cause in found:
        assert cause == least_cause(programs, row, slot, toggles, starts, causes, was, now)


def least_cause(
    programs: Programs, row: int, slot: int, toggles: list[list[int]], starts: np.ndarray, causes: np.ndarray,
    was: list[dict[int, bool]], now: list[dict[int, bool]],
) -> int:  # fmt: skip
    """The least of the causes of the atoms it reads that flipped, and of the segments it reads that did."""
    rank = programs.slots.tolist().index(slot)
    own = [
        int(causes[starts[row] + i]) for i, atom in enumerate(toggles[row]) if atom in programs.reads[rank]
    ]
    for other in programs.others[rank]:
        there = int(programs.slots[other])
        if was[row][there] != now[row][there]:
            own.append(least_cause(programs, row, there, toggles, starts, causes, was, now))
    return min(own)


def test_a_program_has_the_value_of_its_formula() -> None:
    programs = Programs(40, 60)
    stack = np.zeros(64, dtype=np.uint8)
    for _ in range(20):
        atoms = (RANDOM.random(40) < 0.5).tolist()
        members = programs.members(atoms)
        rows = packed([atoms], 1)[0], packed([as_row(members, 120)], 2)[0]
        for rank, slot in enumerate(programs.slots.tolist()):
            start, end = programs.starts[rank], programs.starts[rank + 1]
            codes = np.array(programs.codes, dtype=np.int64)
            assert kernels.value_of(codes, start, end, *rows, stack) == members[slot]


@pytest.mark.parametrize("room", [128, 1_000])
def test_differences_are_the_bits_that_differ(room: int) -> None:
    before, after = (RANDOM.integers(0, 1 << 64, (9, 2), dtype=np.uint64) for _ in range(2))
    after[3] = before[3]
    out = np.empty((room, 4), dtype=np.int64)
    found: list[list[int]] = []
    first = 0
    while first < 9:
        first, count = kernels.differences(before, after, 6, first, out)
        found += out[:count].tolist()
    assert found == [
        [row, bit, int(after[row, bit >> 6]) >> (bit & 63) & 1, 6]
        for row in range(9)
        for bit in range(128)
        if (int(before[row, bit >> 6]) ^ int(after[row, bit >> 6])) >> (bit & 63) & 1
    ]


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 200])
def test_a_column_goes_to_words_and_back(rows: int) -> None:
    held = RANDOM.integers(0, 1 << 64, (rows, 3), dtype=np.uint64)
    for at in (0, 63, 64, 130):
        words = np.empty((rows + 63) >> 6, dtype=np.uint64)
        kernels.column_to_words(held, at, words)
        bits = [int(words[i >> 6]) >> (i & 63) & 1 for i in range(64 * len(words))]
        assert bits[:rows] == [int(row[at >> 6]) >> (at & 63) & 1 for row in held]
        assert not any(bits[rows:])
        other = held.copy()
        kernels.words_to_column(~words, at, other)
        assert (other ^ held == packed([[b == at for b in range(192)]] * rows, 3)).all()


@pytest.mark.parametrize("rows", [1, 64, 65, 130])
def test_columns_are_turned_into_one_word_of_each_row(rows: int) -> None:
    columns = RANDOM.integers(0, 1 << 64, (64, (rows + 63) >> 6), dtype=np.uint64)
    keep = np.uint64(RANDOM.integers(0, 1 << 64, dtype=np.uint64))
    held = RANDOM.integers(0, 1 << 64, (rows, 2), dtype=np.uint64)
    expected = held.copy()
    for row in range(rows):
        turned = sum((int(columns[bit, row >> 6]) >> (row & 63) & 1) << bit for bit in range(64))
        expected[row, 1] = np.uint64((int(held[row, 1]) & int(keep)) | (turned & ~int(keep) & (1 << 64) - 1))
    kernels.transpose(columns, keep, 1, held)
    assert (held == expected).all()


@pytest.mark.parametrize("rows", [1, 64, 65, 4_200])
def test_columns_are_turned_into_several_words_of_each_row(rows: int) -> None:
    columns = RANDOM.integers(0, 1 << 64, (2, 64, (rows + 63) >> 6), dtype=np.uint64)
    keep = RANDOM.integers(0, 1 << 64, 2, dtype=np.uint64)
    addresses = np.array([[c.ctypes.data for c in own] for own in columns], dtype=np.int64)
    addresses[1, 5], addresses[0, 63] = 0, 0
    columns[1, 5], columns[0, 63] = 0, 0
    words = np.array([3, 1], dtype=np.int64)
    held = RANDOM.integers(0, 1 << 64, (rows, 4), dtype=np.uint64)
    expected = held.copy()
    for k, word in enumerate(words.tolist()):
        kernels.transpose(columns[k], keep[k], word, expected)
    kernels.put_columns(addresses, keep, words, held)
    assert (held == expected).all()


def test_places_of_set_bits_are_told_but_for_those_that_have_none() -> None:
    row = RANDOM.integers(0, 1 << 64, 3, dtype=np.uint64)
    places = np.where(RANDOM.random(192) < 0.3, -1, RANDOM.permutation(192)).astype(np.int64)
    out = np.empty(192, dtype=np.int64)
    found = kernels.set_places(row, places, out)
    set_ = [bit for bit in range(192) if int(row[bit >> 6]) >> (bit & 63) & 1]
    assert out[:found].tolist() == [int(places[bit]) for bit in set_ if places[bit] >= 0]
    assert kernels.set_places(np.zeros(2, dtype=np.uint64), places, out) == 0


def test_bits_of_rows_turn_once_for_each_time_they_are_named() -> None:
    rows = RANDOM.integers(0, 1 << 64, (5, 2), dtype=np.uint64)
    expected = rows.copy()
    ids = np.array([102, 100, 102, 104, 99, 105, 102], dtype=np.int64)
    bits = np.array([64, 3, 64, 127, 0, 0, 5], dtype=np.int64)
    expected[0, 0] ^= np.uint64(1 << 3)
    expected[4, 1] ^= np.uint64(1 << 63)
    expected[2, 0] ^= np.uint64(1 << 5)
    kernels.turn_bits(ids, bits, 100, rows)
    assert (rows == expected).all()


@pytest.mark.parametrize("dtype", [np.uint64, np.uint8])
def test_rows_are_gathered_by_id(dtype: type[np.generic]) -> None:
    rows = RANDOM.integers(0, 200, (9, 3)).astype(dtype)
    ids = np.array([100, 103, 108], dtype=np.int64)
    out = np.zeros((3, 3), dtype=dtype)
    kernels.gather(rows, ids, 100, out)
    assert (out == rows[ids - 100]).all()
