"""Writing a condition as text, in one canonical layout.

Parentheses stand where the grammar needs them and wherever a reader could doubt: around an `and` inside an `or` and
the other way round; around the chain after a `where` that something follows; around a leaf that ends in a `where`
when more of the chain follows it.

The recursion is bounded by `Limits.rule_depth`, which `check_size` holds every tree to.
"""

from __future__ import annotations

from typing import assert_never

from headcount_engine.conditions import tree as t
from headcount_engine.conditions.text.literals import (
    amount,
    duration,
    integer,
    literal,
    literals_list,
    names_list,
    point,
    radius,
    window,
    zoned,
)
from headcount_engine.conditions.text.names import backticked, is_keyword, is_plain, quote_name, quote_text
from headcount_engine.conditions.tree import Condition, Op
from headcount_engine.conditions.windows import CalendarUnit, Window
from headcount_engine.model.values import Date, Instant, Literal

_MOMENT_WORDS = {Op.LT: "before", Op.GT: "after", Op.LE: "at or before", Op.GE: "at or after"}
_NEGATED_TEXT = {
    t.TextOp.CONTAINS: "does not contain",
    t.TextOp.STARTS_WITH: "does not start with",
    t.TextOp.ENDS_WITH: "does not end with",
    t.TextOp.GLOB: "not glob",
    t.TextOp.MATCHES: "does not match",
}
_FOLDS = {t.Fold.NONE: "", t.Fold.CASE: " ignoring case", t.Fold.ACCENTS: " ignoring accents"}


def to_text(condition: Condition) -> str:
    """The canonical text of a condition; `parse` gives the same condition back."""
    match condition:
        case t.Everyone():
            return "everyone"
        case t.Not(child):
            return _negation(child)
        case t.AllOf(children):
            return _chain("and", "all of", children)
        case t.AnyOf(children):
            return _chain("or", "any of", children)
        case t.NoneOf(children):
            return f"none of {_group(children)}"
        case t.AtLeast(k, children):
            return f"at least {integer(k)} of {_group(children)}"
        case t.Exactly(k, children):
            return f"exactly {integer(k)} of {_group(children)}"
        case t.Same(name, inner):
            return f"same {quote_name(name)} ({to_text(inner)})"
        case (
            t.Compare() | t.In() | t.Between() | t.Exists() | t.IsEmpty() | t.TextMatch() | t.Semver() | t.SetMatch()
            | t.SizeCompare() | t.InWindow() | t.Anniversary() | t.HasBeen() | t.WithinRadius() | t.WithinBox()
        ):  # fmt: skip
            return _attribute_leaf(condition)
        case (
            t.HasTag() | t.HasChannel() | t.HasConsent() | t.Known() | t.KeyIn() | t.InSegment() | t.Bucket() | t.Rank()
        ):  # fmt: skip
            return _profile_leaf(condition)
        case (
            t.Did() | t.Aggregate() | t.ActiveDays() | t.Frequency() | t.FirstTime() | t.LastPerformed() | t.Sequence()
        ):  # fmt: skip
            return _event_leaf(condition)
        case _:
            assert_never(condition)


# ------------------------------------------------------------------------------------------------------- groups


def _group(children: tuple[Condition, ...]) -> str:
    return f"({', '.join(to_text(child) for child in children)})"


def _chain(word: str, group: str, children: tuple[Condition, ...]) -> str:
    """`a and b and c`; a chain of one keeps its word: `all of (a)`."""
    if len(children) == 1:
        return f"{group} {_group(children)}"
    last = len(children) - 1
    return f" {word} ".join(_link(child, is_last=i == last) for i, child in enumerate(children))


def _link(child: Condition, *, is_last: bool) -> str:
    """One condition of a chain."""
    open_where = _open_where(child)
    if _is_chain(child) or (open_where is not None and (not is_last or _is_chain(open_where))):
        return f"({to_text(child)})"
    return to_text(child)


def _is_chain(condition: Condition) -> bool:
    return isinstance(condition, t.AllOf | t.AnyOf) and len(condition.children) > 1


def _open_where(condition: Condition) -> Condition | None:
    """The condition after a `where` that the text of `condition` ends in, if it does."""
    while isinstance(condition, t.Not):
        condition = condition.child
    match condition:
        case t.Did(window=None):
            return condition.events.where
        case _:
            return None


