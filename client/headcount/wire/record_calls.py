"""Calls that write and read profiles and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from headcount import values
from headcount.rows import CellInput, Event, EventColumns, ProfileColumns, ProfileUpdate
from headcount.v1 import event_service_pb2 as events
from headcount.v1 import profile_service_pb2 as profiles
from headcount.values import Identifier
from headcount.wire import columns, decode, encode
from headcount.wire.calls import Asked, Page, Unary, request_id_or_new, unary
from headcount.wire.encode import RuleLike
from headcount.wire.row_batches import row_batch

ProfileRows = Iterable[ProfileUpdate | Mapping[str, CellInput]] | ProfileColumns
EventRows = Iterable[Event | Mapping[str, CellInput]] | EventColumns


def upsert_profiles(
    rows: ProfileRows,
    create: bool,
    recreate: bool,
    all_or_nothing: bool,
    return_segments: bool,
    request_id: str | None,
) -> Unary[values.WriteReceipt]:
    request = profiles.BatchUpsertProfilesRequest(
        create=create,
        recreate=recreate,
        all_or_nothing=all_or_nothing,
        return_segments=return_segments,
        request_id=request_id_or_new(request_id),
    )
    answer, read = profiles.BatchUpsertProfilesResponse, decode.upserted
    if isinstance(rows, ProfileColumns):
        request.batch.CopyFrom(columns.profile_batch(rows))
        return unary("ProfileService", "BatchUpsertProfiles", request, answer, read)
    batch = row_batch(rows, encode.profile_given, all_or_nothing=all_or_nothing)
    request.profiles.extend(batch.rows)
    return unary(
        "ProfileService", "BatchUpsertProfiles", request, answer, lambda told: batch.whole(read(told))
    )


def track(
    rows: EventRows, create: bool, all_or_nothing: bool, return_segments: bool, request_id: str | None
) -> Unary[values.WriteReceipt]:
    request = events.TrackEventsRequest(
        create=create,
        all_or_nothing=all_or_nothing,
        return_segments=return_segments,
        request_id=request_id_or_new(request_id),
    )
    answer, read = events.TrackEventsResponse, decode.tracked_rows
    if isinstance(rows, EventColumns):
        request.batch.CopyFrom(columns.event_batch(rows))
        return unary("EventService", "TrackEvents", request, answer, read)
    batch = row_batch(rows, encode.event_given, all_or_nothing=all_or_nothing)
    request.events.extend(batch.rows)
    return unary("EventService", "TrackEvents", request, answer, lambda told: batch.whole(read(told)))


def get_profile(who: str | Identifier, omit_segments: bool, asked: Asked) -> Unary[values.Profile]:
    request = profiles.GetProfileRequest(
        omit_segments=omit_segments,
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    if isinstance(who, Identifier):
        request.identifier.CopyFrom(encode.identifier(who))
    else:
        request.key = encode.text(who, "key")
    return unary("ProfileService", "GetProfile", request, profiles.Profile, decode.profile)


def list_profiles(
    rule: RuleLike | None, attributes: Sequence[str], page_size: int, token: str, asked: Asked
) -> Unary[Page[values.Profile]]:
    request = profiles.ListProfilesRequest(
        filter=None if rule is None else encode.rule(rule),
        page_size=encode.page_size(page_size),
        page_token=token,
        attributes=encode.text_list(attributes, "attributes"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def page(answer: profiles.ListProfilesResponse) -> Page[values.Profile]:
        return Page([decode.profile(found) for found in answer.profiles], answer.next_page_token)

    return unary("ProfileService", "ListProfiles", request, profiles.ListProfilesResponse, page)


def lookup(identifiers: Iterable[Identifier], asked: Asked) -> Unary[list[str | None]]:
    request = profiles.LookupProfilesRequest(
        identifiers=[encode.identifier(given) for given in identifiers],
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def keys(answer: profiles.LookupProfilesResponse) -> list[str | None]:
        return [key or None for key in answer.keys]

    return unary("ProfileService", "LookupProfiles", request, profiles.LookupProfilesResponse, keys)


def erase_profile(key: str, request_id: str | None) -> Unary[values.Answer]:
    request = profiles.EraseProfileRequest(
        key=encode.text(key, "key"), request_id=request_id_or_new(request_id)
    )
    return unary("ProfileService", "EraseProfile", request, profiles.EraseProfileResponse, decode.answer_of)


def merge_profiles(survivor: str, merged: str, force: bool, request_id: str | None) -> Unary[values.Profile]:
    request = profiles.MergeProfilesRequest(
        survivor_key=encode.text(survivor, "survivor"),
        merged_key=encode.text(merged, "merged"),
        force=force,
        request_id=request_id_or_new(request_id),
    )

    def profile(answer: profiles.MergeProfilesResponse) -> values.Profile:
        return decode.profile(answer.profile)

    return unary("ProfileService", "MergeProfiles", request, profiles.MergeProfilesResponse, profile)
