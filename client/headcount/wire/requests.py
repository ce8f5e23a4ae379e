"""Every call that the clients make: from arguments to the request, from the answer to the value.

The clients only carry these; whatever is true of a call, for the sync and the async client alike, stands here.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf import duration_pb2, field_mask_pb2

from headcount import values
from headcount.rows import CellInput, Event, EventColumns, ProfileColumns, ProfileUpdate
from headcount.rules.text import Rule
from headcount.v1 import (
    admin_service_pb2 as admin,
)
from headcount.v1 import (
    audience_service_pb2 as audiences,
)
from headcount.v1 import (
    event_service_pb2 as events,
)
from headcount.v1 import (
    profile_service_pb2 as profiles,
)
from headcount.v1 import (
    schema_service_pb2 as schemas,
)
from headcount.v1 import (
    segment_service_pb2 as segments,
)
from headcount.v1 import value_pb2
from headcount.values import Identifier, SegmentKind, SegmentState
from headcount.wire import columns, decode, encode
from headcount.wire.calls import Page, Unary, unary

RuleLike = Rule | str
"""A rule made with `headcount.rules`, or its text."""

ProfileRows = Iterable[ProfileUpdate | Mapping[str, CellInput]] | ProfileColumns
EventRows = Iterable[Event | Mapping[str, CellInput]] | EventColumns


@dataclass(frozen=True, slots=True)
class Asked:
    """What any read may demand: a version, to see one's own writes, or a clock to have been reached."""

    min_version: int = 0
    min_now: dt.datetime | None = None


def _request_id(given: str | None) -> str:
    """An id of its own makes a write safe to send again, which is what retries do."""
    return given if given is not None else str(uuid.uuid4())


# ---------------------------------------------------------------------------------------------- profiles, events


def upsert_profiles(
    rows: ProfileRows, create: bool, recreate: bool, all_or_nothing: bool, request_id: str | None
) -> Unary[values.WriteReceipt]:
    request = profiles.BatchUpsertProfilesRequest(
        create=create, recreate=recreate, all_or_nothing=all_or_nothing, request_id=_request_id(request_id)
    )
    if isinstance(rows, ProfileColumns):
        request.batch.CopyFrom(columns.profile_batch(rows))
    else:
        request.profiles.extend([encode.profile_row(encode.profile_update(row)) for row in rows])
    answer = profiles.BatchUpsertProfilesResponse
    return unary("ProfileService", "BatchUpsertProfiles", request, answer, decode.upserted)


def track(
    rows: EventRows, create: bool, all_or_nothing: bool, request_id: str | None
) -> Unary[values.WriteReceipt]:
    request = events.TrackEventsRequest(
        create=create, all_or_nothing=all_or_nothing, request_id=_request_id(request_id)
    )
    if isinstance(rows, EventColumns):
        request.batch.CopyFrom(columns.event_batch(rows))
    else:
        request.events.extend([encode.event_row(encode.event(row)) for row in rows])
    return unary("EventService", "TrackEvents", request, events.TrackEventsResponse, decode.tracked)