def _negation(child: Condition) -> str:
    if _is_chain(child):
        return f"not ({to_text(child)})"
    match child:
        case t.Exists(name):
            return f"{quote_name(name)} does not exist"
        case t.IsEmpty(name):
            return f"{quote_name(name)} is not empty"
        case t.Between(name, low, high):
            return f"{quote_name(name)} not between {literal(low)} and {literal(high)}"
        case t.TextMatch(name, op, pattern, fold):
            return f"{quote_name(name)} {_NEGATED_TEXT[op]} {quote_text(pattern)}{_FOLDS[fold]}"
        case t.KeyIn(keys):
            return f"key != {quote_text(keys[0])}" if len(keys) == 1 else f"key not in {names_list(keys)}"
        case _:
            return f"not {to_text(child)}"


# ------------------------------------------------------------------------------------------ attributes, profiles


def _comparison(op: Op, operand: Literal) -> str:
    if isinstance(operand, Instant | Date) and op in _MOMENT_WORDS:
        return f"{_MOMENT_WORDS[op]} {literal(operand)}"
    return f"{op.value} {literal(operand)}"


def _attribute_leaf(leaf: t.AttributeLeaf) -> str:
    name = quote_name(leaf.attribute)
    match leaf:
        case t.Compare(_, op, operand, fold, when_present):
            return f"{name} {_comparison(op, operand)}{_FOLDS[fold]}{_when(when_present)}"
        case t.In(_, operands, negated, fold, when_present):
            word = "not in" if negated else "in"
            return f"{name} {word} {literals_list(operands)}{_FOLDS[fold]}{_when(when_present)}"
        case t.Between(_, low, high):
            return f"{name} between {literal(low)} and {literal(high)}"
        case t.Exists():
            return f"{name} exists"
        case t.IsEmpty():
            return f"{name} is empty"
        case t.TextMatch(_, text_op, pattern, fold):
            return f"{name} {text_op.value} {quote_text(pattern)}{_FOLDS[fold]}"
        case t.Semver(_, op, version):
            return f"{name} {op.value} semver {quote_text(version)}"
        case t.SetMatch(_, set_op, values):
            return f"{name} {set_op.value} {names_list(values)}"
        case t.SizeCompare(_, op, size):
            return f"size({name}) {op.value} {integer(size)}"
        case t.InWindow(_, span):
            return f"{name} {window(span)}"
        case t.Anniversary(_, days, zone):
            return zoned(f"{name} anniversary {f'in next {days} days' if days else 'today'}", zone)
        case t.HasBeen(_, operand, at_least, span):
            word = "at least" if at_least else "less than"
            return f"{name} has been {literal(operand)} for {word} {duration(span)}"
        case t.WithinRadius(_, center, radius_m):
            return f"{name} within {radius(radius_m)} of {point(center)}"
        case t.WithinBox(_, south_west, north_east):
            return f"{name} within box {point(south_west)} to {point(north_east)}"
        case _:
            assert_never(leaf)


def _when(present: bool) -> str:
    return " when present" if present else ""


def _profile_leaf(leaf: t.ProfileLeaf) -> str:
    match leaf:
        case t.HasTag(tag):
            return f"tag {quote_text(tag)}"
        case t.HasChannel(channel):
            return f"channel {quote_text(channel)}"
        case t.HasConsent(topic):
            return f"consent {quote_text(topic)}"
        case t.Known():
            return "known"
        case t.KeyIn(keys):
            return f"key = {quote_text(keys[0])}" if len(keys) == 1 else f"key in {names_list(keys)}"
        case t.InSegment(segment):
            return f"in segment {quote_text(segment)}"
        case t.Bucket(low, high, salt):
            if low == 0:
                return f"sample {amount(high, 2)}% salt {quote_text(salt)}"
            return f"bucket {amount(low)} to {amount(high)} salt {quote_text(salt)}"
        case t.Rank(end, count, is_percent, attribute, within):
            inside = "" if within is None else f" of ({to_text(within)})"
            return (
                f"{end.value} {amount(count)}{'%' if is_percent else ''} by {quote_name(attribute)}{inside}"
            )
        case _:
            assert_never(leaf)


# ------------------------------------------------------------------------------------------------------- events


def _event_name(name: t.EventName) -> str:
    match name.kind:
        case t.NameKind.ANY:
            return "any event"
        case t.NameKind.PREFIX:
            return backticked(name.text)[:-1] + "*`"
        case t.NameKind.EXACT:
            if is_plain(name.text) and not is_keyword(name.text):
                return name.text
            return _exact_in_backticks(name.text)
        case _:
            assert_never(name.kind)


def _exact_in_backticks(text: str) -> str:
    quoted = backticked(text)
    return quoted[:-2] + "\\*`" if text.endswith("*") else quoted


