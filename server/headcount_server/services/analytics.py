"""Overlaps, breakdowns, traits, and the statistics of a segment: questions about many members at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount_engine.conditions.tree import InSegment
from headcount_server.context import Context
from headcount_server.services.asking import rule_in, rules_in
from headcount_server.services.history import history_points
from headcount_server.wire import analytics as wire
from headcount_server.wire import messages
from headcount_server.wire.fields import need_of, optional_instant_us
from headcount_server.wire.rules import Asked, rule_of, segment_id

if TYPE_CHECKING:
    from headcount_engine import Database


class Analytics:
    def __init__(self, database: Database) -> None:
        self._database = database

    def overlap(self, request: messages.GetOverlapRequest, context: Context) -> messages.Overlap:
        asked, need = wire.overlap_rules(request), need_of(request, context.deadline)
        at_us = optional_instant_us(request, "at")
        with rules_in(self._database, asked, need):
            answer = self._database.analytics.overlap([one.rule for one in asked], at_us=at_us, need=need)
        return wire.overlap_answer(answer)

    def breakdown(
        self, request: messages.GetBreakdownRequest, context: Context
    ) -> messages.GetBreakdownResponse:
        rule, by = rule_of(request.rule, "rule"), wire.asked_by(request.breakdowns)
        need, at_us = need_of(request, context.deadline), optional_instant_us(request, "at")
        with rule_in("rule", rule):
            answer = self._database.analytics.breakdown(rule, by, at_us=at_us, need=need)
        return wire.breakdown_answer(answer)

    def affinity(self, request: messages.GetAffinityRequest, context: Context) -> messages.Affinity:
        rule, looking = rule_of(request.rule, "rule"), wire.looking(request)
        need, at_us = need_of(request, context.deadline), optional_instant_us(request, "at")
        with rule_in("rule", rule):
            answer = self._database.analytics.affinity(rule, looking, at_us=at_us, need=need)
        return wire.affinity_answer(answer)

    def statistics(
        self, request: messages.GetStatisticsRequest, context: Context
    ) -> messages.SegmentStatistics:
        """A segment as it is: size, breakdowns, overlaps, first members at one version; its history beside."""
        need = need_of(request, context.deadline)
        id_, by = segment_id(request.name, "name"), wire.asked_by(request.breakdowns)
        segment = self._database.get_segment(id_)
        members = InSegment(segment.id)
        others = [InSegment(other) for other in wire.compared_segments(request)]
        asked = [Asked(members, "name")]
        asked += [Asked(other, f"overlap_with[{i}]") for i, other in enumerate(others)]
        shown = wire.shown_members(request)
        with rules_in(self._database, asked, need):
            answer = self._database.analytics.breakdown(members, by, beside=others, shown=shown, need=need)
        history = history_points(self._database, segment.id, request, answer.now_us)
        return wire.statistics_answer(answer, request.overlap_with, history)
