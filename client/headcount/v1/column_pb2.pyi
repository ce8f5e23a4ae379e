from headcount.v1 import value_pb2 as _value_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TextColumn(_message.Message):
    __slots__ = ("offsets", "utf8", "codes")
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    UTF8_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    offsets: bytes
    utf8: bytes
    codes: bytes
    def __init__(self, offsets: _Optional[bytes] = ..., utf8: _Optional[bytes] = ..., codes: _Optional[bytes] = ...) -> None: ...

class Column(_message.Message):
    __slots__ = ("name", "type", "digits", "values", "texts", "offsets", "present", "nulls", "text_column")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    NULLS_FIELD_NUMBER: _ClassVar[int]
    TEXT_COLUMN_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: _value_pb2.ValueType
    digits: int
    values: bytes
    texts: _containers.RepeatedScalarFieldContainer[str]
    offsets: bytes
    present: bytes
    nulls: bytes
    text_column: TextColumn
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[_value_pb2.ValueType, str]] = ..., digits: _Optional[int] = ..., values: _Optional[bytes] = ..., texts: _Optional[_Iterable[str]] = ..., offsets: _Optional[bytes] = ..., present: _Optional[bytes] = ..., nulls: _Optional[bytes] = ..., text_column: _Optional[_Union[TextColumn, _Mapping]] = ...) -> None: ...

class ProfileBatch(_message.Message):
    __slots__ = ("keys", "attributes", "increments", "elements_added", "elements_removed", "tags_added", "tags_removed", "channels_added", "channels_removed", "identifiers", "consents", "key_column")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTES_FIELD_NUMBER: _ClassVar[int]
    INCREMENTS_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_ADDED_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    TAGS_ADDED_FIELD_NUMBER: _ClassVar[int]
    TAGS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_ADDED_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIERS_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    KEY_COLUMN_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    attributes: _containers.RepeatedCompositeFieldContainer[Column]
    increments: _containers.RepeatedCompositeFieldContainer[Column]
    elements_added: _containers.RepeatedCompositeFieldContainer[Column]
    elements_removed: _containers.RepeatedCompositeFieldContainer[Column]
    tags_added: Column
    tags_removed: Column
    channels_added: Column
    channels_removed: Column
    identifiers: _containers.RepeatedCompositeFieldContainer[Column]
    consents: _containers.RepeatedCompositeFieldContainer[ConsentColumn]
    key_column: TextColumn
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., attributes: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., increments: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., elements_added: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., elements_removed: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., tags_added: _Optional[_Union[Column, _Mapping]] = ..., tags_removed: _Optional[_Union[Column, _Mapping]] = ..., channels_added: _Optional[_Union[Column, _Mapping]] = ..., channels_removed: _Optional[_Union[Column, _Mapping]] = ..., identifiers: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., consents: _Optional[_Iterable[_Union[ConsentColumn, _Mapping]]] = ..., key_column: _Optional[_Union[TextColumn, _Mapping]] = ...) -> None: ...

class ConsentColumn(_message.Message):
    __slots__ = ("topic", "subscribed", "times_us", "present")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBED_FIELD_NUMBER: _ClassVar[int]
    TIMES_US_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    topic: str
    subscribed: bytes
    times_us: bytes
    present: bytes
    def __init__(self, topic: _Optional[str] = ..., subscribed: _Optional[bytes] = ..., times_us: _Optional[bytes] = ..., present: _Optional[bytes] = ...) -> None: ...

class EventBatch(_message.Message):
    __slots__ = ("event_names", "keys", "times_us", "event_ids", "properties", "key_column", "event_id_column", "event_name_column")
    EVENT_NAMES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    TIMES_US_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    KEY_COLUMN_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_COLUMN_FIELD_NUMBER: _ClassVar[int]
    EVENT_NAME_COLUMN_FIELD_NUMBER: _ClassVar[int]
    event_names: _containers.RepeatedScalarFieldContainer[str]
    keys: _containers.RepeatedScalarFieldContainer[str]
    times_us: bytes
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    properties: _containers.RepeatedCompositeFieldContainer[Column]
    key_column: TextColumn
    event_id_column: TextColumn
    event_name_column: TextColumn
    def __init__(self, event_names: _Optional[_Iterable[str]] = ..., keys: _Optional[_Iterable[str]] = ..., times_us: _Optional[bytes] = ..., event_ids: _Optional[_Iterable[str]] = ..., properties: _Optional[_Iterable[_Union[Column, _Mapping]]] = ..., key_column: _Optional[_Union[TextColumn, _Mapping]] = ..., event_id_column: _Optional[_Union[TextColumn, _Mapping]] = ..., event_name_column: _Optional[_Union[TextColumn, _Mapping]] = ...) -> None: ...
