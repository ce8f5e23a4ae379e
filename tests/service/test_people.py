"""Merging, erasing and retention over real gRPC, and with both clients."""

from __future__ import annotations

import asyncio
import datetime as dt

import grpc
import pytest

from headcount import (
    AsyncClient,
    Client,
    Event,
    FailedPrecondition,
    Identifier,
    InvalidArgument,
    NotFound,
    ProfileUpdate,
)
from headcount.v1 import event_service_pb2 as events
from headcount.v1 import profile_service_pb2 as profiles
from headcount.wire.ingest import IngestOptions
from headcount_server.app import RunningServer
from tests.service.calling import Stubs, failed

NOT_FOUND, INVALID = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT


def test_a_merge_answers_with_the_survivor_and_the_other_key_leads_to_it(people: Stubs) -> None:
    answer = people.profiles.MergeProfiles(
        profiles.MergeProfilesRequest(survivor_key="p1", merged_key="p10", request_id="m")
    )
    assert answer.version > 0 and answer.now.seconds > 0
    assert (answer.profile.key, answer.profile.version) == ("p1", answer.version)
    assert list(answer.profile.tags) == ["vip"] and answer.profile.attributes["age"].int_value == 11
    assert people.profiles.GetProfile(profiles.GetProfileRequest(key="p10")).key == "p1"
    unknown = profiles.MergeProfilesRequest(survivor_key="p1", merged_key="nobody")
    assert failed(people.profiles.MergeProfiles, unknown).code is NOT_FOUND
    for request in (
        profiles.MergeProfilesRequest(survivor_key="p1", merged_key="p1"),
        profiles.MergeProfilesRequest(survivor_key="p1"),
        profiles.MergeProfilesRequest(merged_key="p1"),
    ):
        assert failed(people.profiles.MergeProfiles, request).code is INVALID


def test_a_profile_comes_with_its_id_and_with_what_it_did_up_to_now(people: Stubs) -> None:
    track = events.TrackEventsRequest()
    for name, key, at in (
        ("purchase", "p1", "2024-06-10T00:00:00.000001Z"),
        ("purchase", "p10", "2024-06-01T00:00:00Z"),
        ("view", "p10", "2024-06-15T11:59:59Z"),
        ("view", "p10", "2024-07-01T00:00:00Z"),
        ("later", "p10", "2024-07-01T00:00:00Z"),
    ):
        event = track.events.add(event_name=name, key=key)
        event.time.FromJsonString(at)
    assert people.events.TrackEvents(track).accepted_rows == 5
    listed = people.profiles.ListProfiles(profiles.ListProfilesRequest()).profiles
    ids = {profile.key: profile.id for profile in listed}
    asked = profiles.GetProfileRequest(key="p10")
    found = people.profiles.GetProfile(asked)
    assert found.id == ids["p10"] > 0
    assert told(found) == [
        ("purchase", 2, "2024-06-01T00:00:00Z", "2024-06-14T12:00:00Z"),
        ("view", 1, "2024-06-15T11:59:59Z", "2024-06-15T11:59:59Z"),
    ]
    asked.omit_segments = True
    assert told(people.profiles.GetProfile(asked)) == told(found)
    merge = profiles.MergeProfilesRequest(survivor_key="p1", merged_key="p10")
    survivor = people.profiles.MergeProfiles(merge).profile
    assert survivor.id == ids["p1"] > 0
    assert told(survivor) == [
        ("purchase", 3, "2024-06-01T00:00:00Z", "2024-06-14T12:00:00Z"),
        ("view", 1, "2024-06-15T11:59:59Z", "2024-06-15T11:59:59Z"),
    ]


def told(found: profiles.Profile) -> list[tuple[str, int, str, str]]:
    """The summaries of a profile's events, the instants as text."""
    return [
        (e.event_name, e.count, e.first_time.ToJsonString(), e.last_time.ToJsonString()) for e in found.events
    ]


def test_a_merge_sent_again_tells_nothing_of_a_survivor_that_was_erased_since(people: Stubs) -> None:
    request = profiles.MergeProfilesRequest(survivor_key="p1", merged_key="p2", request_id="same")
    first = people.profiles.MergeProfiles(request)
    assert people.profiles.MergeProfiles(request).profile.key == "p1"
    people.profiles.EraseProfile(profiles.EraseProfileRequest(key="p2"))
    again = people.profiles.MergeProfiles(request)
    assert again.version == first.version and not again.HasField("profile")


