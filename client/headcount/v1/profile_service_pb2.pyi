import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import column_pb2 as _column_pb2
from headcount.v1 import rule_pb2 as _rule_pb2
from headcount.v1 import value_pb2 as _value_pb2
from headcount.v1 import write_pb2 as _write_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchUpsertProfilesRequest(_message.Message):
    __slots__ = ("profiles", "batch", "create", "recreate", "all_or_nothing", "request_id", "return_segments")
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    CREATE_FIELD_NUMBER: _ClassVar[int]
    RECREATE_FIELD_NUMBER: _ClassVar[int]
    ALL_OR_NOTHING_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    profiles: _containers.RepeatedCompositeFieldContainer[ProfileRow]
    batch: _column_pb2.ProfileBatch
    create: bool
    recreate: bool
    all_or_nothing: bool
    request_id: str
    return_segments: bool
    def __init__(self, profiles: _Optional[_Iterable[_Union[ProfileRow, _Mapping]]] = ..., batch: _Optional[_Union[_column_pb2.ProfileBatch, _Mapping]] = ..., create: bool = ..., recreate: bool = ..., all_or_nothing: bool = ..., request_id: _Optional[str] = ..., return_segments: bool = ...) -> None: ...

class BatchUpsertProfilesResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "accepted_rows", "created_profiles", "rejected_rows", "segments_after")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    CREATED_PROFILES_FIELD_NUMBER: _ClassVar[int]
    REJECTED_ROWS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_AFTER_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    accepted_rows: int
    created_profiles: int
    rejected_rows: _containers.RepeatedCompositeFieldContainer[_write_pb2.RejectedRow]
    segments_after: _write_pb2.SegmentsAfter
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., accepted_rows: _Optional[int] = ..., created_profiles: _Optional[int] = ..., rejected_rows: _Optional[_Iterable[_Union[_write_pb2.RejectedRow, _Mapping]]] = ..., segments_after: _Optional[_Union[_write_pb2.SegmentsAfter, _Mapping]] = ...) -> None: ...

class ProfileRow(_message.Message):
    __slots__ = ("key", "attributes", "unset_attributes", "increments", "elements_added", "elements_removed", "tags_added", "tags_removed", "channels_added", "channels_removed", "identifiers", "identifiers_removed", "consents")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class IncrementsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    class ElementsAddedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.TextSet
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.TextSet, _Mapping]] = ...) -> None: ...
    class ElementsRemovedEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.TextSet
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.TextSet, _Mapping]] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    UNSET_ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    INCREMENTS_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_ADDED_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    TAGS_ADDED_FIELD_NUMBER: _ClassVar[int]
    TAGS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_ADDED_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    key: str
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    unset_attributes: _containers.RepeatedScalarFieldContainer[str]
    increments: _containers.MessageMap[str, _value_pb2.Value]
    elements_added: _containers.MessageMap[str, _value_pb2.TextSet]
    elements_removed: _containers.MessageMap[str, _value_pb2.TextSet]
    tags_added: _containers.RepeatedScalarFieldContainer[str]
    tags_removed: _containers.RepeatedScalarFieldContainer[str]
    channels_added: _containers.RepeatedScalarFieldContainer[str]
    channels_removed: _containers.RepeatedScalarFieldContainer[str]
    identifiers: _containers.RepeatedCompositeFieldContainer[_value_pb2.Identifier]
    identifiers_removed: _containers.RepeatedScalarFieldContainer[str]
    consents: _containers.RepeatedCompositeFieldContainer[Consent]
    def __init__(self, key: _Optional[str] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., unset_attributes: _Optional[_Iterable[str]] = ..., increments: _Optional[_Mapping[str, _value_pb2.Value]] = ..., elements_added: _Optional[_Mapping[str, _value_pb2.TextSet]] = ..., elements_removed: _Optional[_Mapping[str, _value_pb2.TextSet]] = ..., tags_added: _Optional[_Iterable[str]] = ..., tags_removed: _Optional[_Iterable[str]] = ..., channels_added: _Optional[_Iterable[str]] = ..., channels_removed: _Optional[_Iterable[str]] = ..., identifiers: _Optional[_Iterable[_Union[_value_pb2.Identifier, _Mapping]]] = ..., identifiers_removed: _Optional[_Iterable[str]] = ..., consents: _Optional[_Iterable[_Union[Consent, _Mapping]]] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("topic", "subscribed", "time")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    topic: str
    subscribed: bool
    time: _timestamp_pb2.Timestamp
    def __init__(self, topic: _Optional[str] = ..., subscribed: bool = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetProfileRequest(_message.Message):
    __slots__ = ("key", "identifier", "omit_segments", "min_version", "min_now")
    KEY_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    OMIT_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    key: str
    identifier: _value_pb2.Identifier
    omit_segments: bool
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, key: _Optional[str] = ..., identifier: _Optional[_Union[_value_pb2.Identifier, _Mapping]] = ..., omit_segments: bool = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Profile(_message.Message):
    __slots__ = ("version", "now", "engine_us", "key", "id", "attributes", "tags", "channels", "identifiers", "consents", "events", "segments", "is_known")
    class AttributesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _value_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_value_pb2.Value, _Mapping]] = ...) -> None: ...
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    IS_KNOWN_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    key: str
    id: int
    attributes: _containers.MessageMap[str, _value_pb2.Value]
    tags: _containers.RepeatedScalarFieldContainer[str]
    channels: _containers.RepeatedScalarFieldContainer[str]
    identifiers: _containers.RepeatedCompositeFieldContainer[_value_pb2.Identifier]
    consents: _containers.RepeatedCompositeFieldContainer[Consent]
    events: _containers.RepeatedCompositeFieldContainer[EventSummary]
    segments: _containers.RepeatedScalarFieldContainer[str]
    is_known: bool
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., key: _Optional[str] = ..., id: _Optional[int] = ..., attributes: _Optional[_Mapping[str, _value_pb2.Value]] = ..., tags: _Optional[_Iterable[str]] = ..., channels: _Optional[_Iterable[str]] = ..., identifiers: _Optional[_Iterable[_Union[_value_pb2.Identifier, _Mapping]]] = ..., consents: _Optional[_Iterable[_Union[Consent, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[EventSummary, _Mapping]]] = ..., segments: _Optional[_Iterable[str]] = ..., is_known: bool = ...) -> None: ...

