import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import column_pb2 as _column_pb2
from headcount.v1 import value_pb2 as _value_pb2
from headcount.v1 import write_pb2 as _write_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrackEventsRequest(_message.Message):
    __slots__ = ("events", "batch", "create", "all_or_nothing", "request_id", "return_segments")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    ALL_OR_NOTHING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[EventRow]
    batch: _column_pb2.EventBatch
    create: bool
    all_or_nothing: bool
    request_id: str
    return_segments: bool
    def __init__(self, events: _Optional[_Iterable[_Union[EventRow, _Mapping]]] = ..., batch: _Optional[_Union[_column_pb2.EventBatch, _Mapping]] = ..., create: bool = ..., all_or_nothing: bool = ..., request_id: _Optional[str] = ..., return_segments: bool = ...) -> None: ...

class TrackEventsResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "accepted_rows", "created_profiles", "duplicate_events", "rejected_rows", "segments_after")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    CREATED_PROFILES_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_EVENTS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_AFTER_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    accepted_rows: int
    created_profiles: int
    duplicate_events: int
    rejected_rows: _containers.RepeatedCompositeFieldContainer[_write_pb2.RejectedRow]
    segments_after: _write_pb2.SegmentsAfter
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., accepted_rows: _Optional[int] = ..., created_profiles: _Optional[int] = ..., duplicate_events: _Optional[int] = ..., rejected_rows: _Optional[_Iterable[_Union[_write_pb2.RejectedRow, _Mapping]]] = ..., segments_after: _Optional[_Union[_write_pb2.SegmentsAfter, _Mapping]] = ...) -> None: ...

class EventRow(_message.Message):
    __slots__ = ("event_name", "key", "time", "event_id", "properties")
    class PropertiesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    EVENT_NAME_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    event_name: str
    key: str
    time: _timestamp_pb2.Timestamp
    event_id: str
    properties: _containers.MessageMap[str, _value_pb2.Value]
    def __init__(self, event_name: _Optional[str] = ..., key: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_id: _Optional[str] = ..., properties: _Optional[_Mapping[str, _value_pb2.Value]] = ...) -> None: ...

class IngestStreamRequest(_message.Message):
    __slots__ = ("batch_number", "profiles", "events", "create", "recreate", "all_or_nothing", "request_id")
    BATCH_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    RECREATE_FIELD_NUMBER: _ClassVar[int]
    ALL_OR_NOTHING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    batch_number: int
    profiles: _column_pb2.ProfileBatch
    events: _column_pb2.EventBatch
    create: bool
    recreate: bool
    all_or_nothing: bool
    request_id: str
    def __init__(self, batch_number: _Optional[int] = ..., profiles: _Optional[_Union[_column_pb2.ProfileBatch, _Mapping]] = ..., events: _Optional[_Union[_column_pb2.EventBatch, _Mapping]] = ..., create: bool = ..., recreate: bool = ..., all_or_nothing: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class IngestStreamResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "batch_number", "accepted_rows", "created_profiles", "duplicate_events", "rejected_rows", "total_accepted_rows")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    BATCH_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    CREATED_PROFILES_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_EVENTS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ACCEPTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    batch_number: int
    accepted_rows: int
    created_profiles: int
    duplicate_events: int
    rejected_rows: _containers.RepeatedCompositeFieldContainer[_write_pb2.RejectedRow]
    total_accepted_rows: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., batch_number: _Optional[int] = ..., accepted_rows: _Optional[int] = ..., created_profiles: _Optional[int] = ..., duplicate_events: _Optional[int] = ..., rejected_rows: _Optional[_Iterable[_Union[_write_pb2.RejectedRow, _Mapping]]] = ..., total_accepted_rows: _Optional[int] = ...) -> None: ...
