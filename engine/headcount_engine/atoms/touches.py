"""Which counters the events of a commit move, and which the clock does: found type by type, noted as sorted keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from headcount_engine.atoms.after import After, Few
from headcount_engine.atoms.event_bits import EventBits, Wanted, packed
from headcount_engine.atoms.reads import crossings, matches
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment, Span
from headcount_engine.conditions.tree import Events
from headcount_engine.conditions.windows import Window
from headcount_engine.indexes.runs import Run
from headcount_engine.kernels import tallies as kernels
from headcount_engine.kernels.tallies import ARRIVED, ENTERED, LEFT
from headcount_engine.model.batches import I64, U64
from headcount_engine.model.values import Kind

_KEYS_LEAST = 1 << 14
_NEW = -1
"""In place of a window: the events are new and count in every window that they lie in."""


@dataclass(slots=True, eq=False)
class Counter:
    """One count for every profile. `atoms`: by slot, the counts (low, high) for which the atom holds."""

    events: Events
    window: Window | None
    column: int
    atoms: dict[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class TypePlan:
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


def plan_of(
    name: str,
    counters: Sequence[Counter],
    windows: Sequence[Window | None],
    after: After,
    moment: Moment,
    definitions: Definitions,
) -> TypePlan | None:
    """Bind what counters ask of the events of one type; None if none of them is about it."""
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
            wanted.append((windows.index(counter.window), counter, passes))
    bits.seal()
    always: list[list[int]] = [[] for _ in windows]
    by_bit: list[list[int]] = [[] for _ in range(64 * bits.words)]
    for number, (window, _, passes) in enumerate(wanted):
        if passes.need:
            # The bit that the fewest share: conditions on one value rather than on having any.
            by_bit[max(passes.need)].append(number)
        else:
            always[window].append(number)
    return TypePlan(
        bits,
        *lists_of(always),
        *lists_of(by_bit),
        np.array([c.column for _, c, _ in wanted], dtype=np.int64),
        np.array([window for window, _, _ in wanted], dtype=np.int64),
        packed([w.need for _, _, w in wanted], bits.words),
        packed([w.deny for _, _, w in wanted], bits.words),
        frozenset(window for window, _, _ in wanted),
        signature_of(name, after),
    )


def signature_of(name: str, after: After) -> tuple[int, ...]:
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


class Touches:
    """Steps of counters, each a key: profile << 32 | column << 8 | why (LEFT, ENTERED or ARRIVED)."""

    def __init__(self, spans: Sequence[Span]) -> None:
        """`spans`: by window, where events have to lie to count."""
        self._firsts = np.array([s.first for s in spans], dtype=np.int64)
        self._lasts = np.array([s.last for s in spans], dtype=np.int64)
        self._keys: U64 = np.empty(_KEYS_LEAST, dtype=np.uint64)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def arrive(self, plan: TypePlan, run: Run, start: int = 0, end: int | None = None) -> None:
        """Events [start, end) are new."""
        self._add(plan, run, start, len(run) if end is None else end, _NEW, ARRIVED)

    def cross(self, plan: TypePlan, run: Run, start: int, end: int, window: int, step: int) -> None:
        """Events [start, end) have entered (1) or left (-1) a window."""
        self._add(plan, run, start, end, window, ENTERED if step > 0 else LEFT)

    def _add(self, plan: TypePlan, run: Run, start: int, end: int, window: int, why: int) -> None:
        profiles, times = run.profiles[start:end], run.times_us[start:end]
        bits = plan.bits.of(run, start, end)
        done = 0
        while done < end - start:
            done, self._used = kernels.touch(
                done, profiles, times, window, why, bits, plan.always_starts, plan.always, plan.bit_starts,
                plan.by_bit, plan.columns, plan.windows, plan.need, plan.deny, self._firsts, self._lasts,
                self._keys, self._used,
            )  # fmt: skip
            if done < end - start:
                room = np.empty(2 * len(self._keys) + len(plan.columns), dtype=np.uint64)
                room[: self._used] = self._keys[: self._used]
                self._keys = room

    def take(self) -> U64:
        """All keys, ascending; there are none afterwards."""
        keys = self.drain()
        keys.sort()
        return keys

    def drain(self) -> U64:
        """All keys, in no order; there are none afterwards. They hold until others are noted."""
        keys = self._keys[: self._used]
        self._used = 0
        return keys


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Stretches of time that crossed an end of a window since the last moment, `low` to `high` in all.

    firsts, lasts    of each stretch, inclusive
    windows, steps   the window, and what the count of an event in the stretch changes by
    ends             where all windows begin and where they end by now
    """

    windows: list[int]
    steps: list[int]
    firsts: I64
    lasts: I64
    low: int
    high: int
    ends: tuple[I64, I64]


