"""An engine in this process, reached as if it were a server: channels over `headcount_server.local`.

A target `local:./data` is a store in a directory, `local:` one that lives in memory only; `?clock_start=INSTANT` sets
the clock of a new store into the past. The channels here offer as much of grpcio's surface as the clients use.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import importlib
import threading
import urllib.parse
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Protocol, TypeVar, cast

import grpc
import grpc.aio

from headcount.errors import FailedPrecondition, InvalidArgument
from headcount.wire.failures import DETAILS_KEY, error_from

T = TypeVar("T")

PREFIX = "local:"
_AHEAD = 16
"""Answers of a stream that wait for their reader."""


class Engine(Protocol):
    """What `headcount_server.local` opens. Failed calls raise an exception with `code`, `message` and `status`."""

    def unary(self, path: str, request: bytes, remaining_s: float | None) -> bytes: ...

    def stream(
        self,
        path: str,
        requests: Iterator[bytes],
        remaining_s: float | None,
        is_cancelled: Callable[[], bool],
    ) -> Iterator[bytes]: ...

    def close(self) -> None: ...


class Failed(Protocol):
    """A failed call of an engine."""

    code: str
    message: str
    status: bytes


def open_engine(target: str) -> Engine:
    """The engine of a `local:` target. Raises FailedPrecondition where none is installed or the store is in use."""
    directory, _, options = target.removeprefix(PREFIX).partition("?")
    clock_start = _clock_start(options)
    try:
        server = importlib.import_module("headcount_server.local")
    except ModuleNotFoundError as error:
        raise FailedPrecondition(
            "local targets need the engine, which is not installed here: pip install 'headcount[server]'",
            reason="ENGINE_NOT_INSTALLED",
        ) from error
    try:
        return cast("Engine", server.open_local(directory, clock_start))
    except server.LocalFailure as error:
        raise error_from(error.code, error.message, error.status) from error


def _clock_start(options: str) -> dt.datetime | None:
    given = urllib.parse.parse_qs(options, keep_blank_values=True)
    text = given.pop("clock_start", [None])[0]
    if given:
        raise InvalidArgument("a local target takes clock_start alone", reason="INVALID_TARGET")
    if text is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise InvalidArgument("clock_start is an instant with Z or an offset", reason="INVALID_TARGET")
    return instant


def _failed(error: Exception) -> Failed:
    """The failed call behind an exception; anything else is a fault of the engine and raised on."""
    if not hasattr(error, "status"):
        raise error
    return cast("Failed", error)


# ------------------------------------------------------------------------------------------------ for threads


class LocalCallError(grpc.RpcError):
    """A failed call, as grpcio would raise it."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message)
        self._failed = failed

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode[self._failed.code]

    def details(self) -> str:
        return self._failed.message

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:  # type: ignore[override]
        return ((DETAILS_KEY, self._failed.status),)


class Answers:
    """The answers of a stream under way, which `cancel` ends."""

    def __init__(self, engine: Engine, path: str, requests: Iterator[bytes], timeout: float | None) -> None:
        self._is_cancelled = threading.Event()
        self._answers = engine.stream(path, requests, timeout, self._is_cancelled.is_set)

    def cancel(self) -> bool:
        self._is_cancelled.set()
        return True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._answers)
        except StopIteration:
            raise
        except Exception as error:
            raise LocalCallError(_failed(error)) from error


