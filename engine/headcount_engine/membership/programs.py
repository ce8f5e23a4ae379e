"""Rules of live segments as programs over atoms and other segments."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import assert_never

from headcount_engine.atoms.registry import AtomKey, Listed, Retained
from headcount_engine.conditions.canonical import canonical
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.tree import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Everyone,
    Exactly,
    InSegment,
    Known,
    NoneOf,
    Not,
    Rank,
    Same,
    walk,
)
from headcount_engine.errors import InvalidRule
from headcount_engine.kernels import members as kernels
from headcount_engine.membership.catalogue import Definition, keeps_anybody
from headcount_engine.model.segments import ListName, SegmentKind

_REFERENCES_IN_SAME_MAX = 4
"""Each one doubles what has to be kept."""


@dataclass(frozen=True, slots=True)
class Read:
    """An atom."""

    key: AtomKey


@dataclass(frozen=True, slots=True)
class InOther:
    """Membership in another segment, by id."""

    segment: str


@dataclass(frozen=True, slots=True)
class Constant:
    value: bool


@dataclass(frozen=True, slots=True)
class Inverse:
    child: Formula


@dataclass(frozen=True, slots=True)
class Tally:
    """From `low` to `high` of the children hold."""

    low: int
    high: int
    children: tuple[Formula, ...]


Formula = Read | InOther | Constant | Inverse | Tally


def all_of(*children: Formula) -> Formula:
    return Tally(len(children), len(children), children)


def any_of(*children: Formula) -> Formula:
    return Tally(1, len(children), children)


def formula_of_rule(rule: Condition, definitions: Definitions) -> Formula:
    """A rule over atoms. Raises InvalidRule for what can only be asked ad hoc."""
    match rule:
        case Everyone():
            return Constant(True)
        case Not(child):
            return Inverse(formula_of_rule(child, definitions))
        case AllOf(inner):
            return all_of(*(formula_of_rule(c, definitions) for c in inner))
        case AnyOf(inner):
            return any_of(*(formula_of_rule(c, definitions) for c in inner))
        case NoneOf(inner):
            return Tally(0, 0, tuple(formula_of_rule(c, definitions) for c in inner))
        case AtLeast(k, inner):
            return Tally(k, len(inner), tuple(formula_of_rule(c, definitions) for c in inner))
        case Exactly(k, inner):
            return Tally(k, k, tuple(formula_of_rule(c, definitions) for c in inner))
        case InSegment(segment):
            return InOther(definitions.meaning(segment).id)
        case Same():
            return _formula_of_same(rule, definitions)
        case Rank(within=within) if within is not None:
            raise InvalidRule("a rank inside a rule is evaluated ad hoc only: save the rule as a draft")
        case _:
            leaf, is_opposite = canonical(rule)
            return Inverse(Read(leaf)) if is_opposite else Read(leaf)


def _formula_of_same(rule: Same, definitions: Definitions) -> Formula:
    """References inside `same` are about the profile: each is in or out, and the rest is kept for either case."""
    nodes = list(walk(rule))
    if any(isinstance(n, Rank) for n in nodes):
        raise InvalidRule("a rank inside `same` is evaluated ad hoc only: save the rule as a draft")
    names = sorted({n.segment for n in nodes if isinstance(n, InSegment)})
    if len(names) > _REFERENCES_IN_SAME_MAX:
        raise InvalidRule(f"`same` takes at most {_REFERENCES_IN_SAME_MAX} segments in a live segment")
    cases = []
    for values in itertools.product((True, False), repeat=len(names)):
        case = dict(zip(names, values, strict=True))
        fixed = Same(rule.property, _replaced(rule.condition, case))
        conditions: list[Formula] = [
            InOther(definitions.meaning(n).id) if v else Inverse(InOther(definitions.meaning(n).id))
            for n, v in case.items()
        ]
        cases.append(all_of(*conditions, Read(fixed)) if conditions else Read(fixed))
    return cases[0] if len(cases) == 1 else any_of(*cases)


def _replaced(rule: Condition, case: dict[str, bool]) -> Condition:
    """The rule with its references decided."""
    match rule:
        case InSegment(segment):
            return Everyone() if case[segment] else Not(Everyone())
        case Not(child):
            return Not(_replaced(child, case))
        case AllOf(inner) | AnyOf(inner) | NoneOf(inner) | AtLeast(_, inner) | Exactly(_, inner):
            return replace(rule, children=tuple(_replaced(c, case) for c in inner))
        case _:
            return rule


def formula_of_members(definition: Definition, rule: Formula | None, has_retention: bool) -> Formula:
    """Who is in a segment, given the formula of its rule (None: it has none)."""
    if definition.state.is_frozen:
        return Read(Listed(definition.id, ListName.FROZEN))
    added = Read(Listed(definition.id, ListName.ADDED))
    if definition.kind is SegmentKind.MANUAL:
        return added
    assert rule is not None
    found = rule
    if has_retention:
        kept: Formula = Read(Retained(definition.id))
        if definition.retention_is_for_unknown:
            kept = all_of(kept, Inverse(Read(Known())))
        found = any_of(found, kept)
    if definition.kind is SegmentKind.OVERRIDES:
        found = all_of(any_of(found, added), Inverse(Read(Listed(definition.id, ListName.REMOVED))))
    return found


_RULE = "$rule"
"""Ends the name under which the rule alone of a segment with retention is kept; no segment's id has a `$`."""