def test_an_erased_key_is_refused_until_an_upsert_says_recreate(people: Stubs) -> None:
    request = profiles.EraseProfileRequest(key="p3", request_id="e")
    erased = people.profiles.EraseProfile(request)
    assert people.profiles.EraseProfile(request).version == erased.version
    asked = profiles.GetProfileRequest(key="p3")
    assert failed(people.profiles.GetProfile, asked).code is NOT_FOUND
    row = profiles.ProfileRow(key="p3")
    refused = people.profiles.BatchUpsertProfiles(profiles.BatchUpsertProfilesRequest(profiles=[row]))
    (why,) = refused.rejected_rows
    assert (why.reason, refused.accepted_rows) == ("ERASED_PROFILE", 0) and "p3" not in why.message
    for key, code in (("p3", NOT_FOUND), ("", INVALID)):
        again = profiles.EraseProfileRequest(key=key)
        assert failed(people.profiles.EraseProfile, again).code is code
    made = people.profiles.BatchUpsertProfiles(
        profiles.BatchUpsertProfilesRequest(profiles=[row], recreate=True)
    )
    assert made.created_profiles == 1 and people.profiles.GetProfile(asked).key == "p3"


def test_both_clients_merge_erase_and_create_anew(running: RunningServer) -> None:
    with Client(running.address) as client:
        client.upsert_profiles(
            [
                ProfileUpdate("a", {"plan": "pro"}, identifiers=[Identifier("email", "a@x")]),
                ProfileUpdate("b", {"city": "Rome"}, identifiers=[Identifier("email", "b@x")]),
            ]
        )
        with pytest.raises(FailedPrecondition):
            client.merge_profiles("a", "b")
        merged = client.merge_profiles("a", "b", force=True)
        assert merged.attributes == {"plan": "pro", "city": "Rome"}
        client.erase_profile("b")
        with pytest.raises(NotFound):
            client.get_profile("a")

    async def again() -> None:
        async with AsyncClient(running.address) as client:
            assert (await client.upsert_profiles([{"key": "a"}])).rejected_rows
            await client.upsert_profiles([{"key": "a"}, {"key": "c"}], recreate=True)
            assert (await client.merge_profiles("c", "a")).key == "c"
            await client.erase_profile("c")
            with pytest.raises(NotFound):
                await client.get_profile("a")
            async with client.ingest(IngestOptions(recreate=True)) as writer:
                await writer.profile("a", {"plan": "new"})
            assert (await client.get_profile("a")).attributes == {"plan": "new"}

    asyncio.run(again())


def test_event_types_declare_how_long_raw_events_are_kept(running: RunningServer) -> None:
    with Client(running.address) as client:
        month = dt.timedelta(days=30)
        shown = client.declare_events({"view": {}}, retention={"view": month})
        view = shown.event_types["view"]
        assert view.retention == month
        now = client.status().now
        days = dt.timedelta(days=1)
        receipt = client.track([Event("view", "a", now - 20 * days), Event("view", "a", now - 31 * days)])
        (row,) = receipt.rejected_rows
        assert (row.row, row.reason) == (1, "OUTSIDE_WINDOW")
        assert client.count("did view").count == 1
        with pytest.raises(InvalidArgument, match="kept for 30 days"):
            client.create_segment("old", "did view in last 31 days")


def test_both_clients_are_told_the_warnings_of_a_rule_that_is_saved(running: RunningServer) -> None:
    told = "nobody has done 'nope' so far"
    with Client(running.address) as client:
        made = client.create_segment("w", "did nope")
        assert [warning.message for warning in made.warnings] == [told]
        assert client.get_segment("w").warnings == made.warnings
        assert [segment.warnings for segment in client.list_segments()] == [()]
        assert client.update_segment("w", rule="everyone").warnings == ()

    async def again() -> None:
        async with AsyncClient(running.address) as client:
            assert (await client.create_segment("x", "did nope")).warnings == made.warnings

    asyncio.run(again())
