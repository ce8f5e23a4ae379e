"""Resolving an audience: every step's rule evaluated at one version and one now, then the waterfall and the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.audiences.request import (
    AudienceRequest,
    ByAttribute,
    BySample,
    Element,
    LimitOrder,
)
from headcount_engine.audiences.waterfall import Stage, Step, fall
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import Condition, End
from headcount_engine.errors import InvalidArgument, InvalidRule
from headcount_engine.evaluation.answer import Question
from headcount_engine.evaluation.ranks import first_of
from headcount_engine.indexes.predicates import Present, passes
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.batches import I64
from headcount_engine.model.values import NUMERIC, TEMPORAL


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """Who is in an audience, and how it came about."""

    members: Bitmap
    waterfall: tuple[Stage, ...]
    warnings: tuple[str, ...]


def resolve(
    question: Question, request: AudienceRequest, steps: Sequence[Element], rules: Sequence[Condition]
) -> Resolved:
    """The audience of a request. `rules` are those of `steps`, read; all are evaluated together.

    Raises InvalidRule, InvalidArgument, DeadlineExceeded, Cancelled.
    """
    binder = question.binder()
    execution = question.execution()
    sets = [
        Step(
            step.kind,
            step.text or to_text(rule),
            execution.members(execution.plan(binder.bind(rule))),
            step.is_kept,
        )
        for step, rule in zip(steps, rules, strict=True)
    ]
    ordered = _checked(request.order, binder) if request.limit else None
    left, stages = fall(sets, request.limit, _limit_text(request), question.deadline)
    if ordered is not None and len(left) > request.limit:
        left = _first(ordered, left, request.limit, question.view, binder)
    return Resolved(bitmaps.copy(left), stages, tuple(dict.fromkeys(binder.warnings)))


def _limit_text(request: AudienceRequest) -> str:
    match request.order:
        case BySample(salt):
            return f'{request.limit} by sample salt "{salt}"' if salt else f"{request.limit} by sample"
        case ByAttribute(attribute, highest):
            return f"{'top' if highest else 'bottom'} {request.limit} by {attribute}"
        case other:
            assert_never(other)


def _checked(order: LimitOrder, binder: Binder) -> LimitOrder:
    """The order, once it is known to be one; also where there turn out to be no more than the limit."""
    if isinstance(order, ByAttribute):
        try:
            type_ = binder.attribute(order.attribute).definition.type
        except InvalidRule as error:
            raise InvalidArgument(error.message, path="limit_order") from error
        if type_.kind not in NUMERIC | TEMPORAL:
            raise InvalidArgument(
                f"a rank takes numbers, instants and dates; {order.attribute!r} is {type_}",
                path="limit_order",
            )
    return order


def _first(order: LimitOrder, members: Bitmap, count: int, view: ReadView, binder: Binder) -> Bitmap:
    """The first `count` of more members. One pass over their values; only ties look at keys."""
    ids = bitmaps.to_ids(members).astype(np.int64)
    match order:
        case BySample(salt):
            chosen = first_of(ids, view.sample_buckets(salt)[ids], count, End.BOTTOM, view)
        case ByAttribute(name, highest):
            chosen = _by_attribute(ids, name, count, End.TOP if highest else End.BOTTOM, view, binder)
        case other:
            assert_never(other)
    return bitmaps.from_ids(chosen)


def _by_attribute(ids: I64, name: str, count: int, end: End, view: ReadView, binder: Binder) -> I64:
    values = binder.attribute(name).column.gather(ids)
    there = passes(Present(), values)
    ranked = ids[there]
    if len(ranked) >= count:
        return first_of(ranked, values[there], count, end, view)
    rest = ids[~there]
    fill = first_of(rest, rest * 0, count - len(ranked), end, view)
    both: I64 = bitmaps.to_ids(bitmaps.from_ids(ranked) | bitmaps.from_ids(fill)).astype(np.int64)
    return both
