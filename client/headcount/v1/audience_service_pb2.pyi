import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import column_pb2 as _column_pb2
from headcount.v1 import condition_pb2 as _condition_pb2
from headcount.v1 import profile_service_pb2 as _profile_service_pb2
from headcount.v1 import rule_pb2 as _rule_pb2
from headcount.v1 import segment_service_pb2 as _segment_service_pb2
from headcount.v1 import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StageKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STAGE_KIND_UNSPECIFIED: _ClassVar[StageKind]
    STAGE_KIND_INCLUDE: _ClassVar[StageKind]
    STAGE_KIND_EXCLUDE: _ClassVar[StageKind]
    STAGE_KIND_CHANNEL: _ClassVar[StageKind]
    STAGE_KIND_CONSENT: _ClassVar[StageKind]
    STAGE_KIND_SUPPRESSION: _ClassVar[StageKind]
    STAGE_KIND_FREQUENCY_CAP: _ClassVar[StageKind]
    STAGE_KIND_HOLDOUT: _ClassVar[StageKind]
    STAGE_KIND_LIMIT: _ClassVar[StageKind]
    STAGE_KIND_KNOWN: _ClassVar[StageKind]

class MemberForm(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBER_FORM_UNSPECIFIED: _ClassVar[MemberForm]
    MEMBER_FORM_IDS: _ClassVar[MemberForm]
    MEMBER_FORM_KEYS: _ClassVar[MemberForm]
    MEMBER_FORM_ROARING: _ClassVar[MemberForm]

class RuleRelation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_RELATION_UNSPECIFIED: _ClassVar[RuleRelation]
    RULE_RELATION_EQUAL: _ClassVar[RuleRelation]
    RULE_RELATION_CONTAINS: _ClassVar[RuleRelation]
    RULE_RELATION_CONTAINED: _ClassVar[RuleRelation]
    RULE_RELATION_DISJOINT: _ClassVar[RuleRelation]
    RULE_RELATION_OVERLAPPING: _ClassVar[RuleRelation]

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_CSV: _ClassVar[ExportFormat]
    EXPORT_FORMAT_PARQUET: _ClassVar[ExportFormat]
    EXPORT_FORMAT_JSON_LINES: _ClassVar[ExportFormat]
STAGE_KIND_UNSPECIFIED: StageKind
STAGE_KIND_INCLUDE: StageKind
STAGE_KIND_EXCLUDE: StageKind
STAGE_KIND_CHANNEL: StageKind
STAGE_KIND_CONSENT: StageKind
STAGE_KIND_SUPPRESSION: StageKind
STAGE_KIND_FREQUENCY_CAP: StageKind
STAGE_KIND_HOLDOUT: StageKind
STAGE_KIND_LIMIT: StageKind
STAGE_KIND_KNOWN: StageKind
MEMBER_FORM_UNSPECIFIED: MemberForm
MEMBER_FORM_IDS: MemberForm
MEMBER_FORM_KEYS: MemberForm
MEMBER_FORM_ROARING: MemberForm
RULE_RELATION_UNSPECIFIED: RuleRelation
RULE_RELATION_EQUAL: RuleRelation
RULE_RELATION_CONTAINS: RuleRelation
RULE_RELATION_CONTAINED: RuleRelation
RULE_RELATION_DISJOINT: RuleRelation
RULE_RELATION_OVERLAPPING: RuleRelation
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_CSV: ExportFormat
EXPORT_FORMAT_PARQUET: ExportFormat
EXPORT_FORMAT_JSON_LINES: ExportFormat

class CountAudienceRequest(_message.Message):
    __slots__ = ("rule", "at", "min_version", "min_now", "include_node_sizes", "context")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    RULE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_NODE_SIZES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    include_node_sizes: bool
    context: _containers.MessageMap[str, _value_pb2.Value]
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., include_node_sizes: bool = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ...) -> None: ...

class CountAudienceResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "count", "total", "node_sizes", "warnings")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NODE_SIZES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    count: int
    total: int
    node_sizes: _containers.RepeatedCompositeFieldContainer[_rule_pb2.NodeSize]
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., count: _Optional[int] = ..., total: _Optional[int] = ..., node_sizes: _Optional[_Iterable[_Union[_rule_pb2.NodeSize, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ...) -> None: ...

class CheckMembershipRequest(_message.Message):
    __slots__ = ("key", "segments", "rules", "at", "min_version", "min_now", "context")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    key: str
    segments: _containers.RepeatedScalarFieldContainer[str]
    rules: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Rule]
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    context: _containers.MessageMap[str, _value_pb2.Value]
    def __init__(self, key: _Optional[str] = ..., segments: _Optional[_Iterable[str]] = ..., rules: _Optional[_Iterable[_Union[_rule_pb2.Rule, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ...) -> None: ...

class CheckMembershipResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "member_bits", "exists")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    MEMBER_BITS_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    member_bits: bytes
    exists: bool
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., member_bits: _Optional[bytes] = ..., exists: bool = ...) -> None: ...

class BatchCheckMembershipRequest(_message.Message):
    __slots__ = ("keys", "ids", "segments", "rules", "at", "min_version", "min_now", "context")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    KEYS_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    ids: _containers.RepeatedScalarFieldContainer[int]
    segments: _containers.RepeatedScalarFieldContainer[str]
    rules: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Rule]
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    context: _containers.MessageMap[str, _value_pb2.Value]
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., ids: _Optional[_Iterable[int]] = ..., segments: _Optional[_Iterable[str]] = ..., rules: _Optional[_Iterable[_Union[_rule_pb2.Rule, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ...) -> None: ...

class BatchCheckMembershipResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "member_bits", "exists_bits")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    MEMBER_BITS_FIELD_NUMBER: _ClassVar[int]
    EXISTS_BITS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    member_bits: bytes
    exists_bits: bytes
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., member_bits: _Optional[bytes] = ..., exists_bits: _Optional[bytes] = ...) -> None: ...

class StreamCheckMembershipRequest(_message.Message):
    __slots__ = ("check_number", "check")
    CHECK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHECK_FIELD_NUMBER: _ClassVar[int]
    check_number: int
    check: BatchCheckMembershipRequest
    def __init__(self, check_number: _Optional[int] = ..., check: _Optional[_Union[BatchCheckMembershipRequest, _Mapping]] = ...) -> None: ...

class StreamCheckMembershipResponse(_message.Message):
    __slots__ = ("check_number", "answer")
    CHECK_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    check_number: int
    answer: BatchCheckMembershipResponse
    def __init__(self, check_number: _Optional[int] = ..., answer: _Optional[_Union[BatchCheckMembershipResponse, _Mapping]] = ...) -> None: ...

class ListMembershipsRequest(_message.Message):
    __slots__ = ("key", "identifier", "min_version", "min_now")
    KEY_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    key: str
    identifier: _value_pb2.Identifier
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, key: _Optional[str] = ..., identifier: _Optional[_Union[_value_pb2.Identifier, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListMembershipsResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "segments")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    segments: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., segments: _Optional[_Iterable[str]] = ...) -> None: ...

class CreateAudienceRequest(_message.Message):
    __slots__ = ("includes", "excludes", "topic", "channel", "suppressions", "frequency_cap", "holdout", "limit", "limit_order", "known_only", "time_to_live", "at", "min_version", "min_now", "request_id", "validate_only", "unknown_only")
    INCLUDES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDES_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    SUPPRESSIONS_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_CAP_FIELD_NUMBER: _ClassVar[int]
    HOLDOUT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_ORDER_FIELD_NUMBER: _ClassVar[int]
    KNOWN_ONLY_FIELD_NUMBER: _ClassVar[int]
    TIME_TO_LIVE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_ONLY_FIELD_NUMBER: _ClassVar[int]
    includes: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Rule]
    excludes: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Rule]
    topic: str
    channel: str
    suppressions: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Rule]
    frequency_cap: FrequencyCap
    holdout: Holdout
    limit: int
    limit_order: LimitOrder
    known_only: bool
    time_to_live: _duration_pb2.Duration
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    request_id: str
    validate_only: bool
    unknown_only: bool
    def __init__(self, includes: _Optional[_Iterable[_Union[_rule_pb2.Rule, _Mapping]]] = ..., excludes: _Optional[_Iterable[_Union[_rule_pb2.Rule, _Mapping]]] = ..., topic: _Optional[str] = ..., channel: _Optional[str] = ..., suppressions: _Optional[_Iterable[_Union[_rule_pb2.Rule, _Mapping]]] = ..., frequency_cap: _Optional[_Union[FrequencyCap, _Mapping]] = ..., holdout: _Optional[_Union[Holdout, _Mapping]] = ..., limit: _Optional[int] = ..., limit_order: _Optional[_Union[LimitOrder, _Mapping]] = ..., known_only: bool = ..., time_to_live: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., request_id: _Optional[str] = ..., validate_only: bool = ..., unknown_only: bool = ...) -> None: ...

