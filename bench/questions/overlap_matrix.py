"""How long does the overlap matrix of 200 segments take, all 20,100 sizes of it?

Asked of segments that are kept live. Beside: the comparing alone, of ready sets; asked of their rules, whose members
are found first; a thousand segments; and 200 of so few members each that words would be a waste.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.context import Context
from bench.measure import Timing, timed
from bench.outcome import Floor, Outcome, took
from bench.tiers import Tier
from headcount_engine import Database, bitmaps
from headcount_engine.audiences.overlap import intersections
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import InSegment
from headcount_engine.model.answers import NO_DEADLINE

ROW = "overlap_matrix"
QUESTION = "overlap matrix of 200 segments"
TARGETS = {Tier.M: 100e-3}
SEGMENTS = 200


def measure_live(context: Context) -> list[Outcome]:
    database = context.loaded.database
    chosen = [InSegment(one.id) for one in context.segments[:SEGMENTS]]
    target = TARGETS.get(context.tier)
    sets = [bitmaps.from_ids(database.members(rule).ids) for rule in chosen]
    floor = _floor(sets)
    ids_end = context.tier.size.profiles
    few = _few(ids_end)
    rules = [parse(one.rule) for one in context.segments[:SEGMENTS]]
    found = database.analytics.overlap(chosen)
    if (
        not found.intersections.tolist()
        == _raw(sets)
        == database.analytics.overlap(rules).intersections.tolist()
    ):
        raise RuntimeError("the matrix is not that of every pair")
    return [
        took(
            ROW, "of saved segments", timed(lambda: database.analytics.overlap(chosen)), target=target, floor=floor,
            answer=int(found.intersections.sum()),
        ),
        took(ROW, "members at hand", _compared(sets, ids_end), floor=floor, is_beside=True),
        took(
            ROW, "of as many rules, members found first", timed(lambda: database.analytics.overlap(rules)),
            floor=floor, is_beside=True,
        ),
        took(ROW, "200 of a hundred members each", _compared(few, ids_end), floor=_floor(few), is_beside=True),
        _thousand(context, database),
    ]  # fmt: skip


def _thousand(context: Context, database: Database) -> Outcome:
    sets = [bitmaps.from_ids(database.members(InSegment(one.id)).ids) for one in context.segments[:1_000]]
    case = f"{len(sets):,} segments, members at hand"
    return took(ROW, case, _compared(sets, context.tier.size.profiles), is_beside=True)


def _compared(sets: list[Bitmap], ids_end: int) -> Timing:
    call: Callable[[], object] = lambda: intersections(sets, ids_end, NO_DEADLINE)  # noqa: E731
    return timed(call)


def _few(ids_end: int) -> list[Bitmap]:
    chance = np.random.default_rng(12)
    return [bitmaps.from_ids(chance.integers(0, ids_end, 100)) for _ in range(SEGMENTS)]


def _raw(sets: list[Bitmap]) -> list[list[int]]:
    """Every pair once, by the obvious loop."""
    sizes = [[0] * len(sets) for _ in sets]
    for i, one in enumerate(sets):
        for j in range(i, len(sets)):
            sizes[i][j] = sizes[j][i] = one.intersection_cardinality(sets[j])
    return sizes


def _floor(sets: list[Bitmap]) -> Floor:
    return Floor("raw pyroaring, intersection_cardinality of every pair", timed(lambda: _raw(sets)).p50)
