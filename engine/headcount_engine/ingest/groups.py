"""Writes that wait for one another share a commit, and with it a sync.

Each write enters a queue. The one at its head leads: when the writer's turn is its own, it takes what directly follows
and can be joined, commits that as one batch and one version, tells every other what became of its rows, and lets the
next head lead. So while one commit is being synced the next one gathers, and a write that meets nobody pays nothing.

What a write means does not depend on whom it met: a joined batch is committed only if no row of it is turned away. The
writes whose rows are, are committed alone, in their place.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from headcount_engine.errors import EngineError, OutcomeUnknown, StoreError
from headcount_engine.indexes.requests import Mark
from headcount_engine.ingest.commit import Writer
from headcount_engine.ingest.joining import Batch, Joining
from headcount_engine.ingest.once import Known, Once, Part, answer_lost
from headcount_engine.ingest.staging import Staged
from headcount_engine.model.batches import I64, Texts, WriteReceipt


@dataclass(slots=True, eq=False)
class _Waiting:
    """A write in the queue. `woken` is set when there is an outcome, or when it is its turn to lead."""

    batch: Batch
    part: Part | None = None
    woken: threading.Event = field(default_factory=threading.Event)
    outcome: WriteReceipt | BaseException | None = None


class _NotTogether(Exception):
    """The joined batch was not committed; `apart`: which of its writes must go alone."""

    def __init__(self, apart: Sequence[int]) -> None:
        super().__init__()
        self.apart = frozenset(apart)


class Groups:
    """Takes batches from any thread. Never called by a thread that holds the writer's turn."""

    def __init__(
        self,
        writer: Writer,
        stage: Callable[[Batch, int], Staged],
        find: Callable[[Texts], I64],
        once: Once,
    ) -> None:
        """`find`: the profile that each key leads to, -1 for none."""
        self._writer = writer
        self._stage = stage
        self._find = find
        self._once = once
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._taken = 0
        """How many at the head of the queue are being committed."""

    def write(self, batch: Batch, part: Part | None = None) -> WriteReceipt:
        """Return when the batch is committed, alone or with others. Raises what committing it alone raises.

        As a part of a request that was carried out it is not committed again; its receipt is that of then.
        """
        mine = _Waiting(batch, part)
        with self._lock:
            self._queue.append(mine)
            leads = self._queue[0] is mine
        if not leads:
            try:
                mine.woken.wait()
            except BaseException:
                self._leave(mine)
                raise
        if mine.outcome is None:
            self._lead()
        if isinstance(mine.outcome, WriteReceipt):
            return mine.outcome
        assert mine.outcome is not None
        raise mine.outcome

    def _lead(self) -> None:
        group: list[_Waiting] = []
        try:
            with self._writer.exclusively():
                group, joining = self._take()
                self._commit(group, joining)
        except BaseException as error:
            group = group or [self._queue[0]]
            group[0].outcome = error
            raise
        finally:
            with self._lock:
                for _ in group:
                    self._queue.popleft()
                self._taken = 0
                following = self._queue[0] if self._queue else None
            for each in group:
                each.outcome = each.outcome or OutcomeUnknown(
                    "the write was cut off while it shared a commit"
                )
                each.woken.set()
            if following is not None:
                following.woken.set()

    def _take(self) -> tuple[list[_Waiting], Joining | None]:
        """The head of the queue and what joins it; they stay in the queue until their outcome is known."""
        with self._lock:
            self._taken = 1
            waiting = list(self._queue)
            if len(waiting) == 1:
                return waiting, None
            joining = Joining(waiting[0].batch, self._find)
            for other in waiting[1:]:
                if not joining.takes(other.batch):
                    break
                self._taken += 1
            return waiting[: self._taken], joining

    def _leave(self, mine: _Waiting) -> None:
        """Its thread waits no longer. What is being committed stays; else it was never asked for."""
        with self._lock:
            place = self._queue.index(mine) if mine in self._queue else -1
            if place < self._taken:
                return
            self._queue.remove(mine)
            following = self._queue[0] if place == 0 and self._queue else None
        if following is not None:
            following.woken.set()

    def _commit(self, group: Sequence[_Waiting], joining: Joining | None = None) -> None:
        """Give every write of the group its outcome."""
        if len(group) == 1:
            group[0].outcome = self._alone(group[0])
            return
        try:
            receipts = self._together(group, joining)
        except _NotTogether as split:
            for part in _split(group, split.apart):
                self._commit(part)
            return
        except StoreError as error:
            for each in group:
                each.outcome = type(error)(error.message)
            return
        for each, receipt in zip(group, receipts, strict=True):
            each.outcome = receipt

    def _alone(self, one: _Waiting) -> WriteReceipt | Exception:
        def stage(now_us: int) -> Staged:
            self._once.check(one.part, now_us)
            staged = self._stage(one.batch, now_us)
            return staged if one.part is None else self._once.marked(one.part, staged, _whole(staged))

        try:
            return self._writer.commit(stage)
        except Known as known:
            return known.kept.receipt or answer_lost(known.kept)
        except Exception as error:  # noqa: BLE001 - raised again by the thread whose write it was
            return error

    def _together(self, group: Sequence[_Waiting], joining: Joining | None) -> list[WriteReceipt]:
        batches = [each.batch for each in group]
        if joining is None:
            joining = Joining(batches[0], self._find)
            if not all(joining.takes(batch) for batch in batches[1:]):
                raise _NotTogether(range(len(batches)))
        joined = joining.joined()
        ends = np.cumsum([len(batch) for batch in batches])
        shares: list[WriteReceipt] = []

        def stage(now_us: int) -> Staged:
            self._part_from_known(group, now_us)
            try:
                staged = self._stage(joined, now_us)
            except Exception as error:
                # Whatever is wrong is wrong with one of them, and that one is to hear of it.
                raise _NotTogether(range(len(batches))) from error
            if staged.rejected:
                rows = np.array([row.row for row in staged.rejected], dtype=np.int64)
                raise _NotTogether(np.searchsorted(ends, rows, side="right").tolist())
            shares.extend(_shares(staged, ends))
            marks = [
                Mark(each.part.request, each.part.number, share)
                for each, share in zip(group, shares, strict=True)
                if each.part is not None
            ]
            return replace(staged, requests=tuple(marks)) if marks else staged

        try:
            receipt = self._writer.commit(stage)
        except StoreError:
            raise
        except EngineError as error:
            # Refused by the log before anything was written, as one that is too large is.
            raise _NotTogether(range(len(batches))) from error
        return [replace(share, version=receipt.version, now_us=receipt.now_us) for share in shares]

    def _part_from_known(self, group: Sequence[_Waiting], now_us: int) -> None:
        """Parts that were carried out, or come twice, or under an id of another request, go alone."""
        apart, seen = [], set()
        for number, each in enumerate(group):
            if each.part is None:
                continue
            key = (each.part.request.text, each.part.number)
            try:
                self._once.check(each.part, now_us)
            except (Known, EngineError):
                apart.append(number)
            if key in seen:
                apart.append(number)
            seen.add(key)
        if apart:
            raise _NotTogether(apart)


