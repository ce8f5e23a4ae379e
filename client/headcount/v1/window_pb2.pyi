import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import value_pb2 as _value_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TimeUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIME_UNIT_UNSPECIFIED: _ClassVar[TimeUnit]
    TIME_UNIT_SECONDS: _ClassVar[TimeUnit]
    TIME_UNIT_MINUTES: _ClassVar[TimeUnit]
    TIME_UNIT_HOURS: _ClassVar[TimeUnit]
    TIME_UNIT_DAYS: _ClassVar[TimeUnit]
    TIME_UNIT_WEEKS: _ClassVar[TimeUnit]

class CalendarUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALENDAR_UNIT_UNSPECIFIED: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_DAY: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_WEEK: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_MONTH: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_QUARTER: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_YEAR: _ClassVar[CalendarUnit]

class CalendarShift(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALENDAR_SHIFT_UNSPECIFIED: _ClassVar[CalendarShift]
    CALENDAR_SHIFT_LAST: _ClassVar[CalendarShift]
    CALENDAR_SHIFT_THIS: _ClassVar[CalendarShift]
    CALENDAR_SHIFT_NEXT: _ClassVar[CalendarShift]
TIME_UNIT_UNSPECIFIED: TimeUnit
TIME_UNIT_SECONDS: TimeUnit
TIME_UNIT_MINUTES: TimeUnit
TIME_UNIT_HOURS: TimeUnit
TIME_UNIT_DAYS: TimeUnit
TIME_UNIT_WEEKS: TimeUnit
CALENDAR_UNIT_UNSPECIFIED: CalendarUnit
CALENDAR_UNIT_DAY: CalendarUnit
CALENDAR_UNIT_WEEK: CalendarUnit
CALENDAR_UNIT_MONTH: CalendarUnit
CALENDAR_UNIT_QUARTER: CalendarUnit
CALENDAR_UNIT_YEAR: CalendarUnit
CALENDAR_SHIFT_UNSPECIFIED: CalendarShift
CALENDAR_SHIFT_LAST: CalendarShift
CALENDAR_SHIFT_THIS: CalendarShift
CALENDAR_SHIFT_NEXT: CalendarShift

class Window(_message.Message):
    __slots__ = ("within_last", "within_next", "ago", "absolute", "calendar", "calendar_last")
    class WithinLast(_message.Message):
        __slots__ = ("span",)
        SPAN_FIELD_NUMBER: _ClassVar[int]
        span: TimeSpan
        def __init__(self, span: _Optional[_Union[TimeSpan, _Mapping]] = ...) -> None: ...
    class WithinNext(_message.Message):
        __slots__ = ("span",)
        SPAN_FIELD_NUMBER: _ClassVar[int]
        span: TimeSpan
        def __init__(self, span: _Optional[_Union[TimeSpan, _Mapping]] = ...) -> None: ...
    class Ago(_message.Message):
        __slots__ = ("near", "far")
        NEAR_FIELD_NUMBER: _ClassVar[int]
        FAR_FIELD_NUMBER: _ClassVar[int]
        near: TimeSpan
        far: TimeSpan
        def __init__(self, near: _Optional[_Union[TimeSpan, _Mapping]] = ..., far: _Optional[_Union[TimeSpan, _Mapping]] = ...) -> None: ...
    class Absolute(_message.Message):
        __slots__ = ("start_instant", "start_date", "end_instant", "end_date")
        START_INSTANT_FIELD_NUMBER: _ClassVar[int]
        START_DATE_FIELD_NUMBER: _ClassVar[int]
        END_INSTANT_FIELD_NUMBER: _ClassVar[int]
        END_DATE_FIELD_NUMBER: _ClassVar[int]
        start_instant: _timestamp_pb2.Timestamp
        start_date: _value_pb2.Date
        end_instant: _timestamp_pb2.Timestamp
        end_date: _value_pb2.Date
        def __init__(self, start_instant: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_date: _Optional[_Union[_value_pb2.Date, _Mapping]] = ..., end_instant: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_date: _Optional[_Union[_value_pb2.Date, _Mapping]] = ...) -> None: ...
    class Calendar(_message.Message):
        __slots__ = ("shift", "unit", "zone")
        SHIFT_FIELD_NUMBER: _ClassVar[int]
        UNIT_FIELD_NUMBER: _ClassVar[int]
        ZONE_FIELD_NUMBER: _ClassVar[int]
        shift: CalendarShift
        unit: CalendarUnit
        zone: str
        def __init__(self, shift: _Optional[_Union[CalendarShift, str]] = ..., unit: _Optional[_Union[CalendarUnit, str]] = ..., zone: _Optional[str] = ...) -> None: ...
    class CalendarLast(_message.Message):
        __slots__ = ("count", "unit", "zone")
        COUNT_FIELD_NUMBER: _ClassVar[int]
        UNIT_FIELD_NUMBER: _ClassVar[int]
        ZONE_FIELD_NUMBER: _ClassVar[int]
        count: int
        unit: CalendarUnit
        zone: str
        def __init__(self, count: _Optional[int] = ..., unit: _Optional[_Union[CalendarUnit, str]] = ..., zone: _Optional[str] = ...) -> None: ...
    WITHIN_LAST_FIELD_NUMBER: _ClassVar[int]
    WITHIN_NEXT_FIELD_NUMBER: _ClassVar[int]
    AGO_FIELD_NUMBER: _ClassVar[int]
    ABSOLUTE_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_LAST_FIELD_NUMBER: _ClassVar[int]
    within_last: Window.WithinLast
    within_next: Window.WithinNext
    ago: Window.Ago
    absolute: Window.Absolute
    calendar: Window.Calendar
    calendar_last: Window.CalendarLast
    def __init__(self, within_last: _Optional[_Union[Window.WithinLast, _Mapping]] = ..., within_next: _Optional[_Union[Window.WithinNext, _Mapping]] = ..., ago: _Optional[_Union[Window.Ago, _Mapping]] = ..., absolute: _Optional[_Union[Window.Absolute, _Mapping]] = ..., calendar: _Optional[_Union[Window.Calendar, _Mapping]] = ..., calendar_last: _Optional[_Union[Window.CalendarLast, _Mapping]] = ...) -> None: ...

class TimeSpan(_message.Message):
    __slots__ = ("count", "unit")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    count: int
    unit: TimeUnit
    def __init__(self, count: _Optional[int] = ..., unit: _Optional[_Union[TimeUnit, str]] = ...) -> None: ...
