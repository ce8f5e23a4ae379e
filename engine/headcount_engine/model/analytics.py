"""How segments lie to one another and how their members divide: what is asked and what comes back."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from headcount_engine.model.answers import ProfileAnswer
from headcount_engine.model.batches import F64, I64
from headcount_engine.model.values import Cell

GROUPS_DEFAULT = 20


@dataclass(frozen=True, slots=True, eq=False)
class OverlapAnswer:
    """All pairwise intersections of n rules.

    intersections  i64 of (n, n), symmetric: members of rule i and of rule j; on the diagonal the size of each
    rules          the canonical text of each
    """

    rules: tuple[str, ...]
    intersections: I64
    total: int
    version: int
    now_us: int
    engine_us: int
    warnings: tuple[str, ...] = ()

    @property
    def sizes(self) -> I64:
        """i64 of n."""
        return np.ascontiguousarray(np.diagonal(self.intersections))

    def jaccard(self) -> F64:
        """Members of both as a share of the members of either: f64 of (n, n); NaN for two empty rules."""
        either = self.sizes[:, None] + self.sizes[None, :] - self.intersections
        return _ratio(self.intersections, either)

    def lift(self) -> F64:
        """How many times more members two rules share than if they were independent; NaN where one is empty."""
        expected = self.sizes[:, None].astype(np.float64) * self.sizes[None, :]
        return _ratio(self.intersections.astype(np.float64) * self.total, expected)


def _ratio(above: I64 | F64, below: I64 | F64) -> F64:
    found = np.full(above.shape, np.nan)
    np.divide(above, below, out=found, where=below != 0)
    return found


# ------------------------------------------------------------------------------------------------ how members divide


class Step(enum.Enum):
    """Lengths of a calendar step."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class EqualWidth:
    """`count` ranges of one width from the least to the greatest value of the members (fewer if those lie close)."""

    count: int


@dataclass(frozen=True, slots=True)
class Quantiles:
    """`count` ranges that hold about as many members each; equal values stay together."""

    count: int


@dataclass(frozen=True, slots=True)
class Edges:
    """Ranges between ascending edges, each from one edge to before the next, and what lies outside on either side."""

    edges: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class CalendarSteps:
    """Days, weeks, months, quarters or years of instants and dates. `zone` None: the workspace's; dates have none."""

    step: Step
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class EachValue:
    """Single values, the most frequent ones, also of numbers and instants that have many."""


Bins = EqualWidth | Quantiles | Edges | CalendarSteps | EachValue


@dataclass(frozen=True, slots=True)
class ByAttribute:
    """The values of an attribute, or its ranges.

    Without `bins`: single values, but of numbers, instants and dates of which the members have more than `limit`
    different ones; those come in ranges of equal width, or in calendar steps.
    """

    name: str
    bins: Bins | None = None
    limit: int = GROUPS_DEFAULT


@dataclass(frozen=True, slots=True)
class ByEventCount:
    """How often an event happened, 0 included."""

    event: str
    bins: Bins | None = None
    limit: int = GROUPS_DEFAULT


class Belonging(enum.Enum):
    """Things of which a profile may have many: it is then in many groups."""

    TAGS = "tags"
    CHANNELS = "channels"
    SEGMENTS = "segments"
    EVENTS = "events"
    """Event names; who did it at least once."""


@dataclass(frozen=True, slots=True)
class ByBelonging:
    what: Belonging
    limit: int = GROUPS_DEFAULT


By = ByAttribute | ByEventCount | ByBelonging


@dataclass(frozen=True, slots=True)
class Group:
    """Those with one value, or with low <= value < high where `is_range`; None is an end without a bound."""

    value: Cell | None
    high: Cell | None
    is_range: bool
    count: int
    total_count: int
    """The same group among everyone."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """How members divide, beside how everyone does.

    Single values come largest group first, ranges ascending. `other`: those with a value that is in no group given;
    `absent`: those without a value. Each is a count of members and of everyone. Where a profile may be in many groups
    it counts once in `other`.
    """

    by: By
    groups: tuple[Group, ...]
    other: tuple[int, int]
    absent: tuple[int, int]


@dataclass(frozen=True, slots=True)
class BreakdownAnswer:
    """`size` members of `total` profiles, divided in each of the ways asked for.

    `beside`: for each of the rules to compare with, its size and how many members are in it too. `page`: the first
    members by dense id, where they were asked for.
    """

    breakdowns: tuple[Breakdown, ...]
    beside: tuple[tuple[int, int], ...]
    size: int
    total: int
    version: int
    now_us: int
    engine_us: int
    warnings: tuple[str, ...] = ()
    page: tuple[ProfileAnswer, ...] = ()

    def share(self, group: Group) -> float:
        """Of the members, how many are in the group; NaN for no members."""
        return group.count / self.size if self.size else float("nan")

    def lift(self, group: Group) -> float:
        """How many times more frequent the group is among the members than among everyone; NaN if it cannot be said."""
        below = self.size * group.total_count
        return group.count * self.total / below if below else float("nan")


# ----------------------------------------------------------------------------------------- what members have in common


@dataclass(frozen=True, slots=True)
class Trait:
    """Something that members have more often than everyone: its rule, and how many members and profiles have it."""

    rule: str
    count: int
    total_count: int
    lift: float
    weight: int
    """What it adds to the score of who looks like the members: 1,000 times the binary logarithm of the lift."""


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A profile that is no member, and how much it has in common with them."""

    key: str
    score: int


@dataclass(frozen=True, slots=True)
class AffinityAnswer:
    """The traits by lift, greatest first, and who looks like the members, most alike first."""

    traits: tuple[Trait, ...]
    look_alikes: tuple[LookAlike, ...]
    size: int
    total: int
    version: int
    now_us: int
    engine_us: int
    warnings: tuple[str, ...] = ()
