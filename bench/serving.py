"""A server and an echo in processes of their own, for questions that are asked over gRPC.

The server holds the tier's profiles with the attributes that the segments here ask for, and no events: a call's cost
does not hang on the rest.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc

from bench import asked
from bench.context import Context, warm_kernels
from bench.generator import write_parquet
from bench.loading import load, new_database
from bench.tiers import NOW_US, Tier
from headcount_engine import Database
from headcount_engine.clock import ManualClock
from headcount_engine.model.answers import SegmentDraft
from headcount_server.app import SWITCH_INTERVAL_S, build
from headcount_server.config import ServerConfig

ATTRIBUTES = ["country", "plan", "subscribed", "device", "loyalty_tier", "age"]
SEGMENTS = {"pro": 'plan = "plan-0"', "checked": asked.FIVE_LEAVES.rule}
ECHO_PATH = "/bench.Echo/Call"
SIZE_BYTES = 4
SERVER_THREADS = 32


@dataclass(slots=True)
class Served:
    """Both processes, answering."""

    address: str
    channel: grpc.Channel
    echo_channel: grpc.Channel
    pid: int
    """Of the server."""

    def caller(self, path: str, request: bytes) -> Callable[[], bytes]:
        """A call of raw bytes."""
        stub: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(path)
        return lambda: stub(request, timeout=30)

    def echo_of(self, sizes: tuple[int, int]) -> Callable[[], bytes]:
        """A call of a request of that many bytes, answered by that many."""
        stub: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self.echo_channel.unary_unary(ECHO_PATH)
        request = sizes[1].to_bytes(SIZE_BYTES, "little") + bytes(max(sizes[0] - SIZE_BYTES, 0))
        return lambda: stub(request, timeout=30)


@contextlib.contextmanager
def serving(context: Context) -> Iterator[Served]:
    """Start both, wait until they answer, and end them."""
    with contextlib.ExitStack() as stack:
        (address, pid), (echo, _) = (
            stack.enter_context(_process(what, context.tier, context.folder)) for what in ("server", "echo")
        )
        channels = [stack.enter_context(grpc.insecure_channel(a)) for a in (address, echo)]
        yield Served(address, *channels, pid)


@contextlib.contextmanager
def lent(context: Context) -> Iterator[str]:
    """The loaded database behind a server of this process, which does nothing else meanwhile; its address.

    Loading a second time would take as long again, and as much memory.
    """
    config = ServerConfig(listen="127.0.0.1:0", log_level="error")
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    server = build(config, open_database=lambda: context.loaded.database)
    try:
        yield server.address
    finally:
        server.database = cast("Database", _Lent())
        server.stop()
        gc.unfreeze()
        sys.setswitchinterval(interval_s)


class _Lent:
    """In the place of a database that is still needed."""

    def close(self) -> None:
        pass


@contextlib.contextmanager
def plain_server(store: Path | None = None) -> Iterator[str]:
    """An empty server at the end of the generated history; its address. With a directory it is durable."""
    kept = [] if store is None else ["--store", str(store)]
    with _started([sys.executable, "-m", "bench.serving", "empty", *kept], "server") as (address, _):
        yield address


@contextlib.contextmanager
def durable_server(folder: Path) -> Iterator[str]:
    """An empty server with a store of its own, which goes with it."""
    with tempfile.TemporaryDirectory(dir=folder) as store, plain_server(Path(store)) as address:
        yield address


@contextlib.contextmanager
def _process(what: str, tier: Tier, folder: Path) -> Iterator[tuple[str, int]]:
    command = [sys.executable, "-m", "bench.serving", what, "--tier", tier, "--folder", str(folder)]
    with _started(command, what) as started:
        yield started


@contextlib.contextmanager
def _started(command: list[str], what: str) -> Iterator[tuple[str, int]]:
    """Its address and process id."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            raise RuntimeError(f"the {what} process ended before it answered")
        yield address, process.pid
    finally:
        process.communicate()  # Closes its input, at which it ends.


# ------------------------------------------------------------------------------------------- in those processes


def _serve(tier: Tier, folder: Path | None, store: Path | None) -> None:
    """With a tier's profiles, or without a folder with nothing in it; in memory, or in a directory."""
    warm_kernels()
    database = new_database() if store is None else Database.open(store, clock=ManualClock(NOW_US))
    if folder is not None:
        load(database, write_parquet(folder, tier), ATTRIBUTES, events=False)
        for name, rule in SEGMENTS.items():
            database.create_segment(SegmentDraft(name, rule, name))
    config = ServerConfig(listen="127.0.0.1:0", log_level="error")

    def opened() -> Database:
        return database

    with build(config, open_database=opened) as server:
        print(server.address, flush=True)
        sys.stdin.read()


class _Echo(grpc.GenericRpcHandler):
    def service(self, _: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[bytes, bytes]:
        return grpc.unary_unary_rpc_method_handler(_answer)


def _answer(request: bytes, _: grpc.ServicerContext) -> bytes:
    return bytes(int.from_bytes(request[:SIZE_BYTES], "little"))


def _echo() -> None:
    server = grpc.server(
        ThreadPoolExecutor(SERVER_THREADS), handlers=[_Echo()], options=[("grpc.so_reuseport", 0)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(0).wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A process that answers until its input is closed.")
    parser.add_argument("what", choices=["server", "empty", "echo"])
    parser.add_argument("--tier", type=Tier, default=Tier.S)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--store", type=Path)
    given = parser.parse_args()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    if given.what == "echo":
        _echo()
    else:
        _serve(given.tier, given.folder, given.store)


if __name__ == "__main__":
    main()
