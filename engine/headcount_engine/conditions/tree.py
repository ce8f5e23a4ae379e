"""The condition tree: one small immutable class for each thing a rule can say.

A node is data only. It holds names as written, literals and other nodes; it knows nothing of a schema, of now or of
the data. Equal nodes mean the same, so they can be shared, deduplicated and used as keys. Checks that need nothing
but the node itself happen at construction and raise InvalidRule.

`Condition` is the closed union of all nodes. Code that handles nodes uses `match` ending in `assert_never`, so that
a node somebody forgot is a type error.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal

from headcount_engine.conditions.windows import (
    Calendar,
    CalendarLast,
    CalendarUnit,
    Duration,
    Shift,
    Window,
    WithinNext,
)
from headcount_engine.errors import InvalidRule, LimitExceeded
from headcount_engine.limits import Limits
from headcount_engine.model.values import Date, Instant, Literal, Number, Point


class Op(enum.Enum):
    """Comparisons. NE is the exact complement of EQ, so it holds where the value is absent."""

    __hash__ = object.__hash__  # Rules are keys: the hash of an enum is Python, this one is not.

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class Fold(enum.Enum):
    """What a text comparison ignores."""

    __hash__ = object.__hash__

    NONE = ""
    CASE = "case"
    ACCENTS = "accents"
    """Case and accents."""


class TextOp(enum.Enum):
    CONTAINS = "contains"
    STARTS_WITH = "starts with"
    ENDS_WITH = "ends with"
    GLOB = "glob"
    MATCHES = "matches"


class SetOp(enum.Enum):
    ANY_OF = "any of"
    ALL_OF = "all of"
    NONE_OF = "none of"
    EXACTLY = "exactly"


class Function(enum.Enum):
    """Aggregates over the matching events of one profile."""

    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"
    FIRST = "first"
    LAST = "last"


class End(enum.Enum):
    TOP = "top"
    BOTTOM = "bottom"


# ------------------------------------------------------------------------------------------------ groups


def _check_group(children: tuple[Condition, ...]) -> None:
    if not children:
        raise InvalidRule("a group needs at least one condition")


def _check_k(k: int, children: tuple[Condition, ...]) -> None:
    _check_group(children)
    if not 0 <= k <= len(children):
        raise InvalidRule(f"{k} of {len(children)} conditions can never hold")


@dataclass(frozen=True, slots=True)
class Everyone:
    """`everyone`: all existing profiles."""


@dataclass(frozen=True, slots=True)
class Not:
    """`not x`: everyone outside x."""

    child: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """`a and b`."""

    children: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _check_group(self.children)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`a or b`."""

    children: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _check_group(self.children)


