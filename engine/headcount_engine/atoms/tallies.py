"""How often each profile did what live segments count, in each window: the state behind `did x at least k times`.

A counter is an event name, a `where` and a window; conditions that differ in their numbers only share one. Its count
rises when an event arrives inside the window and moves only when an event crosses one of the window's ends, which the
time-ordered runs tell without looking at anyone else: a second cursor over the log.

Counters are a row of bytes for each profile, so that an event touches the cache lines of one profile. 255 stands for
more than fits; what such a cell holds is in `_full`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from headcount_engine.atoms.after import After, Few
from headcount_engine.atoms.event_bits import EventBits, Wanted, packed
from headcount_engine.atoms.reads import crossings, matches
from headcount_engine.atoms.rows import Rows
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import EVER, Moment, Span, instant_span
from headcount_engine.conditions.tree import Did, Events
from headcount_engine.conditions.windows import Window
from headcount_engine.indexes.columns import widen
from headcount_engine.indexes.predicates import Stored, absent_value
from headcount_engine.indexes.runs import Run
from headcount_engine.indexes.totals import Totals
from headcount_engine.kernels import tallies as kernels
from headcount_engine.kernels.tallies import FULL
from headcount_engine.model.batches import I64, U8, U32, U64
from headcount_engine.model.changes import Cause
from headcount_engine.model.values import Kind

_NOTHING = Span(0, -1)
_UNBOUNDED = 1 << 62
_BUILD_ROWS = 1 << 18
_SPILL_LEAST = 1 << 12


@dataclass(slots=True, eq=False)
class Counter:
    """One count for every profile. `atoms`: by slot, the counts (low, high) for which the atom holds."""

    events: Events
    window: Window | None
    column: int
    atoms: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _TypePlan:
    """The counters that events of one type may move, sorted by window.

    columns, windows, need, deny   by counter
    always, by_bit                 counters that need no bit, by window; the others, by one that they need
    """

    bits: EventBits
    always_starts: I64
    always: I64
    bit_starts: I64
    by_bit: I64
    columns: I64
    windows: I64
    need: U64
    deny: U64
    used_windows: frozenset[int]
    signature: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Toggles:
    """Atoms that flip: for `ids` (i64, in any order) the atom's slot and the cause, in parallel."""

    ids: I64
    atoms: I64
    causes: U8

    @staticmethod
    def of(ids: I64, atom: int, cause: Cause) -> Toggles:
        """One atom, for several profiles."""
        n = len(ids)
        return Toggles(ids, np.full(n, atom, dtype=np.int64), np.full(n, int(cause), dtype=np.uint8))


@dataclass(frozen=True, slots=True, eq=False)
class TallyEdit:
    """Rows of counters as they will be, what their full cells hold, and the spans that they are true for.

    `is_whole`: no other cells of these rows are full, whatever they were before.
    """

    ids: I64
    rows: U8
    full: dict[tuple[int, int], int]
    spans: tuple[Span, ...]
    is_whole: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """Stretches of time that crossed an end of a window since the last moment, `low` to `high` in all.

    firsts, lasts   of each stretch, inclusive
    windows, steps  the window, and what the count of an event in the stretch changes by
    """

    windows: list[int]
    steps: list[int]
    firsts: I64
    lasts: I64
    low: int
    high: int


