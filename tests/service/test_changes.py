"""WatchMemberships over real gRPC: what it sends, what it refuses, and how it ends."""

from __future__ import annotations

import threading
import time

import grpc
import pytest

from headcount.v1 import change_service_pb2 as wire
from headcount.v1 import change_service_pb2_grpc, profile_service_pb2
from headcount.v1 import segment_service_pb2 as segments
from headcount.v1.rule_pb2 import Rule
from headcount_engine.changes.cursors import CursorCodec, Position
from headcount_server.app import RunningServer, build
from headcount_server.config import ServerConfig
from headcount_server.listeners.stalls import Stalls
from headcount_server.phase import Phase
from tests.service.calling import TIMEOUT_S, Stubs, failed

CODE = grpc.StatusCode
NOW, OLDEST = wire.WATCH_START_NOW, wire.WATCH_START_OLDEST
Item = wire.WatchMembershipsResponse


@pytest.fixture
def watch(people: Stubs) -> change_service_pb2_grpc.ChangeServiceStub:
    for id_, text in (("young", "age < 15"), ("vip", 'tag "vip"')):
        people.segments.CreateSegment(
            segments.CreateSegmentRequest(segment_id=id_, segment=segments.Segment(rule=Rule(text=text)))
        )
    return change_service_pb2_grpc.ChangeServiceStub(people.channel)


def grown(stubs: Stubs, key: str, age: int) -> int:
    request = profile_service_pb2.BatchUpsertProfilesRequest()
    request.profiles.add(key=key).attributes["age"].int_value = age
    return stubs.profiles.BatchUpsertProfiles(request, timeout=TIMEOUT_S).version


def said(items: list[Item]) -> list[tuple[int, str, str]]:
    return [(c.change, c.segment, c.profile) for item in items for c in item.changes]


def test_initial_members_changes_and_cursors(
    people: Stubs, watch: change_service_pb2_grpc.ChangeServiceStub
) -> None:
    request = wire.WatchMembershipsRequest(
        segments=["segments/young"], start_at=NOW, include_initial_members=True
    )
    stream = watch.WatchMemberships(request, timeout=TIMEOUT_S)
    first = next(stream)
    assert said([first]) == [(wire.CHANGE_KIND_INITIAL, "segments/young", f"p{i}") for i in range(5)]
    assert first.changes[0].cause == wire.CHANGE_CAUSE_UNSPECIFIED
    version = grown(people, "p3", 80)
    item = next(stream)
    while not item.changes:
        item = next(stream)
    change = item.changes[0]
    assert said([item]) == [(wire.CHANGE_KIND_LEFT, "segments/young", "p3")]
    assert (change.version, change.cause, item.version) == (version, wire.CHANGE_CAUSE_ATTRIBUTE, version)
    stream.cancel()
    for cursor, rest in ((first.changes[1].cursor, 4), (first.cursor, 1)):
        again = watch.WatchMemberships(
            wire.WatchMembershipsRequest(segments=["segments/young"], cursor=cursor), timeout=TIMEOUT_S
        )
        items = [next(again)]
        while len(said(items)) < rest:
            items.append(next(again))
        assert said(items)[-1] == (wire.CHANGE_KIND_LEFT, "segments/young", "p3")
        assert len(said(items)) == rest
        again.cancel()


def test_progress_is_told_at_once_and_as_versions_come(
    people: Stubs, watch: change_service_pb2_grpc.ChangeServiceStub
) -> None:
    stream = watch.WatchMemberships(
        wire.WatchMembershipsRequest(segments=["segments/vip"], start_at=NOW), timeout=TIMEOUT_S
    )
    begun = next(stream)
    version = grown(people, "p1", 99)
    mark = next(stream)
    while mark.version < version:
        mark = next(stream)
    assert not begun.changes and not mark.changes and begun.cursor != mark.cursor
    assert mark.now.seconds >= begun.now.seconds > 1_700_000_000
    stream.cancel()


