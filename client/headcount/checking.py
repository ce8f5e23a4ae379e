"""Memberships asked one by one and sent together: one stream, many checks a message."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from types import TracebackType
from typing import Self

import grpc

from headcount.errors import DeadlineExceeded, HeadcountError, ServerError
from headcount.values import Membership
from headcount.wire.check_stream import Checks, Packed
from headcount.wire.failures import error_of

Stream = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Sends what an iterator yields and iterates over the answers; raises grpc.RpcError. It may have a `cancel`."""
_Asked = tuple[str, "Future[Membership]"]


class Checker:
    """Asks whether profiles are in some segments and rules; a context manager, safe to share between threads.

    What threads ask while a message is being made goes into one: each waits for its own answer only, and thousands of
    checks take few calls. A check that fails ends the stream; every call after that raises the same error.
    """

    def __init__(self, stream: Stream, checks: Checks, timeout_s: float) -> None:
        self._checks = checks
        self._timeout_s = timeout_s
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._sent: queue.SimpleQueue[tuple[Packed, list[Future[Membership]]] | None] = queue.SimpleQueue()
        self._slots = threading.Semaphore(checks.in_flight)
        self._failure: HeadcountError | None = None
        self._ending: HeadcountError | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._answers = stream(self._requests())
        self._reader = threading.Thread(target=self._read, name="headcount-checks", daemon=True)
        self._reader.start()

    def ask(self, key: str) -> Future[Membership]:
        """Ask without waiting; the answer's future."""
        future: Future[Membership] = Future()
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._closed:
                raise HeadcountError(
                    "this checker is closed", reason="CHECKER_CLOSED", code="FAILED_PRECONDITION"
                )
            self._asked.put((self._checks.checked(key), future))
        return future

    def check(self, key: str) -> Membership:
        """Whether one profile is in each of the segments and rules; waits for the answer."""
        try:
            return self.ask(key).result(timeout=self._timeout_s)
        except FutureTimeoutError:
            raise DeadlineExceeded(f"no answer within {self._timeout_s:g} s", reason="NO_ANSWER") from None

    def close(self) -> None:
        """Wait for the answers to what was asked, then end the stream. Closing again does nothing."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._asked.put(None)
        self._reader.join(timeout=self._timeout_s)
        if self._reader.is_alive():
            self._cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._cancel()
        self.close()

    def _cancel(self) -> None:
        cancel = getattr(self._answers, "cancel", None)
        if callable(cancel):
            cancel()

    def _requests(self) -> Iterator[bytes]:
        """What lies in the queue when the transport wants the next message, up to the largest batch."""
        is_open = True
        while is_open:
            first = self._asked.get()
            if first is None:
                break
            batch = [first]
            self._slots.acquire()
            while len(batch) < self._checks.batch_max:
                try:
                    more = self._asked.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    is_open = False
                    break
                batch.append(more)
            packed, futures = self._checks.pack([key for key, _ in batch]), [future for _, future in batch]
            with self._lock:
                ending = self._ending
                if ending is None:
                    self._sent.put((packed, futures))
            if ending is not None:
                for future in futures:
                    future.set_exception(ending)
                return
            yield packed.request
        self._sent.put(None)

    def _read(self) -> None:
        try:
            for answer in self._answers:
                held = self._sent.get()
                assert held is not None
                self._slots.release()
                packed, futures = held
                for future, found in zip(futures, self._checks.read(packed, answer), strict=True):
                    future.set_result(found)
            self._end(ServerError("the stream ended before every check was answered", reason="STREAM_CUT"))
        except grpc.RpcError as failure:
            self._end(error_of(failure))  # type: ignore[arg-type]
        except HeadcountError as failure:
            self._end(failure)

    def _end(self, failure: HeadcountError) -> None:
        """Nobody waits for an answer that will not come."""
        with self._lock:
            self._ending = failure
            if not self._closed:
                self._failure = failure
            self._closed = True
        self._slots.release()
        waiting = list[Future[Membership]]()
        while not self._sent.empty():
            held = self._sent.get()
            waiting += [] if held is None else held[1]
        while not self._asked.empty():
            asked = self._asked.get()
            waiting += [] if asked is None else [asked[1]]
        for future in waiting:
            future.set_exception(failure)
        self._asked.put(None)
