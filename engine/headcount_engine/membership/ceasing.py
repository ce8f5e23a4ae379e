"""When exactly a rule ceased to match by the clock alone, between two instants at which it was looked at."""

from __future__ import annotations

from headcount_engine.conditions.bind import Binder
from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Condition
from headcount_engine.evaluation.execute import Execution
from headcount_engine.evaluation.explain import turns_of
from headcount_engine.evaluation.one_profile import OneProfile
from headcount_engine.indexes.store import ReadView
from headcount_engine.model.answers import NO_DEADLINE


def ceased_us(
    view: ReadView, profile: int, rule: Condition, before_us: int, moment: Moment, definitions: Definitions
) -> int:
    """When, after one instant and by another, a rule that does not match any more ceased to match by the clock alone.

    `profile` is its number in the view. Asks at each instant at which the clock may change the answer, latest first.
    """
    instants = sorted(
        t for t in set(turns_of(view, profile, rule, moment, definitions)) if before_us < t <= moment.now_us
    )
    ceased = moment.now_us
    for t_us in reversed(instants):
        if t_us == moment.now_us:
            continue
        then = Moment(t_us, moment.zone, moment.week_starts_on, moment.opt_out_topics)
        bound = Binder(view, then, definitions).bind(rule)
        if OneProfile(profile, Execution(view, NO_DEADLINE).set_of).holds(bound):
            return ceased
        ceased = t_us
    return ceased
