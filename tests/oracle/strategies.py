"""Random small worlds, and random conditions that may be asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from random import Random

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from headcount_engine.conditions import tree
from headcount_engine.conditions.tree import Condition, HasTag, InSegment
from headcount_engine.model.values import NUMERIC, TEMPORAL, Cell, Kind, Text, ValueType
from tests.oracle.changes import Change, Consent, Define, Erase, Merge, Schema, Track, Upsert, apply
from tests.oracle.condition_strategies import ALL_KINDS, GROUP_KINDS, event_leaves, value_leaves
from tests.oracle.pools import NOWS, cells, instants
from tests.oracle.world import Overridden, Refused, World
from tests.oracle.writing import aggregate, did, last, never

_OWN = {
    "flag": Kind.BOOL, "n": Kind.INT, "ratio": Kind.FLOAT, "name": Kind.TEXT, "version": Kind.TEXT,
    "plan": Kind.TEXT, "interests": Kind.TEXT_SET, "joined": Kind.INSTANT, "born": Kind.DATE, "place": Kind.POINT,
}  # fmt: skip
_PROPERTIES = {
    ("view", "offer"): ValueType(Kind.TEXT), ("view", "price"): ValueType(Kind.FLOAT),
    ("view", "n"): ValueType(Kind.INT), ("view", "when"): ValueType(Kind.INSTANT),
    ("view item", "offer"): ValueType(Kind.TEXT), ("view item", "price"): ValueType(Kind.FLOAT),
    ("buy", "offer"): ValueType(Kind.TEXT), ("buy", "amount"): ValueType(Kind.DECIMAL, 2),
    ("buy", "n"): ValueType(Kind.INT), ("buy", "labels"): ValueType(Kind.TEXT_SET),
    ("buy", "gift"): ValueType(Kind.BOOL), ("buy", "due"): ValueType(Kind.DATE),
}  # fmt: skip
SCHEMA = Schema(
    {**{name: ValueType(kind) for name, kind in _OWN.items()}, "money": ValueType(Kind.DECIMAL, 2)},
    _PROPERTIES,
    tracked=frozenset({"plan", "n"}),
    topics={"in": True, "out": False},
)
"""Every kind of attribute and property; a property has one type under all the event types that have it."""
MIXED_SCHEMA = Schema(
    SCHEMA.attribute_types,
    {
        **_PROPERTIES,
        ("view", "score"): ValueType(Kind.INT),
        ("view item", "score"): ValueType(Kind.FLOAT),
        ("buy", "score"): ValueType(Kind.TEXT),
    },
    SCHEMA.tracked,
    SCHEMA.topics,
    default_zone="America/New_York",
    week_start=6,
)
"""The same in another zone and week, with a property whose type depends on the event type."""
EVENT_NAMES = ("view", "view item", "buy", "click")
_ODD_KEYS = ("p1", "P1", "\u00e9", "e", "\U0001f600", "\uff5e", "00004", "4", "a b", "\u00c9", "\u00ff")
KEYS = (*_ODD_KEYS, *(f"p{i}" for i in range(2, 31)))
TAGS, CHANNELS, TOPICS = ("vip", "new", "a\u030a"), ("email", "sms"), ("in", "out")
_SHARES = (("0", "0.1"), ("0.25", "0.5"), ("0.5", "1"), ("0", "1"))
_BUCKETS = tuple(tree.Bucket(Decimal(a), Decimal(b), salt) for a, b in _SHARES for salt in ("", "spring"))
SEGMENTS = ("rule", "list", "overridden", "nested")
"""Segments that every random world has, in order of definition; `nested` refers to the first three."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A history to play, in order of arrival, and an instant at which to ask."""

    schema: Schema = field(repr=False)
    changes: tuple[Change, ...]
    now_us: int

    @property
    def world(self) -> World:
        """A new world each time."""
        return self.schema.world(self.changes)


