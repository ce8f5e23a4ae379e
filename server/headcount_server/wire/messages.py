"""The generated messages under short names, and how they are read."""

from __future__ import annotations

from typing import Final, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.protobuf.timestamp_pb2 import Timestamp

from headcount.v1 import (
    admin_service_pb2,
    audience_service_pb2,
    change_service_pb2,
    event_service_pb2,
    profile_service_pb2,
    schema_service_pb2,
    segment_service_pb2,
)
from headcount.v1.admin_service_pb2 import (
    DayOfWeek,
    GetSettingsRequest,
    GetStatusRequest,
    MemoryUse,
    MethodLatency,
    ServerStatus,
    ServingState,
    Settings,
    UpdateSettingsRequest,
)
from headcount.v1.audience_service_pb2 import (
    Affinity,
    Audience,
    BatchCheckMembershipRequest,
    BatchCheckMembershipResponse,
    CheckMembershipRequest,
    CheckMembershipResponse,
    CompareRulesRequest,
    CompareRulesResponse,
    CountAudienceRequest,
    CountAudienceResponse,
    CreateAudienceRequest,
    ExplainMembershipRequest,
    ExplainMembershipResponse,
    ExplainPlanRequest,
    ExplainPlanResponse,
    ExportAudienceRequest,
    ExportAudienceResponse,
    ExportFormat,
    FrequencyCap,
    GetAffinityRequest,
    GetBreakdownRequest,
    GetBreakdownResponse,
    GetOverlapRequest,
    Holdout,
    KeepAudienceRequest,
    LimitOrder,
    ListMembershipsRequest,
    ListMembershipsResponse,
    LookAlike,
    MemberForm,
    NodeExplanation,
    Overlap,
    ParseRuleRequest,
    ParseRuleResponse,
    PlanStep,
    PreviewAudienceRequest,
    PreviewAudienceResponse,
    ReadAudienceRequest,
    ReadAudienceResponse,
    RuleRelation,
    StageKind,
    StreamCheckMembershipRequest,
    StreamCheckMembershipResponse,
    Trait,
    WaterfallStage,
)
from headcount.v1.change_service_pb2 import (
    ChangeCause,
    ChangeKind,
    WatchMembershipsRequest,
    WatchMembershipsResponse,
    WatchStart,
)
from headcount.v1.column_pb2 import Column, ConsentColumn, EventBatch, ProfileBatch, TextColumn
from headcount.v1.errors_pb2 import BadRequest, ErrorInfo, RetryInfo, RpcStatus, RuleProblem
from headcount.v1.event_service_pb2 import (
    EventRow,
    IngestStreamRequest,
    IngestStreamResponse,
    TrackEventsRequest,
    TrackEventsResponse,
)
from headcount.v1.profile_service_pb2 import (
    BatchUpsertProfilesRequest,
    BatchUpsertProfilesResponse,
    EraseProfileRequest,
    EraseProfileResponse,
    GetProfileRequest,
    ListProfilesRequest,
    ListProfilesResponse,
    LookupProfilesRequest,
    LookupProfilesResponse,
    MergeProfilesRequest,
    MergeProfilesResponse,
    Profile,
    ProfileRow,
)
from headcount.v1.profile_service_pb2 import Consent as ConsentAnswer
from headcount.v1.rule_pb2 import NodeSize, Rule
from headcount.v1.rule_pb2 import Warning as RuleWarning
from headcount.v1.schema_service_pb2 import (
    Attribute,
    DeclareAttributesRequest,
    DeclareEventsRequest,
    EventProperty,
    EventType,
    GetSchemaRequest,
    Schema,
)
from headcount.v1.segment_service_pb2 import (
    Breakdown,
    BreakdownBins,
    BreakdownBy,
    BreakdownGroup,
    CreateSegmentRequest,
    DeleteSegmentRequest,
    DeleteSegmentResponse,
    DuplicateSegmentRequest,
    GetSegmentRequest,
    GetStatisticsRequest,
    ListSegmentsRequest,
    ListSegmentsResponse,
    Segment,
    SegmentKind,
    SegmentOverlap,
    SegmentState,
    SegmentStatistics,
    SizePoint,
    UpdateSegmentRequest,
)
from headcount.v1.value_pb2 import Date, Identifier, TextSet, Value, ValueType
from headcount.v1.window_pb2 import CalendarUnit
from headcount.v1.write_pb2 import RejectedRow
from headcount_engine.errors import LimitExceeded
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_server.errors import MalformedRequest
from headcount_server.wire.nesting import is_too_deep

