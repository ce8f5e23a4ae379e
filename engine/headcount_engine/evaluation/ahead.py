"""What the clock alone will make of a rule about one profile, retention included.

Retention is history: whether a profile stays in a segment at an instant hangs on when its rule last ceased to hold, and
that may lie ahead. So the clock is taken from now on through every instant at which anything may change, in order, and
who ceases to match on the way is noted. The end of such a stay is one more instant to look at.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from headcount_engine import bitmaps
from headcount_engine.bitmaps import EMPTY, Bitmap
from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.needs import Definitions, Meaning, is_timeless, meanings_of, rules_read
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Condition, Rank, walk
from headcount_engine.evaluation.execute import Execution
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.evaluation.own_turns import OwnTurns
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.answers import Deadline


class Ahead:
    """One rule and one existing profile, from one moment on."""

    def __init__(
        self,
        view: ReadView,
        profile: int,
        rule: Condition,
        moment: Moment,
        present_us: int,
        definitions: Definitions,
        deadline: Deadline,
    ) -> None:
        """`present_us`: the version's own now, as of which it is known who stays by a retention."""
        self._rule = rule
        self._moment = moment
        self._deadline = deadline
        meanings = meanings_of(rule, definitions)
        self._keeps = any(meaning.retention_us for meaning in meanings)
        self._start_us = present_us if self._keeps else moment.now_us
        self._hangs_on_others = any(
            isinstance(node, Rank)
            and node.within is not None
            and not is_timeless(node.within, meanings_of(node.within, definitions))
            for part in rules_read(rule, meanings)
            for node in walk(part)
        )
        self._course = _Course(view, profile, definitions, deadline)
        self._own = OwnTurns(view, profile, replace(moment, now_us=self._start_us), definitions)

    def next_flip(self, holds: bool, turns_max: int) -> tuple[int | None, bool]:
        """(the first instant after the moment at which the clock alone changes the answer, whether that is certain).

        `holds`: the answer at the moment. Not certain where more than `turns_max` instants would have to be looked at,
        where whom a retention kept at an instant of the past plays a part, and where the clock changes the answer
        about others first, as in a rank inside a rule. Raises DeadlineExceeded, Cancelled.
        """
        now_us = self._moment.now_us
        if self._hangs_on_others or now_us < self._start_us:
            return None, False
        is_told = True
        for looked, t_us in enumerate(self._instants()):
            if looked >= turns_max:
                return None, False
            held = self._look(t_us)
            if t_us <= now_us:
                is_told = held is holds
            elif not is_told:
                return None, False
            elif held is not holds:
                return t_us, True
        return None, is_told

    def kept_since_us(self, segment: str) -> int | None:
        """When the profile ceased to match a segment of the rule in which its retention alone keeps it, else None."""
        now_us = self._moment.now_us
        for t_us in self._instants():
            if t_us > now_us:
                break
            self._look(t_us)
        return self._course.kept_since_us(segment, now_us)

    def _instants(self) -> Iterator[int]:
        """Where to look, ascending: the start and the moment itself, where somebody may stay, and every turn."""
        pending = [t_us for t_us in set(self._own.of_rule(self._rule)) if t_us > self._start_us]
        if self._keeps:
            pending += [self._start_us, self._moment.now_us]
        heapq.heapify(pending)
        looked_us = None
        while pending:
            t_us = heapq.heappop(pending)
            if t_us != looked_us:
                looked_us = t_us
                yield t_us
                for end_us in self._course.ended_us():
                    heapq.heappush(pending, end_us)

    def _look(self, t_us: int) -> bool:
        self._deadline.check()
        return self._course.holds(self._rule, replace(self._moment, now_us=t_us))


class _Course:
    """The segments as they are for one profile while the clock goes on, looked at in ascending order."""

    def __init__(self, view: ReadView, profile: int, definitions: Definitions, deadline: Deadline) -> None:
        self._view = view
        self._profile = profile
        self._definitions = definitions
        self._set_of = Execution(view, deadline).set_of
        self._stays: dict[str, _Stay] = {}
        self._ends_us: list[int] = []
        self._looking: tuple[Binder, OneProfile] | None = None

    def holds(self, rule: Condition, moment: Moment) -> bool:
        """Whether the rule holds at a moment, none later than which has been looked at."""
        binder, one = self._looking = (
            Binder(self._view, moment, self),
            OneProfile(self._profile, self._set_of),
        )
        return one.holds(binder.bind(rule))

    def meaning(self, segment: str) -> Meaning:
        """As saved, but for who is kept: the profile, as the course has been so far."""
        meaning = self._definitions.meaning(segment)
        if not meaning.retention_us:
            return meaning
        stay = self._stays.get(meaning.id)
        if stay is None:
            stay = self._stays[meaning.id] = _Stay(self, self._profile, meaning)
        return replace(meaning, kept=stay)

    def satisfies(self, rule: Condition) -> bool:
        """Whether the rule of a segment holds at the instant that is looked at."""
        assert self._looking is not None
        binder, one = self._looking
        return one.holds(binder.bind_apart(rule))

    def begin(self, end_us: int) -> None:
        """A stay begins that will be over then."""
        self._ends_us.append(end_us)

    def ended_us(self) -> list[int]:
        """When the stays that began since this was last asked will be over."""
        ends_us, self._ends_us = self._ends_us, []
        return ends_us

    def kept_since_us(self, segment: str, now_us: int) -> int | None:
        stay = self._stays.get(self._definitions.meaning(segment).id)
        return None if stay is None else stay.kept_since_us(now_us)


class _Stay:
    """Whether one segment keeps the profile: since it ceased to match, for as long as the retention says."""

    def __init__(self, course: _Course, profile: int, meaning: Meaning) -> None:
        self._course = course
        self._profile = profile
        self._meaning = meaning
        self._matched = False
        self._ceased_us = None if meaning.kept is None else meaning.kept.since_us_of(profile)

    def at(self, now_us: int, retention_us: int) -> Bitmap:
        assert self._meaning.rule is not None
        if self._course.satisfies(self._meaning.rule):
            self._matched, self._ceased_us = True, None
        elif self._matched:
            self._matched, self._ceased_us = False, now_us
            self._course.begin(now_us + retention_us)
        return EMPTY if self.kept_since_us(now_us) is None else bitmaps.from_ids(np.array([self._profile]))

    def since_us_of(self, profile: int) -> int | None:
        return self._ceased_us if profile == self._profile else None

    def kept_since_us(self, now_us: int) -> int | None:
        since_us = self._ceased_us
        if since_us is None or not since_us <= now_us < since_us + self._meaning.retention_us:
            return None
        return since_us
