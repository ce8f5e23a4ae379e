"""A failure as the trailing metadata of a call carries it: a serialised google.rpc.Status with its
details."""

from __future__ import annotations

from google.protobuf.any_pb2 import Any as AnyMessage

from headcount_server.statuses import Code, Failure
from headcount_server.wire import messages

TRAILER = "grpc-status-details-bin"
DOMAIN = "headcount"
_GOOGLE = "type.googleapis.com/google.rpc."


def details(failure: Failure) -> bytes:
    """ErrorInfo always, BadRequest for INVALID_ARGUMENT, RetryInfo where trying again helps, RuleProblem for
    rules."""
    parts = [
        _any(
            f"{_GOOGLE}ErrorInfo",
            messages.ErrorInfo(reason=failure.reason, domain=DOMAIN, metadata=dict(failure.metadata)),
        )
    ]
    if failure.code is Code.INVALID_ARGUMENT:
        violations = [
            messages.BadRequest.FieldViolation(field=path, description=failure.message, reason=failure.reason)
            for path in failure.fields
        ]
        parts.append(_any(f"{_GOOGLE}BadRequest", messages.BadRequest(field_violations=violations)))
    if failure.retry_after_s is not None:
        retry = messages.RetryInfo()
        retry.retry_delay.FromMilliseconds(int(failure.retry_after_s * 1_000))
        parts.append(_any(f"{_GOOGLE}RetryInfo", retry))
    if failure.rule_problem is not None:
        problem = failure.rule_problem
        parts.append(
            _any(
                "type.googleapis.com/headcount.v1.RuleProblem",
                messages.RuleProblem(
                    field=failure.fields[0] if failure.fields else "",
                    line=problem.line,
                    column=problem.column,
                    path=problem.path,
                    expected=problem.expected,
                    suggestions=problem.suggestions,
                ),
            )
        )
    status = messages.RpcStatus(code=int(failure.code), message=failure.message, details=parts)
    return status.SerializeToString()


def _any(url: str, message: messages.Message) -> AnyMessage:
    return AnyMessage(type_url=url, value=message.SerializeToString())
