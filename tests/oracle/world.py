"""The state that conditions are asked of, as plain dicts and lists, and the few ways in which it changes."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from headcount_engine.conditions.tree import Condition, InSegment, walk
from headcount_engine.model.values import Cell, Date, Instant, Kind, Point, ValueType

DAY_US = 86_400_000_000
Attributes = Mapping[str, Cell | None]


class Refused(Exception):
    """A rule or a change that the specification says is refused."""


def nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


@dataclass(slots=True)
class Profile:
    """One person. An attribute that is absent or None is null; the rest of the fields are never null."""

    attributes: dict[str, Cell | None] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)
    consents: dict[str, tuple[bool, int]] = field(default_factory=dict)
    """Topic -> (is subscribed, instant of that change)."""
    identifiers: set[tuple[str, str]] = field(default_factory=set)
    """(type, text), at most one of a type."""
    leads: set[tuple[str, str]] = field(default_factory=set)
    """Identifiers of merged profiles for which there was no room: they lead here, and are nobody else's."""
    changed_us: dict[str, int] = field(default_factory=dict)
    """Tracked attribute -> the instant at which its value last changed."""


@dataclass(slots=True)
class Event:
    """One event; its place in `World.events` is its arrival."""

    key: str
    name: str
    time_us: int
    properties: dict[str, Cell | None]
    id: str | None = None


@dataclass(slots=True)
class Overridden:
    """A data-driven segment with overrides: (rule or added) and not removed."""

    rule: Condition
    added: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)


Segment = Condition | set[str] | Overridden


@dataclass(slots=True)
class World:
    """Everything there is. Methods change it as rules 8, 22, 24, 24b, 34, 37 and 44 say, or raise Refused."""

    attribute_types: dict[str, ValueType] = field(default_factory=dict)
    property_types: dict[tuple[str, str], ValueType] = field(default_factory=dict)
    """(event name, property) -> type. A property that is not listed is kept as it was given."""
    tracked: set[str] = field(default_factory=set)
    topics: dict[str, bool] = field(default_factory=dict)
    """Topic -> whether it is opt-in. A topic that is not listed is opt-in."""
    default_zone: str = "UTC"
    week_start: int = 0
    """The first day of a week; Monday is 0."""
    deduplication_us: int = 7 * DAY_US
    profiles: dict[str, Profile] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    segments: dict[str, Segment] = field(default_factory=dict)
    survivors: dict[str, str] = field(default_factory=dict)
    """Key of a merged-away profile -> key of the profile it went into."""
    erased: set[str] = field(default_factory=set)
    seen: dict[str, int] = field(default_factory=dict)
    """Event id -> arrival of the event it was counted for."""

    def resolve(self, key: str) -> str:
        """The key under which the profile exists now, or would be created."""
        key = nfc(key)
        while key in self.survivors:
            key = self.survivors[key]
        return key

    def _profile(self, key: str, create: bool, recreate: bool = False) -> Profile:
        key = self.resolve(key)
        if not 1 <= len(key.encode()) <= 512:
            raise Refused("a key has 1 to 512 bytes")
        if key in self.erased:
            if not recreate:
                raise Refused("the key was erased")
            self.erased.discard(key)
        if key not in self.profiles:
            if not create:
                raise Refused("no such profile")
            self.profiles[key] = Profile()
        return self.profiles[key]

    def upsert(
        self,
        key: str,
        attributes: Attributes | None = None,
        *,
        now_us: int = 0,
        tags: set[str] | None = None,
        untag: set[str] | None = None,
        channels: set[str] | None = None,
        identifiers: set[tuple[str, str]] | None = None,
        create: bool = True,
        recreate: bool = False,
    ) -> None:
        """A patch: what is not named stays, None removes. All of the row is checked before any of it is applied."""
        values: dict[str, Cell | None] = {}
        for name, value in (attributes or {}).items():
            if name not in self.attribute_types:
                raise Refused("undeclared attribute")
            values[name] = admitted(value, self.attribute_types[name])
        own_key = self.resolve(key)
        for identifier in identifiers or set():
            holders = [
                k for k, p in self.profiles.items() if identifier in p.identifiers | p.leads and k != own_key
            ]
            if holders or not identifier[1]:
                raise Refused("an identifier belongs to one profile and is not empty")
        profile = self._profile(key, create, recreate)
        for name, value in values.items():
            if name in self.tracked and value != profile.attributes.get(name):
                profile.changed_us[name] = now_us
            profile.attributes[name] = value
        profile.tags = (profile.tags | {nfc(t) for t in tags or ()}) - {nfc(t) for t in untag or ()}
        profile.channels |= {nfc(c) for c in channels or ()}
        given = {type_ for type_, _ in identifiers or ()}
        profile.identifiers = {i for i in profile.identifiers if i[0] not in given} | (identifiers or set())
        profile.leads -= profile.identifiers

    def consent(self, key: str, topic: str, is_subscribed: bool, changed_us: int) -> None:
        """The later change wins, whatever the order of arrival; of two at one instant, the one that arrived last."""
        consents = self._profile(key, create=True).consents
        if topic not in consents or consents[topic][1] <= changed_us:
            consents[topic] = (is_subscribed, changed_us)

    def track(
        self,
        key: str,
        name: str,
        time_us: int,
        properties: Attributes | None = None,
        id: str | None = None,
        *,
        now_us: int = 0,
        create: bool = True,
    ) -> bool:
        """Take one event at arrival `now_us`; False if its id was taken less than the horizon ago."""
        values = {
            p: admitted(v, self.property_types[name, p]) if (name, p) in self.property_types else _normal(v)
            for p, v in (properties or {}).items()
        }
        if id is not None and id in self.seen and now_us - self.seen[id] < self.deduplication_us:
            return False
        self._profile(key, create)
        if id is not None:
            self.seen[id] = now_us
        self.events.append(Event(self.resolve(key), nfc(name), time_us, values, id))
        return True

    def erase(self, key: str) -> None:
        """Delete means erase: the profile, its events and its places on lists; the keys it had stay refused."""
        key = self.resolve(key)
        if key not in self.profiles:
            raise Refused("no such profile")
        del self.profiles[key]
        self.events = [e for e in self.events if e.key != key]
        for keys in self._lists():
            keys.discard(key)
        merged = {k for k in self.survivors if self.resolve(k) == key}
        self.survivors = {k: into for k, into in self.survivors.items() if k not in merged}
        self.erased |= {key} | merged

    def merge(self, survivor: str, loser: str, *, now_us: int = 0, force: bool = False) -> None:
        """Fold one profile into another (rule 37)."""
        survivor, loser = self.resolve(survivor), self.resolve(loser)
        into, gone = self._profile(survivor, create=False), self._profile(loser, create=False)
        if survivor == loser:
            raise Refused("a profile cannot be merged with itself")
        if into.identifiers and gone.identifiers and not force:
            raise Refused("both are known")
        for name, value in gone.attributes.items():
            _merge_attribute(into, gone, name, value, now_us)
        into.tags |= gone.tags
        into.channels |= gone.channels
        types = {type_ for type_, _ in into.identifiers}
        into.leads |= gone.leads | {i for i in gone.identifiers if i[0] in types}
        into.identifiers |= {i for i in gone.identifiers if i[0] not in types}
        for topic, (is_subscribed, changed_us) in gone.consents.items():
            if topic not in into.consents or into.consents[topic][1] < changed_us:
                into.consents[topic] = (is_subscribed, changed_us)
        for event in self.events:
            if event.key == loser:
                event.key = survivor
        for keys in self._lists():
            if loser in keys:
                keys.remove(loser)
                keys.add(survivor)
        del self.profiles[loser]
        self.survivors[loser] = survivor

    def _lists(self) -> list[set[str]]:
        found: list[set[str]] = []
        for segment in self.segments.values():
            if isinstance(segment, set):
                found.append(segment)
            elif isinstance(segment, Overridden):
                found.extend((segment.added, segment.removed))
        return found

    def define(self, name: str, segment: Segment) -> None:
        """Define or redefine; references must exist and must not go round in a circle."""
        pending, reached = [segment], set[str]()
        while pending:
            current = pending.pop()
            if isinstance(current, set):
                continue
            for node in walk(current.rule if isinstance(current, Overridden) else current):
                if isinstance(node, InSegment):
                    if node.segment == name:
                        raise Refused("segments refer to one another in a circle")
                    if node.segment not in self.segments:
                        raise Refused("unknown segment")
                    if node.segment not in reached:
                        reached.add(node.segment)
                        pending.append(self.segments[node.segment])
        self.segments[name] = self._listed(segment)

    def _listed(self, segment: Segment) -> Segment:
        """A list holds profiles that there are: nobody is created, and who comes later is not on it."""
        if isinstance(segment, Overridden):
            return Overridden(segment.rule, self._there(segment.added), self._there(segment.removed))
        return self._there(segment) if isinstance(segment, set) else segment

    def _there(self, keys: set[str]) -> set[str]:
        return {self.resolve(key) for key in keys} & set(self.profiles)


