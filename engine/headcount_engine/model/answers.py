"""What reads and segment calls take and give. Every answer carries the `version` and the `now_us` it is exact at."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import Cancelled, DeadlineExceeded
from headcount_engine.model.batches import U32, Mask
from headcount_engine.model.schema import AttributeDefinition, PropertyDefinition
from headcount_engine.model.segments import SegmentKind, SegmentState
from headcount_engine.model.values import Cell


@dataclass(frozen=True, slots=True)
class Deadline:
    """When to stop: `at_monotonic` in seconds of time.monotonic(), and a probe that says the caller has gone."""

    at_monotonic: float | None = None
    is_cancelled: Callable[[], bool] | None = None

    def check(self) -> None:
        """Raises DeadlineExceeded or Cancelled; called between blocks and chunks."""
        if self.at_monotonic is not None and time.monotonic() > self.at_monotonic:
            raise DeadlineExceeded
        if self.is_cancelled is not None and self.is_cancelled():
            raise Cancelled


NO_DEADLINE = Deadline()


@dataclass(frozen=True, slots=True)
class Need:
    """What an answer must at least reflect: a commit of the caller's own, an instant; and by when."""

    min_version: int = 0
    min_now_us: int | None = None
    deadline: Deadline = NO_DEADLINE


@dataclass(frozen=True, slots=True)
class CountAnswer:
    """`count` of `total` existing profiles."""

    count: int
    total: int
    version: int
    now_us: int
    engine_us: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class MembersAnswer:
    """`ids`: ascending dense ids, u32."""

    ids: U32
    total: int
    version: int
    now_us: int
    engine_us: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """One profile against several rules, in their order. An unknown profile is in none of them."""

    is_known: bool
    results: tuple[bool, ...]
    version: int
    now_us: int
    engine_us: int


@dataclass(frozen=True, slots=True, eq=False)
class CheckManyAnswer:
    """`is_known`: bool of n; `results`: bool of (n, rules)."""

    is_known: Mask
    results: NDArray[np.bool_]
    version: int
    now_us: int
    engine_us: int


@dataclass(frozen=True, slots=True)
class MembershipsAnswer:
    """Ids of the segments that a profile is in, in the order of their ids."""

    is_known: bool
    segments: tuple[str, ...]
    version: int
    now_us: int
    engine_us: int


@dataclass(frozen=True, slots=True)
class RowsAnswer:
    """Ids of the segments that each of several profiles is in, all of one version; None for an unknown key."""

    rows: tuple[tuple[str, ...] | None, ...]
    version: int
    now_us: int


@dataclass(frozen=True, slots=True)
class EventSummary:
    """How often and when a profile did something, up to the now of the answer; at least once.

    Events that are past the retention of their type count too.
    """

    event: str
    count: int
    first_us: int
    last_us: int


@dataclass(frozen=True, slots=True)
class ProfileAnswer:
    """Everything known of one profile. `id` is its dense id."""

    key: str
    id: int
    attributes: Mapping[str, Cell]
    tags: frozenset[str]
    channels: frozenset[str]
    identifiers: Mapping[str, str]
    version: int
    now_us: int
    events: tuple[EventSummary, ...] = ()
    """In the order of their names; left out where many profiles are read at once."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One node of a rule for one profile: its text, whether it holds, and the value or count behind a leaf.

    `actual` is None for groups, for absent values and for leaves that have no single value (sequences, `same`).
    `flips_at_us` is the instant at which the clock alone changes this node, None if it never does or is not known.
    """

    text: str
    holds: bool
    actual: Cell | None
    children: tuple[Measured, ...] = ()
    flips_at_us: int | None = None
    reads_attribute: bool = False
    """Whether it is a condition on one attribute, which is absent where `actual` is None."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a profile is in or out.

    `decisive`: the texts of a smallest set of leaves that would have to change for the answer to change; none where no
    change of leaves would do. Where a retention then keeps the profile, the answer changes when it is over.
    `flips_at_us`: the instant at which the clock alone changes the answer, None if it never does, provided
    `is_flip_certain` (false where it hangs on too many instants, on others' events, or on a retention of the past).
    """

    holds: bool
    tree: Measured
    decisive: tuple[str, ...]
    flips_at_us: int | None
    is_flip_certain: bool


@dataclass(frozen=True, slots=True)
class ExplainAnswer:
    """None for an unknown profile."""

    explanation: Explanation | None
    version: int
    now_us: int
    engine_us: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sized:
    """One node of a rule with its exact size."""

    text: str
    size: int
    children: tuple[Sized, ...] = ()


@dataclass(frozen=True, slots=True)
class SizesAnswer:
    """The exact size of every node of a rule, all at one version and now."""

    tree: Sized
    total: int
    version: int
    now_us: int
    engine_us: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueChange:
    """Of the profiles with one value of an attribute (None: absent): how many would join and how many leave.

    `total`: how many profiles have it.
    """

    value: str | None
    joins: int
    leaves: int
    total: int