@dataclass(frozen=True, slots=True)
class NoneOf:
    """`none of (a, b)`."""

    children: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _check_group(self.children)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`at least k of (a, b, c)`; equal children count by position, k = 0 is everyone."""

    k: int
    children: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _check_k(self.k, self.children)


@dataclass(frozen=True, slots=True)
class Exactly:
    """`exactly k of (a, b, c)`; equal children count by position."""

    k: int
    children: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _check_k(self.k, self.children)


# ---------------------------------------------------------------------------- leaves on an attribute or property
# The same leaves stand inside `where`, where `attribute` names a property of the event.


@dataclass(frozen=True, slots=True)
class Compare:
    """`age >= 18`, `plan != "pro"`, `signed_up before 2024-01-01` (which is `<` with an instant or date).

    `when_present` makes NE false where the value is absent; with the other operators it changes nothing and is
    refused.
    """

    attribute: str
    op: Op
    operand: Literal
    fold: Fold = Fold.NONE
    when_present: bool = False

    def __post_init__(self) -> None:
        if self.when_present and self.op is not Op.NE:
            raise InvalidRule("`when present` goes with a negative comparison")


@dataclass(frozen=True, slots=True)
class In:
    """`country in ("SE", "NO")` and `not in`; `when_present` as in Compare."""

    attribute: str
    operands: tuple[Literal, ...]
    negated: bool = False
    fold: Fold = Fold.NONE
    when_present: bool = False

    def __post_init__(self) -> None:
        if not self.operands:
            raise InvalidRule("a list needs at least one value")
        if self.when_present and not self.negated:
            raise InvalidRule("`when present` goes with a negative comparison")


def _check_between(low: Literal, high: Literal) -> None:
    match low, high:
        case (Number(a), Number(b)) | (Instant(a), Instant(b)) | (Date(a), Date(b)):
            if a > b:
                raise InvalidRule("`between a and b` needs a <= b")
        case (Instant(), Date()) | (Date(), Instant()):
            pass  # Which is earlier depends on the zone, and is seen where the condition is bound.
        case _:
            raise InvalidRule("`between` takes two numbers, or two dates or instants")


@dataclass(frozen=True, slots=True)
class Between:
    """`age between 18 and 30`: both ends included. Not for texts, booleans or sets."""

    attribute: str
    low: Literal
    high: Literal

    def __post_init__(self) -> None:
        _check_between(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Exists:
    """`email exists`: present and not null."""

    attribute: str


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """`email is empty`: absent, null, "" or []; never 0 or false."""

    attribute: str


@dataclass(frozen=True, slots=True)
class TextMatch:
    """`name contains "ann"`, `name matches "^A"`: over the distinct values of a text, or some element of a set."""

    attribute: str
    op: TextOp
    pattern: str
    fold: Fold = Fold.NONE

    def __post_init__(self) -> None:
        if self.op is TextOp.MATCHES and self.fold is Fold.ACCENTS:
            raise InvalidRule("`matches` cannot ignore accents")


@dataclass(frozen=True, slots=True)
class Semver:
    """`app_version >= semver "1.10.0"`; with EQ the version may be a range (`~1.2.3`, `^1.2.3`, `1.2.*`)."""

    attribute: str
    op: Op
    version: str


@dataclass(frozen=True, slots=True)
class SetMatch:
    """`interests all of ("cars", "golf")`."""

    attribute: str
    op: SetOp
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.values and self.op is not SetOp.EXACTLY:
            raise InvalidRule("a list needs at least one value")


@dataclass(frozen=True, slots=True)
class SizeCompare:
    """`size(interests) >= 3`; false where absent."""

    attribute: str
    op: Op
    size: int


@dataclass(frozen=True, slots=True)
class InWindow:
    """`signed_up in last 30 days`: an instant or date attribute lies in a window."""

    attribute: str
    window: Window


@dataclass(frozen=True, slots=True)
class Anniversary:
    """`birthday anniversary in next 7 days` (tomorrow .. today+n); `in_next_days = 0` is `anniversary today`."""

    attribute: str
    in_next_days: int
    zone: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.in_next_days <= 366:
            raise InvalidRule("an anniversary is at most 366 days ahead")


@dataclass(frozen=True, slots=True)
class HasBeen:
    """`plan has been "onboarding" for at least 7 days` (or, not `at_least`, `for less than`)."""

    attribute: str
    operand: Literal
    at_least: bool
    duration: Duration


@dataclass(frozen=True, slots=True)
class WithinRadius:
    """`location within 10 km of (59.33, 18.07)`: great-circle distance <= `radius_m` metres."""

    attribute: str
    center: Point
    radius_m: Number

    def __post_init__(self) -> None:
        if self.radius_m.value < 0:
            raise InvalidRule("a radius cannot be negative")


@dataclass(frozen=True, slots=True)
class WithinBox:
    """`location within box (south, west) to (north, east)`; west > east crosses the antimeridian."""

    attribute: str
    south_west: Point
    north_east: Point

    def __post_init__(self) -> None:
        if self.south_west.latitude > self.north_east.latitude:
            raise InvalidRule("a box needs its south below its north")


AttributeLeaf = (
    Compare | In | Between | Exists | IsEmpty | TextMatch | Semver | SetMatch | SizeCompare | InWindow
    | Anniversary | HasBeen | WithinRadius | WithinBox
)  # fmt: skip


# ------------------------------------------------------------------------------------------ leaves on the profile


@dataclass(frozen=True, slots=True)
class HasTag:
    """`tag "vip"`."""

    tag: str


@dataclass(frozen=True, slots=True)
class HasChannel:
    """`channel "email"`."""

    channel: str


@dataclass(frozen=True, slots=True)
class HasConsent:
    """`consent "newsletter"`, as the topic's opt-in or opt-out rule says."""

    topic: str


@dataclass(frozen=True, slots=True)
class Known:
    """`known`: has at least one declared identifier."""


@dataclass(frozen=True, slots=True)
class KeyIn:
    """`key = "a"`, `key in ("a", "b")`: the profile's own key."""

    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.keys:
            raise InvalidRule("a list needs at least one value")