@pytest.mark.parametrize(
    ("request_", "code", "reason", "fields"),
    [
        (wire.WatchMembershipsRequest(), CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", ("start_at",)),
        (wire.WatchMembershipsRequest(start_at=77), CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", ("start_at",)),
        (wire.WatchMembershipsRequest(cursor="x"), CODE.INVALID_ARGUMENT, "INVALID_CURSOR", ("cursor",)),
        (
            wire.WatchMembershipsRequest(cursor=CursorCodec(b"another").encode(Position(1))),
            CODE.INVALID_ARGUMENT, "INVALID_CURSOR", ("cursor",),
        ),
        (
            wire.WatchMembershipsRequest(start_at=NOW, segments=["vip"]),
            CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", ("segments[0]",),
        ),
        (
            wire.WatchMembershipsRequest(start_at=NOW, segments=["segments/a"] * 10_001),
            CODE.INVALID_ARGUMENT, "INVALID_ARGUMENT", ("segments",),
        ),
        (
            wire.WatchMembershipsRequest(start_at=NOW, segments=["segments/nobody"]),
            CODE.NOT_FOUND, "NOT_FOUND", (),
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_watched_is_refused(
    watch: change_service_pb2_grpc.ChangeServiceStub,
    request_: wire.WatchMembershipsRequest,
    code: grpc.StatusCode,
    reason: str,
    fields: tuple[str, ...],
) -> None:
    refused = failed(watch.WatchMemberships, request_)
    assert (refused.code, refused.reason, refused.fields) == (code, reason, fields)


def test_a_cursor_that_is_too_old_is_told_how_to_start_again(
    running: RunningServer, people: Stubs, watch: change_service_pb2_grpc.ChangeServiceStub
) -> None:
    stream = watch.WatchMemberships(wire.WatchMembershipsRequest(start_at=OLDEST), timeout=TIMEOUT_S)
    cursor = next(stream).changes[0].cursor
    stream.cancel()
    log = running.database._changes.log
    with log._news:
        log._chunks, log._tail, log._oldest = (), [], log._version + 1
    refused = failed(watch.WatchMemberships, wire.WatchMembershipsRequest(cursor=cursor))
    assert (refused.code, refused.reason) == (CODE.OUT_OF_RANGE, "CURSOR_TOO_OLD")
    assert "start again from now with the initial members" in refused.message
    assert int(refused.metadata["oldest_version"]) > 1


def test_a_stream_ends_in_good_order_shortly_before_its_deadline(
    watch: change_service_pb2_grpc.ChangeServiceStub,
) -> None:
    started = time.monotonic()
    items = list(watch.WatchMemberships(wire.WatchMembershipsRequest(start_at=NOW), timeout=2))
    assert items and 1.2 < time.monotonic() - started < 2


def test_a_server_that_drains_sends_its_listeners_elsewhere(
    running: RunningServer, watch: change_service_pb2_grpc.ChangeServiceStub
) -> None:
    stream = watch.WatchMemberships(wire.WatchMembershipsRequest(start_at=NOW), timeout=TIMEOUT_S)
    next(stream)
    running._phase.current = Phase.DRAINING
    with pytest.raises(grpc.RpcError) as ended:
        list(stream)
    assert ended.value.code() is CODE.UNAVAILABLE
    running._phase.current = Phase.SERVING


def test_listeners_past_the_cap_are_refused_and_leave_a_place_when_they_go() -> None:
    config = ServerConfig(listen="127.0.0.1:0", streams=2, grace_s=1)
    with build(config) as running, grpc.insecure_channel(running.address) as channel:
        stub = change_service_pb2_grpc.ChangeServiceStub(channel)
        request = wire.WatchMembershipsRequest(start_at=NOW)
        open_ = [stub.WatchMemberships(request, timeout=TIMEOUT_S) for _ in range(2)]
        for stream in open_:
            next(stream)
        refused = failed(stub.WatchMemberships, request)
        assert (refused.code, refused.reason) == (CODE.RESOURCE_EXHAUSTED, "TOO_MANY_STREAMS")
        open_[0].cancel()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                next(stub.WatchMemberships(request, timeout=TIMEOUT_S))
                break
            except grpc.RpcError:
                time.sleep(0.05)
        else:
            pytest.fail("the place of a listener who left was not given on")


def test_writers_are_not_held_up_by_a_listener_who_does_not_read(
    people: Stubs, watch: change_service_pb2_grpc.ChangeServiceStub
) -> None:
    stream = watch.WatchMemberships(
        wire.WatchMembershipsRequest(start_at=OLDEST, include_initial_members=True), timeout=TIMEOUT_S
    )
    next(stream)
    for turn in range(60):
        request = profile_service_pb2.BatchUpsertProfilesRequest()
        for i in range(500):
            request.profiles.add(key=f"q{i}").attributes["age"].int_value = 80 if turn % 2 else 1
        people.profiles.BatchUpsertProfiles(request, timeout=TIMEOUT_S)
    # 30,000 changes, some 4 MB, none of them taken so far; now all of them come, in order.
    heard: list[tuple[int, str]] = []
    for item in stream:
        heard += [(c.version, c.profile) for c in item.changes if c.profile.startswith("q")]
        if len(heard) >= 30_000:
            break
    stream.cancel()
    assert len(heard) == len(set(heard)) == 30_000
    assert [version for version, _ in heard] == sorted(version for version, _ in heard)


def test_who_leaves_an_answer_untaken_is_cut_off_and_who_only_waits_is_not() -> None:
    stalls = Stalls(0.2)
    cut: list[str] = []
    stuck = threading.Event()

    def leave_untaken() -> None:
        with stalls.watched(lambda: cut.append("stuck")) as tell:
            tell(True)
            stuck.wait(5)

    def wait_for_news() -> None:
        with stalls.watched(lambda: cut.append("waiting")) as tell:
            for _ in range(10):
                tell(True)
                tell(False)
                time.sleep(0.08)

    threads = [threading.Thread(target=leave_untaken), threading.Thread(target=wait_for_news)]
    for thread in threads:
        thread.start()
    threads[1].join()
    stuck.set()
    threads[0].join()
    stalls.close()
    assert set(cut) == {"stuck"}


def test_statistics_show_the_history_of_a_segment(people: Stubs, watch: object) -> None:
    grown(people, "p3", 80)
    grown(people, "p9", 3)
    request = segments.GetStatisticsRequest(name="segments/young")
    request.start_time.FromJsonString("2024-06-15T11:00:00Z")
    request.interval.FromSeconds(3_600)
    found = people.segments.GetStatistics(request, timeout=TIMEOUT_S)
    points = [(p.start_time.ToJsonString()[11:16], p.size, p.joined, p.left) for p in found.history]
    assert points == [("11:00", 0, 0, 0), ("12:00", 5, 6, 1)] and found.size == 5
    request.ClearField("interval")
    request.ClearField("start_time")
    assert len(people.segments.GetStatistics(request, timeout=TIMEOUT_S).history) == 31
    for seconds, path in ((90, "interval"), (-60, "interval"), (60, "")):
        bad = segments.GetStatisticsRequest(name="segments/young")
        bad.interval.seconds = seconds
        if seconds == 60:
            bad.start_time.FromJsonString("2020-01-01T00:00:00Z")
        refused = failed(people.segments.GetStatistics, bad)
        assert refused.code is CODE.INVALID_ARGUMENT
        assert not path or refused.fields == (path,)
