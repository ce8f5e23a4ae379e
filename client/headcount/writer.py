"""Many rows over one stream, from a thread that may wait."""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

import grpc

from headcount.errors import DeadlineExceeded, HeadcountError, ServerError
from headcount.rows import CellInput, EventColumns, ProfileColumns
from headcount.values import WriteReceipt
from headcount.wire.failures import error_of
from headcount.wire.ingest import Batches, IngestOptions, IngestSummary, Tally

POLL_S = 0.1

Stream = Callable[[Iterator[bytes]], Iterator[bytes]]
"""Sends what an iterator yields and iterates over the answers; raises grpc.RpcError. It may have a `cancel`."""


class IngestWriter:
    """Gathers rows into columnar batches and streams them; a context manager, for one thread.

    Every method may block while `in_flight` batches wait for their answers. What goes wrong on the stream is raised
    by the next call. Leaving the block sends the rest and waits for all answers; `summary` then tells what was
    written. Leaving it by an exception sends nothing more.
    """

    def __init__(
        self,
        stream: Stream,
        options: IngestOptions,
        on_progress: Callable[[WriteReceipt], None] | None = None,
    ) -> None:
        self._batches = Batches(options)
        self._tally = Tally(self._batches.starts)
        self._on_progress = on_progress
        self._slots = threading.Semaphore(options.in_flight)
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._failure: Exception | None = None
        self._ended = threading.Event()
        self._closed = False
        self._stall_timeout_s = options.stall_timeout_s
        self._last_heard = time.monotonic()
        self._answers = stream(iter(self._outgoing.get, None))
        self._reader = threading.Thread(target=self._read, name="headcount-ingest", daemon=True)
        self._reader.start()

    def profile(self, key: str, attributes: Mapping[str, CellInput]) -> None:
        """Set attributes of one profile; a None makes one null."""
        self._send(self._batches.profile(key, attributes))

    def event(
        self,
        name: str,
        key: str,
        time: dt.datetime,
        id: str = "",
        properties: Mapping[str, CellInput] | None = None,
    ) -> None:
        """One thing that one profile did."""
        self._send(self._batches.event(name, key, time, id, properties or {}))

    def profiles(self, columns: ProfileColumns) -> None:
        """A batch of profiles by column, sent as it is."""
        self._send(self._batches.profiles(columns))

    def events(self, columns: EventColumns) -> None:
        """A batch of events by column, sent as it is."""
        self._send(self._batches.events(columns))

    def flush(self) -> None:
        """Send what has been gathered; does not wait for the answer."""
        self._send(self._batches.flush())

    def close(self) -> IngestSummary:
        """Send the rest, wait for all answers, and tell what was written."""
        if not self._closed:
            self.flush()
            self._closed = True
            self._outgoing.put(None)
        while self._reader.is_alive():
            self._reader.join(timeout=POLL_S)
            self._check_stall()
        self._raise_failure()
        if self._batches.starts:
            raise ServerError("the stream ended before every batch was answered", reason="STREAM_CUT")
        return self._tally.summary()

    @property
    def summary(self) -> IngestSummary:
        """What was answered so far."""
        return self._tally.summary()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
            return
        self._closed = True
        self._outgoing.put(None)
        self._cancel()
        self._reader.join()

    def _cancel(self) -> None:
        cancel = getattr(self._answers, "cancel", None)
        if callable(cancel):
            cancel()

    def _check_stall(self) -> None:
        waiting = self._batches.starts and not self._ended.is_set()
        if waiting and time.monotonic() - self._last_heard > self._stall_timeout_s:
            self._cancel()
            raise DeadlineExceeded(f"no answer for {self._stall_timeout_s:g} s", reason="STREAM_STALLED")

    def _send(self, requests: list[bytes]) -> None:
        if self._closed and requests:
            raise HeadcountError("this writer is closed", reason="WRITER_CLOSED", code="FAILED_PRECONDITION")
        for request in requests:
            while not self._slots.acquire(timeout=POLL_S) and not self._ended.is_set():
                self._check_stall()
            self._raise_failure()
            if len(self._batches.starts) <= len(requests):
                self._last_heard = time.monotonic()
            self._outgoing.put(request)
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _read(self) -> None:
        try:
            for answer in self._answers:
                receipt = self._tally.add(answer)
                self._last_heard = time.monotonic()
                self._slots.release()
                if self._on_progress is not None:
                    self._on_progress(receipt)
        except grpc.RpcError as failure:
            self._failure = error_of(failure)  # type: ignore[arg-type]
        except Exception as failure:  # noqa: BLE001 - whatever the caller's own callback raises is the caller's to see
            self._failure = failure
            self._cancel()
        finally:
            self._ended.set()
            self._outgoing.put(None)
