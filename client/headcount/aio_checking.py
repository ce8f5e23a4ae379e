"""Memberships asked one by one and sent together, from coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

import grpc
import grpc.aio

from headcount.aio_writer import Call
from headcount.errors import DeadlineExceeded, HeadcountError, ServerError
from headcount.values import Membership
from headcount.wire.check_stream import Checks, Packed
from headcount.wire.failures import error_of


class AsyncChecker:
    """Asks whether profiles are in some segments and rules; an async context manager, for one event loop.

    What holds of `Checker` holds of this.
    """

    def __init__(self, stream: Callable[[], Call], checks: Checks, timeout_s: float) -> None:
        self._checks = checks
        self._timeout_s = timeout_s
        self._asked: asyncio.Queue[tuple[str, asyncio.Future[Membership]] | None] = asyncio.Queue()
        self._sent: asyncio.Queue[tuple[Packed, list[asyncio.Future[Membership]]]] = asyncio.Queue()
        self._slots = asyncio.Semaphore(checks.in_flight)
        self._failure: HeadcountError | None = None
        self._closed = False
        self._call = stream()
        self._sender = asyncio.create_task(self._send())
        self._reader = asyncio.create_task(self._read())

    def ask(self, key: str) -> asyncio.Future[Membership]:
        """Ask without waiting; the answer's future."""
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise HeadcountError(
                "this checker is closed", reason="CHECKER_CLOSED", code="FAILED_PRECONDITION"
            )
        future: asyncio.Future[Membership] = asyncio.get_running_loop().create_future()
        self._asked.put_nowait((self._checks.checked(key), future))
        return future

    async def check(self, key: str) -> Membership:
        """Whether one profile is in each of the segments and rules; waits for the answer."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self.ask(key)
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {self._timeout_s:g} s", reason="NO_ANSWER") from None

    async def close(self) -> None:
        """Wait for the answers to what was asked, then end the stream. Closing again does nothing."""
        if not self._closed:
            self._closed = True
            self._asked.put_nowait(None)
        _, late = await asyncio.wait({self._reader}, timeout=self._timeout_s)
        if late:
            self._call.cancel()
            await asyncio.wait({self._reader})
        self._sender.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._call.cancel()
        await self.close()

    async def _send(self) -> None:
        is_open = True
        while is_open and (first := await self._asked.get()) is not None:
            await self._slots.acquire()
            batch = [first]
            while len(batch) < self._checks.batch_max and not self._asked.empty():
                more = self._asked.get_nowait()
                if more is None:
                    is_open = False
                    break
                batch.append(more)
            packed = self._checks.pack([key for key, _ in batch])
            self._sent.put_nowait((packed, [future for _, future in batch]))
            try:
                await self._call.write(packed.request)
            except (grpc.RpcError, asyncio.InvalidStateError):
                return  # why, the reader is told
        await self._call.done_writing()

    async def _read(self) -> None:
        failure: HeadcountError = ServerError(
            "the stream ended before every check was answered", reason="STREAM_CUT"
        )
        try:
            while isinstance(answer := await self._call.read(), bytes):
                packed, futures = self._sent.get_nowait()
                self._slots.release()
                for future, found in zip(futures, self._checks.read(packed, answer), strict=True):
                    if not future.done():
                        future.set_result(found)
        except grpc.aio.AioRpcError as error:
            failure = error_of(error)
        except asyncio.CancelledError:
            pass
        except HeadcountError as error:
            failure = error
        self._end(failure)

    def _end(self, failure: HeadcountError) -> None:
        """Nobody waits for an answer that will not come."""
        if not self._closed:
            self._failure, self._closed = failure, True
        waiting = list[asyncio.Future[Membership]]()
        while not self._sent.empty():
            waiting += self._sent.get_nowait()[1]
        while not self._asked.empty():
            asked = self._asked.get_nowait()
            waiting += [] if asked is None else [asked[1]]
        for future in waiting:
            if not future.done():
                future.set_exception(failure)
