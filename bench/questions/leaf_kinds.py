"""What does each kind of leaf cost when everyone is asked, per profile or per event that it looks at?

*First* is the first rule of its kind on that attribute or those events: it scans, and keeps what it found if that is an
index. *Warm* is the same condition in a rule not seen before: the indexes are there, the rule has to be bound and
carried out. *Again* is the very same rule, which is bound already. No result is kept in any of the three.

A count must be more than none and less than all, be that of the members, and the members those that the path for one
profile finds; where plain array operations get it with a few lines, it must be the same.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench import asked, leaf_rules
from bench.context import Context
from bench.generator import KEY_DIGITS
from bench.leaf_rules import LeafRule
from bench.measure import timed, timed_each
from bench.record import LeafKind
from bench.tiers import DAY_US, DAYS, NOW_US
from headcount_engine import Database
from headcount_engine.conditions.text import parse
from headcount_engine.model.answers import SegmentDraft

ROW = "leaf_kinds"
ONE_BY_ONE = 6
"""Profiles that are asked one by one, half of them members."""


class WrongCount(Exception):
    """The set path disagrees with the other path or with the data."""


def measure_kinds(context: Context) -> list[LeafKind]:
    database = context.loaded.database
    database.declare_attributes(leaf_rules.definitions())
    for batch in leaf_rules.extra_batches(context.tier.size.profiles):
        database.write_profiles(batch)
    id_, rule = leaf_rules.SEGMENT
    database.create_segment(SegmentDraft(id_, rule, id_))
    by_day = _events_by_type_and_day(context)
    # What is loaded stays: no collection between the samples need look at it.
    gc.collect()
    gc.freeze()
    expected = _expected(context)
    return [_measured(context, database, each, by_day, expected.get(each.kind)) for each in leaf_rules.RULES]


def _measured(
    context: Context,
    database: Database,
    each: LeafRule,
    by_day: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]],
    expected: Callable[[], int] | None,
) -> LeafKind:
    rule = parse(each.rule)
    gc.collect()
    started = time.perf_counter()
    counted = database.count(rule)
    first = time.perf_counter() - started
    found = counted.count

    def prepare() -> Callable[[], object]:
        other = parse(each.rule)
        return lambda: database.count(other)

    # Twice more: an index may be built at the second use.
    prepare()()
    prepare()()
    warm = timed_each(prepare, budget_s=0.06, samples_min=3)
    again = timed(lambda: database.count(rule), budget_s=0.04, samples_min=3, warm_runs=1)
    _check(database, each, found, counted.total)
    if expected is not None and found != (known := expected()):
        raise WrongCount(f"{each.rule}: {found:,} where the data has {known:,}")
    units = sum(int(by_day[t][: each.days].sum()) for t in leaf_rules.types_of(each))
    is_of_events = each.events is not None
    return LeafKind(
        each.kind, each.rule, found, "event" if is_of_events else "profile",
        units if is_of_events else counted.total, first, warm.p50, again.p50, each.target_ns, expected is not None,
    )  # fmt: skip


def _check(database: Database, each: LeafRule, found: int, total: int) -> None:
    """Raises WrongCount."""
    if not 0 < found < total:
        raise WrongCount(f"{each.rule}: {found:,} of {total:,} is no test")
    ids = database.members(each.rule).ids
    if len(ids) != found:
        raise WrongCount(f"{each.rule}: {found:,} counted, {len(ids):,} members")
    random = np.random.default_rng(len(each.rule))
    some = np.unique(
        np.append(random.choice(ids, ONE_BY_ONE // 2), random.integers(0, total, ONE_BY_ONE // 2))
    )
    for id_ in some.tolist():
        is_in = bool(np.searchsorted(ids, id_) < len(ids) and ids[np.searchsorted(ids, id_)] == id_)
        if database.check(f"c{id_:0{KEY_DIGITS}}", [each.rule]).results[0] != is_in:
            raise WrongCount(f"{each.rule}: the path for one profile differs on number {id_}")


def _events_by_type_and_day(context: Context) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """How many events of each type are how many days old."""
    found: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
    file = pq.ParquetFile(context.files.events, read_dictionary=["name"])
    for part in file.iter_batches(1_000_000, columns=["name", "time"]):
        days = (NOW_US - part["time"].cast("int64").to_numpy()) // DAY_US
        names = part["name"].dictionary.to_pylist()
        codes = part["name"].indices.to_numpy()
        counts = np.bincount(codes * DAYS + np.minimum(days, DAYS - 1), minlength=len(names) * DAYS)
        for name, row in zip(names, counts.reshape(len(names), DAYS), strict=True):
            found[name] = found.get(name, np.zeros(DAYS, dtype=np.int64)) + row
    return found


def _expected(context: Context) -> dict[str, Callable[[], int]]:
    """Counts by plain array operations, for the kinds where that takes a line."""
    data = context.data

    def total(mask: object) -> int:
        return int(np.asarray(mask).sum())

    def city(test: Callable[[object], object]) -> int:
        return total(pc.fill_null(test(data.attribute("city")), False))

    return {
        "= text": lambda: total(data.equals("plan", "plan-1")),
        "= truth value": lambda: total(data.is_true("has_app")),
        "= number": lambda: total(data.between("tickets", 1, 1)),
        ">= number": lambda: total(data.between("points", 700, 2**40)),
        "in": lambda: total(data.equals("language", "language-0", "language-2", "language-5")),
        "between, whole numbers": lambda: total(data.between("visits", 10, 30)),
        "between, money": lambda: total(data.between("average_basket", 20, 60)),
        "exists": lambda: len(data.attribute("churn_risk")) - data.attribute("churn_risk").null_count,
        "is empty": lambda: data.attribute("email_domain").null_count,
        "contains": lambda: city(lambda c: pc.match_substring(c, "-12")),
        "ends with": lambda: city(lambda c: pc.ends_with(c, "7")),
        "matches": lambda: city(lambda c: pc.match_substring_regex(c, "-[1-4][05]$")),
        "did, any event": lambda: context.answer(asked.UNFILTERED),
        "did, any event, filtered": lambda: context.answer(asked.FILTERED),
        "same, once": lambda: context.answer(asked.KEYED),
    }
