import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServingState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVING_STATE_UNSPECIFIED: _ClassVar[ServingState]
    SERVING_STATE_LOADING: _ClassVar[ServingState]
    SERVING_STATE_SERVING: _ClassVar[ServingState]
    SERVING_STATE_READ_ONLY: _ClassVar[ServingState]
    SERVING_STATE_DRAINING: _ClassVar[ServingState]

class SyncMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYNC_MODE_UNSPECIFIED: _ClassVar[SyncMode]
    SYNC_MODE_EACH_COMMIT: _ClassVar[SyncMode]
    SYNC_MODE_INTERVAL: _ClassVar[SyncMode]
    SYNC_MODE_OPERATING_SYSTEM: _ClassVar[SyncMode]

class DayOfWeek(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DAY_OF_WEEK_UNSPECIFIED: _ClassVar[DayOfWeek]
    DAY_OF_WEEK_MONDAY: _ClassVar[DayOfWeek]
    DAY_OF_WEEK_TUESDAY: _ClassVar[DayOfWeek]
    DAY_OF_WEEK_WEDNESDAY: _ClassVar[DayOfWeek]
    DAY_OF_WEEK_THURSDAY: _ClassVar[DayOfWeek]
    DAY_OF_WEEK_FRIDAY: _ClassVar[DayOfWeek]
    DAY_OF_WEEK_SATURDAY: _ClassVar[DayOfWeek]
    DAY_OF_WEEK_SUNDAY: _ClassVar[DayOfWeek]
SERVING_STATE_UNSPECIFIED: ServingState
SERVING_STATE_LOADING: ServingState
SERVING_STATE_SERVING: ServingState
SERVING_STATE_READ_ONLY: ServingState
SERVING_STATE_DRAINING: ServingState
SYNC_MODE_UNSPECIFIED: SyncMode
SYNC_MODE_EACH_COMMIT: SyncMode
SYNC_MODE_INTERVAL: SyncMode
SYNC_MODE_OPERATING_SYSTEM: SyncMode
DAY_OF_WEEK_UNSPECIFIED: DayOfWeek
DAY_OF_WEEK_MONDAY: DayOfWeek
DAY_OF_WEEK_TUESDAY: DayOfWeek
DAY_OF_WEEK_WEDNESDAY: DayOfWeek
DAY_OF_WEEK_THURSDAY: DayOfWeek
DAY_OF_WEEK_FRIDAY: DayOfWeek
DAY_OF_WEEK_SATURDAY: DayOfWeek
DAY_OF_WEEK_SUNDAY: DayOfWeek

class GetStatusRequest(_message.Message):
    __slots__ = ("min_version", "min_now")
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ServerStatus(_message.Message):
    __slots__ = ("version", "now", "engine_us", "state", "profiles", "events", "segments", "attributes", "event_types", "memory", "latencies", "deduplication", "durability", "start_time", "release", "semantics_number", "tzdata_release", "unicode_release")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    LATENCIES_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATION_FIELD_NUMBER: _ClassVar[int]
    DURABILITY_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    SEMANTICS_NUMBER_FIELD_NUMBER: _ClassVar[int]
    TZDATA_RELEASE_FIELD_NUMBER: _ClassVar[int]
    UNICODE_RELEASE_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    state: ServingState
    profiles: int
    events: int
    segments: int
    attributes: int
    event_types: int
    memory: _containers.RepeatedCompositeFieldContainer[MemoryUse]
    latencies: _containers.RepeatedCompositeFieldContainer[MethodLatency]
    deduplication: DeduplicationStatus
    durability: DurabilityStatus
    start_time: _timestamp_pb2.Timestamp
    release: str
    semantics_number: int
    tzdata_release: str
    unicode_release: str
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., state: _Optional[_Union[ServingState, str]] = ..., profiles: _Optional[int] = ..., events: _Optional[int] = ..., segments: _Optional[int] = ..., attributes: _Optional[int] = ..., event_types: _Optional[int] = ..., memory: _Optional[_Iterable[_Union[MemoryUse, _Mapping]]] = ..., latencies: _Optional[_Iterable[_Union[MethodLatency, _Mapping]]] = ..., deduplication: _Optional[_Union[DeduplicationStatus, _Mapping]] = ..., durability: _Optional[_Union[DurabilityStatus, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., release: _Optional[str] = ..., semantics_number: _Optional[int] = ..., tzdata_release: _Optional[str] = ..., unicode_release: _Optional[str] = ...) -> None: ...

class MemoryUse(_message.Message):
    __slots__ = ("room", "bytes")
    ROOM_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    room: str
    bytes: int
    def __init__(self, room: _Optional[str] = ..., bytes: _Optional[int] = ...) -> None: ...

class MethodLatency(_message.Message):
    __slots__ = ("method", "calls", "errors", "p50_us", "p99_us", "max_us")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    ERRORS_FIELD_NUMBER: _ClassVar[int]
    P50_US_FIELD_NUMBER: _ClassVar[int]
    P99_US_FIELD_NUMBER: _ClassVar[int]
    MAX_US_FIELD_NUMBER: _ClassVar[int]
    method: str
    calls: int
    errors: int
    p50_us: int
    p99_us: int
    max_us: int
    def __init__(self, method: _Optional[str] = ..., calls: _Optional[int] = ..., errors: _Optional[int] = ..., p50_us: _Optional[int] = ..., p99_us: _Optional[int] = ..., max_us: _Optional[int] = ...) -> None: ...

class DeduplicationStatus(_message.Message):
    __slots__ = ("horizon_time", "event_ids", "max_event_ids")
    HORIZON_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    horizon_time: _timestamp_pb2.Timestamp
    event_ids: int
    max_event_ids: int
    def __init__(self, horizon_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_ids: _Optional[int] = ..., max_event_ids: _Optional[int] = ...) -> None: ...

class DurabilityStatus(_message.Message):
    __slots__ = ("durable_version", "checkpoint_version", "checkpoint_time", "log_bytes", "sync_mode", "failure", "checkpoint_failure")
    DURABLE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_TIME_FIELD_NUMBER: _ClassVar[int]
    LOG_BYTES_FIELD_NUMBER: _ClassVar[int]
    SYNC_MODE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FAILURE_FIELD_NUMBER: _ClassVar[int]
    durable_version: int
    checkpoint_version: int
    checkpoint_time: _timestamp_pb2.Timestamp
    log_bytes: int
    sync_mode: SyncMode
    failure: str
    checkpoint_failure: str
    def __init__(self, durable_version: _Optional[int] = ..., checkpoint_version: _Optional[int] = ..., checkpoint_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., log_bytes: _Optional[int] = ..., sync_mode: _Optional[_Union[SyncMode, str]] = ..., failure: _Optional[str] = ..., checkpoint_failure: _Optional[str] = ...) -> None: ...

class GetSettingsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Settings(_message.Message):
    __slots__ = ("version", "now", "engine_us", "default_zone", "first_day_of_week", "infers_attributes", "infers_events", "deduplication_horizon", "deduplication_max_event_ids", "max_event_lead", "change_retention", "legacy_before", "limits", "etag", "opt_out_topics")
    class LimitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_ZONE_FIELD_NUMBER: _ClassVar[int]
    FIRST_DAY_OF_WEEK_FIELD_NUMBER: _ClassVar[int]
    INFERS_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    INFERS_EVENTS_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATION_HORIZON_FIELD_NUMBER: _ClassVar[int]
    DEDUPLICATION_MAX_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENT_LEAD_FIELD_NUMBER: _ClassVar[int]
    CHANGE_RETENTION_FIELD_NUMBER: _ClassVar[int]
    LEGACY_BEFORE_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    OPT_OUT_TOPICS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    default_zone: str
    first_day_of_week: DayOfWeek
    infers_attributes: bool
    infers_events: bool
    deduplication_horizon: _duration_pb2.Duration
    deduplication_max_event_ids: int
    max_event_lead: _duration_pb2.Duration
    change_retention: _duration_pb2.Duration
    legacy_before: _timestamp_pb2.Timestamp
    limits: _containers.ScalarMap[str, int]
    etag: str
    opt_out_topics: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., default_zone: _Optional[str] = ..., first_day_of_week: _Optional[_Union[DayOfWeek, str]] = ..., infers_attributes: bool = ..., infers_events: bool = ..., deduplication_horizon: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., deduplication_max_event_ids: _Optional[int] = ..., max_event_lead: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., change_retention: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., legacy_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limits: _Optional[_Mapping[str, int]] = ..., etag: _Optional[str] = ..., opt_out_topics: _Optional[_Iterable[str]] = ...) -> None: ...

class UpdateSettingsRequest(_message.Message):
    __slots__ = ("settings", "update_mask", "request_id")
    SETTINGS_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    settings: Settings
    update_mask: _field_mask_pb2.FieldMask
    request_id: str
    def __init__(self, settings: _Optional[_Union[Settings, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class CheckpointRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckpointResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "checkpoint_version", "bytes")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_VERSION_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    checkpoint_version: int
    bytes: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., checkpoint_version: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...
