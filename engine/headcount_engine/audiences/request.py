"""What a sender asks for: whom to reach, narrowed step by step, each step a rule like any other."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import (
    AT_LEAST_ONCE,
    Bucket,
    Condition,
    CountRange,
    Did,
    HasChannel,
    HasConsent,
    Known,
)
from headcount_engine.conditions.windows import UNIT_US, Duration, Unit, WithinLast
from headcount_engine.errors import InvalidArgument, InvalidRule, LimitExceeded
from headcount_engine.limits import Limits

Rule = str | Condition


class StageKind(enum.Enum):
    """The steps of resolving an audience, in the order in which they are taken."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    KNOWN = "known"
    CHANNEL = "channel"
    CONSENT = "consent"
    SUPPRESSION = "suppression"
    FREQUENCY_CAP = "frequency cap"
    HOLDOUT = "holdout"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """Whoever has `max_count` of an event in the last `window_us` is left out.

    `event` is what may stand behind `did` in a rule: `email_sent`, `` `email *` where kind = "offer" ``.
    """

    event: str
    max_count: int
    window_us: int


@dataclass(frozen=True, slots=True)
class Holdout:
    """A fixed share is left out, to measure the effect of reaching the rest: more than 0, less than 1."""

    fraction: Decimal
    salt: str = ""


@dataclass(frozen=True, slots=True)
class BySample:
    """A limit takes those with the smallest bucket under this salt: a uniform sample, the same for the same salt."""

    salt: str = ""


@dataclass(frozen=True, slots=True)
class ByAttribute:
    """A limit takes those with the highest (or lowest) value first; those without one come last. Ties go by key."""

    attribute: str
    highest: bool = True


LimitOrder = BySample | ByAttribute


@dataclass(frozen=True, slots=True)
class AudienceRequest:
    """(one of `includes` and none of `excludes`), narrowed step by step; exclusion always wins.

    An empty text, None, and a limit of 0 leave a step out. `known`: True takes known profiles only, False unknown ones.
    """

    includes: Sequence[Rule]
    excludes: Sequence[Rule] = ()
    known: bool | None = None
    channel: str = ""
    topic: str = ""
    suppressions: Sequence[Rule] = ()
    frequency_cap: FrequencyCap | None = None
    holdout: Holdout | None = None
    limit: int = 0
    order: LimitOrder = BySample()


@dataclass(frozen=True, slots=True)
class Element:
    """One step as a rule. `is_kept`: those in the rule stay, else they go. `text` None: the rule's own."""

    kind: StageKind
    rule: Rule
    is_kept: bool = False
    text: str | None = None


def elements(request: AudienceRequest, limits: Limits) -> tuple[Element, ...]:
    """The steps before the limit, in order. Raises InvalidArgument, LimitExceeded."""
    if not request.includes:
        raise InvalidArgument("an audience needs somebody to include", path="includes")
    rules = len(request.includes) + len(request.excludes) + len(request.suppressions)
    if rules > limits.audience_rules:
        raise LimitExceeded("audience_rules", limits.audience_rules, rules)
    if request.limit < 0:
        raise InvalidArgument("a limit is at least 0", path="limit")
    found = [Element(StageKind.INCLUDE, rule) for rule in request.includes]
    found += [Element(StageKind.EXCLUDE, rule) for rule in request.excludes]
    if request.known is not None:
        found.append(
            Element(StageKind.KNOWN, Known(), request.known, "known" if request.known else "not known")
        )
    if request.channel:
        found.append(Element(StageKind.CHANNEL, HasChannel(request.channel), True, request.channel))
    if request.topic:
        found.append(Element(StageKind.CONSENT, HasConsent(request.topic), True, request.topic))
    found += [Element(StageKind.SUPPRESSION, rule) for rule in request.suppressions]
    if request.frequency_cap is not None:
        found.append(Element(StageKind.FREQUENCY_CAP, had_enough(request.frequency_cap, limits)))
    if request.holdout is not None:
        found.append(Element(StageKind.HOLDOUT, held_out(request.holdout)))
    return tuple(found)


def had_enough(cap: FrequencyCap, limits: Limits) -> Condition:
    """Who has had as many messages as the cap allows. Raises InvalidArgument."""
    path = "frequency_cap"
    if cap.max_count < 1:
        raise InvalidArgument("a cap allows at least one", path=f"{path}.max_count")
    try:
        did = parse(f"did {cap.event}", limits)
        window = WithinLast(_duration(cap.window_us))
    except InvalidRule as error:
        raise InvalidArgument(error.message, path=path) from error
    if not isinstance(did, Did) or did.count != AT_LEAST_ONCE or did.window is not None:
        raise InvalidArgument(
            "a cap names an event as `did` does, and perhaps its `where`", path=f"{path}.event_name"
        )
    return Did(did.events, CountRange(cap.max_count, None), window)


def _duration(us: int) -> Duration:
    """In the largest unit below a week that it is a whole number of."""
    for unit in (Unit.DAYS, Unit.HOURS, Unit.MINUTES, Unit.SECONDS):
        if us % UNIT_US[unit] == 0:
            return Duration(us // UNIT_US[unit], unit)
    raise InvalidArgument("the window of a cap is a whole number of seconds", path="frequency_cap.window")


def held_out(holdout: Holdout) -> Condition:
    """Who is left out to be compared with. Raises InvalidArgument."""
    if not 0 < holdout.fraction < 1:
        raise InvalidArgument("a holdout is a share of more than 0 and less than 1", path="holdout.fraction")
    return Bucket(Decimal(0), holdout.fraction, holdout.salt)
