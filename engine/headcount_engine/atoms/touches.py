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
        keys = self._keys[: self._used]
        keys.sort()
        self._used = 0
        return keys


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
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


def moves_between(before: Sequence[Span], now: Sequence[Span]) -> Moves | None:
    """All that moved, by window, in arrays to search with; None if nothing did."""
    moved = [crossings(old, new) for old, new in zip(before, now, strict=True)]
    windows = [number for number, moves in enumerate(moved) for _ in moves]
    if not windows:
        return None
    spans = [span for moves in moved for span, _ in moves]
    firsts, lasts = [span.first for span in spans], [span.last for span in spans]
    steps = [step for moves in moved for _, step in moves]
    return Moves(
        windows,
        steps,
        np.array(firsts, dtype=np.int64),
        np.array(lasts, dtype=np.int64),
        min(firsts),
        max(lasts),
    )


def cross(touches: Touches, plan: TypePlan, runs: Sequence[Run], moves: Moves) -> None:
    """Note the steps of published events of one type that crossed an end of a window."""
    for run in runs:
        if not len(run) or moves.high < run.ends[0] or moves.low > run.ends[1]:
            continue
        # Both ends of every window in two searches.
        starts = run.times_us.searchsorted(moves.firsts, side="left").tolist()
        ends = run.times_us.searchsorted(moves.lasts, side="right").tolist()
        for move, window in enumerate(moves.windows):
            if starts[move] < ends[move] and window in plan.used_windows:
                touches.cross(plan, run, starts[move], ends[move], window, moves.steps[move])


def lists_of(lists: Sequence[Sequence[int]]) -> tuple[I64, I64]:
    """(where each begins, all entries) of lists of numbers."""
    starts = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum([len(entries) for entries in lists], out=starts[1:])
    return starts, np.array([e for entries in lists for e in entries], dtype=np.int64)
