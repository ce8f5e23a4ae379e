"""Calls that define segments and change their members."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from google.protobuf import field_mask_pb2

from headcount import values
from headcount.v1 import segment_service_pb2 as segments
from headcount.values import Identifier, SegmentKind, SegmentState
from headcount.wire import decode, encode
from headcount.wire.calls import Asked, Page, Unary, request_id_or_new, unary
from headcount.wire.encode import RuleLike

_KINDS = {kind: number for number, kind in decode.KINDS.items()}
_WITH_RULE = (_KINDS[SegmentKind.DATA_DRIVEN], _KINDS[SegmentKind.DATA_DRIVEN_WITH_OVERRIDES])
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
    source: str | None = None


def _segment(said: SegmentFields) -> tuple[segments.Segment, list[str]]:
    """The message and the names of the fields that were said."""
    out = segments.Segment(
        display_name=encode.text(said.display_name or "", "display_name"),
        description=encode.text(said.description or "", "description"),
        folder=encode.text(said.folder or "", "folder"),
        labels=encode.text_list(said.labels or (), "labels"),
        rule=None if said.rule is None else encode.rule(said.rule),
        retains_unknown_only=said.retains_unknown_only or False,
        source=encode.text(said.source or "", "source"),
    )
    if said.kind is not None:
        out.kind = _KINDS[encode.one_of(SegmentKind, said.kind, "kind")]
    if said.state is not None:
        out.state = _STATES[encode.one_of(SegmentState, said.state, "state")]
    if said.retention:
        out.retention.CopyFrom(encode.duration(said.retention, "retention"))
    names = SegmentFields.__dataclass_fields__
    return out, [name for name in names if getattr(said, name) is not None]


def create_segment(
    segment_id: str,
    said: SegmentFields,
    holding: RuleLike | None,
    validate_only: bool,
    request_id: str | None,
) -> Unary[values.Segment]:
    message, _ = _segment(said)
    if said.rule is None and message.kind in _WITH_RULE:
        raise encode.refused("rule", "a segment of this kind has a rule")
    if said.kind is None:
        message.kind = _KINDS[SegmentKind.MANUAL if said.rule is None else SegmentKind.DATA_DRIVEN]
    request = segments.CreateSegmentRequest(
        segment_id=encode.segment_name(segment_id).removeprefix(encode.SEGMENT_PREFIX),
        segment=message,
        holding=None if holding is None else encode.rule(holding),
        validate_only=validate_only,
        request_id=request_id_or_new(request_id),
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
    states: tuple[SegmentState, ...] = ()


def list_segments(
    which: SegmentFilter, page_size: int, token: str, asked: Asked
) -> Unary[Page[values.Segment]]:
    kind = segments.SEGMENT_KIND_UNSPECIFIED
    if which.kind is not None:
        kind = _KINDS[encode.one_of(SegmentKind, which.kind, "kind")]
    request = segments.ListSegmentsRequest(
        page_size=encode.page_size(page_size),
        page_token=token,
        folder=encode.text(which.folder, "folder"),
        label=encode.text(which.label, "label"),
        kind=kind,
        text=encode.text(which.text, "text"),
        order_by=encode.text(which.order_by, "order_by"),
        include_archived=which.include_archived,
        states=[_STATES[encode.one_of(SegmentState, state, "states")] for state in which.states],
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
    message.etag = encode.text(etag, "etag")
    request = segments.UpdateSegmentRequest(
        segment=message,
        update_mask=field_mask_pb2.FieldMask(paths=names),
        validate_only=validate_only,
        request_id=request_id_or_new(request_id),
    )
    return unary("SegmentService", "UpdateSegment", request, segments.Segment, decode.segment)


def delete_segment(segment_id: str, etag: str, request_id: str | None) -> Unary[values.Answer]:
    request = segments.DeleteSegmentRequest(
        name=encode.segment_name(segment_id), etag=etag, request_id=request_id_or_new(request_id)
    )
    return unary("SegmentService", "DeleteSegment", request, segments.DeleteSegmentResponse, decode.answer_of)


def duplicate_segment(
    segment_id: str, new_id: str, display_name: str, request_id: str | None
) -> Unary[values.Segment]:
    request = segments.DuplicateSegmentRequest(
        name=encode.segment_name(segment_id),
        segment_id=encode.segment_name(new_id).removeprefix(encode.SEGMENT_PREFIX),
        display_name=encode.text(display_name, "display_name"),
        request_id=request_id_or_new(request_id),
    )
    return unary("SegmentService", "DuplicateSegment", request, segments.Segment, decode.segment)


def add_members(
    segment_id: str, keys: Iterable[str], identifiers: Iterable[Identifier], request_id: str | None
) -> Unary[values.MemberReceipt]:
    request = segments.AddMembersRequest(
        name=encode.segment_name(segment_id),
        keys=encode.text_list(keys, "keys"),
        identifiers=[encode.identifier(given) for given in identifiers],
        request_id=request_id_or_new(request_id),
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
        request_id=request_id_or_new(request_id),
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