@dataclass(frozen=True, slots=True)
class CompareAnswer:
    """What an edit from one rule to another would change, on today's data.

    `relation`: "equal", "contains" (the old one all of the new), "contained", "disjoint" or "overlapping". `proved`:
    what holds of the two whatever the data and the instant, the first four of these; None if nothing was proved.
    """

    old_size: int
    new_size: int
    joins: int
    leaves: int
    relation: str
    proved: str | None
    by_attribute: Mapping[str, tuple[ValueChange, ...]]
    version: int
    now_us: int
    engine_us: int


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of a plan as carried out. `size` None: it was only counted, or never needed."""

    text: str
    estimated_size: int
    size: int | None
    estimated_us: float
    took_us: float | None
    children: tuple[PlanStep, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaView:
    """All that rules can name. Events are those declared or seen, with the number of events held."""

    attributes: tuple[AttributeDefinition, ...]
    properties: tuple[PropertyDefinition, ...]
    events: Mapping[str, int]
    retentions: Mapping[str, int] = field(default_factory=dict)
    """How long raw events are kept, in microseconds, of the types of which they are not kept for ever."""
    consent_topics: Mapping[str, bool] = field(default_factory=dict)
    """By topic, whether it is opt-in; else no answer counts as a yes."""
    inferred_events: frozenset[str] = frozenset()
    """Those that came with their first event, undeclared."""


@dataclass(frozen=True, slots=True)
class SchemaCounts:
    """How many profiles have each attribute, and did each event up to `now_us`, at one version."""

    attributes: Mapping[str, int]
    events: Mapping[str, int]
    version: int
    now_us: int


@dataclass(frozen=True, slots=True)
class SegmentDraft:
    """A segment to create. An empty `id` is made from the name; `kind` None is data-driven.

    `holding`, for a manual segment: a rule whose members of now it begins with. `source`: where a list comes from.
    """

    name: str
    rule: str = ""
    id: str = ""
    description: str = ""
    folder: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    kind: SegmentKind | None = None
    state: SegmentState = SegmentState.LIVE
    retention_us: int | None = None
    retention_is_for_unknown: bool = False
    source: str = ""
    holding: str = ""


@dataclass(frozen=True, slots=True)
class SegmentChanges:
    """None leaves a field as it is; a retention of 0 takes it away."""

    name: str | None = None
    rule: str | None = None
    description: str | None = None
    folder: str | None = None
    labels: Mapping[str, str] | None = None
    state: SegmentState | None = None
    retention_us: int | None = None
    retention_is_for_unknown: bool | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A saved segment. `rule` is canonical text; `size` is exact at `version` and `now_us`, None if not asked for.

    `legacy_reason`: why it should be looked at again, empty where nothing says so. `references` and `dependents`: ids.
    `warnings`: what the rule should be looked at for, on an answer of its own; on a page there are none.
    """

    id: str
    name: str
    rule: str
    description: str
    folder: str
    labels: Mapping[str, str]
    created_us: int
    updated_us: int
    etag: str
    size: int | None = None
    version: int = 0
    now_us: int = 0
    kind: SegmentKind = SegmentKind.RULE
    state: SegmentState = SegmentState.LIVE
    retention_us: int | None = None
    retention_is_for_unknown: bool = False
    source: str = ""
    legacy_reason: str = ""
    references: tuple[str, ...] = ()
    dependents: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SegmentQuery:
    """Filters all hold together. `folder` takes in the folders below it (`a` those in `a/b`); `label` is `key` or
    `key=value`; `text` is found in id, name or description, any case; no `states` means all but archived ones.

    `order_by`: id, name, size, created or updated, with ` desc` for descending; `page_token` as a page returned it.
    """

    folder: str | None = None
    label: str | None = None
    text: str | None = None
    kind: SegmentKind | None = None
    states: frozenset[SegmentState] = frozenset()
    order_by: str = "name"
    page_size: int = 100
    page_token: str = ""


@dataclass(frozen=True, slots=True)
class SegmentPage:
    segments: tuple[Segment, ...]
    next_page_token: str
    total_size: int
    version: int
    now_us: int


@dataclass(frozen=True, slots=True)
class Status:
    """State of the store in numbers. `memory_bytes` by room; `clock_offset_us` is not 0 for a store set in the past."""

    version: int
    now_us: int
    profiles: int
    events: int
    attributes: int
    event_types: int
    segments: int
    memory_bytes: Mapping[str, int]
    clock_offset_us: int
    event_ids: int
    """Event ids that are known, and would be recognised."""
    known_ids_since_us: int
    """Ids that arrived since are known."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a workspace may choose. `infers_schema`: undeclared names get the type of the first value written."""

    default_zone: str = "UTC"
    week_starts_on: int = 0
    """0 = Monday ... 6 = Sunday."""
    infers_schema: bool = True
    opt_out_topics: frozenset[str] = frozenset()
    """Consent topics for which no record counts as subscribed; all others are opt-in."""
    legacy_before_us: int | None = None
    """Segments created before this instant are marked as legacy."""
