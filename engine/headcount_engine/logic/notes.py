"""What should be said to whoever writes a rule: that it can never match, or always does, and what in it is idle.

Looked at once for a rule, and only if two of its conditions are about the same thing at all.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import replace
from itertools import combinations, islice

from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import (
    AllOf,
    AnyOf,
    AtLeast,
    AttributeLeaf,
    Bucket,
    Condition,
    EventLeaf,
    Everyone,
    Exactly,
    InSegment,
    KeyIn,
    NoneOf,
    Not,
    Rank,
    Same,
    children,
    event_conditions,
)
from headcount_engine.logic.reading import TooLarge, Types
from headcount_engine.logic.relations import Proofs

LEAVES_MAX = 32
"""Rules of more conditions are not looked at."""
STEPS_MAX = 30_000
"""Steps of search for all that is asked of one rule: with reading it 60 ms at most, half of one for five conditions."""
_NOTES_KEPT = 4_096
_ABOUTS_MAX = 400
"""Things that one condition is about, those of a segment's rule included."""
_SHOWN_MAX = 120
"""Characters of a condition that a note quotes."""


class Notes:
    """The notes of rules asked lately. Any thread."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._kept: OrderedDict[tuple[Condition, int, str], tuple[str, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, rule: Condition, definitions: Definitions, revision: int, moment: Moment) -> tuple[str, ...]:
        """`revision`: of the definitions; `moment`: for its calendar. Raises UnknownName."""
        about_the_same = akin(rule, definitions)
        if not about_the_same:
            return ()
        key = rule, revision, moment.zone
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        found = notes(rule, about_the_same, self._types, definitions, moment)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > _NOTES_KEPT:
                self._kept.popitem(last=False)
        return found


def akin(rule: Condition, definitions: Definitions) -> frozenset[Condition]:
    """The conditions of a rule that are about what another is about too, or about one thing twice.

    Of all others nothing can be proved, nor by them. None of a rule that is too large to be looked at.
    """
    by_about: dict[Hashable, Condition] = {}
    found: set[Condition] = set()
    for count, leaf in enumerate(_leaves(rule), start=1):
        abouts = list(islice(_abouts(leaf, definitions, set()), _ABOUTS_MAX))
        if count > LEAVES_MAX or len(abouts) == _ABOUTS_MAX:
            return frozenset()
        if None in abouts or (len(set(abouts)) < len(abouts) and not isinstance(leaf, InSegment)):
            found.add(leaf)
        for about in set(abouts):
            other = by_about.setdefault(about, leaf)
            if other is not leaf:
                found.update((leaf, other))
    return frozenset(found)


def _leaves(rule: Condition) -> Iterator[Condition]:
    stack = [rule]
    while stack:
        node = stack.pop()
        inner = () if isinstance(node, Same | Rank) else children(node)
        if not inner:
            yield node
        stack.extend(inner)


def _abouts(leaf: Condition, definitions: Definitions, segments: set[str]) -> Iterator[Hashable]:
    """What a leaf is about; None is everything."""
    match leaf:
        case Everyone():
            yield None
        case InSegment(segment):
            meaning = definitions.meaning(segment)
            yield ("segment", meaning.id)
            if meaning.rule is not None and meaning.id not in segments:
                segments.add(meaning.id)
                for inner in _leaves(meaning.rule):
                    yield from _abouts(inner, definitions, segments)
        case KeyIn():
            yield KeyIn
        case Bucket(salt=salt):
            yield Bucket, salt
        case _ if isinstance(leaf, AttributeLeaf):
            yield leaf.attribute
        case Rank(attribute=attribute):
            yield attribute
        case _ if isinstance(leaf, EventLeaf):
            yield "events of any name"
            for where in event_conditions(leaf):
                for inner in _leaves(where):
                    for about in _abouts(inner, definitions, segments):
                        yield ("of an event", id(leaf), about)
        case _:
            yield leaf


def notes(
    rule: Condition,
    about_the_same: frozenset[Condition],
    types: Types,
    definitions: Definitions,
    moment: Moment,
) -> tuple[str, ...]:
    """What is proved of one rule, as sentences; `about_the_same`: see `akin`. Raises UnknownName."""
    proofs = Proofs([rule], types, definitions, moment, STEPS_MAX)
    if proofs.never():
        return (f"this rule can never match{_reason(rule, proofs)}",)
    if proofs.always():
        return () if rule == Everyone() else ("this rule matches everyone, whatever the data",)
    return tuple(
        f"{_shown(node)} (at {path}) changes nothing here and could be left out"
        for path, node in idle(rule, proofs, about_the_same)
    )


def _reason(rule: Condition, proofs: Proofs) -> str:
    """The smallest of its parts that exclude each other, if there are three of them at most."""
    parts = rule.children if isinstance(rule, AllOf) else ()
    for count in (1, 2, 3):
        for some in combinations(parts, count):
            if proofs.exclude_each_other(some):
                *most, last = map(_shown, some)
                return (
                    f": {', '.join(most)} and {last} exclude each other" if most else f": {last} never does"
                )
    return ""


def idle(
    rule: Condition, proofs: Proofs, among: frozenset[Condition] | None = None
) -> list[tuple[str, Condition]]:
    """The parts of groups without which the rule is provably the same, by path: all of them can be left out at once.

    Of equal parts the later ones; of a part that is idle, not the parts of it as well. `among`: only parts that have
    one of these conditions are looked at.
    """
    found: list[tuple[str, Condition]] = []
    current = rule

    def look(path: tuple[int, ...], node: Condition) -> None:
        nonlocal current
        inner = () if isinstance(node, Same | Rank) else children(node)
        gone: set[int] = set()
        for place in reversed(range(len(inner))):
            if among is not None and among.isdisjoint(_leaves(inner[place])):
                continue
            is_droppable = isinstance(node, AllOf | AnyOf | NoneOf) and len(inner) - len(gone) > 1
            own = (*path, place)
            shorter = without(rule, {*dropped, own}) if is_droppable else None
            if shorter is not None and proofs.equal(current, shorter):
                gone.add(place)
                dropped.add(own)
                current = shorter
                found.append((".".join(map(str, own)), inner[place]))
            else:
                look(own, inner[place])

    dropped: set[tuple[int, ...]] = set()
    with contextlib.suppress(TooLarge):
        look((), rule)
    return sorted(found, key=lambda entry: [int(step) for step in entry[0].split(".")])


def without(rule: Condition, paths: set[tuple[int, ...]], at: tuple[int, ...] = ()) -> Condition:
    """The rule without the parts at some paths. Of no group all parts are taken."""
    if not any(path[: len(at)] == at for path in paths):
        return rule
    match rule:
        case AllOf(inner) | AnyOf(inner) | NoneOf(inner):
            kept = [(i, child) for i, child in enumerate(inner) if (*at, i) not in paths]
            return replace(rule, children=tuple(without(child, paths, (*at, i)) for i, child in kept))
        case _:
            return _rebuilt(rule, paths, at)


def _rebuilt(rule: Condition, paths: set[tuple[int, ...]], at: tuple[int, ...]) -> Condition:
    inner = [without(child, paths, (*at, i)) for i, child in enumerate(children(rule))]
    match rule:
        case Not():
            return Not(inner[0])
        case AtLeast() | Exactly():
            return replace(rule, children=tuple(inner))
        case _:
            return rule


def _shown(node: Condition) -> str:
    text = to_text(node)
    return f"`{text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 3] + '...'}`"
