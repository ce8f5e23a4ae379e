"""A database and the oracle's world that live through the same steps, live segments of every kind and state included.

What the engine must refuse is worked out here, from what is saved, and compared too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from headcount_engine import bitmaps
from headcount_engine.bitmaps import Bitmap
from headcount_engine.changes.chunks import ChangeKind
from headcount_engine.changes.cursors import Position
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import Condition, Everyone, InSegment, Rank, Same, walk
from headcount_engine.database import Database
from headcount_engine.errors import EngineError
from headcount_engine.model.answers import SegmentChanges, SegmentDraft, Settings
from headcount_engine.model.batches import Reason, Texts, WriteReceipt
from headcount_engine.model.segments import ImportMode, NamedPeople, SegmentKind, SegmentState
from headcount_engine.model.values import Cell, Kind, ValueType
from tests.agreement.columns import column, profiles
from tests.agreement.driving import ANY_TIME, Driven, _batches
from tests.agreement.evaluated import is_taken
from tests.durability.crash_files import CrashFiles
from tests.durability.databases import MANUAL
from tests.oracle.changes import Consent, Schema, Track, Upsert, apply
from tests.oracle.checks import check
from tests.oracle.evaluate import members
from tests.oracle.pools import cells, instants
from tests.oracle.strategies import CHANNELS, EVENT_NAMES, KEYS, TAGS
from tests.oracle.world import Overridden, Refused, World

Row = Upsert | Track
LIVE, DRAFT, PAUSED, ARCHIVED = (
    SegmentState.LIVE, SegmentState.DRAFT, SegmentState.PAUSED, SegmentState.ARCHIVED,
)  # fmt: skip
RULE, MANUAL_KIND, OVERRIDES = SegmentKind.RULE, SegmentKind.MANUAL, SegmentKind.OVERRIDES


class OnFiles(Driven):
    """A driven database over files in memory, which may end in several ways and be opened again."""

    def __init__(self, schema: Schema) -> None:
        self.files = CrashFiles()
        super().__init__(schema)

    def _open(self) -> Database:
        opt_out = frozenset(topic for topic, is_opt_in in self.schema.topics.items() if not is_opt_in)
        settings = Settings(self.schema.default_zone, self.schema.week_start, opt_out_topics=opt_out)
        return Database.open(
            None, files=self.files, clock=self.clock, settings=settings, limits=ANY_TIME, durability=MANUAL
        )

    def end(self, how: str, seed: int) -> None:
        """Closed in good order, the process killed, or the power lost; then opened again."""
        if how == "closed":
            self.database.close()
        held = self.files.image(Random(seed)) if how == "power" else self.files.process_ended()
        self.files = CrashFiles(held)
        self.database = self._open()

    def receipt_of(self, batch: Sequence[Row]) -> WriteReceipt:
        """Write rows that can share a batch."""
        upserts = [row for row in batch if isinstance(row, Upsert)]
        return self._upsert(upserts) if upserts else self._track([r for r in batch if isinstance(r, Track)])


@dataclass(frozen=True, slots=True)
class Saved:
    kind: SegmentKind
    state: SegmentState
    rule: Condition | None


class Living:
    """Both, and what is saved. Every method that changes something does it to both, or sees both refuse.

    The world's segment of a name says who is in it now; what a frozen one goes back to is under the name and " held".
    """

    def __init__(self, schema: Schema, base_us: int, start_us: int) -> None:
        """Values, events and windows have their edges about `base_us`; the clock starts at `start_us`."""
        self.schema = schema
        self.base_us = base_us
        self.world: World = schema.world()
        self.driven = OnFiles(schema)
        self.driven.clock.advance_to(start_us)
        self.saved: dict[str, Saved] = {}
        self._folded: dict[str, Bitmap] = {}
        self._read = Position(1)

    @property
    def database(self) -> Database:
        return self.driven.database

    @property
    def now_us(self) -> int:
        return self.driven.clock.now_us()

    # ------------------------------------------------------------------------------------------------ rows

    def row(self, random: Random, keys: Sequence[str]) -> Row:
        """A patch or an event of some key at the present arrival; a few may not be taken."""
        key = random.choice(keys)
        if random.random() < 0.03:
            key = ""
        if random.random() < 0.4:
            identifiers = frozenset({("email", f"{key}@x")}) if random.random() < 0.1 else frozenset()
            found: Row = Upsert(
                key,
                self._some(random, self.schema.attribute_types, 0.4),
                self.now_us,
                tags=frozenset(tag for tag in TAGS if random.random() < 0.2),
                untag=frozenset(tag for tag in TAGS if random.random() < 0.2),
                channels=frozenset(channel for channel in CHANNELS if random.random() < 0.2),
                identifiers=identifiers,
            )
        else:
            name = random.choice(EVENT_NAMES)
            types = {p: t for (event, p), t in self.schema.property_types.items() if event == name}
            id_ = f"id{random.randint(1, 9)}" if random.random() < 0.2 else None
            times = instants(self.base_us)
            found = Track(key, name, random.choice(times), self._some(random, types, 0.7), id_, self.now_us)
        return found if is_taken(found) else self.row(random, keys)

    def _some(self, random: Random, types: dict[str, ValueType], share: float) -> dict[str, Cell | None]:
        found: dict[str, Cell | None] = {}
        for name, type_ in types.items():
            if random.random() < share:
                pool = cells(type_, name, self.base_us)
                found[name] = None if random.random() < 0.15 else random.choice(pool)
                if type_.kind is Kind.FLOAT and random.random() < 0.05:
                    found[name] = math.nan
        return found

    def write(self, rows: Sequence[Row]) -> None:
        """Rows in order; the engine refuses exactly those that the world refuses."""
        for batch in _batches(self.schema, rows):
            repeated = {
                i for i, row in enumerate(batch) if isinstance(row, Track) and row.id in self.world.seen
            }
            refused = {i for i, row in enumerate(batch) if not self._takes(row)}
            receipt = self.driven.receipt_of([row for row in batch if isinstance(row, Upsert | Track)])
            found = {r.row for r in receipt.rejected if r.reason is not Reason.DUPLICATE}
            # A bad row with an id that was seen is one or the other.
            assert refused <= found <= refused | repeated, (receipt.rejected, batch)

    def _takes(self, change: Row | Consent) -> bool:
        try:
            apply(self.world, change)
        except Refused:
            return False
        return True

    def consent(self, key: str, topic: str, is_subscribed: bool) -> None:
        """Said now, perhaps again."""
        is_taken_ = self._takes(Consent(key, topic, is_subscribed, self.now_us))
        said = column(f"$consent.{topic}", Kind.BOOL, [is_subscribed])
        assert bool(self.database.write_profiles(profiles([key], said)).rejected) is not is_taken_

    # ------------------------------------------------------------------------------------------------ people

    def merge(self, survivor: str, loser: str, force: bool) -> None:
        if self.world.resolve(survivor) == self.world.resolve(loser):
            return
        try:
            self.world.merge(survivor, loser, now_us=self.now_us, force=force)
        except Refused:
            self._refused(lambda: self.database.merge_profiles(survivor, loser, force=force))
            return
        self.database.merge_profiles(survivor, loser, force=force)

    def erase(self, key: str) -> None:
        try:
            self.world.erase(key)
        except Refused:
            self._refused(lambda: self.database.erase_profile(key))
            return
        self.database.erase_profile(key)

    def recreate(self, key: str) -> None:
        """An erased profile comes back as another; only where nobody's key led to it."""
        if key in self.world.survivors or key in self.world.survivors.values():
            return
        self.write([Upsert(key, now_us=self.now_us, recreate=True)])

    # ------------------------------------------------------------------------------------------------ segments

    def create(
        self, name: str, kind: SegmentKind, state: SegmentState, rule: Condition, keys: Sequence[str]
    ) -> None:
        own = None if kind is MANUAL_KIND else rule
        draft = SegmentDraft(name, "" if own is None else to_text(own), name, kind=kind, state=state)
        if self._is_refused(name, own, state):
            self._refused(lambda: self.database.create_segment(draft))
            return
        self.saved[name] = Saved(kind, state, own)
        self.database.create_segment(draft)
        if kind is RULE:
            assert own is not None
            self.world.segments[name] = own
        else:
            self.world.segments[name] = set() if own is None else Overridden(own)
            self.world.segments[_held(name)] = self.world.segments[name]
            self.edit_list(name, ImportMode.APPEND, keys)

    def edit_rule(self, name: str, rule: Condition) -> None:
        saved = self.saved[name]
        changes = SegmentChanges(rule=to_text(rule))
        if saved.kind is MANUAL_KIND or self._is_refused(name, rule, saved.state):
            self._refused(lambda: self.database.update_segment(name, changes))
            return
        self.database.update_segment(name, changes)
        self.saved[name] = replace(saved, rule=rule)
        held = self.world.segments.get(_held(name))
        if isinstance(held, Overridden):
            held.rule = rule
        if saved.kind is RULE and not saved.state.is_frozen:
            self.world.segments[name] = rule

    def set_state(self, name: str, state: SegmentState) -> None:
        saved = self.saved[name]
        changes = SegmentChanges(state=state)
        if self._is_refused(name, saved.rule, state):
            self._refused(lambda: self.database.update_segment(name, changes))
            return
        frozen = members(self.world, InSegment(name), self.now_us)
        self.database.update_segment(name, changes)
        self.saved[name] = replace(saved, state=state)
        if state.is_frozen and not saved.state.is_frozen:
            self.world.segments[name] = frozen
        elif saved.state.is_frozen and not state.is_frozen:
            if saved.rule is not None and saved.kind is RULE:
                self.world.segments[name] = saved.rule
            else:
                self.world.segments[name] = self.world.segments[_held(name)]

    def delete(self, name: str) -> None:
        if self._dependents(name):
            self._refused(lambda: self.database.delete_segment(name))
            return
        self.database.delete_segment(name)
        del self.saved[name], self.world.segments[name]
        self.world.segments.pop(_held(name), None)

    def edit_list(self, name: str, mode: ImportMode, keys: Sequence[str]) -> None:
        saved = self.saved[name]
        people = [NamedPeople(Texts.of(keys))]
        if saved.kind is RULE or saved.state.is_frozen:
            self._refused(lambda: self.database.import_members(name, people, mode))
            return
        self.database.import_members(name, people, mode, allow_empty=True)
        ids = {self.world.resolve(key) for key in keys} & set(self.world.profiles)
        held = self.world.segments[_held(name)]
        added, removed = (held.added, held.removed) if isinstance(held, Overridden) else (held, set[str]())
        assert isinstance(added, set)
        if mode is ImportMode.REMOVE:
            added -= ids
            removed |= ids
            return
        if mode is ImportMode.REPLACE:
            added.clear()
        added |= ids
        removed -= ids

    def _refused(self, ask: Callable[[], object]) -> None:
        try:
            ask()
        except EngineError:
            return
        raise AssertionError("the engine took what is refused")

    def _is_refused(self, name: str, rule: Condition | None, state: SegmentState) -> bool:
        """Whether a segment cannot become this."""
        old = self.saved.get(name)
        references = _references(rule)
        if not references <= set(self.saved) | {name} or self._reaches(references, name):
            return True
        if state is LIVE and any(self.saved[other].state is DRAFT for other in references):
            return True
        if state in (LIVE, DRAFT) and rule is not None:
            try:
                check(self.world, rule)
            except Refused:
                return True
        if state is LIVE and rule is not None and not can_be_live(rule):
            return True
        live = [other for other in self._dependents(name) if self.saved[other].state is LIVE]
        return state is DRAFT and old is not None and old.state is not DRAFT and bool(live)

    def _reaches(self, references: set[str], name: str) -> bool:
        done, pending = set[str](), list(references)
        while pending:
            current = pending.pop()
            if current == name:
                return True
            if current not in done:
                done.add(current)
                pending.extend(_references(self.saved[current].rule))
        return False

    def _dependents(self, name: str) -> list[str]:
        return [other for other, saved in self.saved.items() if name in _references(saved.rule)]

    # ------------------------------------------------------------------------------------------------ the check

    def compare(self) -> None:
        """Members, sizes, memberships, joins and leaves are what the oracle and a fresh evaluation say."""
        database = self.database
        database.check_live()
        now_us = database.live_now_us()
        self._fold()
        everyone = database.keys_of(database.members(Everyone()).ids).to_list()
        assert set(everyone) == set(self.world.profiles)
        ids = {key: self._id(key) for key in self.world.profiles}
        keys = {id_: key for key, id_ in ids.items()}
        sizes = database._changes.sizes()
        memberships: dict[str, set[str]] = {key: set() for key in ids}
        for name, saved in self.saved.items():
            told = f"{name} ({saved.kind}, {saved.state}) {saved.rule and to_text(saved.rule)} at {now_us}"
            expected = members(self.world, InSegment(name), now_us)
            fresh = database.segments.members_at(InSegment(name), now_us)
            assert {keys[id_] for id_ in fresh} == expected, f"asked afresh: {told}"
            held = database.live.members(name)
            if saved.state is DRAFT:
                assert held is None, told
                assert not self._folded.get(name, Bitmap()), f"joins and leaves: {told}"
                continue
            assert held is not None
            differing = {keys.get(id_, f"gone {id_}") for id_ in held ^ fresh}
            assert not differing, f"{told}: {differing}"
            assert database.live.size(name) == len(expected) == sizes.get(name, 0), told
            assert self._folded.get(name, Bitmap()) == held, f"joins and leaves: {told}"
            for key in expected if saved.state is not ARCHIVED else ():
                memberships[key].add(name)
        for key, expected in memberships.items():
            assert set(database.live.memberships(ids[key])) == expected, key
        for name in set(self._folded) - set(self.saved):
            assert not self._folded[name], f"members of {name} are left, which is deleted"

    def _id(self, key: str) -> int:
        found = self.database.members(f"key = {_quoted(key)}").ids.tolist()
        assert len(found) == 1, key
        return int(found[0])

    def _fold(self) -> None:
        stretch = self.database._changes.log.read(self._read, None, 1 << 40)
        self._read = stretch.after
        for block in stretch.blocks:
            held, ids = self._folded.get(block.segment, Bitmap()), bitmaps.from_ids(block.ids)
            if block.kind is ChangeKind.JOINED:
                assert not held & ids, f"joined {block.segment} twice"
            else:
                assert ids <= held, f"left {block.segment} without being in"
            self._folded[block.segment] = held ^ ids


def can_be_live(rule: Condition) -> bool:
    """Ranks inside rules, and inside `same`, are only asked ad hoc."""
    ranks_inside = any(isinstance(n, Rank) and n.within is not None for n in walk(rule))
    same = [n for n in walk(rule) if isinstance(n, Same)]
    return not ranks_inside and not any(isinstance(n, Rank) for s in same for n in walk(s))


def _references(rule: Condition | None) -> set[str]:
    return set() if rule is None else {n.segment for n in walk(rule) if isinstance(n, InSegment)}


def _held(name: str) -> str:
    return f"{name} held"


def _quoted(key: str) -> str:
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


__all__ = ["ARCHIVED", "DRAFT", "KEYS", "LIVE", "MANUAL_KIND", "OVERRIDES", "PAUSED", "RULE", "Living"]
