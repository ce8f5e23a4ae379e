"""Tests on stored values in the words of the rule language: codes become texts again, scaled integers numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from decimal import Decimal

from headcount_engine.conditions.spans import DAY_MAX, DAY_MIN
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.text.names import quote_name
from headcount_engine.conditions.tree import (
    AllOf,
    Between,
    Compare,
    Condition,
    Exists,
    Fold,
    HasChannel,
    HasTag,
    In,
    InWindow,
    IsEmpty,
    Not,
    Op,
    Semver,
    SetMatch,
    SetOp,
    SizeCompare,
    TextMatch,
    TextOp,
)
from headcount_engine.conditions.windows import Absolute
from headcount_engine.indexes.attributes import AttributeView, to_cell
from headcount_engine.indexes.predicates import (
    Coded,
    Inside,
    Listed,
    MonthDays,
    Near,
    Nothing,
    Predicate,
    Present,
    Range,
)
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import Bool, Date, Instant, Kind, Literal, Number, Text

_SHOWN = 5
"""Values of a list; of longer ones the first few and how many there are."""
_SET_OPS = {"any": SetOp.ANY_OF, "all": SetOp.ALL_OF, "exactly": SetOp.EXACTLY}
_LEAST, _MOST = -(1 << 63) + 1, (1 << 63) - 1


def wording(attribute: AttributeView, predicate: Predicate) -> str:
    """`country = "SE"`, `age >= 31`, `signed_up before 2024-01-01`."""
    name = attribute.definition.name
    shown = quote_name(name)
    match predicate:
        case Present():
            return to_text(Exists(name))
        case Nothing():
            return f"{shown} is what nobody has"
        case Range(low, high):
            return to_text(_range(attribute, low, high))
        case Listed(values):
            return _list(attribute, values)
        case Coded(key):
            return _table(attribute, key)
        case Near(latitude, longitude, radius_m):
            return f"{shown} within {radius_m:g} m of ({latitude}, {longitude})"
        case Inside(south, west, north, east):
            return f"{shown} within box ({south}, {west}) to ({north}, {east})"
        case MonthDays():
            return f"{shown} anniversary"


def _value(attribute: AttributeView, stored: float) -> Literal:
    cell = to_cell(stored, attribute.definition.type, attribute.dictionary)
    match cell:
        case bool():
            return Bool(cell)
        case str():
            return Text(cell)
        case int():
            return Number(cell)
        case float():
            return Number(Decimal(repr(cell)))
        case Decimal():
            return Number(cell)
        case Instant() | Date():
            return cell
        case _:
            raise AssertionError(f"{attribute.definition.type} has no ranges")


def _range(attribute: AttributeView, low: float, high: float) -> Condition:
    name, kind = attribute.definition.name, attribute.definition.type.kind
    if kind is Kind.TEXT_SET:
        held = to_cell(low, attribute.definition.type, attribute.dictionary)
        assert isinstance(held, frozenset)
        return SetMatch(name, SetOp.EXACTLY, tuple(sorted(held)))
    if low == high:
        return Compare(name, Op.EQ, _value(attribute, low))
    match kind:
        case Kind.INSTANT:
            return _between(name, low, high, INSTANT_MIN_US, INSTANT_MAX_US, Instant)
        case Kind.DATE:
            return _between(name, low, high, DAY_MIN, DAY_MAX, Date)
        case Kind.FLOAT:
            return _doubles(name, low, high)
        case _ if high >= _MOST:
            return Compare(name, Op.GE, _value(attribute, low))
        case _ if low <= _LEAST:
            return Compare(name, Op.LE, _value(attribute, high))
        case _:
            return Between(name, _value(attribute, low), _value(attribute, high))


def _between(
    name: str, low: float, high: float, least: int, most: int, at: Callable[[int], Instant | Date]
) -> Condition:
    """Half-open, as windows are written; an end that is as far as can be is none."""
    start = None if low <= least else at(min(int(low), most))
    end = None if high >= most else at(int(high) + 1)
    return Exists(name) if start is None and end is None else InWindow(name, Absolute(start, end))


def _doubles(name: str, low: float, high: float) -> Condition:
    """Ends next to a shorter number are those of `>` and `<`."""
    tests: list[Condition] = []
    for end, beside, closed, is_open in (
        (low, math.nextafter(low, -math.inf), Op.GE, Op.GT),
        (high, math.nextafter(high, math.inf), Op.LE, Op.LT),
    ):
        if not math.isinf(end):
            is_shorter = not math.isinf(beside) and len(repr(beside)) < len(repr(end))
            tests.append(
                Compare(name, is_open, _double(beside)) if is_shorter else Compare(name, closed, _double(end))
            )
    if len(tests) == 2:
        first, last = tests
        assert isinstance(first, Compare) and isinstance(last, Compare)
        if first.op is Op.GE and last.op is Op.LE:
            return Between(name, first.operand, last.operand)
        return AllOf((first, last))
    return tests[0] if tests else Exists(name)


def _double(value: float) -> Number:
    return Number(Decimal(repr(value)))


def _list(attribute: AttributeView, values: tuple[float, ...]) -> str:
    name = attribute.definition.name
    shown = to_text(In(name, tuple(_value(attribute, value) for value in values[:_SHOWN])))
    return shown if len(values) <= _SHOWN else f"{shown} and {len(values) - _SHOWN:,} more"


def _table(attribute: AttributeView, key: Hashable) -> str:
    """A condition that is decided once for each text or set, by what its table is known by."""
    name = attribute.definition.name
    match key:
        case ("in", tuple(codes)):
            return _list(attribute, codes)
        case (TextOp() as op, str(pattern), Fold() as fold):
            return to_text(TextMatch(name, op, pattern, fold))
        case ("semver", Op() as op, str(version)):
            return to_text(Semver(name, op, version))
        case ("equal", Fold() as fold, (str(wanted),)):
            return to_text(Compare(name, Op.EQ, Text(wanted), fold))
        case ("equal", Fold() as fold, tuple(wanted)):
            return to_text(In(name, tuple(Text(text) for text in wanted), fold=fold))
        case ("size", Op() as op, int(size)):
            return to_text(SizeCompare(name, op, size))
        case ("filled",):
            return to_text(Not(IsEmpty(name)))
        case ("any", (str(element),)) if name == TAGS:
            return to_text(HasTag(element))
        case ("any", (str(element),)) if name == CHANNELS:
            return to_text(HasChannel(element))
        case (str(word), tuple(elements)) if word in _SET_OPS:
            return to_text(SetMatch(name, _SET_OPS[word], elements))
        case _:
            return f"{quote_name(name)} by table"
