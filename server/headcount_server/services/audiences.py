"""AudienceService: how many, and who is in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from headcount_engine.errors import NotFound
from headcount_server.context import Context
from headcount_server.services.asking import key_of, reach, rule_in, rules_in
from headcount_server.wire import audiences as wire
from headcount_server.wire import messages
from headcount_server.wire.fields import need_of
from headcount_server.wire.profiles import who

if TYPE_CHECKING:
    from headcount_engine import Database


class Audiences:
    def __init__(self, database: Database) -> None:
        self._database = database

    def count(
        self, request: messages.CountAudienceRequest, context: Context
    ) -> messages.CountAudienceResponse:
        question = wire.count_question(request)
        rule, need = question.rule, need_of(request, context.deadline)
        with rule_in("rule", rule):
            if request.include_node_sizes:
                return wire.sizes_answer(self._database.node_sizes(rule, at_us=question.at_us, need=need))
            return wire.count_answer(self._database.count(rule, at_us=question.at_us, need=need))

    def check(
        self, request: messages.CheckMembershipRequest, context: Context
    ) -> messages.CheckMembershipResponse:
        question, need = wire.check_question(request), need_of(request, context.deadline)
        rules = [one.rule for one in question.asked]
        with rules_in(self._database, question.asked, need):
            answer = self._database.check(question.key, rules, at_us=question.at_us, need=need)
        return wire.check_answer(answer)

    def check_many(
        self, request: messages.BatchCheckMembershipRequest, context: Context
    ) -> messages.BatchCheckMembershipResponse:
        question, need = wire.check_many_question(request), need_of(request, context.deadline)
        rules = [one.rule for one in question.asked]
        with rules_in(self._database, question.asked, need):
            answer = self._database.check_many(question.people, rules, at_us=question.at_us, need=need)
        return wire.check_many_answer(answer)

    def check_stream(
        self, requests: Iterator[messages.StreamCheckMembershipRequest], context: Context
    ) -> Iterator[messages.StreamCheckMembershipResponse]:
        """One answer a question, in order; the first that cannot be answered ends the stream."""
        for request in requests:
            context.deadline.check()
            yield messages.StreamCheckMembershipResponse(
                check_number=request.check_number, answer=self.check_many(request.check, context)
            )

    def list_memberships(
        self, request: messages.ListMembershipsRequest, context: Context
    ) -> messages.ListMembershipsResponse:
        asked = who(request)
        need = need_of(request, context.deadline)
        if not isinstance(asked, str):
            reach(self._database, need)
        answer = self._database.memberships(key_of(self._database, asked), need=need)
        if not answer.is_known:
            raise NotFound("profile")
        return wire.memberships_answer(answer)
