"""Live segments: who is in each, kept as data and the clock move, and who joined and left.

Every profile has a row of bits, one for each segment. A commit flips atoms; the segments that read a flipped atom are
asked again for that profile alone, in the order in which they refer to one another; what comes out differently is a
join or a leave. Definitions are another matter: they change one column of everyone's rows, and are worked out by words.

`stage` decides and changes nothing; `prepare` carries out what readers do not see and `show`, under the gate, the rest.
All but the reads at the end is the writer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.atoms.after import NO_CHANGES, After, Changes
from headcount_engine.atoms.current import CurrentAtoms
from headcount_engine.atoms.registry import Atom, AtomKey, Listed, Retained
from headcount_engine.atoms.rows import Rows, column_words, put_columns, turn
from headcount_engine.atoms.tallies import Toggles, ascending
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.indexes.store import Indexes, ReadView
from headcount_engine.kernels import members as kernels
from headcount_engine.membership import programs
from headcount_engine.membership.catalogue import Definition
from headcount_engine.membership.ceasing import Ceasing, Rules
from headcount_engine.membership.edits import LiveEdit, Outcome
from headcount_engine.membership.flips import (
    between,
    by_segment,
    differences,
    net,
    together,
    told_of,
    turned_bits,
)
from headcount_engine.membership.lists import ListEdit, SegmentLists
from headcount_engine.membership.machine import Machine
from headcount_engine.membership.places import Drawn, Place, draw
from headcount_engine.membership.programs import Formula
from headcount_engine.membership.retention import ENDED, RetentionEdit, RetentionStore
from headcount_engine.membership.sets import MemberSets
from headcount_engine.model.batches import I64, U32, U64, Mask
from headcount_engine.model.changes import Cause
from headcount_engine.model.segments import ListName, SegmentKind, SegmentState

_NO_PASSERS: Mapping[str, I64] = {}


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """Rows of `ids` as they will be, and the atoms and the flips (row, slot, joined, cause) that make them so."""

    ids: I64
    atom_rows: U64
    member_rows: U64
    flips: I64
    toggles: Toggles
    retained: tuple[RetentionEdit, ...] = ()


class LiveSegments:
    """Every segment that is kept current."""

    def __init__(
        self, indexes: Indexes, retention: RetentionStore, moment_at: Callable[[int], Moment]
    ) -> None:
        """`moment_at`: the moment of an instant under the present settings."""
        self._retention = retention
        self._indexes = indexes
        self._moment_at = moment_at
        self._atoms = CurrentAtoms()
        self._rows: Rows[np.uint64] = Rows(np.uint64, 4)
        self._places: Mapping[str, Place] = {}
        self._sets = MemberSets()
        self._sizes = np.zeros(64, dtype=np.int64)
        self._slots_end = 0
        self._free: list[int] = []
        self._machine: Machine | None = None

    def __len__(self) -> int:
        return len(self._places)

    @property
    def nbytes(self) -> int:
        return self._atoms.nbytes + self._rows.nbytes + self._sets.nbytes

    @property
    def keeps_anybody(self) -> bool:
        """Whether a segment has a retention."""
        return bool(self._places) and bool(self._built().rules)

    # ------------------------------------------------------------------------------------------------ a commit

    def stage(
        self,
        changes: Changes,
        lists: Sequence[ListEdit],
        now_us: int,
        definitions: Definitions,
        default: Cause,
    ) -> Outcome:
        """What data, lists and the clock change. `default`: why profiles that are new join."""
        moment = self._moment_at(now_us)
        if not self._places:
            return Outcome(LiveEdit(moment))
        after = After(self._indexes, changes)
        before = self._atoms.moment or moment
        atoms = self._atoms.stage(after, moment, definitions)
        over, ended = self._over(before, moment)
        toggles = [*atoms.toggles, *self._listed(lists), *over]
        passers = self._passers(after, before, moment)
        step = self._step(after, toggles, default, before, moment, definitions, passers)
        flipped, growth, told = by_segment(step.flips, step.ids, self._built().names)
        new = np.flatnonzero(step.ids >= after.first_new)
        edit = LiveEdit(
            moment, atoms, None, step.ids[new], step.atom_rows[new], step.member_rows[new],
            turned_bits(step.toggles.ids, step.toggles.atoms, after.first_new),
            turned_bits(step.ids[step.flips[:, 0]], step.flips[:, 1], after.first_new),
            flips=flipped, growth=growth,
        )  # fmt: skip
        return Outcome(edit, told, (*ended, *step.retained))

    def stage_anew(
        self,
        changes: Changes,
        ids: I64,
        gone: Mapping[int, Cause],
        now_us: int,
        definitions: Definitions,
        lists: Mapping[str, SegmentLists],
        cause: Cause,
    ) -> Outcome:
        """As `stage`, with everything about some profiles found anew from all that they have.

        `gone` are those of them that cease to exist, with why; `lists` as they will be. The clock and ranks move on
        for everybody else.
        """
        moment = self._moment_at(now_us)
        if not self._places:
            return Outcome(LiveEdit(moment))
        after = After(self._indexes, changes)
        before = self._atoms.moment or moment
        atoms = self._atoms.stage(after, moment, definitions)
        over, ended = self._over(before, moment)
        step = self._step(after, [*atoms.toggles, *over], cause, before, moment, definitions)
        rows, tallied = self._atoms.anew(
            ids, after, moment, definitions, self._held(lists, definitions, now_us)
        )
        everyone = ascending(np.concatenate([step.ids, ids]))
        atom_rows, member_rows = self._atoms.rows_before(everyone, after), self._rows.gather(everyone)
        at = np.searchsorted(everyone, step.ids)
        atom_rows[at], member_rows[at] = step.atom_rows, step.member_rows
        at = np.searchsorted(everyone, ids)
        rows = self._atoms.with_ranks_of(rows, atom_rows[at])
        left = np.array(sorted(gone), dtype=np.int64)
        stays = ~np.isin(ids, left)
        fresh = self._members_of(rows, ids)
        held = self._rows.gather(ids)
        flips, _, retained = self._retain(
            _Step(ids, rows, fresh, differences(held, fresh, cause), together([])),
            stays,
            after,
            before,
            moment,
            definitions,
        )
        rows[~stays], fresh[~stays] = 0, 0
        flips = flips[stays[flips[:, 0]]]
        out = differences(held[~stays], fresh[~stays], cause)
        out[:, 0] = np.flatnonzero(~stays)[out[:, 0]]
        for id_, why in gone.items():
            out[out[:, 0] == int(np.searchsorted(ids, id_)), 3] = int(why)
        flips = np.concatenate([flips, out])
        flips[:, 0] = at[flips[:, 0]]
        others = step.flips[~np.isin(step.ids[step.flips[:, 0]], ids)]
        others[:, 0] = np.searchsorted(everyone, step.ids[others[:, 0]])
        atom_rows[at], member_rows[at] = rows, fresh
        flipped, growth, told = by_segment(np.concatenate([others, flips]), everyone, self._built().names)
        edit = LiveEdit(
            moment, atoms, tallied, everyone, atom_rows, member_rows, flips=flipped, growth=growth
        )
        stepped = [e.without(ids) for e in step.retained]
        return Outcome(edit, told, (*ended, *stepped, *retained, *self._forgotten(left)))

    def _step(
        self,
        after: After,
        toggles: Sequence[Toggles],
        default: Cause,
        before: Moment,
        moment: Moment,
        definitions: Definitions,
        passers: Mapping[str, I64] = _NO_PASSERS,
    ) -> _Step:
        """The rows that toggles change, and who flips by that. `passers`: who else may come to be kept, by rule."""
        joined = together(toggles)
        new = np.arange(after.first_new, after.ids_end, dtype=np.int64)
        ids = ascending(np.concatenate([joined.ids, new, *passers.values()]))
        self._rows.ensure(max(after.ids_end, 1))
        machine = self._built()
        atom_rows, member_rows = self._atoms.rows_before(ids, after), self._rows.gather(ids)
        is_new = ids >= after.first_new
        if bool(is_new.any()):
            nobody = self._atoms.row_of_nobody()
            member_rows[is_new] = machine.members_of_nobody(nobody, self._rows.width)
        flips = machine.run(ids, joined, atom_rows, member_rows)
        step = _Step(ids, atom_rows, member_rows, flips, joined)
        flips, joined, retained = self._retain(step, ~is_new, after, before, moment, definitions, passers)
        if bool(is_new.any()):
            at = np.flatnonzero(is_new)
            entered = differences(np.zeros_like(member_rows[at]), member_rows[at], default)
            entered[:, 0] = at[entered[:, 0]]
            flips = np.concatenate([flips[~is_new[flips[:, 0]]], entered])
        return _Step(ids, atom_rows, member_rows, flips, joined, retained)

    # ------------------------------------------------------------------------------------------------ retention

    def _rules(self) -> list[Place]:
        """The rules of segments with a retention."""
        return self._built().rules

    def _over(self, before: Moment, moment: Moment) -> tuple[list[Toggles], list[RetentionEdit]]:
        """Who is kept no longer, by the clock."""
        toggles, ended = [], []
        for place in self._rules():
            definition = place.definition
            assert definition.retention_us is not None
            kept = self._retention.of(definition.id)
            ids = kept.over(before.now_us, moment.now_us, definition.retention_us)
            if len(ids):
                slot = self._atoms.slot_of(Retained(definition.id))
                toggles.append(Toggles.of(ids.astype(np.int64), slot, Cause.CLOCK))
                ended.append(_ended(definition.id, ids))
        return toggles, ended

    def _forgotten(self, gone: I64) -> list[RetentionEdit]:
        """Profiles that exist no longer are not kept either."""
        found = []
        for id_, kept in self._retention.all().items():
            ids = kept.ids[np.isin(kept.ids, gone)]
            if len(ids):
                found.append(_ended(id_, ids))
        return found

    def _passers(self, after: After, before: Moment, moment: Moment) -> dict[str, I64]:
        """By rule with a retention, who may have come to match it by the clock and ceased again, all in one step.

        For that the clock must have gone over two things that the rule reads; they may also be the end of a stay in
        another segment that it reads, which begins with a thing that the clock went over.
        """
        found: dict[str, I64] = {}
        if before.now_us >= moment.now_us or not (rules := self._rules()):
            return found
        lengths = {place.definition.id: place.definition.retention_us or 0 for place in rules}
        machine = self._built()
        passed = self._atoms.passed(machine.timed_slots, after, before, moment)
        for place in rules:
            segments = machine.stays[place.id]
            parts = [
                self._retention.of(id_).over(before.now_us, moment.now_us, lengths[id_]).astype(np.int64)
                for id_ in segments
            ]
            if place.id in passed:
                parts.append(passed[place.id])
            if parts:
                ids, times = np.unique(np.concatenate(parts), return_counts=True)
                ids = ids if segments else ids[times > 1]
                if len(ids):
                    found[place.id] = ids
        return found

    def _retain(
        self,
        step: _Step,
        may: Mask,
        after: After,
        before: Moment,
        moment: Moment,
        definitions: Definitions,
        passers: Mapping[str, I64] = _NO_PASSERS,
    ) -> tuple[I64, Toggles, tuple[RetentionEdit, ...]]:
        """Keep those for whom a rule ceased to hold, until it holds again: flips and toggles with it, and what to note.

        Whoever comes to be kept, or ceases to be, may flip other segments, some of which have a retention of their
        own: those that others refer to come first. Whose time is over by now too is not kept at all. `may`: rows that
        can be kept; profiles that are new have not ceased to match anything.
        """
        machine = self._built()
        if not machine.rules:
            return step.flips, step.toggles, ()
        lengths = {p.definition.id: p.definition.retention_us or 0 for p in machine.rules}
        rules = Rules(machine.formulas, self._atoms.atom_of, lengths)
        ceasing = Ceasing(after, rules, self._retention, before.now_us, moment, definitions)
        parts, all_toggles, edits = [step.flips], [step.toggles], list[RetentionEdit]()
        for level in machine.levels:
            flips = net(parts)
            toggles = []
            for place in level:
                own = flips[(flips[:, 1] == place.slot) & may[flips[:, 0]]]
                own = own[np.argsort(own[:, 0])]
                segment = place.definition.id
                slot = self._atoms.slot_of(Retained(segment))
                ids, ceased = step.ids[own[:, 0]], own[:, 2] == 0
                since = np.full(len(ids), ENDED, dtype=np.int64)
                since[ceased] = ceasing.since_us(place.id, ids[ceased], step.atom_rows[own[ceased, 0]])
                if place.id in passers:
                    own, since = self._with_passers(step, place, passers[place.id], own, since, ceasing)
                    ids = step.ids[own[:, 0]]
                if not len(own):
                    continue
                ceasing.note(segment, ids, since)
                since[since <= moment.now_us - lengths[segment]] = ENDED
                bits = ((step.atom_rows[own[:, 0], slot >> 6] >> np.uint64(slot & 63)) & np.uint64(1)) != 0
                turned = bits != (since != ENDED)
                noted = turned | (since != ENDED)
                if bool(noted.any()):
                    edits.append(RetentionEdit(segment, ids[noted].astype(np.uint32), since[noted]))
                if bool(turned.any()):
                    slots = np.full(int(turned.sum()), slot, dtype=np.int64)
                    toggles.append(Toggles(ids[turned], slots, own[turned, 3].astype(np.uint8)))
            if toggles:
                all_toggles.extend(toggles)
                parts.append(machine.run(step.ids, together(toggles), step.atom_rows, step.member_rows))
        return net(parts), together(all_toggles), tuple(edits)

    @staticmethod
    def _with_passers(
        step: _Step, place: Place, passers: I64, own: I64, since: I64, ceasing: Ceasing
    ) -> tuple[I64, I64]:
        """Flips of a rule and since when it does not hold, and those for whom it came and ceased to in one step."""
        rows = np.searchsorted(step.ids, passers)
        held = (step.member_rows[rows, place.slot >> 6] >> np.uint64(place.slot & 63)) & np.uint64(1)
        rows = rows[(held == 0) & ~np.isin(rows, own[:, 0])]
        ended = ceasing.ended_within_us(place.id, step.ids[rows], step.atom_rows[rows])
        rows, ended = rows[ended != ENDED], ended[ended != ENDED]
        passed = np.zeros((len(rows), 4), dtype=np.int64)
        passed[:, 0], passed[:, 1], passed[:, 3] = rows, place.slot, int(Cause.CLOCK)
        both = np.concatenate([own, passed])
        order = np.argsort(both[:, 0])
        return both[order], np.concatenate([since, ended])[order]

    def _members_of(self, atom_rows: U64, ids: I64) -> U64:
        """The segments of profiles with given atoms, each found from nothing."""
        machine = self._built()
        nobody = self._atoms.row_of_nobody()
        members = np.tile(machine.members_of_nobody(nobody, self._rows.width), (len(ids), 1))
        base = np.tile(nobody, (len(ids), 1))
        machine.run(ids, between(ids, base, atom_rows, Cause.DEFINITION), base, members)
        return members

    def publish(self, edit: LiveEdit) -> None:
        """Carry out, where nobody reads yet."""
        self.prepare(edit)
        self.show(edit)
        self.settle()

    def prepare(self, edit: LiveEdit) -> None:
        """Carry out what readers do not see, atoms and counters, before the gate is taken: so they wait less."""
        if edit.atoms is not None:
            self._atoms.publish(edit.atoms, edit.moment)
        if edit.recount is not None:
            self._atoms.publish_recount(edit.recount)
        if edit.atom_rows is not None:
            self._atoms.rows.scatter(edit.ids, edit.atom_rows)
        if edit.atom_bits is not None:
            turn(self._atoms.rows, edit.atom_bits)

    def show(self, edit: LiveEdit) -> None:
        """Carry out the rest: who is in, and how many are. Under the gate, after the data."""
        if edit.anew is not None:
            self._take_over(edit.anew)
        if edit.places is not None:
            self._places = edit.places
            self._machine = None
        if edit.member_rows is not None:
            self._rows.scatter(edit.ids, edit.member_rows)
        if edit.member_bits is not None:
            turn(self._rows, edit.member_bits)
        put_columns(self._rows, edit.columns)
        self._sizes[edit.flips.slots] += edit.growth
        self._sets.publish(edit.flips)
        for slot, members in edit.sets.items():
            self._sets.replace(slot, members)
            self._sizes[slot] = len(members)

    def settle(self) -> None:
        """What publishing left undone for the sets. After it, not under the gate."""
        self._sets.settle()

    def _listed(self, lists: Sequence[ListEdit]) -> list[Toggles]:
        """Flips of lists that segments read."""
        found = []
        for edit in lists:
            atom = self._atoms.atoms.get(Listed(edit.segment, edit.which))
            if atom is not None:
                ids = np.concatenate([edit.entered, edit.gone]).astype(np.int64)
                kind = self._places[edit.segment].definition.kind
                cause = Cause.IMPORT if kind is SegmentKind.MANUAL else Cause.OVERRIDE
                found.append(Toggles.of(ids, atom.slot, cause))
        return found

    # ------------------------------------------------------------------------------------------------ definitions

    def stage_definitions(
        self,
        changed: Sequence[Definition],
        removed: Sequence[str],
        lists: Mapping[str, SegmentLists],
        view: ReadView,
        now_us: int,
        definitions: Definitions,
        *,
        is_first: bool = False,
    ) -> Outcome:
        """What new, edited and removed segments change, at the instant the rows are true for.

        `lists` and `definitions` are as they will be; `view` is the published state with every attribute that the rules
        read. Where these are the first and nobody reads them before they are published, as after a restart, nobody
        hears of joins and leaves. Raises InvalidRule for a rule that can only be asked ad hoc; nothing is changed.
        """
        moment = self._moment_at(now_us)
        if not self._places:
            self._atoms.begin(moment)
        after = After(self._indexes, NO_CHANGES)
        kept = {d.id: d for d in changed if d.state is not SegmentState.DRAFT}
        formulas: dict[str, Formula] = {}
        owners: dict[str, Definition] = {}
        for definition in kept.values():
            own = programs.formulas_of(definition, definitions)
            formulas |= own
            owners |= dict.fromkeys(own, definition)
        old = {
            id_: place
            for id_, place in self._places.items()
            if programs.owner_of(id_) in {d.id for d in changed} or programs.owner_of(id_) in removed
        }
        new_atoms: list[Atom] = []
        places = {id_: p for id_, p in self._places.items() if id_ not in old}
        self._rows.widen((self._slots_end + len(formulas) + 63) >> 6)
        for id_, formula in formulas.items():
            reads, others = programs.atoms_of(formula), programs.segments_of(formula)
            new_atoms.extend(self._atoms.use(reads, definitions))
            slot = old[id_].slot if id_ in old else self._slot()
            slots = frozenset(self._atoms.slot_of(key) for key in reads)
            places[id_] = Place(id_, slot, formula, reads, slots, others, owners[id_])
        held = self._held(lists, definitions, now_us)
        filling = self._atoms.fill(new_atoms, view, after, moment, definitions, held)
        relisted = self._relisted({d.id for d in changed}, held, view)
        for place in old.values():
            self._atoms.drop(place.atoms)
        blocks = max(view.population.blocks, 1)
        existing = bitmaps.to_words(view.population.existing, blocks)
        drawn = draw(
            set(formulas), places, self._atoms, self._rows, filling, relisted, existing, is_read=not is_first
        )
        columns = drawn.members
        settled = self._settled(drawn, places)
        gone = {id_: p for id_, p in old.items() if id_ not in formulas}
        for place in gone.values():
            columns[place.slot] = np.zeros(blocks * 1024, dtype=np.uint64)
            self._free.append(place.slot)
        self._rows.ensure(max(after.ids_end, 1))
        names = {p.slot: id_ for id_, p in {**gone, **places}.items()}
        fresh = {places[id_].slot for id_ in formulas if id_ not in old}
        sets: dict[int, Bitmap] = {}
        told = []
        for slot, words_now in columns.items():
            now = bitmaps.from_words(words_now)
            was = bitmaps.EMPTY if slot in fresh else self._sets.fold(slot)
            if now != was:
                sets[slot] = now
                if not is_first and not programs.is_hidden(names[slot]):
                    told.append(
                        told_of(
                            names[slot],
                            bitmaps.to_ids(now - was),
                            bitmaps.to_ids(was - now),
                            Cause.DEFINITION,
                        )
                    )
        edit = LiveEdit(moment, columns={} if is_first else columns, sets=sets, places=places)
        return Outcome(edit, tuple(sorted(told, key=lambda f: f.segment)), settled)

    def stage_settings(
        self,
        segments: Sequence[Definition],
        lists: Mapping[str, SegmentLists],
        view: ReadView,
        moment: Moment,
        definitions: Definitions,
    ) -> Outcome:
        """Other settings, such as another zone, which may mean other members of any segment: all is made anew."""
        anew = LiveSegments(self._indexes, self._retention, lambda _: moment)
        made = anew.stage_definitions(segments, (), lists, view, moment.now_us, definitions, is_first=True)
        anew.publish(made.edit)
        told = []
        for id_, place in anew._places.items():
            before = self.members(id_) or bitmaps.EMPTY
            now = anew._sets.fold(place.slot)
            if not programs.is_hidden(id_) and now != before:
                joins, leaves = bitmaps.to_ids(now - before), bitmaps.to_ids(before - now)
                told.append(told_of(id_, joins, leaves, Cause.DEFINITION))
        edit = LiveEdit(moment, anew=anew)
        return Outcome(edit, tuple(sorted(told, key=lambda f: f.segment)), made.retained)

    def _take_over(self, other: LiveSegments) -> None:
        self._atoms, self._rows, self._places = other._atoms, other._rows, other._places
        self._sizes, self._slots_end, self._free = other._sizes, other._slots_end, other._free
        self._sets = other._sets
        self._machine = None

    def _slot(self) -> int:
        if self._free:
            return self._free.pop()
        self._slots_end += 1
        if self._slots_end > len(self._sizes):
            self._sizes = np.concatenate([self._sizes, np.zeros_like(self._sizes)])
        self._rows.widen((self._slots_end + 63) >> 6)
        return self._slots_end - 1

    def _relisted(self, segments: set[str], held: Mapping[AtomKey, Bitmap], view: ReadView) -> dict[int, U64]:
        """Lists of segments that were in use already, as they will be."""
        blocks = max(view.population.blocks, 1)
        found = {}
        for segment in segments:
            keys: list[AtomKey] = [Retained(segment), *(Listed(segment, which) for which in ListName)]
            for key in keys:
                atom = self._atoms.atoms.get(key)
                if atom is not None:
                    members = held.get(atom.key, bitmaps.EMPTY) & view.population.existing
                    found[atom.slot] = bitmaps.to_words(members, blocks)
        return found

    def _settled(self, drawn: Drawn, places: Mapping[str, Place]) -> tuple[RetentionEdit, ...]:
        """Who is kept no longer by definitions: their rule holds again, or their time is over by another length."""
        found = []
        for id_, place in places.items():
            kept = self._retention.of(place.definition.id)
            if not programs.is_hidden(id_) or place.slot not in drawn.members or not len(kept.ids):
                continue
            stays = bitmaps.from_words(drawn.kept[self._atoms.slot_of(Retained(place.definition.id))])
            ids = bitmaps.to_ids(bitmaps.from_ids(kept.ids) - stays)
            if len(ids):
                found.append(_ended(place.definition.id, ids))
        return tuple(found)

    def _held(
        self, lists: Mapping[str, SegmentLists], definitions: Definitions, now_us: int
    ) -> dict[AtomKey, Bitmap]:
        """Who is on which list, and who is kept."""
        held: dict[AtomKey, Bitmap] = {
            Listed(id_, which): own.named(which) for id_, own in lists.items() for which in ListName
        }
        for id_ in self._retention.all():
            meaning = definitions.meaning(id_)
            held[Retained(id_)] = meaning.kept_at(now_us)
        return held

    def _built(self) -> Machine:
        if self._machine is None:
            self._machine = Machine(self._places, self._atoms, self._rows.width)
        return self._machine

    # ------------------------------------------------------------------------------------------------ reads

    def size(self, segment: str) -> int | None:
        """How many are in a live segment; None if it is not live. Under the gate."""
        place = self._places.get(segment)
        return None if place is None else int(self._sizes[place.slot])

    def members(self, segment: str) -> Bitmap | None:
        """Who is in a live segment; None if it is not live. Under the gate."""
        place = self._places.get(segment)
        return None if place is None else self._sets.fold(place.slot)

    def holds(self, profile: int, segment: str) -> bool | None:
        """Whether a profile is in a live segment; None if it is not live. Under the gate."""
        place = self._places.get(segment)
        if place is None:
            return None
        return self._rows.bit(profile, place.slot)

    def hold(self, profiles: I64, segments: Sequence[str]) -> Mask | None:
        """Which profiles are in each of several live segments: bool of (n, segments), False for ids of -1.

        None if one of the segments is not live. Under the gate.
        """
        places = [self._places.get(id_) for id_ in segments]
        slots = [place.slot for place in places if place is not None]
        return (
            None if len(slots) < len(places) else self._rows.bits(profiles, np.array(slots, dtype=np.int64))
        )

    def memberships(self, profile: int) -> list[str]:
        """Ids of the segments that a profile is in, ascending, but for drafts and archived ones. Under the gate."""
        row = self._rows.row(profile)
        machine = self._built()
        places = np.empty(64 * len(row), dtype=np.int64)
        found = kernels.set_places(row, machine.places, places)
        places[:found].sort()
        held: list[str] = machine.ids[places[:found]].tolist()
        return held

    # ------------------------------------------------------------------------------------------------ checks

    def check(self, view: ReadView, now_us: int, definitions: Definitions) -> None:
        """Every structure against every other and against the data. For tests."""
        after = After(self._indexes, NO_CHANGES)
        self._atoms._check(after, self._moment_at(now_us), definitions)
        blocks = max(view.population.blocks, 1)
        for id_, place in self._places.items():
            held = bitmaps.from_words(column_words(self._rows, place.slot, blocks))
            assert held == self._sets.fold(place.slot), f"the set of {id_!r} is not its column"
            assert len(held) == int(self._sizes[place.slot]), f"the size of {id_!r} is not its column's"
            assert not held - view.population.existing, f"{id_!r} holds profiles that do not exist"


def _ended(segment: str, ids: U32) -> RetentionEdit:
    return RetentionEdit(segment, ids, np.full(len(ids), ENDED, dtype=np.int64))
