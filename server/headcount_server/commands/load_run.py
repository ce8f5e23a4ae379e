"""One run of `headcount load`: file after file, told as it goes."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import grpc

from headcount import Client, HeadcountError
from headcount_engine.errors import InvalidValue
from headcount_engine.model.values import ValueType
from headcount_server.commands.exits import CommandError, Exit, code_of, describe, say
from headcount_server.commands.talking import Json, client_of, connection_of, print_json
from headcount_server.loading.batches import FileLoad, open_file
from headcount_server.loading.files import Format
from headcount_server.loading.options import LoadOptions, Role
from headcount_server.loading.plan import ColumnPlan
from headcount_server.loading.problems import FileProblem, LoadError, OptionProblem, Rejected
from headcount_server.loading.wire.sending import Sender, Totals


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. `problem` is why it could not be read (to its end)."""

    path: Path
    position_word: str
    totals: Totals
    seconds: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class LoadRun:
    """Loads files in order over one connection. A file that cannot be read is reported, and the next one goes on."""

    files: list[Path]
    options: LoadOptions
    file_format: Format | None
    delimiter: str | None
    rejected_path: Path | None
    target: str
    as_json: bool

    def run(self) -> Exit:
        """Returns how the command ends; raises CommandError where nothing more can be done."""
        connection = connection_of(self.target)
        reports = list[FileReport]()
        try:
            with (
                client_of(self.target) as client,
                connection.open() as channel,
                _rejected_file(self.rejected_path) as write_rejected,
            ):
                for path in self.files:
                    reports.append(self._file(path, client, channel, connection.metadata(), write_rejected))
        except HeadcountError as error:
            self._report(reports)
            raise CommandError(describe(error, self.target), code_of(error)) from error
        except OptionProblem as problem:
            self._report(reports)
            raise CommandError(str(problem), Exit.INVALID) from problem
        self._report(reports)
        is_clean = all(not report.problem and not report.totals.rejected for report in reports)
        return Exit.DONE if is_clean else Exit.SOME_REJECTED

    def _file(
        self,
        path: Path,
        client: Client,
        channel: grpc.Channel,
        metadata: Sequence[tuple[str, str | bytes]],
        write_rejected: Callable[[Path, Rejected], None],
    ) -> FileReport:
        started = time.monotonic()
        known = known_types(client, self.options)
        sender: Sender | None = None
        word = "line"
        problem = ""
        try:
            load = open_file(
                path,
                self.options if self.options.zone else replace(self.options, zone="UTC"),
                known,
                file_format=self.file_format,
                delimiter=self.delimiter,
            )
            try:
                word = load.position_word
                plans = load.settle()
                if not self.as_json:
                    _say_plans(path, plans)
                with progress_bar(path.name, load, self.as_json) as show:
                    sender = Sender(
                        channel,
                        metadata=metadata,
                        on_rejected=lambda rejected: write_rejected(path, rejected),
                        on_change=show,
                    )
                    sender.send(load.batches())
            finally:
                load.close()
        except OptionProblem as error:
            raise OptionProblem(f"{path}: {error}") from error
        except FileProblem as error:
            problem = f"{error} (after {word} {error.position:,})" if error.position else str(error)
        except LoadError as error:
            problem = str(error)
        totals = sender.totals if sender is not None else Totals()
        return FileReport(path, word, totals, time.monotonic() - started, problem)

    def _report(self, reports: list[FileReport]) -> None:
        if self.as_json:
            print_json([_report_json(report) for report in reports])
            return
        for report in reports:
            _print_report(report)


def known_types(client: Client, options: LoadOptions) -> dict[str, ValueType]:
    """The types that the server has for what the file will be; a property that differs between events has none."""
    schema = client.get_schema()
    types = dict[str, ValueType]()
    if not options.is_events:
        types = {name: ValueType.parse(attribute.type) for name, attribute in schema.attributes.items()}
        return types
    conflicting = set[str]()
    for name, event in schema.event_types.items():
        if options.event and name != options.event:
            continue
        for prop in event.properties:
            try:
                kind = ValueType.parse(prop.type)
            except InvalidValue:
                continue
            if types.setdefault(prop.name, kind) != kind:
                conflicting.add(prop.name)
    return {name: kind for name, kind in types.items() if name not in conflicting}


