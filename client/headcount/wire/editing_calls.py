"""Calls of those who edit rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from headcount import editing
from headcount.editing import ChangeBreakdown, ChangeGroup, Relation
from headcount.v1 import audience_service_pb2 as audiences
from headcount.v1 import segment_service_pb2 as segments
from headcount.values import Cell
from headcount.wire import decode, encode
from headcount.wire.calls import Asked, Unary, unary
from headcount.wire.encode import RuleLike

_RELATIONS = {
    audiences.RULE_RELATION_EQUAL: Relation.EQUAL,
    audiences.RULE_RELATION_CONTAINS: Relation.CONTAINS,
    audiences.RULE_RELATION_CONTAINED: Relation.CONTAINED,
    audiences.RULE_RELATION_DISJOINT: Relation.DISJOINT,
    audiences.RULE_RELATION_OVERLAPPING: Relation.OVERLAPPING,
}


def explain(key: str, rule: RuleLike, at: dt.datetime | None, asked: Asked) -> Unary[editing.Explanation]:
    request = audiences.ExplainMembershipRequest(
        key=encode.text(key, "key"),
        rule=encode.rule(rule),
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    answer = audiences.ExplainMembershipResponse
    return unary("AudienceService", "ExplainMembership", request, answer, _explanation)


def _explanation(answer: audiences.ExplainMembershipResponse) -> editing.Explanation:
    return editing.Explanation(
        version=answer.version,
        now=decode.instant(answer.now),
        engine_us=answer.engine_us,
        exists=answer.exists,
        is_member=answer.is_member,
        nodes=tuple(
            editing.NodeExplanation(
                n.path,
                n.text,
                n.holds,
                n.found,
                decode.cell(n.actual) if n.HasField("actual") else None,
                decode.instant(n.next_change_time) if n.HasField("next_change_time") else None,
            )
            for n in answer.nodes
        ),
        decisive_leaves=tuple(answer.decisive_leaves),
        next_change=decode.instant(answer.next_change_time) if answer.HasField("next_change_time") else None,
        is_next_change_unknown=answer.is_next_change_unknown,
        warnings=decode.warnings(answer.warnings),
    )


def compare(
    before: RuleLike,
    after: RuleLike,
    by: Sequence[str],
    groups: int,
    sample_size: int,
    at: dt.datetime | None,
    asked: Asked,
) -> Unary[editing.Comparison]:
    request = audiences.CompareRulesRequest(
        before=encode.rule(before),
        after=encode.rule(after),
        # Of either side enough groups for the largest of both together.
        breakdowns=[
            segments.BreakdownBy(attribute=name, limit=_GROUPS_MAX) for name in encode.text_list(by, "by")
        ],
        sample_size=encode.whole(sample_size, "sample_size"),
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def comparison(answer: audiences.CompareRulesResponse) -> editing.Comparison:
        sides = zip(answer.joined_breakdowns, answer.left_breakdowns, strict=False)
        return editing.Comparison(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            before_size=answer.before_size,
            after_size=answer.after_size,
            joined=answer.joined,
            left=answer.left,
            relation=_RELATIONS.get(answer.relation, Relation.OVERLAPPING),
            proved=_RELATIONS.get(answer.proved_relation),
            joined_keys=tuple(answer.joined_keys),
            left_keys=tuple(answer.left_keys),
            by_attribute={joined.by.attribute: _changes(joined, left, groups) for joined, left in sides},
        )

    return unary("AudienceService", "CompareRules", request, audiences.CompareRulesResponse, comparison)


_GROUPS_MAX = 1_000


def _changes(joined: segments.Breakdown, left: segments.Breakdown, groups: int) -> ChangeBreakdown:
    """Both sides by value, the groups that change most first; the smaller ones are put with the others."""
    joins, leaves = _counts(joined.groups), _counts(left.groups)
    totals = {decode.cell(g.value): g.total_count for side in (joined, left) for g in side.groups}
    values = sorted(joins.keys() | leaves.keys(), key=lambda v: (-joins.get(v, 0) - leaves.get(v, 0), str(v)))
    shown, rest = values[:groups], values[groups:]
    return ChangeBreakdown(
        tuple(ChangeGroup(v, joins.get(v, 0), leaves.get(v, 0), totals[v]) for v in shown),
        ChangeGroup(
            None,
            joined.other_count + sum(joins.get(v, 0) for v in rest),
            left.other_count + sum(leaves.get(v, 0) for v in rest),
        ),
        ChangeGroup(None, joined.absent_count, left.absent_count),
    )


def _counts(groups: Iterable[segments.BreakdownGroup]) -> dict[Cell, int]:
    return {decode.cell(group.value): group.count for group in groups}


def plan(rule: RuleLike, at: dt.datetime | None, asked: Asked) -> Unary[editing.Plan]:
    request = audiences.ExplainPlanRequest(
        rule=encode.rule(rule),
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    return unary("AudienceService", "ExplainPlan", request, audiences.ExplainPlanResponse, _plan)


def _plan(answer: audiences.ExplainPlanResponse) -> editing.Plan:
    return editing.Plan(
        version=answer.version,
        now=decode.instant(answer.now),
        engine_us=answer.engine_us,
        steps=tuple(
            editing.PlanStep(
                s.path,
                s.text,
                s.estimated_size,
                s.size if s.HasField("size") else None,
                s.estimated_us,
                s.took_us if s.HasField("took_us") else None,
            )
            for s in answer.steps
        ),
    )


def parse(rule: RuleLike, syntax_only: bool, asked: Asked) -> Unary[editing.ParsedRule]:
    request = audiences.ParseRuleRequest(
        rule=encode.rule(rule),
        syntax_only=syntax_only,
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    return unary("AudienceService", "ParseRule", request, audiences.ParseRuleResponse, _parsed)


def _parsed(answer: audiences.ParseRuleResponse) -> editing.ParsedRule:
    return editing.ParsedRule(
        version=answer.version,
        now=decode.instant(answer.now),
        engine_us=answer.engine_us,
        text=answer.text,
        condition=answer.condition.SerializeToString(),
        warnings=decode.warnings(answer.warnings),
    )