class Tallies:
    """All counters. Changed by the single writer."""

    def __init__(self) -> None:
        self._rows = Rows(np.uint8, 64)
        self._full: dict[tuple[int, int], int] = {}
        self._counters: dict[tuple[Events, Window | None], Counter] = {}
        self._windows: list[Window | None] = []
        self._spans: tuple[Span, ...] = ()
        self._free: list[int] = []
        self._plans: dict[str, _TypePlan | None] = {}
        self._by_column: tuple[I64, I64, I64, I64] | None = None
        self._places: U32 = np.zeros(0, dtype=np.uint32)
        """By profile, its row in the commit under way; only those of its profiles mean anything."""

    def __len__(self) -> int:
        return len(self._counters)

    @property
    def nbytes(self) -> int:
        return self._rows.nbytes

    # ------------------------------------------------------------------------------------------------ in use

    def watch(self, leaf: Did, slot: int) -> bool:
        """Count for an atom; whether the counter is new and has to be built."""
        key = (leaf.events, leaf.window)
        held = self._counters.get(key)
        is_new = held is None
        if held is None:
            column = self._free.pop() if self._free else len(self._counters)
            held = self._counters[key] = Counter(leaf.events, leaf.window, column)
            self._plans.clear()
        high = _UNBOUNDED if leaf.count.high is None else leaf.count.high
        held.atoms[slot] = (leaf.count.low, high)
        self._by_column = None
        return is_new

    def unwatch(self, leaf: Did, slot: int) -> None:
        """An atom is gone; a counter that nobody uses goes with it."""
        key = (leaf.events, leaf.window)
        held = self._counters[key]
        del held.atoms[slot]
        self._by_column = None
        if not held.atoms:
            del self._counters[key]
            self._plans.clear()
            self._clear(held.column)
            self._free.append(held.column)
            self._leave_windows()

    def _clear(self, column: int) -> None:
        for _, shard in self._rows.shards():
            shard[:, column] = 0
        self._full = {cell: n for cell, n in self._full.items() if cell[1] != column}

    def _leave_windows(self) -> None:
        """Forget windows that no counter has: where their ends are is only known while somebody follows them."""
        used = {counter.window for counter in self._counters.values()}
        kept = [(w, span) for w, span in zip(self._windows, self._spans, strict=True) if w in used]
        self._windows, self._spans = [w for w, _ in kept], tuple(span for _, span in kept)

    def counters(self) -> Sequence[Counter]:
        return list(self._counters.values())

    # ------------------------------------------------------------------------------------------------ building

    def build(self, leaves: Iterable[Did], after: After, moment: Moment, definitions: Definitions) -> None:
        """Count new counters over all events, at a moment. One pass over the types that they name."""
        counters = [self._counters[leaf.events, leaf.window] for leaf in leaves]
        self._enter_windows(counters, moment)
        self._rows.widen(max((c.column + 1 for c in counters), default=1))
        self._rows.ensure(max(after.ids_end, 1))
        for name in after.type_names():
            plan = self._plan(name, counters, after, moment, definitions)
            if plan is not None:
                for run in after.runs(name):
                    self._build_run(plan, run, self._spans)
                self._build_totals(name, counters, after)

    def _build_run(self, plan: _TypePlan, run: Run, spans: tuple[Span, ...]) -> None:
        for start in range(0, len(run), _BUILD_ROWS):
            part = _part(run, start, min(start + _BUILD_ROWS, len(run)))
            bits = plan.bits.of(part)
            for first, shard in self._rows.shards():
                if len(self._rows.shards()) == 1:
                    rows, times, own = part.profiles, part.times_us, bits
                else:
                    inside = (part.profiles >= first) & (part.profiles < first + len(shard))
                    rows, times, own = (
                        part.profiles[inside] - np.uint32(first),
                        part.times_us[inside],
                        bits[inside],
                    )
                new = np.full(len(rows), -1, dtype=np.int64)
                ones = np.ones(len(rows), dtype=np.int64)
                spills = _add(plan, rows, times, new, ones, own, spans, shard)
                self._settle(spills, first, shard)

    def _build_totals(self, name: str, counters: Sequence[Counter], after: After) -> None:
        """Add events that are no longer kept to the counters that count them all."""
        view = after.type_view(name)
        if view is None or view.retention is None or not len(view.retention.totals):
            return
        totals = view.retention.totals
        ids = totals.profiles.astype(np.int64)
        for column in _ever(name, counters):
            rows = self._rows.gather(ids)
            _add_gone(totals, ids, rows, column, self._full)
            self._rows.scatter(ids, rows)

    def _settle(self, spills: I64, first: int, shard: U8) -> None:
        """Work out what full cells hold, in place."""
        for (row, column), step in _net(spills).items():
            held = self._full.pop((first + row, column), FULL - 1) + step
            shard[row, column] = min(held, FULL)
            if held >= FULL:
                self._full[first + row, column] = held

    def _enter_windows(self, counters: Iterable[Counter], moment: Moment) -> None:
        for counter in counters:
            if counter.window not in self._windows:
                self._windows.append(counter.window)
                self._plans.clear()
                self._spans = (*self._spans, _span(counter.window, moment))

    # ------------------------------------------------------------------------------------------------ a commit

    def stage(
        self, after: After, moment: Moment, definitions: Definitions
    ) -> tuple[TallyEdit, Toggles] | None:
        """What the clock (from the last moment to this one) and a commit's events change; None if nothing moves."""
        if not self._counters:
            return None
        spans = tuple(_span(window, moment) for window in self._windows)
        moved = [crossings(old, new) for old, new in zip(self._spans, spans, strict=True)]
        clocked: list[tuple[_TypePlan, Run, I64, I64]] = []
        arrived: list[tuple[_TypePlan, Run]] = []
        moves = _moves(moved)
        for name in after.type_names():
            edit = after.changes.events.get(name)
            if edit is None and name in self._plans:
                # What was published is known to the plan that it was counted by.
                plan = self._plans[name]
            else:
                plan = self._plan_of(name, after, moment, definitions)
            if plan is None:
                continue
            crossed = None if moves is None else self._crossing(plan, name, after, moves)
            if crossed is not None:
                clocked.append((plan, *crossed))
            if edit is not None:
                arrived.extend((plan, piece) for piece in edit.pieces)
        if not clocked and not arrived:
            self._spans = spans
            return None
        profiles = [run.profiles for _, run, _, _ in clocked] + [run.profiles for _, run in arrived]
        ids = _unique(profiles, after.ids_end)
        self._rows.ensure(after.ids_end)
        self._place(ids, after.ids_end)
        before = self._rows.gather(ids)
        counts = before.copy()
        full: dict[tuple[int, int], int] = {}
        for plan, run, windows, steps in clocked:
            rows = self._rows_of(run.profiles)
            spills = _add(plan, rows, run.times_us, windows, steps, plan.bits.of(run), spans, counts)
            self._settle_staged(spills, ids, counts, full)
        between, full_between = (counts.copy(), dict(full)) if clocked else (before, dict(full))
        for plan, run in arrived:
            rows = self._rows_of(run.profiles)
            new = np.full(len(run), -1, dtype=np.int64)
            ones = np.ones(len(run), dtype=np.int64)
            spills = _add(plan, rows, run.times_us, new, ones, plan.bits.of(run), spans, counts)
            self._settle_staged(spills, ids, counts, full)
        toggles = self._toggles(ids, before, between, counts, full_between, full)
        return TallyEdit(ids, counts, full, spans), toggles

    def _place(self, ids: I64, ids_end: int) -> None:
        """Note the row of each profile of a commit."""
        if len(self._places) < ids_end:
            self._places = np.zeros(max(ids_end, 2 * len(self._places)), dtype=np.uint32)
        self._places[ids] = np.arange(len(ids), dtype=np.uint32)

    def _rows_of(self, profiles: U32) -> U32:
        rows = np.empty(len(profiles), dtype=np.uint32)
        kernels.local_rows(profiles, self._places, rows)
        return rows

    def publish(self, edit: TallyEdit) -> None:
        """Make staged counts the counts."""
        self._rows.scatter(edit.ids, edit.rows)
        if edit.is_whole:
            self._full = {cell: n for cell, n in self._full.items() if not _is_among(cell[0], edit.ids)}
        for cell, held in edit.full.items():
            if held >= FULL:
                self._full[cell] = held
            else:
                self._full.pop(cell, None)
        self._spans = edit.spans

    def _settle_staged(self, spills: I64, ids: I64, counts: U8, full: dict[tuple[int, int], int]) -> None:
        for (row, column), step in _net(spills).items():
            cell = (int(ids[row]), column)
            held = full.get(cell, self._full.get(cell, FULL - 1))
            if held < FULL - 1:
                held = FULL - 1
            counts[row, column] = min(held + step, FULL)
            full[cell] = held + step

    def _toggles(
        self,
        ids: I64,
        before: U8,
        between: U8,
        after: U8,
        full_between: dict[tuple[int, int], int],
        full_after: dict[tuple[int, int], int],
    ) -> Toggles:
        starts, slots, lows, highs = self._atoms_by_column()
        eights = before.view(np.uint64), after.view(np.uint64)
        parts = []
        first = 0
        causes = int(Cause.CLOCK), int(Cause.EVENT)
        out = np.empty((max(_SPILL_LEAST, 2 * len(slots), 2 * len(ids)), 3), dtype=np.int64)
        while first < len(ids):
            first, found = kernels.crossed(
                first, before, between, after, *eights, starts, slots, lows, highs, *causes, out
            )  # fmt: skip
            parts.append(out[:found].copy())
        full = self._full_toggles(ids, before, between, after, full_between, full_after)
        flips = np.concatenate([*parts, np.array(full, dtype=np.int64).reshape(-1, 3)])
        return Toggles(ids[flips[:, 0]], flips[:, 1].copy(), flips[:, 2].astype(np.uint8))

    def _full_toggles(
        self,
        ids: I64,
        before: U8,
        between: U8,
        after: U8,
        full_between: dict[tuple[int, int], int],
        full_after: dict[tuple[int, int], int],
    ) -> list[tuple[int, int, int]]:
        """Flips of atoms whose count is, or was, in a full cell."""
        found = []
        by_column = {c.column: c for c in self._counters.values()}
        for cell in full_after:
            row, column = int(np.searchsorted(ids, cell[0])), cell[1]
            if before[row, column] != FULL and after[row, column] != FULL:
                continue
            old = self._full.get(cell, int(before[row, column]))
            new = full_after[cell] if after[row, column] == FULL else int(after[row, column])
            middle = (
                full_between.get(cell, old) if between[row, column] == FULL else int(between[row, column])
            )
            for slot, (low, high) in by_column[column].atoms.items():
                is_in = low <= new <= high
                if (low <= old <= high) != is_in:
                    by_clock = (low <= middle <= high) == is_in
                    found.append((row, slot, int(Cause.CLOCK if by_clock else Cause.EVENT)))
        return found

    def _atoms_by_column(self) -> tuple[I64, I64, I64, I64]:
        """(starts by column, slots, lows, highs) of the atoms of all counters."""
        if self._by_column is not None and len(self._by_column[0]) == self._rows.width + 1:
            return self._by_column
        lists: list[list[tuple[int, int, int]]] = [[] for _ in range(self._rows.width)]
        for counter in self._counters.values():
            lists[counter.column] = [(s, low, high) for s, (low, high) in counter.atoms.items()]
        starts = np.zeros(self._rows.width + 1, dtype=np.int64)
        np.cumsum([len(atoms) for atoms in lists], out=starts[1:])
        flat = np.array([a for atoms in lists for a in atoms], dtype=np.int64).reshape(-1, 3)
        self._by_column = starts, flat[:, 0].copy(), flat[:, 1].copy(), flat[:, 2].copy()
        return self._by_column

    # ------------------------------------------------------------------------------------------------ some profiles

    def recount(
        self, few: Few, ids: I64, moment: Moment, definitions: Definitions, after: After
    ) -> TallyEdit:
        """The counters of some profiles counted anew from the events they have."""
        spans = tuple(_span(window, moment) for window in self._windows)
        self._rows.ensure(after.ids_end)
        counts = np.zeros((len(ids), self._rows.width), dtype=np.uint8)
        full: dict[tuple[int, int], int] = {}
        for name, view in few.event_types.items():
            plan = self._plan_of(name, after, moment, definitions)
            if plan is None:
                continue
            for run in view.runs:
                new = np.full(len(run), -1, dtype=np.int64)
                ones = np.ones(len(run), dtype=np.int64)
                spills = _add(plan, run.profiles, run.times_us, new, ones, plan.bits.of(run), spans, counts)
                for (row, column), step in _net(spills).items():
                    cell = (int(ids[row]), column)
                    full[cell] = max(full.get(cell, 0), FULL - 1) + step
            if view.retention is not None and len(view.retention.totals):
                places = view.retention.totals.profiles.astype(np.int64)
                for column in _ever(name, list(self._counters.values())):
                    rows = counts[places]
                    _add_gone(view.retention.totals, ids[places], rows, column, full)
                    counts[places] = rows
        return TallyEdit(ids, counts, full, spans, is_whole=True)

    def holds(self, leaf: Did, edit: TallyEdit, low: int, high: int) -> U8:
        """Whether a count of recounted profiles lies in a range: u8 of n."""
        column = self._counters[leaf.events, leaf.window].column
        counts = edit.rows[:, column].astype(np.int64)
        for (id_, at), held in edit.full.items():
            if at == column and held >= FULL:
                counts[np.searchsorted(edit.ids, id_)] = held
        return ((counts >= low) & (counts <= high)).astype(np.uint8)

    # ------------------------------------------------------------------------------------------------ plans

    def _plan_of(self, name: str, after: After, moment: Moment, definitions: Definitions) -> _TypePlan | None:
        held = self._plans.get(name)
        if name in self._plans and (held is None or held.signature == _signature(name, after)):
            return held
        plan = self._plan(name, list(self._counters.values()), after, moment, definitions)
        self._plans[name] = plan
        return plan

    def _plan(
        self, name: str, counters: Sequence[Counter], after: After, moment: Moment, definitions: Definitions
    ) -> _TypePlan | None:
        chosen = [c for c in counters if matches(c.events.name, name)]
        view = after.type_view(name)
        if not chosen or view is None:
            return None
        binder = Binder(Few(after, np.empty(0, dtype=np.int64), frozenset()), moment, definitions)
        bits = EventBits({p: n for p, t in view.properties.items() if (n := _codes(after, p, t.kind))})
        wanted: list[tuple[int, Counter, Wanted]] = []
        for counter in chosen:
            test = None if counter.events.where is None else binder.event_test(counter.events.where, view)
            passes = bits.wanted(test)
            if passes is not None:
                wanted.append((self._windows.index(counter.window), counter, passes))
        bits.seal()
        always: list[list[int]] = [[] for _ in self._windows]
        by_bit: list[list[int]] = [[] for _ in range(64 * bits.words)]
        for number, (window, _, passes) in enumerate(wanted):
            if passes.need:
                # The bit that the fewest share: conditions on one value rather than on having any.
                by_bit[max(passes.need)].append(number)
            else:
                always[window].append(number)
        return _TypePlan(
            bits,
            *lists_of(always),
            *lists_of(by_bit),
            np.array([c.column for _, c, _ in wanted], dtype=np.int64),
            np.array([window for window, _, _ in wanted], dtype=np.int64),
            packed([w.need for _, _, w in wanted], bits.words),
            packed([w.deny for _, _, w in wanted], bits.words),
            frozenset(window for window, _, _ in wanted),
            _signature(name, after),
        )

    @staticmethod
    def _crossing(plan: _TypePlan, name: str, after: After, moves: _Moves) -> tuple[Run, I64, I64] | None:
        """Published events that crossed an end of a window: as one run, with the window and the step of each."""
        held = after.indexes.events.types.get(name)
        if held is None:
            return None
        parts: list[tuple[Run, int, int]] = []
        chosen: list[int] = []
        for run in held.view().runs:
            if not len(run) or moves.high < run.ends[0] or moves.low > run.ends[1]:
                continue
            # Both ends of every window in two searches.
            starts = run.times_us.searchsorted(moves.firsts, side="left").tolist()
            ends = run.times_us.searchsorted(moves.lasts, side="right").tolist()
            for move, window in enumerate(moves.windows):
                if starts[move] < ends[move] and window in plan.used_windows:
                    parts.append((run, starts[move], ends[move]))
                    chosen.append(move)
        if not parts:
            return None
        lengths = [end - start for _, start, end in parts]
        windows = np.array([moves.windows[move] for move in chosen], dtype=np.int64)
        steps = np.array([moves.steps[move] for move in chosen], dtype=np.int64)
        return _joined(parts), np.repeat(windows, lengths), np.repeat(steps, lengths)

    # ------------------------------------------------------------------------------------------------ checks

    def _check(self, after: After, moment: Moment, definitions: Definitions) -> None:
        """Every count is what counting anew gives. For tests."""
        if not self._counters or not after.ids_end:
            return
        ids = np.arange(after.ids_end, dtype=np.int64)
        few = Few(after, ids, frozenset(after.type_names()))
        fresh = self.recount(few, ids, moment, definitions, after)
        held = self._rows.gather(ids)
        for counter in self._counters.values():
            column = counter.column
            assert bool((held[:, column] == fresh.rows[:, column]).all()), counter.events
        full = {cell: n for cell, n in fresh.full.items() if n >= FULL}
        assert full == self._full


