"""Ends of windows followed through runs: a run is left alone exactly as long as no end can meet an event of it."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from headcount_engine.atoms.touches import Follower, Touches, TypePlan
from headcount_engine.conditions.spans import Span
from headcount_engine.indexes.runs import Run, run_of_batch
from headcount_engine.model.batches import I64


class Noted:
    """In the place of Touches and of a plan for three windows: (window, step, time) of every event that crossed."""

    used_windows = frozenset({0, 1, 2})

    def __init__(self) -> None:
        self.steps: list[tuple[int, int, int]] = []

    def cross(self, plan: object, run: Run, start: int, end: int, window: int, step: int) -> None:
        self.steps += [(window, step, int(t)) for t in run.times_us[start:end]]


class Searched:
    """A run that tells whether its times were looked at."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.quiet, self.ends, self.is_searched = run.quiet, run.ends, False

    def __len__(self) -> int:
        return len(self._run)

    @property
    def times_us(self) -> I64:
        self.is_searched = True
        return self._run.times_us


def run_at(times: list[int]) -> Run:
    held = np.array(sorted(times), dtype=np.int64)
    return run_of_batch(np.zeros(len(held), dtype=np.uint32), held, {}, 0)


def spans_at(now: int, lengths: tuple[int, ...]) -> tuple[Span, ...]:
    return tuple(Span(now - length, now) for length in lengths)


@pytest.mark.parametrize("seed", range(30))
def test_every_crossing_is_noted_once_however_the_clock_steps(seed: int) -> None:
    random = np.random.default_rng(seed)
    lengths, now = (7, 20, 50), 100
    runs = [run_at(random.integers(0, 300, n).tolist()) for n in (1, 4, 12)]
    follower, before = Follower(), spans_at(now, lengths)
    for _ in range(60):
        now += int(random.integers(0, 6))
        after, noted = spans_at(now, lengths), Noted()
        moves = follower.step(before, after)
        if moves is not None:
            follower.cross(cast("Touches", noted), cast("TypePlan", noted), runs, moves)
        wanted = []
        for window, (old, new) in enumerate(zip(before, after, strict=True)):
            for time in (int(t) for run in runs for t in run.times_us):
                step = (new.first <= time <= new.last) - (old.first <= time <= old.last)
                wanted += [(window, step, time)] if step else []
        assert sorted(noted.steps) == sorted(wanted)
        before = after


def test_a_run_is_not_looked_at_before_an_end_can_have_reached_it() -> None:
    follower, run = Follower(), run_at([0, 150])
    before = spans_at(100, (10,))
    for now, is_searched in ((101, True), (149, False), (150, True)):
        searched = Searched(run)
        noted, after = Noted(), spans_at(now, (10,))
        moves = follower.step(before, after)
        assert moves is not None
        follower.cross(cast("Touches", noted), cast("TypePlan", noted), [cast("Run", searched)], moves)
        assert searched.is_searched is is_searched
        assert noted.steps == ([(0, 1, 150)] if now == 150 else [])
        before = after


def test_other_windows_are_not_trusted_to_the_notes_of_the_old() -> None:
    run, follower = run_at([0, 150]), Follower()
    moves = follower.step(spans_at(100, (10,)), spans_at(101, (10,)))
    assert moves is not None
    follower.cross(cast("Touches", Noted()), cast("TypePlan", Noted()), [run], moves)
    follower.forget()
    noted = Noted()
    moves = follower.step((Span(91, 148),), (Span(91, 150),))
    assert moves is not None
    follower.cross(cast("Touches", noted), cast("TypePlan", noted), [run], moves)
    assert noted.steps == [(0, 1, 150)]
