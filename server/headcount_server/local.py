"""The method table called directly: a server without a network, inside the process of its only caller.

What the client's `local:` targets reach. Requests and answers are the same bytes as on the wire, and pass the same
guard, so that deadlines, limits and failures are the same too.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

from headcount_engine import Database
from headcount_engine.errors import EngineError, StoreDamaged
from headcount_server.calls import BidirectionalStream, ClientStream, ServerStream, Unary
from headcount_server.config import ServerConfig
from headcount_server.errors import NotServed
from headcount_server.facts import process_facts
from headcount_server.guards.access import TrustEveryone
from headcount_server.guards.guard import Arrival, Guard, GuardLimits, Refused
from headcount_server.guards.metrics import Metrics
from headcount_server.methods import method_table
from headcount_server.phase import Phase, PhaseHolder
from headcount_server.statuses import Code, Failure, failure_of
from headcount_server.wire import failures


class LocalFailure(Exception):
    """A call that failed: the name of its canonical code, what people are told, and a serialised status."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.code = failure.code.name
        self.message = failure.message
        self.status = failures.details(failure)


class LocalServer:
    """Answers calls by path. Any thread, any number at a time; a stream runs on the thread that iterates over it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._phase = PhaseHolder()
        metrics, config = Metrics(), ServerConfig()
        limits = GuardLimits(
            config.deadline_s, config.stream_deadline_s, config.streams, config.response_bytes_max
        )
        self._guard = Guard(limits, TrustEveryone(), self._phase, metrics)
        self._methods = method_table(database, self._phase, metrics, process_facts())
        self._phase.current = Phase.SERVING

    def close(self) -> None:
        """Write the store and let go of its directory. Closing again does nothing."""
        self._phase.current = Phase.DRAINING
        self._database.close()

    def unary(self, path: str, request: bytes, remaining_s: float | None) -> bytes:
        """One request, one answer; raises LocalFailure."""
        method = self._methods.get(path)
        if not isinstance(method, Unary):
            raise LocalFailure(_not_served(path))
        try:
            return self._guard.unary(method, Arrival(remaining_s, _never, None), request)
        except Refused as refused:
            raise LocalFailure(refused.failure) from None

    def stream(
        self,
        path: str,
        requests: Iterator[bytes],
        remaining_s: float | None,
        is_cancelled: Callable[[], bool],
    ) -> Iterator[bytes]:
        """A stream of any kind; those with one request take the first, those with one answer give one."""
        arrival = Arrival(remaining_s, is_cancelled, None)
        try:
            match self._methods.get(path):
                case ServerStream() as method:
                    yield from self._guard.server_stream(method, arrival, next(requests))
                case ClientStream() as method:
                    yield self._guard.client_stream(method, arrival, requests)
                case BidirectionalStream() as method:
                    yield from self._guard.bidirectional_stream(method, arrival, requests)
                case _:
                    raise LocalFailure(_not_served(path))
        except Refused as refused:
            raise LocalFailure(refused.failure) from None


def _never() -> bool:
    return False


def _not_served(path: str) -> Failure:
    return failure_of(NotServed("this method is", path=path))


def open_local(directory: str, clock_start: dt.datetime | None) -> LocalServer:
    """Open the store in a directory, or with "" one that lives in memory only. Raises LocalFailure.

    `clock_start` sets the clock of a new store into the past.
    """
    start_us = None
    if clock_start is not None:
        start_us = (clock_start - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    try:
        path = Path(directory).expanduser() if directory else None
        settings = ServerConfig().workspace_settings
        return LocalServer(Database.open(path, clock_start_us=start_us, settings=settings))
    except StoreDamaged as error:
        raise LocalFailure(Failure(Code.DATA_LOSS, "STORE_DAMAGED", error.message)) from error
    except EngineError as error:
        raise LocalFailure(failure_of(error)) from error
