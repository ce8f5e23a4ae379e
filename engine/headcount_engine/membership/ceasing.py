"""When exactly rules ceased to hold by the clock alone, between two instants at which they were looked at.

Retention counts from the microsecond at which a rule ceased, however late the tick that finds out. Between the two
instants no data changed, so a rule can only have turned where one of its own conditions turns for the profile: these
instants are few, and asking at each of them, latest first, is exact.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeGuard, assert_never

import numpy as np

from headcount_engine.atoms.after import After, Few
from headcount_engine.atoms.registry import Atom, AtomKey, Retained
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    Anniversary,
    Condition,
    Did,
    EventLeaf,
    FirstTime,
    HasBeen,
    InWindow,
    LastPerformed,
    Same,
    walk,
)
from headcount_engine.conditions.windows import Absolute, Ago, Window, WithinLast
from headcount_engine.evaluation.execute import Execution
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.evaluation.own_turns import OwnTurns
from headcount_engine.membership import programs
from headcount_engine.membership.programs import Constant, Formula, InOther, Inverse, Read, Tally
from headcount_engine.membership.retention import ENDED, RetentionStore
from headcount_engine.model.answers import NO_DEADLINE
from headcount_engine.model.batches import I64, U64


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """What segments are made of: formulas by name, their atoms, and how long each keeps whom it keeps."""

    formulas: Mapping[str, Formula]
    atom: Callable[[AtomKey], Atom]
    retention_us: Mapping[str, int]


class Ceasing:
    """Of one step of the clock, from `before_us` (outside) to the moment's now. For one commit, by the writer."""

    def __init__(
        self,
        after: After,
        rules: Rules,
        store: RetentionStore,
        before_us: int,
        moment: Moment,
        definitions: Definitions,
    ) -> None:
        """`store`: who was kept before the step; `note` adds who comes to be kept in it."""
        self._after = after
        self._rules = rules
        self._store = store
        self._before_us = before_us
        self._moment = moment
        self._definitions = definitions
        self._noted: dict[str, dict[int, int]] = {}

    def note(self, segment: str, ids: I64, since_us: I64) -> None:
        """The rule of a segment ceased to hold for these, then: references to it know that they stayed."""
        held = self._noted.setdefault(segment, {})
        held.update((i, us) for i, us in zip(ids.tolist(), since_us.tolist(), strict=True) if us != ENDED)

    def since_us(self, name: str, ids: I64, atom_rows: U64) -> I64:
        """When a rule that held before the step, and does not any more, ceased to hold for each of ascending ids.

        `atom_rows`: the atoms of these, as they are after the step. Without a step it ceased now, by what was written.
        """
        since = np.full(len(ids), self._moment.now_us, dtype=np.int64)
        if self._before_us < self._moment.now_us and len(ids):
            turns, asking = self._turns_of(name, ids, atom_rows)
            formula = self._rules.formulas[name]
            for place, found in turns.items():
                since[place] = self._last_turn(formula, place, found, asking)
        return since

    def ended_within_us(self, name: str, ids: I64, atom_rows: U64) -> I64:
        """When a rule that holds neither before the step nor after it ceased within it; ENDED where it never held."""
        since = np.full(len(ids), ENDED, dtype=np.int64)
        if self._before_us < self._moment.now_us and len(ids):
            turns, asking = self._turns_of(name, ids, atom_rows)
            formula = self._rules.formulas[name]
            for place, found in turns.items():
                for t_us, ends_us in reversed(list(itertools.pairwise(found))):
                    if asking.holds(formula, place, t_us):
                        since[place] = ends_us
                        break
        return since

    def _turns_of(self, name: str, ids: I64, atom_rows: U64) -> tuple[dict[int, list[int]], _Asking]:
        """By place among ascending ids the instants at which a rule may turn, ascending; and who is asked then."""
        leaves, segments = timed_parts(self._rules.formulas, name)
        reads = [self._rules.atom(leaf).reads for leaf in leaves]
        types = frozenset(n for n in self._after.type_names() if any(r.reads_event(n) for r in reads))
        few = Few(self._after, ids, types)
        asking = _Asking(few, self, atom_rows, ids)
        offsets = [_offsets(leaf) for leaf in leaves]
        if segments or None in offsets:
            places = range(len(ids))
            return {p: self._turns(few, p, int(ids[p]), leaves, segments) for p in places}, asking
        return self._turns_of_events(few, sorted({us for each in offsets for us in each or ()})), asking

    def _turns(
        self, few: Few, place: int, id_: int, leaves: list[Condition], segments: list[str]
    ) -> list[int]:
        """The instants of the step at which a rule may turn for one profile, ascending."""
        own = OwnTurns(few, place, self._moment, self._definitions)
        instants = {t_us for leaf in leaves for t_us in own.of_rule(leaf)}
        for segment in segments:
            for start_us, end_us in self.kept_spans(segment, id_):
                instants |= {start_us, end_us}
        return sorted(t_us for t_us in instants if self._before_us < t_us <= self._moment.now_us)

    def _turns_of_events(self, few: Few, offsets: list[int]) -> dict[int, list[int]]:
        """The same for everybody, where a rule turns only so long after events: most do, and mostly one event each."""
        places, instants = [], []
        for held in few.event_types.values():
            for run in held.runs:
                for offset_us in offsets:
                    first = np.searchsorted(run.times_us, self._before_us - offset_us, side="right")
                    last = np.searchsorted(run.times_us, self._moment.now_us - offset_us, side="right")
                    places.append(run.profiles[first:last].astype(np.int64))
                    instants.append(run.times_us[first:last] + offset_us)
        found: dict[int, list[int]] = {}
        if places:
            place, instant = np.concatenate(places), np.concatenate(instants)
            for row in np.lexsort((instant, place)).tolist():
                turns = found.setdefault(int(place[row]), [])
                if not turns or turns[-1] != int(instant[row]):
                    turns.append(int(instant[row]))
        return found

    def _last_turn(self, formula: Formula, place: int, turns: list[int], asking: _Asking) -> int:
        ceased_us = self._moment.now_us
        if len(turns) == 1:
            return turns[0]
        for t_us in reversed(turns):
            if t_us < self._moment.now_us and asking.holds(formula, place, t_us):
                return ceased_us
            ceased_us = t_us
        return ceased_us

    def kept_spans(self, segment: str, id_: int) -> list[tuple[int, int]]:
        """From when to before when a profile was kept in a segment, before this step and in it."""
        length_us = self._rules.retention_us[segment]
        kept = self._store.of(segment)
        at = int(np.searchsorted(kept.ids, id_))
        starts = [] if at == len(kept.ids) or int(kept.ids[at]) != id_ else [int(kept.since_us[at])]
        noted_us = self._noted.get(segment, {}).get(id_)
        if noted_us is not None:
            starts.append(noted_us)
        return [(start_us, start_us + length_us) for start_us in starts]

    def then(self, t_us: int) -> Moment:
        """An instant within the step."""
        moment = self._moment
        return Moment(t_us, moment.zone, moment.week_starts_on, moment.opt_out_topics)

    def formula(self, name: str) -> Formula:
        return self._rules.formulas[name]

    def slot(self, key: AtomKey) -> int:
        return self._rules.atom(key).slot

    def binder(self, few: Few, t_us: int) -> Binder:
        return Binder(few, self.then(t_us), self._definitions)


