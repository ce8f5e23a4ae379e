"""The sizes of all pairwise intersections of many sets, exactly.

Sets of which at least one id in 4,096 is a member are compared as words, one shard at a time, by a kernel on two
threads (0.25 ns a pair of words); smaller ones by roaring's own intersection_cardinality, which looks at their ids
alone. At a million profiles both take about 3 us a pair where they meet.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import AllOf, Condition
from headcount_engine.evaluation.answer import Question
from headcount_engine.evaluation.threads import WORKERS, side_by_side
from headcount_engine.kernels import overlaps
from headcount_engine.limits import BLOCK_BITS, BLOCK_WORDS, SHARD_BLOCKS
from headcount_engine.model.answers import Deadline
from headcount_engine.model.batches import I64, U64

_SPARSE = 4_096
_CHUNK_WORDS = 512
"""Of 128 sets a chunk fits the second-level cache, and 32 chunks make a shard."""
_LOOKED_AT = 4_096
"""Sparse pairs between two looks at the deadline."""


def overlap(question: Question, rules: Sequence[Condition]) -> tuple[I64, list[str]]:
    """(i64 of (n, n), warnings): the members that rules i and j share, on the diagonal the size of each."""
    binder, execution = question.binder(), question.execution()
    sets = [execution.members(execution.plan(binder.bind(rule))) for rule in rules]
    return intersections(sets, question.view.population.ids_end, question.deadline), binder.warnings


def intersections(sets: Sequence[Bitmap], ids_end: int, deadline: Deadline) -> I64:
    """i64 of (n, n), symmetric. Raises DeadlineExceeded, Cancelled."""
    sizes = np.zeros((len(sets), len(sets)), dtype=np.int64)
    cardinalities = [len(held) for held in sets]
    dense = [i for i, size in enumerate(cardinalities) if size * _SPARSE >= max(ids_end, 1)]
    np.fill_diagonal(sizes, cardinalities)
    if len(dense) > 1:
        sizes[np.ix_(dense, dense)] = _by_words([sets[i] for i in dense], ids_end, deadline)
    is_dense = set(dense)
    sparse = [i for i in range(len(sets)) if i not in is_dense and sets[i]]
    pairs = itertools.chain(itertools.combinations(sparse, 2), itertools.product(sparse, dense))
    for number, (i, j) in enumerate(pairs):
        if number % _LOOKED_AT == 0:
            deadline.check()
        sizes[i, j] = sizes[j, i] = sets[i].intersection_cardinality(sets[j])
    return sizes


def _by_words(sets: Sequence[Bitmap], ids_end: int, deadline: Deadline) -> I64:
    """Shard by shard, so that the words of a thousand sets take 128 MB whatever the number of profiles."""
    blocks = ((ids_end - 1) >> BLOCK_BITS) + 1
    upper = np.zeros((len(sets), len(sets)), dtype=np.int64)
    for first in range(0, blocks, SHARD_BLOCKS):
        words = _chunks(sets, first, min(SHARD_BLOCKS, blocks - first))
        deadline.check()

        def count(chunks: tuple[int, int], words: U64 = words) -> I64:
            found = np.zeros((len(sets), len(sets)), dtype=np.int64)
            overlaps.add_intersections(words, chunks[0], chunks[1], found)
            return found

        edges = [len(words) * i // WORKERS for i in range(WORKERS + 1)]
        for found in side_by_side(list(itertools.pairwise(edges)), count):
            upper += found
    return upper + np.triu(upper, 1).T


def _chunks(sets: Sequence[Bitmap], first: int, blocks: int) -> U64:
    """The words of some blocks of all sets: u64 of (chunks, sets, words of a chunk)."""
    chunks = blocks * BLOCK_WORDS // _CHUNK_WORDS
    words = np.empty((chunks, len(sets), _CHUNK_WORDS), dtype=np.uint64)
    start = first << BLOCK_BITS
    window = bitmaps.from_range(start, (first + blocks) << BLOCK_BITS)
    for i, held in enumerate(sets):
        part = held if first == 0 else (held & window).shift(-start)
        words[:, i] = bitmaps.to_words(part, blocks).reshape(chunks, _CHUNK_WORDS)
    return words


def cell_rule(one: Condition, other: Condition) -> str:
    """The rule whose members are those of both: a cell of the matrix as a segment."""
    return to_text(one if one == other else AllOf((one, other)))
