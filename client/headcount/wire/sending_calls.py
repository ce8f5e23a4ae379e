"""Calls that resolve audiences and read them, and where a stream of members goes on after it broke."""

from __future__ import annotations

import datetime as dt
import itertools
import sys
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from google.protobuf.message import DecodeError

from headcount import sending, values
from headcount.errors import DeadlineExceeded, HeadcountError, ServerError, Unavailable
from headcount.sending import Audience, AudienceName, FilePiece, MemberForm, Members
from headcount.v1 import audience_service_pb2 as m
from headcount.v1 import rule_pb2, segment_service_pb2
from headcount.v1.column_pb2 import TextColumn
from headcount.wire import decode, encode
from headcount.wire.calls import Asked, Unary, path_of, request_id_or_new, unary
from headcount.wire.encode import RuleLike

PieceT = TypeVar("PieceT")

FILE_TIMEOUT_S: Final = 3_600.0
"""For a file that cannot be taken up in the middle."""
_TRIES_MAX: Final = 6
"""In a row without anything new."""
_IDS_FIELD: Final = 7
_STAGES = {
    m.STAGE_KIND_INCLUDE: sending.StageKind.INCLUDE,
    m.STAGE_KIND_EXCLUDE: sending.StageKind.EXCLUDE,
    m.STAGE_KIND_KNOWN: sending.StageKind.KNOWN,
    m.STAGE_KIND_CHANNEL: sending.StageKind.CHANNEL,
    m.STAGE_KIND_CONSENT: sending.StageKind.CONSENT,
    m.STAGE_KIND_SUPPRESSION: sending.StageKind.SUPPRESSION,
    m.STAGE_KIND_FREQUENCY_CAP: sending.StageKind.FREQUENCY_CAP,
    m.STAGE_KIND_HOLDOUT: sending.StageKind.HOLDOUT,
    m.STAGE_KIND_LIMIT: sending.StageKind.LIMIT,
}
_FORMS: dict[str, m.MemberForm] = {
    "keys": m.MEMBER_FORM_KEYS,
    "ids": m.MEMBER_FORM_IDS,
    "roaring": m.MEMBER_FORM_ROARING,
}
_FORMATS: dict[str, m.ExportFormat] = {
    "csv": m.EXPORT_FORMAT_CSV,
    "parquet": m.EXPORT_FORMAT_PARQUET,
    "jsonl": m.EXPORT_FORMAT_JSON_LINES,
}
Named = Audience | AudienceName | str
"""An audience, or what it is called: `audiences/...`."""
Who = RuleLike | Audience | AudienceName
"""A text is a rule here, so that an audience comes as such or as its AudienceName."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an audience is to be, as a caller says it."""

    includes: Iterable[RuleLike]
    excludes: Iterable[RuleLike] = ()
    known: bool | None = None
    channel: str = ""
    topic: str = ""
    suppressions: Iterable[RuleLike] = ()
    frequency_cap: sending.FrequencyCap | None = None
    holdout: sending.Holdout | None = None
    limit: int = 0
    order: sending.LimitOrder | None = None
    time_to_live: dt.timedelta | None = None


def create(
    wanted: Wanted, at: dt.datetime | None, validate_only: bool, asked: Asked, request_id: str | None
) -> Unary[Audience]:
    request = m.CreateAudienceRequest(
        includes=_rules(wanted.includes, "includes"),
        excludes=_rules(wanted.excludes, "excludes"),
        topic=encode.text(wanted.topic, "topic"),
        channel=encode.text(wanted.channel, "channel"),
        suppressions=_rules(wanted.suppressions, "suppressions"),
        limit=encode.whole(wanted.limit, "limit", 64),
        known_only=wanted.known is True,
        unknown_only=wanted.known is False,
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
        request_id=request_id_or_new(request_id),
        validate_only=validate_only,
    )
    cap, holdout, order = wanted.frequency_cap, wanted.holdout, wanted.order
    if cap is not None:
        if encode.whole(cap.max_count, "frequency_cap") < 1:
            raise encode.refused("frequency_cap", "a cap counts from 1")
        request.frequency_cap.event_name = encode.text(cap.event, "frequency_cap")
        request.frequency_cap.max_count = cap.max_count
        request.frequency_cap.window.CopyFrom(encode.duration(cap.within, "frequency_cap"))
    if holdout is not None:
        request.holdout.fraction = float(holdout.fraction)
        request.holdout.salt = encode.text(holdout.salt, "holdout")
    if order is not None:
        setattr(request.limit_order, order.kind, encode.text(order.text, "order"))
    if wanted.time_to_live is not None:
        request.time_to_live.CopyFrom(encode.duration(wanted.time_to_live, "time_to_live"))
    return unary("AudienceService", "CreateAudience", request, m.Audience, _audience)


