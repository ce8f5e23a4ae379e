"""What callers and operators can rely on of a server with a store: answers across restarts, checkpoints, its state."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from headcount.v1 import admin_service_pb2 as admin
from headcount.v1 import event_service_pb2 as events
from headcount.v1 import profile_service_pb2 as profiles
from headcount.v1 import segment_service_pb2 as segments
from headcount_engine.clock import ManualClock
from headcount_engine.database import Database
from headcount_engine.model.durability import DurabilityOptions
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from tests.durability.crash_files import CrashFiles
from tests.service.calling import TIMEOUT_S, Stubs, failed

NOW = 20_000 * 86_400_000_000
CODE = grpc.StatusCode
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


@contextmanager
def serving(files: CrashFiles) -> Iterator[tuple[Stubs, grpc.Channel, RunningServer]]:
    def opened() -> Database:
        manual = DurabilityOptions(is_automatic=False)
        return Database.open(None, files=files, clock=ManualClock(NOW), durability=manual)

    server = build(ServerConfig(listen="127.0.0.1:0", grace_s=1), open_database=opened)
    try:
        with grpc.insecure_channel(server.address) as channel:
            yield Stubs(channel), channel, server
    finally:
        files._fault = None
        server.stop()


def upserted(request_id: str = "r1", key: str = "a") -> profiles.BatchUpsertProfilesRequest:
    request = profiles.BatchUpsertProfilesRequest(request_id=request_id)
    request.profiles.add(key=key).increments["n"].int_value = 1
    request.profiles.add(key="")
    return request


def without_time(message: profiles.BatchUpsertProfilesResponse | segments.Segment) -> bytes:
    message.ClearField("engine_us")
    return message.SerializeToString(deterministic=True)


def test_a_request_sent_again_to_the_next_process_gets_the_answer_of_the_first() -> None:
    files = CrashFiles()
    create = segments.CreateSegmentRequest(segment_id="all", request_id="r2")
    create.segment.display_name = "All"
    create.segment.rule.text = "everyone"
    with serving(files) as (stubs, _, _server):
        first = stubs.profiles.BatchUpsertProfiles(upserted(), timeout=TIMEOUT_S)
        made = stubs.segments.CreateSegment(create, timeout=TIMEOUT_S)
        stubs.profiles.BatchUpsertProfiles(upserted("r3", "b"), timeout=TIMEOUT_S)
        image = files.process_ended()
    for stored in (image, files.process_ended()):
        with serving(CrashFiles(stored)) as (stubs, _, server):
            version = server.database.status().version
            assert without_time(
                stubs.profiles.BatchUpsertProfiles(upserted(), timeout=TIMEOUT_S)
            ) == without_time(first)
            again = stubs.segments.CreateSegment(create, timeout=TIMEOUT_S)
            assert again.SerializeToString(deterministic=True) == made.SerializeToString(deterministic=True)
            assert server.database.status().version == version
            assert server.database.get_profile("a").attributes == {"n": 1}
            other = failed(stubs.profiles.BatchUpsertProfiles, upserted(key="c"))
            assert other.code is CODE.INVALID_ARGUMENT


def test_a_checkpoint_is_made_when_asked_for_and_the_status_says_where_the_store_stands() -> None:
    files = CrashFiles()
    with serving(files) as (stubs, _, _server):
        stubs.profiles.BatchUpsertProfiles(upserted(), timeout=TIMEOUT_S)
        track = events.TrackEventsRequest()
        track.events.add(event_name="buy", key="a", event_id="e1").time.FromMicroseconds(NOW)
        version = stubs.events.TrackEvents(track, timeout=TIMEOUT_S).version
        before = stubs.admin.GetStatus(admin.GetStatusRequest(), timeout=TIMEOUT_S)
        assert before.durability.durable_version == version and before.durability.checkpoint_version == 0
        assert before.durability.log_bytes > 0 and not before.durability.HasField("checkpoint_time")
        assert before.durability.sync_mode == admin.SYNC_MODE_EACH_COMMIT
        assert before.deduplication.event_ids == 1
        assert before.deduplication.horizon_time.ToMicroseconds() == NOW - 7 * 86_400_000_000
        made = stubs.admin.Checkpoint(admin.CheckpointRequest(), timeout=TIMEOUT_S)
        assert made.checkpoint_version == made.version == version and made.bytes > 0
        after = stubs.admin.GetStatus(admin.GetStatusRequest(), timeout=TIMEOUT_S).durability
        assert after.checkpoint_version == version and after.log_bytes == 0
        assert after.checkpoint_time.ToMicroseconds() == NOW and not after.failure


def test_a_server_in_memory_has_nothing_to_checkpoint(stubs: Stubs) -> None:
    refused = failed(stubs.admin.Checkpoint, admin.CheckpointRequest())
    assert refused.code is CODE.FAILED_PRECONDITION
    assert not stubs.admin.GetStatus(admin.GetStatusRequest(), timeout=TIMEOUT_S).HasField("durability")


def test_a_store_that_fails_leaves_a_server_that_reads_and_says_that_it_does_not_write() -> None:
    files = CrashFiles()
    with serving(files) as (stubs, channel, server):
        stubs.profiles.BatchUpsertProfiles(upserted(), timeout=TIMEOUT_S)
        health = health_pb2_grpc.HealthStub(channel)

        def state_of(service: str) -> int:
            return health.Check(health_pb2.HealthCheckRequest(service=service), timeout=TIMEOUT_S).status

        assert state_of("headcount.v1.EventService") == SERVING
        files._fault = lambda _, kind: OSError(28, "injected") if kind == "write" else None
        assert failed(stubs.profiles.BatchUpsertProfiles, upserted("r2")).code is CODE.UNKNOWN
        refused = failed(stubs.profiles.BatchUpsertProfiles, upserted("r3"))
        assert (refused.code, refused.reason) == (CODE.FAILED_PRECONDITION, "READ_ONLY")
        status = stubs.admin.GetStatus(admin.GetStatusRequest(), timeout=TIMEOUT_S)
        assert status.state == admin.SERVING_STATE_READ_ONLY and "read-only" in status.durability.failure
        assert status.profiles == 1
        deadline = time.monotonic() + 10
        while state_of("headcount.v1.EventService") == SERVING:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert (
            state_of("headcount.v1.SegmentService") == state_of("headcount.v1.ProfileService") == NOT_SERVING
        )
        assert state_of("") == state_of("headcount.v1.AudienceService") == SERVING
        assert server.database.count("everyone").count == 1


def test_the_store_is_opened_as_configured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ServerConfig(
        listen="127.0.0.1:0",
        data=tmp_path / "store",
        sync="interval",
        checkpoint_log_bytes=1 << 20,
        grace_s=1,
    )
    with build(config) as server, grpc.insecure_channel(server.address) as channel:
        status = Stubs(channel).admin.GetStatus(admin.GetStatusRequest(), timeout=TIMEOUT_S)
        assert status.durability.sync_mode == admin.SYNC_MODE_INTERVAL
