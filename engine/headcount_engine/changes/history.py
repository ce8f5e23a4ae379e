"""Sizes over time: how many joined and left each segment, minute by minute, and how large it was after each step.

Derived from the published changes alone. Minutes are kept for two days, then rolled up to hours, these after 62 days to
days, both of the workspace's zone, and kept for ever. An answer is exact or refused: a step may begin anywhere, in any
zone, as long as no row that is left straddles its edge.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from headcount_engine.changes.chunks import Entry
from headcount_engine.changes.tiers import Rows, Tier, joined_rows, rolled_up
from headcount_engine.errors import InvalidValue, LimitExceeded, OutOfRange, StoreDamaged
from headcount_engine.indexes.state import Plain
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.batches import I64
from headcount_engine.model.instants import (
    format_instant,
    local_date,
    local_days,
    local_times_us,
    start_of_day_us,
)

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
MINUTES_KEPT = 2 * 24 * 60
HOURS_KEPT = 62 * 24
STEPS_MAX = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Size, joins and leaves of one segment, step by step: i64 of n each.

    starts_us, ends_us  half-open steps that tile the range; the last one ends with the range
    sizes               at the end of each step
    """

    starts_us: I64
    ends_us: I64
    sizes: I64
    joined: I64
    left: I64

    def __len__(self) -> int:
        return len(self.starts_us)