@st.composite
def scenes(
    draw: DrawFn,
    schema: Schema = SCHEMA,
    profiles_max: int = 40,
    rows_max: int = 80,
    with_people: bool = True,
) -> Scene:
    """About half of `profiles_max` profiles and of `rows_max` further rows: what the world would refuse is left out.

    Events come late, twice, with ties and ahead of time. `with_people` adds a few merges, erasures and identifiers.

    The content comes from a seed, and a flag for each row says whether it is there. So all scenes take the same number
    of choices, which keeps the conditions drawn after them varied, and rows that do not matter shrink away.
    """
    now_us, seed = draw(st.sampled_from(NOWS)), draw(st.integers(0, 2**32 - 1))

    def there(kind: str, count: int) -> list[Random]:
        flags = draw(st.lists(st.booleans(), min_size=count, max_size=count))
        return [Random(f"{kind} {i} {seed}") for i, is_there in enumerate(flags) if is_there]

    patches = there("profile", profiles_max)
    keys = KEYS[: len(patches)]
    changes = [_patch(random, schema, now_us, key) for key, random in zip(keys, patches, strict=True)]
    if keys:
        changes += [_row(random, schema, now_us, keys) for random in there("row", rows_max)]
    half = len(changes) // 2
    changes[half:half] = [_segment(Random(f"{name} {seed}"), name, keys) for name in SEGMENTS]
    if with_people and keys:
        for random in there("person", 3):
            changes.insert(random.randint(0, len(changes)), _person(random, keys))
    past = [us for us in instants(now_us) if us <= now_us]
    arrivals = sorted(Random(f"arrivals {seed}").choices(past, k=4))
    played = (_arrived(change, arrivals[i * 4 // len(changes)]) for i, change in enumerate(changes))
    return Scene(schema, tuple(applicable(schema, played)), now_us)


def _arrived(change: Change, arrival_us: int) -> Change:
    match change:
        case Upsert() | Track() | Merge():
            return replace(change, now_us=arrival_us)
        case _:
            return change


def applicable(schema: Schema, changes: Iterable[Change]) -> list[Change]:
    """The changes that the world takes, in order, without those that it refuses."""
    world, taken = schema.world(), []
    for change in changes:
        try:
            apply(world, change)
        except Refused:
            continue
        taken.append(change)
    return taken


def _row(random: Random, schema: Schema, now_us: int, keys: Sequence[str]) -> Change:
    key, lot = random.choice(keys), random.random()
    if lot < 0.1:
        return _patch(random, schema, now_us, key)
    if lot < 0.2:
        topic, changed_us = random.choice(TOPICS), random.choice(instants(now_us))
        return Consent(key, topic, random.random() < 0.5, changed_us)
    name = random.choice(EVENT_NAMES)
    types = {property_: type_ for (event, property_), type_ in schema.property_types.items() if event == name}
    id_ = f"id{random.randint(1, 5)}" if random.random() < 0.2 else None
    return Track(key, name, random.choice(instants(now_us)), _some(random, types, now_us), id_)


def _patch(random: Random, schema: Schema, now_us: int, key: str) -> Change:
    return Upsert(
        key,
        _some(random, schema.attribute_types, now_us),
        tags=frozenset(tag for tag in TAGS if random.random() < 0.3),
        untag=frozenset(tag for tag in TAGS if random.random() < 0.1),
        channels=frozenset(channel for channel in CHANNELS if random.random() < 0.3),
    )


def _some(random: Random, types: Mapping[str, ValueType], now_us: int) -> dict[str, Cell | None]:
    """A value for most of the names, null for a few."""
    chosen = [(name, type_) for name, type_ in types.items() if random.random() < 0.8]
    return {
        name: None if random.random() < 0.1 else random.choice(cells(type_, name, now_us))
        for name, type_ in chosen
    }


def _person(random: Random, keys: Sequence[str]) -> Change:
    """Few of these: whoever is erased takes the events along and takes no new ones."""
    one, other, lot = random.choice(keys), random.choice(keys), random.random()
    identifiers = frozenset({(random.choice(("email", "phone")), other)})
    if lot < 0.25:
        return Erase(one)
    if lot < 0.5:
        return Merge(one, other, force=random.random() < 0.5)
    return Upsert(one, identifiers=identifiers, recreate=lot < 0.75)


_RULES: tuple[Condition, ...] = (
    tree.Compare("plan", tree.Op.EQ, Text("pro")),
    tree.Not(tree.Exists("n")),
    HasTag("vip"),
    did("view", window=last(30)),
    did("*", 2),
    never("buy"),
    aggregate("sum", "buy", "amount", ">", 0),
    tree.Same("offer", did("view", 2)),
    tree.AnyOf((tree.Known(), tree.InWindow("joined", last(60)))),
)


def _segment(random: Random, name: str, keys: Sequence[str]) -> Change:
    some = {key for key in keys if random.random() < 0.4}
    others = {key for key in keys if random.random() < 0.2}
    if name == "list":
        return Define(name, some)
    if name == "overridden":
        return Define(name, Overridden(random.choice(_RULES), some, others))
    if name == "rule":
        return Define(name, random.choice(_RULES))
    either = random.choice((tree.AnyOf, tree.AllOf, tree.NoneOf))
    return Define(name, either(tuple(InSegment(inner) for inner in SEGMENTS[:3])))


# ------------------------------------------------------------------------------------------------ conditions


@cache
def conditions_for(
    schema: Schema = SCHEMA,
    now_us: int = NOWS[0],
    kinds: frozenset[type] = ALL_KINDS,
    leaves_max: int = 6,
) -> SearchStrategy[Condition]:
    """Conditions whose names and types fit the schema, made of these kinds of node only.

    `kinds` are classes of tree.py; at least one of them is a leaf or Everyone. InSegment names SEGMENTS. Windows
    have their edges where the worlds of `scenes` at the same `now_us` have their instants.
    """
    return _grouped(_leaves(schema, now_us, kinds), kinds, leaves_max)


@st.composite
def questions(
    draw: DrawFn, schema: Schema = SCHEMA, kinds: frozenset[type] = ALL_KINDS, profiles_max: int = 40
) -> tuple[Scene, Condition]:
    """A scene and a condition to ask of it at its now."""
    scene = draw(scenes(schema, profiles_max))
    return scene, draw(conditions_for(schema, scene.now_us, kinds))


def _grouped(
    leaves: SearchStrategy[Condition], kinds: frozenset[type], leaves_max: int
) -> SearchStrategy[Condition]:
    groups = kinds & GROUP_KINDS
    if not groups:
        return leaves

    def around(inner: SearchStrategy[Condition]) -> SearchStrategy[Condition]:
        several = st.lists(inner, min_size=1, max_size=3).map(tuple)
        shapes: dict[type, SearchStrategy[Condition]] = {
            tree.Not: st.builds(tree.Not, inner),
            tree.AllOf: st.builds(tree.AllOf, several),
            tree.AnyOf: st.builds(tree.AnyOf, several),
            tree.NoneOf: st.builds(tree.NoneOf, several),
            tree.AtLeast: several.flatmap(
                lambda c: st.builds(tree.AtLeast, st.integers(0, len(c)), st.just(c))
            ),
            tree.Exactly: several.flatmap(
                lambda c: st.builds(tree.Exactly, st.integers(0, len(c)), st.just(c))
            ),
        }
        return st.one_of([shape for kind, shape in shapes.items() if kind in groups])

    return st.recursive(_drawn(_Unprinted(leaves)), around, max_leaves=leaves_max)


class _Unprinted:
    """A strategy whose description would run to 100 kB, and which st.recursive would print."""

    def __init__(self, strategy: SearchStrategy[Condition]) -> None:
        self.strategy = strategy

    def __repr__(self) -> str:
        return "..."


@st.composite
def _drawn(draw: DrawFn, of: _Unprinted) -> Condition:
    return draw(of.strategy)


@cache
def _leaves(schema: Schema, now_us: int, kinds: frozenset[type]) -> SearchStrategy[Condition]:
    by_kind: dict[type, list[SearchStrategy[Condition]]] = {}
    for name, type_ in schema.attribute_types.items():
        for kind, leaf in value_leaves(name, type_, now_us, is_tracked=name in schema.tracked):
            by_kind.setdefault(kind, []).append(leaf)
    attribute_leaves = {kind: st.one_of(leaves) for kind, leaves in by_kind.items() if kind in kinds}
    of_events = {
        kind: leaf for kind, leaf in event_leaves(schema, now_us, EVENT_NAMES).items() if kind in kinds
    }
    found = {**attribute_leaves, **of_events, **_profile_leaves(schema, attribute_leaves, kinds)}
    if tree.Same in kinds:
        inside = of_events or {tree.Did: event_leaves(schema, now_us, EVENT_NAMES)[tree.Did]}
        inner = _grouped(st.one_of([*inside.values(), *attribute_leaves.values()]), kinds, 3)
        properties = sorted({property_ for _, property_ in schema.property_types})
        found[tree.Same] = st.builds(tree.Same, st.sampled_from(properties), inner)
    return st.one_of(list(found.values()))


def _profile_leaves(
    schema: Schema, attribute_leaves: dict[type, SearchStrategy[Condition]], kinds: frozenset[type]
) -> dict[type, SearchStrategy[Condition]]:
    ranked = [name for name, type_ in schema.attribute_types.items() if type_.kind in NUMERIC | TEMPORAL]
    end, attribute = st.sampled_from(tree.End), st.sampled_from(ranked)
    within = st.none() | st.one_of(list(attribute_leaves.values())) if attribute_leaves else st.none()
    percents = st.sampled_from([Decimal(text) for text in ("0.5", "10", "33.3", "50", "100")])
    found: dict[type, SearchStrategy[Condition]] = {
        tree.Everyone: st.just(tree.Everyone()),
        HasTag: st.builds(HasTag, st.sampled_from((*TAGS, "\u00e5", "nobody has"))),
        tree.HasChannel: st.builds(tree.HasChannel, st.sampled_from(CHANNELS)),
        tree.HasConsent: st.builds(tree.HasConsent, st.sampled_from(TOPICS)),
        tree.Known: st.just(tree.Known()),
        tree.KeyIn: st.builds(tree.KeyIn, st.lists(st.sampled_from(KEYS), min_size=1, max_size=5).map(tuple)),
        InSegment: st.builds(InSegment, st.sampled_from(SEGMENTS)),
        tree.Bucket: st.sampled_from(_BUCKETS),
        tree.Rank: st.builds(
            tree.Rank, end, st.integers(1, 10).map(Decimal), st.just(False), attribute, within
        )
        | st.builds(tree.Rank, end, percents, st.just(True), attribute, within),
    }
    return {kind: leaf for kind, leaf in found.items() if kind in kinds}
