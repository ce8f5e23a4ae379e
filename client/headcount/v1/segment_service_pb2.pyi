import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import profile_service_pb2 as _profile_service_pb2
from headcount.v1 import rule_pb2 as _rule_pb2
from headcount.v1 import value_pb2 as _value_pb2
from headcount.v1 import window_pb2 as _window_pb2
from headcount.v1 import write_pb2 as _write_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SegmentKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_KIND_UNSPECIFIED: _ClassVar[SegmentKind]
    SEGMENT_KIND_DATA_DRIVEN: _ClassVar[SegmentKind]
    SEGMENT_KIND_MANUAL: _ClassVar[SegmentKind]
    SEGMENT_KIND_DATA_DRIVEN_WITH_OVERRIDES: _ClassVar[SegmentKind]

class SegmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_STATE_UNSPECIFIED: _ClassVar[SegmentState]
    SEGMENT_STATE_DRAFT: _ClassVar[SegmentState]
    SEGMENT_STATE_LIVE: _ClassVar[SegmentState]
    SEGMENT_STATE_PAUSED: _ClassVar[SegmentState]
    SEGMENT_STATE_ARCHIVED: _ClassVar[SegmentState]

class ImportMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORT_MODE_UNSPECIFIED: _ClassVar[ImportMode]
    IMPORT_MODE_APPEND: _ClassVar[ImportMode]
    IMPORT_MODE_REPLACE: _ClassVar[ImportMode]
    IMPORT_MODE_REMOVE: _ClassVar[ImportMode]

class RuleElementCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_ELEMENT_CATEGORY_UNSPECIFIED: _ClassVar[RuleElementCategory]
    RULE_ELEMENT_CATEGORY_ATTRIBUTE: _ClassVar[RuleElementCategory]
    RULE_ELEMENT_CATEGORY_EVENT: _ClassVar[RuleElementCategory]
    RULE_ELEMENT_CATEGORY_EVENT_PROPERTY: _ClassVar[RuleElementCategory]
    RULE_ELEMENT_CATEGORY_TAG: _ClassVar[RuleElementCategory]
    RULE_ELEMENT_CATEGORY_CHANNEL: _ClassVar[RuleElementCategory]
    RULE_ELEMENT_CATEGORY_CONSENT_TOPIC: _ClassVar[RuleElementCategory]
    RULE_ELEMENT_CATEGORY_SEGMENT: _ClassVar[RuleElementCategory]
    RULE_ELEMENT_CATEGORY_PROFILE: _ClassVar[RuleElementCategory]
SEGMENT_KIND_UNSPECIFIED: SegmentKind
SEGMENT_KIND_DATA_DRIVEN: SegmentKind
SEGMENT_KIND_MANUAL: SegmentKind
SEGMENT_KIND_DATA_DRIVEN_WITH_OVERRIDES: SegmentKind
SEGMENT_STATE_UNSPECIFIED: SegmentState
SEGMENT_STATE_DRAFT: SegmentState
SEGMENT_STATE_LIVE: SegmentState
SEGMENT_STATE_PAUSED: SegmentState
SEGMENT_STATE_ARCHIVED: SegmentState
IMPORT_MODE_UNSPECIFIED: ImportMode
IMPORT_MODE_APPEND: ImportMode
IMPORT_MODE_REPLACE: ImportMode
IMPORT_MODE_REMOVE: ImportMode
RULE_ELEMENT_CATEGORY_UNSPECIFIED: RuleElementCategory
RULE_ELEMENT_CATEGORY_ATTRIBUTE: RuleElementCategory
RULE_ELEMENT_CATEGORY_EVENT: RuleElementCategory
RULE_ELEMENT_CATEGORY_EVENT_PROPERTY: RuleElementCategory
RULE_ELEMENT_CATEGORY_TAG: RuleElementCategory
RULE_ELEMENT_CATEGORY_CHANNEL: RuleElementCategory
RULE_ELEMENT_CATEGORY_CONSENT_TOPIC: RuleElementCategory
RULE_ELEMENT_CATEGORY_SEGMENT: RuleElementCategory
RULE_ELEMENT_CATEGORY_PROFILE: RuleElementCategory

