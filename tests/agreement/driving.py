"""A database that lives through the same changes as the oracle's world, and the comparison of the two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from headcount_engine.clock import ManualClock
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import Condition, InSegment, walk
from headcount_engine.conditions.windows import CalendarLast
from headcount_engine.database import Database
from headcount_engine.errors import InvalidRule
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_engine.model.answers import SegmentChanges, SegmentDraft, Settings
from headcount_engine.model.batches import Change as ColumnChange
from headcount_engine.model.batches import Column, Reason, Texts, WriteReceipt
from headcount_engine.model.schema import (
    CHANNELS,
    TAGS,
    AttributeDefinition,
    PropertyDefinition,
    consent_attribute,
)
from headcount_engine.model.segments import ImportMode, NamedPeople, SegmentKind
from headcount_engine.model.values import Kind, ValueType
from tests.agreement.columns import MISSING, column, columns, events, profiles, type_of
from tests.agreement.evaluated import EVALUATED, HAS_DEDUPLICATION, is_evaluated, is_taken
from tests.oracle.changes import Change, Consent, Define, Erase, Merge, Schema, Track, Upsert, apply
from tests.oracle.evaluate import members
from tests.oracle.strategies import SCHEMA, Scene, conditions_for, scenes
from tests.oracle.world import Overridden, Refused, World
from tests.oracle.world import Segment as OracleSegment

ANY_TIME = replace(DEFAULT_LIMITS, event_ahead_days=400_000, consent_ahead_s=400_000 * 86_400)
"""The oracle has no bound on how far ahead an event or an answer is dated."""
SET = ValueType(Kind.TEXT_SET)
BEGINNING_US = -2_208_988_800_000_000
"""1900-01-01: before anything that arrives, and far enough inside the calendar for every zone and window."""

Split = Callable[[Sequence[Change]], Iterable[Sequence[Change]]]
"""How a sequence of changes is cut into batches; changes that cannot share a batch are cut apart afterwards."""


def whole(changes: Sequence[Change]) -> Iterable[Sequence[Change]]:
    return [changes]


def one_by_one(changes: Sequence[Change]) -> Iterable[Sequence[Change]]:
    return [[change] for change in changes]


class Driven:
    """A database with a schema declared, and its clock."""

    def __init__(self, schema: Schema, path: Path | None = None) -> None:
        self.schema = schema
        self.clock = ManualClock(BEGINNING_US)
        self._path = path
        self.database = self._open()
        self.database.declare_attributes(
            [
                AttributeDefinition(name, type_, is_tracked=name in schema.tracked)
                for name, type_ in schema.attribute_types.items()
            ]
        )
        self.database.declare_properties(
            [PropertyDefinition(event, name, type_) for (event, name), type_ in schema.property_types.items()]
        )

    def _open(self) -> Database:
        opt_out = frozenset(topic for topic, is_opt_in in self.schema.topics.items() if not is_opt_in)
        settings = Settings(self.schema.default_zone, self.schema.week_start, opt_out_topics=opt_out)
        return Database.open(self._path, clock=self.clock, settings=settings, limits=ANY_TIME)

    def reopen(self) -> None:
        """Close, and open again from what the directory holds."""
        self.database.close()
        self.database = self._open()

    def play(self, changes: Sequence[Change], split: Split = whole) -> None:
        """Let the changes happen, in order of arrival. Every row must be taken."""
        for part in split(_by_arrival(changes)):
            for batch in _batches(self.schema, part):
                self._write(batch)

    def _write(self, batch: list[Change]) -> None:
        self.clock.advance_to(_arrival(batch[0]))
        match batch[0]:
            case Upsert():
                self._taken(self._upsert([c for c in batch if isinstance(c, Upsert)]))
            case Track():
                self._taken(self._track([c for c in batch if isinstance(c, Track)]))
            case Consent():
                self._taken(self._consents([c for c in batch if isinstance(c, Consent)]))
            case Define(name, segment):
                self._define(name, segment)
            case Merge(survivor, loser, _, force):
                self.database.merge_profiles(survivor, loser, force=force)
            case Erase(key):
                self.database.erase_profile(key)
            case other:
                assert_never(other)

    @staticmethod
    def _taken(receipt: WriteReceipt) -> None:
        # A repeated event id with other content is ignored and said so; the oracle ignores it without a word.
        assert all(row.reason is Reason.DUPLICATE for row in receipt.rejected)

    def _upsert(self, rows: list[Upsert]) -> WriteReceipt:
        held = [*columns([row.attributes for row in rows], _travelling(self.schema, rows))]
        for name, change, sets in (
            (TAGS, ColumnChange.ADD, [row.tags for row in rows]),
            (TAGS, ColumnChange.REMOVE, [row.untag for row in rows]),
            (CHANNELS, ColumnChange.ADD, [row.channels for row in rows]),
        ):
            if any(sets):
                held.append(column(name, SET, [given or MISSING for given in sets], change=change))
        for type_ in sorted({type_ for row in rows for type_, _ in row.identifiers}):
            texts = [dict(row.identifiers).get(type_, MISSING) for row in rows]
            held.append(column(type_, Kind.TEXT, texts, is_identifier=True))
        create, recreate = rows[0].create, rows[0].recreate
        return self.database.write_profiles(
            profiles([row.key for row in rows], *held, create=create, recreate=recreate)
        )

    def _track(self, rows: list[Track]) -> WriteReceipt:
        held: tuple[Column, ...] = columns([row.properties for row in rows], _travelling(self.schema, rows))
        return self.database.write_events(
            events(
                [row.key for row in rows],
                [row.name for row in rows],
                [row.time_us for row in rows],
                *held,
                create=rows[0].create,
                event_ids=[row.id or "" for row in rows],
            )
        )

    def _consents(self, said: list[Consent]) -> WriteReceipt:
        """Answers with their own instants, a column a topic."""
        held = []
        for topic in sorted({change.topic for change in said}):
            cells = [change.is_subscribed if change.topic == topic else MISSING for change in said]
            answers = column(consent_attribute(topic), Kind.BOOL, cells)
            given_us = np.array([change.changed_us for change in said], dtype=np.int64)
            held.append(replace(answers, given_us=given_us))
        return self.database.write_profiles(profiles([change.key for change in said], *held))

    def _define(self, name: str, segment: OracleSegment) -> None:
        database = self.database
        match segment:
            case set():
                rule, kind, lists = "", SegmentKind.MANUAL, [(ImportMode.REPLACE, segment)]
            case Overridden(condition, added, removed):
                rule, kind = to_text(condition), SegmentKind.OVERRIDES
                lists = [(ImportMode.REPLACE, added), (ImportMode.REMOVE, removed)]
            case _:
                rule, kind, lists = to_text(segment), SegmentKind.RULE, []
        if any(held.name == name for held in database.list_segments().segments):
            if rule:
                database.update_segment(name, SegmentChanges(rule=rule))
        else:
            database.create_segment(SegmentDraft(name, rule, kind=kind))
        for mode, keys in lists:
            database.import_members(name, [NamedPeople(Texts.of(sorted(keys)))], mode, allow_empty=True)

    # -------------------------------------------------------------------------------------------- asking

    def members(self, condition: Condition, now_us: int) -> set[str]:
        """Who matches, by the set path."""
        return set(self.database.keys_of(self.database.members(condition, at_us=now_us).ids).to_list())

    def answers(self, condition: Condition, now_us: int, keys: Sequence[str]) -> dict[str, set[str]]:
        """Who of `keys` matches, by each way of asking; `keys` are all that exist."""
        database = self.database
        found = {"members": self.members(condition, now_us)}
        single = [database.check(key, [condition], at_us=now_us).results[0] for key in keys]
        found["check"] = {key for key, is_in in zip(keys, single, strict=True) if is_in}
        for name, size in (("check a few", 7), ("check many", max(len(keys), 1))):
            matching: set[str] = set()
            for start in range(0, len(keys), size):
                part = keys[start : start + size]
                answer = database.check_many(Texts.of(part), [condition], at_us=now_us)
                assert answer.is_known.all()
                matching |= {part[row] for row in np.flatnonzero(answer.results[:, 0]).tolist()}
            found[name] = matching
        return found


def assert_agree(driven: Driven, world: World, condition: Condition, now_us: int) -> None:
    """Every way of asking the engine gives what the oracle gives."""
    try:
        expected = members(world, condition, now_us)
    except Refused:
        assert_refused(driven, condition, now_us)
        return
    keys = sorted(world.profiles)
    rule = to_text(condition)
    for way, found in driven.answers(condition, now_us, keys).items():
        assert found == expected, f"{way} of {rule} at {now_us}"
    count = driven.database.count(condition, at_us=now_us)
    assert (count.count, count.total, count.now_us) == (len(expected), len(keys), now_us), rule
    unknown = driven.database.check("nobody has this key", [condition], at_us=now_us)
    assert not unknown.is_known and not unknown.results[0]


def assert_refused(driven: Driven, condition: Condition, now_us: int) -> None:
    """Every way of asking refuses the rule, and says so as a fault of the rule."""
    database = driven.database
    for ask in (
        lambda: database.members(condition, at_us=now_us),
        lambda: database.count(condition, at_us=now_us),
        lambda: database.check("a", [condition], at_us=now_us),
        lambda: database.check_many(Texts.of(["a"]), [condition], at_us=now_us),
        lambda: database.create_segment(SegmentDraft("refused", to_text(condition))),
    ):
        try:
            ask()
        except InvalidRule:
            continue
        raise AssertionError(f"{to_text(condition)} was answered")


# ------------------------------------------------------------------------------------------------ batches


def _arrival(change: Change) -> int:
    return change.now_us if isinstance(change, Upsert | Track | Merge) else BEGINNING_US


def _by_arrival(changes: Sequence[Change]) -> list[Change]:
    """What has no instant of its own arrives right after what stands before it."""
    latest = BEGINNING_US
    placed: list[tuple[int, Change]] = []
    for change in changes:
        latest = change.now_us if isinstance(change, Upsert | Track | Merge) else latest
        placed.append((latest, change))
    return [change for _, change in sorted(placed, key=lambda entry: entry[0])]


def _batches(schema: Schema, changes: Iterable[Change]) -> Iterable[list[Change]]:
    """Neighbours that can be one batch: of one kind and arrival, with columns of one type."""
    batch: list[Change] = []
    types: dict[str, ValueType] = {}
    for change in changes:
        own = _types(schema, change)
        fits = batch and not isinstance(change, Define | Merge | Erase) and type(change) is type(batch[0])
        if (
            not fits
            or _terms(change) != _terms(batch[0])
            or any(types.get(name, type_) != type_ for name, type_ in own.items())
        ):
            if batch:
                yield batch
            batch, types = [], {}
        batch.append(change)
        types |= own
    if batch:
        yield batch


def _terms(change: Change) -> tuple[int, bool, bool]:
    match change:
        case Upsert():
            return change.now_us, change.create, change.recreate
        case Track():
            return change.now_us, change.create, False
        case _:
            return 0, False, False


def _types(schema: Schema, change: Change) -> dict[str, ValueType]:
    """The types in which the values of one row travel."""
    match change:
        case Upsert(attributes=cells):
            declared = {name: schema.attribute_types.get(name) for name in cells}
        case Track(name=event, properties=cells):
            declared = {name: schema.property_types.get((event, name)) for name in cells}
        case _:
            return {}
    return {name: type_of(cell, declared[name]) for name, cell in cells.items() if cell is not None}


def _travelling(schema: Schema, rows: Sequence[Change]) -> dict[str, ValueType]:
    """The types of a batch's columns; one that is null in every row goes by what is declared."""
    types: dict[str, ValueType] = {}
    for row in rows:
        if isinstance(row, Upsert):
            types = {name: schema.attribute_types[name] for name in row.attributes} | types
        elif isinstance(row, Track):
            types = {name: schema.property_types[row.name, name] for name in row.properties} | types
    for row in rows:
        types |= _types(schema, row)
    return types


