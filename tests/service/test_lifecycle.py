"""From loading through serving and draining to the end; one server a port; reflection; metrics."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from headcount.v1 import audience_service_pb2 as audience
from headcount.v1 import profile_service_pb2 as profiles
from headcount.v1.rule_pb2 import Rule
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from headcount_server.errors import CannotListen
from tests.service.calling import Stubs, failed
from tests.service.doubles import Constant, Slow

CODE = grpc.StatusCode
COUNT = audience.CountAudienceRequest(rule=Rule(text="everyone"))
SERVING, NOT_SERVING = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING


def health(channel: grpc.Channel, service: str = "") -> int:
    stub = health_pb2_grpc.HealthStub(channel)
    return stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10).status


def test_while_it_loads_health_says_so_and_calls_are_told_to_try_again(config: ServerConfig) -> None:
    may_open, opening = threading.Event(), threading.Event()
    made: list[RunningServer] = []
    port = _free_port()
    config = config.model_copy(update={"listen": f"127.0.0.1:{port}"})

    def open_database() -> object:
        opening.set()
        may_open.wait(30)
        return Constant(7)

    thread = threading.Thread(target=lambda: made.append(build(config, open_database=open_database)))  # type: ignore[arg-type]
    thread.start()
    try:
        assert opening.wait(10)
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert health(channel) == NOT_SERVING
            refused = failed(Stubs(channel).audiences.CountAudience, COUNT)
            assert (refused.code, refused.reason, refused.retry_s) == (CODE.UNAVAILABLE, "NOT_READY", 1.0)
            may_open.set()
            thread.join(30)
            assert health(channel) == health(channel, "headcount.v1.AudienceService") == SERVING
            assert Stubs(channel).audiences.CountAudience(COUNT, timeout=10).count == 7
    finally:
        may_open.set()
        thread.join(30)
        for server in made:
            server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_watcher_sees_the_server_drain_and_a_running_call_is_let_finish(config: ServerConfig) -> None:
    started, release = threading.Event(), threading.Event()

    class Waiting(Constant):
        def count(self, *arguments: object, **options: object) -> object:  # type: ignore[override]
            started.set()
            release.wait(30)
            return super().count(*arguments, **options)  # type: ignore[arg-type]

    server = build(config, open_database=Waiting)  # type: ignore[arg-type]
    with grpc.insecure_channel(server.address) as channel:
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=30)
        assert next(watch).status == SERVING
        call = Stubs(channel).audiences.CountAudience.future(COUNT, timeout=30)
        assert started.wait(10)
        stopping = threading.Thread(target=server.stop, args=(20,))
        stopping.start()
        assert next(watch).status == NOT_SERVING
        watch.cancel()
        release.set()
        assert call.result().count == 7
        stopping.join(30)
        assert not stopping.is_alive()
        assert failed(Stubs(channel).audiences.CountAudience, COUNT, timeout=2).code is CODE.UNAVAILABLE


def test_a_call_that_outlasts_the_grace_is_cancelled(config: ServerConfig) -> None:
    slow = Slow()
    server = build(config, open_database=lambda: slow)  # type: ignore[arg-type,return-value]
    with grpc.insecure_channel(server.address) as channel:
        call = Stubs(channel).audiences.CountAudience.future(COUNT, timeout=60)
        assert slow.started.wait(10)
        began = time.monotonic()
        server.stop(0.2)
        assert time.monotonic() - began < 5
        with pytest.raises(grpc.RpcError):
            call.result()
    assert slow.ended.is_set()


def test_stopping_twice_closes_the_store_once(config: ServerConfig) -> None:
    closed: list[bool] = []

    class Counted(Constant):
        def close(self) -> None:
            closed.append(True)

    server = build(config, open_database=Counted)  # type: ignore[arg-type]
    server.stop()
    server.stop()
    assert closed == [True]


def test_a_second_server_on_the_port_is_refused(running: RunningServer) -> None:
    opened: list[bool] = []
    config = ServerConfig(listen=running.address)
    with pytest.raises(CannotListen) as caught:
        build(config, open_database=lambda: opened.append(True))  # type: ignore[arg-type,return-value]
    assert running.address in str(caught.value)
    assert opened == []


def test_a_store_that_does_not_open_frees_the_port(config: ServerConfig) -> None:
    port = _free_port()
    config = config.model_copy(update={"listen": f"127.0.0.1:{port}"})

    def refuse() -> object:
        raise OSError("no such store")

    with pytest.raises(OSError, match="no such store"):
        build(config, open_database=refuse)  # type: ignore[arg-type]
    build(config, open_database=Constant).stop()  # type: ignore[arg-type]


def listed(channel: grpc.Channel) -> list[str]:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(iter(stub.ServerReflectionInfo(iter([request]), timeout=10)))
    return [service.name for service in answer.list_services_response.service]


def test_reflection_lists_the_services_and_gives_their_files(stubs: Stubs) -> None:
    names = listed(stubs.channel)
    assert {
        "headcount.v1.AdminService",
        "headcount.v1.AudienceService",
        "headcount.v1.ChangeService",
        "headcount.v1.EventService",
        "headcount.v1.ProfileService",
        "headcount.v1.SchemaService",
        "headcount.v1.SegmentService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    } == set(names)
    request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="headcount.v1.AudienceService")
    stub = reflection_pb2_grpc.ServerReflectionStub(stubs.channel)
    answer = next(iter(stub.ServerReflectionInfo(iter([request]), timeout=10)))
    assert b"CountAudience" in answer.file_descriptor_response.file_descriptor_proto[0]


def test_reflection_can_be_switched_off() -> None:
    config = ServerConfig(listen="127.0.0.1:0", reflection=False, grace_s=1)
    with (
        build(config, open_database=Constant) as server,  # type: ignore[arg-type]
        grpc.insecure_channel(server.address) as channel,
    ):
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        assert failed(stub.ServerReflectionInfo, iter([request])).code is CODE.UNIMPLEMENTED


def test_prometheus_reads_calls_by_method_and_code() -> None:
    port = _free_port()
    config = ServerConfig(listen="127.0.0.1:0", metrics_listen=f"127.0.0.1:{port}", grace_s=1)
    with (
        build(config, open_database=Constant) as server,  # type: ignore[arg-type]
        grpc.insecure_channel(server.address) as channel,
    ):
        stubs = Stubs(channel)
        for _ in range(3):
            stubs.audiences.CountAudience(COUNT, timeout=10)
        failed(stubs.audiences.CountAudience, audience.CountAudienceRequest())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            text = page.read().decode()
    name = "/headcount.v1.AudienceService/CountAudience"
    assert f'headcount_calls_total{{code="OK",method="{name}"}} 3.0' in text
    assert f'headcount_calls_total{{code="INVALID_ARGUMENT",method="{name}"}} 1.0' in text
    assert f'headcount_call_seconds_count{{method="{name}"}} 4.0' in text


# ------------------------------------------------------------------------------------------------ a real process

MAIN = """
from headcount_server.app import serve
from headcount_server.config import ServerConfig

serve(ServerConfig.load())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "HEADCOUNT_LISTEN": "127.0.0.1:0",
        "HEADCOUNT_DATA": str(tmp_path / "store"),
        "HEADCOUNT_GRACE_S": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }


def started(environment: dict[str, str]) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", MAIN],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("headcount is listening on 127.0.0.1:"), process.communicate()
    return process, line.split()[-1]


def ended(process: subprocess.Popen[str], number: signal.Signals) -> str:
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_with_0_and_the_next_one_has_what_was_written(
    environment: dict[str, str], number: signal.Signals
) -> None:
    process, address = started(environment)
    with grpc.insecure_channel(address) as channel:
        request = profiles.BatchUpsertProfilesRequest()
        request.profiles.add(key="sentinel-key").attributes["name"].text_value = "sentinel-value"
        written = Stubs(channel).profiles.BatchUpsertProfiles(request, timeout=60)
    log = ended(process, number)
    assert "sentinel" not in log

    process, address = started(environment)
    with grpc.insecure_channel(address) as channel:
        got = Stubs(channel).profiles.GetProfile(profiles.GetProfileRequest(key="sentinel-key"), timeout=60)
        assert got.attributes["name"].text_value == "sentinel-value"
        assert got.version >= written.version
    ended(process, number)