def get_profile(who: str | Identifier, omit_segments: bool, asked: Asked) -> Unary[values.Profile]:
    request = profiles.GetProfileRequest(
        omit_segments=omit_segments,
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    if isinstance(who, Identifier):
        request.identifier.CopyFrom(encode.identifier(who))
    else:
        request.key = who
    return unary("ProfileService", "GetProfile", request, profiles.Profile, decode.profile)


def list_profiles(
    rule: RuleLike | None, attributes: Sequence[str], page_size: int, token: str, asked: Asked
) -> Unary[Page[values.Profile]]:
    request = profiles.ListProfilesRequest(
        filter=None if rule is None else encode.rule(rule),
        page_size=page_size,
        page_token=token,
        attributes=attributes,
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
    request = profiles.EraseProfileRequest(key=key, request_id=_request_id(request_id))
    return unary("ProfileService", "EraseProfile", request, profiles.EraseProfileResponse, decode.answer_of)


def merge_profiles(survivor: str, merged: str, force: bool, request_id: str | None) -> Unary[values.Profile]:
    request = profiles.MergeProfilesRequest(
        survivor_key=survivor, merged_key=merged, force=force, request_id=_request_id(request_id)
    )

    def profile(answer: profiles.MergeProfilesResponse) -> values.Profile:
        return decode.profile(answer.profile)

    return unary("ProfileService", "MergeProfiles", request, profiles.MergeProfilesResponse, profile)


# ------------------------------------------------------------------------------------------------------- schema

_TYPES = {name: kind for kind, name in decode.TYPE_NAMES.items()}


def _value_type(text: str, field: str) -> tuple[value_pb2.ValueType, int]:
    """`decimal(2)` as a type and its digits."""
    name = text.strip().lower()
    if name.startswith("decimal(") and name.endswith(")") and name[8:-1].strip().isdigit():
        return value_pb2.VALUE_TYPE_DECIMAL, int(name[8:-1])
    if name not in _TYPES:
        raise encode.refused(field, f"unknown type {text!r}; one of {', '.join(_TYPES)}, decimal(0..6)")
    return _TYPES[name], 0


def get_schema(include_counts: bool, asked: Asked) -> Unary[values.Schema]:
    request = schemas.GetSchemaRequest(
        include_counts=include_counts,
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    return unary("SchemaService", "GetSchema", request, schemas.Schema, decode.schema)


def declare_attributes(
    attributes: Mapping[str, str],
    tracked: Iterable[str],
    identifiers: Iterable[str],
    consent_topics: Mapping[str, bool],
    validate_only: bool,
    request_id: str | None,
) -> Unary[values.Schema]:
    remembered = set(encode.text_list(tracked, "tracked"))
    if unknown := sorted(remembered - attributes.keys()):
        raise encode.refused("tracked", f"{unknown[0]!r} is not among the attributes declared here")
    request = schemas.DeclareAttributesRequest(
        identifier_types=encode.text_list(identifiers, "identifiers"),
        consent_topics=[
            schemas.ConsentTopic(
                name=topic,
                mode=schemas.CONSENT_MODE_OPT_IN if opt_in else schemas.CONSENT_MODE_OPT_OUT,
            )
            for topic, opt_in in consent_topics.items()
        ],
        validate_only=validate_only,
        request_id=_request_id(request_id),
    )
    for name, text in attributes.items():
        kind, digits = _value_type(text, f"attributes.{name}")
        request.attributes.add(name=name, type=kind, digits=digits, tracked=name in remembered)
    return unary("SchemaService", "DeclareAttributes", request, schemas.Schema, decode.schema)


def declare_events(
    event_types: Mapping[str, Mapping[str, str]],
    retention: Mapping[str, dt.timedelta],
    validate_only: bool,
    request_id: str | None,
) -> Unary[values.Schema]:
    request = schemas.DeclareEventsRequest(validate_only=validate_only, request_id=_request_id(request_id))
    for name, properties in event_types.items():
        declared = request.event_types.add(name=name)
        if name in retention:
            declared.retention.CopyFrom(_duration(retention[name]))
        for prop, text in properties.items():
            kind, digits = _value_type(text, f"event_types.{name}.{prop}")
            declared.properties.add(name=prop, type=kind, digits=digits)
    return unary("SchemaService", "DeclareEvents", request, schemas.Schema, decode.schema)


def _duration(length: dt.timedelta) -> duration_pb2.Duration:
    out = duration_pb2.Duration()
    out.FromTimedelta(length)
    return out


# ------------------------------------------------------------------------------------------------------ segments

_KINDS = {kind: number for number, kind in decode.KINDS.items()}
_STATES = {state: number for number, state in decode.STATES.items()}


@dataclass(frozen=True, slots=True)
class SegmentFields:
    """What may be said about a segment; None is not said."""

    rule: RuleLike | None = None
    kind: SegmentKind | None = None
    state: SegmentState | None = None
    display_name: str | None = None
    description: str | None = None
    folder: str | None = None
    labels: Sequence[str] | None = None
    retention: dt.timedelta | None = None
    retains_unknown_only: bool | None = None


def _segment(said: SegmentFields) -> tuple[segments.Segment, list[str]]:
    """The message and the names of the fields that were said."""
    out = segments.Segment(
        display_name=said.display_name or "",
        description=said.description or "",
        folder=said.folder or "",
        labels=encode.text_list(said.labels or (), "labels"),
        rule=None if said.rule is None else encode.rule(said.rule),
        retains_unknown_only=said.retains_unknown_only or False,
    )
    if said.kind is not None:
        out.kind = _KINDS[said.kind]
    if said.state is not None:
        out.state = _STATES[said.state]
    if said.retention:
        out.retention.CopyFrom(_duration(said.retention))
    names = SegmentFields.__dataclass_fields__
    return out, [name for name in names if getattr(said, name) is not None]


def create_segment(
    segment_id: str, said: SegmentFields, validate_only: bool, request_id: str | None
) -> Unary[values.Segment]:
    message, _ = _segment(said)
    if said.kind is None:
        message.kind = _KINDS[SegmentKind.MANUAL if said.rule is None else SegmentKind.DATA_DRIVEN]
    request = segments.CreateSegmentRequest(
        segment_id=encode.segment_name(segment_id).removeprefix(encode.SEGMENT_PREFIX),
        segment=message,
        validate_only=validate_only,
        request_id=_request_id(request_id),
    )
    return unary("SegmentService", "CreateSegment", request, segments.Segment, decode.segment)


def get_segment(segment_id: str, asked: Asked) -> Unary[values.Segment]:
    request = segments.GetSegmentRequest(
        name=encode.segment_name(segment_id),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    return unary("SegmentService", "GetSegment", request, segments.Segment, decode.segment)


@dataclass(frozen=True, slots=True)
class SegmentFilter:
    """Which segments to list, and in which order."""

    folder: str = ""
    label: str = ""
    kind: SegmentKind | None = None
    text: str = ""
    order_by: str = ""
    include_archived: bool = False


def list_segments(
    which: SegmentFilter, page_size: int, token: str, asked: Asked
) -> Unary[Page[values.Segment]]:
    request = segments.ListSegmentsRequest(
        page_size=page_size,
        page_token=token,
        folder=which.folder,
        label=which.label,
        kind=segments.SEGMENT_KIND_UNSPECIFIED if which.kind is None else _KINDS[which.kind],
        text=which.text,
        order_by=which.order_by,
        include_archived=which.include_archived,
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def page(answer: segments.ListSegmentsResponse) -> Page[values.Segment]:
        return Page([decode.segment(found) for found in answer.segments], answer.next_page_token)

    return unary("SegmentService", "ListSegments", request, segments.ListSegmentsResponse, page)


def update_segment(
    segment_id: str, said: SegmentFields, etag: str, validate_only: bool, request_id: str | None
) -> Unary[values.Segment]:
    message, names = _segment(said)
    if not names:
        raise encode.refused("segment", "nothing to change")
    message.name = encode.segment_name(segment_id)
    message.etag = etag
    request = segments.UpdateSegmentRequest(
        segment=message,
        update_mask=field_mask_pb2.FieldMask(paths=names),
        validate_only=validate_only,
        request_id=_request_id(request_id),
    )
    return unary("SegmentService", "UpdateSegment", request, segments.Segment, decode.segment)


def delete_segment(segment_id: str, etag: str, request_id: str | None) -> Unary[values.Answer]:
    request = segments.DeleteSegmentRequest(
        name=encode.segment_name(segment_id), etag=etag, request_id=_request_id(request_id)
    )
    return unary("SegmentService", "DeleteSegment", request, segments.DeleteSegmentResponse, decode.answer_of)


def duplicate_segment(
    segment_id: str, new_id: str, display_name: str, request_id: str | None
) -> Unary[values.Segment]:
    request = segments.DuplicateSegmentRequest(
        name=encode.segment_name(segment_id),
        segment_id=encode.segment_name(new_id).removeprefix(encode.SEGMENT_PREFIX),
        display_name=display_name,
        request_id=_request_id(request_id),
    )
    return unary("SegmentService", "DuplicateSegment", request, segments.Segment, decode.segment)


def add_members(
    segment_id: str, keys: Iterable[str], identifiers: Iterable[Identifier], request_id: str | None
) -> Unary[values.MemberReceipt]:
    request = segments.AddMembersRequest(
        name=encode.segment_name(segment_id),
        keys=encode.text_list(keys, "keys"),
        identifiers=[encode.identifier(given) for given in identifiers],
        request_id=_request_id(request_id),
    )

    def receipt(answer: segments.AddMembersResponse) -> values.MemberReceipt:
        return _member_receipt(answer, answer.joined)

    return unary("SegmentService", "AddMembers", request, segments.AddMembersResponse, receipt)


def remove_members(
    segment_id: str, keys: Iterable[str], identifiers: Iterable[Identifier], request_id: str | None
) -> Unary[values.MemberReceipt]:
    request = segments.RemoveMembersRequest(
        name=encode.segment_name(segment_id),
        keys=encode.text_list(keys, "keys"),
        identifiers=[encode.identifier(given) for given in identifiers],
        request_id=_request_id(request_id),
    )

    def receipt(answer: segments.RemoveMembersResponse) -> values.MemberReceipt:
        return _member_receipt(answer, answer.left)

    return unary("SegmentService", "RemoveMembers", request, segments.RemoveMembersResponse, receipt)


def _member_receipt(
    answer: segments.AddMembersResponse | segments.RemoveMembersResponse, changed: int
) -> values.MemberReceipt:
    return values.MemberReceipt(
        version=answer.version,
        now=decode.instant(answer.now),
        engine_us=answer.engine_us,
        changed=changed,
        size=answer.size,
        rejected_rows=decode.rejected(answer.rejected_rows),
    )


# ----------------------------------------------------------------------------------------------------- audiences


def count(
    rule: RuleLike,
    at: dt.datetime | None,
    node_sizes: bool,
    asked: Asked,
) -> Unary[values.Count]:
    request = audiences.CountAudienceRequest(
        rule=encode.rule(rule),
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
        include_node_sizes=node_sizes,
    )
    return unary("AudienceService", "CountAudience", request, audiences.CountAudienceResponse, decode.count)


def check(
    key: str,
    segment_ids: Sequence[str],
    rules: Iterable[RuleLike],
    at: dt.datetime | None,
    asked: Asked,
) -> Unary[values.Membership]:
    asked_rules = [encode.rule(rule) for rule in rules]
    request = audiences.CheckMembershipRequest(
        key=key,
        segments=[encode.segment_name(segment) for segment in segment_ids],
        rules=asked_rules,
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    questions = len(segment_ids) + len(asked_rules)

    def membership(answer: audiences.CheckMembershipResponse) -> values.Membership:
        bits = int.from_bytes(answer.member_bits, "little")
        held = [bool(bits >> question & 1) for question in range(questions)]
        return values.Membership(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            key=key,
            exists=answer.exists,
            segments=dict(zip(segment_ids, held, strict=False)),
            rules=tuple(held[len(segment_ids) :]),
        )

    return unary("AudienceService", "CheckMembership", request, audiences.CheckMembershipResponse, membership)


def check_many(
    keys: Sequence[str],
    segment_ids: Sequence[str],
    rules: Iterable[RuleLike],
    at: dt.datetime | None,
    asked: Asked,
) -> Unary[values.MembershipTable]:
    asked_rules = [encode.rule(rule) for rule in rules]
    request = audiences.BatchCheckMembershipRequest(
        keys=encode.text_list(keys, "keys"),
        segments=[encode.segment_name(segment) for segment in segment_ids],
        rules=asked_rules,
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )

    def table(answer: audiences.BatchCheckMembershipResponse) -> values.MembershipTable:
        return values.MembershipTable(
            version=answer.version,
            now=decode.instant(answer.now),
            engine_us=answer.engine_us,
            keys=tuple(keys),
            segments=tuple(segment_ids),
            rule_count=len(asked_rules),
            member_bits=answer.member_bits,
            exists_bits=answer.exists_bits,
        )

    return unary(
        "AudienceService", "BatchCheckMembership", request, audiences.BatchCheckMembershipResponse, table
    )


def memberships(who: str | Identifier, asked: Asked) -> Unary[values.Memberships]:
    request = audiences.ListMembershipsRequest(
        min_version=asked.min_version, min_now=encode.optional_timestamp(asked.min_now, "min_now")
    )
    if isinstance(who, Identifier):
        request.identifier.CopyFrom(encode.identifier(who))
    else:
        request.key = who
    answer = audiences.ListMembershipsResponse
    return unary("AudienceService", "ListMemberships", request, answer, decode.memberships)


# --------------------------------------------------------------------------------------------------------- admin


def status() -> Unary[values.Status]:
    return unary("AdminService", "GetStatus", admin.GetStatusRequest(), admin.ServerStatus, decode.status)


def checkpoint() -> Unary[values.Answer]:
    request = admin.CheckpointRequest()
    return unary("AdminService", "Checkpoint", request, admin.CheckpointResponse, decode.answer_of)