# ------------------------------------------------------------------------------------------------ strategies


@dataclass(frozen=True, slots=True)
class Played:
    """A scene that the engine can live through, with segments whose rules it can evaluate."""

    scene: Scene

    @property
    def now_us(self) -> int:
        return self.scene.now_us

    def driven(self, split: Split = whole, path: Path | None = None) -> Driven:
        driven = Driven(self.scene.schema, path)
        driven.play(self.scene.changes, split)
        return driven


@st.composite
def rules(
    draw: DrawFn, schema: Schema, now_us: int, leaves_max: int = 6, kinds: frozenset[type] = EVALUATED
) -> Condition:
    """Conditions that the engine evaluates and the oracle too: its calendar ends in year 1 of UTC, in every zone."""
    for _ in range(20):
        condition = draw(conditions_for(schema, now_us, kinds, leaves_max))
        if _is_comparable(condition):
            return condition
    reject()


def _is_comparable(condition: Condition) -> bool:
    reaches_year_1 = any(
        isinstance(window, CalendarLast) and window.count > 1_000
        for window in (getattr(node, "window", None) for node in walk(condition))
    )
    return is_evaluated(condition) and not reaches_year_1


@st.composite
def played(
    draw: DrawFn, schema: Schema = SCHEMA, profiles_max: int = 40, *, with_people: bool = False
) -> Played:
    """A random scene; segments of a kind that the engine does not have yet become rules that it has."""
    scene = draw(scenes(schema, profiles_max, with_people=with_people))
    simple = rules(schema, scene.now_us, 3, EVALUATED - {InSegment})
    changes: list[Change] = []
    for change in scene.changes:
        if isinstance(change, Define) and not is_taken(change):
            change = Define(change.name, draw(simple))
        if isinstance(change, Track) and not HAS_DEDUPLICATION:
            change = replace(change, id=None)
        if is_taken(change):
            changes.append(change)
    return Played(replace(scene, changes=tuple(_mergeable(schema, changes) if with_people else changes)))


def _mergeable(schema: Schema, changes: Iterable[Change]) -> list[Change]:
    """The changes that the world takes."""
    world, taken = schema.world(), []
    for change in changes:
        try:
            apply(world, change)
        except Refused:
            continue
        taken.append(change)
    return taken
