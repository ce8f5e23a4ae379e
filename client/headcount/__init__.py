"""The client of Headcount: exact audience counts, memberships and segments, over gRPC.

from headcount import Client, attribute, did

offer = (attribute("lifetime_value") > 25_000) & did("page_view", page="/offer").at_least(5).within(days=7)
with Client("localhost:50051") as headcount:
    print(headcount.count(offer))
"""

from headcount.aio import AsyncClient
from headcount.aio_watching import AsyncMembershipWatch
from headcount.aio_writer import AsyncIngestWriter
from headcount.analytics import (
    BY_CHANNELS,
    BY_EVENTS,
    BY_SEGMENTS,
    BY_TAGS,
    Affinity,
    Breakdown,
    Breakdowns,
    By,
    Overlap,
    SegmentStatistics,
    by_attribute,
    by_event,
)
from headcount.changes import ChangeBatch, ChangeCause, ChangeKind, MembershipChange
from headcount.channel import Tls
from headcount.client import Client, connect
from headcount.editing import Comparison, Explanation, ParsedRule, Plan, Relation
from headcount.errors import (
    Aborted,
    AlreadyExists,
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    HeadcountError,
    InvalidArgument,
    InvalidRule,
    NotFound,
    OutOfRange,
    PermissionDenied,
    ResourceExhausted,
    ServerError,
    Unauthenticated,
    Unavailable,
    Unimplemented,
)
from headcount.rows import Event, EventColumns, ProfileColumns, ProfileUpdate
from headcount.rules import (
    Attribute,
    Rule,
    Window,
    active_days,
    all_of,
    any_of,
    at_least,
    attribute,
    avg_of,
    bottom,
    bucket,
    channel,
    consent,
    count_of,
    did,
    distinct_of,
    everyone,
    exactly,
    first_did,
    first_of,
    key_in,
    known,
    last_event,
    last_of,
    max_of,
    min_of,
    never_did,
    none_of,
    prop,
    raw,
    same,
    sample,
    segment,
    sum_of,
    tag,
    top,
)
from headcount.sending import (
    Audience,
    AudienceName,
    FilePiece,
    FrequencyCap,
    Holdout,
    LimitOrder,
    Members,
    Preview,
    Stage,
    StageKind,
    by_highest,
    by_lowest,
    by_sample,
)
from headcount.values import (
    Answer,
    Count,
    Identifier,
    MemberReceipt,
    Membership,
    Memberships,
    MembershipTable,
    Point,
    Profile,
    RejectedRow,
    Schema,
    Segment,
    SegmentKind,
    SegmentState,
    Status,
    WriteReceipt,
)
from headcount.watching import MembershipWatch
from headcount.wire.ingest import IngestOptions, IngestSummary
from headcount.writer import IngestWriter

__all__ = [
    "BY_CHANNELS", "BY_EVENTS", "BY_SEGMENTS", "BY_TAGS", "Aborted", "Affinity", "AlreadyExists", "Answer",
    "AsyncClient", "AsyncIngestWriter", "AsyncMembershipWatch", "Attribute", "Audience", "AudienceName",
    "Breakdown", "Breakdowns", "By", "Cancelled", "ChangeBatch", "ChangeCause", "ChangeKind", "Client",
    "Comparison", "Count", "DeadlineExceeded", "Event", "EventColumns", "Explanation", "FailedPrecondition",
    "FilePiece", "FrequencyCap", "HeadcountError", "Holdout", "Identifier", "IngestOptions", "IngestSummary",
    "IngestWriter", "InvalidArgument", "InvalidRule", "LimitOrder", "MemberReceipt", "Members", "Membership",
    "MembershipChange", "MembershipTable", "MembershipWatch", "Memberships", "NotFound", "OutOfRange", "Overlap",
    "ParsedRule", "PermissionDenied", "Plan", "Point", "Preview", "Profile", "ProfileColumns", "ProfileUpdate",
    "RejectedRow", "Relation", "ResourceExhausted", "Rule", "Schema", "Segment", "SegmentKind", "SegmentState",
    "SegmentStatistics", "ServerError", "Stage", "StageKind", "Status", "Tls", "Unauthenticated", "Unavailable",
    "Unimplemented", "Window", "WriteReceipt", "active_days", "all_of", "any_of", "at_least", "attribute", "avg_of",
    "bottom", "bucket", "by_attribute", "by_event", "by_highest", "by_lowest", "by_sample", "channel", "connect",
    "consent", "count_of", "did", "distinct_of", "everyone", "exactly", "first_did", "first_of", "key_in", "known",
    "last_event", "last_of", "max_of", "min_of", "never_did", "none_of", "prop", "raw", "same", "sample", "segment",
    "sum_of", "tag", "top",
]  # fmt: skip
