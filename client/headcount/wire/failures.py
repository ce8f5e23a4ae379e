"""From a failed call to the exception that tells of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import grpc
from google.protobuf.message import DecodeError

from headcount import errors
from headcount.errors import ErrorDetails, FieldViolation, HeadcountError, RuleProblem
from headcount.v1 import errors_pb2

DETAILS_KEY = "grpc-status-details-bin"
TYPE_PREFIX = "type.googleapis.com/"

RULE_REASONS = frozenset({"INVALID_RULE", "UNKNOWN_NAME", "REFERENCE_CYCLE"})

_BY_CODE: dict[str, type[HeadcountError]] = {
    kind.code: kind
    for kind in (
        errors.InvalidArgument, errors.NotFound, errors.AlreadyExists, errors.FailedPrecondition, errors.Aborted,
        errors.OutOfRange, errors.ResourceExhausted, errors.Unauthenticated, errors.PermissionDenied,
        errors.DeadlineExceeded, errors.Cancelled, errors.Unavailable, errors.Unimplemented,
    )
}  # fmt: skip


class FailedCall(Protocol):
    """What the sync and the async client of grpcio both raise."""

    def code(self) -> grpc.StatusCode: ...
    def details(self) -> str | None: ...
    def trailing_metadata(self) -> Iterable[tuple[str, str | bytes]] | None: ...


def error_of(failure: FailedCall) -> HeadcountError:
    """The exception for a failed call, with what the server said in its trailing metadata."""
    status = b""
    for key, value in failure.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            status = value
    return error_from(failure.code().name, failure.details() or "", status)


def error_from(code: str, message: str, status: bytes) -> HeadcountError:
    """The exception for a canonical code and a serialised `google.rpc.Status` (or nothing)."""
    reason, details = decode_status(status)
    kind = _BY_CODE.get(code, errors.ServerError)
    if kind is errors.InvalidArgument and (details.rule is not None or reason in RULE_REASONS):
        kind = errors.InvalidRule
    return kind(message or code, reason=reason, details=details, code=code)


def decode_status(status: bytes) -> tuple[str, ErrorDetails]:
    """Reason and details of a serialised `google.rpc.Status`. What cannot be read counts as not said."""
    reason = ""
    details = ErrorDetails()
    try:
        parsed = errors_pb2.RpcStatus.FromString(status)
    except DecodeError:
        return reason, details
    metadata = dict[str, str]()
    violations = list[FieldViolation]()
    retry_after_s: float | None = None
    rule: RuleProblem | None = None
    for detail in parsed.details:
        try:
            match detail.type_url.removeprefix(TYPE_PREFIX):
                case "google.rpc.ErrorInfo":
                    info = errors_pb2.ErrorInfo.FromString(detail.value)
                    reason = info.reason
                    metadata.update(info.metadata)
                case "google.rpc.BadRequest":
                    request = errors_pb2.BadRequest.FromString(detail.value)
                    violations.extend(
                        FieldViolation(v.field, v.description, v.reason) for v in request.field_violations
                    )
                case "google.rpc.RetryInfo":
                    retry = errors_pb2.RetryInfo.FromString(detail.value)
                    retry_after_s = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
                case "headcount.v1.RuleProblem":
                    rule = _rule_problem(errors_pb2.RuleProblem.FromString(detail.value))
                case _:
                    pass
        except DecodeError:
            continue
    return reason, ErrorDetails(metadata, tuple(violations), retry_after_s, rule)


def _rule_problem(problem: errors_pb2.RuleProblem) -> RuleProblem:
    return RuleProblem(
        problem.field,
        problem.line,
        problem.column,
        problem.path,
        tuple(problem.expected),
        tuple(problem.suggestions),
    )
