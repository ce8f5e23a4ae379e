"""Types of attribute and property, and the literals that rules compare them with.

Literals are wrapped (`Bool(True)` and `Number(1)` are different things), so that two rules are equal only if they
mean the same.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from decimal import Decimal

from headcount_engine.errors import InvalidValue

DECIMAL_DIGITS_MAX = 6


class Kind(enum.Enum):
    """The nine kinds of value. `DECIMAL` is an int64 scaled by a power of ten, for money."""

    BOOL = "bool"
    INT = "int"
    DECIMAL = "decimal"
    FLOAT = "float"
    TEXT = "text"
    TEXT_SET = "set"
    INSTANT = "instant"
    DATE = "date"
    POINT = "point"


NUMERIC = frozenset({Kind.INT, Kind.DECIMAL, Kind.FLOAT})
TEMPORAL = frozenset({Kind.INSTANT, Kind.DATE})
CODED = frozenset({Kind.BOOL, Kind.TEXT, Kind.TEXT_SET})
"""Kinds whose columns hold codes into a dictionary."""


@dataclass(frozen=True, slots=True)
class ValueType:
    """A kind, and for decimals the number of digits after the point (0 to 6)."""

    kind: Kind
    digits: int = 0

    def __post_init__(self) -> None:
        if self.kind is Kind.DECIMAL:
            if not 0 <= self.digits <= DECIMAL_DIGITS_MAX:
                raise InvalidValue(f"decimal digits must be 0 to {DECIMAL_DIGITS_MAX}, got {self.digits}")
        elif self.digits:
            raise InvalidValue(f"{self.kind.value} takes no digits")

    def __str__(self) -> str:
        return f"decimal({self.digits})" if self.kind is Kind.DECIMAL else self.kind.value

    @staticmethod
    def parse(text: str) -> ValueType:
        """Read `int`, `decimal(2)`, `set` ...; raises InvalidValue."""
        name = text.strip().lower()
        if name.startswith("decimal(") and name.endswith(")") and name[8:-1].strip().isdigit():
            return ValueType(Kind.DECIMAL, int(name[8:-1]))
        for kind in Kind:
            if kind.value == name and kind is not Kind.DECIMAL:
                return ValueType(kind)
        known = ", ".join(k.value if k is not Kind.DECIMAL else "decimal(0..6)" for k in Kind)
        raise InvalidValue(f"unknown type {text!r}; one of {known}")


@dataclass(frozen=True, slots=True)
class Bool:
    value: bool


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number as it was written. Whole numbers are held as int, others as Decimal without trailing zeros."""

    value: int | Decimal

    def __post_init__(self) -> None:
        value = self.value
        if isinstance(value, Decimal):
            if not value.is_finite():
                raise InvalidValue("a number must be finite")
            if abs(value.adjusted()) > 400:
                raise InvalidValue("a number beyond the range of doubles")
            whole = value == value.to_integral_value()
            object.__setattr__(self, "value", int(value) if whole else value.normalize())

    @staticmethod
    def of_float(value: float) -> Number:
        """The number a double prints as; raises InvalidValue for NaN and infinities."""
        if not math.isfinite(value):
            raise InvalidValue("NaN and infinities are not values")
        return Number(Decimal(repr(value)))


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Instant:
    """`us`: microseconds since the Unix epoch, UTC."""

    us: int


@dataclass(frozen=True, slots=True)
class Date:
    """`days`: days since 1970-01-01; a calendar day without a zone."""

    days: int


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees north and east."""

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not (-90 <= self.latitude <= 90 and -180 <= self.longitude <= 180):
            raise InvalidValue("a point is (latitude -90 to 90, longitude -180 to 180)")


Literal = Bool | Number | Text | Instant | Date

Cell = bool | int | Decimal | float | str | frozenset[str] | Instant | Date | Point
"""One attribute or property value as Python holds it; absent is None. Used at the edges, never in bulk."""
