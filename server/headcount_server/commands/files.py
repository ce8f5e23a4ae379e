"""Files that a command reads, and those it writes beside its output: both are looked at before anything is done."""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO

from headcount_server.commands.exits import CommandError, Exit

STANDARD_INPUT = Path("-")


def check_inputs(paths: Iterable[Path]) -> None:
    """Raises CommandError for the first that is not there, or is a directory."""
    for path in paths:
        if path == STANDARD_INPUT:
            continue
        if not path.exists():
            raise CommandError(f"there is no file {path}", Exit.NOT_FOUND)
        if path.is_dir():
            raise CommandError(f"{path} is a directory, not a file", Exit.INVALID)


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """A file that can be read from any place and more than once: the file, or a copy of what a pipe gives.

    Raises CommandError where it cannot be opened.
    """
    if path.is_file():
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="headcount-") as copy:
        if path == STANDARD_INPUT:
            _copy(sys.stdin.buffer, copy.file)
        else:
            try:
                with path.open("rb") as pipe:
                    _copy(pipe, copy.file)
            except OSError as error:
                raise CommandError(f"{path} cannot be read: {error.strerror}", Exit.INVALID) from error
        yield Path(copy.name)


def _copy(source: IO[bytes], into: IO[bytes]) -> None:
    shutil.copyfileobj(source, into, 1 << 20)
    into.flush()


class Report:
    """Rows as CSV in a file that is changed by the first of them; nothing where there is no file."""

    def __init__(self, heading: Sequence[str], file: TextIO | None, *, is_regular: bool) -> None:
        self._heading = heading
        self._file = file
        self._is_regular = is_regular
        self.has_begun = False

    def begin(self) -> None:
        """Empty the file and write the heading, once."""
        if self._file is None or self.has_begun:
            return
        if self._is_regular:
            self._file.truncate(0)
        csv.writer(self._file).writerow(self._heading)
        self.has_begun = True

    def write(self, row: Sequence[object]) -> None:
        self.begin()
        if self._file is not None:
            csv.writer(self._file).writerow(row)


@contextmanager
def report(path: Path | None, option: str, heading: Sequence[str]) -> Iterator[Report]:
    """A report into a file that is opened at once. One that is not begun leaves no file, and an old one as it was.

    Raises CommandError where it cannot be written, naming `option`.
    """
    if path is None:
        yield Report(heading, None, is_regular=False)
        return
    is_new = not path.exists()
    try:
        file = path.open("a", newline="", encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{option}: {path} cannot be written: {error.strerror}", Exit.INVALID) from error
    made = Report(heading, file, is_regular=path.is_file())
    try:
        with file:
            yield made
    finally:
        if is_new and not made.has_begun:
            path.unlink(missing_ok=True)
