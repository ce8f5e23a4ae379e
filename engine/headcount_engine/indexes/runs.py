"""Runs: the events of one type, sorted by (time, arrival), as parallel arrays.

A `Run` is immutable as a reader sees it: its arrays may be the front part of buffers that the writer appends to, but
what lies in them below `len(run)` never changes. Arrival is the number of the batch an event came in (and its place
within the batch); it is kept run-length encoded, since most runs are a few batches end to end.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headcount_engine.indexes.columns import narrowest_between, widen
from headcount_engine.indexes.postings import Postings
from headcount_engine.indexes.predicates import Stored, absent_value
from headcount_engine.kernels import events as kernels
from headcount_engine.kernels.columns import extent
from headcount_engine.model.batches import I64, U32

SEALED_ROWS = 1 << 20
"""A run this long takes no more events."""
_CHUNK = 1 << 16
_WANTED_MAX = 32
"""Looks at a whole run, 1 ms each, after which its order by profile is made instead, for 100 ms."""


class Permutations:
    """Orders of a run's events by (profile, position), made when one profile is first asked for.

    A full run has one; an open one has one for each whole chunk of 65,536 events, and its rest is looked through.
    """

    def __init__(self) -> None:
        self._chunks: list[U32] = []
        self._whole: U32 | None = None
        self._wanted = 0
        self._lock = threading.Lock()

    def is_worth_using(self, profiles: U32) -> bool:
        """Whether the order is there, or has been wanted so often that making it pays: a look at all is cheap."""
        made = len(self._chunks) if len(profiles) < SEALED_ROWS else int(self._whole is not None)
        self._wanted += 1
        return made > 0 or self._wanted > _WANTED_MAX or len(profiles) < _CHUNK

    def rows_of(self, profiles: U32, profile: int) -> I64:
        """Positions of one profile's events, ascending."""
        if len(profiles) >= SEALED_ROWS:
            return self._found(profiles, self._whole_order(profiles), profile)
        chunks = self._chunk_orders(profiles)
        parts = [
            self._found(profiles[i * _CHUNK : (i + 1) * _CHUNK], order, profile) + i * _CHUNK
            for i, order in enumerate(chunks)
        ]
        start = len(chunks) * _CHUNK
        rest = np.empty(len(profiles) - start, dtype=np.int64)
        found = kernels.rows_of_profile(profiles, start, np.uint32(profile), rest)
        return np.concatenate([*parts, rest[:found]])

    @staticmethod
    def _found(profiles: U32, order: U32, profile: int) -> I64:
        start, end = kernels.find_in_permutation(profiles, order, np.uint32(profile))
        return order[start:end].astype(np.int64)

    def _whole_order(self, profiles: U32) -> U32:
        with self._lock:
            if self._whole is None or len(self._whole) != len(profiles):
                self._whole = np.argsort(profiles, kind="stable").astype(np.uint32)
                self._chunks = []
            return self._whole

    def _chunk_orders(self, profiles: U32) -> list[U32]:
        with self._lock:
            while (len(self._chunks) + 1) * _CHUNK <= len(profiles):
                start = len(self._chunks) * _CHUNK
                order = np.argsort(profiles[start : start + _CHUNK], kind="stable")
                self._chunks.append(order.astype(np.uint32))
            return self._chunks[: len(profiles) // _CHUNK]

    @property
    def nbytes(self) -> int:
        return sum(c.nbytes for c in self._chunks) + (0 if self._whole is None else self._whole.nbytes)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """n events sorted by (time, arrival).

    profiles        u32 of n
    times_us        i64 of n, ascending
    properties      by name, n stored values each; a property that the run lacks is absent in all its events
    arrival_starts  i64: where in the run each stretch of one batch begins; the first is 0
    arrival_batches i64: the batch number of each stretch
    """

    profiles: U32
    times_us: I64
    properties: Mapping[str, Stored]
    arrival_starts: I64
    arrival_batches: I64
    permutations: Permutations = field(default_factory=Permutations)
    postings: Postings = field(default_factory=Postings)
    _ends: list[tuple[int, int]] = field(default_factory=list)
    _between: list[tuple[int, int, int, int]] = field(default_factory=list)
    quiet: list[tuple[object, int]] = field(default_factory=list)
    """A note of whoever follows ends of windows through the run: who, and how far they can move before one is met."""

    @property
    def ends(self) -> tuple[int, int]:
        """(time of the first event, of the last); of a run that has events."""
        if not self._ends:
            self._ends.append((int(self.times_us[0]), int(self.times_us[-1])))
        return self._ends[0]

    def __len__(self) -> int:
        return len(self.profiles)

    def between(self, first_us: int, last_us: int) -> tuple[int, int]:
        """The events with first_us <= time <= last_us, as positions [from, to)."""
        if first_us > last_us or not len(self.times_us):
            return 0, 0
        earliest, latest = self.ends
        if first_us <= earliest and last_us >= latest:
            return 0, len(self.times_us)
        if last_us < earliest or first_us > latest:
            return 0, 0
        last = self._between[0] if self._between else None
        if last is not None and last[:2] == (first_us, last_us):
            return last[2:]
        start = int(self.times_us.searchsorted(np.int64(first_us), side="left"))
        end = int(self.times_us.searchsorted(np.int64(last_us), side="right"))
        # A rule is planned and then carried out: the same span is looked for twice.
        self._between[:] = [(first_us, last_us, start, end)]
        return start, end

    def rows_of(self, profile: int) -> I64:
        """Positions of one profile's events, ascending: by the order by profile where it is there or pays, else by a
        look at all events."""
        if self.permutations.is_worth_using(self.profiles):
            return self.permutations.rows_of(self.profiles, profile)
        return np.flatnonzero(self.profiles == np.uint32(profile))

    def batches_at(self, rows: I64) -> I64:
        """Batch number of the events at these positions."""
        return self.arrival_batches[np.searchsorted(self.arrival_starts, rows, side="right") - 1]

    def batches(self) -> I64:
        """Batch number of every event: i64 of n."""
        lengths = np.diff(np.append(self.arrival_starts, len(self)))
        return np.repeat(self.arrival_batches, lengths)

    @property
    def nbytes(self) -> int:
        own = (
            self.profiles.nbytes
            + self.times_us.nbytes
            + self.arrival_starts.nbytes
            + self.arrival_batches.nbytes
        )
        made = self.permutations.nbytes + self.postings.nbytes
        return own + sum(p.nbytes for p in self.properties.values()) + made


def encode_arrival(batches: I64) -> tuple[I64, I64]:
    """(starts, batches) of the stretches of equal batch numbers."""
    starts = np.flatnonzero(np.diff(batches, prepend=batches[0] - 1)).astype(np.int64)
    return starts, batches[starts]


def run_of_batch(profiles: U32, times_us: I64, properties: Mapping[str, Stored], batch: int) -> Run:
    """One batch, in arrival order, as a run."""
    if bool((times_us[1:] >= times_us[:-1]).all()):
        rows: I64 | slice = slice(None)
    else:
        rows = np.argsort(times_us, kind="stable")
    return Run(
        profiles[rows],
        times_us[rows],
        {name: values[rows] for name, values in properties.items()},
        np.zeros(1, dtype=np.int64),
        np.array([batch], dtype=np.int64),
    )


def cut(run: Run, start: int, end: int) -> Run:
    """Events [start, end) as a run of its own."""
    batches = run.batches()[start:end] if len(run.arrival_starts) > 1 else None
    starts, numbers = (
        (np.zeros(1, np.int64), run.arrival_batches) if batches is None else encode_arrival(batches)
    )
    return Run(
        run.profiles[start:end].copy(),
        run.times_us[start:end].copy(),
        {name: values[start:end].copy() for name, values in run.properties.items()},
        starts,
        numbers,
    )


def reassigned(run: Run, rows: I64, profile: int) -> Run:
    """The run with the events at these positions as another profile's. Shares everything but whose they are."""
    profiles = run.profiles.copy()
    profiles[rows] = profile
    return Run(profiles, run.times_us, run.properties, run.arrival_starts, run.arrival_batches)


def without(run: Run, rows: I64) -> Run | None:
    """The run without the events at these positions; None if nothing is left."""
    if len(rows) == len(run):
        return None
    batches = np.delete(run.batches(), rows)
    starts, numbers = encode_arrival(batches)
    return Run(
        np.delete(run.profiles, rows),
        np.delete(run.times_us, rows),
        {name: np.delete(values, rows, axis=0) for name, values in run.properties.items()},
        starts,
        numbers,
    )


def events_before(run: Run, time_us: int) -> int:
    """How many events lie before an instant; they are the first ones."""
    return int(np.searchsorted(run.times_us, np.int64(time_us), side="left"))


def merge(runs: Sequence[Run]) -> Run:
    """All events of several runs as one, by (time, batch, place in the batch)."""
    ordered = sorted(runs, key=lambda r: int(r.arrival_batches.min()))
    times = np.concatenate([r.times_us for r in ordered])
    batches = np.concatenate([r.batches() for r in ordered])
    apart = all(
        int(a.arrival_batches.max()) < int(b.arrival_batches.min()) for a, b in itertools.pairwise(ordered)
    )
    # Runs whose batches do not interleave are already in arrival order; timsort then merges their sorted stretches.
    order = np.argsort(times, kind="stable") if apart else np.lexsort((batches, times))
    names = sorted({name for r in ordered for name in r.properties})
    starts, numbers = encode_arrival(batches[order])
    return Run(
        np.concatenate([r.profiles for r in ordered])[order],
        times[order],
        {name: _joined(ordered, name)[order] for name in names},
        starts,
        numbers,
    )


def _joined(runs: Sequence[Run], name: str) -> Stored:
    """A property over several runs, in the widest of their dtypes."""
    held = [r.properties[name] for r in runs if name in r.properties]
    dtype = max((h.dtype for h in held), key=lambda d: d.itemsize)
    parts = []
    for run in runs:
        values = run.properties.get(name)
        if values is None:
            shape = (len(run), *held[0].shape[1:])
            parts.append(np.full(shape, absent_value(dtype), dtype=dtype))
        else:
            parts.append(values if values.dtype == dtype else widen(values, dtype))
    return np.concatenate(parts)


class Tail:
    """A run that still grows at its end: buffers with room, appended to by the writer alone."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self._room = len(run)
        self._profiles = run.profiles
        self._times = run.times_us
        self._properties = dict(run.properties)

    def accepts(self, first_us: int, rows: int) -> bool:
        """Whether a batch that starts at `first_us` may go at the end."""
        n = len(self.run)
        return n + rows <= SEALED_ROWS and (n == 0 or first_us >= int(self.run.times_us[-1]))

    def append(self, batch: Run) -> Run:
        """The run with a batch (newer in time and in arrival) at its end. Earlier views stay as they were."""
        old, n = self.run, len(self.run)
        total = n + len(batch)
        if total > self._room:
            self._room = min(SEALED_ROWS, max(2 * self._room, total, 1024))
            self._profiles = _grown(self._profiles, n, self._room)
            self._times = _grown(self._times, n, self._room)
            self._properties = {k: _grown(v, n, self._room) for k, v in self._properties.items()}
        self._profiles[n:total] = batch.profiles
        self._times[n:total] = batch.times_us
        for name in batch.properties.keys() | self._properties.keys():
            self._append_property(name, batch, n, total)
        self.run = Run(
            self._profiles[:total],
            self._times[:total],
            {name: buffer[:total] for name, buffer in self._properties.items()},
            np.concatenate([old.arrival_starts, batch.arrival_starts + n]),
            np.concatenate([old.arrival_batches, batch.arrival_batches]),
            old.permutations,
            old.postings,
        )
        return self.run

    def _append_property(self, name: str, batch: Run, n: int, total: int) -> None:
        buffer, values = self._properties.get(name), batch.properties.get(name)
        if values is None:
            assert buffer is not None
            buffer[n:total] = absent_value(buffer.dtype)
            return
        if buffer is None:
            buffer = np.full((self._room, *values.shape[1:]), absent_value(values.dtype), dtype=values.dtype)
        if values.dtype.itemsize > buffer.dtype.itemsize:
            buffer = widen(buffer, values.dtype)
        elif values.dtype != buffer.dtype:
            values = widen(values, buffer.dtype)
        buffer[n:total] = values
        self._properties[name] = buffer


def _grown(buffer: Stored, used: int, room: int) -> Stored:
    grown = np.zeros((room, *buffer.shape[1:]), dtype=buffer.dtype)
    grown[:used] = buffer[:used]
    return grown


def stored_narrow(values: Stored) -> Stored:
    """Property values in the narrowest dtype that holds them."""
    if values.dtype.kind == "f":
        return values
    absent = absent_value(values.dtype)
    least = np.dtype("int8") if values.dtype.kind == "i" else np.dtype("uint8")
    low, high = extent(values, values.dtype.type(absent))
    dtype = narrowest_between(least, low, high) if low <= high else least
    if dtype == values.dtype:
        return values
    if dtype.kind == "u":
        return values.astype(dtype)
    gone = values == absent
    out = np.where(gone, 0, values).astype(dtype)
    out[gone] = absent_value(dtype)
    return out
