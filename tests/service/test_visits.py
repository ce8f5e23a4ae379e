"""A write answered with the segments it led to, for use within the same visit; over real gRPC, with both clients."""

from __future__ import annotations

import asyncio
import datetime as dt

import grpc
import pytest

from headcount import AsyncClient, Client, Event, EventColumns, InvalidArgument, SegmentState
from headcount.v1 import column_pb2
from headcount.v1 import event_service_pb2 as events
from headcount.v1 import profile_service_pb2 as profiles
from headcount_engine.live_reads import ROWS_MAX
from headcount_server.app import RunningServer
from tests.service.calling import Stubs, failed


def _carts(**values: float) -> profiles.BatchUpsertProfilesRequest:
    request = profiles.BatchUpsertProfilesRequest(return_segments=True)
    for key, value in values.items():
        request.profiles.add(key=key).attributes["cart_value"].float_value = value
    return request


def _rows(answer: profiles.BatchUpsertProfilesResponse | events.TrackEventsResponse) -> list[list[str]]:
    assert answer.segments_after.version >= answer.version
    assert answer.segments_after.now.ToMicroseconds() >= answer.now.ToMicroseconds()
    return [list(row.segments) for row in answer.segments_after.rows]


def _saved(running: RunningServer, **rules: str) -> None:
    with Client(running.address) as client:
        for name, rule in rules.items():
            client.create_segment(name, rule)


def test_the_write_that_fills_a_cart_is_answered_without_the_segment(
    stubs: Stubs, running: RunningServer
) -> None:
    stubs.profiles.BatchUpsertProfiles(_carts(ann=20))
    _saved(running, small="cart_value < 100", filled="cart_value >= 100")
    answer = stubs.profiles.BatchUpsertProfiles(_carts(ann=99, bo=300))
    assert _rows(answer) == [["segments/small"], ["segments/filled"]]
    answer = stubs.profiles.BatchUpsertProfiles(_carts(ann=100))
    assert _rows(answer) == [["segments/filled"]] and answer.segments_after.version == answer.version


def test_every_row_has_its_own_answer_bad_ones_and_repeated_keys_too(
    people: Stubs, running: RunningServer
) -> None:
    _saved(running, buyers="did purchase at least 2 times", vips='tag "vip"', pros='plan = "pro"')
    request = events.TrackEventsRequest(return_segments=True)
    for key in ("p0", "p1", "", "p0", "nobody", "p4"):
        event = request.events.add(event_name="purchase", key=key)
        event.time.FromJsonString("2024-06-15T11:00:00Z")
    request.create = False
    answer = people.events.TrackEvents(request)
    assert sorted(row.row for row in answer.rejected_rows) == [2, 4]
    buyer_and_vip = ["segments/buyers", "segments/vips"]
    expected = [buyer_and_vip, ["segments/pros"], [], buyer_and_vip, [], ["segments/buyers", "segments/pros"]]
    assert _rows(answer) == expected


def test_columns_are_answered_as_rows_are_and_nobody_is_who_did_not_ask(
    people: Stubs, running: RunningServer
) -> None:
    _saved(running, old="age >= 30")
    batch = column_pb2.ProfileBatch(keys=["p19", "p20", "p21"])
    asked = people.profiles.BatchUpsertProfiles(
        profiles.BatchUpsertProfilesRequest(batch=batch, return_segments=True)
    )
    assert _rows(asked) == [[], ["segments/old"], ["segments/old"]]
    plain = people.profiles.BatchUpsertProfiles(profiles.BatchUpsertProfilesRequest(batch=batch))
    assert not plain.HasField("segments_after")


def test_drafts_are_nobodys_and_a_merged_key_is_its_survivors(people: Stubs, running: RunningServer) -> None:
    with Client(running.address) as client:
        client.create_segment("draft", "everyone", state=SegmentState.DRAFT)
        client.create_segment("vips", 'tag "vip"')
        client.merge_profiles("p5", "p1")
        receipt = client.upsert_profiles([{"key": "p1", "age": 3}], return_segments=True)
        assert receipt.segments is not None and receipt.segments.rows == (("vips",),)


def test_too_many_rows_are_refused_before_any_is_written(people: Stubs) -> None:
    request = profiles.BatchUpsertProfilesRequest(return_segments=True)
    request.batch.keys.extend(f"new{i}" for i in range(ROWS_MAX + 1))
    found = failed(people.profiles.BatchUpsertProfiles, request)
    assert found.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "1,000" in found.message
    assert (
        failed(people.profiles.GetProfile, profiles.GetProfileRequest(key="new0")).code
        is grpc.StatusCode.NOT_FOUND
    )
    del request.batch.keys[-1]
    assert len(people.profiles.BatchUpsertProfiles(request).segments_after.rows) == ROWS_MAX


def test_a_repetition_changes_nothing_and_tells_the_segments_of_by_then(
    stubs: Stubs, running: RunningServer
) -> None:
    stubs.profiles.BatchUpsertProfiles(_carts(ann=20))
    _saved(running, small="cart_value < 100")
    request = _carts(ann=50)
    request.request_id = "once"
    first = stubs.profiles.BatchUpsertProfiles(request)
    assert _rows(first) == [["segments/small"]]
    stubs.profiles.BatchUpsertProfiles(_carts(ann=500))
    again = stubs.profiles.BatchUpsertProfiles(request)
    assert again.version == first.version and _rows(again) == [[]]
    stubs.profiles.EraseProfile(profiles.EraseProfileRequest(key="ann"))
    assert _rows(stubs.profiles.BatchUpsertProfiles(request)) == [[]]


def test_both_clients_give_segments_with_the_receipt(people: Stubs, running: RunningServer) -> None:
    _saved(running, recent="did purchase in last 2 hours", buyers="did purchase")
    at = dt.datetime(2024, 6, 15, 11, 30, tzinfo=dt.UTC)
    with Client(running.address) as client:
        receipt = client.track([Event("purchase", "p1", at)], return_segments=True)
        assert receipt.segments is not None
        assert receipt.segments.rows == (("buyers", "recent"),)
        assert receipt.segments.version >= receipt.version and receipt.segments.now >= receipt.now
        assert client.track([Event("purchase", "p1", at)]).segments is None
        columns = EventColumns("purchase", [f"q{i}" for i in range(ROWS_MAX + 1)], [at] * (ROWS_MAX + 1))
        with pytest.raises(InvalidArgument):
            client.track(columns, return_segments=True)

    async def both() -> tuple[object, object]:
        async with AsyncClient(running.address) as client:
            tracked = await client.track(
                [{"name": "purchase", "key": "p3", "time": at}], return_segments=True
            )
            updated = await client.upsert_profiles([{"key": "p2", "age": 1}], return_segments=True)
            return tracked.segments, updated.segments

    tracked, updated = asyncio.run(both())
    assert tracked.rows == (("buyers", "recent"),) and updated.rows == (("buyers",),)  # type: ignore[attr-defined]
