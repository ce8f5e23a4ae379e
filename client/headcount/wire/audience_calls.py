"""Calls that count and check, and those about the server itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

from headcount import values
from headcount.v1 import admin_service_pb2 as admin
from headcount.v1 import audience_service_pb2 as audiences
from headcount.values import Identifier
from headcount.wire import decode, encode
from headcount.wire.calls import Asked, Unary, unary
from headcount.wire.encode import RuleLike


def count(
    rule: RuleLike,
    at: dt.datetime | None,
    node_sizes: bool,
    asked: Asked,
) -> Unary[values.Count]:
    request = audiences.CountAudienceRequest(
        rule=encode.rule(rule),
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
        include_node_sizes=node_sizes,
    )
    return unary("AudienceService", "CountAudience", request, audiences.CountAudienceResponse, decode.count)


def check(
    key: str,
    segment_ids: Sequence[str],
    rules: Iterable[RuleLike],
    at: dt.datetime | None,
    asked: Asked,
) -> Unary[values.Membership]:
    asked_rules = [encode.rule(rule) for rule in rules]
    request = audiences.CheckMembershipRequest(
        key=encode.text(key, "key"),
        segments=[encode.segment_name(segment) for segment in segment_ids],
        rules=asked_rules,
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    questions = len(segment_ids) + len(asked_rules)

    def membership(answer: audiences.CheckMembershipResponse) -> values.Membership:
        bits = int.from_bytes(answer.member_bits, "little")
        held = [bool(bits >> question & 1) for question in range(questions)]
        return values.Membership(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            key=key,
            exists=answer.exists,
            segments=dict(zip(segment_ids, held, strict=False)),
            rules=tuple(held[len(segment_ids) :]),
        )

    return unary("AudienceService", "CheckMembership", request, audiences.CheckMembershipResponse, membership)


def check_many(
    keys: Sequence[str],
    segment_ids: Sequence[str],
    rules: Iterable[RuleLike],
    at: dt.datetime | None,
    asked: Asked,
) -> Unary[values.MembershipTable]:
    asked_rules = [encode.rule(rule) for rule in rules]
    request = audiences.BatchCheckMembershipRequest(
        keys=encode.text_list(keys, "keys"),
        segments=[encode.segment_name(segment) for segment in segment_ids],
        rules=asked_rules,
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def table(answer: audiences.BatchCheckMembershipResponse) -> values.MembershipTable:
        return values.MembershipTable(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            keys=tuple(keys),
            segments=tuple(segment_ids),
            rule_count=len(asked_rules),
            member_bits=answer.member_bits,
            exists_bits=answer.exists_bits,
        )

    return unary(
        "AudienceService", "BatchCheckMembership", request, audiences.BatchCheckMembershipResponse, table
    )


def memberships(who: str | Identifier, asked: Asked) -> Unary[values.Memberships]:
    request = audiences.ListMembershipsRequest(
        min_version=asked.min_version, min_now=encode.optional_timestamp(asked.min_now, "min_now")
    )
    if isinstance(who, Identifier):
        request.identifier.CopyFrom(encode.identifier(who))
    else:
        request.key = encode.text(who, "key")
    answer = audiences.ListMembershipsResponse
    return unary("AudienceService", "ListMemberships", request, answer, decode.memberships)


def status() -> Unary[values.Status]:
    return unary("AdminService", "GetStatus", admin.GetStatusRequest(), admin.ServerStatus, decode.status)


def checkpoint() -> Unary[values.Checkpoint]:
    request = admin.CheckpointRequest()
    return unary("AdminService", "Checkpoint", request, admin.CheckpointResponse, decode.checkpoint)