class FrequencyCap(_message.Message):
    __slots__ = ("event_name", "max_count", "window")
    EVENT_NAME_FIELD_NUMBER: _ClassVar[int]
    MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    event_name: str
    max_count: int
    window: _duration_pb2.Duration
    def __init__(self, event_name: _Optional[str] = ..., max_count: _Optional[int] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Holdout(_message.Message):
    __slots__ = ("fraction", "salt")
    FRACTION_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    fraction: float
    salt: str
    def __init__(self, fraction: _Optional[float] = ..., salt: _Optional[str] = ...) -> None: ...

class LimitOrder(_message.Message):
    __slots__ = ("sample_salt", "highest_attribute", "lowest_attribute")
    SAMPLE_SALT_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    LOWEST_ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
    sample_salt: str
    highest_attribute: str
    lowest_attribute: str
    def __init__(self, sample_salt: _Optional[str] = ..., highest_attribute: _Optional[str] = ..., lowest_attribute: _Optional[str] = ...) -> None: ...

class Audience(_message.Message):
    __slots__ = ("version", "now", "engine_us", "name", "size", "total", "waterfall", "expire_time", "warnings")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    WATERFALL_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    name: str
    size: int
    total: int
    waterfall: _containers.RepeatedCompositeFieldContainer[WaterfallStage]
    expire_time: _timestamp_pb2.Timestamp
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., name: _Optional[str] = ..., size: _Optional[int] = ..., total: _Optional[int] = ..., waterfall: _Optional[_Iterable[_Union[WaterfallStage, _Mapping]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ...) -> None: ...

class WaterfallStage(_message.Message):
    __slots__ = ("kind", "text", "remaining", "changed", "unique_contribution")
    KIND_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_CONTRIBUTION_FIELD_NUMBER: _ClassVar[int]
    kind: StageKind
    text: str
    remaining: int
    changed: int
    unique_contribution: int
    def __init__(self, kind: _Optional[_Union[StageKind, str]] = ..., text: _Optional[str] = ..., remaining: _Optional[int] = ..., changed: _Optional[int] = ..., unique_contribution: _Optional[int] = ...) -> None: ...

class ReadAudienceRequest(_message.Message):
    __slots__ = ("name", "form", "offset", "chunk_size")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    CHUNK_SIZE_FIELD_NUMBER: _ClassVar[int]
    name: str
    form: MemberForm
    offset: int
    chunk_size: int
    def __init__(self, name: _Optional[str] = ..., form: _Optional[_Union[MemberForm, str]] = ..., offset: _Optional[int] = ..., chunk_size: _Optional[int] = ...) -> None: ...

class ReadAudienceResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "offset", "next_offset", "size", "ids", "keys", "roaring")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    NEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    IDS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    ROARING_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    offset: int
    next_offset: int
    size: int
    ids: _containers.RepeatedScalarFieldContainer[int]
    keys: _column_pb2.TextColumn
    roaring: bytes
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., offset: _Optional[int] = ..., next_offset: _Optional[int] = ..., size: _Optional[int] = ..., ids: _Optional[_Iterable[int]] = ..., keys: _Optional[_Union[_column_pb2.TextColumn, _Mapping]] = ..., roaring: _Optional[bytes] = ...) -> None: ...

