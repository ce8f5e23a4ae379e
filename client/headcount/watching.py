"""Watching segments from threads: an iterator that goes on by itself when the connection breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Protocol, Self

import grpc

from headcount.changes import ChangeBatch, MembershipChange
from headcount.wire.change_calls import WatchProgress
from headcount.wire.failures import error_of


class Stream(Protocol):
    """A call under way."""

    def __iter__(self) -> Iterator[bytes]: ...
    def cancel(self) -> bool: ...


class MembershipWatch:
    """Changes as they come. Iterate it, once, or take `batches()`; close it, or use it in a `with`, to stop.

    Every change comes exactly once, through restarts of the server too. `cursor` is where a later watch would go on:
    after all that was given out, initial members included.
    """

    def __init__(self, begin: Callable[[bytes, float | None], Stream], progress: WatchProgress) -> None:
        self._begin = begin
        self._progress = progress
        self._call: Stream | None = None
        self._closed = threading.Event()
        self.cursor = progress.cursor

    def __iter__(self) -> Iterator[MembershipChange]:
        for batch in self._batches():
            for change in batch.changes:
                self.cursor = change.cursor
                yield change
            self.cursor = batch.cursor

    def batches(self) -> Iterator[ChangeBatch]:
        """Changes as they were sent, and between them how far everything has been sent."""
        for batch in self._batches():
            self.cursor = batch.cursor
            yield batch

    def _batches(self) -> Iterator[ChangeBatch]:
        progress = self._progress
        while not self._closed.is_set():
            self._call = self._begin(progress.request(), progress.remaining_s())
            failure = None
            try:
                for data in self._call:
                    yield progress.received(data)
            except grpc.RpcError as error:
                failure = error_of(error)  # type: ignore[arg-type]
                if self._closed.is_set():
                    return
            finally:
                self._call.cancel()
            self._closed.wait(progress.pause_after(failure))

    def close(self) -> None:
        """End the iteration, also that of another thread which waits for a change."""
        self._closed.set()
        if self._call is not None:
            self._call.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
