"""A rule tied to one version of the data and one instant: names are columns, operands are stored values.

Both evaluators read this tree: the set path through `plan`, the one-profile path directly. It stays true as long as
the ReadView it was bound against is pinned.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.fields import Field
from headcount_engine.conditions.spans import Span
from headcount_engine.conditions.tree import CountRange, End, Function, Op
from headcount_engine.indexes.attributes import AttributeView
from headcount_engine.indexes.events import TypeView
from headcount_engine.indexes.predicates import Predicate
from headcount_engine.indexes.totals import Totals
from headcount_engine.model.batches import U64

# ----------------------------------------------------------------------------------- conditions on one event


@dataclass(frozen=True, slots=True)
class PropertyTest:
    """A property passes a predicate; an event without it does not."""

    name: str
    predicate: Predicate


@dataclass(frozen=True, slots=True)
class Always:
    """True or false for every event of the type."""

    value: bool


@dataclass(frozen=True, slots=True)
class NotEvent:
    child: EventTest


@dataclass(frozen=True, slots=True)
class CountEvent:
    """From `low` to `high` of the children hold: all, any, none, at least k, exactly k."""

    low: int
    high: int
    children: tuple[EventTest, ...]


EventTest = PropertyTest | Always | NotEvent | CountEvent


def negated(test: EventTest) -> EventTest:
    """The opposite, without a double negation."""
    match test:
        case Always(value):
            return Always(not value)
        case NotEvent(child):
            return child
        case _:
            return NotEvent(test)


def counted(low: int, high: int, tests: list[EventTest]) -> EventTest:
    """From low to high of the tests hold, constants worked out."""
    certain = sum(1 for t in tests if t == Always(True))
    open_tests = tuple(t for t in tests if not isinstance(t, Always))
    low, high = max(low - certain, 0), high - certain
    if high < 0 or low > len(open_tests):
        return Always(False)
    if low == 0 and high >= len(open_tests):
        return Always(True)
    if len(open_tests) == 1:
        return open_tests[0] if low == 1 else negated(open_tests[0])
    return CountEvent(low, high, open_tests)


# ----------------------------------------------------------------------------------- conditions on one profile


@dataclass(frozen=True, slots=True)
class All:
    """Every existing profile."""


@dataclass(frozen=True, slots=True)
class Given:
    """Profiles that are known beforehand: keys, lists, nobody."""

    bitmap: Bitmap


@dataclass(frozen=True, slots=True, eq=False)
class ColumnTest:
    """An attribute's stored value passes a predicate."""

    attribute: AttributeView
    predicate: Predicate


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The first `amount` (or that percentage, rounded up) of those who have the attribute, by value, then by key."""

    attribute: AttributeView
    end: End
    amount: Decimal
    is_percent: bool
    within: Bound | None


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Profiles whose bucket under a salt, times 2**64, is at least `low` and below `high`. `buckets`: u64 by id."""

    buckets: U64
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Complement:
    child: Bound


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Bound, ...]


@dataclass(frozen=True, slots=True)
class CountOf:
    """From `low` to `high` of the children hold; equal children count by position."""

    low: int
    high: int
    children: tuple[Bound, ...]


# ----------------------------------------------------------------------------------- conditions on events


@dataclass(frozen=True, slots=True, eq=False)
class TypeSource:
    """One event type with the condition on its events; None: all of them."""

    type: TypeView
    where: EventTest | None


@dataclass(frozen=True, slots=True, eq=False)
class EventCount:
    """How many events of the sources lie in the span: `count.low` to `count.high`.

    `gone`: events that are no longer kept and count too; they all lie in the span.
    """

    sources: tuple[TypeSource, ...]
    span: Span
    count: CountRange
    gone: tuple[Totals, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberTest:
    """An exact comparison with numbers as written.

    `op` None is membership. With two operands GE is "between". A double is compared with the double that a fraction
    reads as (so that `= 0.1` finds 0.1), everything else exactly.
    """

    op: Op | None
    operands: tuple[Fraction, ...]
    negated: bool = False

    def __call__(self, value: Fraction | int | float) -> bool:
        exact = Fraction(value)
        operands = self.operands
        if isinstance(value, float):
            operands = tuple(o if o.denominator == 1 else Fraction(float(o)) for o in operands)
        match self.op:
            case None:
                return (exact in operands) != self.negated
            case Op.EQ:
                return exact == operands[0]
            case Op.NE:
                return exact != operands[0]
            case Op.LT:
                return exact < operands[0]
            case Op.LE:
                return exact <= operands[0]
            case Op.GT:
                return exact > operands[0]
            case Op.GE:
                if len(operands) == 2:
                    return operands[0] <= exact <= operands[1]
                return exact >= operands[0]


@dataclass(frozen=True, slots=True, eq=False)
class EventSum:
    """The sum (0 for none) or average (of some) of a numeric property over the matching events passes a test.

    `digits`, per source: a stored integer is the number times 10**digits; -1 where the property is a float.
    """

    function: Function
    sources: tuple[TypeSource, ...]
    span: Span
    property: str
    digits: tuple[int, ...]
    test: NumberTest


@dataclass(frozen=True, slots=True, eq=False)
class EventDistinct:
    """How many different values a property has over the matching events. `fields`: the property, per source."""

    sources: tuple[TypeSource, ...]
    span: Span
    property: str
    fields: tuple[Field, ...]
    test: NumberTest


@dataclass(frozen=True, slots=True, eq=False)
class EventDays:
    """On how many calendar days in a zone the matching events lie."""

    sources: tuple[TypeSource, ...]
    span: Span
    zone: str
    count: CountRange


@dataclass(frozen=True, slots=True, eq=False)
class EventExtreme:
    """The latest (or first) of the matching events passes: `passes` per source."""

    sources: tuple[TypeSource, ...]
    passes: tuple[EventTest, ...]
    span: Span
    is_latest: bool


@dataclass(frozen=True, slots=True, eq=False)
class EventSequence:
    """A `first` with a `then` after it within `within_us`; with `is_negated`, one without.

    `first_span` and `then_span` are where each may lie; `ripe_us`: the last instant at which a `first` counts.
    """

    first: tuple[TypeSource, ...]
    then: tuple[TypeSource, ...]
    first_span: Span
    then_span: Span
    within_us: int
    is_negated: bool
    ripe_us: int


@dataclass(frozen=True, slots=True, eq=False)
class Keyed:
    """Some value of a property for which `child` holds, its event leaves seeing only events that carry the value.

    `sources`: every event type that has the property; `fields`: the property in each; `span`: all time up to now.
    """

    property: str
    sources: tuple[TypeSource, ...]
    fields: tuple[Field, ...]
    span: Span
    child: Bound


@dataclass(frozen=True, slots=True, eq=False)
class AboutProfile:
    """Inside `Keyed`: the child sees all events of the profile, not only those that carry the value."""

    child: Bound


EventBound = EventCount | EventSum | EventDistinct | EventDays | EventExtreme | EventSequence
SetLeaf = Given | ColumnTest | Ranked | Sampled | EventBound | Keyed
Bound = All | SetLeaf | Complement | And | Or | CountOf | AboutProfile
"""The closed union of what the evaluators know."""
