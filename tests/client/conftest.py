"""Both clients, called the same way, against a server that records."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Protocol

import pytest

from headcount import AsyncClient, Client
from tests.client.recording_server import RecordingServer


class Caller(Protocol):
    """Calls a method of a client by name and waits; an iterator comes back as a list."""

    def __call__(self, method: str, *args: object, **named: object) -> object: ...


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    running = RecordingServer()
    yield running
    running.stop()


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest, server: RecordingServer) -> Iterator[Caller]:
    if request.param == "sync":
        with Client(server.target, token="secret") as client:

            def waiting(method: str, *args: object, **named: object) -> object:
                answer = getattr(client, method)(*args, **named)
                return list(answer) if method.startswith("list_") else answer

            yield waiting
        return
    loop = asyncio.new_event_loop()

    async def made() -> AsyncClient:
        return AsyncClient(server.target, token="secret")

    async_client = loop.run_until_complete(made())

    async def collected(method: str, *args: object, **named: object) -> object:
        answer = getattr(async_client, method)(*args, **named)
        return [item async for item in answer] if method.startswith("list_") else await answer

    yield lambda method, *args, **named: loop.run_until_complete(collected(method, *args, **named))
    loop.run_until_complete(async_client.close())
    loop.close()
