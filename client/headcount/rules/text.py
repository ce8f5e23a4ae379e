"""A rule as the text that the server parses, and how names, texts and values are written in it."""

from __future__ import annotations

import datetime as dt
import enum
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Set
from dataclasses import dataclass
from decimal import Decimal
from typing import NoReturn, TypedDict

from headcount.errors import InvalidArgument

Operand = bool | int | float | Decimal | str | dt.datetime | dt.date
"""A value in a rule. Datetimes must be aware; a date where an instant is meant is that day's start."""


class Precedence(enum.IntEnum):
    """How tightly a rule's text holds together; what is below the level that a place demands gets parentheses."""

    OPEN = 0
    """What comes after it may be taken for a part of it: an event condition with `where`, text written by hand."""
    OR = 1
    AND = 2
    NOT = 3
    LEAF = 4
    COMPARISON = 5
    """A leaf that cannot take a window, so that one may follow it inside `where`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who is meant, as text: `str(rule)` is what the server gets.

    Rules are combined with `&`, `|` and `~`. Python's `and`, `or`, `not` and chained comparisons ask a rule whether it
    is true, which only the server knows, and are refused with TypeError.
    """

    text: str
    precedence: Precedence = Precedence.LEAF

    def __and__(self, other: Rule) -> Rule:
        return chained(" and ", (self, other), Precedence.AND)

    def __or__(self, other: Rule) -> Rule:
        return chained(" or ", (self, other), Precedence.OR)

    def __invert__(self) -> Rule:
        return Rule("not " + enclosed(self, Precedence.NOT), Precedence.NOT)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a rule is neither true nor false here: combine rules with &, | and ~, in parentheses"
        )

    def __str__(self) -> str:
        return self.text


def raw(text: str) -> Rule:
    """A rule written in the rule language, to be combined with others."""
    # A comment would swallow the parenthesis that closes around it.
    return Rule(text + "\n" if "#" in text else text, Precedence.OPEN)


def enclosed(rule: Rule, level: Precedence) -> str:
    """The rule's text, in parentheses unless it holds together at `level`."""
    return rule.text if rule.precedence >= level else f"({rule.text})"


def chained(word: str, rules: Iterable[Rule], level: Precedence) -> Rule:
    """Rules joined by `and` or `or`; a single one stays as it is."""
    parts = checked_rules(rules)
    if len(parts) == 1:
        return parts[0]
    return Rule(word.join(enclosed(rule, level) for rule in parts), level)


def checked_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    parts = tuple(rules)
    if not parts:
        raise refused("a group needs at least one rule")
    part: object
    for part in parts:
        if not isinstance(part, Rule):
            raise refused(f"a rule is expected, got {type(part).__name__}; text goes through raw(...)")
    return parts


def refused(message: str) -> InvalidArgument:
    return InvalidArgument(message, reason="INVALID_RULE")


# ------------------------------------------------------------------------------------------------------- names

_PLAIN = re.compile(r"[A-Za-z_$][A-Za-z0-9_.$]*")

KEYWORDS = frozenset(
    "accents after ago all and anniversary any at avg been before between bottom box bucket by calendar case channel "
    "consent contain contains count day days did distinct does empty end ends event everyone exactly exist exists "
    "false fewer first for from glob has hour hours ignoring in is key km known last least less m match matches "
    "matured max min minute minutes month months more most never next none not of once or per period periods present "
    "quarter quarters salt same sample second seconds segment semver size start starts sum tag than then this time "
    "times to today tomorrow top true week weeks when where with within year years yesterday zone".split()
)
"""Words with a meaning of their own, in any case. As names they stand in backticks."""


def quoted_text(text: object) -> str:
    """A text in double quotes, with the escapes of JSON."""
    if not isinstance(text, str):
        raise refused(f"a text is expected, got {type(text).__name__}")
    return json.dumps(
        text, ensure_ascii=any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)
    )


def backticked(name: str) -> str:
    r"""A name in backticks: the escapes of JSON, with `` \` `` for a backtick and quotes as they are."""
    return "`" + quoted_text(name)[1:-1].replace('\\"', '"').replace("`", "\\`") + "`"


def quoted_name(name: str) -> str:
    """The name of an attribute or property as the language writes it."""
    if not name:
        raise refused("a name is not empty")
    plain = (
        _PLAIN.fullmatch(name) and name.lower() not in KEYWORDS and not name.lower().startswith("context.")
    )
    return name if plain else backticked(name)


def event_name(name: str) -> str:
    """An event's name; `page *` is every name with that beginning, `*` any event."""
    if name == "*":
        return "any event"
    return quoted_name(name)


# ------------------------------------------------------------------------------------------------------ values


def literal(value: object) -> str:
    """A value as the language writes it; raises InvalidArgument for what cannot stand in a rule."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return repr(value)
        case Decimal() if value.is_finite():
            return str(value)
        case str():
            return quoted_text(value)
        case dt.datetime():
            return _instant(value)
        case dt.date():
            return value.isoformat()
        case None:
            raise refused("nothing equals null: ask .exists() or .is_empty()")
        case float() | Decimal():
            raise refused("NaN and infinities are not values")
        case _:
            raise refused(f"a value is expected, got {type(value).__name__}")


def _instant(value: dt.datetime) -> str:
    if value.tzinfo is None:
        raise refused("an instant needs a time zone")
    return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat() + "Z"


def moment(value: object) -> str:
    if not isinstance(value, dt.date):
        raise refused(f"a date or a datetime is expected, got {type(value).__name__}")
    return literal(value)


def value_list(values: Iterable[Operand]) -> str:
    """Values in parentheses; those of a set in the order of their text, so that the same rule has the same text."""
    if isinstance(values, str):
        raise refused("a list of values is expected, not one text")
    texts = [literal(value) for value in values]
    return "(" + ", ".join(sorted(texts) if isinstance(values, Set) else texts) + ")"


def whole(number: object, what: str) -> str:
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise refused(f"{what} is a whole number of at least 0")
    return str(number)


def positive_decimal(number: object) -> str:
    """A number as a JSON number without an exponent."""
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal) or number < 0:
        raise refused("a number of at least 0 is expected")
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if not exact.is_finite():
        raise refused("NaN and infinities are not values")
    return format(exact, "f")


class Span(TypedDict, total=False):
    """A length of time: exactly one of these, a whole number. A day is 86,400 seconds."""

    seconds: int
    minutes: int
    hours: int
    days: int
    weeks: int


SPAN_UNITS = ("seconds", "minutes", "hours", "days", "weeks")


def span_text(span: Span) -> str:
    """`7 days`."""
    if len(span) != 1:
        raise refused("one length of time is expected, such as days=7")
    ((unit, count),) = span.items()
    if unit not in SPAN_UNITS:
        raise refused(f"{unit!r} is not one of {', '.join(SPAN_UNITS)}")
    return f"{whole(count, unit)} {unit}"
