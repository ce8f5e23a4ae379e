"""How the conformance tests call a server and read what it answers: the generated stubs, nothing of the client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
import pytest
from google.protobuf.message import Message

from headcount.v1 import (
    admin_service_pb2_grpc,
    audience_service_pb2_grpc,
    errors_pb2,
    event_service_pb2_grpc,
    profile_service_pb2_grpc,
    schema_service_pb2_grpc,
    segment_service_pb2_grpc,
)

TIMEOUT_S = 60


class Stubs:
    """One stub a service."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.channel = channel
        self.schema = schema_service_pb2_grpc.SchemaServiceStub(channel)
        self.profiles = profile_service_pb2_grpc.ProfileServiceStub(channel)
        self.events = event_service_pb2_grpc.EventServiceStub(channel)
        self.segments = segment_service_pb2_grpc.SegmentServiceStub(channel)
        self.audiences = audience_service_pb2_grpc.AudienceServiceStub(channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(channel)


@dataclass(frozen=True)
class Failed:
    """A failed call, its details decoded."""

    code: grpc.StatusCode
    message: str
    reason: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    rule: errors_pb2.RuleProblem | None = None
    retry_s: float | None = None


def failed(call: Callable[..., object], *arguments: object, **options: object) -> Failed:
    """What the call fails with; the test fails if it does not."""
    options.setdefault("timeout", TIMEOUT_S)
    try:
        answer = call(*arguments, **options)
        if not isinstance(answer, Message | bytes):
            list(answer)
    except grpc.RpcError as error:
        return decoded(error)
    pytest.fail("the call did not fail")


def decoded(error: grpc.RpcError) -> Failed:
    raw = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if raw is None:
        return Failed(error.code(), error.details())
    status = errors_pb2.RpcStatus.FromString(raw)
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    info, fields, rule, retry_s = errors_pb2.ErrorInfo(), (), None, None
    for detail in status.details:
        kind = detail.type_url.rpartition(".")[2]
        if kind == "ErrorInfo":
            info.ParseFromString(detail.value)
        elif kind == "BadRequest":
            fields = tuple(v.field for v in errors_pb2.BadRequest.FromString(detail.value).field_violations)
        elif kind == "RuleProblem":
            rule = errors_pb2.RuleProblem.FromString(detail.value)
        elif kind == "RetryInfo":
            retry_s = errors_pb2.RetryInfo.FromString(detail.value).retry_delay.ToMilliseconds() / 1_000
    assert info.domain == "headcount"
    return Failed(error.code(), error.details(), info.reason, dict(info.metadata), fields, rule, retry_s)


def bit(packed: bytes, index: int) -> bool:
    return bool(packed[index // 8] >> (index % 8) & 1)
