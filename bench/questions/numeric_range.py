"""How long does an ad-hoc range on a numeric attribute take to count?

"With an index" asks ranges on one attribute again and again through the front door, with other bounds each time, after
a warm-up of ten: whatever index the engine builds by then may serve. "By scan" runs the engine's own column scan.
"""

from __future__ import annotations

import random

from bench import asked
from bench.context import Context
from bench.floors import memory_pass
from bench.measure import timed, timed_each
from bench.outcome import Outcome, took
from bench.tiers import Tier
from headcount_engine import bitmaps
from headcount_engine.conditions.text import parse
from headcount_engine.indexes.predicates import Range
from headcount_engine.read_view import PinnedView

ROW = "numeric_range"
QUESTION = "ad-hoc numeric range count, with a range index (declared, or built on second use); by scan"
INDEXED = {Tier.M: 0.1e-3, Tier.L: 1e-3}
SCANNED = {Tier.M: 0.3e-3, Tier.L: 3e-3}


def measure(context: Context) -> list[Outcome]:
    return [_indexed(context), _scanned(context), _other(context, "age"), _other(context, "churn_risk")]


def _indexed(context: Context) -> Outcome:
    database, chance = context.loaded.database, random.Random(7)
    for _ in range(10):
        database.count(f"lifetime_value between {chance.randrange(500)} and {500 + chance.randrange(500)}")
    rule = parse(asked.RANGE.rule)
    answer = database.count(rule).count

    def prepare() -> object:
        other = parse(f"lifetime_value between {chance.randrange(90, 110)} and {chance.randrange(550, 650)}")
        return lambda: database.count(other)

    floor = memory_pass(_column_bytes(context, "lifetime_value"))
    timing = timed_each(prepare)  # type: ignore[arg-type]
    return took(ROW, "with an index", timing, target=INDEXED.get(context.tier), floor=floor, answer=answer)


def _scanned(context: Context) -> Outcome:
    database = context.loaded.database
    predicate = Range(asked.RANGE.low * 100, asked.RANGE.high * 100)
    with PinnedView(database._indexes, database._gate, ["lifetime_value"]) as view:
        column = view.attribute("lifetime_value").column  # type: ignore[union-attr]
        blocks = len(column.blocks)

        def scan() -> int:
            return len(bitmaps.from_words(column.words(predicate, blocks)))

        timing, answer = timed(scan), scan()
    floor = memory_pass(_column_bytes(context, "lifetime_value"))
    return took(ROW, "by scan", timing, target=SCANNED.get(context.tier), floor=floor, answer=answer)


def _other(context: Context, name: str) -> Outcome:
    """The same through the front door on a narrower and a wider column."""
    rule = parse(f"{name} between 30 and 44" if name == "age" else f"{name} between 0.2 and 0.4")
    database = context.loaded.database
    floor = memory_pass(_column_bytes(context, name))
    return took(ROW, f"on {name}", timed(lambda: database.count(rule)), floor=floor, is_beside=True)


def _column_bytes(context: Context, name: str) -> int:
    attribute = context.loaded.database._indexes.attributes.get(name)
    assert attribute is not None
    return attribute.column.dtype.itemsize * context.tier.size.profiles
