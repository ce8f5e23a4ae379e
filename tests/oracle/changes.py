"""What happens to a world, as data: the same list of changes can be played to the oracle and to the engine."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from headcount_engine.model.values import Cell, ValueType
from tests.oracle.world import Attributes, Segment, World


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """What is declared before the first change. The fields are those of World. Equal only to itself."""

    attribute_types: dict[str, ValueType] = field(default_factory=dict)
    property_types: dict[tuple[str, str], ValueType] = field(default_factory=dict)
    tracked: frozenset[str] = frozenset()
    topics: dict[str, bool] = field(default_factory=dict)
    default_zone: str = "UTC"
    week_start: int = 0

    def world(self, changes: Iterable[Change] = ()) -> World:
        """A new world after these changes."""
        world = World(
            attribute_types=dict(self.attribute_types),
            property_types=dict(self.property_types),
            tracked=set(self.tracked),
            topics=dict(self.topics),
            default_zone=self.default_zone,
            week_start=self.week_start,
        )
        for change in changes:
            apply(world, change)
        return world


@dataclass(frozen=True, slots=True)
class Upsert:
    key: str
    attributes: Attributes = field(default_factory=dict)
    now_us: int = 0
    tags: frozenset[str] = frozenset()
    untag: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    identifiers: frozenset[tuple[str, str]] = frozenset()
    create: bool = True
    recreate: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    key: str
    topic: str
    is_subscribed: bool
    changed_us: int


@dataclass(frozen=True, slots=True)
class Track:
    key: str
    name: str
    time_us: int
    properties: dict[str, Cell | None] = field(default_factory=dict)
    id: str | None = None
    now_us: int = 0
    create: bool = True


@dataclass(frozen=True, slots=True)
class Erase:
    key: str


@dataclass(frozen=True, slots=True)
class Merge:
    survivor: str
    loser: str
    now_us: int = 0
    force: bool = False


@dataclass(frozen=True, slots=True)
class Define:
    """A set of keys is a manual segment; the world takes a copy of it."""

    name: str
    segment: Segment


Change = Upsert | Consent | Track | Erase | Merge | Define


def apply(world: World, change: Change) -> None:
    """Let it happen; raises Refused and changes nothing if it may not."""
    match change:
        case Upsert():
            world.upsert(
                change.key,
                change.attributes,
                now_us=change.now_us,
                tags=set(change.tags),
                untag=set(change.untag),
                channels=set(change.channels),
                identifiers=set(change.identifiers),
                create=change.create,
                recreate=change.recreate,
            )
        case Consent(key, topic, is_subscribed, changed_us):
            world.consent(key, topic, is_subscribed, changed_us)
        case Track(key, name, time_us, properties, id_, now_us, create):
            world.track(key, name, time_us, properties, id_, now_us=now_us, create=create)
        case Erase(key):
            world.erase(key)
        case Merge(survivor, loser, now_us, force):
            world.merge(survivor, loser, now_us=now_us, force=force)
        case Define(name, segment):
            world.define(name, set(segment) if isinstance(segment, set) else segment)
        case _:
            assert_never(change)