class KeepAudienceRequest(_message.Message):
    __slots__ = ("name", "segment_id", "display_name", "description", "folder", "labels", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FOLDER_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    segment_id: str
    display_name: str
    description: str
    folder: str
    labels: _containers.RepeatedScalarFieldContainer[str]
    request_id: str
    def __init__(self, name: _Optional[str] = ..., segment_id: _Optional[str] = ..., display_name: _Optional[str] = ..., description: _Optional[str] = ..., folder: _Optional[str] = ..., labels: _Optional[_Iterable[str]] = ..., request_id: _Optional[str] = ...) -> None: ...

class DeleteAudienceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteAudienceResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ...) -> None: ...

class PreviewAudienceRequest(_message.Message):
    __slots__ = ("rule", "audience", "attributes", "page_size", "page_token", "sample_salt", "at", "min_version", "min_now")
    RULE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SALT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    audience: str
    attributes: _containers.RepeatedScalarFieldContainer[str]
    page_size: int
    page_token: str
    sample_salt: str
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., audience: _Optional[str] = ..., attributes: _Optional[_Iterable[str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., sample_salt: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PreviewAudienceResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "profiles", "next_page_token", "total_size")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    profiles: _containers.RepeatedCompositeFieldContainer[_profile_service_pb2.Profile]
    next_page_token: str
    total_size: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., profiles: _Optional[_Iterable[_Union[_profile_service_pb2.Profile, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class ExplainMembershipRequest(_message.Message):
    __slots__ = ("key", "rule", "at", "min_version", "min_now", "context")
    class ContextEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    key: str
    rule: _rule_pb2.Rule
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    context: _containers.MessageMap[str, _value_pb2.Value]
    def __init__(self, key: _Optional[str] = ..., rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., context: _Optional[_Mapping[str, _value_pb2.Value]] = ...) -> None: ...

class ExplainMembershipResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "is_member", "exists", "nodes", "next_change_time", "warnings", "decisive_leaves", "is_next_change_unknown")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    IS_MEMBER_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    NODES_FIELD_NUMBER: _ClassVar[int]
    NEXT_CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    DECISIVE_LEAVES_FIELD_NUMBER: _ClassVar[int]
    IS_NEXT_CHANGE_UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    is_member: bool
    exists: bool
    nodes: _containers.RepeatedCompositeFieldContainer[NodeExplanation]
    next_change_time: _timestamp_pb2.Timestamp
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    decisive_leaves: _containers.RepeatedScalarFieldContainer[str]
    is_next_change_unknown: bool
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., is_member: bool = ..., exists: bool = ..., nodes: _Optional[_Iterable[_Union[NodeExplanation, _Mapping]]] = ..., next_change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ..., decisive_leaves: _Optional[_Iterable[str]] = ..., is_next_change_unknown: bool = ...) -> None: ...

class NodeExplanation(_message.Message):
    __slots__ = ("path", "text", "holds", "found", "next_change_time", "actual")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    NEXT_CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    ACTUAL_FIELD_NUMBER: _ClassVar[int]
    path: str
    text: str
    holds: bool
    found: str
    next_change_time: _timestamp_pb2.Timestamp
    actual: _value_pb2.Value
    def __init__(self, path: _Optional[str] = ..., text: _Optional[str] = ..., holds: bool = ..., found: _Optional[str] = ..., next_change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actual: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...

class CompareRulesRequest(_message.Message):
    __slots__ = ("before", "after", "breakdowns", "sample_size", "at", "min_version", "min_now")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BREAKDOWNS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_SIZE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    before: _rule_pb2.Rule
    after: _rule_pb2.Rule
    breakdowns: _containers.RepeatedCompositeFieldContainer[_segment_service_pb2.BreakdownBy]
    sample_size: int
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, before: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., after: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., breakdowns: _Optional[_Iterable[_Union[_segment_service_pb2.BreakdownBy, _Mapping]]] = ..., sample_size: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CompareRulesResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "before_size", "after_size", "joined", "left", "joined_keys", "left_keys", "joined_breakdowns", "left_breakdowns", "warnings", "relation", "proved_relation")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    BEFORE_SIZE_FIELD_NUMBER: _ClassVar[int]
    AFTER_SIZE_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LEFT_FIELD_NUMBER: _ClassVar[int]
    JOINED_KEYS_FIELD_NUMBER: _ClassVar[int]
    LEFT_KEYS_FIELD_NUMBER: _ClassVar[int]
    JOINED_BREAKDOWNS_FIELD_NUMBER: _ClassVar[int]
    LEFT_BREAKDOWNS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    PROVED_RELATION_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    before_size: int
    after_size: int
    joined: int
    left: int
    joined_keys: _containers.RepeatedScalarFieldContainer[str]
    left_keys: _containers.RepeatedScalarFieldContainer[str]
    joined_breakdowns: _containers.RepeatedCompositeFieldContainer[_segment_service_pb2.Breakdown]
    left_breakdowns: _containers.RepeatedCompositeFieldContainer[_segment_service_pb2.Breakdown]
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    relation: RuleRelation
    proved_relation: RuleRelation
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., before_size: _Optional[int] = ..., after_size: _Optional[int] = ..., joined: _Optional[int] = ..., left: _Optional[int] = ..., joined_keys: _Optional[_Iterable[str]] = ..., left_keys: _Optional[_Iterable[str]] = ..., joined_breakdowns: _Optional[_Iterable[_Union[_segment_service_pb2.Breakdown, _Mapping]]] = ..., left_breakdowns: _Optional[_Iterable[_Union[_segment_service_pb2.Breakdown, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ..., relation: _Optional[_Union[RuleRelation, str]] = ..., proved_relation: _Optional[_Union[RuleRelation, str]] = ...) -> None: ...

class ParseRuleRequest(_message.Message):
    __slots__ = ("rule", "syntax_only", "min_version", "min_now")
    RULE_FIELD_NUMBER: _ClassVar[int]
    SYNTAX_ONLY_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    syntax_only: bool
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., syntax_only: bool = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ParseRuleResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "text", "condition", "warnings")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    text: str
    condition: _condition_pb2.Condition
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., text: _Optional[str] = ..., condition: _Optional[_Union[_condition_pb2.Condition, _Mapping]] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ...) -> None: ...

class ExplainPlanRequest(_message.Message):
    __slots__ = ("rule", "at", "min_version", "min_now")
    RULE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExplainPlanResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "steps")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    steps: _containers.RepeatedCompositeFieldContainer[PlanStep]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[PlanStep, _Mapping]]] = ...) -> None: ...

