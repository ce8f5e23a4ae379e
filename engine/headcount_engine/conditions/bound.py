"""A rule tied to one version of the data and one instant: names are columns, operands are stored values.

Both evaluators read this tree: the set path through `plan`, the one-profile path directly. It stays true as long as
the ReadView it was bound against is pinned.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.spans import Span
from headcount_engine.conditions.tree import CountRange, Function, Op
from headcount_engine.indexes.attributes import AttributeView
from headcount_engine.indexes.events import TypeView
from headcount_engine.indexes.predicates import Predicate

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


# ----------------------------------------------------------------------------------- conditions on one profile


@dataclass(frozen=True, slots=True)
class All:
    """Every existing profile."""


@dataclass(frozen=True, slots=True)
class Given:
    """Profiles that are known beforehand: keys, lists."""

    bitmap: Bitmap


@dataclass(frozen=True, slots=True, eq=False)
class ColumnTest:
    """An attribute's stored value passes a predicate."""

    attribute: AttributeView
    predicate: Predicate


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


@dataclass(frozen=True, slots=True, eq=False)
class TypeSource:
    """One event type with the condition on its events; None: all of them."""

    type: TypeView
    where: EventTest | None


@dataclass(frozen=True, slots=True, eq=False)
class EventCount:
    """How many events of the sources lie in the span: `count.low` to `count.high`."""

    sources: tuple[TypeSource, ...]
    span: Span
    count: CountRange


@dataclass(frozen=True, slots=True)
class NumberTest:
    """An exact comparison with a number: op and operand, or low <= x <= high, or membership."""

    op: Op | None
    operands: tuple[Fraction, ...]
    negated: bool = False

    def __call__(self, value: Fraction | int | float) -> bool:
        exact = Fraction(value)
        match self.op:
            case None:
                return (exact in self.operands) != self.negated
            case Op.EQ:
                return exact == self.operands[0]
            case Op.NE:
                return exact != self.operands[0]
            case Op.LT:
                return exact < self.operands[0]
            case Op.LE:
                return exact <= self.operands[0]
            case Op.GT:
                return exact > self.operands[0]
            case Op.GE:
                if len(self.operands) == 2:
                    return self.operands[0] <= exact <= self.operands[1]
                return exact >= self.operands[0]


@dataclass(frozen=True, slots=True, eq=False)
class EventSum:
    """The sum (or average) of a numeric property over the matching events passes a test.

    `digits` scales whole values: the stored integer is the number times 10**digits. `is_float`: some source is float.
    """

    function: Function
    sources: tuple[TypeSource, ...]
    span: Span
    property: str
    digits: tuple[int, ...]
    """Per source; -1 where the property is a float there."""
    test: NumberTest


Bound = All | Given | ColumnTest | Complement | And | Or | CountOf | EventCount | EventSum
"""The closed union of what the evaluators know."""