def owner_of(name: str) -> str:
    """The segment that a kept formula belongs to."""
    return name.removesuffix(_RULE)


def is_hidden(name: str) -> bool:
    """Whether a kept formula is not itself a segment."""
    return name.endswith(_RULE)


def formulas_of(definition: Definition, definitions: Definitions) -> dict[str, Formula]:
    """What has to be kept for a segment: its members, and with a retention its rule too, which comes first."""
    has_retention = keeps_anybody(definition)
    if definition.rule is None or definition.state.is_frozen:
        return {definition.id: formula_of_members(definition, None, has_retention=False)}
    rule = formula_of_rule(definition.rule, definitions)
    if not has_retention:
        return {definition.id: formula_of_members(definition, rule, has_retention=False)}
    name = definition.id + _RULE
    return {name: rule, definition.id: formula_of_members(definition, InOther(name), has_retention=True)}


def atoms_of(formula: Formula) -> list[AtomKey]:
    """The atoms that a formula reads, each once."""
    return list(dict.fromkeys(part.key for part in _parts(formula) if isinstance(part, Read)))


def segments_of(formula: Formula) -> list[str]:
    """The segments that a formula reads, each once."""
    return list(dict.fromkeys(part.segment for part in _parts(formula) if isinstance(part, InOther)))


def _parts(root: Formula) -> list[Formula]:
    found, stack = [], [root]
    while stack:
        part = stack.pop()
        found.append(part)
        match part:
            case Inverse(child):
                stack.append(child)
            case Tally(_, _, inner):
                stack.extend(inner)
            case _:
                pass
    return found


def codes_of(formula: Formula, atom: Callable[[AtomKey], int], member: Callable[[str], int]) -> list[int]:
    """The postfix codes that kernels/members.py runs."""
    match formula:
        case Read(key):
            return [kernels.ATOM + 8 * atom(key)]
        case InOther(segment):
            return [kernels.MEMBER + 8 * member(segment)]
        case Constant(value):
            return [kernels.CONST + 8 * int(value)]
        case Inverse(child):
            return [*codes_of(child, atom, member), kernels.NOT]
        case Tally(low, high, inner):
            codes = [code for child in inner for code in codes_of(child, atom, member)]
            n = len(inner)
            if low == n == high:
                return [*codes, kernels.AND + 8 * n]
            if low == 1 and high == n:
                return [*codes, kernels.OR + 8 * n]
            return [*codes, kernels.COUNT + 8 * n, low, high]
        case _:
            assert_never(formula)


def codes_of_others(atom: int, member: int) -> list[int]:
    """Those for whom an atom holds and who are not in a segment, by their slots."""
    return [kernels.ATOM + 8 * atom, kernels.MEMBER + 8 * member, kernels.NOT, kernels.AND + 8 * 2]


def depth_of(formula: Formula) -> int:
    """How many values its program holds at once, at most."""
    match formula:
        case Inverse(child):
            return depth_of(child)
        case Tally(_, _, inner):
            return max(i + depth_of(child) for i, child in enumerate(inner))
        case _:
            return 1
