"""How long does an ad-hoc `and` of five conditions on indexed attributes take to count?

The rule is given as a tree, since parsing is a question of its own (beside: the same as text). The engine keeps the
bound form of the rules asked last, as a database keeps prepared statements; "not asked before" is a new tree each time,
of conditions that were asked in others. "Cold" is the first time a value is asked for, which scans the columns and
keeps what it found: those bitmaps are the index.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from bench import asked
from bench.asked import Leaves
from bench.context import Context
from bench.data import bitmap_of
from bench.generator import word
from bench.measure import timed, timed_each
from bench.outcome import Floor, Outcome, took
from bench.tiers import Tier
from headcount_engine.conditions.text import parse

ROW = "five_indexed_leaves"
QUESTION = "ad-hoc boolean rule of 5 indexed leaves, count"
TARGETS = {Tier.M: 30e-6, Tier.L: 300e-6}


def measure(context: Context) -> list[Outcome]:
    return [
        _case(context, "five coded values", asked.FIVE_LEAVES),
        _not_asked_before(context),
        _case(context, "one of the five a range", asked.FIVE_WITH_RANGE),
        _text(context),
        _cold(context),
        _parsing(context),
    ]


def _case(context: Context, case: str, question: Leaves) -> Outcome:
    database, rule = context.loaded.database, parse(question.rule)
    answer = database.count(rule).count
    timing = timed(lambda: database.count(rule))
    return took(
        ROW, case, timing, target=TARGETS.get(context.tier), floor=_floor(context, question), answer=answer
    )


def _not_asked_before(context: Context) -> Outcome:
    database, case = context.loaded.database, "five coded values, a rule not asked before"
    answer = database.count(asked.FIVE_LEAVES.rule).count

    def prepare() -> Callable[[], object]:
        other = parse(asked.FIVE_LEAVES.rule)
        return lambda: database.count(other)

    floor, target = _floor(context, asked.FIVE_LEAVES), TARGETS.get(context.tier)
    return took(ROW, case, timed_each(prepare), target=target, floor=floor, answer=answer)


def _floor(context: Context, question: Leaves) -> Floor:
    """Smallest first, in place, the last one only counted."""
    operands = sorted((bitmap_of(m) for m in context.data.leaf_masks(question)), key=len)

    def count() -> int:
        held = operands[0] & operands[1]
        held &= operands[2]
        held &= operands[3]
        return held.intersection_cardinality(operands[4])

    return Floor("raw pyroaring on ready bitmaps, smallest first", timed(count, budget_s=0.2).p50)


def _text(context: Context) -> Outcome:
    database, rule = context.loaded.database, asked.FIVE_LEAVES.rule
    return took(ROW, "given as text", timed(lambda: database.count(rule)), is_beside=True)


def _parsing(context: Context) -> Outcome:
    rule = asked.FIVE_LEAVES.rule
    return took(ROW, "parsing alone", timed(lambda: parse(rule)), is_beside=True)


def _cold(context: Context) -> Outcome:
    """Other values each time: no bitmap of theirs is there yet."""
    database, chance = context.loaded.database, random.Random(5)

    def prepare() -> Callable[[], object]:
        cities = [word("city", chance.randrange(5_000)) for _ in range(4)]
        leaves = " or ".join(f'city = "{c}"' for c in cities)
        rule = parse(f'({leaves}) and store != "{word("store", chance.randrange(1_000))}"')
        return lambda: database.count(rule)

    return took(ROW, "cold: five values never asked for", timed_each(prepare), is_beside=True)