@dataclass(frozen=True, slots=True)
class InSegment:
    """`in segment "vip"`: by id or by name."""

    segment: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """`bucket 0.2 to 0.4 salt "spring"`: low <= MD5 bucket of key and salt < high; high = 1 takes all.

    `sample 10% salt "spring"` is the bucket 0 to 0.1.
    """

    low: Decimal
    high: Decimal
    salt: str

    def __post_init__(self) -> None:
        if not 0 <= self.low < self.high <= 1:
            raise InvalidRule("a bucket needs 0 <= low < high <= 1")


@dataclass(frozen=True, slots=True)
class Rank:
    """`top 100 by lifetime_value`, `bottom 10% by x of (rule)`: `amount` profiles, or percent of those ranked."""

    end: End
    amount: Decimal
    is_percent: bool
    attribute: str
    within: Condition | None = None

    def __post_init__(self) -> None:
        if self.is_percent:
            if not 0 < self.amount <= 100:
                raise InvalidRule("a percentage is more than 0 and at most 100")
        elif self.amount < 1 or self.amount != int(self.amount):
            raise InvalidRule("a rank takes a whole number of at least 1")


# ------------------------------------------------------------------------------------------------ leaves on events


class NameKind(enum.Enum):
    EXACT = "exact"
    PREFIX = "prefix"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class EventName:
    """`purchase`, `` `page *` `` (a prefix, `text` without its star) or `any event` (`text` empty)."""

    text: str
    kind: NameKind = NameKind.EXACT


@dataclass(frozen=True, slots=True)
class Events:
    """Which events: `purchase where amount > 50 and sku = "x1"`. All of `where` holds of one event."""

    name: EventName
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class CountRange:
    """A whole number from `low` to `high`, both included; `high` None is unbounded."""

    low: int
    high: int | None

    def __post_init__(self) -> None:
        if self.low < 0 or (self.high is not None and self.high < self.low):
            raise InvalidRule("a count lies between a and b with 0 <= a <= b")

    def __contains__(self, count: int) -> bool:
        return count >= self.low and (self.high is None or count <= self.high)


AT_LEAST_ONCE = CountRange(1, None)
NEVER = CountRange(0, 0)


def _check_events_window(window: Window | None) -> None:
    if isinstance(window, WithinNext):
        raise InvalidRule("events cannot lie in the future: `in next` is for attributes")
    if isinstance(window, Calendar) and window.shift is Shift.NEXT:
        raise InvalidRule(f"events cannot lie in the future: a next {window.unit.value} is for attributes")


@dataclass(frozen=True, slots=True)
class Did:
    """`did purchase at least 2 times where amount > 5 in last 7 days`; `never did x` is the count 0 to 0."""

    events: Events
    count: CountRange = AT_LEAST_ONCE
    window: Window | None = None

    def __post_init__(self) -> None:
        _check_events_window(self.window)


@dataclass(frozen=True, slots=True)
class CompareTest:
    """`> 1000` on an aggregate."""

    op: Op
    operand: Literal


@dataclass(frozen=True, slots=True)
class BetweenTest:
    """`between 10 and 20` on an aggregate, both ends included."""

    low: Literal
    high: Literal

    def __post_init__(self) -> None:
        _check_between(self.low, self.high)


@dataclass(frozen=True, slots=True)
class InTest:
    """`in ("a", "b")` and `not in` on an aggregate."""

    operands: tuple[Literal, ...]
    negated: bool = False

    def __post_init__(self) -> None:
        if not self.operands:
            raise InvalidRule("a list needs at least one value")


