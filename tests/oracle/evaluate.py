"""Who matches a condition: one function of a world, a condition, a key and an instant, read off the specification."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import assert_never

from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    AtLeast,
    AttributeLeaf,
    Between,
    Bucket,
    Compare,
    Condition,
    Did,
    End,
    Everyone,
    Exactly,
    Exists,
    FirstTime,
    Frequency,
    HasBeen,
    HasChannel,
    HasConsent,
    HasTag,
    In,
    InSegment,
    InWindow,
    IsEmpty,
    KeyIn,
    Known,
    LastPerformed,
    NoneOf,
    Not,
    ProfileLeaf,
    Rank,
    Same,
    Semver,
    Sequence,
    SetMatch,
    SizeCompare,
    TextMatch,
    WithinBox,
    WithinRadius,
)
from headcount_engine.model.values import Cell
from tests.oracle.checks import check
from tests.oracle.comparing import place
from tests.oracle.events import carried_values, carries, event_leaf_holds, history
from tests.oracle.leaves import value_holds
from tests.oracle.world import Event, Overridden, World, nfc


def members(world: World, condition: Condition, now_us: int) -> set[str]:
    """The keys of the profiles that match; raises Refused."""
    check(world, condition)
    return {key for key in world.profiles if matches(world, condition, key, now_us)}


def matches(world: World, condition: Condition, key: str, now_us: int) -> bool:
    """Whether one profile matches at `now_us`; false for a key that does not exist (any more); raises Refused."""
    check(world, condition)
    if key not in world.profiles:
        return False
    return _holds(_Question(world, key, now_us, history(world, key, now_us)), condition)


@dataclass(frozen=True, slots=True)
class _Question:
    """About one profile. `events` are those that count: of this profile, up to now, in (time, arrival) order."""

    world: World
    key: str
    now_us: int
    events: list[Event]

    def about(self, name: str, value: Cell) -> _Question:
        """The same, with only the events that carry the value."""
        return replace(self, events=[event for event in self.events if carries(event, name, value)])


def _holds(q: _Question, condition: Condition) -> bool:
    match condition:
        case Everyone():
            return True
        case Not(child):
            return not _holds(q, child)
        case AllOf(children):
            return all(_holds(q, child) for child in children)
        case AnyOf(children):
            return any(_holds(q, child) for child in children)
        case NoneOf(children):
            return not any(_holds(q, child) for child in children)
        case AtLeast(k, children):
            return sum(_holds(q, child) for child in children) >= k
        case Exactly(k, children):
            return sum(_holds(q, child) for child in children) == k
        case Same(name, child):
            return any(_holds(q.about(name, value), child) for value in carried_values(q.events, name))
        case (
            Compare() | In() | Between() | Exists() | IsEmpty() | TextMatch() | Semver() | SetMatch() | SizeCompare()
            | InWindow() | Anniversary() | HasBeen() | WithinRadius() | WithinBox()
        ):  # fmt: skip
            return _attribute_holds(q, condition)
        case HasTag() | HasChannel() | HasConsent() | Known() | KeyIn() | InSegment() | Bucket() | Rank():
            return _profile_leaf_holds(q, condition)
        case (
            Did() | Aggregate() | ActiveDays() | Frequency() | FirstTime() | LastPerformed() | Sequence()
        ):  # fmt: skip
            return event_leaf_holds(q.world, q.events, condition, q.now_us)
        case _:
            assert_never(condition)


def _attribute_holds(q: _Question, leaf: AttributeLeaf) -> bool:
    profile = q.world.profiles[q.key]
    cell = profile.attributes.get(leaf.attribute)
    return value_holds(cell, leaf, q.world, q.now_us, profile.changed_us.get(leaf.attribute))


def _profile_leaf_holds(q: _Question, leaf: ProfileLeaf) -> bool:
    profile = q.world.profiles[q.key]
    match leaf:
        case HasTag(tag):
            return nfc(tag) in profile.tags
        case HasChannel(channel):
            return nfc(channel) in profile.channels
        case HasConsent(topic):
            nobody_asked = not q.world.topics.get(topic, True)
            return profile.consents[topic][0] if topic in profile.consents else nobody_asked
        case Known():
            return bool(profile.identifiers)
        case KeyIn(keys):
            return q.key in {q.world.resolve(key) for key in keys}
        case InSegment(name):
            return _in_segment(q, name)
        case Bucket(low, high, salt):
            digest = hashlib.md5((q.key + salt).encode()).digest()
            bucket = Fraction(int.from_bytes(digest[:8], "big"), 2**64)
            return Fraction(low) <= bucket < Fraction(high)
        case Rank():
            return q.key in ranked(q.world, leaf, q.now_us)
        case _:
            assert_never(leaf)


def _in_segment(q: _Question, name: str) -> bool:
    segment = q.world.segments[name]
    match segment:
        case set():
            return q.key in segment
        case Overridden(rule, added, removed):
            return (matches(q.world, rule, q.key, q.now_us) or q.key in added) and q.key not in removed
        case _:
            return matches(q.world, segment, q.key, q.now_us)


def ranked(world: World, rank: Rank, now_us: int) -> set[str]:
    """The top or bottom of those who have the attribute; ties go by the key's bytes, ascending for both ends."""
    pool = set(world.profiles) if rank.within is None else members(world, rank.within, now_us)
    having = [(key, world.profiles[key].attributes.get(rank.attribute)) for key in pool]
    places = [(place(cell), key) for key, cell in having if cell is not None]
    places.sort(key=lambda place: place[1].encode())
    places.sort(key=lambda place: place[0], reverse=rank.end is End.TOP)
    share = Fraction(rank.amount) * len(places) / 100 if rank.is_percent else Fraction(rank.amount)
    return {key for _, key in places[: math.ceil(share)]}
