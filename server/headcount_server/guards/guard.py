"""The one path from a listener to a handler and back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from headcount_engine.errors import LimitExceeded
from headcount_engine.model.answers import Deadline
from headcount_server.calls import BidirectionalStream, ClientStream, ServerStream, Signature, Unary
from headcount_server.context import Context
from headcount_server.errors import NotReady, PermissionDenied, TooManyStreams
from headcount_server.guards.access import Authenticator
from headcount_server.guards.incidents import where
from headcount_server.guards.metrics import Metrics
from headcount_server.phase import Phase, PhaseHolder
from headcount_server.statuses import Code, Failure, failure_of

log = structlog.get_logger("headcount.guard")


class Refused(Exception):
    """The call ends with this failure; the listener says it in its protocol."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a listener knows of a call. `remaining_s` None: the caller set no deadline."""

    remaining_s: float | None
    is_cancelled: Callable[[], bool]
    authorization: str | None


@dataclass(frozen=True, slots=True)
class GuardLimits:
    """`deadline_s` and `stream_deadline_s` hold for calls that bring no deadline of their own."""

    deadline_s: float
    stream_deadline_s: float
    streams: int
    response_bytes: int


class Guard:
    """Runs methods for listeners. Raises nothing but Refused. Any thread."""

    def __init__(
        self, limits: GuardLimits, authenticator: Authenticator, phase: PhaseHolder, metrics: Metrics
    ) -> None:
        self._limits = limits
        self._authenticator = authenticator
        self._phase = phase
        self._metrics = metrics
        self._stream_slots = threading.BoundedSemaphore(limits.streams)

    def unary(self, method: Unary, arrival: Arrival, payload: bytes) -> bytes:
        with self._watched(method.signature):
            context = self._admit(method.signature, arrival, self._limits.deadline_s)
            return self._sized(method.call(payload, context))

    def server_stream(self, method: ServerStream, arrival: Arrival, payload: bytes) -> Iterator[bytes]:
        with self._watched(method.signature), self._stream_slot():
            context = self._admit(method.signature, arrival, self._limits.stream_deadline_s)
            yield from map(self._sized, method.call(payload, context))

    def client_stream(self, method: ClientStream, arrival: Arrival, payloads: Iterator[bytes]) -> bytes:
        with self._watched(method.signature), self._stream_slot():
            context = self._admit(method.signature, arrival, self._limits.stream_deadline_s)
            return self._sized(method.call(payloads, context))

    def bidirectional_stream(
        self, method: BidirectionalStream, arrival: Arrival, payloads: Iterator[bytes]
    ) -> Iterator[bytes]:
        with self._watched(method.signature), self._stream_slot():
            context = self._admit(method.signature, arrival, self._limits.stream_deadline_s)
            yield from map(self._sized, method.call(payloads, context))

    @contextmanager
    def _watched(self, signature: Signature) -> Iterator[None]:
        """Count, time and translate whatever goes wrong inside."""
        started = time.perf_counter_ns()
        code = Code.OK
        try:
            yield
        except GeneratorExit:
            code = Code.CANCELLED
            raise
        except Exception as error:  # noqa: BLE001 - the last line of defence before the caller
            failure = failure_of(error)
            code = failure.code
            if failure.incident:
                log.error(
                    "call failed",
                    method=signature.name,
                    incident=failure.incident,
                    error=type(error).__name__,
                    where=where(error),
                )
            raise Refused(failure) from None
        finally:
            self._metrics.of(signature.name).record((time.perf_counter_ns() - started) // 1_000, code)

    @contextmanager
    def _stream_slot(self) -> Iterator[None]:
        """Streams hold a thread for as long as they are open: past the cap, a new one is refused, never
        queued."""
        if not self._stream_slots.acquire(blocking=False):
            raise TooManyStreams(self._limits.streams)
        try:
            yield
        finally:
            self._stream_slots.release()

    def _admit(self, signature: Signature, arrival: Arrival, deadline_s: float) -> Context:
        """Refuse what may not be answered, before it is decoded."""
        phase = self._phase.current
        if phase is not Phase.SERVING:
            raise NotReady(phase.value, retry_after_s=1.0)
        principal = self._authenticator.authenticate(arrival.authorization)
        if principal.role < signature.role:
            raise PermissionDenied(signature.role.name.lower())
        remaining = deadline_s if arrival.remaining_s is None else arrival.remaining_s
        deadline = Deadline(time.monotonic() + remaining, arrival.is_cancelled)
        deadline.check()
        return Context(deadline, principal)

    def _sized(self, answer: bytes) -> bytes:
        if len(answer) > self._limits.response_bytes:
            raise LimitExceeded("response_bytes", self._limits.response_bytes, len(answer))
        return answer
