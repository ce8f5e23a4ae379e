"""Why in, why out, and until when: the one-profile path with every answer recorded."""

from __future__ import annotations

from headcount_engine.conditions.bound import (
    And,
    Bound,
    ColumnTest,
    Complement,
    CountOf,
    EventCount,
    EventDays,
    EventDistinct,
    EventSum,
    Or,
)
from headcount_engine.conditions.needs import Meaning
from headcount_engine.conditions.text import to_text
from headcount_engine.conditions.tree import (
    AllOf,
    AnyOf,
    AtLeast,
    AttributeLeaf,
    Condition,
    Exactly,
    Frequency,
    Function,
    InSegment,
    Known,
    NoneOf,
    Not,
)
from headcount_engine.evaluation.ahead import Ahead
from headcount_engine.evaluation.answer import Question
from headcount_engine.evaluation.decisive import Decisive
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.model.answers import Explanation, Measured
from headcount_engine.model.values import Cell, Instant

_TURNS_MAX = 20_000
"""Instants tried for the next flip; past them the answer says that it does not know."""
_NODE_TURNS_MAX = 500
"""The same for a single node of the rule."""


class Explainer:
    """Explains one rule for one existing profile at one moment."""

    def __init__(self, question: Question, profile: int) -> None:
        self._question = question
        self._profile = profile
        self._definitions = question.definitions
        self._binder = question.binder()
        self._one = OneProfile(profile, question.execution().set_of)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is to be said of the rule, each once."""
        return tuple(dict.fromkeys(self._binder.warnings))

    def explain(self, rule: Condition) -> Explanation:
        """The whole explanation: the annotated tree, the leaves to change, the next flip."""
        holds = self._one.holds(self._binder.bind(rule))
        decisive = Decisive(self._binder, self._one, self._profile, self._definitions, self._is_kept)
        leaves = decisive.leaves(rule, self._question.deadline)
        flips_at_us, is_certain = self._next_flip(rule, holds)
        return Explanation(holds, self._measured(rule), leaves, flips_at_us, is_certain)

    # ------------------------------------------------------------------------------------------ the tree

    def _measured(self, node: Condition) -> Measured:
        bound = self._binder.bind(node)
        inner: tuple[Condition, ...]
        match node:
            case Not(child):
                inner = (child,)
            case AllOf(group) | AnyOf(group) | NoneOf(group) | AtLeast(_, group) | Exactly(_, group):
                inner = group
            case InSegment(segment):
                return self._of_segment(node, self._one.holds(bound), self._definitions.meaning(segment))
            case _:
                inner = ()
        actual = None if inner else self._actual(node, bound)
        holds = self._one.holds(bound)
        flips_at_us, _ = self._next_flip(node, holds, _NODE_TURNS_MAX)
        below = tuple(self._measured(c) for c in inner)
        return Measured(to_text(node), holds, actual, below, flips_at_us, isinstance(node, AttributeLeaf))

    def _of_segment(self, node: InSegment, holds: bool, meaning: Meaning) -> Measured:
        """A reference with what the segment's rule says, and what its lists do."""
        parts = [] if meaning.rule is None else [self._measured(meaning.rule)]
        if meaning.holds_lists:
            parts.append(Measured("on the list", self._profile in meaning.added, None))
            if self._profile in meaning.removed:
                parts.append(Measured("removed by hand", True, None))
        is_exempt = meaning.retention_is_for_unknown and self._one.holds(self._binder.bind(Known()))
        if meaning.retention_us and holds and not is_exempt and self._is_kept(node):
            since_us = self._ahead(node).kept_since_us(meaning.id)
            if since_us is not None:
                until_us = since_us + meaning.retention_us
                parts.append(Measured("kept by retention", True, Instant(since_us), (), until_us))
        flips_at_us, _ = self._next_flip(node, holds, _NODE_TURNS_MAX)
        return Measured(to_text(node), holds, None, tuple(parts), flips_at_us)

    def _is_kept(self, node: InSegment) -> bool:
        """Whether the retention of a segment keeps the profile, known or not; at another instant, as answered."""
        meaning = self._definitions.meaning(node.segment)
        if self._question.present_us in (None, self._question.moment.now_us):
            return self._ahead(node).kept_since_us(meaning.id) is not None
        matches = meaning.rule is not None and self._one.holds(self._binder.bind_apart(meaning.rule))
        is_put = self._profile in meaning.added or self._profile in meaning.removed
        return not matches and not is_put and self._one.holds(self._binder.bind(node))

    def _actual(self, node: Condition, bound: Bound) -> Cell | None:
        """The value or count behind a leaf; None where there is none to show."""
        match bound:
            case EventCount():
                return self._one.event_count(bound)
            case EventSum():
                numbers = self._one.numbers(bound)
                if not numbers and bound.function is Function.AVG:
                    return None
                total = float(sum(numbers)) if numbers else 0.0
                return total / len(numbers) if bound.function is Function.AVG else total
            case EventDistinct():
                return self._one.different_values(bound)
            case EventDays():
                return self._one.active_days(bound)
            case CountOf(children=parts) if isinstance(node, Frequency):
                return sum(self._one.holds(p) for p in parts)
            case _:
                column = _column_behind(bound)
                return None if column is None else column.attribute.cell(self._profile)

    # ------------------------------------------------------------------------------------------ the clock

    def _next_flip(
        self, rule: Condition, holds: bool, turns_max: int = _TURNS_MAX
    ) -> tuple[int | None, bool]:
        """(the first instant after now at which the clock alone changes the answer, whether that is certain)."""
        return self._ahead(rule).next_flip(holds, turns_max)

    def _ahead(self, rule: Condition) -> Ahead:
        question = self._question
        present_us = question.moment.now_us if question.present_us is None else question.present_us
        return Ahead(
            question.view,
            self._profile,
            rule,
            question.moment,
            present_us,
            question.definitions,
            question.deadline,
        )


def _column_behind(bound: Bound) -> ColumnTest | None:
    """The attribute that a leaf reads, however it was bound."""
    match bound:
        case ColumnTest():
            return bound
        case Complement(child):
            return _column_behind(child)
        case And(parts) | Or(parts):
            found = (_column_behind(p) for p in parts)
            return next((f for f in found if f is not None), None)
        case _:
            return None
