"""Everything the engine raises, as one tree.

::

    EngineError
    ├── InvalidArgument            the request is wrong, whatever the state
    │   ├── InvalidValue           a value of the wrong type, out of range or not a value at all
    │   ├── InvalidCursor          a cursor that this store did not give
    │   └── InvalidRule            a rule that cannot be read, is malformed, or names what does not exist
    │       ├── UnknownName        ... and what might have been meant
    │       │   └── UnknownField   the same in a field of the request that is no rule
    │       └── ReferenceCycle     a segment that would refer to itself, however far round
    ├── NotFound                   a profile, segment or other thing that is not there
    ├── AlreadyExists
    ├── FailedPrecondition         right in itself, wrong in this state
    │   └── HasDependents          deleting it would break the named others
    ├── Aborted                    an etag that is no longer current
    │   └── ReaderTooSlow          a reader of changes that was away for too long; it may go on where it stood
    ├── OutOfRange                 a position outside what is kept
    │   └── CursorTooOld           changes before what is kept, with how to start again
    ├── LimitExceeded              one of the bounds in `limits`, named
    ├── DeadlineExceeded
    ├── Cancelled
    └── StoreError                 the directory on disk
        ├── StoreLocked            another process has it
        ├── StoreDamaged           its contents are not what was written
        └── StoreReadOnly          an earlier failure; nothing was written
            └── OutcomeUnknown     this write failed half way; a restart will tell

Messages name fields, limits and positions; they never quote a profile's key or an attribute's value, because they
travel to logs and callers. Text that the caller wrote as a *rule* may be quoted back to them.
"""

from __future__ import annotations

from collections.abc import Sequence


class EngineError(Exception):
    """Root of the tree. `message` is safe to show to a caller."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidArgument(EngineError):
    """The request is wrong. `path` names the field or node, as in `attributes.age` or `children[2].operand`."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class InvalidValue(InvalidArgument):
    """A value that its declared type does not admit."""


class InvalidCursor(InvalidArgument):
    """A cursor that was garbled, made up, or given by another store."""

    def __init__(self, message: str) -> None:
        super().__init__(message, path="cursor")


class InvalidRule(InvalidArgument):
    """A rule that cannot be saved or evaluated.

    `line` and `column` are 1-based and 0 where the rule did not come as text; `expected` lists what would have
    been accepted at that place.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str = "",
        line: int = 0,
        column: int = 0,
        expected: Sequence[str] = (),
    ) -> None:
        super().__init__(message, path=path)
        self.line = line
        self.column = column
        self.expected = tuple(expected)

    def at(self, line: int, column: int) -> InvalidRule:
        """The same error, told where in the text it is; the innermost place wins."""
        if not self.line:
            self.line, self.column = line, column
        return self


class UnknownName(InvalidRule):
    """A rule names an attribute, property or segment that does not exist."""

    def __init__(self, kind: str, name: str, suggestions: Sequence[str] = (), *, path: str = "") -> None:
        hint = f"; did you mean {' or '.join(repr(s) for s in suggestions)}?" if suggestions else ""
        super().__init__(f"unknown {kind} {name!r}{hint}", path=path)
        self.kind = kind
        self.name = name
        self.suggestions = tuple(suggestions)


class UnknownField(UnknownName):
    """A field of the request beside its rules names what does not exist; `path` is that field."""


class ReferenceCycle(InvalidRule):
    """`cycle` lists the segment names in order, the first one repeated at the end."""

    def __init__(self, cycle: Sequence[str]) -> None:
        super().__init__("segments refer to one another in a circle: " + " -> ".join(cycle))
        self.cycle = tuple(cycle)


class NotFound(EngineError):
    """`kind` is what was looked for (`profile`, `segment`, ...)."""

    def __init__(self, kind: str, name: str = "") -> None:
        super().__init__(f"no such {kind}" + (f": {name!r}" if name else ""))
        self.kind = kind
        self.name = name


class AlreadyExists(EngineError):
    """`kind` and `name` as in NotFound."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {name!r} already exists")
        self.kind = kind
        self.name = name


class FailedPrecondition(EngineError):
    """The request is well formed but the state does not allow it."""


class HasDependents(FailedPrecondition):
    """`dependents` are the names of the segments that refer to the one in question."""

    def __init__(self, name: str, dependents: Sequence[str]) -> None:
        super().__init__(f"segment {name!r} is used by {', '.join(repr(d) for d in dependents)}")
        self.dependents = tuple(dependents)


class Aborted(EngineError):
    """The state changed between the caller's read and its write."""


class ReaderTooSlow(Aborted):
    """`cursor` is where the reader stood: the same call with it goes on from there."""

    def __init__(self, cursor: str) -> None:
        super().__init__("the reader took too long while changes kept coming: go on from the cursor")
        self.cursor = cursor


class OutOfRange(EngineError):
    """A position outside what is kept."""


class CursorTooOld(OutOfRange):
    """`oldest_version` is the first whose changes are all kept."""

    def __init__(self, version: int, oldest_version: int) -> None:
        super().__init__(
            f"the changes of version {version} are no longer kept, only those from version {oldest_version} on: "
            "start again from now with the initial members, or from the oldest change that is kept"
        )
        self.oldest_version = oldest_version


class LimitExceeded(EngineError):
    """`limit` is the name of the bound in `limits.Limits`, `bound` its value; `advice` what can be done about it."""

    def __init__(self, limit: str, bound: int, got: int | None = None, *, advice: str = "") -> None:
        message = f"{limit} is limited to {bound:,}" + (f", got {got:,}" if got is not None else "")
        super().__init__(f"{message}: {advice}" if advice else message)
        self.limit = limit
        self.bound = bound
        self.got = got


class DeadlineExceeded(EngineError):
    """The caller's deadline passed while evaluating."""

    def __init__(self) -> None:
        super().__init__("the deadline passed before the answer was ready")


class Cancelled(EngineError):
    """The caller went away."""

    def __init__(self) -> None:
        super().__init__("the caller cancelled")


class StoreError(EngineError):
    """Something about the data directory."""


class StoreLocked(StoreError):
    """Another process holds the directory."""


class StoreDamaged(StoreError):
    """A file is not what was written; `path` and `offset` say where."""

    def __init__(self, message: str, *, path: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.path = path
        self.offset = offset


class StoreReadOnly(StoreError):
    """The log failed before; nothing of this write was kept, and none will be until the store is opened again."""


class OutcomeUnknown(StoreReadOnly):
    """The log failed during this write: whether it is kept shows when the store is opened again."""
