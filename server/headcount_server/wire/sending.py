"""Audiences to send to, both ways: what to resolve, waterfalls, chunks of members, previews, pieces of files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np

from headcount_engine.audiences.export import CSV, JSON_LINES, FileForm, Piece
from headcount_engine.audiences.preview import Page, Part, PreviewAnswer, Sample
from headcount_engine.audiences.request import (
    AudienceRequest,
    ByAttribute,
    BySample,
    FrequencyCap,
    Holdout,
    LimitOrder,
    StageKind,
)
from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import SegmentDraft
from headcount_engine.model.batches import U32, Texts
from headcount_engine.sending import LIFE_US, AudienceAnswer, AudienceName, Who
from headcount_server.loading.parquet_pieces import PARQUET
from headcount_server.wire import messages
from headcount_server.wire.fields import page_size, put_instant, stamp
from headcount_server.wire.profiles import PagePlace, place_in, profile_message, token_of
from headcount_server.wire.rules import Asked, put_warnings, rule_of
from headcount_server.wire.segments import labels_of

PREFIX = "audiences/"
_IDS_TAG: Final = bytes([7 << 3 | 2])
"""Of `ids` in ReadAudienceResponse: field 7, packed."""
_STAGES = {
    StageKind.INCLUDE: messages.StageKind.STAGE_KIND_INCLUDE,
    StageKind.EXCLUDE: messages.StageKind.STAGE_KIND_EXCLUDE,
    StageKind.KNOWN: messages.StageKind.STAGE_KIND_KNOWN,
    StageKind.CHANNEL: messages.StageKind.STAGE_KIND_CHANNEL,
    StageKind.CONSENT: messages.StageKind.STAGE_KIND_CONSENT,
    StageKind.SUPPRESSION: messages.StageKind.STAGE_KIND_SUPPRESSION,
    StageKind.FREQUENCY_CAP: messages.StageKind.STAGE_KIND_FREQUENCY_CAP,
    StageKind.HOLDOUT: messages.StageKind.STAGE_KIND_HOLDOUT,
    StageKind.LIMIT: messages.StageKind.STAGE_KIND_LIMIT,
}
_FORMATS = {
    messages.ExportFormat.EXPORT_FORMAT_CSV: CSV,
    messages.ExportFormat.EXPORT_FORMAT_PARQUET: PARQUET,
    messages.ExportFormat.EXPORT_FORMAT_JSON_LINES: JSON_LINES,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """An audience to resolve; `asked` are its rules with the fields they stand in."""

    request: AudienceRequest
    asked: list[Asked]
    life_us: int


def wanted(request: messages.CreateAudienceRequest) -> Wanted:
    """Raises InvalidArgument, RefusedRule."""
    if request.known_only and request.unknown_only:
        raise InvalidArgument("either known profiles only or unknown ones only", path="unknown_only")
    parts = {
        name: [Asked(rule_of(rule, f"{name}[{i}]"), f"{name}[{i}]") for i, rule in enumerate(rules)]
        for name, rules in (
            ("includes", request.includes),
            ("excludes", request.excludes),
            ("suppressions", request.suppressions),
        )
    }
    asked = AudienceRequest(
        includes=[one.rule for one in parts["includes"]],
        excludes=[one.rule for one in parts["excludes"]],
        known=True if request.known_only else False if request.unknown_only else None,
        channel=request.channel,
        topic=request.topic,
        suppressions=[one.rule for one in parts["suppressions"]],
        frequency_cap=_cap(request.frequency_cap) if request.HasField("frequency_cap") else None,
        holdout=_holdout(request.holdout) if request.HasField("holdout") else None,
        limit=request.limit,
        order=_order(request.limit_order),
    )
    life_us = LIFE_US
    if request.HasField("time_to_live"):
        life_us = _duration_us(request.time_to_live, "time_to_live")
    return Wanted(asked, [one for part in parts.values() for one in part], life_us)


def _cap(cap: messages.FrequencyCap) -> FrequencyCap:
    return FrequencyCap(cap.event_name, cap.max_count, _duration_us(cap.window, "frequency_cap.window"))


def _holdout(holdout: messages.Holdout) -> Holdout:
    if not math.isfinite(holdout.fraction):
        raise InvalidArgument("a holdout is a share of more than 0 and less than 1", path="holdout.fraction")
    return Holdout(Decimal(repr(holdout.fraction)), holdout.salt)


def _order(order: messages.LimitOrder) -> LimitOrder:
    match order.WhichOneof("kind"):
        case "highest_attribute":
            return ByAttribute(order.highest_attribute)
        case "lowest_attribute":
            return ByAttribute(order.lowest_attribute, highest=False)
        case _:
            return BySample(order.sample_salt)


def _duration_us(span: messages.Duration, path: str) -> int:
    if span.nanos % 1_000 or abs(span.nanos) >= 1_000_000_000 or abs(span.seconds) > 315_576_000_000:
        raise InvalidArgument("a duration is in whole microseconds, at most 10,000 years", path=path)
    return span.seconds * 1_000_000 + span.nanos // 1_000


def audience_answer(answer: AudienceAnswer) -> messages.Audience:
    made = messages.Audience(
        name=PREFIX + answer.name if answer.name else "",
        size=answer.size,
        total=answer.total,
        waterfall=[
            messages.WaterfallStage(
                kind=_STAGES[stage.kind],
                text=stage.text,
                remaining=stage.remaining,
                changed=stage.changed,
                unique_contribution=stage.unique,
            )
            for stage in answer.waterfall
        ],
        warnings=put_warnings(answer.warnings),
    )
    if answer.name:
        put_instant(made.expire_time, answer.expires_us)
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def audience_name(name: str, path: str = "name") -> str:
    """The part of `audiences/{audience}` behind the slash."""
    found = name.removeprefix(PREFIX)
    if found == name or not found or "/" in found:
        raise InvalidArgument("an audience is named audiences/{audience}", path=path)
    return found


def member_form(request: messages.ReadAudienceRequest) -> messages.MemberForm:
    forms = messages.MemberForm
    if request.form == forms.MEMBER_FORM_UNSPECIFIED or request.form not in forms.values():
        raise InvalidArgument("the form is one of ids, keys and roaring", path="form")
    return request.form


def put_ids(answer: messages.ReadAudienceResponse, ids: U32) -> None:
    """Into `ids` as the bytes that they are: ten thousand numbers one by one would take a millisecond."""
    raw = np.ascontiguousarray(ids, dtype="<u4").tobytes()
    answer.MergeFromString(_IDS_TAG + _varint(len(raw)) + raw)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def put_keys(answer: messages.ReadAudienceResponse, keys: Texts) -> None:
    answer.keys.offsets = keys.offsets.astype("<u4").tobytes()
    answer.keys.utf8 = keys.data.tobytes()


def draft_of(request: messages.KeepAudienceRequest) -> SegmentDraft:
    """The segment that an audience is to be kept as."""
    if not request.segment_id:
        raise InvalidArgument("a segment needs an id", path="segment_id")
    return SegmentDraft(
        name=request.display_name or request.segment_id,
        id=request.segment_id,
        description=request.description,
        folder=request.folder,
        labels=labels_of(request.labels, "labels"),
    )


# ------------------------------------------------------------------------------------------ previews, exports


def who_of(request: messages.PreviewAudienceRequest | messages.ExportAudienceRequest) -> Who:
    match request.WhichOneof("who"):
        case "rule":
            return rule_of(request.rule, "rule")
        case "audience":
            return AudienceName(audience_name(request.audience, "audience"))
        case _:
            raise InvalidArgument("either a rule or an audience", path="rule")


@dataclass(frozen=True, slots=True)
class PreviewQuestion:
    """`min_version`: that of the page before."""

    part: Part
    size: int
    min_version: int


def preview_question(request: messages.PreviewAudienceRequest) -> PreviewQuestion:
    place = place_in(request.page_token, _same(request))
    size = page_size(request.page_size)
    if request.HasField("sample_salt"):
        if place is not None:
            raise InvalidArgument("a sample has no pages", path="page_token")
        return PreviewQuestion(Sample(request.sample_salt), size, 0)
    if place is None:
        return PreviewQuestion(Page(), size, 0)
    return PreviewQuestion(Page(place.after_id), size, place.version)


def _same(request: messages.PreviewAudienceRequest) -> messages.PreviewAudienceRequest:
    """What must stay as it was from page to page."""
    same = messages.PreviewAudienceRequest()
    same.CopyFrom(request)
    for field in ("page_token", "page_size", "min_version", "min_now"):
        same.ClearField(field)
    return same


def preview_answer(
    request: messages.PreviewAudienceRequest, answer: PreviewAnswer
) -> messages.PreviewAudienceResponse:
    made = messages.PreviewAudienceResponse(
        profiles=[profile_message(profile) for profile in answer.profiles],
        total_size=answer.total,
    )
    if answer.has_more:
        made.next_page_token = token_of(PagePlace(answer.version, answer.ids[-1]), _same(request))
    stamp(made, answer.version, answer.now_us, answer.engine_us)
    return made


def export_format(request: messages.ExportAudienceRequest) -> FileForm:
    found = _FORMATS.get(request.format)
    if found is None:
        raise InvalidArgument("the format is one of CSV, Parquet and JSON Lines", path="format")
    return found


def put_piece(piece: Piece, before: int, bytes_max: int) -> list[tuple[bytes, int]]:
    """A piece of a file cut to messages: (bytes, where to go on after them). Only the last part completes the rows."""
    parts = [piece.data[at : at + bytes_max] for at in range(0, len(piece.data), bytes_max)] or [b""]
    return [(part, before) for part in parts[:-1]] + [(parts[-1], piece.next_offset)]
