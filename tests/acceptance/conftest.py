"""A server whose clock begins at noon of a Saturday, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headcount import Client
from headcount_server.app import build
from headcount_server.config import ServerConfig
from tests.acceptance.asking import NOW


@pytest.fixture
def headcount() -> Iterator[Client]:
    config = ServerConfig(listen="127.0.0.1:0", clock_start=NOW.isoformat().replace("+00:00", "Z"), grace_s=1)
    with build(config) as running, Client(running.address, timeout=60) as client:
        yield client
