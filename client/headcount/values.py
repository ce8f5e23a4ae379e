"""What callers get back: plain, immutable values."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Point:
    """A place on Earth, in degrees north and east."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Identifier:
    """A typed name by which a profile is known besides its key: `Identifier("email", "ann@example.com")`."""

    type: str
    value: str


Cell = bool | int | Decimal | float | str | frozenset[str] | dt.datetime | dt.date | Point | None
"""One value of an attribute or event property. Instants are aware datetimes in UTC; None is an explicit null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What every answer carries: the commit number and the clock it is exact at, and the engine's own time."""

    version: int
    now: dt.datetime
    engine_us: int


@dataclass(frozen=True, slots=True)
class Warning:
    """Something to know about an answer that is right all the same.

    `reason` is a constant for programs, `path` the node of the rule it is about, `suggestions` the nearest names.
    """

    reason: str
    message: str
    path: str = ""
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeSize:
    """The exact size of one node of a rule; `path` leads to it by position from the root."""

    path: str
    text: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Answer):
    """How many, of how many profiles in all. `int(count)` is the number."""

    count: int
    total: int
    node_sizes: tuple[NodeSize, ...] = ()
    warnings: tuple[Warning, ...] = ()

    def __int__(self) -> int:
        return self.count

    __index__ = __int__

    def __str__(self) -> str:
        return f"{self.count:,} of {self.total:,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership(Answer):
    """Which of the segments and rules asked about a profile is in.

    `membership["vip"]` answers by segment id; `rules` holds the answers for the rules, in order.
    """

    key: str
    exists: bool
    segments: Mapping[str, bool]
    rules: tuple[bool, ...] = ()

    def __getitem__(self, segment: str) -> bool:
        return self.segments[segment]

    def __bool__(self) -> bool:
        """In all that was asked about."""
        return all(self.segments.values()) and all(self.rules)


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipTable(Answer):
    """Which profiles are in which segments and rules: a row for each profile, in the order asked.

    `segments` are the ids asked about; questions count through them and then through the rules.
    """

    keys: tuple[str, ...]
    segments: tuple[str, ...]
    rule_count: int
    member_bits: bytes
    exists_bits: bytes

    @property
    def width(self) -> int:
        """Questions for each profile."""
        return len(self.segments) + self.rule_count

    def is_member(self, row: int, question: int = 0) -> bool:
        """Whether the profile at `row` is in the segment or rule at `question`; raises IndexError."""
        if not (0 <= row < len(self.keys) and 0 <= question < self.width):
            raise IndexError(
                f"row {row}, question {question} of {len(self.keys)} rows, {self.width} questions"
            )
        bit = row * self.width + question
        return bool(self.member_bits[bit >> 3] >> (bit & 7) & 1)

    def exists(self, row: int) -> bool:
        """Whether the profile at `row` exists."""
        if not 0 <= row < len(self.keys):
            raise IndexError(f"row {row} of {len(self.keys)}")
        return not self.exists_bits or bool(self.exists_bits[row >> 3] >> (row & 7) & 1)

    def members(self, question: int = 0) -> list[str]:
        """The keys of those who are in, in the order asked."""
        return [key for row, key in enumerate(self.keys) if self.is_member(row, question)]

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Membership]:
        for row, key in enumerate(self.keys):
            held = [self.is_member(row, question) for question in range(self.width)]
            yield Membership(
                version=self.version,
                now=self.now,
                engine_us=self.engine_us,
                key=key,
                exists=self.exists(row),
                segments=dict(zip(self.segments, held, strict=False)),
                rules=tuple(held[len(self.segments) :]),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Memberships(Answer):
    """All segments that a profile is in, by id."""

    segments: tuple[str, ...]

    def __contains__(self, segment: str) -> bool:
        return segment in self.segments

    def __iter__(self) -> Iterator[str]:
        return iter(self.segments)

    def __len__(self) -> int:
        return len(self.segments)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that was not applied: its position from 0, the part at fault, a constant and a sentence.

    `line` is where it begins in a file that was imported, from 1; 0 where there was no file.
    """

    row: int
    field: str
    reason: str
    message: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class SegmentsAfter:
    """The ids of the live segments that the profile of each row is in after a write, in the order of the rows.

    True for one `version` and `now`: those of the write, or newer ones if others wrote meanwhile. Empty for a row whose
    key nobody has.
    """

    version: int
    now: dt.datetime
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteReceipt(Answer):
    """What a write did. It is durable, and visible to reads with `min_version=receipt.version`."""

    accepted_rows: int
    created_profiles: int = 0
    duplicate_events: int = 0
    rejected_rows: tuple[RejectedRow, ...] = ()
    segments: SegmentsAfter | None = None
    """Where the rows led; only with `return_segments`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberReceipt(Answer):
    """What a change of a segment's members did: how many joined or left, and the size afterwards."""

    changed: int
    size: int
    rejected_rows: tuple[RejectedRow, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What a profile answered about a topic, and when."""

    topic: str
    subscribed: bool
    time: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class EventSummary:
    """How often and when a profile did something."""

    event_name: str
    count: int
    first_time: dt.datetime
    last_time: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything known about one person. `id` is the dense number under which the engine keeps it.

    `events` and `segments` are those of a profile asked for by itself; inside a list they are empty.
    """

    key: str
    id: int
    attributes: Mapping[str, Cell]
    tags: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    identifiers: tuple[Identifier, ...] = ()
    consents: tuple[ConsentAnswer, ...] = ()
    events: tuple[EventSummary, ...] = ()
    segments: tuple[str, ...] = ()
    is_known: bool = False


class SegmentKind(enum.Enum):
    """What decides who is in."""

    DATA_DRIVEN = "data-driven"
    """Exactly those who match the rule."""
    MANUAL = "manual"
    """Exactly those who were added."""
    DATA_DRIVEN_WITH_OVERRIDES = "data-driven with overrides"
    """Those who match or were added, without those who were removed."""


class SegmentState(enum.Enum):
    DRAFT = "draft"
    LIVE = "live"
    PAUSED = "paused"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A named audience and its exact size. `rule` is its text, empty for a manual segment."""

    id: str
    display_name: str
    kind: SegmentKind
    state: SegmentState
    size: int
    rule: str = ""
    description: str = ""
    folder: str = ""
    labels: tuple[str, ...] = ()
    retention: dt.timedelta | None = None
    retains_unknown_only: bool = False
    is_legacy: bool = False
    etag: str = ""
    create_time: dt.datetime | None = None
    update_time: dt.datetime | None = None
    references: tuple[str, ...] = ()
    dependents: tuple[str, ...] = ()
    warnings: tuple[Warning, ...] = ()
    version: int = 0
    """The version at which a call answered with it; 0 inside a list."""
    source: str = ""
    """Where a list comes from, such as the name of a CRM."""
    legacy_reason: str = ""
    """Why it should be looked at again."""


@dataclass(frozen=True, slots=True)
class Property:
    """An attribute of profiles or a property of events. `type` is written as `int`, `decimal(2)`, `text`, `set` ..."""

    name: str
    type: str
    tracked: bool = False
    description: str = ""
    is_inferred: bool = False
    profile_count: int = 0


@dataclass(frozen=True, slots=True)
class EventType:
    name: str
    properties: tuple[Property, ...] = ()
    retention: dt.timedelta | None = None
    description: str = ""
    is_inferred: bool = False
    event_count: int = 0
    profile_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema(Answer):
    """What profiles and events may hold. `consent_topics` says by topic whether it is opt-in (else opt-out)."""

    attributes: Mapping[str, Property]
    event_types: Mapping[str, EventType]
    identifier_types: tuple[str, ...]
    consent_topics: Mapping[str, bool]
    tags: tuple[str, ...]
    channels: tuple[str, ...]


class ServingState(enum.Enum):
    LOADING = "loading"
    SERVING = "serving"
    READ_ONLY = "read-only"
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class Checkpoint(Answer):
    """A checkpoint that was made: the version it holds, and its size on disk."""

    checkpoint_version: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class MethodLatency:
    """How long a method took since the server's start, in microseconds."""

    method: str
    calls: int
    errors: int
    p50_us: int
    p99_us: int
    max_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Answer):
    """The server and its engine: sizes, memory by room in bytes, latencies, what is safe on disk."""

    state: ServingState
    profiles: int
    events: int
    segments: int
    attributes: int
    event_types: int
    memory: Mapping[str, int]
    latencies: tuple[MethodLatency, ...]
    durable_version: int
    checkpoint_version: int
    checkpoint_time: dt.datetime | None
    log_bytes: int
    is_stored: bool
    """False: the server keeps everything in memory, and the fields on durability say nothing."""
    store_failure: str
    """Why no more writes are taken; empty while they are."""
    checkpoint_failure: str
    """Why the last automatic checkpoint did not come about; empty if it did."""
    deduplication_horizon: dt.datetime | None
    start_time: dt.datetime | None
    release: str
    semantics_number: int
    tzdata_release: str
    unicode_release: str
