"""Watching segments from asyncio: the twin of `watching`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Protocol, Self

import grpc.aio

from headcount.changes import ChangeBatch, MembershipChange
from headcount.wire.change_calls import WatchProgress
from headcount.wire.failures import error_of


class Stream(Protocol):
    """A call under way."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def cancel(self) -> bool: ...


class AsyncMembershipWatch:
    """What holds of `MembershipWatch` holds of this, with `async for` and `async with`."""

    def __init__(self, begin: Callable[[bytes, float | None], Stream], progress: WatchProgress) -> None:
        self._begin = begin
        self._progress = progress
        self._call: Stream | None = None
        self._closed = asyncio.Event()
        self.cursor = progress.cursor

    async def __aiter__(self) -> AsyncIterator[MembershipChange]:
        async for batch in self._batches():
            for change in batch.changes:
                self.cursor = change.cursor
                yield change
            self.cursor = batch.cursor

    async def batches(self) -> AsyncIterator[ChangeBatch]:
        """Changes as they were sent, and between them how far everything has been sent."""
        async for batch in self._batches():
            self.cursor = batch.cursor
            yield batch

    async def _batches(self) -> AsyncIterator[ChangeBatch]:
        progress = self._progress
        while not self._closed.is_set():
            self._call = self._begin(progress.request(), progress.remaining_s())
            failure = None
            try:
                async for data in self._call:
                    yield progress.received(data)
            except grpc.aio.AioRpcError as error:
                failure = error_of(error)
                if self._closed.is_set():
                    return
            except asyncio.CancelledError:
                # The stream's own end when it was closed; else somebody cancels this task.
                if self._closed.is_set():
                    return
                raise
            finally:
                self._call.cancel()
            pause_s = progress.pause_after(failure)
            try:
                await asyncio.wait_for(self._closed.wait(), pause_s)
            except TimeoutError:
                continue

    async def close(self) -> None:
        """End the iteration, also that of another task which waits for a change."""
        self._closed.set()
        if self._call is not None:
            self._call.cancel()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