def steps(start_us: int, end_us: int, step_us: int, zone: str) -> I64:
    """The edges of steps that cover start .. end: i64 of steps + 1, on whole minutes.

    Steps of whole days begin at midnights of the zone, and are 23 or 25 hours long where its clocks change. Shorter
    ones count from the midnight before `start_us`. Raises InvalidValue, LimitExceeded.
    """
    if step_us <= 0 or step_us % MINUTE_US:
        raise InvalidValue("a step is a whole number of minutes, and at least one", path="interval")
    if step_us > DAY_US and step_us % DAY_US:
        raise InvalidValue("a step of more than a day is a whole number of days", path="interval")
    if not INSTANT_MIN_US + DAY_US <= start_us < end_us <= INSTANT_MAX_US - DAY_US:
        raise InvalidValue("the range is empty, or leaves the years 1 to 9999", path="start_time")
    if (end_us - start_us) // step_us > STEPS_MAX:
        raise LimitExceeded("history_steps", STEPS_MAX, (end_us - start_us) // step_us)
    day = local_date(start_us, zone)
    midnight = start_of_day_us(day, zone)
    end_us = -(-end_us // MINUTE_US) * MINUTE_US
    if step_us < DAY_US:
        first = midnight + (start_us - midnight) // step_us * step_us
        edges = np.arange(first, end_us, step_us, dtype=np.int64)
    else:
        found = []
        while midnight < end_us:
            found.append(midnight)
            day += dt.timedelta(days=step_us // DAY_US)
            midnight = start_of_day_us(day, zone)
        edges = np.array(found, dtype=np.int64)
    # Offsets of the nineteenth century have seconds; rows have not.
    return np.append(edges // MINUTE_US * MINUTE_US, np.int64(end_us))


class HistoryStore:
    """Histories of all segments. Any thread."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._lock = threading.Lock()
        self._numbers: dict[str, int] = {}
        self._count = 0
        self._initial: dict[int, int] = {}
        self._minute = -(1 << 62)
        self._open: I64 = np.zeros((64, 2), dtype=np.int64)
        """Of the minute under way: how many joined and left, by number."""
        self._minutes, self._hours, self._days = Tier(), Tier(), Tier()
        self._hours_from = self._days_from = -(1 << 62)

    # ---------------------------------------------------------------------------------------------- writing

    def fold(self, entries: Iterable[Entry]) -> int:
        """Count the changes of versions, in their order; how many. One look-up for each segment that changed."""
        total = 0
        with self._lock:
            for entry in entries:
                minute = entry.now_us // MINUTE_US
                if minute > self._minute:
                    self._close_minute(minute)
                total += self._count_in(entry)
                self._drop(entry.removed)
        return total

    def _count_in(self, entry: Entry) -> int:
        flips = entry.flips
        known = self._numbers
        numbers = [known[f.segment] if f.segment in known else self._enter(f.segment) for f in flips]
        joined, left = [len(f.joined) for f in flips], [len(f.left) for f in flips]
        np.add.at(self._open, numbers, np.array([joined, left], dtype=np.int64).reshape(2, -1).T)
        return sum(joined) + sum(left)

    def begin(self, segment: str, size: int) -> None:
        """Say how large a segment was before its first change; where nothing is said, it was empty."""
        with self._lock:
            number = self._numbers.get(segment)
            if number is None:
                self._initial[self._enter(segment)] = size

    def _enter(self, segment: str) -> int:
        number = self._numbers[segment] = self._count
        self._count += 1
        if self._count > len(self._open):
            self._open = np.concatenate([self._open, np.zeros_like(self._open)])
        return number

    def _drop(self, segments: Sequence[str]) -> None:
        gone = [number for s in segments if (number := self._numbers.pop(s, None)) is not None]
        if not gone:
            return
        for number in gone:
            self._open[number] = 0
            self._initial.pop(number, None)
        for tier in (self._minutes, self._hours, self._days):
            tier.drop(gone)

    def _close_minute(self, minute: int) -> None:
        """Put away the open minute; with every hour of the zone that it leaves, roll up what is old."""
        self._minutes.append(self._open_rows())
        self._open[:] = 0
        self._minute = minute
        if minute - MINUTES_KEPT < self._hours_from + 60:
            return
        hour_start = self._period_start(minute - MINUTES_KEPT, 60)
        if hour_start > self._hours_from:
            self._hours_from = hour_start
            old = self._minutes.take_before(hour_start)
            self._hours.append(rolled_up(old, self._hours_of(old.first)))
            day_start = self._period_start(minute - HOURS_KEPT * 60, 24 * 60)
            if day_start > self._days_from:
                self._days_from = day_start
                old = self._hours.take_before(day_start)
                self._days.append(rolled_up(old, local_days(old.first * MINUTE_US, self._zone)))

    def _period_start(self, minute: int, minutes: int) -> int:
        """The first minute of the hour or day of the zone that a minute lies in."""
        us = max(minute * MINUTE_US, INSTANT_MIN_US + 2 * DAY_US)
        if minutes == 24 * 60:
            return start_of_day_us(local_date(us, self._zone), self._zone) // MINUTE_US
        shown = int(local_times_us(np.array([us], dtype=np.int64), self._zone)[0]) // MINUTE_US
        return us // MINUTE_US - shown % minutes

    def _hours_of(self, minutes: I64) -> I64:
        """The hour of the zone that each minute lies in; where clocks go back, both hours of one name are apart."""
        times = minutes * MINUTE_US
        shown = local_times_us(times, self._zone)
        is_shifted = shown - times != np.max(shown - times, initial=-DAY_US)
        hours: I64 = 2 * (shown // (60 * MINUTE_US)) + is_shifted
        return hours

    def _open_rows(self) -> Rows:
        numbers = np.flatnonzero(self._open.any(axis=1))
        counts = self._open[numbers]
        return Rows(
            numbers.astype(np.uint32),
            np.full(len(numbers), self._minute, dtype=np.int64),
            np.zeros(len(numbers), dtype=np.uint16),
            counts[:, 0].astype(np.uint32),
            counts[:, 1].astype(np.uint32),
        )

    # ---------------------------------------------------------------------------------------------- reading

    def series(self, segment: str, edges: I64) -> History:
        """One segment between edges as `steps` gives them; raises OutOfRange where less detail is kept.

        A segment that never changed was always as large as at its beginning.
        """
        with self._lock:
            number = self._numbers.get(segment)
            if number is None:
                return _series(joined_rows([]), 0, edges)
            tiers = [tier.of(number) for tier in (self._days, self._hours, self._minutes)]
            rows = self._open_rows()
            rows = joined_rows([*tiers, rows.at(rows.segment == number)])
            return _series(rows, self._initial.get(number, 0), edges)

    def sizes(self) -> dict[str, int]:
        """How large each segment is by its changes: what its members must agree with."""
        with self._lock:
            parts = [joined_rows(list(tier.parts)) for tier in (self._days, self._hours, self._minutes)]
            rows = joined_rows([*parts, self._open_rows()])
            totals = np.zeros(self._count, dtype=np.int64)
            np.add.at(totals, rows.segment, rows.joined.astype(np.int64) - rows.left)
            return {s: int(totals[n]) + self._initial.get(n, 0) for s, n in self._numbers.items()}

    @property
    def nbytes(self) -> int:
        with self._lock:
            return self._minutes.nbytes + self._hours.nbytes + self._days.nbytes

    # ------------------------------------------------------------------------------------- to disk and back

    def capture(self) -> Plain:
        """Everything, sharing memory that never changes."""
        with self._lock:
            numbers: list[Plain] = [
                [name, number, self._initial.get(number, 0)] for name, number in self._numbers.items()
            ]
            edges = [self._minute, self._hours_from, self._days_from]
            tiers = [tier.capture() for tier in (self._minutes, self._hours, self._days)]
            return [self._count, numbers, edges, cast("Plain", self._open_rows().plain()), tiers]

    def restore(self, plain: Plain) -> None:
        """Take what was captured; raises StoreDamaged."""
        count, numbers, edges, open_rows, tiers = cast(
            "tuple[int, list[tuple[str, int, int]], tuple[int, int, int], list[I64], list[Plain]]", plain
        )
        if any(not 0 <= number < count for _, number, _ in numbers) or len(tiers) != 3:
            raise StoreDamaged("a history of segments that it does not name")
        rows = Rows.restore(open_rows)
        with self._lock:
            self._count = count
            self._numbers = {name: number for name, number, _ in numbers}
            self._initial = {number: size for _, number, size in numbers if size}
            self._minute, self._hours_from, self._days_from = edges
            self._open = np.zeros((max(64, 2 * count), 2), dtype=np.int64)
            self._open[rows.segment, 0], self._open[rows.segment, 1] = rows.joined, rows.left
            for tier, captured in zip((self._minutes, self._hours, self._days), tiers, strict=True):
                tier.restore(captured)


def _series(rows: Rows, initial: int, edges: I64) -> History:
    first_us = rows.first * MINUTE_US
    step = np.searchsorted(edges, first_us, side="right") - 1
    last_step = np.searchsorted(edges, first_us + rows.span.astype(np.int64) * MINUTE_US, side="right") - 1
    straddles = (step != last_step) & (last_step >= 0) & (step < len(edges) - 1)
    if bool(straddles.any()):
        newest = int((first_us + rows.span * np.int64(MINUTE_US))[straddles].max())
        raise OutOfRange(
            f"the history up to {format_instant(newest)} is no longer kept in such short steps: minutes are kept for "
            "two days, hours of the workspace's zone for 62 days, its days for ever"
        )
    count = len(edges) - 1
    inside = (step >= 0) & (step < count)
    joined = np.bincount(step[inside], rows.joined[inside], count).astype(np.int64)
    left = np.bincount(step[inside], rows.left[inside], count).astype(np.int64)
    before = step < 0
    size = initial + int(rows.joined[before].sum(dtype=np.int64)) - int(rows.left[before].sum(dtype=np.int64))
    return History(edges[:-1], edges[1:], size + np.cumsum(joined - left), joined, left)
