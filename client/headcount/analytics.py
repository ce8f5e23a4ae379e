"""How segments lie to one another and how members divide: what is asked for, and what callers get back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from headcount import values
from headcount.errors import InvalidArgument
from headcount.values import Answer, Cell

Step = Literal["day", "week", "month", "quarter", "year"]
Edge = int | float | Decimal | dt.datetime | dt.date
GROUPS = 20


# ------------------------------------------------------------------------------------------------ overlaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap(Answer):
    """All pairwise intersections of n segments or rules, exactly.

    `labels` are the segment ids and rules as asked, `rules` the canonical text of each. `matrix[i][j]` is how many are
    in both, `matrix[i][i]` the size of one.
    """

    total: int
    labels: tuple[str, ...]
    rules: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    warnings: tuple[values.Warning, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(row[i] for i, row in enumerate(self.matrix))

    def jaccard(self, one: int, other: int) -> float | None:
        """Those in both as a share of those in either; None where nobody is."""
        both = self.matrix[one][other]
        either = self.matrix[one][one] + self.matrix[other][other] - both
        return both / either if either else None

    def lift(self, one: int, other: int) -> float | None:
        """How many times more are in both than if one had nothing to do with the other; None where one is empty."""
        expected = self.matrix[one][one] * self.matrix[other][other]
        return self.matrix[one][other] * self.total / expected if expected else None

    def rule(self, one: int, other: int) -> str:
        """The rule of a cell: who is in both. Any of them can be saved as a segment."""
        if one == other:
            return self.rules[one]
        return f"({self.rules[one]}) and ({self.rules[other]})"


# ------------------------------------------------------------------------------------------ what to divide by


@dataclass(frozen=True, slots=True)
class By:
    """What to break members down by: an attribute or event, or things of which a profile may have many.

    Made with `by_attribute`, `by_event`, or as one of BY_TAGS, BY_CHANNELS, BY_SEGMENTS and BY_EVENTS.
    """

    kind: Literal["attribute", "event_name", "tags", "channels", "segments", "events"]
    name: str = ""
    limit: int = GROUPS
    equal_width: int | None = None
    quantiles: int | None = None
    edges: tuple[Edge, ...] | None = None
    step: Step | None = None
    zone: str = ""
    each_value: bool = False

    def __post_init__(self) -> None:
        given = (self.equal_width, self.quantiles, self.edges, self.step, self.each_value or None)
        if sum(one is not None for one in given) > 1:
            raise InvalidArgument("ranges are cut in one way only", reason="INVALID_BREAKDOWN")
        if self.zone and self.step is None:
            raise InvalidArgument("a zone goes with calendar steps", reason="INVALID_BREAKDOWN")
        if self.limit < 1:
            raise InvalidArgument("at least one group", reason="INVALID_BREAKDOWN")


BY_TAGS = By("tags")
BY_CHANNELS = By("channels")
BY_SEGMENTS = By("segments")
BY_EVENTS = By("events")
"""Who did each event at least once."""


def by_attribute(
    name: str,
    *,
    limit: int = GROUPS,
    equal_width: int | None = None,
    quantiles: int | None = None,
    edges: Sequence[Edge] | None = None,
    step: Step | None = None,
    zone: str = "",
    each_value: bool = False,
) -> By:
    """The values of an attribute, largest groups first, or its ranges.

    Numbers, instants and dates come in ranges if there are more than `limit` different ones: so many of `equal_width`,
    so many `quantiles`, between given `edges`, or in calendar steps (`step`, in a `zone`); `each_value` lists them.
    """
    cut = None if edges is None else tuple(edges)
    return By("attribute", name, limit, equal_width, quantiles, cut, step, zone, each_value)


def by_event(
    name: str,
    *,
    limit: int = GROUPS,
    equal_width: int | None = None,
    quantiles: int | None = None,
    edges: Sequence[Edge] | None = None,
    each_value: bool = False,
) -> By:
    """How often an event happened; as for attributes."""
    cut = None if edges is None else tuple(edges)
    return By("event_name", name, limit, equal_width, quantiles, cut, each_value=each_value)


# ------------------------------------------------------------------------------------------ how members divide


@dataclass(frozen=True, slots=True)
class Group:
    """Those with one value, or in a range from `value` to before `upper`; None is an end without a bound.

    `count` members and `total_count` of everyone. `share` is that of the members; `lift` how many times greater it is
    than that of everyone, None if nobody has it.
    """

    value: Cell
    upper: Cell
    is_range: bool
    count: int
    total_count: int
    share: float | None
    lift: float | None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """How members divide, beside everyone. `other`: those with something in no group given; `absent`: with nothing."""

    by: By
    groups: tuple[Group, ...]
    other: Group
    absent: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdowns(Answer):
    """The members of a rule divided in each of the ways asked for."""

    size: int
    total: int
    breakdowns: tuple[Breakdown, ...]
    warnings: tuple[values.Warning, ...] = ()

    def __getitem__(self, place: int) -> Breakdown:
        return self.breakdowns[place]


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One step of a segment's history: the size at its end, and who came and went in it."""

    start: dt.datetime
    size: int
    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class Beside:
    """Another segment: its size, and how many are in both."""

    segment: str
    size: int
    both: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentStatistics(Answer):
    """A segment in numbers: its size, its history, how its members divide, what it shares with others."""

    size: int
    total: int
    history: tuple[HistoryPoint, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    overlaps: tuple[Beside, ...] = ()


# ------------------------------------------------------------------------------------------ what they have in common


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that members have more often than everyone: its rule, who has it, and what it adds to a score."""

    rule: str
    count: int
    total_count: int
    share: float
    lift: float
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity(Answer):
    """What members have in common, greatest lift first; `look_alikes`: keys of others with much of it, and scores."""

    size: int
    total: int
    traits: tuple[Trait, ...]
    look_alikes: tuple[tuple[str, int], ...] = field(default=())
    warnings: tuple[values.Warning, ...] = ()