def _split(group: Sequence[_Waiting], apart: frozenset[int]) -> list[list[_Waiting]]:
    """The group in order, each of `apart` by itself and the others still together."""
    parts: list[list[_Waiting]] = []
    is_closed = True
    for number, each in enumerate(group):
        if is_closed or number in apart:
            parts.append([])
        parts[-1].append(each)
        is_closed = number in apart
    return parts


def _whole(staged: Staged) -> WriteReceipt:
    """The receipt of a write that has a commit for itself; version and now are those of the commit."""
    return WriteReceipt(0, 0, staged.accepted, len(staged.creating_rows), staged.duplicates, staged.rejected)


def _shares(staged: Staged, ends: I64) -> list[WriteReceipt]:
    """The receipt of each write of a commit in which no row was turned away, but for version and now."""
    starts = np.append(0, ends[:-1])
    created = _in_each(staged.creating_rows, starts, ends)
    repeats = _in_each(staged.repeated_rows, starts, ends)
    accepted = ends - starts - repeats
    return [
        WriteReceipt(0, 0, *counts)
        for counts in zip(accepted.tolist(), created.tolist(), repeats.tolist(), strict=True)
    ]


def _in_each(rows: I64, starts: I64, ends: I64) -> I64:
    """How many of the ascending rows lie in each range."""
    counts: I64 = np.searchsorted(rows, ends) - np.searchsorted(rows, starts)
    return counts
