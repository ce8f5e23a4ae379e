"""Leaves on an attribute of the profile, or on a property of an event. One function for each alias in the grammar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from headcount_engine.conditions.text.lexemes import Lexeme
from headcount_engine.conditions.text.parts import Modifiers, Predicate, Range, Zone
from headcount_engine.conditions.text.transform.places import (
    at,
    literal_of,
    literals_of,
    moment_of,
    number_of,
    op_of,
    refuse,
    scaled,
    text_of,
    texts_of,
    whole_of,
)
from headcount_engine.conditions.tree import (
    Anniversary,
    Between,
    Compare,
    Condition,
    Exists,
    Fold,
    HasBeen,
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
    WithinBox,
    WithinRadius,
)
from headcount_engine.conditions.windows import Calendar, CalendarLast, Duration, Window
from headcount_engine.model.values import Literal, Number, Point, Text

MOMENT_OPS = {"before": Op.LT, "after": Op.GT, "at or before": Op.LE, "at or after": Op.GE}


def plain_name(name: Lexeme) -> Lexeme:
    if text_of(name).lower().startswith("context."):
        refuse(name, "`context.` is reserved for later; an attribute of that name takes backticks")
    return name


def quoted_name(name: Lexeme) -> Lexeme:
    return name


def attribute_leaf(name: Lexeme, predicate: Predicate) -> Condition:
    with at(name):
        return predicate(text_of(name))


# --------------------------------------------------------------------------------------------------- modifiers


def ignoring_case() -> Modifiers:
    return Modifiers(fold=Fold.CASE)


def ignoring_accents() -> Modifiers:
    return Modifiers(fold=Fold.ACCENTS)


def when_present() -> Modifiers:
    return Modifiers(when_present=True)


def _combined(modifiers: tuple[Modifiers, ...], place: Lexeme) -> Modifiers:
    combined = Modifiers()
    for modifier in modifiers:
        if modifier.when_present:
            if combined.when_present:
                refuse(place, "`when present` is given twice")
            combined = replace(combined, when_present=True)
        else:
            if combined.fold is not Fold.NONE:
                refuse(place, "`ignoring` is given twice; accents include case")
            combined = replace(combined, fold=modifier.fold)
    return combined


def _only_fold(modifiers: tuple[Modifiers, ...], place: Lexeme) -> Fold:
    combined = _combined(modifiers, place)
    if combined.when_present:
        refuse(place, "`when present` goes with `!=` and `not in`")
    return combined.fold


def _check_folded(fold: Fold, operands: tuple[Literal, ...], place: Lexeme) -> None:
    if fold is not Fold.NONE and not all(isinstance(operand, Text) for operand in operands):
        refuse(place, "`ignoring` goes with texts")


# -------------------------------------------------------------------------------------------------- comparisons


def compare(op: Lexeme, operand: Lexeme, *modifiers: Modifiers) -> Predicate:
    combined = _combined(modifiers, operand)
    value = literal_of(operand)
    _check_folded(combined.fold, (value,), operand)
    return lambda name: Compare(name, op_of(op), value, combined.fold, combined.when_present)


def compare_moment(word: str, moment: Lexeme) -> Predicate:
    return lambda name: Compare(name, MOMENT_OPS[word], moment_of(moment))


def _membership(negated: bool) -> Callable[..., Predicate]:
    def build(operands: Lexeme, *modifiers: Modifiers) -> Predicate:
        combined = _combined(modifiers, operands)
        values = literals_of(operands)
        _check_folded(combined.fold, values, operands)

        def predicate(name: str) -> Condition:
            with at(operands):
                return In(name, values, negated, combined.fold, combined.when_present)

        return predicate

    return build


in_list = _membership(negated=False)
not_in_list = _membership(negated=True)


def range_(low: Lexeme, high: Lexeme) -> Range:
    return Range(literal_of(low), literal_of(high), low)


def between(ends: Range) -> Predicate:
    def predicate(name: str) -> Condition:
        with at(ends.place):
            return Between(name, ends.low, ends.high)

    return predicate


def not_between(ends: Range) -> Predicate:
    return _negated(between(ends))


def _negated(predicate: Predicate) -> Predicate:
    return lambda name: Not(predicate(name))


def exists() -> Predicate:
    return Exists


def does_not_exist() -> Predicate:
    return _negated(Exists)


def is_empty() -> Predicate:
    return IsEmpty


def is_not_empty() -> Predicate:
    return _negated(IsEmpty)


# --------------------------------------------------------------------------------------------------------- text


def contains() -> TextOp:
    return TextOp.CONTAINS


def starts_with() -> TextOp:
    return TextOp.STARTS_WITH


def ends_with() -> TextOp:
    return TextOp.ENDS_WITH


def glob() -> TextOp:
    return TextOp.GLOB


def matches() -> TextOp:
    return TextOp.MATCHES


def text_match(op: TextOp, pattern: Lexeme, *modifiers: Modifiers) -> Predicate:
    fold = _only_fold(modifiers, pattern)

    def predicate(name: str) -> Condition:
        with at(pattern):
            return TextMatch(name, op, text_of(pattern), fold)

    return predicate


def no_text_match(op: TextOp, pattern: Lexeme, *modifiers: Modifiers) -> Predicate:
    return _negated(text_match(op, pattern, *modifiers))


def no_glob(pattern: Lexeme, *modifiers: Modifiers) -> Predicate:
    return _negated(text_match(TextOp.GLOB, pattern, *modifiers))


def semver(op: Lexeme, version: Lexeme) -> Predicate:
    def predicate(name: str) -> Condition:
        with at(version):
            return Semver(name, op_of(op), text_of(version))

    return predicate


# --------------------------------------------------------------------------------------------------------- sets


def _set_match(op: SetOp) -> Callable[[Lexeme], Predicate]:
    def build(values: Lexeme) -> Predicate:
        def predicate(name: str) -> Condition:
            with at(values):
                return SetMatch(name, op, texts_of(values))

        return predicate

    return build


set_any = _set_match(SetOp.ANY_OF)
set_all = _set_match(SetOp.ALL_OF)
set_none = _set_match(SetOp.NONE_OF)
set_exactly = _set_match(SetOp.EXACTLY)


def size(_: Lexeme, name: Lexeme, op: Lexeme, count: Lexeme) -> Condition:
    return SizeCompare(text_of(name), op_of(op), whole_of(count))


# ----------------------------------------------------------------------------------------------- time and place


def with_zone(window: Window, zone: Zone | None) -> Window:
    """The window with its zone; only calendar windows have one."""
    if zone is None:
        return window
    if not isinstance(window, Calendar | CalendarLast):
        refuse(
            zone.place,
            "`in zone` follows calendar windows (`today`, `this week`, `in last 3 calendar months`)",
        )
    return replace(window, zone=zone.name)


def in_window(window: Window, zone: Zone | None) -> Predicate:
    placed = with_zone(window, zone)
    return lambda name: InWindow(name, placed)


def anniversary(count: Lexeme, unit: Lexeme, zone: Zone | None) -> Predicate:
    if text_of(unit) not in ("day", "days"):
        refuse(unit, "anniversaries are counted in days")
    days = whole_of(count)
    if days == 0:
        refuse(count, "at least 1 day; for the day itself write `anniversary today`")

    def predicate(name: str) -> Condition:
        with at(count):
            return Anniversary(name, days, zone.name if zone else None)

    return predicate


def anniversary_today(zone: Zone | None) -> Predicate:
    return lambda name: Anniversary(name, 0, zone.name if zone else None)


def has_been(operand: Lexeme, length: Duration) -> Predicate:
    return lambda name: HasBeen(name, literal_of(operand), True, length)


def has_been_less(operand: Lexeme, length: Duration) -> Predicate:
    return lambda name: HasBeen(name, literal_of(operand), False, length)


def kilometres() -> int:
    return 3


def metres() -> int:
    return 0


def within_radius(radius: Lexeme, power: int, center: Lexeme) -> Predicate:
    with at(radius):
        value = number_of(radius).value
        metre_count = Number(value * 10**power if isinstance(value, int) else scaled(value, power))
    point = _point(center)
    return lambda name: WithinRadius(name, point, metre_count)


def within_box(south_west: Lexeme, north_east: Lexeme) -> Predicate:
    low, high = _point(south_west), _point(north_east)

    def predicate(name: str) -> Condition:
        with at(south_west):
            return WithinBox(name, low, high)

    return predicate


def _point(place: Lexeme) -> Point:
    numbers = [Decimal(v.value) for v in literals_of(place) if isinstance(v, Number)]
    if len(numbers) != 2 or len(literals_of(place)) != 2:
        refuse(place, "a point is `(latitude, longitude)`, in degrees")
    if max(abs(n) for n in numbers) > 180:
        refuse(place, "a point is (latitude -90 to 90, longitude -180 to 180)")
    with at(place):
        return Point(float(numbers[0]), float(numbers[1]))