class Follower:
    """Follows the ends of windows through runs. A run that nothing crossed is left alone until something can.

    `moved_us` adds up the furthest that any end has moved at each step, so that a run whose next event is so many
    microseconds ahead of every end need not be looked at before it has grown by as many.
    """

    def __init__(self) -> None:
        self._as = object()
        self._moved_us = 0

    def forget(self) -> None:
        """There are other windows: what was noted of runs holds no longer."""
        self._as = object()

    def step(self, before: Sequence[Span], now: Sequence[Span]) -> Moves | None:
        """What crosses an end as windows move; None if nothing can."""
        moved = [crossings(old, new) for old, new in zip(before, now, strict=True)]
        windows = [number for number, moves in enumerate(moved) for _ in moves]
        if not windows:
            return None
        steps = [
            step
            for old, new in zip(before, now, strict=True)
            for step in (new.first - old.first, new.last - old.last)
        ]
        if min(steps) < 0:
            self.forget()
        self._moved_us += max(steps)
        spans = [span for moves in moved for span, _ in moves]
        firsts, lasts = [span.first for span in spans], [span.last for span in spans]
        return Moves(
            windows,
            [step for moves in moved for _, step in moves],
            np.array(firsts, dtype=np.int64),
            np.array(lasts, dtype=np.int64),
            min(firsts),
            max(lasts),
            (np.array([s.first for s in now]), np.array([s.last for s in now])),
        )

    def cross(self, touches: Touches, plan: TypePlan, runs: Sequence[Run], moves: Moves) -> None:
        """Note the steps of published events of one type that crossed an end of a window."""
        for run in runs:
            note = run.quiet
            if note and note[0][0] is self._as and self._moved_us < note[0][1]:
                continue
            if not len(run) or moves.high < run.ends[0] or moves.low > run.ends[1]:
                continue
            # Both ends of every window in two searches.
            starts = run.times_us.searchsorted(moves.firsts, side="left").tolist()
            ends = run.times_us.searchsorted(moves.lasts, side="right").tolist()
            is_quiet = True
            for move, window in enumerate(moves.windows):
                if starts[move] < ends[move]:
                    is_quiet = False
                    if window in plan.used_windows:
                        touches.cross(plan, run, starts[move], ends[move], window, moves.steps[move])
            if is_quiet:
                note[:] = [(self._as, self._moved_us + _room(run, *moves.ends))]


def _room(run: Run, firsts: I64, lasts: I64) -> int:
    """How far the ends of windows have to move, the furthest of them, before one of them meets an event of a run."""
    rooms = [1 << 62]
    # An event at the first instant of a window leaves when that moves past it, one after the last enters when met.
    for ends, side, extra in ((firsts, "left", 1), (lasts, "right", 0)):
        at = run.times_us.searchsorted(ends, side=side)  # type: ignore[call-overload]
        is_ahead = at < len(run)
        if bool(is_ahead.any()):
            rooms.append(int((run.times_us[at[is_ahead]] - ends[is_ahead]).min()) + extra)
    return min(rooms)


def lists_of(lists: Sequence[Sequence[int]]) -> tuple[I64, I64]:
    """(where each begins, all entries) of lists of numbers."""
    starts = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum([len(entries) for entries in lists], out=starts[1:])
    return starts, np.array([e for entries in lists for e in entries], dtype=np.int64)
