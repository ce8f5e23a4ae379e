"""headcount demo: a server with a year of real groceries in it."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headcount_server.commands.exits import CommandError, Exit, say
from headcount_server.commands.talking import DEFAULT_TARGET, connected, instant_text

if TYPE_CHECKING:
    from types import FrameType

    from headcount import Client

CLOCK_START = "2018-01-01T05:00:00Z"
"""After the last purchase, which is at 04:01:20: an event that is still to come would not count yet."""
START_TIMEOUT_S = 300.0
"""Until a server answers that may have to compile its kernels first."""
STOP_TIMEOUT_S = 60.0


def demo(
    leave: Annotated[bool, typer.Option("--exit", help="Stop the server and end after printing.")] = False,
    data: Annotated[Path, typer.Option(metavar="DIR", help="Where the store is kept.")] = Path("data"),
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the server listens.")
    ] = DEFAULT_TARGET,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Delete the store in --data and load again.")
    ] = False,
) -> None:
    """Load a year of real purchases, define segments, show what they hold, and keep the server up."""
    from headcount_server.commands import journey

    files = journey.folder()
    if fresh:
        _delete_store(data)
    say(
        "Compiling the kernels, or loading them from the cache: up to two minutes the first time, then seconds"
    )
    _warm()
    say(f"Starting the server on {listen}, its store in {data}/")
    say(
        "The data ends on 2018-01-01, so the clock of a new store starts there "
        f"({CLOCK_START}): `in last 30 days` means the December before"
    )
    with _server(listen, data) as server:
        _wait_until_ready(server, listen)
        with connected(listen) as client:
            _fill(client, listen, files, data)
            _define(client)
            _show(client)
        _show_examples(listen)
        if leave:
            say("Stopping the server")
            return
        say(f"The server stays up at {listen}, process {server.pid}. Ctrl-C stops it and writes the store.")
        ended = server.wait()
        raise CommandError(f"the server ended by itself with code {ended}", Exit.FAULT)


def _delete_store(data: Path) -> None:
    import shutil

    if not data.exists():
        return
    if not (data / "LOCK").exists():
        raise CommandError(f"--fresh: {data} does not look like a store, so it is left alone", Exit.REFUSED)
    shutil.rmtree(data)


def _warm() -> None:
    done = subprocess.run([sys.executable, "-m", "headcount_server.commands", "warm"], check=False)
    if done.returncode:
        raise CommandError("the kernels could not be compiled", Exit.FAULT)


@contextmanager
def _server(listen: str, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A server process, stopped in the end: told to, so that it writes its store."""
    command = [
        sys.executable, "-m", "headcount_server.commands", "serve", "--listen", listen, "--data", str(data),
        "--clock-start", CLOCK_START, "--log-level", "warning", "--log-format", "text",
    ]  # fmt: skip
    previous = signal.signal(signal.SIGTERM, _interrupt)
    # A session of its own: Ctrl-C reaches this process alone, which then stops the server in good order.
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield server
    finally:
        signal.signal(signal.SIGTERM, previous)
        _stop(server)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is not None:
        return
    server.terminate()
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        say(f"the server did not stop within {STOP_TIMEOUT_S:g} s and is killed: what it loaded is lost")
        server.kill()
        server.wait()


def _wait_until_ready(server: subprocess.Popen[bytes], listen: str) -> None:
    from headcount.errors import HeadcountError

    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        if server.poll() is not None:
            raise CommandError("the server could not be started", Exit.REFUSED)
        try:
            with connected(listen) as client:
                client.wait_ready(1.0)
                break
        except CommandError as error:
            if not isinstance(error.__cause__, HeadcountError) or time.monotonic() > deadline:
                raise
    # Somebody else's server may have been listening there all along.
    time.sleep(0.2)
    if server.poll() is not None:
        raise CommandError(
            f"another server is listening on {listen}: choose another with --listen", Exit.REFUSED
        )


def _fill(client: Client, listen: str, files: Path, data: Path) -> None:
    """Load the data into an empty store; a full one is left as it is, and anything else is refused."""
    from headcount_server.commands import journey

    status = client.status()
    expected = journey.expected_events(files)
    if (status.profiles, status.events) == (journey.HOUSEHOLDS, expected):
        say(
            f"The store holds the data of an earlier run: {status.profiles:,} households, {status.events:,} events"
        )
        return
    if status.profiles or status.events:
        raise CommandError(
            f"{data}/ holds {status.profiles:,} profiles and {status.events:,} events, which is not the demo's data or "
            "not all of it: use --fresh to delete it, or another --data",
            Exit.REFUSED,
        )
    started = time.monotonic()
    _load(listen, files)
    took = time.monotonic() - started
    say(f"Loaded {expected:,} events of {journey.HOUSEHOLDS:,} households in {took:.1f} s")


def _load(listen: str, files: Path) -> None:
    import grpc

    from headcount.channel import Connection
    from headcount_server.commands import journey
    from headcount_server.commands.load_run import progress_bar
    from headcount_server.loading.batches import FileLoad
    from headcount_server.loading.tables import TableReader
    from headcount_server.loading.wire.sending import Sender

    with grpc.insecure_channel(listen, Connection(listen).options()) as channel:
        for part in journey.parts(files):
            load = FileLoad(TableReader(part.table), part.options, {})
            load.settle()
            with progress_bar(part.what, load, False) as show:
                sender = Sender(channel, on_change=show)
                sender.send(load.batches())
            totals = sender.totals
            say(f"  {part.what}: {totals.accepted:,} rows")
            if totals.rejected:
                first = totals.first_rejected[0]
                raise CommandError(f"{totals.rejected:,} rows were rejected: {first.reason}", Exit.FAULT)


def _define(client: Client) -> None:
    from headcount_server.commands.demo_segments import SEGMENTS

    present = {segment.id for segment in client.list_segments()}
    for segment in SEGMENTS:
        if segment.id not in present:
            client.create_segment(segment.id, segment.rule, display_name=segment.name, folder="demo")


def _show(client: Client) -> None:
    from headcount_server.commands.segment_shown import show_segments

    status = client.status()
    print(
        f"\n{status.profiles:,} households, {status.events:,} events; the clock stands at {instant_text(status.now)}\n"
    )
    show_segments(list(client.list_segments(folder="demo", order_by="create_time")))
    sys.stdout.flush()


def _show_examples(listen: str) -> None:
    from headcount_server.commands.demo_segments import EXAMPLES
    from headcount_server.commands.main import main

    elsewhere = ["--target", listen] if listen != DEFAULT_TARGET else []
    for example in EXAMPLES:
        arguments = [*example, *elsewhere]
        print(f"\n$ headcount {shlex.join(arguments)}")
        sys.stdout.flush()
        main([*example, "--target", listen])
    print(flush=True)
