"""What handlers share: naming the rule at fault and the place in it, waiting for a version, finding a profile by
identifier, time taken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headcount_engine.conditions.text.locate import locate
from headcount_engine.conditions.tree import Everyone
from headcount_engine.errors import InvalidRule, NotFound, UnknownField
from headcount_engine.model.answers import Need
from headcount_engine.model.batches import Texts
from headcount_server.errors import RefusedRule
from headcount_server.wire.profiles import IdentifierRef
from headcount_server.wire.rules import Asked, EngineRule

if TYPE_CHECKING:
    from headcount_engine import Database

_NOBODY = ""
"""No profile has an empty key."""


@contextmanager
def rule_in(field: str, rule: EngineRule | None = None) -> Iterator[None]:
    """Tells an InvalidRule raised inside which field of the request holds the rule, and where in the rule it is.

    An UnknownField says itself which field it is about.
    """
    try:
        yield
    except UnknownField:
        raise
    except InvalidRule as error:
        raise RefusedRule(field, error if rule is None else locate(error, rule)) from error


@contextmanager
def rules_in(database: Database, asked: Sequence[Asked], need: Need) -> Iterator[None]:
    """The same for several rules, of which the first that is refused is looked for."""
    try:
        yield
    except UnknownField:
        raise
    except InvalidRule:
        if not asked:
            raise
        at_fault = _first_refused(database, asked, need)
        with rule_in(at_fault.field, at_fault.rule):
            database.check(_NOBODY, [at_fault.rule], need=need)
        raise


def _first_refused(database: Database, asked: Sequence[Asked], need: Need) -> Asked:
    """By halves: for a profile that nobody has, rules are read and bound and nothing is evaluated."""
    low, high = 0, len(asked)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            database.check(_NOBODY, [one.rule for one in asked[low:middle]], need=need)
        except InvalidRule:
            high = middle
        else:
            low = middle
    return asked[low]


def reach(database: Database, need: Need) -> None:
    """Wait until reads of any kind show what the caller needs; at once if it needs nothing.

    For reads that take no Need of their own.
    """
    need.deadline.check()
    if need.min_version or need.min_now_us is not None:
        database.count(Everyone(), need=need)


def key_of(database: Database, who: str | IdentifierRef) -> str:
    """The key of the profile meant; raises NotFound for an identifier that nobody carries."""
    if isinstance(who, str):
        return who
    key = database.lookup(who.type, Texts.of([who.value]))[0]
    if key is None:
        raise NotFound("profile")
    return key


class Stopwatch:
    """Microseconds since it was made."""

    def __init__(self) -> None:
        self._started_ns = time.perf_counter_ns()

    @property
    def us(self) -> int:
        return (time.perf_counter_ns() - self._started_ns) // 1_000
