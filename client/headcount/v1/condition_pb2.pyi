import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from headcount.v1 import value_pb2 as _value_pb2
from headcount.v1 import window_pb2 as _window_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Comparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPARISON_UNSPECIFIED: _ClassVar[Comparison]
    COMPARISON_EQ: _ClassVar[Comparison]
    COMPARISON_NE: _ClassVar[Comparison]
    COMPARISON_LT: _ClassVar[Comparison]
    COMPARISON_LE: _ClassVar[Comparison]
    COMPARISON_GT: _ClassVar[Comparison]
    COMPARISON_GE: _ClassVar[Comparison]

class TextFold(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_FOLD_UNSPECIFIED: _ClassVar[TextFold]
    TEXT_FOLD_NONE: _ClassVar[TextFold]
    TEXT_FOLD_CASE: _ClassVar[TextFold]
    TEXT_FOLD_CASE_AND_ACCENTS: _ClassVar[TextFold]

class TextComparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TEXT_COMPARISON_UNSPECIFIED: _ClassVar[TextComparison]
    TEXT_COMPARISON_CONTAINS: _ClassVar[TextComparison]
    TEXT_COMPARISON_STARTS_WITH: _ClassVar[TextComparison]
    TEXT_COMPARISON_ENDS_WITH: _ClassVar[TextComparison]
    TEXT_COMPARISON_GLOB: _ClassVar[TextComparison]
    TEXT_COMPARISON_MATCHES: _ClassVar[TextComparison]

class SetComparison(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SET_COMPARISON_UNSPECIFIED: _ClassVar[SetComparison]
    SET_COMPARISON_ANY_OF: _ClassVar[SetComparison]
    SET_COMPARISON_ALL_OF: _ClassVar[SetComparison]
    SET_COMPARISON_NONE_OF: _ClassVar[SetComparison]
    SET_COMPARISON_EXACTLY: _ClassVar[SetComparison]

class RankEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RANK_END_UNSPECIFIED: _ClassVar[RankEnd]
    RANK_END_TOP: _ClassVar[RankEnd]
    RANK_END_BOTTOM: _ClassVar[RankEnd]

class AggregateFunction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATE_FUNCTION_UNSPECIFIED: _ClassVar[AggregateFunction]
    AGGREGATE_FUNCTION_SUM: _ClassVar[AggregateFunction]
    AGGREGATE_FUNCTION_AVG: _ClassVar[AggregateFunction]
    AGGREGATE_FUNCTION_MIN: _ClassVar[AggregateFunction]
    AGGREGATE_FUNCTION_MAX: _ClassVar[AggregateFunction]
    AGGREGATE_FUNCTION_DISTINCT: _ClassVar[AggregateFunction]
    AGGREGATE_FUNCTION_FIRST: _ClassVar[AggregateFunction]
    AGGREGATE_FUNCTION_LAST: _ClassVar[AggregateFunction]

class EventNameKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_NAME_KIND_UNSPECIFIED: _ClassVar[EventNameKind]
    EVENT_NAME_KIND_EXACT: _ClassVar[EventNameKind]
    EVENT_NAME_KIND_PREFIX: _ClassVar[EventNameKind]
    EVENT_NAME_KIND_ANY: _ClassVar[EventNameKind]
COMPARISON_UNSPECIFIED: Comparison
COMPARISON_EQ: Comparison
COMPARISON_NE: Comparison
COMPARISON_LT: Comparison
COMPARISON_LE: Comparison
COMPARISON_GT: Comparison
COMPARISON_GE: Comparison
TEXT_FOLD_UNSPECIFIED: TextFold
TEXT_FOLD_NONE: TextFold
TEXT_FOLD_CASE: TextFold
TEXT_FOLD_CASE_AND_ACCENTS: TextFold
TEXT_COMPARISON_UNSPECIFIED: TextComparison
TEXT_COMPARISON_CONTAINS: TextComparison
TEXT_COMPARISON_STARTS_WITH: TextComparison
TEXT_COMPARISON_ENDS_WITH: TextComparison
TEXT_COMPARISON_GLOB: TextComparison
TEXT_COMPARISON_MATCHES: TextComparison
SET_COMPARISON_UNSPECIFIED: SetComparison
SET_COMPARISON_ANY_OF: SetComparison
SET_COMPARISON_ALL_OF: SetComparison
SET_COMPARISON_NONE_OF: SetComparison
SET_COMPARISON_EXACTLY: SetComparison
RANK_END_UNSPECIFIED: RankEnd
RANK_END_TOP: RankEnd
RANK_END_BOTTOM: RankEnd
AGGREGATE_FUNCTION_UNSPECIFIED: AggregateFunction
AGGREGATE_FUNCTION_SUM: AggregateFunction
AGGREGATE_FUNCTION_AVG: AggregateFunction
AGGREGATE_FUNCTION_MIN: AggregateFunction
AGGREGATE_FUNCTION_MAX: AggregateFunction
AGGREGATE_FUNCTION_DISTINCT: AggregateFunction
AGGREGATE_FUNCTION_FIRST: AggregateFunction
AGGREGATE_FUNCTION_LAST: AggregateFunction
EVENT_NAME_KIND_UNSPECIFIED: EventNameKind
EVENT_NAME_KIND_EXACT: EventNameKind
EVENT_NAME_KIND_PREFIX: EventNameKind
EVENT_NAME_KIND_ANY: EventNameKind

class Condition(_message.Message):
    __slots__ = ("everyone", "not_of", "all_of", "any_of", "none_of", "at_least", "exactly", "same", "compare", "value_in", "between", "exists", "is_empty", "text_match", "semver", "set_match", "size_compare", "in_window", "anniversary", "has_been", "within_radius", "within_box", "has_tag", "has_channel", "has_consent", "known", "key_in", "in_segment", "bucket", "rank", "did", "aggregate", "active_days", "frequency", "first_time", "last_performed", "sequence", "children")
    class Everyone(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class Not(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class AllOf(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class AnyOf(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class NoneOf(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class AtLeast(_message.Message):
        __slots__ = ("k",)
        K_FIELD_NUMBER: _ClassVar[int]
        k: int
        def __init__(self, k: _Optional[int] = ...) -> None: ...
    class Exactly(_message.Message):
        __slots__ = ("k",)
        K_FIELD_NUMBER: _ClassVar[int]
        k: int
        def __init__(self, k: _Optional[int] = ...) -> None: ...
    class Same(_message.Message):
        __slots__ = ("property",)
        PROPERTY_FIELD_NUMBER: _ClassVar[int]
        property: str
        def __init__(self, property: _Optional[str] = ...) -> None: ...
    class Compare(_message.Message):
        __slots__ = ("attribute", "op", "operand", "fold", "when_present")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        OP_FIELD_NUMBER: _ClassVar[int]
        OPERAND_FIELD_NUMBER: _ClassVar[int]
        FOLD_FIELD_NUMBER: _ClassVar[int]
        WHEN_PRESENT_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        op: Comparison
        operand: Literal
        fold: TextFold
        when_present: bool
        def __init__(self, attribute: _Optional[str] = ..., op: _Optional[_Union[Comparison, str]] = ..., operand: _Optional[_Union[Literal, _Mapping]] = ..., fold: _Optional[_Union[TextFold, str]] = ..., when_present: bool = ...) -> None: ...
    class In(_message.Message):
        __slots__ = ("attribute", "operands", "negated", "fold", "when_present")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        OPERANDS_FIELD_NUMBER: _ClassVar[int]
        NEGATED_FIELD_NUMBER: _ClassVar[int]
        FOLD_FIELD_NUMBER: _ClassVar[int]
        WHEN_PRESENT_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        operands: _containers.RepeatedCompositeFieldContainer[Literal]
        negated: bool
        fold: TextFold
        when_present: bool
        def __init__(self, attribute: _Optional[str] = ..., operands: _Optional[_Iterable[_Union[Literal, _Mapping]]] = ..., negated: bool = ..., fold: _Optional[_Union[TextFold, str]] = ..., when_present: bool = ...) -> None: ...
    class Between(_message.Message):
        __slots__ = ("attribute", "low", "high")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        LOW_FIELD_NUMBER: _ClassVar[int]
        HIGH_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        low: Literal
        high: Literal
        def __init__(self, attribute: _Optional[str] = ..., low: _Optional[_Union[Literal, _Mapping]] = ..., high: _Optional[_Union[Literal, _Mapping]] = ...) -> None: ...
    class Exists(_message.Message):
        __slots__ = ("attribute",)
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        def __init__(self, attribute: _Optional[str] = ...) -> None: ...
    class IsEmpty(_message.Message):
        __slots__ = ("attribute",)
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        def __init__(self, attribute: _Optional[str] = ...) -> None: ...
    class TextMatch(_message.Message):
        __slots__ = ("attribute", "op", "pattern", "fold")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        OP_FIELD_NUMBER: _ClassVar[int]
        PATTERN_FIELD_NUMBER: _ClassVar[int]
        FOLD_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        op: TextComparison
        pattern: str
        fold: TextFold
        def __init__(self, attribute: _Optional[str] = ..., op: _Optional[_Union[TextComparison, str]] = ..., pattern: _Optional[str] = ..., fold: _Optional[_Union[TextFold, str]] = ...) -> None: ...
    class Semver(_message.Message):
        __slots__ = ("attribute", "op", "version")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        OP_FIELD_NUMBER: _ClassVar[int]
        VERSION_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        op: Comparison
        version: str
        def __init__(self, attribute: _Optional[str] = ..., op: _Optional[_Union[Comparison, str]] = ..., version: _Optional[str] = ...) -> None: ...
    class SetMatch(_message.Message):
        __slots__ = ("attribute", "op", "values")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        OP_FIELD_NUMBER: _ClassVar[int]
        VALUES_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        op: SetComparison
        values: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, attribute: _Optional[str] = ..., op: _Optional[_Union[SetComparison, str]] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...
    class SizeCompare(_message.Message):
        __slots__ = ("attribute", "op", "size")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        OP_FIELD_NUMBER: _ClassVar[int]
        SIZE_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        op: Comparison
        size: int
        def __init__(self, attribute: _Optional[str] = ..., op: _Optional[_Union[Comparison, str]] = ..., size: _Optional[int] = ...) -> None: ...
    class InWindow(_message.Message):
        __slots__ = ("attribute", "window")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        WINDOW_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        window: _window_pb2.Window
        def __init__(self, attribute: _Optional[str] = ..., window: _Optional[_Union[_window_pb2.Window, _Mapping]] = ...) -> None: ...
    class Anniversary(_message.Message):
        __slots__ = ("attribute", "in_next_days", "zone")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        IN_NEXT_DAYS_FIELD_NUMBER: _ClassVar[int]
        ZONE_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        in_next_days: int
        zone: str
        def __init__(self, attribute: _Optional[str] = ..., in_next_days: _Optional[int] = ..., zone: _Optional[str] = ...) -> None: ...
    class HasBeen(_message.Message):
        __slots__ = ("attribute", "operand", "at_least", "duration")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        OPERAND_FIELD_NUMBER: _ClassVar[int]
        AT_LEAST_FIELD_NUMBER: _ClassVar[int]
        DURATION_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        operand: Literal
        at_least: bool
        duration: _window_pb2.TimeSpan
        def __init__(self, attribute: _Optional[str] = ..., operand: _Optional[_Union[Literal, _Mapping]] = ..., at_least: bool = ..., duration: _Optional[_Union[_window_pb2.TimeSpan, _Mapping]] = ...) -> None: ...
    class WithinRadius(_message.Message):
        __slots__ = ("attribute", "center", "radius_m")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        CENTER_FIELD_NUMBER: _ClassVar[int]
        RADIUS_M_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        center: _value_pb2.Point
        radius_m: str
        def __init__(self, attribute: _Optional[str] = ..., center: _Optional[_Union[_value_pb2.Point, _Mapping]] = ..., radius_m: _Optional[str] = ...) -> None: ...
    class WithinBox(_message.Message):
        __slots__ = ("attribute", "south_west", "north_east")
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        SOUTH_WEST_FIELD_NUMBER: _ClassVar[int]
        NORTH_EAST_FIELD_NUMBER: _ClassVar[int]
        attribute: str
        south_west: _value_pb2.Point
        north_east: _value_pb2.Point
        def __init__(self, attribute: _Optional[str] = ..., south_west: _Optional[_Union[_value_pb2.Point, _Mapping]] = ..., north_east: _Optional[_Union[_value_pb2.Point, _Mapping]] = ...) -> None: ...
    class HasTag(_message.Message):
        __slots__ = ("tag",)
        TAG_FIELD_NUMBER: _ClassVar[int]
        tag: str
        def __init__(self, tag: _Optional[str] = ...) -> None: ...
    class HasChannel(_message.Message):
        __slots__ = ("channel",)
        CHANNEL_FIELD_NUMBER: _ClassVar[int]
        channel: str
        def __init__(self, channel: _Optional[str] = ...) -> None: ...
    class HasConsent(_message.Message):
        __slots__ = ("topic",)
        TOPIC_FIELD_NUMBER: _ClassVar[int]
        topic: str
        def __init__(self, topic: _Optional[str] = ...) -> None: ...
    class Known(_message.Message):
        __slots__ = ()
        def __init__(self) -> None: ...
    class KeyIn(_message.Message):
        __slots__ = ("keys",)
        KEYS_FIELD_NUMBER: _ClassVar[int]
        keys: _containers.RepeatedScalarFieldContainer[str]
        def __init__(self, keys: _Optional[_Iterable[str]] = ...) -> None: ...
    class InSegment(_message.Message):
        __slots__ = ("segment",)
        SEGMENT_FIELD_NUMBER: _ClassVar[int]
        segment: str
        def __init__(self, segment: _Optional[str] = ...) -> None: ...
    class Bucket(_message.Message):
        __slots__ = ("low", "high", "salt")
        LOW_FIELD_NUMBER: _ClassVar[int]
        HIGH_FIELD_NUMBER: _ClassVar[int]
        SALT_FIELD_NUMBER: _ClassVar[int]
        low: str
        high: str
        salt: str
        def __init__(self, low: _Optional[str] = ..., high: _Optional[str] = ..., salt: _Optional[str] = ...) -> None: ...
    class Rank(_message.Message):
        __slots__ = ("end", "amount", "is_percent", "attribute")
        END_FIELD_NUMBER: _ClassVar[int]
        AMOUNT_FIELD_NUMBER: _ClassVar[int]
        IS_PERCENT_FIELD_NUMBER: _ClassVar[int]
        ATTRIBUTE_FIELD_NUMBER: _ClassVar[int]
        end: RankEnd
        amount: str
        is_percent: bool
        attribute: str
        def __init__(self, end: _Optional[_Union[RankEnd, str]] = ..., amount: _Optional[str] = ..., is_percent: bool = ..., attribute: _Optional[str] = ...) -> None: ...
    class Did(_message.Message):
        __slots__ = ("events", "count", "window")
        EVENTS_FIELD_NUMBER: _ClassVar[int]
        COUNT_FIELD_NUMBER: _ClassVar[int]
        WINDOW_FIELD_NUMBER: _ClassVar[int]
        events: EventPattern
        count: CountRange
        window: _window_pb2.Window
        def __init__(self, events: _Optional[_Union[EventPattern, _Mapping]] = ..., count: _Optional[_Union[CountRange, _Mapping]] = ..., window: _Optional[_Union[_window_pb2.Window, _Mapping]] = ...) -> None: ...
    class Aggregate(_message.Message):
        __slots__ = ("function", "events", "property", "test", "window")
        FUNCTION_FIELD_NUMBER: _ClassVar[int]
        EVENTS_FIELD_NUMBER: _ClassVar[int]
        PROPERTY_FIELD_NUMBER: _ClassVar[int]
        TEST_FIELD_NUMBER: _ClassVar[int]
        WINDOW_FIELD_NUMBER: _ClassVar[int]
        function: AggregateFunction
        events: EventPattern
        property: str
        test: ValueTest
        window: _window_pb2.Window
        def __init__(self, function: _Optional[_Union[AggregateFunction, str]] = ..., events: _Optional[_Union[EventPattern, _Mapping]] = ..., property: _Optional[str] = ..., test: _Optional[_Union[ValueTest, _Mapping]] = ..., window: _Optional[_Union[_window_pb2.Window, _Mapping]] = ...) -> None: ...
    class ActiveDays(_message.Message):
        __slots__ = ("events", "count", "window", "zone")
        EVENTS_FIELD_NUMBER: _ClassVar[int]
        COUNT_FIELD_NUMBER: _ClassVar[int]
        WINDOW_FIELD_NUMBER: _ClassVar[int]
        ZONE_FIELD_NUMBER: _ClassVar[int]
        events: EventPattern
        count: CountRange
        window: _window_pb2.Window
        zone: str
        def __init__(self, events: _Optional[_Union[EventPattern, _Mapping]] = ..., count: _Optional[_Union[CountRange, _Mapping]] = ..., window: _Optional[_Union[_window_pb2.Window, _Mapping]] = ..., zone: _Optional[str] = ...) -> None: ...
    class Frequency(_message.Message):
        __slots__ = ("events", "count", "span", "calendar_unit", "at_least", "of_last", "zone")
        EVENTS_FIELD_NUMBER: _ClassVar[int]
        COUNT_FIELD_NUMBER: _ClassVar[int]
        SPAN_FIELD_NUMBER: _ClassVar[int]
        CALENDAR_UNIT_FIELD_NUMBER: _ClassVar[int]
        AT_LEAST_FIELD_NUMBER: _ClassVar[int]
        OF_LAST_FIELD_NUMBER: _ClassVar[int]
        ZONE_FIELD_NUMBER: _ClassVar[int]
        events: EventPattern
        count: CountRange
        span: _window_pb2.TimeSpan
        calendar_unit: _window_pb2.CalendarUnit
        at_least: int
        of_last: int
        zone: str
        def __init__(self, events: _Optional[_Union[EventPattern, _Mapping]] = ..., count: _Optional[_Union[CountRange, _Mapping]] = ..., span: _Optional[_Union[_window_pb2.TimeSpan, _Mapping]] = ..., calendar_unit: _Optional[_Union[_window_pb2.CalendarUnit, str]] = ..., at_least: _Optional[int] = ..., of_last: _Optional[int] = ..., zone: _Optional[str] = ...) -> None: ...
    class FirstTime(_message.Message):
        __slots__ = ("events", "window")
        EVENTS_FIELD_NUMBER: _ClassVar[int]
        WINDOW_FIELD_NUMBER: _ClassVar[int]
        events: EventPattern
        window: _window_pb2.Window
        def __init__(self, events: _Optional[_Union[EventPattern, _Mapping]] = ..., window: _Optional[_Union[_window_pb2.Window, _Mapping]] = ...) -> None: ...
    class LastPerformed(_message.Message):
        __slots__ = ("events", "has")
        EVENTS_FIELD_NUMBER: _ClassVar[int]
        HAS_FIELD_NUMBER: _ClassVar[int]
        events: EventPattern
        has: Condition
        def __init__(self, events: _Optional[_Union[EventPattern, _Mapping]] = ..., has: _Optional[_Union[Condition, _Mapping]] = ...) -> None: ...
    class Sequence(_message.Message):
        __slots__ = ("first", "then", "within", "negated", "matured", "window")
        FIRST_FIELD_NUMBER: _ClassVar[int]
        THEN_FIELD_NUMBER: _ClassVar[int]
        WITHIN_FIELD_NUMBER: _ClassVar[int]
        NEGATED_FIELD_NUMBER: _ClassVar[int]
        MATURED_FIELD_NUMBER: _ClassVar[int]
        WINDOW_FIELD_NUMBER: _ClassVar[int]
        first: EventPattern
        then: EventPattern
        within: _window_pb2.TimeSpan
        negated: bool
        matured: bool
        window: _window_pb2.Window
        def __init__(self, first: _Optional[_Union[EventPattern, _Mapping]] = ..., then: _Optional[_Union[EventPattern, _Mapping]] = ..., within: _Optional[_Union[_window_pb2.TimeSpan, _Mapping]] = ..., negated: bool = ..., matured: bool = ..., window: _Optional[_Union[_window_pb2.Window, _Mapping]] = ...) -> None: ...
    EVERYONE_FIELD_NUMBER: _ClassVar[int]
    NOT_OF_FIELD_NUMBER: _ClassVar[int]
    ALL_OF_FIELD_NUMBER: _ClassVar[int]
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    NONE_OF_FIELD_NUMBER: _ClassVar[int]
    AT_LEAST_FIELD_NUMBER: _ClassVar[int]
    EXACTLY_FIELD_NUMBER: _ClassVar[int]
    SAME_FIELD_NUMBER: _ClassVar[int]
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    VALUE_IN_FIELD_NUMBER: _ClassVar[int]
    BETWEEN_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    IS_EMPTY_FIELD_NUMBER: _ClassVar[int]
    TEXT_MATCH_FIELD_NUMBER: _ClassVar[int]
    SEMVER_FIELD_NUMBER: _ClassVar[int]
    SET_MATCH_FIELD_NUMBER: _ClassVar[int]
    SIZE_COMPARE_FIELD_NUMBER: _ClassVar[int]
    IN_WINDOW_FIELD_NUMBER: _ClassVar[int]
    ANNIVERSARY_FIELD_NUMBER: _ClassVar[int]
    HAS_BEEN_FIELD_NUMBER: _ClassVar[int]
    WITHIN_RADIUS_FIELD_NUMBER: _ClassVar[int]
    WITHIN_BOX_FIELD_NUMBER: _ClassVar[int]
    HAS_TAG_FIELD_NUMBER: _ClassVar[int]
    HAS_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    HAS_CONSENT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    KEY_IN_FIELD_NUMBER: _ClassVar[int]
    IN_SEGMENT_FIELD_NUMBER: _ClassVar[int]
    BUCKET_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    DID_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_DAYS_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_PERFORMED_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    everyone: Condition.Everyone
    not_of: Condition.Not
    all_of: Condition.AllOf
    any_of: Condition.AnyOf
    none_of: Condition.NoneOf
    at_least: Condition.AtLeast
    exactly: Condition.Exactly
    same: Condition.Same
    compare: Condition.Compare
    value_in: Condition.In
    between: Condition.Between
    exists: Condition.Exists
    is_empty: Condition.IsEmpty
    text_match: Condition.TextMatch
    semver: Condition.Semver
    set_match: Condition.SetMatch
    size_compare: Condition.SizeCompare
    in_window: Condition.InWindow
    anniversary: Condition.Anniversary
    has_been: Condition.HasBeen
    within_radius: Condition.WithinRadius
    within_box: Condition.WithinBox
    has_tag: Condition.HasTag
    has_channel: Condition.HasChannel
    has_consent: Condition.HasConsent
    known: Condition.Known
    key_in: Condition.KeyIn
    in_segment: Condition.InSegment
    bucket: Condition.Bucket
    rank: Condition.Rank
    did: Condition.Did
    aggregate: Condition.Aggregate
    active_days: Condition.ActiveDays
    frequency: Condition.Frequency
    first_time: Condition.FirstTime
    last_performed: Condition.LastPerformed
    sequence: Condition.Sequence
    children: _containers.RepeatedCompositeFieldContainer[Condition]
    def __init__(self, everyone: _Optional[_Union[Condition.Everyone, _Mapping]] = ..., not_of: _Optional[_Union[Condition.Not, _Mapping]] = ..., all_of: _Optional[_Union[Condition.AllOf, _Mapping]] = ..., any_of: _Optional[_Union[Condition.AnyOf, _Mapping]] = ..., none_of: _Optional[_Union[Condition.NoneOf, _Mapping]] = ..., at_least: _Optional[_Union[Condition.AtLeast, _Mapping]] = ..., exactly: _Optional[_Union[Condition.Exactly, _Mapping]] = ..., same: _Optional[_Union[Condition.Same, _Mapping]] = ..., compare: _Optional[_Union[Condition.Compare, _Mapping]] = ..., value_in: _Optional[_Union[Condition.In, _Mapping]] = ..., between: _Optional[_Union[Condition.Between, _Mapping]] = ..., exists: _Optional[_Union[Condition.Exists, _Mapping]] = ..., is_empty: _Optional[_Union[Condition.IsEmpty, _Mapping]] = ..., text_match: _Optional[_Union[Condition.TextMatch, _Mapping]] = ..., semver: _Optional[_Union[Condition.Semver, _Mapping]] = ..., set_match: _Optional[_Union[Condition.SetMatch, _Mapping]] = ..., size_compare: _Optional[_Union[Condition.SizeCompare, _Mapping]] = ..., in_window: _Optional[_Union[Condition.InWindow, _Mapping]] = ..., anniversary: _Optional[_Union[Condition.Anniversary, _Mapping]] = ..., has_been: _Optional[_Union[Condition.HasBeen, _Mapping]] = ..., within_radius: _Optional[_Union[Condition.WithinRadius, _Mapping]] = ..., within_box: _Optional[_Union[Condition.WithinBox, _Mapping]] = ..., has_tag: _Optional[_Union[Condition.HasTag, _Mapping]] = ..., has_channel: _Optional[_Union[Condition.HasChannel, _Mapping]] = ..., has_consent: _Optional[_Union[Condition.HasConsent, _Mapping]] = ..., known: _Optional[_Union[Condition.Known, _Mapping]] = ..., key_in: _Optional[_Union[Condition.KeyIn, _Mapping]] = ..., in_segment: _Optional[_Union[Condition.InSegment, _Mapping]] = ..., bucket: _Optional[_Union[Condition.Bucket, _Mapping]] = ..., rank: _Optional[_Union[Condition.Rank, _Mapping]] = ..., did: _Optional[_Union[Condition.Did, _Mapping]] = ..., aggregate: _Optional[_Union[Condition.Aggregate, _Mapping]] = ..., active_days: _Optional[_Union[Condition.ActiveDays, _Mapping]] = ..., frequency: _Optional[_Union[Condition.Frequency, _Mapping]] = ..., first_time: _Optional[_Union[Condition.FirstTime, _Mapping]] = ..., last_performed: _Optional[_Union[Condition.LastPerformed, _Mapping]] = ..., sequence: _Optional[_Union[Condition.Sequence, _Mapping]] = ..., children: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ...) -> None: ...

class Literal(_message.Message):
    __slots__ = ("bool_value", "number", "text", "instant", "date")
    BOOL_VALUE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    INSTANT_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    bool_value: bool
    number: str
    text: str
    instant: _timestamp_pb2.Timestamp
    date: _value_pb2.Date
    def __init__(self, bool_value: bool = ..., number: _Optional[str] = ..., text: _Optional[str] = ..., instant: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., date: _Optional[_Union[_value_pb2.Date, _Mapping]] = ...) -> None: ...

class EventPattern(_message.Message):
    __slots__ = ("name_kind", "name", "where")
    NAME_KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    name_kind: EventNameKind
    name: str
    where: Condition
    def __init__(self, name_kind: _Optional[_Union[EventNameKind, str]] = ..., name: _Optional[str] = ..., where: _Optional[_Union[Condition, _Mapping]] = ...) -> None: ...

class CountRange(_message.Message):
    __slots__ = ("low", "high")
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    low: int
    high: int
    def __init__(self, low: _Optional[int] = ..., high: _Optional[int] = ...) -> None: ...

class ValueTest(_message.Message):
    __slots__ = ("compare", "between", "value_in")
    class Compare(_message.Message):
        __slots__ = ("op", "operand")
        OP_FIELD_NUMBER: _ClassVar[int]
        OPERAND_FIELD_NUMBER: _ClassVar[int]
        op: Comparison
        operand: Literal
        def __init__(self, op: _Optional[_Union[Comparison, str]] = ..., operand: _Optional[_Union[Literal, _Mapping]] = ...) -> None: ...
    class Between(_message.Message):
        __slots__ = ("low", "high")
        LOW_FIELD_NUMBER: _ClassVar[int]
        HIGH_FIELD_NUMBER: _ClassVar[int]
        low: Literal
        high: Literal
        def __init__(self, low: _Optional[_Union[Literal, _Mapping]] = ..., high: _Optional[_Union[Literal, _Mapping]] = ...) -> None: ...
    class In(_message.Message):
        __slots__ = ("operands", "negated")
        OPERANDS_FIELD_NUMBER: _ClassVar[int]
        NEGATED_FIELD_NUMBER: _ClassVar[int]
        operands: _containers.RepeatedCompositeFieldContainer[Literal]
        negated: bool
        def __init__(self, operands: _Optional[_Iterable[_Union[Literal, _Mapping]]] = ..., negated: bool = ...) -> None: ...
    COMPARE_FIELD_NUMBER: _ClassVar[int]
    BETWEEN_FIELD_NUMBER: _ClassVar[int]
    VALUE_IN_FIELD_NUMBER: _ClassVar[int]
    compare: ValueTest.Compare
    between: ValueTest.Between
    value_in: ValueTest.In
    def __init__(self, compare: _Optional[_Union[ValueTest.Compare, _Mapping]] = ..., between: _Optional[_Union[ValueTest.Between, _Mapping]] = ..., value_in: _Optional[_Union[ValueTest.In, _Mapping]] = ...) -> None: ...