def _merge_attribute(into: Profile, gone: Profile, name: str, value: Cell | None, now_us: int) -> None:
    own = into.attributes.get(name)
    if own is None:
        into.attributes[name] = value
        into.changed_us.pop(name, None)
        if name in gone.changed_us:
            into.changed_us[name] = gone.changed_us[name]
    elif isinstance(own, frozenset) and isinstance(value, frozenset) and not value <= own:
        into.attributes[name] = own | value
        if name in into.changed_us:
            into.changed_us[name] = now_us


def _normal(value: Cell | None) -> Cell | None:
    """Text in NFC, no negative zero, and nothing that is not a number."""
    match value:
        case str():
            return nfc(value)
        case frozenset():
            return frozenset(nfc(element) for element in value)
        case float():
            if not math.isfinite(value):
                raise Refused("NaN and infinities are not values")
            return value + 0.0
        case _:
            return value


def admitted(value: Cell | None, type_: ValueType) -> Cell | None:
    """`value` as an attribute of that type holds it; raises Refused where the type does not admit it."""
    value = _normal(value)
    match type_.kind, value:
        case _, None:
            return None
        case Kind.BOOL, bool():
            return value
        case Kind.INT | Kind.DECIMAL | Kind.FLOAT, bool():
            raise Refused("a bool is not a number")
        case Kind.INT, int() | float() | Decimal() if value == int(value) and -(2**63) <= value < 2**63:
            return int(value)
        case Kind.FLOAT, float():
            return value
        case Kind.FLOAT, int() if abs(value) < 2**1023 and float(value) == value:
            return float(value)
        case Kind.DECIMAL, int() | float() | Decimal():
            exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
            scaled = exact.scaleb(type_.digits)
            if scaled == int(scaled) and -(2**63) <= scaled < 2**63:
                return exact
        case (Kind.TEXT, str()) | (Kind.TEXT_SET, frozenset()) | (Kind.INSTANT, Instant()):
            return value
        case (Kind.DATE, Date()) | (Kind.POINT, Point()):
            return value
        case _:
            pass
    raise Refused("a value of the wrong type")