class LocalChannel:
    """A channel to an engine in this process; closing it closes the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unary_unary(self, path: str) -> Callable[..., bytes]:
        def call(request: bytes, *, timeout: float | None = None, metadata: object = None) -> bytes:
            try:
                return self._engine.unary(path, request, timeout)
            except Exception as error:
                raise LocalCallError(_failed(error)) from error

        return call

    def unary_stream(self, path: str) -> Callable[..., Answers]:
        def call(request: bytes, *, timeout: float | None = None, metadata: object = None) -> Answers:
            return Answers(self._engine, path, iter((request,)), timeout)

        return call

    def stream_unary(self, path: str) -> Callable[..., bytes]:
        def call(
            requests: Iterator[bytes], *, timeout: float | None = None, metadata: object = None
        ) -> bytes:
            return next(Answers(self._engine, path, iter(requests), timeout))

        return call

    def stream_stream(self, path: str) -> Callable[..., Answers]:
        def call(
            requests: Iterator[bytes], *, timeout: float | None = None, metadata: object = None
        ) -> Answers:
            return Answers(self._engine, path, iter(requests), timeout)

        return call

    def close(self) -> None:
        self._engine.close()


# ------------------------------------------------------------------------------------------------ for coroutines


def _aio_error(failed: Failed) -> grpc.aio.AioRpcError:
    trailing = grpc.aio.Metadata((DETAILS_KEY, failed.status))
    return grpc.aio.AioRpcError(grpc.StatusCode[failed.code], grpc.aio.Metadata(), trailing, failed.message)


class AsyncAnswers:
    """A stream under way for coroutines: the engine works through it on a thread of its own."""

    def __init__(self, engine: Engine, path: str, timeout: float | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._requests: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)
        self._answers: asyncio.Queue[bytes | Exception | None] = asyncio.Queue(_AHEAD)
        self._is_cancelled = threading.Event()
        self._is_over = False
        self._stream = engine.stream(path, iter(self._next_request, None), timeout, self._is_cancelled.is_set)
        threading.Thread(target=self._work, name="headcount-local", daemon=True).start()

    def _next_request(self) -> bytes | None:
        """On the engine's thread: the next request, None at the end."""
        return self._waited(self._requests.get())

    def _waited(self, coroutine: Coroutine[object, object, T]) -> T | None:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        while not self._is_cancelled.is_set():
            try:
                return future.result(timeout=0.1)
            except TimeoutError:
                continue
        future.cancel()
        return None

    def _work(self) -> None:
        ending: Exception | None = None
        try:
            for answer in self._stream:
                self._waited(self._answers.put(answer))
                if self._is_cancelled.is_set():
                    break
        except Exception as error:  # noqa: BLE001 - raised where the answer is read
            ending = error
        if not self._loop.is_closed():
            self._waited(self._answers.put(ending))

    def preset(self, request: bytes) -> None:
        """The one request of a stream that has no more."""
        self._requests.put_nowait(request)
        self._requests.put_nowait(None)

    async def write(self, request: bytes) -> None:
        await self._requests.put(request)

    async def done_writing(self) -> None:
        await self._requests.put(None)

    def cancel(self) -> bool:
        self._is_cancelled.set()
        while not self._answers.empty():
            self._answers.get_nowait()
        self._answers.put_nowait(None)
        return True

    async def read(self) -> bytes | object:
        """The next answer, grpc.aio.EOF at the end; raises AioRpcError."""
        answer = None if self._is_over else await self._answers.get()
        if not isinstance(answer, bytes):
            self._is_over = True
        if answer is None:
            return grpc.aio.EOF
        if isinstance(answer, Exception):
            raise _aio_error(_failed(answer)) from answer
        return answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(answer := await self.read(), bytes):
            yield answer


class AsyncLocalChannel:
    """As LocalChannel, for coroutines; calls run on threads of the loop's executor."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def unary_unary(self, path: str) -> Callable[..., object]:
        async def call(request: bytes, *, timeout: float | None = None, metadata: object = None) -> bytes:
            try:
                return await asyncio.to_thread(self._engine.unary, path, request, timeout)
            except Exception as error:
                raise _aio_error(_failed(error)) from error

        return call

    def unary_stream(self, path: str) -> Callable[..., AsyncAnswers]:
        def call(request: bytes, *, timeout: float | None = None, metadata: object = None) -> AsyncAnswers:
            answers = AsyncAnswers(self._engine, path, timeout)
            answers.preset(request)
            return answers

        return call

    def stream_unary(self, path: str) -> Callable[..., object]:
        async def call(
            requests: AsyncIterator[bytes], *, timeout: float | None = None, metadata: object = None
        ) -> bytes:
            answers = AsyncAnswers(self._engine, path, timeout)
            async for request in requests:
                await answers.write(request)
            await answers.done_writing()
            return cast("bytes", await answers.read())

        return call

    def stream_stream(self, path: str) -> Callable[..., AsyncAnswers]:
        def call(*, timeout: float | None = None, metadata: object = None) -> AsyncAnswers:
            return AsyncAnswers(self._engine, path, timeout)

        return call

    async def close(self) -> None:
        await asyncio.to_thread(self._engine.close)
