import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WatchStart(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WATCH_START_UNSPECIFIED: _ClassVar[WatchStart]
    WATCH_START_OLDEST: _ClassVar[WatchStart]
    WATCH_START_NOW: _ClassVar[WatchStart]

class ChangeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_KIND_UNSPECIFIED: _ClassVar[ChangeKind]
    CHANGE_KIND_JOINED: _ClassVar[ChangeKind]
    CHANGE_KIND_LEFT: _ClassVar[ChangeKind]
    CHANGE_KIND_INITIAL: _ClassVar[ChangeKind]

class ChangeCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_CAUSE_UNSPECIFIED: _ClassVar[ChangeCause]
    CHANGE_CAUSE_ATTRIBUTE: _ClassVar[ChangeCause]
    CHANGE_CAUSE_EVENT: _ClassVar[ChangeCause]
    CHANGE_CAUSE_CLOCK: _ClassVar[ChangeCause]
    CHANGE_CAUSE_DEFINITION: _ClassVar[ChangeCause]
    CHANGE_CAUSE_MERGE: _ClassVar[ChangeCause]
    CHANGE_CAUSE_IMPORT: _ClassVar[ChangeCause]
    CHANGE_CAUSE_OVERRIDE: _ClassVar[ChangeCause]
    CHANGE_CAUSE_ERASURE: _ClassVar[ChangeCause]
    CHANGE_CAUSE_UPGRADE: _ClassVar[ChangeCause]
WATCH_START_UNSPECIFIED: WatchStart
WATCH_START_OLDEST: WatchStart
WATCH_START_NOW: WatchStart
CHANGE_KIND_UNSPECIFIED: ChangeKind
CHANGE_KIND_JOINED: ChangeKind
CHANGE_KIND_LEFT: ChangeKind
CHANGE_KIND_INITIAL: ChangeKind
CHANGE_CAUSE_UNSPECIFIED: ChangeCause
CHANGE_CAUSE_ATTRIBUTE: ChangeCause
CHANGE_CAUSE_EVENT: ChangeCause
CHANGE_CAUSE_CLOCK: ChangeCause
CHANGE_CAUSE_DEFINITION: ChangeCause
CHANGE_CAUSE_MERGE: ChangeCause
CHANGE_CAUSE_IMPORT: ChangeCause
CHANGE_CAUSE_OVERRIDE: ChangeCause
CHANGE_CAUSE_ERASURE: ChangeCause
CHANGE_CAUSE_UPGRADE: ChangeCause

class WatchMembershipsRequest(_message.Message):
    __slots__ = ("segments", "cursor", "start_at", "include_initial_members")
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    START_AT_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_INITIAL_MEMBERS_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedScalarFieldContainer[str]
    cursor: str
    start_at: WatchStart
    include_initial_members: bool
    def __init__(self, segments: _Optional[_Iterable[str]] = ..., cursor: _Optional[str] = ..., start_at: _Optional[_Union[WatchStart, str]] = ..., include_initial_members: bool = ...) -> None: ...

class WatchMembershipsResponse(_message.Message):
    __slots__ = ("version", "now", "engine_us", "changes", "cursor")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    ENGINE_US_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    version: int
    now: _timestamp_pb2.Timestamp
    engine_us: int
    changes: _containers.RepeatedCompositeFieldContainer[MembershipChange]
    cursor: str
    def __init__(self, version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., engine_us: _Optional[int] = ..., changes: _Optional[_Iterable[_Union[MembershipChange, _Mapping]]] = ..., cursor: _Optional[str] = ...) -> None: ...

class MembershipChange(_message.Message):
    __slots__ = ("change", "profile", "segment", "version", "now", "cause", "cursor")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    change: ChangeKind
    profile: str
    segment: str
    version: int
    now: _timestamp_pb2.Timestamp
    cause: ChangeCause
    cursor: str
    def __init__(self, change: _Optional[_Union[ChangeKind, str]] = ..., profile: _Optional[str] = ..., segment: _Optional[str] = ..., version: _Optional[int] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[_Union[ChangeCause, str]] = ..., cursor: _Optional[str] = ...) -> None: ...
