"""Answers about live segments: read from what is kept, all of one version, at the now that it is true for.

No column is touched and nothing evaluated: a size is a number that is there, a membership a bit in a profile's row.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from headcount_engine import bitmaps
from headcount_engine.asking import NEED_NOTHING, Asker
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.tree import Condition, InSegment
from headcount_engine.errors import LimitExceeded, StoreReadOnly
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.admission import admit_texts
from headcount_engine.ingest.commit import Gate, Writer
from headcount_engine.membership.catalogue import Catalogue
from headcount_engine.membership.live import LiveSegments
from headcount_engine.model.answers import (
    CheckAnswer,
    CheckManyAnswer,
    CountAnswer,
    MembersAnswer,
    MembershipsAnswer,
    Need,
    RowsAnswer,
)
from headcount_engine.model.batches import I64, Mask, Texts
from headcount_engine.read_view import find_people

TICK_US = 250_000
"""How far the clock may be ahead of live answers before a read brings them up to it."""
ROWS_MAX = 1_000
"""Rows of a write that can be answered with the segments they led to; it is for a visit, not for a load."""
_ANSWERS_MAX = 1 << 15
"""Memberships that are read under the gate at once, for which writers wait some 0.3 ms; more are evaluated."""
_LOOKUPS_FREE = 2
"""How often keys are looked up without holding up writers."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveSets:
    """The members of several segments, of one version; `ids_end`: all ids are below, `total`: everybody."""

    sets: tuple[Bitmap, ...]
    ids_end: int
    total: int
    version: int
    now_us: int