def _rules(rules: Iterable[RuleLike], name: str) -> list[rule_pb2.Rule]:
    if isinstance(rules, str):
        raise encode.refused(name, "rules are given as a list, not as one text")
    return [encode.rule(rule) for rule in rules]


def _audience(found: m.Audience) -> Audience:
    return Audience(
        version=found.version,
        now=decode.instant(found.now),
        engine_us=found.engine_us,
        name=found.name,
        size=found.size,
        total=found.total,
        waterfall=tuple(
            sending.Stage(_STAGES[s.kind], s.text, s.remaining, s.changed, s.unique_contribution)
            for s in found.waterfall
        ),
        expire_time=decode.set_instant(found.expire_time),
        warnings=decode.warnings(found.warnings),
    )


def keep(
    audience: Named,
    segment_id: str,
    display_name: str,
    description: str,
    folder: str,
    labels: Sequence[str],
    request_id: str | None,
) -> Unary[values.Segment]:
    request = m.KeepAudienceRequest(
        name=_name(audience),
        segment_id=encode.text(segment_id, "segment_id"),
        display_name=encode.text(display_name, "display_name"),
        description=encode.text(description, "description"),
        folder=encode.text(folder, "folder"),
        labels=encode.text_list(labels, "labels"),
        request_id=request_id_or_new(request_id),
    )
    return unary("AudienceService", "KeepAudience", request, segment_service_pb2.Segment, decode.segment)


