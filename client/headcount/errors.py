"""Everything the client raises, as one tree.

::

    HeadcountError
    ├── InvalidArgument (ValueError)     the request is wrong, whatever the state
    │   └── InvalidRule                  a rule that cannot be read or names what does not exist
    ├── NotFound (KeyError)              a profile, segment or other thing that is not there
    ├── AlreadyExists
    ├── FailedPrecondition               right in itself, wrong in this state
    ├── Aborted                          somebody else changed it meanwhile (an etag that is no longer current)
    ├── OutOfRange                       a position or cursor outside what is kept
    ├── ResourceExhausted                past one of the server's bounds
    ├── Unauthenticated
    ├── PermissionDenied
    ├── DeadlineExceeded (TimeoutError)
    ├── Cancelled
    ├── Unavailable (ConnectionError)    no server, or one that cannot answer just now
    ├── Unimplemented                    a server that does not have this method
    └── ServerError                      a fault of the server; `metadata["error_id"]` finds it in its log

What the client itself finds wrong before anything is sent comes as InvalidArgument too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that is at fault: its path, what is wrong, and a constant for programs."""

    field: str
    description: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """Where and why a rule was refused.

    `line` and `column` count from 1 and are 0 where the position is unknown; `path` is the node of the rule by
    position (`0.2`); `expected` is what could have stood there; `suggestions` are the nearest known names.
    """

    field: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    expected: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorDetails:
    """What came with a failure besides its message.

    `metadata` holds what the message says, for programs (`limit`, `got`, `dependents`, ...). `retry_after_s` is when
    the same call is worth making again, if the server said so.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[FieldViolation, ...] = ()
    retry_after_s: float | None = None
    rule: RuleProblem | None = None


class HeadcountError(Exception):
    """Root of the tree.

    `code` is the canonical gRPC code (`NOT_FOUND`), `reason` a constant that names the cause within it, `details`
    what else is known.
    """

    code = "UNKNOWN"

    def __init__(
        self, message: str, *, reason: str = "", details: ErrorDetails | None = None, code: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.details = details or ErrorDetails()
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return self.message

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the message says, for programs."""
        return self.details.metadata

    @property
    def retry_after_s(self) -> float | None:
        """When the same call is worth making again, if the server said so."""
        return self.details.retry_after_s


class InvalidArgument(HeadcountError, ValueError):
    """The request is wrong, whatever the state of the server. `field` is the path of the first field at fault."""

    code = "INVALID_ARGUMENT"

    @property
    def field(self) -> str:
        violations = self.details.violations
        return violations[0].field if violations else ""


class InvalidRule(InvalidArgument):
    """A rule that the server refused; where it is at fault stands in the message's end and in the properties."""

    @property
    def problem(self) -> RuleProblem:
        return self.details.rule or RuleProblem()

    @property
    def line(self) -> int:
        """From 1; 0 where unknown."""
        return self.problem.line

    @property
    def column(self) -> int:
        """From 1, in code points; 0 where unknown."""
        return self.problem.column

    @property
    def path(self) -> str:
        """The node at fault, by position from the root."""
        return self.problem.path

    @property
    def expected(self) -> tuple[str, ...]:
        """What could have stood there."""
        return self.problem.expected

    @property
    def suggestions(self) -> tuple[str, ...]:
        """For an unknown name: the nearest known ones, best first."""
        return self.problem.suggestions


class NotFound(HeadcountError, KeyError):
    """A profile, segment or other thing that is not there."""

    code = "NOT_FOUND"


class AlreadyExists(HeadcountError):
    """Something of that name is there already."""

    code = "ALREADY_EXISTS"


class FailedPrecondition(HeadcountError):
    """Right in itself, and not possible in this state: a segment that others refer to, a read-only server."""

    code = "FAILED_PRECONDITION"


class Aborted(HeadcountError):
    """Somebody else changed it between the caller's read and its write."""

    code = "ABORTED"


class OutOfRange(HeadcountError):
    """A position or cursor outside what is kept."""

    code = "OUT_OF_RANGE"


class ResourceExhausted(HeadcountError):
    """Past one of the server's bounds; `metadata` names it."""

    code = "RESOURCE_EXHAUSTED"


class Unauthenticated(HeadcountError):
    """No token, or one that the server does not know."""

    code = "UNAUTHENTICATED"


class PermissionDenied(HeadcountError):
    """A token that does not allow this."""

    code = "PERMISSION_DENIED"


class DeadlineExceeded(HeadcountError, TimeoutError):
    """No answer within the timeout. A write may have been applied all the same."""

    code = "DEADLINE_EXCEEDED"


class Cancelled(HeadcountError):
    """The call was cancelled, or its client closed."""

    code = "CANCELLED"


class Unavailable(HeadcountError, ConnectionError):
    """No server is reachable, or it cannot answer just now. Reads were tried again already."""

    code = "UNAVAILABLE"


class Unimplemented(HeadcountError):
    """The server does not have this method."""

    code = "UNIMPLEMENTED"


class ServerError(HeadcountError):
    """A fault of the server: INTERNAL, UNKNOWN or DATA_LOSS, as `code` says."""

    code = "INTERNAL"
