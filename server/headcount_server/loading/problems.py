"""What can be wrong with a file: as a whole, or in one row of it."""

from __future__ import annotations

from dataclasses import dataclass


class LoadError(Exception):
    """Root of what loading raises.

    ::

        LoadError
        ├── FileProblem       the file cannot be read, or not any further
        └── OptionProblem     what was asked does not fit the file or the schema
    """


class FileProblem(LoadError):
    """The file is not what its format asks for. `position` is the last line or row that could be read; 0 is none."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.position = position


class OptionProblem(LoadError):
    """A column that is not there, a type that does not fit, an option that is missing."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not loaded: where it is in the file, from 1, which column is at fault, and why.

    `source` is the row as it was read: its text if it could not be taken apart, else JSON.
    """

    position: int
    column: str
    reason: str
    source: str = ""