def _moves(moved: Sequence[Sequence[tuple[Span, int]]]) -> _Moves | None:
    """All that moved, by window, in arrays to search with; None if nothing did."""
    windows = [number for number, moves in enumerate(moved) for _ in moves]
    if not windows:
        return None
    spans = [span for moves in moved for span, _ in moves]
    firsts, lasts = [span.first for span in spans], [span.last for span in spans]
    steps = [step for moves in moved for _, step in moves]
    return _Moves(
        windows,
        steps,
        np.array(firsts, dtype=np.int64),
        np.array(lasts, dtype=np.int64),
        min(firsts),
        max(lasts),
    )


def _ever(name: str, counters: Iterable[Counter]) -> list[int]:
    """Columns of the counters that count every event of a type."""
    return [
        c.column
        for c in counters
        if c.window is None and c.events.where is None and matches(c.events.name, name)
    ]


def _add_gone(totals: Totals, ids: I64, rows: U8, column: int, full: dict[tuple[int, int], int]) -> None:
    """Add counts of events that are gone to one column of the rows of `ids`, those of the totals, in place."""
    counts = rows[:, column].astype(np.int64)
    for row in np.flatnonzero(counts == FULL).tolist():
        counts[row] = full[int(ids[row]), column]
    counts += totals.counts
    for row in np.flatnonzero(counts >= FULL).tolist():
        full[int(ids[row]), column] = int(counts[row])
    rows[:, column] = np.minimum(counts, FULL).astype(np.uint8)


