"""How fast are 1,000 profiles checked against one segment in one call, in process and over gRPC?

Text keys in, one truth value per key out. The floor has dense ids at hand and looks each up in a raw bitmap from
Python.
"""

from __future__ import annotations

import numpy as np

from bench import asked
from bench.columns import numbered
from bench.context import Context
from bench.data import bitmap_of
from bench.generator import KEY_DIGITS
from bench.measure import timed
from bench.outcome import Floor, Outcome, rate
from bench.serving import serving
from bench.tiers import SEED
from headcount import Client
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import InSegment
from headcount_engine.model.answers import SegmentDraft

ROW = "batch_membership"
QUESTION = "1,000 membership checks in one call, in process; over gRPC"
KEYS = 1_000


def measure(context: Context) -> list[Outcome]:
    return [_in_process(context), _lookup_alone(context), _over_grpc(context)]


def _chosen(context: Context) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.random.default_rng(SEED).integers(0, context.tier.size.profiles, KEYS)


def _in_process(context: Context) -> Outcome:
    database, ids = context.loaded.database, _chosen(context)
    database.create_segment(SegmentDraft("Checked", asked.FIVE_LEAVES.rule, "checked"))
    keys, rules = numbered("c", ids, KEY_DIGITS), [InSegment("checked")]
    answer = int(database.check_many(keys, rules).results.sum())
    timing = timed(lambda: database.check_many(keys, rules))
    members = bitmap_of(np.logical_and.reduce(context.data.leaf_masks(asked.FIVE_LEAVES)))
    wanted = ids.tolist()
    if sum(i in members for i in wanted) != answer:
        raise RuntimeError("the engine's memberships are not those of the data")
    floor = timed(lambda: [i in members for i in wanted], budget_s=0.2)
    return rate(
        ROW, "in process", KEYS, timing, target=2e6, answer=answer,
        floor=Floor("`id in bitmap` for 1,000 dense ids", KEYS / floor.p50),
    )  # fmt: skip


def _lookup_alone(context: Context) -> Outcome:
    """The part that finds dense ids, without any rule to speak of."""
    database, keys = context.loaded.database, numbered("c", _chosen(context), KEY_DIGITS)
    rules = [parse("everyone")]
    return rate(
        ROW, "in process, of everyone", KEYS, timed(lambda: database.check_many(keys, rules)), is_beside=True
    )


def _over_grpc(context: Context) -> Outcome:
    keys = numbered("c", _chosen(context), KEY_DIGITS).to_list()
    with serving(context) as served, Client(served.address) as client:
        timing = timed(lambda: client.check_many(keys, "checked"))
        echo = timed(served.echo_of(_sizes(keys)), budget_s=0.3)
    return rate(
        ROW, "over gRPC", KEYS, timing, target=1e6,
        floor=Floor("an empty echo of the same sizes", KEYS / echo.p50),
    )  # fmt: skip


def _sizes(keys: list[str]) -> tuple[int, int]:
    """Bytes of such a request and its answer, near enough: each key has two bytes of framing."""
    return sum(len(k) + 2 for k in keys), KEYS * 2