ValueTest = CompareTest | BetweenTest | InTest


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`sum(purchase.amount where sku = "x1") > 1000 in last 90 days`.

    sum and distinct of no events are 0; the others match nothing there, NE and `not in` included.
    """

    function: Function
    events: Events
    property: str
    test: ValueTest
    window: Window | None = None

    def __post_init__(self) -> None:
        _check_events_window(self.window)


@dataclass(frozen=True, slots=True)
class ActiveDays:
    """`days(purchase) >= 3 in last 30 days`: distinct calendar days with a match, in `zone` or the workspace's.

    A calendar window is of the same zone: one reader, one calendar.
    """

    events: Events
    count: CountRange
    window: Window | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        _check_events_window(self.window)
        if isinstance(self.window, Calendar | CalendarLast) and self.window.zone != self.zone:
            raise InvalidRule("the days and their calendar window need the same zone")


@dataclass(frozen=True, slots=True)
class Frequency:
    """`did page_view at least 1 times per 7 days in at least 3 of last 4 periods`.

    With a Duration as period, the last `of_last` spans of it back from now; with a calendar unit, the last full ones.
    """

    events: Events
    count: CountRange
    period: Duration | CalendarUnit
    at_least: int
    of_last: int
    zone: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.period, Duration) and self.period.count == 0:
            raise InvalidRule("the period must be more than zero")
        if not 0 <= self.at_least <= self.of_last or self.of_last < 1:
            raise InvalidRule("`at least m of last n periods` needs 0 <= m <= n and n >= 1")
        if self.of_last > 1_000:
            raise InvalidRule("at most 1,000 periods")
        if self.zone is not None and isinstance(self.period, Duration):
            raise InvalidRule("a zone goes with calendar periods")


@dataclass(frozen=True, slots=True)
class FirstTime:
    """`first did purchase in last 30 days`: the first ever match falls in the window."""

    events: Events
    window: Window

    def __post_init__(self) -> None:
        _check_events_window(self.window)


@dataclass(frozen=True, slots=True)
class LastPerformed:
    """`last purchase where kind = "online" has sku = "x1"`: the latest event that passes `where` satisfies `has`."""

    events: Events
    has: Condition


@dataclass(frozen=True, slots=True)
class Sequence:
    """`did A then B within 7 days in last 30 days`; `negated` is `then not B`, `matured` wants its time to be over."""

    first: Events
    then: Events
    within: Duration
    negated: bool = False
    matured: bool = False
    window: Window | None = None

    def __post_init__(self) -> None:
        _check_events_window(self.window)
        if self.matured and not self.negated:
            raise InvalidRule("`matured` goes with `then not`")


@dataclass(frozen=True, slots=True)
class Same:
    """`same offer (did page_view at least 5 times and never did purchase)`: one value of the property for all."""

    property: str
    condition: Condition


EventLeaf = Did | Aggregate | ActiveDays | Frequency | FirstTime | LastPerformed | Sequence
ProfileLeaf = HasTag | HasChannel | HasConsent | Known | KeyIn | InSegment | Bucket | Rank
Group = Not | AllOf | AnyOf | NoneOf | AtLeast | Exactly | Same
Condition = Everyone | Group | AttributeLeaf | ProfileLeaf | EventLeaf


# ------------------------------------------------------------------------------------------------ walking


def children(node: Condition) -> tuple[Condition, ...]:
    """The conditions directly inside a node that are about the profile; none for leaves.

    `where` and `has` speak of an event: see `event_conditions`.
    """
    match node:
        case Not(child):
            return (child,)
        case Same(_, condition):
            return (condition,)
        case AllOf(inner) | AnyOf(inner) | NoneOf(inner) | AtLeast(_, inner) | Exactly(_, inner):
            return inner
        case Rank(within=within) if within is not None:
            return (within,)
        case _:
            return ()


def event_conditions(node: Condition) -> tuple[Condition, ...]:
    """The conditions inside a leaf that are about one event: `where` and `has`."""
    match node:
        case Did() | Aggregate() | ActiveDays() | Frequency() | FirstTime():
            return () if node.events.where is None else (node.events.where,)
        case LastPerformed(events, has):
            return (has,) if events.where is None else (events.where, has)
        case Sequence(first, then):
            return tuple(e.where for e in (first, then) if e.where is not None)
        case _:
            return ()


def walk(root: Condition) -> Iterator[Condition]:
    """Every node under `root`, itself first, conditions on events included. Iterative: any depth is safe."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node) + event_conditions(node)))


def check_size(root: Condition, limits: Limits) -> None:
    """Refuse a tree past the limits on depth, leaves, values and patterns, before anything recurses into it.

    Raises LimitExceeded. One pass over the nodes, no recursion.
    """
    leaves = 0
    stack = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > limits.rule_depth:
            raise LimitExceeded("rule_depth", limits.rule_depth, depth)
        inner = children(node) + event_conditions(node)
        if not children(node):
            leaves += 1
            if leaves > limits.rule_leaves:
                raise LimitExceeded("rule_leaves", limits.rule_leaves)
        for field in fields(node):
            value = getattr(node, field.name)
            if field.name in ("operands", "values", "keys") and len(value) > limits.list_values:
                raise LimitExceeded("list_values", limits.list_values, len(value))
        if isinstance(node, TextMatch) and len(node.pattern.encode()) > limits.pattern_bytes:
            raise LimitExceeded("pattern_bytes", limits.pattern_bytes)
        stack.extend((child, depth + 1) for child in inner)