def preview(
    who: Who,
    attributes: Sequence[str],
    page_size: int,
    page_token: str,
    sample_salt: str | None,
    at: dt.datetime | None,
    asked: Asked,
) -> Unary[sending.Preview]:
    request = m.PreviewAudienceRequest(
        attributes=encode.text_list(attributes, "attributes"),
        page_size=encode.page_size(page_size),
        page_token=page_token,
        sample_salt=sample_salt,
        at=encode.optional_timestamp(at, "at"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    _put_who(request, who)
    return unary("AudienceService", "PreviewAudience", request, m.PreviewAudienceResponse, _preview)


def _preview(found: m.PreviewAudienceResponse) -> sending.Preview:
    return sending.Preview(
        version=found.version,
        now=decode.instant(found.now),
        engine_us=found.engine_us,
        profiles=tuple(decode.profile(profile) for profile in found.profiles),
        total_size=found.total_size,
        next_page_token=found.next_page_token,
    )


def _put_who(request: m.PreviewAudienceRequest | m.ExportAudienceRequest, who: Who) -> None:
    if isinstance(who, Audience | AudienceName):
        request.audience = _name(who)
    else:
        request.rule.CopyFrom(encode.rule(who))


def _name(audience: Named) -> str:
    if isinstance(audience, str):
        audience = AudienceName(audience)
    if not isinstance(audience, Audience | AudienceName):
        raise encode.refused(
            "audience", f"an audience or its name is expected, got {type(audience).__name__}"
        )
    if not audience.name:
        raise encode.refused(
            "audience", "an audience that was only looked at is not kept: it has no members to give"
        )
    return encode.text(audience.name, "audience")


# ------------------------------------------------------------------------------------------------- streams


@dataclass(slots=True)
class Reading(Generic[PieceT]):
    """A stream of pieces that goes on after the last one that arrived.

    `request_at` makes the request from an offset on, `read` a piece and the offset behind it of a message. What
    cannot be resumed has `can_resume` False. `timeout_s` is for one stream, the caller's own if None.
    """

    path: str
    request_at: Callable[[int], bytes]
    read: Callable[[bytes], tuple[PieceT, int]]
    offset: int
    can_resume: bool = True
    timeout_s: float | None = None
    _tries: int = field(default=0, init=False)

    def request(self) -> bytes:
        return self.request_at(self.offset)

    def take(self, data: bytes) -> PieceT:
        """The piece in a message; from here on the stream goes on behind it."""
        try:
            piece, self.offset = self.read(data)
        except DecodeError as error:
            raise ServerError("the answer cannot be read", reason="MALFORMED_ANSWER") from error
        self._tries = 0
        return piece

    def pause_s(self, error: HeadcountError) -> float:
        """How long to wait before going on after a failure; raises it where going on is no use."""
        # A stream whose reader took its time ends by its deadline; that is no failure while pieces arrive.
        is_passing = isinstance(error, Unavailable | DeadlineExceeded)
        self._tries += 1
        if not (self.can_resume and is_passing) or self._tries >= _TRIES_MAX:
            raise error
        return 0.0 if self._tries == 1 else min(2.0, 0.05 * 3**self._tries)


def read(audience: Named, form: MemberForm, offset: int, chunk_size: int) -> Reading[Members]:
    if form not in _FORMS:
        raise encode.refused("form", "members come as keys, ids or roaring")
    encode.whole(offset, "offset", 64)
    encode.whole(chunk_size, "chunk_size")
    name = _name(audience)

    def request_at(at: int) -> bytes:
        request = m.ReadAudienceRequest(name=name, form=_FORMS[form], offset=at, chunk_size=chunk_size)
        return request.SerializeToString()

    return Reading(path_of("AudienceService", "ReadAudience"), request_at, _members, offset)


def _members(data: bytes) -> tuple[Members, int]:
    found = m.ReadAudienceResponse.FromString(data)
    chunk = Members(
        found.offset,
        found.next_offset,
        found.size,
        keys=_texts(found.keys) if found.HasField("keys") else (),
        ids=_native(packed_field(data, _IDS_FIELD)),
        roaring=found.roaring,
    )
    return chunk, found.next_offset


def export(
    who: Who, file_format: sending.FileFormat, attributes: Sequence[str], offset: int, asked: Asked
) -> Reading[FilePiece]:
    if file_format not in _FORMATS:
        raise encode.refused("file_format", "a file is csv, parquet or jsonl")
    encode.whole(offset, "offset", 64)
    can_resume = isinstance(who, Audience | AudienceName) and file_format != "parquet"
    request = m.ExportAudienceRequest(
        format=_FORMATS[file_format],
        attributes=encode.text_list(attributes, "attributes"),
        min_version=asked.min_version,
        min_now=encode.optional_timestamp(asked.min_now, "min_now"),
    )
    _put_who(request, who)

    def request_at(at: int) -> bytes:
        request.offset = at
        return request.SerializeToString()

    return Reading(
        path_of("AudienceService", "ExportAudience"),
        request_at,
        _piece,
        offset,
        can_resume,
        None if can_resume else FILE_TIMEOUT_S,
    )


def _piece(data: bytes) -> tuple[FilePiece, int]:
    found = m.ExportAudienceResponse.FromString(data)
    return FilePiece(found.chunk, found.next_offset, found.size), found.next_offset


def _texts(column: TextColumn) -> list[str]:
    offsets = _native(column.offsets).tolist()
    if column.utf8.isascii():
        text = column.utf8.decode("ascii")
        found = [text[start:end] for start, end in itertools.pairwise(offsets)]
    else:
        utf8 = column.utf8
        found = [utf8[start:end].decode() for start, end in itertools.pairwise(offsets)]
    return [found[code] for code in _native(column.codes)] if column.codes else found


def _native(little_endian: bytes) -> memoryview:
    """Unsigned integers of 32 bits, in this machine's order."""
    if sys.byteorder == "little":
        return memoryview(little_endian).cast("I")
    swapped = array("I", little_endian)
    swapped.byteswap()
    return memoryview(swapped)


def packed_field(message: bytes, wanted: int) -> bytes:
    """The bytes of a repeated fixed32 as they travelled; reading them one by one would take fifty times as long."""
    parts: list[bytes] = []
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            _, at = _varint(message, at)
            continue
        if kind == 2:
            length, at = _varint(message, at)
        elif kind in (1, 5):
            length = 8 if kind == 1 else 4
        else:
            raise DecodeError("no such wire type")
        if number == wanted:
            parts.append(message[at : at + length])
        at += length
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = message[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7
