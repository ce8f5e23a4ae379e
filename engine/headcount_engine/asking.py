"""How a question is put: read the rule, wait for what the caller has seen, pin one version, evaluate at one now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from headcount_engine.clock import Clock
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Condition
from headcount_engine.errors import InvalidArgument, OutOfRange
from headcount_engine.evaluation.answer import Question
from headcount_engine.evaluation.prepare import Prepared, PreparedRules
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.commit import Gate
from headcount_engine.limits import Limits
from headcount_engine.logic.notes import Notes
from headcount_engine.membership.catalogue import Catalogue
from headcount_engine.model.answers import Need
from headcount_engine.model.instants import checked_instant_us
from headcount_engine.model.values import ValueType
from headcount_engine.model.workspace import Workspace
from headcount_engine.read_view import PinnedView

Rule = str | Condition
"""A rule as text or as a tree; a segment is `InSegment(name)`."""

Answer = TypeVar("Answer")
NEED_NOTHING = Need()
_VERSIONS_AHEAD_MAX = 1_000_000
"""A version further ahead is that of another store, and not worth waiting for."""
_TELLING_S = 0.05
"""Before the deadline of a caller who waits for a version: time to tell it that the version did not come."""


@dataclass(frozen=True, slots=True)
class At:
    """What an ad-hoc answer was computed at."""

    version: int
    now_us: int
    started_ns: int

    def engine_us(self) -> int:
        return (time.perf_counter_ns() - self.started_ns) // 1_000


class DeclaredTypes:
    """What proofs need to know of the schema: types as last published."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def attribute(self, name: str) -> ValueType | None:
        held = self._indexes.attributes.get(name)
        return None if held is None else held.definition.type

    def event_property(self, event: str, name: str) -> ValueType | None:
        held = self._indexes.events.types.get(event)
        return None if held is None else held.view().properties.get(name)


class Asker:
    """Puts questions. Any thread, any number at a time."""

    def __init__(
        self,
        indexes: Indexes,
        catalogue: Catalogue,
        gate: Gate,
        clock: Clock,
        workspace: Workspace,
        limits: Limits,
    ) -> None:
        self._indexes = indexes
        self._catalogue = catalogue
        self._gate = gate
        self._clock = clock
        self._workspace = workspace
        self._rules = PreparedRules(limits)
        self._notes = Notes(DeclaredTypes(indexes))
        self._tick: Callable[[], object] = lambda: None

    def after_ticks(self, tick: Callable[[], object]) -> None:
        """Whoever is kept in a segment for a while is known as of the last tick only: `tick` brings that up to now."""
        self._tick = tick

    def go_on(self, clock: Clock) -> None:
        """From here on now is what this clock says."""
        self._clock = clock

    def now_us(self) -> int:
        """The present: never before the last version's."""
        return max(self._clock.now_us(), self._gate.now_us)

    def prepared(self, rule: Rule) -> Prepared:
        """The rule, read and checked; one asked lately is at hand. Raises InvalidRule, LimitExceeded."""
        return self._rules.get(rule, self._catalogue, self._catalogue.revision)

    def notes(self, rule: Condition) -> tuple[str, ...]:
        """What is to be said of a rule whatever the data; looked at once, and kept. Raises UnknownName."""
        settings = self._workspace.settings
        calendar = Moment(0, settings.default_zone, settings.week_starts_on)
        return self._notes.of(rule, self._catalogue, self._catalogue.revision, calendar)

    def notes_of(self, prepared: Prepared) -> tuple[str, ...]:
        """The same of a rule that is at hand: after the first time without looking at it."""
        zone = self._workspace.settings.default_zone
        held = prepared.notes
        if held is None or held[0] != zone:
            held = prepared.notes = zone, self.notes(prepared.condition)
        return held[1]

    def ask(
        self,
        rules: Sequence[Rule],
        at_us: int | None,
        need: Need,
        ask: Callable[[Question, list[Condition], At], Answer],
        attributes: Sequence[str] = (),
        *,
        now_us: int | None = None,
    ) -> Answer:
        """Pin what the rules and `attributes` read and put the question to evaluation.

        `at_us` asks at another instant; `now_us` is the present where the caller has one already, such as that of the
        commit it is staging, which ticks have reached. Rules about segments with a retention are asked after a tick,
        and at the now of the version: in between nobody knows who ceased to match.
        """
        started_ns = time.perf_counter_ns()
        self.wait_for(need)
        while True:
            prepared = [self.prepared(rule) for rule in rules]
            is_kept = now_us is None and any(p.reads_retention for p in prepared)
            if is_kept:
                self._tick()
            names = set(attributes).union(*(p.names for p in prepared))
            with PinnedView(self._indexes, self._gate, names, self._catalogue) as view:
                if any(p.revision != view.segments.revision for p in prepared):
                    continue  # a segment was edited in between, and with it what had to be pinned
                present_us = view.now_us if is_kept else now_us
                moment = self._moment(view, at_us, present_us)
                asked_from_us = None if at_us is None else view.now_us
                question = Question(view, moment, view.segments, need.deadline, asked_from_us)
                try:
                    return ask(
                        question, [p.condition for p in prepared], At(view.version, moment.now_us, started_ns)
                    )
                except OverflowError as error:
                    raise InvalidArgument(
                        "a window of the rule leaves the years 1 to 9999", path="at"
                    ) from error

    def _moment(self, view: PinnedView, at_us: int | None, now_us: int | None) -> Moment:
        if at_us is not None:
            instant_us = checked_instant_us(at_us, "at")
        else:
            instant_us = max(self.now_us() if now_us is None else now_us, view.now_us)
        settings = self._workspace.settings
        return Moment(instant_us, settings.default_zone, settings.week_starts_on, settings.opt_out_topics)

    def wait_for(self, need: Need) -> None:
        """Wait for a version or a clock that the answer must have reached.

        Acknowledged versions are visible already: one that is ahead comes with a write under way, or never. It is
        waited for until shortly before the deadline, and without a deadline not at all. Raises OutOfRange.
        """
        need.deadline.check()
        ends_at = (need.deadline.at_monotonic or 0.0) - _TELLING_S
        while need.min_version > self._gate.version:
            if need.min_version > self._gate.version + _VERSIONS_AHEAD_MAX or time.monotonic() > ends_at:
                raise OutOfRange(f"version {need.min_version} has not been written yet")
            need.deadline.check()
            time.sleep(0.001)
        while need.min_now_us is not None and self.now_us() < need.min_now_us:
            if need.min_now_us - self.now_us() > 60_000_000:
                raise OutOfRange("min_now is more than a minute ahead of the clock")
            need.deadline.check()
            time.sleep(0.001)
