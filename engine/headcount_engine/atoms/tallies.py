"""How often each profile did what live segments count, in each window: the state behind `did x at least k times`.

A counter is an event name, a `where` and a window; conditions that differ in their numbers only share one. Its count
rises when an event arrives inside the window and moves only when an event crosses one of the window's ends, which the
time-ordered runs tell without looking at anyone else: a second cursor over the log.

Counters are a row of bytes for each profile, so that an event touches the cache lines of one profile. 255 stands for
more than fits; what such a cell holds is in `_full`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headcount_engine.atoms.after import After, Few
from headcount_engine.atoms.filling import UNBOUNDED, CountReader
from headcount_engine.atoms.reads import matches
from headcount_engine.atoms.rows import SHARD_BITS, SHARD_ROWS, Rows
from headcount_engine.atoms.touches import (
    Counter,
    Follower,
    Touches,
    TypePlan,
    plan_of,
    signature_of,
)
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import EVER, Moment, Span, instant_span
from headcount_engine.conditions.tree import Did, Events
from headcount_engine.conditions.windows import Window
from headcount_engine.evaluation.threads import WORKERS, shares, side_by_side
from headcount_engine.indexes.runs import Run
from headcount_engine.indexes.totals import Totals
from headcount_engine.kernels import tallies as kernels
from headcount_engine.kernels.tallies import FULL
from headcount_engine.model.batches import I64, U8, U64
from headcount_engine.model.changes import Cause

_NOTHING = Span(0, -1)
_BUILD_ROWS = 1 << 18
_BUILD_KEYS = 1 << 21
"""Steps that are gathered before they are carried out, where a counter is built."""
_SMALL = 1 << 14
"""Fewer steps than this are not worth a thread."""
_TOGGLES_LEAST = 1 << 12
_SHIFT = np.uint64(32)


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
    """Cells (profile << 32 | column << 8, ascending) as they will be, and the spans that counts are true for then.

    `full`: what those cells hold, by profile and column, that are full, or were.
    """

    cells: U64
    values: U8
    full: Mapping[tuple[int, int], int]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Recount:
    """All counters of some profiles as they will be, and what their full cells hold."""

    ids: I64
    rows: U8
    full: Mapping[tuple[int, int], int]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Ranges:
    """By column of a counter, the atoms on it: slot, and the least and greatest count for which it holds."""

    starts: I64
    slots: I64
    lows: I64
    highs: I64


@dataclass(slots=True, eq=False)
class _Settled:
    """What keys make of the cells that they name."""

    cells: list[U64] = field(default_factory=list)
    values: list[U8] = field(default_factory=list)
    full: dict[tuple[int, int], int] = field(default_factory=dict)
    toggles: list[I64] = field(default_factory=list)


class Tallies:
    """All counters. Changed by the single writer."""

    def __init__(self) -> None:
        self._rows = Rows(np.uint8, 64)
        self._full: dict[tuple[int, int], int] = {}
        self._counters: dict[tuple[Events, Window | None], Counter] = {}
        self._windows: list[Window | None] = []
        self._spans: tuple[Span, ...] = ()
        self._free: list[int] = []
        self._plans: dict[str, TypePlan | None] = {}
        self._ranges: _Ranges | None = None
        self._follower = Follower()

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
        high = UNBOUNDED if leaf.count.high is None else leaf.count.high
        held.atoms[slot] = (leaf.count.low, high)
        self._ranges = None
        return is_new

    def unwatch(self, leaf: Did, slot: int) -> None:
        """An atom is gone; a counter that nobody uses goes with it."""
        key = (leaf.events, leaf.window)
        held = self._counters[key]
        del held.atoms[slot]
        self._ranges = None
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
        self._follower.forget()

    def counters(self) -> Sequence[Counter]:
        return list(self._counters.values())

    # ------------------------------------------------------------------------------------------------ building

    def build(self, leaves: Iterable[Did], after: After, moment: Moment, definitions: Definitions) -> None:
        """Count new counters over all events, at a moment. One pass over the types that they name."""
        counters = [self._counters[leaf.events, leaf.window] for leaf in leaves]
        self._enter_windows(counters, moment)
        self._rows.widen(max((c.column + 1 for c in counters), default=1))
        self._rows.ensure(max(after.ids_end, 1))
        spans = [self._spans[self._windows.index(c.window)] for c in counters]
        first_us, last_us = min(s.first for s in spans), max(s.last for s in spans)
        gathered = [Touches(self._spans) for _ in range(WORKERS)]
        for name in after.type_names():
            plan = plan_of(name, counters, self._windows, after, moment, definitions)
            if plan is not None:
                for run in after.runs(name):
                    self._gather(gathered, plan, run, *run.between(first_us, last_us))
                self._carry_out(gathered)
                self._build_totals(name, counters, after)

    def _gather(self, gathered: Sequence[Touches], plan: TypePlan, run: Run, start: int, end: int) -> None:
        """Count events [start, end) of a run; the last steps are left to be carried out."""
        for first in range(start, end, _BUILD_ROWS * len(gathered)):
            edges = range(first, first + _BUILD_ROWS * len(gathered), _BUILD_ROWS)
            parts = [
                (own, at, min(at + _BUILD_ROWS, end))
                for own, at in zip(gathered, edges, strict=True)
                if at < end
            ]
            side_by_side(parts, lambda part: part[0].arrive(plan, run, part[1], part[2]))
            if sum(map(len, gathered)) >= _BUILD_KEYS:
                self._carry_out(gathered)

    def _carry_out(self, gathered: Sequence[Touches]) -> None:
        """Step counters that no atom listens to yet, by events that have arrived."""
        keys = [touches.drain() for touches in gathered if len(touches)]
        if not keys:
            return
        shards = [rows for _, rows in self._rows.shards()]
        addresses = np.array([rows.ctypes.data for rows in shards], dtype=np.int64)
        words, parts = self._rows.width >> 3, WORKERS if sum(map(len, keys)) >= _SMALL else 1

        def stepped(part: int) -> list[U64]:
            found = []
            for some in keys:
                room = np.empty(len(some), dtype=np.uint64)
                used = kernels.step(some, addresses, SHARD_BITS, words, part, parts, room)
                found.append(room[:used].copy())
            return found

        full = np.sort(np.concatenate([f for found in side_by_side(range(parts), stepped) for f in found]))
        starts = np.flatnonzero(np.append(True, full[1:] != full[:-1])[: len(full)])
        for name, times in zip(
            full[starts].tolist(), np.diff(starts, append=len(full)).tolist(), strict=True
        ):
            cell = name >> 24, name & (kernels.COLUMNS_MAX - 1)
            self._full[cell] = self._full.get(cell, FULL - 1) + times

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

    def _enter_windows(self, counters: Iterable[Counter], moment: Moment) -> None:
        for counter in counters:
            if counter.window not in self._windows:
                self._windows.append(counter.window)
                self._plans.clear()
                self._follower.forget()
                self._spans = (*self._spans, _span(counter.window, moment))

    def reader(self, leaves: Mapping[int, Did]) -> CountReader:
        """Everyone's bits of atoms on counters, by slot, as counters stand."""
        chosen = [(slot, self._counters[leaf.events, leaf.window]) for slot, leaf in leaves.items()]
        columns = np.array([c.column for _, c in chosen], dtype=np.int64)
        ranges = np.array([c.atoms[slot] for slot, c in chosen], dtype=np.int64).reshape(-1, 2)
        watched = set(columns.tolist())
        full = {cell: held for cell, held in self._full.items() if cell[1] in watched}
        return CountReader(self._rows, columns, ranges[:, 0].copy(), ranges[:, 1].copy(), full)

    # ------------------------------------------------------------------------------------------------ a commit

    def stage(
        self, after: After, moment: Moment, definitions: Definitions
    ) -> tuple[TallyEdit, Toggles] | None:
        """What the clock (from the last moment to this one) and a commit's events change; None if nothing moves."""
        if not self._counters:
            return None
        spans = tuple(_span(window, moment) for window in self._windows)
        moves = self._follower.step(self._spans, spans)
        touches = Touches(spans)
        for name in after.type_names():
            edit = after.changes.events.get(name)
            if edit is None and name in self._plans:
                # What was published is known to the plan that it was counted by.
                plan = self._plans[name]
            else:
                plan = self._plan_of(name, after, moment, definitions)
            if plan is None:
                continue
            held = after.indexes.events.types.get(name)
            if moves is not None and held is not None:
                self._follower.cross(touches, plan, held.view().runs, moves)
            for piece in edit.pieces if edit is not None else ():
                touches.arrive(plan, piece)
        if not len(touches):
            self._spans = spans
            return None
        self._rows.ensure(after.ids_end)
        settled = self._settle(touches.take(), self._listened())
        flips = np.concatenate(settled.toggles)
        toggles = Toggles(flips[:, 0].copy(), flips[:, 1].copy(), flips[:, 2].astype(np.uint8))
        cells, values = np.concatenate(settled.cells), np.concatenate(settled.values)
        return TallyEdit(cells, values, settled.full, spans), toggles

    def publish(self, edit: TallyEdit) -> None:
        """Make staged counts the counts."""
        self._put([edit.cells], [edit.values])
        for cell, held in edit.full.items():
            if held >= FULL:
                self._full[cell] = held
            else:
                self._full.pop(cell, None)
        self._spans = edit.spans

    def publish_recount(self, edit: Recount) -> None:
        """Make the counters of some profiles what they were counted as."""
        self._rows.scatter(edit.ids, edit.rows)
        self._full = {cell: n for cell, n in self._full.items() if not _is_among(cell[0], edit.ids)}
        self._full.update(edit.full)
        self._spans = edit.spans

    def _settle(self, keys: U64, ranges: _Ranges) -> _Settled:
        """What steps make of the counters, which stay as they are."""
        cuts = []
        for first, shard, start, end in self._cuts(keys):
            edges = [start + at for at, _ in shares(end - start, _SMALL)][1:]
            # Shares begin where a profile does.
            edges = keys.searchsorted(keys[edges] >> _SHIFT << _SHIFT).tolist() if edges else []
            edges = [start, *edges, end]
            cuts += [(keys[a:b], first, shard) for a, b in itertools.pairwise(edges) if a < b]
        parts = side_by_side(cuts, lambda cut: self._settle_shard(*cut, ranges))
        settled = _Settled(toggles=[np.empty((0, 3), dtype=np.int64)])
        for part in parts:
            settled.cells += part.cells
            settled.values += part.values
            settled.toggles += part.toggles
            settled.full |= part.full
        return settled

    def _settle_shard(self, keys: U64, first: int, shard: U8, ranges: _Ranges) -> _Settled:
        settled = _Settled()
        cells, values = np.empty(len(keys), dtype=np.uint64), np.empty(len(keys), dtype=np.uint8)
        full = np.empty((len(keys), 4), dtype=np.int64)
        toggles = np.empty((max(_TOGGLES_LEAST, len(ranges.slots), len(keys)), 3), dtype=np.int64)
        done = cell = fulls = 0
        while done < len(keys):
            done, cell, found, fulls = kernels.settle(
                done, keys, first, shard, ranges.starts, ranges.slots, ranges.lows, ranges.highs,
                int(Cause.CLOCK), int(Cause.EVENT), cells, values, cell, toggles, full, fulls,
            )  # fmt: skip
            settled.toggles.append(toggles[:found].copy())
        cells, values = cells[:cell], values[:cell]
        if fulls:
            flips = self._settle_full(full[:fulls], cells, values, ranges, settled.full)
            settled.toggles.append(np.array(flips, dtype=np.int64).reshape(-1, 3))
        settled.cells.append(cells)
        settled.values.append(values)
        return settled

    def _settle_full(
        self, full: I64, cells: U64, values: U8, ranges: _Ranges, counts: dict[tuple[int, int], int]
    ) -> list[tuple[int, int, int]]:
        """Work out cells that are full, or were, or may become it; returns (profile, atom, cause) that flip."""
        found = []
        for place, byte, by_clock, by_events in full.tolist():
            cell = int(cells[place]) >> 32, (int(cells[place]) >> 8) & (kernels.COLUMNS_MAX - 1)
            old = self._full.get(cell, byte)
            middle = old + by_clock
            new = middle + by_events
            values[place] = min(new, FULL)
            counts[cell] = new
            for at in range(int(ranges.starts[cell[1]]), int(ranges.starts[cell[1] + 1])):
                low, high = int(ranges.lows[at]), int(ranges.highs[at])
                is_in = low <= new <= high
                if (low <= old <= high) != is_in:
                    by = Cause.CLOCK if (low <= middle <= high) == is_in else Cause.EVENT
                    found.append((cell[0], int(ranges.slots[at]), int(by)))
        return found

    def _put(self, cells: Sequence[U64], values: Sequence[U8]) -> None:
        for some, held in zip(cells, values, strict=True):
            for first, shard, start, end in self._cuts(some):
                kernels.put(some[start:end], held[start:end], first, shard)

    def _cuts(self, keys: U64) -> list[tuple[int, U8, int, int]]:
        """(first id, rows, from, to) of every shard that ascending keys, or cells, fall in."""
        found = []
        for first, shard in self._rows.shards():
            ends = np.array([first, first + SHARD_ROWS], dtype=np.uint64) << _SHIFT
            start, end = keys.searchsorted(ends).tolist()
            if start < end:
                found.append((first, shard, start, end))
        return found

    def _listened(self) -> _Ranges:
        """The ranges of the atoms of all counters."""
        if self._ranges is not None and len(self._ranges.starts) == self._rows.width + 1:
            return self._ranges
        lists: list[list[tuple[int, int, int]]] = [[] for _ in range(self._rows.width)]
        for counter in self._counters.values():
            lists[counter.column] = [(s, low, high) for s, (low, high) in counter.atoms.items()]
        starts = np.zeros(self._rows.width + 1, dtype=np.int64)
        np.cumsum([len(atoms) for atoms in lists], out=starts[1:])
        flat = np.array([a for atoms in lists for a in atoms], dtype=np.int64).reshape(-1, 3)
        self._ranges = _Ranges(starts, flat[:, 0].copy(), flat[:, 1].copy(), flat[:, 2].copy())
        return self._ranges

    # ------------------------------------------------------------------------------------------------ some profiles

    def recount(self, few: Few, ids: I64, moment: Moment, definitions: Definitions, after: After) -> Recount:
        """The counters of some profiles counted anew from the events they have."""
        spans = tuple(_span(window, moment) for window in self._windows)
        self._rows.ensure(after.ids_end)
        fresh = Tallies()
        fresh._rows.widen(self._rows.width)
        fresh._rows.ensure(max(len(ids), 1))
        touches = Touches(spans)
        for name, view in few.event_types.items():
            plan = self._plan_of(name, after, moment, definitions)
            if plan is not None:
                for run in view.runs:
                    touches.arrive(plan, run)
        fresh._carry_out([touches])
        counts = fresh._rows.gather(np.arange(len(ids), dtype=np.int64))[:, : self._rows.width]
        full = {(int(ids[row]), column): n for (row, column), n in fresh._full.items()}
        for name, view in few.event_types.items():
            if view.retention is not None and len(view.retention.totals):
                places = view.retention.totals.profiles.astype(np.int64)
                for column in _ever(name, list(self._counters.values())):
                    rows = counts[places]
                    _add_gone(view.retention.totals, ids[places], rows, column, full)
                    counts[places] = rows
        return Recount(ids, np.ascontiguousarray(counts), full, spans)

    def holds(self, leaf: Did, edit: Recount, low: int, high: int) -> U8:
        """Whether a count of recounted profiles lies in a range: u8 of n."""
        column = self._counters[leaf.events, leaf.window].column
        counts = edit.rows[:, column].astype(np.int64)
        for (id_, at), held in edit.full.items():
            if at == column and held >= FULL:
                counts[np.searchsorted(edit.ids, id_)] = held
        return ((counts >= low) & (counts <= high)).astype(np.uint8)

    # ------------------------------------------------------------------------------------------------ plans

    def _plan_of(self, name: str, after: After, moment: Moment, definitions: Definitions) -> TypePlan | None:
        held = self._plans.get(name)
        if name in self._plans and (held is None or held.signature == signature_of(name, after)):
            return held
        plan = plan_of(name, list(self._counters.values()), self._windows, after, moment, definitions)
        self._plans[name] = plan
        return plan

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


def ascending(ids: I64) -> I64:
    """Each id once, in order. Not np.unique, which hashes: many times the sort."""
    if len(ids) < 2:
        return ids
    ordered = np.sort(ids)
    found: I64 = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return found


def _is_among(id_: int, ids: I64) -> bool:
    at = int(np.searchsorted(ids, id_))
    return at < len(ids) and int(ids[at]) == id_
