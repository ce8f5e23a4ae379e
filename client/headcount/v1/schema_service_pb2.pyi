import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConsentMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONSENT_MODE_UNSPECIFIED: _ClassVar[ConsentMode]
    CONSENT_MODE_OPT_IN: _ClassVar[ConsentMode]
    CONSENT_MODE_OPT_OUT: _ClassVar[ConsentMode]
CONSENT_MODE_UNSPECIFIED: ConsentMode
CONSENT_MODE_OPT_IN: ConsentMode
CONSENT_MODE_OPT_OUT: ConsentMode

class GetSchemaRequest(_message.Message):
    __slots__ = ("include_counts", "min_version", "min_now")
    INCLUDE_COUNTS_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    include_counts: bool
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, include_counts: bool = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DeclareAttributesRequest(_message.Message):
    __slots__ = ("attributes", "identifier_types", "consent_topics", "validate_only", "request_id")
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_TYPES_FIELD_NUMBER: _ClassVar[int]
    CONSENT_TOPICS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    identifier_types: _containers.RepeatedScalarFieldContainer[str]
    consent_topics: _containers.RepeatedCompositeFieldContainer[ConsentTopic]
    validate_only: bool
    request_id: str
    def __init__(self, attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., identifier_types: _Optional[_Iterable[str]] = ..., consent_topics: _Optional[_Iterable[_Union[ConsentTopic, _Mapping]]] = ..., validate_only: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class DeclareEventsRequest(_message.Message):
    __slots__ = ("event_types", "validate_only", "request_id")
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    event_types: _containers.RepeatedCompositeFieldContainer[EventType]
    validate_only: bool
    request_id: str
    def __init__(self, event_types: _Optional[_Iterable[_Union[EventType, _Mapping]]] = ..., validate_only: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class Schema(_message.Message):
    __slots__ = ("version", "now", "engine_us", "attributes", "event_types", "identifier_types", "consent_topics", "tags", "channels")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_TYPES_FIELD_NUMBER: _ClassVar[int]
    CONSENT_TOPICS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    attributes: _containers.RepeatedCompositeFieldContainer[Attribute]
    event_types: _containers.RepeatedCompositeFieldContainer[EventType]
    identifier_types: _containers.RepeatedScalarFieldContainer[str]
    consent_topics: _containers.RepeatedCompositeFieldContainer[ConsentTopic]
    tags: _containers.RepeatedScalarFieldContainer[str]
    channels: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., attributes: _Optional[_Iterable[_Union[Attribute, _Mapping]]] = ..., event_types: _Optional[_Iterable[_Union[EventType, _Mapping]]] = ..., identifier_types: _Optional[_Iterable[str]] = ..., consent_topics: _Optional[_Iterable[_Union[ConsentTopic, _Mapping]]] = ..., tags: _Optional[_Iterable[str]] = ..., channels: _Optional[_Iterable[str]] = ...) -> None: ...

class Attribute(_message.Message):
    __slots__ = ("name", "type", "digits", "tracked", "description", "is_inferred", "profile_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    TRACKED_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    IS_INFERRED_FIELD_NUMBER: _ClassVar[int]
    PROFILE_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: _value_pb2.ValueType
    digits: int
    tracked: bool
    description: str
    is_inferred: bool
    profile_count: int
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[_value_pb2.ValueType, str]] = ..., digits: _Optional[int] = ..., tracked: bool = ..., description: _Optional[str] = ..., is_inferred: bool = ..., profile_count: _Optional[int] = ...) -> None: ...

class EventType(_message.Message):
    __slots__ = ("name", "properties", "retention", "description", "is_inferred", "event_count", "profile_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    IS_INFERRED_FIELD_NUMBER: _ClassVar[int]
    EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    PROFILE_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    properties: _containers.RepeatedCompositeFieldContainer[EventProperty]
    retention: _duration_pb2.Duration
    description: str
    is_inferred: bool
    event_count: int
    profile_count: int
    def __init__(self, name: _Optional[str] = ..., properties: _Optional[_Iterable[_Union[EventProperty, _Mapping]]] = ..., retention: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., description: _Optional[str] = ..., is_inferred: bool = ..., event_count: _Optional[int] = ..., profile_count: _Optional[int] = ...) -> None: ...

class EventProperty(_message.Message):
    __slots__ = ("name", "type", "digits", "description", "is_inferred")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    IS_INFERRED_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: _value_pb2.ValueType
    digits: int
    description: str
    is_inferred: bool
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[_value_pb2.ValueType, str]] = ..., digits: _Optional[int] = ..., description: _Optional[str] = ..., is_inferred: bool = ...) -> None: ...

class ConsentTopic(_message.Message):
    __slots__ = ("name", "mode", "description")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    mode: ConsentMode
    description: str
    def __init__(self, name: _Optional[str] = ..., mode: _Optional[_Union[ConsentMode, str]] = ..., description: _Optional[str] = ...) -> None: ...
