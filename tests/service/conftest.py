"""A server with people in it, on a free port of loopback."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from headcount.v1 import event_service_pb2, profile_service_pb2
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from tests.service.calling import TIMEOUT_S, Stubs

NOW = "2024-06-15T12:00:00Z"
PLANS = ("free", "pro", "team")


@pytest.fixture
def config() -> ServerConfig:
    return ServerConfig(listen="127.0.0.1:0", clock_start=NOW, grace_s=1)


@pytest.fixture
def running(config: ServerConfig) -> Iterator[RunningServer]:
    with build(config) as server:
        yield server


@pytest.fixture
def stubs(running: RunningServer) -> Iterator[Stubs]:
    with grpc.insecure_channel(running.address) as channel:
        yield Stubs(channel)


@pytest.fixture
def people(stubs: Stubs) -> Stubs:
    """Thirty people `p0` ... `p29`: age 10 + i, plans in turn, every fifth has the tag vip; those of an even number
    bought something, a day ago for each."""
    upsert = profile_service_pb2.BatchUpsertProfilesRequest()
    track = event_service_pb2.TrackEventsRequest()
    for i in range(30):
        row = upsert.profiles.add(key=f"p{i}")
        row.attributes["age"].int_value = 10 + i
        row.attributes["plan"].text_value = PLANS[i % 3]
        if i % 5 == 0:
            row.tags_added.append("vip")
        if i % 2 == 0:
            event = track.events.add(event_name="purchase", key=f"p{i}")
            event.time.FromJsonString("2024-06-14T12:00:00Z")
            event.properties["amount"].float_value = float(i)
    assert stubs.profiles.BatchUpsertProfiles(upsert, timeout=TIMEOUT_S).accepted_rows == 30
    assert stubs.events.TrackEvents(track, timeout=TIMEOUT_S).accepted_rows == 15
    return stubs