def timed_parts(formulas: Mapping[str, Formula], name: str) -> tuple[list[Condition], list[str]]:
    """The conditions that the clock can change, and the segments with retention, that a rule hangs on."""
    leaves: dict[Condition, None] = {}
    segments: dict[str, None] = {}
    seen, pending = {name}, [name]
    while pending:
        formula = formulas[pending.pop()]
        for key in programs.atoms_of(formula):
            if isinstance(key, Retained):
                segments[key.segment] = None
            elif is_timed(key):
                leaves[key] = None
        for other in programs.segments_of(formula):
            if other not in seen:
                seen.add(other)
                pending.append(other)
    return list(leaves), list(segments)


class _Asking:
    """Whether formulas held for some profiles at instants within the step."""

    def __init__(self, few: Few, step: Ceasing, atom_rows: U64, ids: I64) -> None:
        self._few = few
        self._step = step
        self._atom_rows = atom_rows
        self._ids = ids
        self._binders: dict[int, Binder] = {}
        self._execution = Execution(few, NO_DEADLINE)

    def holds(self, formula: Formula, place: int, t_us: int) -> bool:
        match formula:
            case Read(key):
                return self._atom(key, place, t_us)
            case InOther(segment):
                return self.holds(self._step.formula(segment), place, t_us)
            case Constant(value):
                return value
            case Inverse(child):
                return not self.holds(child, place, t_us)
            case Tally(low, high, inner):
                return low <= sum(self.holds(child, place, t_us) for child in inner) <= high
            case other:
                assert_never(other)

    def _atom(self, key: AtomKey, place: int, t_us: int) -> bool:
        if isinstance(key, Retained):
            spans = self._step.kept_spans(key.segment, int(self._ids[place]))
            return any(start_us <= t_us < end_us for start_us, end_us in spans)
        if not is_timed(key):
            slot = self._step.slot(key)
            return bool((int(self._atom_rows[place, slot >> 6]) >> (slot & 63)) & 1)
        binder = self._binders.get(t_us)
        if binder is None:
            binder = self._binders[t_us] = self._step.binder(self._few, t_us)
        return OneProfile(place, self._execution.set_of).holds(binder.bind(key))


def _offsets(leaf: Condition) -> tuple[int, ...] | None:
    """How long after an event the leaf may turn, if that is the same for every event; else None."""
    if any(isinstance(n, InWindow | Anniversary) for n in walk(leaf)):
        return None
    match leaf:
        case (
            Did(window=window)
            | Aggregate(window=window)
            | ActiveDays(window=window)
            | FirstTime(window=window)
        ):
            return _offsets_of_window(window)
        case LastPerformed():
            return (0,)
        case _:
            return None


def _offsets_of_window(window: Window | None) -> tuple[int, ...] | None:
    match window:
        case None | Absolute():
            return (0,)
        case WithinLast(duration):
            return (0, duration.us)
        case Ago(near, far):
            return (0, near.us) if far is None else (0, near.us, far.us)
        case _:
            return None


def is_timed(key: AtomKey) -> TypeGuard[Condition]:
    """Whether the clock alone can change an atom."""
    return isinstance(key, EventLeaf | InWindow | Anniversary | HasBeen | Same)
