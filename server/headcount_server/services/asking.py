"""What handlers share: naming the rule at fault, waiting for a version, finding a profile by identifier,
time taken."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from headcount_engine.conditions.tree import Everyone
from headcount_engine.errors import InvalidRule, NotFound
from headcount_engine.model.answers import Need
from headcount_engine.model.batches import Texts
from headcount_server.errors import RefusedRule
from headcount_server.wire.profiles import IdentifierRef

if TYPE_CHECKING:
    from headcount_engine import Database


@contextmanager
def rule_in(field: str) -> Iterator[None]:
    """Tells an InvalidRule raised inside which field of the request holds the rule."""
    try:
        yield
    except InvalidRule as error:
        raise RefusedRule(field, error) from error


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
