"""AudienceService, the part of it that editors of rules ask: why, what would change, how, and what a rule says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.text import parse, to_text
from headcount_engine.conditions.tree import Condition
from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import CompareAnswer, Need
from headcount_engine.model.values import Kind
from headcount_server.context import Context
from headcount_server.services.asking import Stopwatch, reach, rule_in, rules_in
from headcount_server.wire import editing as wire
from headcount_server.wire import messages
from headcount_server.wire.conditions import condition_message
from headcount_server.wire.fields import need_of, optional_instant_us, stamp
from headcount_server.wire.rules import Asked, EngineRule, put_warnings, rule_of

if TYPE_CHECKING:
    from headcount_engine import Database

_SAME_VERSION_TRIES = 3


class Editing:
    def __init__(self, database: Database) -> None:
        self._database = database

    def explain(
        self, request: messages.ExplainMembershipRequest, context: Context
    ) -> messages.ExplainMembershipResponse:
        question, need = wire.explain_question(request), need_of(request, context.deadline)
        with rule_in("rule", question.rule):
            answer = self._database.explain(question.key, question.rule, at_us=question.at_us, need=need)
        return wire.explain_answer(answer)

    def parse(self, request: messages.ParseRuleRequest, context: Context) -> messages.ParseRuleResponse:
        """The rule in both forms. Names are looked up by counting, which is also what warns of unknown events."""
        rule, need = rule_of(request.rule, "rule"), need_of(request, context.deadline)
        watch = Stopwatch()
        with rule_in("rule", rule):
            condition = _tree(rule)
            answer = messages.ParseRuleResponse(
                text=to_text(condition), condition=condition_message(condition)
            )
            if request.syntax_only:
                reach(self._database, need)
                state = self._database.status()
                stamp(answer, state.version, state.now_us, watch.us)
                return answer
            counted = self._database.count(rule, need=need)
        answer.warnings.extend(put_warnings(counted.warnings))
        stamp(answer, counted.version, counted.now_us, watch.us)
        return answer

    def plan(self, request: messages.ExplainPlanRequest, context: Context) -> messages.ExplainPlanResponse:
        """The plan as carried out, stamped with a version that it is at least as new as."""
        rule, need = rule_of(request.rule, "rule"), need_of(request, context.deadline)
        at_us = optional_instant_us(request, "at")
        reach(self._database, need)
        state = self._database.status()
        watch = Stopwatch()
        with rule_in("rule", rule):
            root = self._database.describe(rule, at_us=at_us, need=need)
        return wire.plan_answer(root, state.version, state.now_us if at_us is None else at_us, watch.us)

    def compare(
        self, request: messages.CompareRulesRequest, context: Context
    ) -> messages.CompareRulesResponse:
        question, need = wire.compare_question(request), need_of(request, context.deadline)
        types = {a.name: a.type for a in self._database.schema().attributes}
        for i, name in enumerate(question.attributes):
            if name not in types or types[name].kind is Kind.POINT:
                what = "a point has no values to list" if name in types else f"no attribute {name!r}"
                raise InvalidArgument(what, path=f"breakdowns[{i}].attribute")
        asked = [Asked(question.before, "before"), Asked(question.after, "after")]
        with rules_in(self._database, asked, need):
            answer, keys = self._compared(question, need)
        return wire.compare_answer(answer, question, keys, types)

    def _compared(self, question: wire.CompareQuestion, need: Need) -> tuple[CompareAnswer, wire.ChangedKeys]:
        """The comparison, and who changes at the same instant; of one version unless writes come faster than that."""
        for _ in range(_SAME_VERSION_TRIES):
            answer = self._database.compare(
                question.before, question.after, question.attributes, at_us=question.at_us, need=need
            )
            if not question.sample_size:
                return answer, wire.ChangedKeys()
            before, after = (
                self._database.members(rule, at_us=answer.now_us, need=need)
                for rule in (question.before, question.after)
            )
            if before.version == after.version == answer.version:
                break
        old, new = bitmaps.from_ids(before.ids), bitmaps.from_ids(after.ids)
        return answer, wire.ChangedKeys(
            self._keys(new - old, question.sample_size), self._keys(old - new, question.sample_size)
        )

    def _keys(self, members: Bitmap, count: int) -> list[str]:
        """Keys of the first few members."""
        return self._database.keys_of(bitmaps.to_ids(members)[:count]).to_list()


def _tree(rule: EngineRule) -> Condition:
    return parse(rule) if isinstance(rule, str) else rule
