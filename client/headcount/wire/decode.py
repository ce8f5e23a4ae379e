"""From messages to the values that callers get."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from google.protobuf import duration_pb2, timestamp_pb2

from headcount import values
from headcount.v1 import (
    admin_service_pb2,
    audience_service_pb2,
    event_service_pb2,
    profile_service_pb2,
    rule_pb2,
    schema_service_pb2,
    segment_service_pb2,
    value_pb2,
    write_pb2,
)
from headcount.wire.encode import EPOCH, SEGMENT_PREFIX


class Stamped(Protocol):
    """Every answer's message."""

    @property
    def version(self) -> int: ...
    @property
    def now(self) -> timestamp_pb2.Timestamp: ...
    @property
    def engine_us(self) -> int: ...


def instant(stamp: timestamp_pb2.Timestamp) -> dt.datetime:
    return EPOCH + dt.timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1_000)


def set_instant(stamp: timestamp_pb2.Timestamp) -> dt.datetime | None:
    """None for the message that holds nothing."""
    return instant(stamp) if stamp.seconds or stamp.nanos else None


def span(length: duration_pb2.Duration) -> dt.timedelta:
    return dt.timedelta(seconds=length.seconds, microseconds=length.nanos // 1_000)


def cell(value: value_pb2.Value) -> values.Cell:
    match value.WhichOneof("kind"):
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "decimal_value":
            return Decimal(value.decimal_value.unscaled).scaleb(-value.decimal_value.digits)
        case "float_value":
            return value.float_value
        case "text_value":
            return value.text_value
        case "text_set_value":
            return frozenset(value.text_set_value.texts)
        case "instant_value":
            return instant(value.instant_value)
        case "date_value":
            return dt.date(value.date_value.year, value.date_value.month, value.date_value.day)
        case "point_value":
            return values.Point(value.point_value.latitude, value.point_value.longitude)
        case _:
            return None


def segment_id(name: str) -> str:
    return name.removeprefix(SEGMENT_PREFIX)


def warnings(found: Iterable[rule_pb2.Warning]) -> tuple[values.Warning, ...]:
    return tuple(values.Warning(w.reason, w.message, w.path, tuple(w.suggestions)) for w in found)


def rejected(rows: Iterable[write_pb2.RejectedRow]) -> tuple[values.RejectedRow, ...]:
    return tuple(values.RejectedRow(r.row, r.field, r.reason, r.message, r.line) for r in rows)


def count(answer: audience_service_pb2.CountAudienceResponse) -> values.Count:
    return values.Count(
        version=answer.version,
        now=instant(answer.now),
        engine_us=answer.engine_us,
        count=answer.count,
        total=answer.total,
        node_sizes=tuple(values.NodeSize(n.path, n.text, n.count) for n in answer.node_sizes),
        warnings=warnings(answer.warnings),
    )


def memberships(answer: audience_service_pb2.ListMembershipsResponse) -> values.Memberships:
    return values.Memberships(
        version=answer.version,
        now=instant(answer.now),
        engine_us=answer.engine_us,
        segments=tuple(segment_id(name) for name in answer.segments),
    )


def answer_of(answer: Stamped) -> values.Answer:
    return values.Answer(version=answer.version, now=instant(answer.now), engine_us=answer.engine_us)


def segments_after(answer: write_pb2.SegmentsAfter) -> values.SegmentsAfter:
    rows = tuple(tuple(name.removeprefix(SEGMENT_PREFIX) for name in row.segments) for row in answer.rows)
    return values.SegmentsAfter(answer.version, instant(answer.now), rows)


def upserted(answer: profile_service_pb2.BatchUpsertProfilesResponse) -> values.WriteReceipt:
    return values.WriteReceipt(
        version=answer.version,
        now=instant(answer.now),
        engine_us=answer.engine_us,
        accepted_rows=answer.accepted_rows,
        created_profiles=answer.created_profiles,
        rejected_rows=rejected(answer.rejected_rows),
        segments=segments_after(answer.segments_after) if answer.HasField("segments_after") else None,
    )


class Tracked(Stamped, Protocol):
    """The answer to events, and to a batch on a stream."""

    @property
    def accepted_rows(self) -> int: ...
    @property
    def created_profiles(self) -> int: ...
    @property
    def duplicate_events(self) -> int: ...
    @property
    def rejected_rows(self) -> Iterable[write_pb2.RejectedRow]: ...


def tracked(answer: Tracked) -> values.WriteReceipt:
    return values.WriteReceipt(
        version=answer.version,
        now=instant(answer.now),
        engine_us=answer.engine_us,
        accepted_rows=answer.accepted_rows,
        created_profiles=answer.created_profiles,
        duplicate_events=answer.duplicate_events,
        rejected_rows=rejected(answer.rejected_rows),
    )


def tracked_rows(answer: event_service_pb2.TrackEventsResponse) -> values.WriteReceipt:
    """Events sent by themselves, which may be answered with the segments they led to."""
    if not answer.HasField("segments_after"):
        return tracked(answer)
    return replace(tracked(answer), segments=segments_after(answer.segments_after))


def profile(found: profile_service_pb2.Profile) -> values.Profile:
    return values.Profile(
        key=found.key,
        id=found.id,
        attributes={name: cell(value) for name, value in found.attributes.items()},
        tags=frozenset(found.tags),
        channels=frozenset(found.channels),
        identifiers=tuple(values.Identifier(i.type, i.value) for i in found.identifiers),
        consents=tuple(
            values.ConsentAnswer(c.topic, c.subscribed, set_instant(c.time)) for c in found.consents
        ),
        events=tuple(
            values.EventSummary(e.event_name, e.count, instant(e.first_time), instant(e.last_time))
            for e in found.events
        ),
        segments=tuple(segment_id(name) for name in found.segments),
        is_known=found.is_known,
    )


KINDS = {
    segment_service_pb2.SEGMENT_KIND_DATA_DRIVEN: values.SegmentKind.DATA_DRIVEN,
    segment_service_pb2.SEGMENT_KIND_MANUAL: values.SegmentKind.MANUAL,
    segment_service_pb2.SEGMENT_KIND_DATA_DRIVEN_WITH_OVERRIDES: values.SegmentKind.DATA_DRIVEN_WITH_OVERRIDES,
}
STATES = {
    segment_service_pb2.SEGMENT_STATE_DRAFT: values.SegmentState.DRAFT,
    segment_service_pb2.SEGMENT_STATE_LIVE: values.SegmentState.LIVE,
    segment_service_pb2.SEGMENT_STATE_PAUSED: values.SegmentState.PAUSED,
    segment_service_pb2.SEGMENT_STATE_ARCHIVED: values.SegmentState.ARCHIVED,
}


def segment(found: segment_service_pb2.Segment) -> values.Segment:
    return values.Segment(
        id=segment_id(found.name),
        display_name=found.display_name,
        kind=KINDS.get(found.kind, values.SegmentKind.DATA_DRIVEN),
        state=STATES.get(found.state, values.SegmentState.LIVE),
        size=found.size,
        rule=found.rule.text,
        description=found.description,
        folder=found.folder,
        labels=tuple(found.labels),
        retention=span(found.retention) if found.HasField("retention") else None,
        retains_unknown_only=found.retains_unknown_only,
        is_legacy=found.is_legacy,
        etag=found.etag,
        create_time=set_instant(found.create_time),
        update_time=set_instant(found.update_time),
        references=tuple(segment_id(name) for name in found.references),
        dependents=tuple(segment_id(name) for name in found.dependents),
        warnings=warnings(found.warnings),
        version=found.version,
        source=found.source,
        legacy_reason=found.legacy_reason,
    )


TYPE_NAMES = {
    value_pb2.VALUE_TYPE_BOOL: "bool",
    value_pb2.VALUE_TYPE_INT: "int",
    value_pb2.VALUE_TYPE_FLOAT: "float",
    value_pb2.VALUE_TYPE_TEXT: "text",
    value_pb2.VALUE_TYPE_TEXT_SET: "set",
    value_pb2.VALUE_TYPE_INSTANT: "instant",
    value_pb2.VALUE_TYPE_DATE: "date",
    value_pb2.VALUE_TYPE_POINT: "point",
}


def type_name(kind: value_pb2.ValueType, digits: int) -> str:
    return f"decimal({digits})" if kind == value_pb2.VALUE_TYPE_DECIMAL else TYPE_NAMES.get(kind, "unknown")


def schema(found: schema_service_pb2.Schema) -> values.Schema:
    return values.Schema(
        version=found.version,
        now=instant(found.now),
        engine_us=found.engine_us,
        attributes={
            a.name: values.Property(
                a.name, type_name(a.type, a.digits), a.tracked, a.description, a.is_inferred, a.profile_count
            )
            for a in found.attributes
        },
        event_types={e.name: _event_type(e) for e in found.event_types},
        identifier_types=tuple(found.identifier_types),
        consent_topics={
            t.name: t.mode == schema_service_pb2.CONSENT_MODE_OPT_IN for t in found.consent_topics
        },
        tags=tuple(found.tags),
        channels=tuple(found.channels),
    )


def _event_type(found: schema_service_pb2.EventType) -> values.EventType:
    return values.EventType(
        found.name,
        tuple(
            values.Property(
                p.name, type_name(p.type, p.digits), description=p.description, is_inferred=p.is_inferred
            )
            for p in found.properties
        ),
        span(found.retention) if found.HasField("retention") else None,
        found.description,
        found.is_inferred,
        found.event_count,
        found.profile_count,
    )


SERVING = {
    admin_service_pb2.SERVING_STATE_LOADING: values.ServingState.LOADING,
    admin_service_pb2.SERVING_STATE_SERVING: values.ServingState.SERVING,
    admin_service_pb2.SERVING_STATE_READ_ONLY: values.ServingState.READ_ONLY,
    admin_service_pb2.SERVING_STATE_DRAINING: values.ServingState.DRAINING,
}


def checkpoint(found: admin_service_pb2.CheckpointResponse) -> values.Checkpoint:
    return values.Checkpoint(
        version=found.version,
        now=instant(found.now),
        engine_us=found.engine_us,
        checkpoint_version=found.checkpoint_version,
        size_bytes=found.bytes,
    )


def status(found: admin_service_pb2.ServerStatus) -> values.Status:
    return values.Status(
        version=found.version,
        now=instant(found.now),
        engine_us=found.engine_us,
        state=SERVING.get(found.state, values.ServingState.SERVING),
        profiles=found.profiles,
        events=found.events,
        segments=found.segments,
        attributes=found.attributes,
        event_types=found.event_types,
        memory={use.room: use.bytes for use in found.memory},
        latencies=tuple(
            values.MethodLatency(m.method, m.calls, m.errors, m.p50_us, m.p99_us, m.max_us)
            for m in found.latencies
        ),
        durable_version=found.durability.durable_version,
        checkpoint_version=found.durability.checkpoint_version,
        checkpoint_time=set_instant(found.durability.checkpoint_time),
        log_bytes=found.durability.log_bytes,
        is_stored=found.HasField("durability"),
        store_failure=found.durability.failure,
        checkpoint_failure=found.durability.checkpoint_failure,
        deduplication_horizon=set_instant(found.deduplication.horizon_time),
        start_time=set_instant(found.start_time),
        release=found.release,
        semantics_number=found.semantics_number,
        tzdata_release=found.tzdata_release,
        unicode_release=found.unicode_release,
    )
