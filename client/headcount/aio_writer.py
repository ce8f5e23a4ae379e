"""Many rows over one stream, from a coroutine."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Protocol, Self

import grpc
import grpc.aio

from headcount.errors import DeadlineExceeded, HeadcountError, ServerError
from headcount.rows import CellInput, EventColumns, ProfileColumns
from headcount.values import WriteReceipt
from headcount.wire.failures import error_of
from headcount.wire.ingest import Batches, IngestOptions, IngestSummary, Tally


class Call(Protocol):
    """A stream under way, as grpc.aio gives it."""

    async def write(self, request: bytes) -> None: ...
    async def done_writing(self) -> None: ...
    def cancel(self) -> bool: ...
    async def read(self) -> bytes | object: ...


class AsyncIngestWriter:
    """Gathers rows into columnar batches and streams them; an async context manager, for one coroutine.

    Every method may wait while `in_flight` batches have no answer yet. What goes wrong on the stream is raised by the
    next call. Leaving the block sends the rest and waits for all answers; `summary` then tells what was written.
    Leaving it by an exception sends nothing more.
    """

    def __init__(
        self,
        stream: Callable[[], Call],
        options: IngestOptions,
        on_progress: Callable[[WriteReceipt], None] | None = None,
    ) -> None:
        self._batches = Batches(options)
        self._tally = Tally(self._batches.starts)
        self._on_progress = on_progress
        self._stall_timeout_s = options.stall_timeout_s
        self._slots = asyncio.Semaphore(options.in_flight)
        self._failure: Exception | None = None
        self._closed = False
        self._call = stream()
        self._reader = asyncio.create_task(self._read())

    async def profile(self, key: str, attributes: Mapping[str, CellInput]) -> None:
        """Set attributes of one profile; a None makes one null."""
        await self._send(self._batches.profile(key, attributes))

    async def event(
        self,
        name: str,
        key: str,
        time: dt.datetime,
        id: str = "",
        properties: Mapping[str, CellInput] | None = None,
    ) -> None:
        """One thing that one profile did."""
        await self._send(self._batches.event(name, key, time, id, properties or {}))

    async def profiles(self, columns: ProfileColumns) -> None:
        """A batch of profiles by column, sent as it is."""
        await self._send(self._batches.profiles(columns))

    async def events(self, columns: EventColumns) -> None:
        """A batch of events by column, sent as it is."""
        await self._send(self._batches.events(columns))

    async def flush(self) -> None:
        """Send what has been gathered; does not wait for the answer."""
        await self._send(self._batches.flush())

    async def close(self) -> IngestSummary:
        """Send the rest, wait for all answers, and tell what was written."""
        if not self._closed:
            await self.flush()
            self._closed = True
            await self._call.done_writing()
        while not self._reader.done():
            answered = self._tally.answered_batches
            await asyncio.wait({self._reader}, timeout=self._stall_timeout_s)
            if not self._reader.done() and answered == self._tally.answered_batches:
                self._stalled()
        self._raise_failure()
        if self._batches.starts:
            raise ServerError("the stream ended before every batch was answered", reason="STREAM_CUT")
        return self._tally.summary()

    @property
    def summary(self) -> IngestSummary:
        """What was answered so far."""
        return self._tally.summary()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.close()
            return
        self._closed = True
        self._call.cancel()
        await asyncio.wait({self._reader})

    async def _send(self, requests: list[bytes]) -> None:
        if self._closed and requests:
            raise HeadcountError("this writer is closed", reason="WRITER_CLOSED", code="FAILED_PRECONDITION")
        for request in requests:
            self._raise_failure()
            try:
                async with asyncio.timeout(self._stall_timeout_s):
                    await self._slots.acquire()
            except TimeoutError:
                self._stalled()
            self._raise_failure()
            try:
                await self._call.write(request)
            except (grpc.RpcError, asyncio.InvalidStateError):
                # The stream is over; why, the reader has been told.
                await asyncio.wait({self._reader})
                self._raise_failure()
                raise ServerError("the stream ended early", reason="STREAM_CUT") from None
        self._raise_failure()

    def _stalled(self) -> None:
        self._call.cancel()
        raise DeadlineExceeded(f"no answer for {self._stall_timeout_s:g} s", reason="STREAM_STALLED")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    async def _read(self) -> None:
        try:
            while isinstance(answer := await self._call.read(), bytes):
                receipt = self._tally.add(answer)
                self._slots.release()
                if self._on_progress is not None:
                    self._on_progress(receipt)
        except grpc.aio.AioRpcError as failure:
            self._failure = error_of(failure)
        except Exception as failure:  # noqa: BLE001 - what the caller's own callback raises is the caller's to see
            self._failure = failure
            self._call.cancel()
        finally:
            # Nobody waits for an answer that will not come.
            for _ in range(len(self._batches.starts)):
                self._slots.release()