class PlanStep(_message.Message):
    __slots__ = ("path", "text", "estimated_size", "size", "estimated_us", "took_us")
    PATH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_SIZE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_US_FIELD_NUMBER: _ClassVar[int]
    TOOK_US_FIELD_NUMBER: _ClassVar[int]
    path: str
    text: str
    estimated_size: int
    size: int
    estimated_us: float
    took_us: float
    def __init__(self, path: _Optional[str] = ..., text: _Optional[str] = ..., estimated_size: _Optional[int] = ..., size: _Optional[int] = ..., estimated_us: _Optional[float] = ..., took_us: _Optional[float] = ...) -> None: ...

class GetOverlapRequest(_message.Message):
    __slots__ = ("rules", "at", "min_version", "min_now")
    RULES_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Rule]
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, rules: _Optional[_Iterable[_Union[_rule_pb2.Rule, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Overlap(_message.Message):
    __slots__ = ("version", "now", "engine_us", "total", "rule_count", "intersections", "rule_texts", "warnings")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    RULE_COUNT_FIELD_NUMBER: _ClassVar[int]
    INTERSECTIONS_FIELD_NUMBER: _ClassVar[int]
    RULE_TEXTS_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    total: int
    rule_count: int
    intersections: _containers.RepeatedScalarFieldContainer[int]
    rule_texts: _containers.RepeatedScalarFieldContainer[str]
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., total: _Optional[int] = ..., rule_count: _Optional[int] = ..., intersections: _Optional[_Iterable[int]] = ..., rule_texts: _Optional[_Iterable[str]] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ...) -> None: ...

class GetBreakdownRequest(_message.Message):
    __slots__ = ("rule", "breakdowns", "at", "min_version", "min_now")
    RULE_FIELD_NUMBER: _ClassVar[int]
    BREAKDOWNS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    breakdowns: _containers.RepeatedCompositeFieldContainer[_segment_service_pb2.BreakdownBy]
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., breakdowns: _Optional[_Iterable[_Union[_segment_service_pb2.BreakdownBy, _Mapping]]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetBreakdownResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "size", "breakdowns", "total", "warnings")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    BREAKDOWNS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    size: int
    breakdowns: _containers.RepeatedCompositeFieldContainer[_segment_service_pb2.Breakdown]
    total: int
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., size: _Optional[int] = ..., breakdowns: _Optional[_Iterable[_Union[_segment_service_pb2.Breakdown, _Mapping]]] = ..., total: _Optional[int] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ...) -> None: ...

class GetAffinityRequest(_message.Message):
    __slots__ = ("rule", "limit", "min_support", "min_lift", "look_alike_count", "at", "min_version", "min_now")
    RULE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_SUPPORT_FIELD_NUMBER: _ClassVar[int]
    MIN_LIFT_FIELD_NUMBER: _ClassVar[int]
    LOOK_ALIKE_COUNT_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    limit: int
    min_support: float
    min_lift: float
    look_alike_count: int
    at: _timestamp_pb2.Timestamp
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., limit: _Optional[int] = ..., min_support: _Optional[float] = ..., min_lift: _Optional[float] = ..., look_alike_count: _Optional[int] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Affinity(_message.Message):
    __slots__ = ("version", "now", "engine_us", "size", "total", "traits", "look_alikes", "warnings")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    TRAITS_FIELD_NUMBER: _ClassVar[int]
    LOOK_ALIKES_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    size: int
    total: int
    traits: _containers.RepeatedCompositeFieldContainer[Trait]
    look_alikes: _containers.RepeatedCompositeFieldContainer[LookAlike]
    warnings: _containers.RepeatedCompositeFieldContainer[_rule_pb2.Warning]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., size: _Optional[int] = ..., total: _Optional[int] = ..., traits: _Optional[_Iterable[_Union[Trait, _Mapping]]] = ..., look_alikes: _Optional[_Iterable[_Union[LookAlike, _Mapping]]] = ..., warnings: _Optional[_Iterable[_Union[_rule_pb2.Warning, _Mapping]]] = ...) -> None: ...

