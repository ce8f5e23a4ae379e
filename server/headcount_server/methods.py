"""Which method is answered by which handler: the whole served surface on one page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from headcount_server.calls import (
    Method,
    MethodTable,
    Unary,
    bidirectional_stream,
    client_stream,
    server_stream,
    table_of,
    unary,
)
from headcount_server.context import Context, Role
from headcount_server.guards.metrics import Metrics
from headcount_server.phase import PhaseHolder
from headcount_server.repeats import Repeats
from headcount_server.services.admin import Admin
from headcount_server.services.analytics import Analytics
from headcount_server.services.audiences import Audiences
from headcount_server.services.changes import Changes
from headcount_server.services.editing import Editing
from headcount_server.services.elements import Elements
from headcount_server.services.events import Events
from headcount_server.services.lists import Lists
from headcount_server.services.profiles import Profiles
from headcount_server.services.schemas import Schemas
from headcount_server.services.segments import Segments
from headcount_server.services.sending import Sending
from headcount_server.wire import messages as m
from headcount_server.wire.status import ProcessFacts

if TYPE_CHECKING:
    from headcount_engine import Database

_V1 = "/headcount.v1."


def method_table(
    database: Database, phase: PhaseHolder, metrics: Metrics, facts: ProcessFacts
) -> MethodTable:
    """Every method that this release answers."""
    write = _Writes(database)
    return table_of(
        *_schema_methods(write, Schemas(database)),
        *_profile_methods(write, Profiles(database)),
        *_event_methods(write, Events(database)),
        *_segment_methods(write, Segments(database)),
        *_list_methods(write, Lists(database), Elements(database)),
        *_audience_methods(Audiences(database)),
        *_editing_methods(Editing(database)),
        *_sending_methods(write, Sending(database)),
        server_stream(
            f"{_V1}ChangeService/WatchMemberships",
            m.WatchMembershipsRequest,
            m.WatchMembershipsResponse,
            Changes(database, phase).watch,
            is_endless=True,
        ),
        *_analytics_methods(Analytics(database)),
        *_admin_methods(write, Admin(database, phase, metrics, facts)),
    )


def _admin_methods(write: _Writes, admin: Admin) -> tuple[Method, ...]:
    service = f"{_V1}AdminService"
    return (
        unary(f"{service}/GetStatus", m.GetStatusRequest, m.ServerStatus, admin.get_status),
        unary(
            f"{service}/Checkpoint",
            m.CheckpointRequest,
            m.CheckpointResponse,
            admin.checkpoint,
            role=Role.ADMIN,
        ),
        unary(f"{service}/GetSettings", m.GetSettingsRequest, m.Settings, admin.get_settings),
        write(
            f"{service}/UpdateSettings",
            m.UpdateSettingsRequest,
            m.Settings,
            admin.update_settings,
            role=Role.ADMIN,
        ),
    )


def _schema_methods(write: _Writes, schemas: Schemas) -> tuple[Method, ...]:
    service = f"{_V1}SchemaService"
    return (
        unary(f"{service}/GetSchema", m.GetSchemaRequest, m.Schema, schemas.get),
        write(
            f"{service}/DeclareAttributes",
            m.DeclareAttributesRequest,
            m.Schema,
            schemas.declare_attributes,
        ),
        write(
            f"{service}/DeclareEvents",
            m.DeclareEventsRequest,
            m.Schema,
            schemas.declare_events,
        ),
    )


def _profile_methods(write: _Writes, profiles: Profiles) -> tuple[Method, ...]:
    service = f"{_V1}ProfileService"
    return (
        write(
            f"{service}/BatchUpsertProfiles",
            m.BatchUpsertProfilesRequest,
            m.BatchUpsertProfilesResponse,
            profiles.upsert,
            finish=profiles.with_segments,
        ),
        write(
            f"{service}/MergeProfiles",
            m.MergeProfilesRequest,
            m.MergeProfilesResponse,
            profiles.merge,
            finish=profiles.with_survivor,
        ),
        write(f"{service}/EraseProfile", m.EraseProfileRequest, m.EraseProfileResponse, profiles.erase),
        unary(f"{service}/GetProfile", m.GetProfileRequest, m.Profile, profiles.get, is_inline=True),
        unary(f"{service}/ListProfiles", m.ListProfilesRequest, m.ListProfilesResponse, profiles.list),
        unary(
            f"{service}/LookupProfiles", m.LookupProfilesRequest, m.LookupProfilesResponse, profiles.lookup
        ),
    )


def _event_methods(write: _Writes, events: Events) -> tuple[Method, ...]:
    service = f"{_V1}EventService"
    return (
        write(
            f"{service}/TrackEvents",
            m.TrackEventsRequest,
            m.TrackEventsResponse,
            events.track,
            finish=events.with_segments,
        ),
        bidirectional_stream(
            f"{service}/IngestStream",
            m.IngestStreamRequest,
            m.IngestStreamResponse,
            events.ingest,
            role=Role.WRITE,
        ),
    )


def _segment_methods(write: _Writes, segments: Segments) -> tuple[Method, ...]:
    service = f"{_V1}SegmentService"
    return (
        write(f"{service}/CreateSegment", m.CreateSegmentRequest, m.Segment, segments.create),
        unary(f"{service}/GetSegment", m.GetSegmentRequest, m.Segment, segments.get),
        unary(f"{service}/ListSegments", m.ListSegmentsRequest, m.ListSegmentsResponse, segments.list),
        write(f"{service}/UpdateSegment", m.UpdateSegmentRequest, m.Segment, segments.update),
        write(
            f"{service}/DeleteSegment",
            m.DeleteSegmentRequest,
            m.DeleteSegmentResponse,
            segments.delete,
        ),
        write(
            f"{service}/DuplicateSegment",
            m.DuplicateSegmentRequest,
            m.Segment,
            segments.duplicate,
        ),
    )


def _list_methods(write: _Writes, lists: Lists, elements: Elements) -> tuple[Method, ...]:
    service = f"{_V1}SegmentService"
    return (
        write(f"{service}/AddMembers", m.AddMembersRequest, m.AddMembersResponse, lists.add),
        write(f"{service}/RemoveMembers", m.RemoveMembersRequest, m.RemoveMembersResponse, lists.remove),
        client_stream(
            f"{service}/ImportMembers",
            m.ImportMembersRequest,
            m.ImportMembersResponse,
            lists.import_,
            role=Role.WRITE,
        ),
        unary(
            f"{service}/ListTemplates", m.ListTemplatesRequest, m.ListTemplatesResponse, elements.templates
        ),
        unary(
            f"{service}/ListRuleElements",
            m.ListRuleElementsRequest,
            m.ListRuleElementsResponse,
            elements.elements,
        ),
    )


def _audience_methods(audiences: Audiences) -> tuple[Method, ...]:
    service = f"{_V1}AudienceService"
    return (
        unary(f"{service}/CountAudience", m.CountAudienceRequest, m.CountAudienceResponse, audiences.count),
        unary(
            f"{service}/CheckMembership",
            m.CheckMembershipRequest,
            m.CheckMembershipResponse,
            audiences.check,
            is_inline=True,
        ),
        unary(
            f"{service}/BatchCheckMembership",
            m.BatchCheckMembershipRequest,
            m.BatchCheckMembershipResponse,
            audiences.check_many,
        ),
        bidirectional_stream(
            f"{service}/StreamCheckMembership",
            m.StreamCheckMembershipRequest,
            m.StreamCheckMembershipResponse,
            audiences.check_stream,
        ),
        unary(
            f"{service}/ListMemberships",
            m.ListMembershipsRequest,
            m.ListMembershipsResponse,
            audiences.list_memberships,
            is_inline=True,
        ),
    )


def _editing_methods(editing: Editing) -> tuple[Method, ...]:
    service = f"{_V1}AudienceService"
    return (
        unary(
            f"{service}/ExplainMembership",
            m.ExplainMembershipRequest,
            m.ExplainMembershipResponse,
            editing.explain,
        ),
        unary(f"{service}/CompareRules", m.CompareRulesRequest, m.CompareRulesResponse, editing.compare),
        unary(f"{service}/ParseRule", m.ParseRuleRequest, m.ParseRuleResponse, editing.parse),
        unary(f"{service}/ExplainPlan", m.ExplainPlanRequest, m.ExplainPlanResponse, editing.plan),
    )


def _analytics_methods(analytics: Analytics) -> tuple[Method, ...]:
    service = f"{_V1}AudienceService"
    return (
        unary(f"{service}/GetOverlap", m.GetOverlapRequest, m.Overlap, analytics.overlap),
        unary(f"{service}/GetBreakdown", m.GetBreakdownRequest, m.GetBreakdownResponse, analytics.breakdown),
        unary(f"{service}/GetAffinity", m.GetAffinityRequest, m.Affinity, analytics.affinity),
        unary(
            f"{_V1}SegmentService/GetStatistics",
            m.GetStatisticsRequest,
            m.SegmentStatistics,
            analytics.statistics,
        ),
    )


def _sending_methods(write: _Writes, sending: Sending) -> tuple[Method, ...]:
    service = f"{_V1}AudienceService"
    return (
        write(
            f"{service}/CreateAudience", m.CreateAudienceRequest, m.Audience, sending.create, role=Role.READ
        ),
        server_stream(f"{service}/ReadAudience", m.ReadAudienceRequest, m.ReadAudienceResponse, sending.read),
        write(f"{service}/KeepAudience", m.KeepAudienceRequest, m.Segment, sending.keep),
        unary(f"{service}/DeleteAudience", m.DeleteAudienceRequest, m.DeleteAudienceResponse, sending.delete),
        unary(
            f"{service}/PreviewAudience",
            m.PreviewAudienceRequest,
            m.PreviewAudienceResponse,
            sending.preview,
        ),
        server_stream(
            f"{service}/ExportAudience",
            m.ExportAudienceRequest,
            m.ExportAudienceResponse,
            sending.export,
        ),
    )


Request = TypeVar("Request", bound=m.Message)
Answer = TypeVar("Answer", bound=m.Message)


class _Writes:
    """Makes methods that write: under a request id that was carried out, they give the answer they gave then."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(
        self,
        name: str,
        request: type[Request],
        answer: type[Answer],
        handler: Callable[[Request, Context], Answer],
        *,
        role: Role = Role.WRITE,
        finish: Callable[[Answer, Request, Context], Answer] | None = None,
    ) -> Unary:
        """`finish` adds to an answer what is not kept with it."""
        repeats = Repeats(name, answer, self._database)

        def once(message: Request, context: Context) -> Answer:
            request_id: str = getattr(message, "request_id")  # noqa: B009
            kept = repeats.run(message, request_id, context, lambda: handler(message, context))
            return kept if finish is None else finish(kept, message, context)

        return unary(name, request, answer, once, role=role)
