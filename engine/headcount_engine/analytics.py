"""Questions about many members at once: overlaps of segments, breakdowns, what members have in common."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Sequence

from headcount_engine.asking import NEED_NOTHING, Asker, At, Rule
from headcount_engine.audiences import affinity, breakdown, overlap
from headcount_engine.audiences.affinity import Looking
from headcount_engine.audiences.preview import Page, Shown, preview
from headcount_engine.bitmaps import Bitmap
from headcount_engine.conditions.needs import IDENTIFIERS
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import Condition, InSegment
from headcount_engine.errors import InvalidArgument, LimitExceeded
from headcount_engine.evaluation.answer import Question
from headcount_engine.indexes.store import Indexes
from headcount_engine.limits import Limits
from headcount_engine.live_reads import LiveReads
from headcount_engine.model.analytics import (
    AffinityAnswer,
    Belonging,
    BreakdownAnswer,
    By,
    ByAttribute,
    ByBelonging,
    OverlapAnswer,
)
from headcount_engine.model.answers import Need, ProfileAnswer
from headcount_engine.model.schema import CHANNELS, TAGS

_SETS = {Belonging.TAGS: TAGS, Belonging.CHANNELS: CHANNELS}
_LOOK_EVERYWHERE = Looking()


class Analytics:
    """Asks of one database. Any thread, any number at a time."""

    def __init__(
        self,
        indexes: Indexes,
        segment_ids: Callable[[], Sequence[str]],
        asker: Asker,
        live_reads: LiveReads,
        limits: Limits,
    ) -> None:
        """`segment_ids`: the segments that breakdowns by segment are about."""
        self._live_reads = live_reads
        self._indexes = indexes
        self._segment_ids = segment_ids
        self._asker = asker
        self._limits = limits

    def overlap(
        self, rules: Sequence[Rule], *, at_us: int | None = None, need: Need = NEED_NOTHING
    ) -> OverlapAnswer:
        """The sizes of all pairwise intersections, exactly. Raises InvalidRule, LimitExceeded."""
        if len(rules) > self._limits.overlap_rules:
            raise LimitExceeded("overlap_rules", self._limits.overlap_rules, len(rules))
        if at_us is None:
            live = self._overlap_of_live([self._asker.prepared(rule).condition for rule in rules], need)
            if live is not None:
                return live

        def ask(question: Question, conditions: list[Condition], at: At) -> OverlapAnswer:
            sizes, warnings = overlap.overlap(question, conditions)
            texts = tuple(to_text(condition) for condition in conditions)
            total = question.view.population.count
            return OverlapAnswer(
                texts, sizes, total, at.version, at.now_us, at.engine_us(), tuple(dict.fromkeys(warnings))
            )

        return self._asker.ask(rules, at_us, need, ask)

    def _overlap_of_live(self, segments: Sequence[Condition], need: Need) -> OverlapAnswer | None:
        """Of segments that are kept live, by the members that are kept; None if one is not."""
        started_ns = time.perf_counter_ns()
        live = self._live_reads.sets(segments, need)
        if live is None:
            return None
        sizes = overlap.intersections(live.sets, live.ids_end, need.deadline)
        texts = tuple(to_text(segment) for segment in segments)
        engine_us = (time.perf_counter_ns() - started_ns) // 1_000
        return OverlapAnswer(texts, sizes, live.total, live.version, live.now_us, engine_us)

    def breakdown(
        self,
        rule: Rule,
        by: Sequence[By],
        *,
        beside: Sequence[Rule] = (),
        shown: Shown = Shown(0),  # noqa: B008 - frozen
        at_us: int | None = None,
        need: Need = NEED_NOTHING,
    ) -> BreakdownAnswer:
        """The members of a rule by value, range, step or event, and how many the rules `beside` share with it.

        `shown`: the first members too, of the same version. Raises InvalidRule, InvalidArgument, LimitExceeded.
        """
        if shown.size > self._limits.preview_rows:
            raise LimitExceeded("preview_rows", self._limits.preview_rows, shown.size)
        if len(beside) > self._limits.overlap_rules:
            raise LimitExceeded("overlap_rules", self._limits.overlap_rules, len(beside))
        ids = self._segments(by)
        names = [one.name for one in by if isinstance(one, ByAttribute)]
        names += [_SETS[one.what] for one in by if isinstance(one, ByBelonging) and one.what in _SETS]
        shown_names = [unicodedata.normalize("NFC", name) for name in shown.attributes]
        if shown.size:
            shown_names = shown_names or sorted(self._indexes.attributes.all())
            names += [*shown_names, TAGS, CHANNELS, IDENTIFIERS]

        def ask(question: Question, conditions: list[Condition], at: At) -> BreakdownAnswer:
            binder, execution = question.binder(), question.execution()
            members = execution.members(execution.plan(binder.bind(conditions[0])))
            others = [
                execution.members(execution.plan(binder.bind(c))) for c in conditions[1 : 1 + len(beside)]
            ]
            shared = tuple((len(other), members.intersection_cardinality(other)) for other in others)
            segments = dict(zip(ids, conditions[1 + len(beside) :], strict=True))
            found, more = breakdown.breakdowns(question, members, by, segments, execution)
            warnings = tuple(dict.fromkeys((*binder.warnings, *more)))
            page = _page(question, members, shown, shown_names, at.now_us)
            size, total = len(members), question.view.population.count
            return BreakdownAnswer(
                found, shared, size, total, at.version, at.now_us, at.engine_us(), warnings, page
            )

        return self._asker.ask([rule, *beside, *map(InSegment, ids)], at_us, need, ask, names)

    def _segments(self, by: Sequence[By]) -> Sequence[str]:
        wants_them = any(isinstance(one, ByBelonging) and one.what is Belonging.SEGMENTS for one in by)
        return sorted(self._segment_ids()) if wants_them else ()

    def affinity(
        self,
        rule: Rule,
        looking: Looking = _LOOK_EVERYWHERE,
        *,
        at_us: int | None = None,
        need: Need = NEED_NOTHING,
    ) -> AffinityAnswer:
        """What the members of a rule have more often than everyone, and who else has much of it."""
        names = sorted(self._indexes.attributes.all())

        def ask(question: Question, conditions: list[Condition], at: At) -> AffinityAnswer:
            shown = [name for name in names if not name.startswith("$")]
            size, traits, alike, warnings = affinity.affinity(question, conditions[0], shown, looking)
            return AffinityAnswer(
                traits,
                alike,
                size,
                question.view.population.count,
                at.version,
                at.now_us,
                at.engine_us(),
                tuple(dict.fromkeys(warnings)),
            )

        return self._asker.ask([rule], at_us, need, ask, names)


def _page(
    question: Question, members: Bitmap, shown: Shown, names: Sequence[str], now_us: int
) -> tuple[ProfileAnswer, ...]:
    if not shown.size:
        return ()
    try:
        return preview(question.view, members, Page(), shown.size, names, now_us)[0]
    except InvalidArgument as error:
        raise InvalidArgument(error.message, path=f"member_{error.path}") from error
