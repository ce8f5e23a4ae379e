"""serve and warm: the commands that run the engine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit, say


def serve(
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to listen; without it 127.0.0.1:50051.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="The store; without it everything is forgotten at the end."),
    ] = None,
    clock_start: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Where the clock of a new store begins, for historical data."),
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="The workspace's time zone, else UTC.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Settings in TOML; HEADCOUNT_* variables win over it.")
    ] = None,
    allow_plaintext: Annotated[
        bool, typer.Option("--allow-plaintext", help="Listen beyond this machine without TLS.")
    ] = False,
    tls_certificate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate chain, PEM.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="The certificate's key, PEM.")] = None,
    tls_client_ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Callers must show a certificate that this authority signed, PEM."),
    ] = None,
    tokens: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Callers must carry a token of this file: see `headcount tokens`."),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")
    ] = None,
    log_format: Annotated[str | None, typer.Option(metavar="FORMAT", help="json or text.")] = None,
) -> None:
    """Run a server until it is interrupted."""
    from headcount_engine.errors import EngineError
    from headcount_server import app
    from headcount_server.config import ServerConfig
    from headcount_server.errors import CannotListen, StartError

    try:
        settings = ServerConfig.load(
            config,
            listen=listen,
            data=data,
            clock_start=clock_start,
            default_zone=zone,
            allow_plaintext=allow_plaintext or None,
            tls_certificate=tls_certificate,
            tls_key=tls_key,
            tls_client_ca=tls_client_ca,
            tokens=tokens,
            log_level=log_level,
            log_format=log_format,
        )
        app.serve(settings)
    except CannotListen as error:
        raise CommandError(error.message, Exit.REFUSED) from error
    except StartError as error:
        raise CommandError(error.message, Exit.INVALID) from error
    except EngineError as error:
        raise CommandError(error.message, Exit.REFUSED) from error


def warm() -> None:
    """Compile every kernel, so that the first start is quick. Later runs take seconds."""
    import importlib
    import pkgutil

    if sys.stderr.isatty():
        say("loading the compiler ...")
    from headcount_engine import kernels
    from headcount_engine.kernels import jit

    for module in pkgutil.iter_modules(kernels.__path__):
        importlib.import_module(f"{kernels.__name__}.{module.name}")
    if sys.stderr.isatty():
        _warm_with_bar(jit.warm())
        return
    said = 0
    for done, total, _ in jit.warm():
        # In a log, ten lines are enough.
        if total and done * 10 // total > said:
            said = done * 10 // total
            say(f"compiled {done} of {total} kernels")


def _warm_with_bar(steps: Iterator[tuple[int, int, str]]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("kernels"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[kernel]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("kernels", total=None, kernel="")
        for done, total, name in steps:
            progress.update(task, completed=done, total=total, kernel=name)