def _span(window: Window | None, moment: Moment) -> Span:
    if window is None:
        return Span(EVER.first, moment.now_us)
    span = instant_span(window, moment, of_events=True)
    return span if span.first <= span.last else _NOTHING


def _signature(name: str, after: After) -> tuple[int, ...]:
    """Changes whenever what the tests of a type are bound to does: its properties and their dictionaries."""
    view = after.type_view(name)
    if view is None:
        return ()
    return (len(view.properties), *(_codes(after, p, t.kind) for p, t in view.properties.items()))


def _codes(after: After, name: str, kind: Kind) -> int:
    """How many codes a property of events has, the absent one included; 0 where it is not coded."""
    events = after.indexes.events
    match kind:
        case Kind.BOOL:
            return 3
        case Kind.TEXT:
            return len(events.texts.get(name) or ()) + 1
        case Kind.TEXT_SET:
            return len(events.sets.get(name) or ()) + 1
        case _:
            return 0


def _unique(profiles: Sequence[U32], ids_end: int) -> I64:
    """All ids that occur, ascending: by marks where there are many, by sorting where there are few."""
    total = sum(len(p) for p in profiles)
    if total * 32 < ids_end:
        return ascending(np.concatenate(profiles).astype(np.int64))
    marks = np.zeros(ids_end, dtype=np.bool_)
    for part in profiles:
        marks[part] = True
    return np.flatnonzero(marks)