class EventSummary(_message.Message):
    __slots__ = ("event_name", "count", "first_time", "last_time")
    EVENT_NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    event_name: str
    count: int
    first_time: _timestamp_pb2.Timestamp
    last_time: _timestamp_pb2.Timestamp
    def __init__(self, event_name: _Optional[str] = ..., count: _Optional[int] = ..., first_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListProfilesRequest(_message.Message):
    __slots__ = ("filter", "page_size", "page_token", "attributes", "min_version", "min_now")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    filter: _rule_pb2.Rule
    page_size: int
    page_token: str
    attributes: _containers.RepeatedScalarFieldContainer[str]
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, filter: _Optional[_Union[_rule_pb2.Rule, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., attributes: _Optional[_Iterable[str]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListProfilesResponse(_message.Message):
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
    profiles: _containers.RepeatedCompositeFieldContainer[Profile]
    next_page_token: str
    total_size: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., profiles: _Optional[_Iterable[_Union[Profile, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_size: _Optional[int] = ...) -> None: ...

class LookupProfilesRequest(_message.Message):
    __slots__ = ("identifiers", "min_version", "min_now")
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    MIN_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_NOW_FIELD_NUMBER: _ClassVar[int]
    identifiers: _containers.RepeatedCompositeFieldContainer[_value_pb2.Identifier]
    min_version: int
    min_now: _timestamp_pb2.Timestamp
    def __init__(self, identifiers: _Optional[_Iterable[_Union[_value_pb2.Identifier, _Mapping]]] = ..., min_version: _Optional[int] = ..., min_now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LookupProfilesResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "keys")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., keys: _Optional[_Iterable[str]] = ...) -> None: ...

class MergeProfilesRequest(_message.Message):
    __slots__ = ("survivor_key", "merged_key", "force", "request_id")
    SURVIVOR_KEY_FIELD_NUMBER: _ClassVar[int]
    MERGED_KEY_FIELD_NUMBER: _ClassVar[int]
    FORCE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    survivor_key: str
    merged_key: str
    force: bool
    request_id: str
    def __init__(self, survivor_key: _Optional[str] = ..., merged_key: _Optional[str] = ..., force: bool = ..., request_id: _Optional[str] = ...) -> None: ...

class MergeProfilesResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "profile")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    profile: Profile
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., profile: _Optional[_Union[Profile, _Mapping]] = ...) -> None: ...

class EraseProfileRequest(_message.Message):
    __slots__ = ("key", "request_id")
    KEY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    key: str
    request_id: str
    def __init__(self, key: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class EraseProfileResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ...) -> None: ...
