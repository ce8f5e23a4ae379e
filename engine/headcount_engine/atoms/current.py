"""All atoms kept current: what a commit and the clock flip, at a cost proportional to what they touch.

`stage` decides and changes nothing; `publish` carries out. Both are the writer's. Every kind of condition finds the
profiles that may have changed (those whose data was written, and those some of whose events or dates crossed an end of
a span) and decides these anew: by steps of a counter, by testing values, by an order index, or by asking the leaf again
for these profiles alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.atoms.after import After, Few, names_read
from headcount_engine.atoms.filling import UNBOUNDED, Filling, is_scanned
from headcount_engine.atoms.masks import Masks
from headcount_engine.atoms.reads import Reads, crossings, passes
from headcount_engine.atoms.registry import Atom, AtomKey, AtomKind, Atoms
from headcount_engine.atoms.rows import Rows
from headcount_engine.atoms.tallies import Recount, Tallies, TallyEdit, Toggles, ascending
from headcount_engine.atoms.timed import TimedColumns, TimedEdit
from headcount_engine.atoms.toplists import Ranks, RanksEdit
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.bound import Bound
from headcount_engine.conditions.needs import IDENTIFIERS, Definitions
from headcount_engine.conditions.spans import Moment, Span
from headcount_engine.conditions.tree import Condition, Did
from headcount_engine.evaluation.answer import contains
from headcount_engine.evaluation.execute import Execution
from headcount_engine.indexes.store import ReadView
from headcount_engine.kernels import members as kernels
from headcount_engine.model.answers import NO_DEADLINE
from headcount_engine.model.batches import I64, U64, Mask
from headcount_engine.model.changes import Cause

_NOBODY: I64 = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class AtomsEdit:
    """What a commit does to atoms: `toggles` for the segments, the rest to be published."""

    toggles: Sequence[Toggles]
    tallies: TallyEdit | None
    ranks: RanksEdit
    timed: TimedEdit


@dataclass(slots=True, eq=False)
class _Touched:
    """Profiles to ask again, with why: the clock only where nothing was written."""

    written: list[I64] = field(default_factory=list)
    clocked: list[I64] = field(default_factory=list)
    cause: Cause = Cause.CLOCK


class CurrentAtoms:
    """The atoms of all live segments, a bit a profile each, and what keeps them current."""

    def __init__(self) -> None:
        self.atoms = Atoms()
        self.rows: Rows[np.uint64] = Rows(np.uint64, 4)
        self._tallies = Tallies()
        self._ranks = Ranks()
        self._timed = TimedColumns()
        self._by_attribute: dict[str, dict[int, Atom]] = {}
        self._verified: dict[int, Atom] = {}
        self._of_key: dict[int, Atom] = {}
        self.moment: Moment | None = None
        self._of_nobody: U64 | None = None

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes + self._tallies.nbytes + self._timed.nbytes + self._ranks.nbytes

    def atom_of(self, key: AtomKey) -> Atom:
        """An atom in use."""
        atom = self.atoms.get(key)
        assert atom is not None
        return atom

    def slot_of(self, key: AtomKey) -> int:
        """The bit of an atom in use."""
        return self.atom_of(key).slot

    def row_of_nobody(self) -> U64:
        """The row of a profile of whom nothing is known."""
        if self._of_nobody is None or len(self._of_nobody) != self.rows.width:
            row = np.zeros(self.rows.width, dtype=np.uint64)
            for atom in self.atoms:
                if atom.holds_of_nobody:
                    row[atom.slot >> 6] |= np.uint64(1 << (atom.slot & 63))
            self._of_nobody = row
        return self._of_nobody

    # ------------------------------------------------------------------------------------------------ in use

    def use(self, keys: Iterable[AtomKey], definitions: Definitions) -> list[Atom]:
        """Count a user of each; those that are new, which `fill` has to be called with."""
        self._of_nobody = None
        new = []
        for key in keys:
            atom, is_new = self.atoms.use(key, definitions)
            if is_new:
                new.append(atom)
        return new

    def fill(
        self,
        new: Sequence[Atom],
        view: ReadView,
        after: After,
        moment: Moment,
        definitions: Definitions,
        lists: Mapping[AtomKey, Bitmap],
    ) -> Filling:
        """Find out whom new atoms hold for, at a moment; whoever reads the answer enters it into the rows.

        `view` is the published state, with all attributes that the atoms read; `lists` says who is on which list.
        """
        self.rows.widen((self.atoms.slots + 63) >> 6)
        self.rows.ensure(max(after.ids_end, 1))
        counts = [a for a in new if a.kind is AtomKind.COUNT and self._tallies.watch(_did(a), a.slot)]
        if counts:
            self._tallies.build([_did(a) for a in counts], after, moment, definitions)
        binder = Binder(view, moment, definitions)
        execution = Execution(view, NO_DEADLINE)
        blocks = max(view.population.blocks, 1)
        counted = {atom.slot: _did(atom) for atom in new if atom.kind is AtomKind.COUNT}
        scanned: list[tuple[int, Bound]] = []
        found: list[tuple[int, U64]] = []
        for atom in new:
            self._enter(atom, after, moment)
            match atom.kind:
                case AtomKind.COUNT:
                    continue
                case AtomKind.LIST:
                    held = lists.get(atom.key, bitmaps.EMPTY) & view.population.existing
                case AtomKind.RANK:
                    held = self._ranks.watch(atom, after)
                case AtomKind.COLUMN | AtomKind.VERIFY:
                    bound = binder.bind(atom.leaf)
                    if is_scanned(bound):
                        scanned.append((atom.slot, bound))
                        continue
                    held = execution.members(execution.plan(bound))
            found.append((atom.slot, bitmaps.to_words(held, blocks)))
        self._holds_of_nobody(new, after, moment, definitions)
        return Filling((list(counted), self._tallies.reader(counted)), scanned, found)

    def _enter(self, atom: Atom, after: After, moment: Moment) -> None:
        if atom.kind in (AtomKind.COLUMN, AtomKind.VERIFY):
            for name in atom.reads.attributes:
                self._by_attribute.setdefault(name, {})[atom.slot] = atom
            self._timed.watch(atom, after, moment)
        if atom.kind is AtomKind.VERIFY:
            self._verified[atom.slot] = atom
        if atom.reads.is_of_key:
            self._of_key[atom.slot] = atom

    def _holds_of_nobody(
        self, new: Sequence[Atom], after: After, moment: Moment, definitions: Definitions
    ) -> None:
        """Ask about one profile of whom nothing is known: its id has not been given out."""
        self._of_nobody = None
        empty = Few(after, np.array([after.ids_end], dtype=np.int64), frozenset(), is_empty=True)
        binder = Binder(empty, moment, definitions)
        masks = Masks(empty)
        for atom in new:
            match atom.kind:
                case AtomKind.LIST | AtomKind.RANK:
                    atom.holds_of_nobody = False
                case AtomKind.COUNT:
                    atom.holds_of_nobody = 0 in _did(atom).count
                case AtomKind.COLUMN | AtomKind.VERIFY:
                    atom.holds_of_nobody = bool(masks.of(binder.bind(atom.leaf))[0])

    def drop(self, keys: Iterable[AtomKey]) -> None:
        """One user less of each."""
        self._of_nobody = None
        for key in keys:
            atom = self.atoms.drop(key)
            if atom is None:
                continue
            match atom.kind:
                case AtomKind.COUNT:
                    self._tallies.unwatch(_did(atom), atom.slot)
                case AtomKind.RANK:
                    self._ranks.unwatch(atom)
                case AtomKind.COLUMN | AtomKind.VERIFY:
                    for name in atom.reads.attributes:
                        del self._by_attribute[name][atom.slot]
                    self._timed.unwatch(atom)
                case AtomKind.LIST:
                    pass
            self._verified.pop(atom.slot, None)
            self._of_key.pop(atom.slot, None)

    # ------------------------------------------------------------------------------------------------ a commit

    def begin(self, moment: Moment) -> None:
        """Atoms were built at this moment."""
        self.moment = moment

    def stage(self, after: After, moment: Moment, definitions: Definitions) -> AtomsEdit:
        """What a commit flips. Its lists are not in it: see `Toggles.of`."""
        before = self.moment if self.moment is not None else moment
        toggles: list[Toggles] = []
        tallied = self._tallies.stage(after, moment, definitions)
        if tallied is not None:
            toggles.append(tallied[1])
        written = {
            name: ascending(np.concatenate([e.changed for e in edits]).astype(np.int64))
            for name, (_, edits) in after.changes.columns.items()
        }
        touched = self._touched(after, written, before, moment)
        toggles.extend(self._tested(touched, after, moment, definitions))
        ranks = self._ranks.stage(after, written)
        toggles.extend(ranks.toggles())
        on_properties = [a for a in self._verified.values() if a.reads.timed_properties]
        timed = self._timed.stage(after, moment, on_properties)
        return AtomsEdit(toggles, None if tallied is None else tallied[0], ranks, timed)

    def publish(self, edit: AtomsEdit, moment: Moment) -> None:
        """Carry out a staged commit, but for the rows themselves, which the segments write."""
        if edit.tallies is not None:
            self._tallies.publish(edit.tallies)
        self._ranks.publish(edit.ranks)
        self._timed.publish(edit.timed)
        self.moment = moment

    def _touched(
        self, after: After, written: Mapping[str, I64], before: Moment, moment: Moment
    ) -> dict[int, _Touched]:
        """By slot of COLUMN and VERIFY atoms, the profiles to ask again."""
        found: dict[int, _Touched] = {}

        def of(atom: Atom) -> _Touched:
            return found.setdefault(atom.slot, _Touched())

        for name, ids in written.items():
            readers = dict(self._by_attribute.get(name, {}))
            if after.changes.columns[name][0].definition.is_identifier:
                readers |= self._by_attribute.get(IDENTIFIERS, {})
            for atom in readers.values():
                touched = of(atom)
                touched.written.append(ids)
                touched.cause = Cause.ATTRIBUTE
        if after.ids_end > after.first_new:
            new = np.arange(after.first_new, after.ids_end, dtype=np.int64)
            for atom in self._of_key.values():
                touched = of(atom)
                touched.written.append(new)
                touched.cause = Cause.ATTRIBUTE
        people = after.indexes.identities.view()
        for atom, ids in self._timed.crossed(before, moment):
            if people.count < people.ids_end:
                # The instants of events stay with who had them first, until that profile was merged or erased.
                owners = bitmaps.from_ids(people.redirects.resolve(ids)) & people.existing
                ids = bitmaps.to_ids(owners).astype(np.int64)
            of(atom).clocked.append(ids)
        for atom in self._verified.values():
            arrived, crossed = self._by_events(atom.reads, after, before, moment)
            if arrived:
                touched = of(atom)
                touched.written.extend(arrived)
                if touched.cause is Cause.CLOCK:
                    touched.cause = Cause.EVENT
            if crossed:
                of(atom).clocked.extend(crossed)
        return found

    def passed(
        self, rules: Mapping[str, Sequence[int]], after: After, before: Moment, moment: Moment
    ) -> dict[str, I64]:
        """By rule, for whom the clock went over anything that its atoms (slots) read, each as often as it did or more.

        An event that enters a window and leaves it again in one step of the clock is there twice, and moves no atom.
        Rules for which it went over nothing are left out.
        """
        atoms = {slot: self.atoms.at(slot) for slots in rules.values() for slot in slots}
        by_slot: dict[int, list[I64]] = {slot: [] for slot in atoms}
        for atom, ids in self._timed.passed(before, moment):
            if atom.slot in by_slot:
                by_slot[atom.slot].append(ids)
        self._passed_events(list(atoms.values()), by_slot, after, before, moment)
        found = {}
        people = after.indexes.identities.view()
        for rule, slots in rules.items():
            parts = [ids for slot in slots for ids in by_slot[slot]]
            if not parts:
                continue
            ids = people.redirects.resolve(np.concatenate(parts))
            if people.count < people.ids_end:
                ids = ids[contains(people.existing, ids)]
            found[rule] = ids
        return found

    @staticmethod
    def _passed_events(
        atoms: Sequence[Atom], by_slot: Mapping[int, list[I64]], after: After, before: Moment, moment: Moment
    ) -> None:
        """Those whose events an end of a span went over. Many atoms share spans, so each stretch is looked for once."""
        readers: dict[Span, list[Atom]] = {}
        for atom in atoms:
            for old, new in zip(atom.reads.spans(before), atom.reads.spans(moment), strict=True):
                for stretch in passes(old, new):
                    readers.setdefault(stretch, []).append(atom)
        if not readers:
            return
        stretches = list(readers)
        firsts = np.array([stretch.first for stretch in stretches], dtype=np.int64)
        lasts = np.array([stretch.last for stretch in stretches], dtype=np.int64)
        for name, held in after.indexes.events.types.items():
            for run in held.view().runs:
                starts = run.times_us.searchsorted(firsts, side="left")
                ends = run.times_us.searchsorted(lasts, side="right")
                for place in np.flatnonzero(starts < ends).tolist():
                    ids = run.profiles[starts[place] : ends[place]].astype(np.int64)
                    for atom in readers[stretches[place]]:
                        if atom.reads.reads_event(name):
                            by_slot[atom.slot].append(ids)

    @staticmethod
    def _by_events(reads: Reads, after: After, before: Moment, moment: Moment) -> tuple[list[I64], list[I64]]:
        """Profiles with new events that a leaf reads, and profiles whose events crossed an end of its spans."""
        if not reads.events:
            return [], []
        arrived = [
            piece.profiles.astype(np.int64)
            for name, edit in after.changes.events.items()
            if reads.reads_event(name)
            for piece in edit.pieces
        ]
        crossed: list[I64] = []
        if before.now_us != moment.now_us:
            pairs = zip(reads.spans(before), reads.spans(moment), strict=True)
            moves = list(dict.fromkeys(span for old, new in pairs for span, _ in crossings(old, new)))
            for name, held in after.indexes.events.types.items():
                if moves and reads.reads_event(name):
                    for run in held.view().runs:
                        for span in moves:
                            start, end = run.between(span.first, span.last)
                            if start < end:
                                crossed.append(run.profiles[start:end].astype(np.int64))
        return arrived, crossed

    def _tested(
        self, touched: Mapping[int, _Touched], after: After, moment: Moment, definitions: Definitions
    ) -> list[Toggles]:
        """Ask touched atoms about their profiles, those on the same profiles together."""
        groups: dict[tuple[int, ...], list[tuple[Atom, _Touched]]] = {}
        verified: list[tuple[Atom, _Touched]] = []
        for slot, why in touched.items():
            atom = self.atoms.at(slot)
            if atom.kind is AtomKind.VERIFY:
                verified.append((atom, why))
            else:
                key = tuple(id(part) for part in (*why.written, *why.clocked))
                groups.setdefault(key, []).append((atom, why))
        found: list[Toggles] = []
        for members in groups.values():
            ids = _union([*members[0][1].written, *members[0][1].clocked])
            found.extend(self._ask(members, ids, frozenset(), after, moment, definitions))
        if verified:
            ids = _union([part for _, why in verified for part in (*why.written, *why.clocked)])
            types = frozenset(
                name for name in after.type_names() if any(a.reads.reads_event(name) for a, _ in verified)
            )
            found.extend(self._ask(verified, ids, types, after, moment, definitions))
        return found

    def _ask(
        self,
        members: Sequence[tuple[Atom, _Touched]],
        ids: I64,
        types: frozenset[str],
        after: After,
        moment: Moment,
        definitions: Definitions,
    ) -> list[Toggles]:
        if not len(ids):
            return []
        few = Few(after, ids, types)
        asking = _Asking(few, after, moment, definitions)
        old_rows = self.rows_before(ids, after)
        found = []
        for atom, why in members:
            now = asking.mask(atom)
            was = ((old_rows[:, atom.slot >> 6] >> np.uint64(atom.slot & 63)) & np.uint64(1)) != 0
            flipped = ids[now != was]
            if not len(flipped):
                continue
            causes = np.full(len(flipped), int(why.cause), dtype=np.uint8)
            if why.clocked and why.written:
                causes[~_among(flipped, _union(why.written))] = int(Cause.CLOCK)
            found.append(Toggles(flipped, np.full(len(flipped), atom.slot, dtype=np.int64), causes))
        return found

    def rows_before(self, ids: I64, after: After) -> U64:
        """Rows of ascending ids as published; those of new profiles as of one of whom nothing is known."""
        self.rows.ensure(max(after.ids_end, 1))
        rows = self.rows.gather(ids)
        rows[ids >= after.first_new] = self.row_of_nobody()
        return rows

    # ------------------------------------------------------------------------------------------------ some profiles

    def anew(
        self,
        ids: I64,
        after: After,
        moment: Moment,
        definitions: Definitions,
        lists: Mapping[AtomKey, Bitmap],
    ) -> tuple[U64, Recount]:
        """The rows of some profiles found anew from their data, ranks apart, which stay as they are."""
        types = frozenset(after.type_names())
        few = Few(after, ids, types)
        asking = _Asking(few, after, moment, definitions)
        tallied = self._tallies.recount(few, ids, moment, definitions, after)
        rows = self.rows_before(ids, after)
        columns = np.zeros((64, (len(ids) + 63) >> 6), dtype=np.uint64)
        for word in range((self.atoms.slots + 63) >> 6):
            columns[:] = 0
            for slot in range(64 * word, min(64 * word + 64, self.atoms.slots)):
                atom = self.atoms.find(slot)
                if atom is None:
                    continue
                match atom.kind:
                    case AtomKind.COUNT:
                        leaf = _did(atom)
                        high = UNBOUNDED if leaf.count.high is None else leaf.count.high
                        mask = self._tallies.holds(leaf, tallied, leaf.count.low, high).view(np.bool_)
                    case AtomKind.COLUMN | AtomKind.VERIFY:
                        mask = asking.mask(atom)
                    case AtomKind.LIST:
                        mask = np.isin(ids, bitmaps.to_ids(lists.get(atom.key, bitmaps.EMPTY)))
                    case AtomKind.RANK:
                        mask = (rows[:, word] >> np.uint64(slot & 63)) & np.uint64(1) != 0
                packed = np.packbits(mask, bitorder="little")
                columns[slot & 63].view(np.uint8)[: len(packed)] = packed
            kernels.transpose(columns, np.uint64(0), word, rows)
        return rows, tallied

    def with_ranks_of(self, rows: U64, others: U64) -> U64:
        """Rows whose bits of ranks are those of other rows, as staged: ranks follow from their order alone."""
        mask = np.zeros(self.rows.width, dtype=np.uint64)
        for atom in self.atoms:
            if atom.kind is AtomKind.RANK:
                mask[atom.slot >> 6] |= np.uint64(1 << (atom.slot & 63))
        return (rows & ~mask) | (others & mask)

    def publish_recount(self, edit: Recount) -> None:
        """Make counters of some profiles that were counted anew the counters."""
        self._tallies.publish_recount(edit)

    def forget_bindings(self) -> None:
        """What settings decide may mean something else from now on."""
        for atom in self.atoms:
            atom.bound = None

    def _check(self, after: After, moment: Moment, definitions: Definitions) -> None:
        """Counters are what counting anew gives. For tests; that atoms are right shows in the segments."""
        self._tallies._check(after, moment, definitions)


class _Asking:
    """Asks atoms about a few profiles; what an atom was bound to is used again while that stays the same."""

    def __init__(self, few: Few, after: After, moment: Moment, definitions: Definitions) -> None:
        self._few = few
        self._after = after
        self._binder = Binder(few, moment, definitions)
        self._masks = Masks(few)

    def mask(self, atom: Atom) -> Mask:
        """bool per profile."""
        if atom.kind is AtomKind.VERIFY or atom.reads.timed_attributes:
            return self._masks.of(self._binder.bind(atom.leaf))
        bound_to = self._bound_to(atom)
        if atom.bound is None or atom.bound_to != bound_to:
            atom.bound, atom.bound_to = self._binder.bind(atom.leaf), bound_to
        return self._masks.of(atom.bound)

    def _bound_to(self, atom: Atom) -> tuple[int, ...]:
        """The entries of the dictionaries that the leaf reads, and how many attributes there are."""
        lengths = []
        for name in sorted(names_read(atom.reads.attributes, self._after)):
            held = self._after.attribute(name)
            dictionary = None if held is None else held.dictionary
            lengths.append(-1 if held is None else 0 if dictionary is None else len(dictionary))
        return tuple(lengths)


def _did(atom: Atom) -> Did:
    leaf: Condition = atom.leaf
    assert isinstance(leaf, Did)
    return leaf


def _union(parts: Sequence[I64]) -> I64:
    if not parts:
        return _NOBODY
    return ascending(np.concatenate(parts))


def _among(ids: I64, others: I64) -> Mask:
    at = np.minimum(np.searchsorted(others, ids), max(len(others) - 1, 0))
    return others[at] == ids if len(others) else np.zeros(len(ids), dtype=np.bool_)