class Segment(_message.Message):
    __slots__ = ("version", "now", "engine_us", "name", "display_name", "description", "kind", "state", "rule", "folder", "labels", "retention", "retains_unknown_only", "size", "is_legacy", "etag", "create_time", "update_time", "references", "dependents", "warnings", "source", "legacy_reason")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    RETAINS_UNKNOWN_ONLY_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    IS_LEGACY_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    DEPENDENTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    LEGACY_REASON_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    name: str
    display_name: str
    description: str
    kind: SegmentKind
    state: SegmentState
    rule: _rule_pb2.Rule
    folder: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    retention: _duration_pb2.Duration
    retains_unknown_only: bool
    size: int
    is_legacy: bool
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    references: _containers.RepeatedScalarFieldContainer[str]
    dependents: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    source: str
    legacy_reason: str
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., name: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., kind: _Optional[_Union[SegmentKind, str]] = ..., state: _Optional[_Union[SegmentState, str]] = ..., rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., folder: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., retention: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., retains_unknown_only: bool = ..., size: _Optional[int] = ..., is_legacy: bool = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., references: _Optional[_Iterable[str]] = ..., dependents: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ..., source: _Optional[str] = ..., legacy_reason: _Optional[str] = ...) -> None: ...

class CreateSegmentRequest(_message.Message):
    __slots__ = ("segment_id", "segment", "validate_only", "request_id", "holding")
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    HOLDING_FIELD_NUMBER: _ClassVar[int]
    segment_id: str
    segment: Segment
    validate_only: bool
    request_id: str
    holding: _rule_pb2.Rule
    def __init__(self, segment_id: _Optional[str] = ..., segment: _Optional[_Union[Segment, _Mapping]] = ..., validate_only: bool = ..., request_id: _Optional[str] = ..., holding: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ...) -> None: ...

class GetSegmentRequest(_message.Message):
    __slots__ = ("name", "min_version", "min_now")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    name: str
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListSegmentsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "folder", "label", "kind", "text", "order_by", "include_archived", "min_version", "min_now", "states")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ORDER_BY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    folder: str
    label: str
    kind: SegmentKind
    text: str
    order_by: str
    include_archived: bool
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    states: _containers.RepeatedScalarFieldContainer[SegmentState]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., folder: _Optional[str] = ..., label: _Optional[str] = ..., kind: _Optional[_Union[SegmentKind, str]] = ..., text: _Optional[str] = ..., order_by: _Optional[str] = ..., include_archived: bool = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., states: _Optional[_Iterable[_Union[SegmentState, str]]] = ...) -> None: ...

class ListSegmentsResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "segments", "next_page_token", "total_size")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    next_page_token: str
    total_size: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., segments: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class UpdateSegmentRequest(_message.Message):
    __slots__ = ("segment", "update_mask", "validate_only", "request_id")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    segment: Segment
    update_mask: _field_mask_pb2.FieldMask
    validate_only: bool
    request_id: str
    def __init__(self, segment: _Optional[_Union[Segment, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., validate_only: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteSegmentRequest(_message.Message):
    __slots__ = ("name", "etag", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteSegmentResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ...) -> None: ...

class DuplicateSegmentRequest(_message.Message):
    __slots__ = ("name", "segment_id", "display_name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    segment_id: str
    display_name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., segment_id: _Optional[str] = ..., display_name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class AddMembersRequest(_message.Message):
    __slots__ = ("name", "keys", "identifiers", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    identifiers: _containers.RepeatedCompositeFieldContainer[_value_pb2.Identifier]
    request_id: str
    def __init__(self, name: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ..., identifiers: _Optional[_Iterable[_Union[_value_pb2.Identifier, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class AddMembersResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "joined", "size", "rejected_rows")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    joined: int
    size: int
    rejected_rows: _containers.RepeatedCompositeFieldContainer[_write_pb2.RejectedRow]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., joined: _Optional[int] = ..., size: _Optional[int] = ..., rejected_rows: _Optional[_Iterable[_Union[_write_pb2.RejectedRow, _Mapping]]] = ...) -> None: ...

class RemoveMembersRequest(_message.Message):
    __slots__ = ("name", "keys", "identifiers", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    identifiers: _containers.RepeatedCompositeFieldContainer[_value_pb2.Identifier]
    request_id: str
    def __init__(self, name: _Optional[str] = ..., keys: _Optional[_Iterable[str]] = ..., identifiers: _Optional[_Iterable[_Union[_value_pb2.Identifier, _Mapping]]] = ..., request_id: _Optional[str] = ...) -> None: ...

class RemoveMembersResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "left", "size", "rejected_rows")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    left: int
    size: int
    rejected_rows: _containers.RepeatedCompositeFieldContainer[_write_pb2.RejectedRow]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., left: _Optional[int] = ..., size: _Optional[int] = ..., rejected_rows: _Optional[_Iterable[_Union[_write_pb2.RejectedRow, _Mapping]]] = ...) -> None: ...

class ImportMembersRequest(_message.Message):
    __slots__ = ("options", "chunk")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    options: ImportMembersOptions
    chunk: bytes
    def __init__(self, options: _Optional[_Union[ImportMembersOptions, _Mapping]] = ..., chunk: _Optional[bytes] = ...) -> None: ...

class ImportMembersOptions(_message.Message):
    __slots__ = ("name", "mode", "column", "identifier_type", "delimiter", "has_no_header", "request_id", "has_header", "allow_empty")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    COLUMN_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_TYPE_FIELD_NUMBER: _ClassVar[int]
    DELIMITER_FIELD_NUMBER: _ClassVar[int]
    HAS_NO_HEADER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    HAS_HEADER_FIELD_NUMBER: _ClassVar[int]
    ALLOW_EMPTY_FIELD_NUMBER: _ClassVar[int]
    name: str
    mode: ImportMode
    column: str
    identifier_type: str
    delimiter: str
    has_no_header: bool
    request_id: str
    has_header: bool
    allow_empty: bool
    def __init__(self, name: _Optional[str] = ..., mode: _Optional[_Union[ImportMode, str]] = ..., column: _Optional[str] = ..., identifier_type: _Optional[str] = ..., delimiter: _Optional[str] = ..., has_no_header: bool = ..., request_id: _Optional[str] = ..., has_header: bool = ..., allow_empty: bool = ...) -> None: ...

class ImportMembersResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "rows", "joined", "left", "size", "rejected_rows", "rejected_row_count", "unknown_count", "duplicate_count", "malformed_count", "has_header")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_COUNT_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MALFORMED_COUNT_FIELD_NUMBER: _ClassVar[int]
    HAS_HEADER_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    rows: int
    joined: int
    left: int
    size: int
    rejected_rows: _containers.RepeatedCompositeFieldContainer[_write_pb2.RejectedRow]
    rejected_row_count: int
    unknown_count: int
    duplicate_count: int
    malformed_count: int
    has_header: bool
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., rows: _Optional[int] = ..., joined: _Optional[int] = ..., left: _Optional[int] = ..., size: _Optional[int] = ..., rejected_rows: _Optional[_Iterable[_Union[_write_pb2.RejectedRow, _Mapping]]] = ..., rejected_row_count: _Optional[int] = ..., unknown_count: _Optional[int] = ..., duplicate_count: _Optional[int] = ..., malformed_count: _Optional[int] = ..., has_header: bool = ...) -> None: ...

class GetStatisticsRequest(_message.Message):
    __slots__ = ("name", "start_time", "end_time", "interval", "breakdowns", "overlap_with", "min_version", "min_now", "member_count", "member_attributes")
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    BREAKDOWNS_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_WITH_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    MEMBER_COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBER_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    name: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    interval: _duration_pb2.Duration
    breakdowns: _containers.RepeatedCompositeFieldContainer[BreakdownBy]
    overlap_with: _containers.RepeatedScalarFieldContainer[str]
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    member_count: int
    member_attributes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., breakdowns: _Optional[_Iterable[_Union[BreakdownBy, _Mapping]]] = ..., overlap_with: _Optional[_Iterable[str]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., member_count: _Optional[int] = ..., member_attributes: _Optional[_Iterable[str]] = ...) -> None: ...

class BreakdownBy(_message.Message):
    __slots__ = ("attribute", "event_name", "tags", "channels", "segments", "events", "limit", "bins")
    ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    EVENT_NAME_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    attribute: str
    event_name: str
    tags: bool
    channels: bool
    segments: bool
    events: bool
    limit: int
    bins: BreakdownBins
    def __init__(self, attribute: _Optional[str] = ..., event_name: _Optional[str] = ..., tags: bool = ..., channels: bool = ..., segments: bool = ..., events: bool = ..., limit: _Optional[int] = ..., bins: _Optional[_Union[BreakdownBins, _Mapping]] = ...) -> None: ...

class BreakdownBins(_message.Message):
    __slots__ = ("equal_width", "quantiles", "edges", "steps", "each_value")
    EQUAL_WIDTH_FIELD_NUMBER: _ClassVar[int]
    QUANTILES_FIELD_NUMBER: _ClassVar[int]
    EDGES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    EACH_VALUE_FIELD_NUMBER: _ClassVar[int]
    equal_width: int
    quantiles: int
    edges: BreakdownEdges
    steps: BreakdownSteps
    each_value: bool
    def __init__(self, equal_width: _Optional[int] = ..., quantiles: _Optional[int] = ..., edges: _Optional[_Union[BreakdownEdges, _Mapping]] = ..., steps: _Optional[_Union[BreakdownSteps, _Mapping]] = ..., each_value: bool = ...) -> None: ...

class BreakdownEdges(_message.Message):
    __slots__ = ("values",)
    VALUES_FIELD_NUMBER: _ClassVar[int]
    values: _containers.RepeatedCompositeFieldContainer[_value_pb2.Value]
    def __init__(self, values: _Optional[_Iterable[_Union[_value_pb2.Value, _Mapping]]] = ...) -> None: ...

class BreakdownSteps(_message.Message):
    __slots__ = ("unit", "zone")
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    unit: _window_pb2.CalendarUnit
    zone: str
    def __init__(self, unit: _Optional[_Union[_window_pb2.CalendarUnit, str]] = ..., zone: _Optional[str] = ...) -> None: ...

class SegmentStatistics(_message.Message):
    __slots__ = ("version", "now", "engine_us", "size", "history", "breakdowns", "overlaps", "total", "warnings", "members")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    BREAKDOWNS_FIELD_NUMBER: _ClassVar[int]
    OVERLAPS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    size: int
    history: _containers.RepeatedCompositeFieldContainer[SizePoint]
    breakdowns: _containers.RepeatedCompositeFieldContainer[Breakdown]
    overlaps: _containers.RepeatedCompositeFieldContainer[SegmentOverlap]
    total: int
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    members: _containers.RepeatedCompositeFieldContainer[_profile_service_pb2.Profile]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., size: _Optional[int] = ..., history: _Optional[_Iterable[_Union[SizePoint, _Mapping]]] = ..., breakdowns: _Optional[_Iterable[_Union[Breakdown, _Mapping]]] = ..., overlaps: _Optional[_Iterable[_Union[SegmentOverlap, _Mapping]]] = ..., total: _Optional[int] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ..., members: _Optional[_Iterable[_Union[_profile_service_pb2.Profile, _Mapping]]] = ...) -> None: ...

class SizePoint(_message.Message):
    __slots__ = ("start_time", "size", "joined", "left")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    start_time: _timestamp_pb2.Timestamp
    size: int
    joined: int
    left: int
    def __init__(self, start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., size: _Optional[int] = ..., joined: _Optional[int] = ..., left: _Optional[int] = ...) -> None: ...

class Breakdown(_message.Message):
    __slots__ = ("by", "groups", "other_count", "absent_count", "total_other_count", "total_absent_count")
    BY_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    OTHER_COUNT_FIELD_NUMBER: _ClassVar[int]
    ABSENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_OTHER_COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ABSENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    by: BreakdownBy
    groups: _containers.RepeatedCompositeFieldContainer[BreakdownGroup]
    other_count: int
    absent_count: int
    total_other_count: int
    total_absent_count: int
    def __init__(self, by: _Optional[_Union[BreakdownBy, _Mapping]] = ..., groups: _Optional[_Iterable[_Union[BreakdownGroup, _Mapping]]] = ..., other_count: _Optional[int] = ..., absent_count: _Optional[int] = ..., total_other_count: _Optional[int] = ..., total_absent_count: _Optional[int] = ...) -> None: ...

class BreakdownGroup(_message.Message):
    __slots__ = ("value", "upper_value", "count", "total_count", "is_range")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UPPER_VALUE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    IS_RANGE_FIELD_NUMBER: _ClassVar[int]
    value: _value_pb2.Value
    upper_value: _value_pb2.Value
    count: int
    total_count: int
    is_range: bool
    def __init__(self, value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ..., upper_value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ..., count: _Optional[int] = ..., total_count: _Optional[int] = ..., is_range: bool = ...) -> None: ...

class SegmentOverlap(_message.Message):
    __slots__ = ("segment", "size", "intersection")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    INTERSECTION_FIELD_NUMBER: _ClassVar[int]
    segment: str
    size: int
    intersection: int
    def __init__(self, segment: _Optional[str] = ..., size: _Optional[int] = ..., intersection: _Optional[int] = ...) -> None: ...

class ListTemplatesRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "category", "arguments")
    class ArgumentsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    category: str
    arguments: _containers.ScalarMap[str, str]
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., category: _Optional[str] = ..., arguments: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ListTemplatesResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "templates", "next_page_token")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    templates: _containers.RepeatedCompositeFieldContainer[SegmentTemplate]
    next_page_token: str
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., templates: _Optional[_Iterable[_Union[SegmentTemplate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SegmentTemplate(_message.Message):
    __slots__ = ("name", "display_name", "description", "category", "rule_text", "parameters", "choices")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    RULE_TEXT_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    description: str
    category: str
    rule_text: str
    parameters: _containers.RepeatedScalarFieldContainer[str]
    choices: _containers.RepeatedCompositeFieldContainer[TemplateParameter]
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., category: _Optional[str] = ..., rule_text: _Optional[str] = ..., parameters: _Optional[_Iterable[str]] = ..., choices: _Optional[_Iterable[_Union[TemplateParameter, _Mapping]]] = ...) -> None: ...

class TemplateParameter(_message.Message):
    __slots__ = ("name", "description", "value", "candidates")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    value: str
    candidates: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., value: _Optional[str] = ..., candidates: _Optional[_Iterable[str]] = ...) -> None: ...

class ListRuleElementsRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "category", "text")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    category: RuleElementCategory
    text: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., category: _Optional[_Union[RuleElementCategory, str]] = ..., text: _Optional[str] = ...) -> None: ...

class ListRuleElementsResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "elements", "next_page_token")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    elements: _containers.RepeatedCompositeFieldContainer[RuleElement]
    next_page_token: str
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., elements: _Optional[_Iterable[_Union[RuleElement, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RuleElement(_message.Message):
    __slots__ = ("category", "name", "description", "type", "operators", "sample_values", "example", "profile_count")
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    OPERATORS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_VALUES_FIELD_NUMBER: _ClassVar[int]
    EXAMPLE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_COUNT_FIELD_NUMBER: _ClassVar[int]
    category: RuleElementCategory
    name: str
    description: str
    type: _value_pb2.ValueType
    operators: _containers.RepeatedScalarFieldContainer[str]
    sample_values: _containers.RepeatedCompositeFieldContainer[_value_pb2.Value]
    example: str
    profile_count: int
    def __init__(self, category: _Optional[_Union[RuleElementCategory, str]] = ..., name: _Optional[str] = ..., description: _Optional[str] = ..., type: _Optional[_Union[_value_pb2.ValueType, str]] = ..., operators: _Optional[_Iterable[str]] = ..., sample_values: _Optional[_Iterable[_Union[_value_pb2.Value, _Mapping]]] = ..., example: _Optional[str] = ..., profile_count: _Optional[int] = ...) -> None: ...
