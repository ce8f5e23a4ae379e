"""Conditions on the profile as such, and groups of conditions."""

from __future__ import annotations

from decimal import Decimal

from headcount.rules.text import (
    Precedence,
    Rule,
    chained,
    checked_rules,
    positive_decimal,
    quoted_name,
    quoted_text,
    whole,
)


def everyone() -> Rule:
    """All profiles."""
    return Rule("everyone")


def known() -> Rule:
    """Those with at least one declared identifier."""
    return Rule("known")


def tag(name: str) -> Rule:
    return Rule(f"tag {quoted_text(name)}")


def channel(name: str) -> Rule:
    """Those reachable by a channel."""
    return Rule(f"channel {quoted_text(name)}")


def consent(topic: str) -> Rule:
    """Those whose consent allows a topic, as its opt-in or opt-out rule says."""
    return Rule(f"consent {quoted_text(topic)}")


def key_in(*keys: str) -> Rule:
    """The profiles with these keys."""
    if len(keys) == 1:
        return Rule(f"key = {quoted_text(keys[0])}", Precedence.COMPARISON)
    checked = [quoted_text(key) for key in keys]
    return Rule(f"key in ({', '.join(checked)})") if checked else ~everyone()


def segment(name: str) -> Rule:
    """The members of a segment, by id."""
    return Rule(f"in segment {quoted_text(name)}")


def sample(percent: int | float | Decimal, salt: str) -> Rule:
    """A fixed share of everyone, the same for the same salt."""
    return Rule(f"sample {positive_decimal(percent)}% salt {quoted_text(salt)}")


def bucket(low: int | float | Decimal, high: int | float | Decimal, salt: str) -> Rule:
    """Those whose number between 0 and 1 under this salt is at least `low` and below `high`."""
    return Rule(f"bucket {positive_decimal(low)} to {positive_decimal(high)} salt {quoted_text(salt)}")


def top(amount: int | float | Decimal, by: str, *, percent: bool = False, of: Rule | None = None) -> Rule:
    """Those with the highest values of an attribute: so many, or so many percent of those who have it.

    Over everyone, or inside `of`.
    """
    return _rank("top", amount, by, percent, of)


def bottom(amount: int | float | Decimal, by: str, *, percent: bool = False, of: Rule | None = None) -> Rule:
    """Those with the lowest values of an attribute; as `top`."""
    return _rank("bottom", amount, by, percent, of)


def _rank(end: str, amount: int | float | Decimal, by: str, percent: bool, of: Rule | None) -> Rule:
    within = "" if of is None else f" of ({of.text})"
    return Rule(f"{end} {positive_decimal(amount)}{'%' if percent else ''} by {quoted_name(by)}{within}")


def all_of(*rules: Rule) -> Rule:
    """Those whom every rule describes."""
    return chained(" and ", rules, Precedence.AND)


def any_of(*rules: Rule) -> Rule:
    """Those whom at least one rule describes."""
    return chained(" or ", rules, Precedence.OR)


def none_of(*rules: Rule) -> Rule:
    """Those whom no rule describes."""
    return Rule(f"none of ({_listed(rules)})")


def at_least(k: int, *rules: Rule) -> Rule:
    """Those whom at least `k` of the rules describe; equal rules count by position."""
    return Rule(f"at least {whole(k, 'k')} of ({_listed(rules)})")


def exactly(k: int, *rules: Rule) -> Rule:
    """Those whom exactly `k` of the rules describe; equal rules count by position."""
    return Rule(f"exactly {whole(k, 'k')} of ({_listed(rules)})")


def same(property: str, rule: Rule) -> Rule:
    """Event conditions that must all hold for one and the same value of a property, such as the same offer."""
    return Rule(f"same {quoted_name(property)} ({rule.text})")


def _listed(rules: tuple[Rule, ...]) -> str:
    return ", ".join(rule.text for rule in checked_rules(rules))