class LiveReads:
    """Any thread. Every method gives None where a segment is not kept live, and has to be evaluated."""

    def __init__(
        self,
        live: LiveSegments,
        indexes: Indexes,
        catalogue: Catalogue,
        gate: Gate,
        writer: Writer,
        asker: Asker,
        tick_us: int = TICK_US,
    ) -> None:
        self._live = live
        self._indexes = indexes
        self._catalogue = catalogue
        self._gate = gate
        self._writer = writer
        self._asker = asker
        self._tick_us = tick_us

    def count(self, rule: Condition, need: Need = NEED_NOTHING) -> CountAnswer | None:
        """How many are in a segment."""
        started_ns = time.perf_counter_ns()
        id_ = self._id(rule)
        if id_ is None:
            return None
        self._reach(need)
        with self._gate.lock:
            size = self._live.size(id_)
            total = self._indexes.identities.view().count
            version, now_us = self._gate.version, self._gate.now_us
        if size is None:
            return None
        return CountAnswer(size, total, version, now_us, (time.perf_counter_ns() - started_ns) // 1_000, ())

    def members(self, rule: Condition, need: Need = NEED_NOTHING) -> MembersAnswer | None:
        """Who is in a segment."""
        started_ns = time.perf_counter_ns()
        id_ = self._id(rule)
        if id_ is None:
            return None
        self._reach(need)
        with self._gate.lock:
            held = self._live.members(id_)
            total = self._indexes.identities.view().count
            version, now_us = self._gate.version, self._gate.now_us
        if held is None:
            return None
        ids = bitmaps.to_ids(held)
        return MembersAnswer(ids, total, version, now_us, (time.perf_counter_ns() - started_ns) // 1_000, ())

    def sets(self, rules: Sequence[Condition], need: Need = NEED_NOTHING) -> LiveSets | None:
        """Who is in each of several segments."""
        ids = [id_ for rule in rules if (id_ := self._id(rule)) is not None]
        if len(ids) < len(rules):
            return None
        self._reach(need)
        for id_ in ids:  # What has waited since they were last asked for is not folded under the gate.
            if self._live.members(id_) is None:
                return None
        with self._gate.lock:
            held = tuple(members for id_ in ids if (members := self._live.members(id_)) is not None)
            people = self._indexes.identities.view()
            version, now_us = self._gate.version, self._gate.now_us
        return (
            LiveSets(held, people.ids_end, people.count, version, now_us) if len(held) == len(ids) else None
        )

    def check(self, key: str, rules: Sequence[Condition], need: Need = NEED_NOTHING) -> CheckAnswer | None:
        """Whether one profile is in each of several segments."""
        started_ns = time.perf_counter_ns()
        ids = [self._id(rule) for rule in rules]
        if None in ids:
            return None
        self._reach(need)
        with self._gate.lock:
            profile = self._find(key)
            held = [self._live.holds(max(profile, 0), id_) for id_ in ids if id_ is not None]
            version, now_us = self._gate.version, self._gate.now_us
        if None in held:
            return None
        answers = tuple(profile >= 0 and bool(is_in) for is_in in held)
        engine_us = (time.perf_counter_ns() - started_ns) // 1_000
        return CheckAnswer(profile >= 0, answers, version, now_us, engine_us)

    def check_many(
        self, people: Texts | I64, rules: Sequence[Condition], need: Need = NEED_NOTHING
    ) -> CheckManyAnswer | None:
        """Which profiles, by key or by dense id, are in each of several segments; None also for very many answers."""
        started_ns = time.perf_counter_ns()
        ids = [id_ for rule in rules if (id_ := self._id(rule)) is not None]
        if len(ids) < len(rules) or len(people) * len(ids) > _ANSWERS_MAX:
            return None
        self._reach(need)
        profiles, held, version, now_us = self._hold(people, ids)
        if held is None:
            return None
        engine_us = (time.perf_counter_ns() - started_ns) // 1_000
        return CheckManyAnswer(profiles >= 0, held, version, now_us, engine_us)

    def _hold(self, people: Texts | I64, ids: Sequence[str]) -> tuple[I64, Mask | None, int, int]:
        """(dense ids, who is in each segment, version, now), all of one version.

        Keys are looked up outside the gate, and once more where a writer passes it meanwhile: in the end, under it.
        """
        identities = self._indexes.identities
        for _ in range(_LOOKUPS_FREE):
            with self._gate.lock:
                population, version = identities.view(), self._gate.version
            profiles = find_people(identities, population, people)
            with self._gate.lock:
                if version == self._gate.version:
                    return profiles, self._live.hold(profiles, ids), version, self._gate.now_us
        with self._gate.lock:
            profiles = find_people(identities, identities.view(), people)
            return profiles, self._live.hold(profiles, ids), self._gate.version, self._gate.now_us

    def memberships(self, key: str, need: Need = NEED_NOTHING) -> MembershipsAnswer:
        """The live segments that one profile is in, drafts left out."""
        started_ns = time.perf_counter_ns()
        self._reach(need)
        with self._gate.lock:
            profile = self._find(key)
            held = self._live.memberships(profile) if profile >= 0 else []
            version, now_us = self._gate.version, self._gate.now_us
        engine_us = (time.perf_counter_ns() - started_ns) // 1_000
        return MembershipsAnswer(profile >= 0, tuple(held), version, now_us, engine_us)

    def memberships_of_rows(self, keys: Texts, need: Need = NEED_NOTHING) -> RowsAnswer:
        """The live segments of several profiles at one version: with the version of a write as `need`, where it led.

        That version or a newer one, if others wrote meanwhile. At most ROWS_MAX keys, or LimitExceeded.
        """
        if len(keys) > ROWS_MAX:
            raise LimitExceeded("rows whose segments are returned", ROWS_MAX, len(keys))
        self._reach(need)
        texts = keys.to_list()
        with self._gate.lock:
            held: dict[str, tuple[str, ...] | None] = {}
            for key in texts:
                if key not in held:
                    profile = self._find(key)
                    held[key] = tuple(self._live.memberships(profile)) if profile >= 0 else None
            version, now_us = self._gate.version, self._gate.now_us
        return RowsAnswer(tuple(held[key] for key in texts), version, now_us)

    def sizes(self, segments: Sequence[str]) -> tuple[list[int | None], int, int]:
        """(how many are in each of several segments, None for those not live; version; now), all at once."""
        self._reach(NEED_NOTHING)
        with self._gate.lock:
            found = [self._live.size(id_) for id_ in segments]
            return found, self._gate.version, self._gate.now_us

    def _id(self, rule: Condition) -> str | None:
        if not isinstance(rule, InSegment):
            return None
        return self._catalogue.id_of(rule.segment)

    def _find(self, key: str) -> int:
        """The dense id of a key as of now, -1 if nobody has it. Under the gate."""
        if not key.isascii():
            # A letter may have been written composed or not; ASCII has one way only.
            texts = Texts.of([key])
            key = admit_texts(texts, len(texts.data) + 1, as_key=True).texts.to_list()[0]
        identities = self._indexes.identities
        view = identities.view()
        profile = identities.find_one_in(view, key)
        return profile if profile >= 0 and profile in view.existing else -1

    def _reach(self, need: Need) -> None:
        """Bring what is kept to the present where the caller or the clock demands it."""
        if need is not NEED_NOTHING:
            self._asker.wait_for(need)
        now_us = self._asker.now_us()
        behind_us = now_us - self._gate.now_us
        wanted_us = need.min_now_us
        is_wanted = wanted_us is not None and self._gate.now_us < wanted_us
        if behind_us > self._tick_us or is_wanted:
            self.bring_up(is_required=is_wanted)

    def bring_up(self, *, is_required: bool = False) -> None:
        """Tick. A store that takes no more writes stays where it is, and is read as of then, unless more is required.

        Raises StoreReadOnly in that case.
        """
        try:
            self._writer.tick()
        except StoreReadOnly:
            if is_required:
                raise
