"""What leaves about one value can be together: `age > 40` never holds with `age < 20`, and always with `age > 20`.

Told of comparisons of one attribute that is a number, a bool, a date or an instant; of texts compared as a whole; and
of counts of the same events in the same window. Other leaves are taken to be free of one another.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from headcount_engine.conditions.bound import And, Bound, ColumnTest, Complement, Or
from headcount_engine.conditions.tree import (
    AttributeLeaf,
    Compare,
    Condition,
    Did,
    Exists,
    Fold,
    In,
    IsEmpty,
    Op,
)
from headcount_engine.evaluation.changing import Alike, Vector
from headcount_engine.indexes.attributes import AttributeView
from headcount_engine.indexes.dictionaries import FALSE_CODE, TRUE_CODE
from headcount_engine.indexes.predicates import Listed, Nothing, Present, Range, holds
from headcount_engine.model.values import NUMERIC, TEMPORAL, Kind, Literal, Text

_OTHER = "\x00another"
"""Stands for any text that no leaf names: no value of an attribute has such a character first."""
_LEAST, _MOST = -(1 << 63) + 1, (1 << 63) - 1

Value = int | float | str | None
"""A value that leaves are tried on; None: absent."""


@dataclass(frozen=True, slots=True)
class About:
    """What a leaf is about, where it changes as that goes up or down, and what it is at each value."""

    subject: Hashable
    edges: frozenset[Value]
    passes: Callable[[Value], bool]


def groups_of(leaves: Sequence[tuple[Condition, Bound]], held: Sequence[bool]) -> list[Alike]:
    """The leaves that are about one value with another, by number. `held`: what each is now, and so can be."""
    by_subject: dict[Hashable, list[tuple[int, About]]] = {}
    for number, (leaf, bound) in enumerate(leaves):
        about = about_of(leaf, bound)
        if about is not None:
            by_subject.setdefault(about.subject, []).append((number, about))
    found = []
    for group in by_subject.values():
        if len(group) > 1:
            now = tuple(held[number] for number, _ in group)
            values = set[Value]().union(*(about.edges for _, about in group))
            vectors = {now} | {tuple(about.passes(value) for _, about in group) for value in values}
            found.append(Alike(tuple(number for number, _ in group), tuple(_nearest(vectors, now))))
    return found


def _nearest(vectors: Iterable[Vector], now: Vector) -> list[Vector]:
    """Fewest changes first."""
    return sorted(
        vectors, key=lambda vector: (sum(a is not b for a, b in zip(vector, now, strict=True)), vector)
    )


def about_of(leaf: Condition, bound: Bound) -> About | None:
    """What a leaf is about, if that can be told."""
    match leaf:
        case Did(events, count, window):
            edges = {0, count.low, max(count.low - 1, 0)}
            if count.high is not None:
                edges |= {count.high, count.high + 1}
            return About(
                (events, window), frozenset(edges), lambda value: isinstance(value, int) and value in count
            )
        case _ if isinstance(leaf, AttributeLeaf):
            attribute = _attribute_behind(bound)
            if attribute is not None and attribute.definition.type.kind in NUMERIC | TEMPORAL | {Kind.BOOL}:
                return _of_numbers(bound, attribute)
            return _of_texts(leaf)
        case _:
            return None


# ------------------------------------------------------------------------------------------ stored numbers


def _tests(bound: Bound) -> list[ColumnTest] | None:
    """The tests that a bound leaf is made of; None if it is made of anything else."""
    match bound:
        case ColumnTest():
            return [bound]
        case Complement(child):
            return _tests(child)
        case And(parts) | Or(parts):
            found = [_tests(part) for part in parts]
            return None if None in found else [test for tests in found for test in tests or ()]
        case _:
            return None


def _attribute_behind(bound: Bound) -> AttributeView | None:
    """The one attribute that a bound leaf tests."""
    tests = _tests(bound)
    if not tests or any(test.attribute is not tests[0].attribute for test in tests):
        return None
    return tests[0].attribute


def _of_numbers(bound: Bound, attribute: AttributeView) -> About | None:
    """Of stored values: they change sides next to the ends of ranges."""
    kind = attribute.definition.type.kind
    ends: set[int | float] = set()
    for test in _tests(bound) or ():
        match test.predicate:
            case Range(low, high):
                ends |= {low, high}
            case Listed(values):
                ends |= set(values)
            case Present() | Nothing():
                pass
            case _:
                return None
    edges: set[Value] = {None}
    if kind is Kind.BOOL:
        edges |= {FALSE_CODE, TRUE_CODE}
    elif kind is Kind.FLOAT:
        beside = {math.nextafter(end, to) for end in ends for to in (-math.inf, math.inf)}
        edges |= {value for value in {0.0} | ends | beside if math.isfinite(value)}
    else:
        beside = {end + step for end in ends for step in (-1, 0, 1)}
        edges |= {value for value in {0} | beside if _LEAST <= value <= _MOST}
    return About(
        ("attribute", attribute.definition.name), frozenset(edges), lambda value: _passes(bound, value)
    )


def _passes(bound: Bound, value: Value) -> bool:
    match bound:
        case ColumnTest(_, predicate):
            assert not isinstance(value, str)
            return holds(predicate, value)
        case Complement(child):
            return not _passes(child, value)
        case And(parts):
            return all(_passes(part, value) for part in parts)
        case Or(parts):
            return any(_passes(part, value) for part in parts)
        case _:
            raise AssertionError(bound)


# ------------------------------------------------------------------------------------------ whole texts


def _of_texts(leaf: AttributeLeaf) -> About | None:
    """Of values as they are written, whether anybody has them or not."""
    match leaf:
        case Compare(op=Op.EQ | Op.NE, operand=Text(), fold=Fold.NONE):
            wanted, is_negated, is_present = _texts((leaf.operand,)), leaf.op is Op.NE, leaf.when_present
        case In(fold=Fold.NONE):
            wanted, is_negated, is_present = _texts(leaf.operands), leaf.negated, leaf.when_present
        case Exists():
            wanted, is_negated, is_present = frozenset[str](), True, True
        case IsEmpty():
            wanted, is_negated, is_present = frozenset({"", None}), False, False
        case _:
            return None

    def passes(value: Value) -> bool:
        if value is None and is_present:
            return False
        return (value in wanted) is not is_negated

    subject = ("text", unicodedata.normalize("NFC", leaf.attribute))
    return About(subject, frozenset({None, "", _OTHER, *wanted}), passes)


def _texts(operands: tuple[Literal, ...]) -> frozenset[str | None]:
    return frozenset(unicodedata.normalize("NFC", o.value) for o in operands if isinstance(o, Text))