__all__ = [
    "SERVICES",
    "Affinity",
    "Attribute",
    "Audience",
    "BadRequest",
    "BatchCheckMembershipRequest",
    "BatchCheckMembershipResponse",
    "BatchUpsertProfilesRequest",
    "BatchUpsertProfilesResponse",
    "Breakdown",
    "BreakdownBins",
    "BreakdownBy",
    "BreakdownGroup",
    "CalendarUnit",
    "ChangeCause",
    "ChangeKind",
    "CheckMembershipRequest",
    "CheckMembershipResponse",
    "Column",
    "CompareRulesRequest",
    "CompareRulesResponse",
    "ConsentAnswer",
    "ConsentColumn",
    "CountAudienceRequest",
    "CountAudienceResponse",
    "CreateAudienceRequest",
    "CreateSegmentRequest",
    "Date",
    "DayOfWeek",
    "DeclareAttributesRequest",
    "DeclareEventsRequest",
    "DeleteSegmentRequest",
    "DeleteSegmentResponse",
    "DuplicateSegmentRequest",
    "Duration",
    "EraseProfileRequest",
    "EraseProfileResponse",
    "ErrorInfo",
    "EventBatch",
    "EventProperty",
    "EventRow",
    "EventType",
    "ExplainMembershipRequest",
    "ExplainMembershipResponse",
    "ExplainPlanRequest",
    "ExplainPlanResponse",
    "ExportAudienceRequest",
    "ExportAudienceResponse",
    "ExportFormat",
    "FrequencyCap",
    "GetAffinityRequest",
    "GetBreakdownRequest",
    "GetBreakdownResponse",
    "GetOverlapRequest",
    "GetProfileRequest",
    "GetSchemaRequest",
    "GetSegmentRequest",
    "GetSettingsRequest",
    "GetStatisticsRequest",
    "GetStatusRequest",
    "Holdout",
    "Identifier",
    "IngestStreamRequest",
    "IngestStreamResponse",
    "KeepAudienceRequest",
    "LimitOrder",
    "ListMembershipsRequest",
    "ListMembershipsResponse",
    "ListProfilesRequest",
    "ListProfilesResponse",
    "ListSegmentsRequest",
    "ListSegmentsResponse",
    "LookAlike",
    "LookupProfilesRequest",
    "LookupProfilesResponse",
    "MemberForm",
    "MemoryUse",
    "MergeProfilesRequest",
    "MergeProfilesResponse",
    "Message",
    "MethodLatency",
    "NodeExplanation",
    "NodeSize",
    "Overlap",
    "ParseRuleRequest",
    "ParseRuleResponse",
    "PlanStep",
    "PreviewAudienceRequest",
    "PreviewAudienceResponse",
    "Profile",
    "ProfileBatch",
    "ProfileRow",
    "ReadAudienceRequest",
    "ReadAudienceResponse",
    "RejectedRow",
    "RetryInfo",
    "RpcStatus",
    "Rule",
    "RuleProblem",
    "RuleRelation",
    "RuleWarning",
    "Schema",
    "Segment",
    "SegmentKind",
    "SegmentOverlap",
    "SegmentState",
    "SegmentStatistics",
    "ServerStatus",
    "ServingState",
    "Settings",
    "SizePoint",
    "StageKind",
    "StreamCheckMembershipRequest",
    "StreamCheckMembershipResponse",
    "TextColumn",
    "TextSet",
    "Timestamp",
    "TrackEventsRequest",
    "TrackEventsResponse",
    "Trait",
    "UpdateSegmentRequest",
    "UpdateSettingsRequest",
    "Value",
    "ValueType",
    "WatchMembershipsRequest",
    "WatchMembershipsResponse",
    "WatchStart",
    "WaterfallStage",
    "parse",
]

SERVICES: Final[tuple[str, ...]] = tuple(
    sorted(
        service.full_name
        for file in (
            admin_service_pb2,
            audience_service_pb2,
            change_service_pb2,
            event_service_pb2,
            profile_service_pb2,
            schema_service_pb2,
            segment_service_pb2,
        )
        for service in file.DESCRIPTOR.services_by_name.values()
    )
)
"""Full names of the services of the contract."""

M = TypeVar("M", bound=Message)


def parse(kind: type[M], payload: bytes) -> M:
    """The message that the bytes are; raises MalformedRequest, or LimitExceeded for a rule nested past any parser."""
    try:
        return kind.FromString(payload)
    except DecodeError:
        if is_too_deep(kind.DESCRIPTOR, payload):
            raise LimitExceeded("rule_depth", DEFAULT_LIMITS.rule_depth) from None
        raise MalformedRequest from None
