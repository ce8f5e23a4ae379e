"""How commands end: one number for each kind of ending, and one readable line on standard error.

| code | meaning                                                              |
|------|----------------------------------------------------------------------|
| 0    | done                                                                 |
| 1    | done, and the answer is no (`check`)                                 |
| 2    | the command line itself is wrong                                     |
| 3    | an invalid rule or argument                                          |
| 4    | not found                                                            |
| 5    | no answer: the server is away, not ready, or too slow                |
| 6    | done, but some rows or files could not be loaded                     |
| 7    | refused in this state: exists already, is in use, not allowed, full  |
| 8    | a fault of the server or of this program's surroundings              |
| 130  | interrupted                                                          |
"""

from __future__ import annotations

import enum
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headcount.errors import HeadcountError


class Exit(enum.IntEnum):
    DONE = 0
    NO = 1
    USAGE = 2
    INVALID = 3
    NOT_FOUND = 4
    NO_ANSWER = 5
    SOME_REJECTED = 6
    REFUSED = 7
    FAULT = 8
    INTERRUPTED = 130


class CommandError(Exception):
    """Ends a command with a message and a code."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


_CODES = {
    "INVALID_ARGUMENT": Exit.INVALID,
    "OUT_OF_RANGE": Exit.INVALID,
    "UNIMPLEMENTED": Exit.INVALID,
    "NOT_FOUND": Exit.NOT_FOUND,
    "UNAVAILABLE": Exit.NO_ANSWER,
    "DEADLINE_EXCEEDED": Exit.NO_ANSWER,
    "ALREADY_EXISTS": Exit.REFUSED,
    "FAILED_PRECONDITION": Exit.REFUSED,
    "ABORTED": Exit.REFUSED,
    "PERMISSION_DENIED": Exit.REFUSED,
    "UNAUTHENTICATED": Exit.REFUSED,
    "RESOURCE_EXHAUSTED": Exit.REFUSED,
}


def say(line: str) -> None:
    """A line for people, beside the output."""
    print(line, file=sys.stderr, flush=True)


def code_of(error: HeadcountError) -> Exit:
    return _CODES.get(error.code, Exit.FAULT)


def describe(error: HeadcountError, target: str, rules: tuple[str, ...] = ()) -> str:
    """The failure in one line; under it, for a rule that was refused, the rule with a caret at the place."""
    from headcount.errors import InvalidRule

    if error.code == "UNAVAILABLE" and not error.reason:
        return f"no server answers at {target}; start one with: headcount serve --data ./data"
    if isinstance(error, InvalidRule) and error.line:
        rule = _refused(error.problem.field, rules)
        place = f"line {error.line}, column {error.column}"
        message = error.message if place in error.message else f"{place}: {error.message}"
        lines = rule.split("\n")
        if rule and error.line <= len(lines):
            shown = lines[error.line - 1]
            return f"{message}\n  {_flat(shown)}\n  {_indent(shown, error.column)}^"
        return message
    return error.message


def _refused(field: str, rules: tuple[str, ...]) -> str:
    """The rule that a field such as `rules[1]` means; `after` is the second of two."""
    if field == "after" and len(rules) > 1:
        return rules[1]
    _, bracket, rest = field.partition("[")
    index = rest.partition("]")[0]
    if bracket and index.isdecimal() and int(index) < len(rules):
        return rules[int(index)]
    return rules[0] if rules else ""


def _flat(line: str) -> str:
    return line.replace("\t", " ")


def _indent(line: str, column: int) -> str:
    """As wide as what stands before the column: characters of double width take two places."""
    import unicodedata

    before = line[: column - 1]
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in before)
    thin = sum(bool(unicodedata.combining(c)) for c in before)
    return " " * (max(0, column - 1) + wide - thin)
