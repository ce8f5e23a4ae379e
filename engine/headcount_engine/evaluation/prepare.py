"""What of a question need not be done again: a rule read and checked, and its program for the version it was made at.

No answers are kept. A program is a list of index bitmaps and what to do with them; it is good for one version of the
data, and only for rules that the clock cannot change.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from headcount_engine.conditions.needs import Definitions, attributes_read, is_timeless, meanings_of
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import Condition, InSegment, check_size
from headcount_engine.evaluation.fuse import Program
from headcount_engine.limits import Limits

_PREPARED_KEPT = 4_096


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """A program, the version and the state of the catalogue that it was made at, and what else an answer says."""

    version: int
    revision: int
    program: Program
    total: int
    warnings: tuple[str, ...]


class Prepared:
    """A rule that has been read and checked. As of one state of the catalogue: `names`, the attributes it reads, and
    `reads_retention`, whether it refers to a segment in which profiles stay for a while."""

    __slots__ = ("condition", "is_timeless", "names", "notes", "reads_retention", "ready", "revision")

    def __init__(self, condition: Condition, definitions: Definitions, revision: int) -> None:
        self.condition = condition
        self.revision = revision
        self.names = frozenset(attributes_read(condition, definitions))
        meanings = meanings_of(condition, definitions)
        self.reads_retention = any(meaning.retention_us for meaning in meanings)
        self.is_timeless = is_timeless(condition, meanings)
        self.ready: Ready | None = None
        self.notes: tuple[str, tuple[str, ...]] | None = None
        """What is to be said of the rule itself, under a zone; once it was looked at."""


class PreparedRules:
    """The rules asked lately. Any thread."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._kept: OrderedDict[str | int | InSegment, tuple[str | Condition, Prepared]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, rule: str | Condition, definitions: Definitions, revision: int) -> Prepared:
        """The rule, prepared. A text is known by its letters, a segment by its name, another tree by being that object.

        Raises InvalidRule, UnknownName, LimitExceeded.
        """
        key = rule if isinstance(rule, str | InSegment) else id(rule)
        with self._lock:
            held = self._kept.get(key)
            if held is not None:
                self._kept.move_to_end(key)
        if held is not None and held[1].revision == revision:
            return held[1]
        condition = held[1].condition if held is not None else self._read(rule)
        prepared = Prepared(condition, definitions, revision)
        with self._lock:
            # The rule itself is held too, so that no other object can come to have its id.
            self._kept[key] = (rule, prepared)
            if len(self._kept) > _PREPARED_KEPT:
                self._kept.popitem(last=False)
        return prepared

    def _read(self, rule: str | Condition) -> Condition:
        if isinstance(rule, str):
            return parse(rule, self._limits)
        check_size(rule, self._limits)
        return rule
