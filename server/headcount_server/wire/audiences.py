"""Counts and memberships, both ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import (
    CheckAnswer,
    CheckManyAnswer,
    CountAnswer,
    MembershipsAnswer,
    SizesAnswer,
)
from headcount_engine.model.batches import I64, Texts
from headcount_server.errors import NotServed
from headcount_server.wire import messages
from headcount_server.wire.editing import with_paths
from headcount_server.wire.fields import bits, checked_count, optional_instant_us, stamp
from headcount_server.wire.rules import Asked, EngineRule, put_warnings, questions, rule_of, segment_name

KEYS_MAX = 100_000
ANSWERS_MAX = 64_000_000
"""Profiles times questions of one batch: 8 MB of bits."""


@dataclass(frozen=True, slots=True)
class CountQuestion:
    rule: EngineRule
    at_us: int | None


@dataclass(frozen=True, slots=True)
class CheckQuestion:
    key: str
    asked: list[Asked]
    at_us: int | None


@dataclass(frozen=True, slots=True, eq=False)
class CheckManyQuestion:
    """`people`: keys, or dense ids."""

    people: Texts | I64
    asked: list[Asked]
    at_us: int | None


def count_question(request: messages.CountAudienceRequest) -> CountQuestion:
    if request.context:
        raise NotServed("context attributes are", path="context")
    return CountQuestion(rule_of(request.rule, "rule"), optional_instant_us(request, "at"))


def count_answer(answer: CountAnswer) -> messages.CountAudienceResponse:
    made = messages.CountAudienceResponse(
        count=answer.count, total=answer.total, warnings=put_warnings(answer.warnings)
    )
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def sizes_answer(answer: SizesAnswer) -> messages.CountAudienceResponse:
    """A count with the size of every node, the root first."""
    made = messages.CountAudienceResponse(
        count=answer.tree.size,
        total=answer.total,
        node_sizes=[
            messages.NodeSize(path=path, text=node.text, count=node.size)
            for path, node in with_paths(answer.tree)
        ],
        warnings=put_warnings(answer.warnings),
    )
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def check_question(request: messages.CheckMembershipRequest) -> CheckQuestion:
    if request.context:
        raise NotServed("context attributes are", path="context")
    if not request.key:
        raise InvalidArgument("a profile's key is not empty", path="key")
    return CheckQuestion(
        request.key, questions(request.segments, request.rules), optional_instant_us(request, "at")
    )


def check_answer(answer: CheckAnswer) -> messages.CheckMembershipResponse:
    made = messages.CheckMembershipResponse(member_bits=bits(answer.results), exists=answer.is_known)
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def check_many_question(request: messages.BatchCheckMembershipRequest) -> CheckManyQuestion:
    if request.context:
        raise NotServed("context attributes are", path="context")
    if request.ids and request.keys:
        raise InvalidArgument("either keys or ids, not both", path="ids")
    named = "ids" if request.ids else "keys"
    count = checked_count(len(request.ids) or len(request.keys), KEYS_MAX, named)
    if not count:
        raise InvalidArgument("at least one key", path="keys")
    asked = questions(request.segments, request.rules)
    checked_count(count * len(asked), ANSWERS_MAX, named)
    people = np.array(request.ids, dtype=np.int64) if request.ids else Texts.of(request.keys)
    return CheckManyQuestion(people, asked, optional_instant_us(request, "at"))


def check_many_answer(answer: CheckManyAnswer) -> messages.BatchCheckMembershipResponse:
    made = messages.BatchCheckMembershipResponse(member_bits=bits(answer.results))
    if not answer.is_known.all():
        made.exists_bits = bits(answer.is_known)
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def memberships_answer(answer: MembershipsAnswer) -> messages.ListMembershipsResponse:
    made = messages.ListMembershipsResponse(segments=[segment_name(id_) for id_ in answer.segments])
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made