class Trait(_message.Message):
    __slots__ = ("rule_text", "count", "total_count", "weight")
    RULE_TEXT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    rule_text: str
    count: int
    total_count: int
    weight: int
    def __init__(self, rule_text: _Optional[str] = ..., count: _Optional[int] = ..., total_count: _Optional[int] = ..., weight: _Optional[int] = ...) -> None: ...

class LookAlike(_message.Message):
    __slots__ = ("key", "score")
    KEY_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    key: str
    score: int
    def __init__(self, key: _Optional[str] = ..., score: _Optional[int] = ...) -> None: ...

class ExportAudienceRequest(_message.Message):
    __slots__ = ("rule", "audience", "format", "attributes", "offset", "min_version", "min_now")
    RULE_FIELD_NUMBER: _ClassVar[int]
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    rule: _rule_pb2.Rule
    audience: str
    format: ExportFormat
    attributes: _containers.RepeatedScalarFieldContainer[str]
    offset: int
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, rule: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., audience: _Optional[str] = ..., format: _Optional[_Union[ExportFormat, str]] = ..., attributes: _Optional[_Iterable[str]] = ..., offset: _Optional[int] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExportAudienceResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "chunk", "next_offset", "size")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    NEXT_OFFSET_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    chunk: bytes
    next_offset: int
    size: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., chunk: _Optional[bytes] = ..., next_offset: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...