def _target(name: t.EventName, prop: str) -> str:
    """`event.property`: a plain event has no dot of its own, and keywords are no trouble here."""
    shown_property = prop if is_plain(prop) else backticked(prop)
    if name.kind is t.NameKind.EXACT:
        is_bare = is_plain(name.text) and "." not in name.text
        return f"{name.text if is_bare else _exact_in_backticks(name.text)}.{shown_property}"
    return f"{_event_name(name)}.{shown_property}"


def _where(condition: Condition | None, *, is_followed: bool) -> str:
    if condition is None:
        return ""
    # A window behind a window would have to be counted to be understood.
    takes_window = isinstance(condition, t.InWindow | t.Anniversary)
    if is_followed and (_is_chain(condition) or takes_window):
        return f" where ({to_text(condition)})"
    return f" where {to_text(condition)}"


def _times(count: t.CountRange) -> str:
    low, high = count.low, count.high
    if high is None:
        return f"at least {integer(low)} times"
    if low == high:
        return f"exactly {integer(low)} times"
    if low == 0:
        return f"at most {integer(high)} times"
    return f"between {integer(low)} and {integer(high)} times"


def _count_test(count: t.CountRange) -> str:
    low, high = count.low, count.high
    if high is None:
        return f">= {integer(low)}"
    if low == high:
        return f"= {integer(low)}"
    if low == 0:
        return f"<= {integer(high)}"
    return f"between {integer(low)} and {integer(high)}"


def _value_test(test: t.ValueTest) -> str:
    match test:
        case t.CompareTest(op, operand):
            return _comparison(op, operand)
        case t.BetweenTest(low, high):
            return f"between {literal(low)} and {literal(high)}"
        case t.InTest(operands, negated):
            return f"{'not in' if negated else 'in'} {literals_list(operands)}"
        case _:
            assert_never(test)


def _event_leaf(leaf: t.EventLeaf) -> str:
    match leaf:
        case t.Did():
            return _did(leaf)
        case t.Aggregate(function, events, prop, test, span):
            inside = _target(events.name, prop) + _where(events.where, is_followed=False)
            return f"{function.value}({inside}) {_value_test(test)}{_behind(span)}"
        case t.ActiveDays():
            return _active_days(leaf)
        case t.Frequency():
            return _frequency(leaf)
        case t.FirstTime(events, span):
            return (
                f"first did {_event_name(events.name)}{_where(events.where, is_followed=True)}{_behind(span)}"
            )
        case t.LastPerformed(events, has):
            shown = f"({to_text(has)})" if _is_chain(has) else to_text(has)
            return f"last {_event_name(events.name)}{_where(events.where, is_followed=True)} has {shown}"
        case t.Sequence(first, then, within, negated, matured, span):
            before = _event_name(first.name) + _where(first.where, is_followed=True)
            after = _event_name(then.name) + _where(then.where, is_followed=True)
            return (
                f"did {before} then {'not ' if negated else ''}{after} within {duration(within)}"
                f"{' matured' if matured else ''}{_behind(span)}"
            )
        case _:
            assert_never(leaf)


def _behind(span: Window | None) -> str:
    return "" if span is None else f" {window(span)}"


def _did(leaf: t.Did) -> str:
    name = _event_name(leaf.events.name)
    rest = _where(leaf.events.where, is_followed=leaf.window is not None) + _behind(leaf.window)
    if leaf.count == t.NEVER:
        return f"never did {name}{rest}"
    if leaf.count == t.AT_LEAST_ONCE:
        return f"did {name}{rest}"
    return f"did {name} {_times(leaf.count)}{rest}"


def _active_days(leaf: t.ActiveDays) -> str:
    inside = _event_name(leaf.events.name) + _where(leaf.events.where, is_followed=False)
    shown = f"days({inside}) {_count_test(leaf.count)}{_behind(leaf.window)}"
    has_own_zone = leaf.window is not None and getattr(leaf.window, "zone", None) is not None
    return shown if has_own_zone else zoned(shown, leaf.zone)


def _frequency(leaf: t.Frequency) -> str:
    period = leaf.period
    shown = f"calendar {period.value}" if isinstance(period, CalendarUnit) else duration(period)
    where = _where(leaf.events.where, is_followed=True)
    return zoned(
        f"did {_event_name(leaf.events.name)} {_times(leaf.count)} per {shown}{where} "
        f"in at least {integer(leaf.at_least)} of last {integer(leaf.of_last)} periods",
        leaf.zone,
    )