@contextmanager
def _rejected_file(path: Path | None) -> Iterator[Callable[[Path, Rejected], None]]:
    """A function that writes rejected rows to the file as CSV; the file appears with the first."""
    if path is None:
        yield lambda _path, _rejected: None
        return
    opened = list[TextIO]()

    def write(source: Path, rejected: Rejected) -> None:
        if not opened:
            try:
                opened.append(path.open("w", newline="", encoding="utf-8"))
            except OSError as error:
                raise OptionProblem(f"--rejected: {path} cannot be written: {error.strerror}") from error
            csv.writer(opened[0]).writerow(["file", "position", "column", "reason", "row"])
        csv.writer(opened[0]).writerow(
            [str(source), rejected.position, rejected.column, rejected.reason, rejected.source]
        )

    try:
        yield write
    finally:
        for file in opened:
            file.close()


@contextmanager
def progress_bar(what: str, load: FileLoad, is_silent: bool) -> Iterator[Callable[[Totals], None]]:
    """A bar with rows and rows a second on a terminal; else nothing."""
    if is_silent or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    started = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,}/s"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=None, rows=0, rate=0)

        def show(totals: Totals) -> None:
            read = load.progress()
            rows = totals.accepted + totals.rejected
            rate = int(rows / max(1e-3, time.monotonic() - started))
            progress.update(task, completed=read.done, total=read.total or None, rows=rows, rate=rate)

        yield show


def _say_plans(path: Path, plans: tuple[ColumnPlan, ...]) -> None:
    say(f"{path}:")
    width = max((len(plan.source) for plan in plans), default=0)
    for plan in plans:
        say(f"  {plan.source:<{width}}  {_described(plan)}")


def _described(plan: ColumnPlan) -> str:
    called = f" called {plan.name}" if plan.name != plan.source else ""
    match plan.role:
        case Role.ATTRIBUTE | Role.PROPERTY:
            kind = "-" if plan.type is None else str(plan.type)
            return f"{kind} ({plan.origin}){called}"
        case Role.IDENTIFIER:
            return f"identifier{called}"
        case _:
            return str(plan.role.value)


def _print_report(report: FileReport) -> None:
    totals = report.totals
    rate = f", {totals.rows / report.seconds:,.0f} rows/s" if report.seconds > 0.05 else ""
    created = f", {totals.created:,} new profiles" if totals.created else ""
    known = f", {totals.duplicates:,} known already" if totals.duplicates else ""
    print(
        f"{report.path}: {totals.rows:,} rows read, {totals.accepted:,} accepted{created}{known}, "
        f"{totals.rejected:,} rejected ({report.seconds:.1f} s{rate})"
    )
    for rejected in totals.first_rejected:
        column = f", column {rejected.column}" if rejected.column else ""
        say(f"  {report.position_word} {rejected.position:,}{column}: {rejected.reason}")
    if totals.rejected > len(totals.first_rejected):
        say(f"  ... and {totals.rejected - len(totals.first_rejected):,} more")
    if report.problem:
        say(f"headcount: {report.path}: {report.problem}")


def _report_json(report: FileReport) -> Json:
    totals = report.totals
    return {
        "file": str(report.path),
        "rows": totals.rows,
        "accepted": totals.accepted,
        "created": totals.created,
        "duplicates": totals.duplicates,
        "rejected": totals.rejected,
        "rejections": [
            {report.position_word: r.position, "column": r.column, "reason": r.reason}
            for r in totals.first_rejected
        ],
        "problem": report.problem or None,
        "version": totals.version,
        "seconds": round(report.seconds, 3),
    }
