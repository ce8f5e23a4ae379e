"""Wiring: configuration in, a running server out.

The port is bound first, so that a second server fails at once; the store is opened behind it while health
says NOT_SERVING and calls get UNAVAILABLE; then the method table is put in place.
"""

from __future__ import annotations

import gc
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING

import prometheus_client
import structlog

from headcount_server import logs
from headcount_server.config import ServerConfig, split_address
from headcount_server.facts import process_facts
from headcount_server.guards.access import Authenticator, TrustEveryone
from headcount_server.guards.guard import Guard, GuardLimits
from headcount_server.guards.metrics import Metrics
from headcount_server.guards.tokens import TokenAuthenticator
from headcount_server.listeners.grpc_sync import GrpcListener, GrpcOptions, TlsFiles
from headcount_server.methods import method_table
from headcount_server.phase import Phase, PhaseHolder
from headcount_server.store_watch import StoreWatch

if TYPE_CHECKING:
    from headcount_engine import Database
    from headcount_engine.ticking import Ticker

SWITCH_INTERVAL_S = 2e-4
"""How long a thread may keep the GIL while another waits: at Python's own 5 ms, calls beside a busy writer
take 16 ms."""

log = structlog.get_logger("headcount.app")


class RunningServer:
    """A server that answers calls at `address` until it is stopped."""

    def __init__(
        self,
        host: str,
        listener: GrpcListener,
        database: Database,
        phase: PhaseHolder,
        grace_s: float,
        close_metrics: Callable[[], None],
        ticker: Ticker,
        watch: StoreWatch,
    ) -> None:
        self.port = listener.port
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        self.database = database
        self._listener = listener
        self._phase = phase
        self._grace_s = grace_s
        self._close_metrics = close_metrics
        self._ticker = ticker
        self._watch = watch
        self._stop_lock = threading.Lock()
        self._is_stopped = False

    def stop(self, grace_s: float | None = None) -> None:
        """Drain, let running calls end within the grace, write the store. Safe to call twice; the second
        waits."""
        with self._stop_lock:
            if self._is_stopped:
                return
            self._is_stopped = True
            self._listener.drain()
            self._phase.current = Phase.DRAINING
            self._listener.stop(self._grace_s if grace_s is None else grace_s)
            self._close_metrics()
            self._ticker.stop()
            self._watch.stop()
            self.database.close()

    def __enter__(self) -> RunningServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def build(
    config: ServerConfig,
    *,
    open_database: Callable[[], Database] | None = None,
    authenticator: Authenticator | None = None,
) -> RunningServer:
    """Start a server and return when it serves. Raises StartError, and what opening the store raises."""
    phase, metrics = PhaseHolder(), Metrics()
    limits = GuardLimits(
        config.deadline_s, config.stream_deadline_s, config.streams, config.response_bytes_max
    )
    authenticator = authenticator or _authenticator(config)
    guard = Guard(limits, authenticator, phase, metrics)
    listener = GrpcListener(_grpc_options(config), guard, authenticator)
    try:
        database = (open_database or (lambda: _open(config)))()
    except BaseException:
        listener.stop(0)
        raise
    listener.serve(method_table(database, phase, metrics, process_facts()))
    phase.current = Phase.SERVING
    return RunningServer(
        split_address(config.listen)[0],
        listener,
        database,
        phase,
        config.grace_s,
        _serve_metrics(config.metrics_listen, metrics),
        _ticker(database, config),
        StoreWatch(lambda: database.store_failure, listener.refuse_writes).start(),
    )


def _authenticator(config: ServerConfig) -> Authenticator:
    return TrustEveryone() if config.tokens is None else TokenAuthenticator(config.tokens)


def _ticker(database: Database, config: ServerConfig) -> Ticker:
    from headcount_engine.ticking import Ticker

    return Ticker(database.tick, config.tick_ms * 1_000).start()


def _open(config: ServerConfig) -> Database:
    # Here and not above: the kernels load while the port is bound and health answers already.
    from headcount_engine import Database

    database = Database.open(
        config.data,
        clock_start_us=config.clock_start_us,
        settings=config.workspace_settings,
        durability=config.durability,
        changes=config.change_options,
        progress=lambda at: log.info("loading", **asdict(at)),
    )
    if database.recovery is not None:
        log.info("loaded", **asdict(database.recovery))
    return database


def _grpc_options(config: ServerConfig) -> GrpcOptions:
    tls: TlsFiles | None = None
    if config.tls_certificate is not None and config.tls_key is not None:
        authority = None if config.tls_client_ca is None else config.tls_client_ca.read_bytes()
        tls = TlsFiles(config.tls_certificate.read_bytes(), config.tls_key.read_bytes(), authority)
    return GrpcOptions(
        address=config.listen,
        tls=tls,
        threads=config.threads,
        calls=config.calls,
        streams=config.streams,
        request_bytes=config.request_bytes_max,
        response_bytes=config.response_bytes_max,
        stream_deadline_s=config.stream_deadline_s,
        serves_reflection=config.reflection,
    )


def _serve_metrics(address: str | None, metrics: Metrics) -> Callable[[], None]:
    if address is None:
        return lambda: None
    host, port = split_address(address)
    registry = prometheus_client.CollectorRegistry()
    registry.register(metrics)
    server, thread = prometheus_client.start_http_server(int(port), host, registry)

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return close


def serve(config: ServerConfig, on_ready: Callable[[RunningServer], None] | None = None) -> None:
    """Serve until SIGTERM or SIGINT; then drain, write the store and return. A second signal ends the
    process at once.

    Prints one line on standard output when calls are answered. Main thread only.
    """
    logs.configure(config.log_level, config.log_format)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    told_to_stop = threading.Event()

    def stop(number: int, _: FrameType | None) -> None:
        told_to_stop.set()
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    log.info("starting", **config.describe())
    server = build(config)
    # What was loaded lives as long as the process: no collection need look at it again.
    gc.collect()
    gc.freeze()
    log.info("serving", address=server.address)
    print(f"headcount is listening on {server.address}", flush=True)  # noqa: T201 - what a waiting script reads
    try:
        if on_ready is not None:
            on_ready(server)
        told_to_stop.wait()
    finally:
        log.info("draining", grace_s=config.grace_s)
        server.stop()
        log.info("stopped")
