"""One table: what the engine or the server raised -> a canonical code and what the caller is told.

Only `message` of a known error is ever shown, and known errors name fields, limits and positions, not data.
Anything else becomes INTERNAL with an incident number, which is all that the caller and the log have in
common.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from headcount_engine import errors as engine
from headcount_server import errors as server

MESSAGE_CHARACTERS_MAX = 1_000
"""Trailing metadata is bounded by the peer, usually at 8 KiB; a message that quotes a rule is cut."""
NAMES_MAX = 20


class Code(enum.IntEnum):
    """The canonical codes of gRPC, by number."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Where in a rule: `line` and `column` from 1, or 0 where it is not known."""

    line: int
    column: int
    path: str
    expected: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """What a caller is told. `fields` names the parts of the request at fault; `reason` is for programs."""

    code: Code
    reason: str
    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    rule_problem: RuleProblem | None = None
    retry_after_s: float | None = None
    incident: str = ""
    """Set for INTERNAL only: what to look for in the log."""


_CODES: tuple[tuple[type[Exception], Code, str], ...] = (
    (engine.UnknownName, Code.INVALID_ARGUMENT, "UNKNOWN_NAME"),
    (engine.ReferenceCycle, Code.INVALID_ARGUMENT, "REFERENCE_CYCLE"),
    (engine.InvalidRule, Code.INVALID_ARGUMENT, "INVALID_RULE"),
    (engine.InvalidValue, Code.INVALID_ARGUMENT, "INVALID_VALUE"),
    (engine.InvalidCursor, Code.INVALID_ARGUMENT, "INVALID_CURSOR"),
    (engine.InvalidArgument, Code.INVALID_ARGUMENT, "INVALID_ARGUMENT"),
    (engine.NotFound, Code.NOT_FOUND, "NOT_FOUND"),
    (engine.AlreadyExists, Code.ALREADY_EXISTS, "ALREADY_EXISTS"),
    (engine.HasDependents, Code.FAILED_PRECONDITION, "HAS_DEPENDENTS"),
    (engine.FailedPrecondition, Code.FAILED_PRECONDITION, "FAILED_PRECONDITION"),
    (engine.ReaderTooSlow, Code.ABORTED, "READER_TOO_SLOW"),
    (engine.Aborted, Code.ABORTED, "ETAG_MISMATCH"),
    (engine.CursorTooOld, Code.OUT_OF_RANGE, "CURSOR_TOO_OLD"),
    (engine.OutOfRange, Code.OUT_OF_RANGE, "OUT_OF_RANGE"),
    (engine.LimitExceeded, Code.INVALID_ARGUMENT, "LIMIT_EXCEEDED"),
    (engine.DeadlineExceeded, Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"),
    (engine.Cancelled, Code.CANCELLED, "CANCELLED"),
    (engine.OutcomeUnknown, Code.UNKNOWN, "OUTCOME_UNKNOWN"),
    (engine.StoreReadOnly, Code.FAILED_PRECONDITION, "READ_ONLY"),
    (engine.StoreLocked, Code.FAILED_PRECONDITION, "STORE_LOCKED"),
    (server.MalformedRequest, Code.INTERNAL, "MALFORMED_REQUEST"),
    (server.NotServed, Code.UNIMPLEMENTED, "NOT_SERVED"),
    (server.Unauthenticated, Code.UNAUTHENTICATED, "UNAUTHENTICATED"),
    (server.PermissionDenied, Code.PERMISSION_DENIED, "PERMISSION_DENIED"),
    (server.TooManyStreams, Code.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS"),
    (server.NotReady, Code.UNAVAILABLE, "NOT_READY"),
)
"""The first that fits; the narrow ones stand before the wide."""

_CAPACITIES = frozenset(
    {
        "profiles",
        "attributes",
        "event_types",
        "distinct_values",
        "segments",
        "audiences",
        "audience_bytes",
        "response_bytes",
    }
)
"""Limits on what the store or an answer holds: the same request may fit later or elsewhere. The others bound
a request as such."""


def failure_of(error: Exception) -> Failure:
    """What to tell the caller. Total: whatever it is given, nothing unknown gets out."""
    if isinstance(error, MemoryError):
        return Failure(Code.RESOURCE_EXHAUSTED, "OUT_OF_MEMORY", "not enough memory for this call")
    if isinstance(error, server.RefusedRule):
        return replace(failure_of(error.cause), fields=(error.field,))
    for kind, code, reason in _CODES:
        if isinstance(error, kind):
            return _known(error, code, reason)
    incident = secrets.token_hex(8)
    return Failure(
        Code.INTERNAL,
        "INTERNAL",
        f"internal error; incident {incident}",
        metadata={"incident": incident},
        incident=incident,
    )


def _known(error: Exception, code: Code, reason: str) -> Failure:
    message = error.message if isinstance(error, engine.EngineError | server.ServerError) else reason
    metadata: dict[str, str] = {}
    fields: tuple[str, ...] = ()
    problem: RuleProblem | None = None
    retry: float | None = None
    match error:
        case engine.InvalidRule():
            problem = _rule_problem(error)
            fields = (error.path if isinstance(error, engine.UnknownField) else "rule",)
            if isinstance(error, engine.UnknownName):
                metadata = {"kind": error.kind, "name": error.name[:200]}
            elif isinstance(error, engine.ReferenceCycle):
                metadata = {"cycle": " -> ".join(error.cycle[:NAMES_MAX])}
        case engine.InvalidArgument():
            fields = (error.path,)
        case engine.NotFound(kind="profile"):
            message, metadata = "no such profile", {"kind": "profile"}
        case engine.NotFound() | engine.AlreadyExists():
            metadata = {"kind": error.kind, "name": error.name[:200]}
        case engine.HasDependents():
            metadata = {"dependents": ", ".join(error.dependents[:NAMES_MAX])}
        case engine.ReaderTooSlow():
            metadata = {"cursor": error.cursor}
        case engine.CursorTooOld():
            metadata = {"oldest_version": str(error.oldest_version)}
        case engine.LimitExceeded():
            metadata = {"limit": error.limit, "bound": str(error.bound)}
            if error.got is not None:
                metadata["got"] = str(error.got)
            if error.limit in _CAPACITIES:
                code = Code.RESOURCE_EXHAUSTED
            else:
                fields = (error.limit,)
        case server.NotServed():
            metadata = {"field": error.path}
        case server.PermissionDenied():
            metadata = {"role": error.role}
        case server.TooManyStreams():
            metadata = {"limit": "streams", "bound": str(error.bound)}
        case server.NotReady():
            retry = error.retry_after_s
        case _:
            pass
    return Failure(code, reason, message[:MESSAGE_CHARACTERS_MAX], metadata, fields, problem, retry)


def _rule_problem(error: engine.InvalidRule) -> RuleProblem:
    suggestions = error.suggestions if isinstance(error, engine.UnknownName) else ()
    return RuleProblem(
        error.line,
        error.column,
        error.path[:200],
        tuple(text[:60] for text in error.expected[:NAMES_MAX]),
        tuple(name[:200] for name in suggestions[:NAMES_MAX]),
    )