def ascending(ids: I64) -> I64:
    """Each id once, in order. Not np.unique, which hashes: many times the sort."""
    if len(ids) < 2:
        return ids
    ordered = np.sort(ids)
    found: I64 = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return found


def lists_of(lists: Sequence[Sequence[int]]) -> tuple[I64, I64]:
    """(where each begins, all entries) of lists of numbers."""
    starts = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum([len(entries) for entries in lists], out=starts[1:])
    return starts, np.array([e for entries in lists for e in entries], dtype=np.int64)


def _is_among(id_: int, ids: I64) -> bool:
    at = int(np.searchsorted(ids, id_))
    return at < len(ids) and int(ids[at]) == id_


def _part(run: Run, start: int, end: int) -> Run:
    """Events [start, end) as views; arrival does not matter here."""
    return Run(
        run.profiles[start:end],
        run.times_us[start:end],
        {name: values[start:end] for name, values in run.properties.items()},
        run.arrival_starts[:1],
        run.arrival_batches[:1],
    )


def _joined(parts: list[tuple[Run, int, int]]) -> Run:
    """Parts of several runs end to end; arrival does not matter here."""
    if len(parts) == 1:
        return _part(*parts[0])
    names = {name for run, _, _ in parts for name in run.properties}
    return Run(
        np.concatenate([run.profiles[a:b] for run, a, b in parts]),
        np.concatenate([run.times_us[a:b] for run, a, b in parts]),
        {name: _joined_values(parts, name) for name in names},
        parts[0][0].arrival_starts[:1],
        parts[0][0].arrival_batches[:1],
    )


