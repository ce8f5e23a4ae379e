"""Groups, and the leaves about the profile itself. One function for each alias in the grammar."""

from __future__ import annotations

from decimal import Decimal

from headcount_engine.conditions.text.lexemes import Lexeme
from headcount_engine.conditions.text.transform.places import (
    at,
    decimal_of,
    op_of,
    refuse,
    scaled,
    text_of,
    texts_of,
    whole_of,
)
from headcount_engine.conditions.tree import (
    AllOf,
    AnyOf,
    AtLeast,
    Bucket,
    Condition,
    End,
    Everyone,
    Exactly,
    HasChannel,
    HasConsent,
    HasTag,
    InSegment,
    KeyIn,
    Known,
    NoneOf,
    Not,
    Op,
    Rank,
    Same,
    walk,
)


def rule(condition: Condition) -> Condition:
    return condition


def event_rule(condition: Condition) -> Condition:
    return condition


def yes() -> bool:
    return True


def no() -> bool:
    return False


def nothing() -> None:
    return None


def any_of(*children: Condition) -> Condition:
    return AnyOf(children)


def all_of(*children: Condition) -> Condition:
    return AllOf(children)


def none_of(*children: Condition) -> Condition:
    return NoneOf(children)


def negate(child: Condition) -> Condition:
    return Not(child)


def at_least(k: Lexeme, *children: Condition) -> Condition:
    with at(k):
        return AtLeast(whole_of(k), children)


def exactly(k: Lexeme, *children: Condition) -> Condition:
    with at(k):
        return Exactly(whole_of(k), children)


def everyone() -> Condition:
    return Everyone()


def known() -> Condition:
    return Known()


def tag(name: Lexeme) -> Condition:
    return HasTag(text_of(name))


def channel(name: Lexeme) -> Condition:
    return HasChannel(text_of(name))


def consent(topic: Lexeme) -> Condition:
    return HasConsent(text_of(topic))


def key_compare(op: Lexeme, key: Lexeme) -> Condition:
    match op_of(op):
        case Op.EQ:
            return KeyIn((text_of(key),))
        case Op.NE:
            return Not(KeyIn((text_of(key),)))
        case _:
            refuse(
                op,
                "keys are compared with `=`, `!=`, `in` and `not in`; an attribute named key takes backticks",
            )


def key_in(keys: Lexeme) -> Condition:
    with at(keys):
        return KeyIn(texts_of(keys))


def key_not_in(keys: Lexeme) -> Condition:
    return Not(key_in(keys))


def in_segment(segment: Lexeme) -> Condition:
    return InSegment(text_of(segment))


def sample(percent: Lexeme, salt: Lexeme) -> Condition:
    share = decimal_of(percent)
    if not 0 < share <= 100:
        refuse(percent, "a sample is more than 0% and at most 100%")
    return Bucket(Decimal(0), scaled(share, -2), text_of(salt))


def bucket(low: Lexeme, high: Lexeme, salt: Lexeme) -> Condition:
    with at(low):
        return Bucket(decimal_of(low), decimal_of(high), text_of(salt))


def top() -> End:
    return End.TOP


def bottom() -> End:
    return End.BOTTOM


def only(value: object) -> object:
    return value


def rank(
    end: End, amount: Lexeme, is_percent: bool, attribute: Lexeme, within: Condition | None
) -> Condition:
    with at(amount):
        return Rank(end, decimal_of(amount), is_percent, text_of(attribute), within)


def same(place: Lexeme, name: Lexeme, condition: Condition) -> Condition:
    if any(isinstance(node, Same) for node in walk(condition)):
        refuse(place, "`same` does not stand inside another `same`")
    return Same(text_of(name), condition)