def _joined_values(parts: list[tuple[Run, int, int]], name: str) -> Stored:
    held = [run.properties[name] for run, _, _ in parts if name in run.properties]
    dtype = max((h.dtype for h in held), key=lambda d: d.itemsize)
    out = []
    for run, start, end in parts:
        values = run.properties.get(name)
        if values is None:
            out.append(np.full((end - start, *held[0].shape[1:]), absent_value(dtype), dtype=dtype))
        else:
            part = values[start:end]
            out.append(part if part.dtype == dtype else widen(part, dtype))
    return np.concatenate(out)


def _add(
    plan: _TypePlan,
    rows: U32,
    times: I64,
    windows: I64,
    steps: I64,
    bits: U64,
    spans: tuple[Span, ...],
    counts: U8,
) -> I64:
    """Run events through the counters; the steps on full cells, (n, 3)."""
    firsts = np.array([s.first for s in spans], dtype=np.int64)
    lasts = np.array([s.last for s in spans], dtype=np.int64)
    spilled = np.empty((max(_SPILL_LEAST, 2 * len(plan.columns)), 3), dtype=np.int64)
    parts = []
    done = 0
    while done < len(rows):
        done, found = kernels.add_events(
            done, rows, times, windows, steps, bits, plan.always_starts, plan.always, plan.bit_starts,
            plan.by_bit, plan.columns, plan.windows, plan.need, plan.deny, firsts, lasts, counts, spilled,
        )  # fmt: skip
        if found:
            parts.append(spilled[:found].copy())
    return np.concatenate(parts) if parts else np.empty((0, 3), dtype=np.int64)


def _net(spills: I64) -> dict[tuple[int, int], int]:
    """By cell, the sum of its steps."""
    found: dict[tuple[int, int], int] = {}
    for row, column, step in spills.tolist():
        found[row, column] = found.get((row, column), 0) + step
    return found
