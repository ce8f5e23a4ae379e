"""What of a question need not be done again: a rule read and checked, and its program for the version it was made at.

No answers are kept. A program is a list of index bitmaps and what to do with them; it is good for one version of the
data, and only for rules that the clock cannot change.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from headcount_engine.conditions.needs import Definitions, Meaning, attributes_read
from headcount_engine.conditions.text import parse
from headcount_engine.conditions.tree import (
    Anniversary,
    Condition,
    EventLeaf,
    HasBeen,
    InSegment,
    InWindow,
    Same,
    check_size,
    walk,
)
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

    __slots__ = ("condition", "is_timeless", "names", "reads_retention", "ready", "revision")

    def __init__(self, condition: Condition, definitions: Definitions, revision: int) -> None:
        self.condition = condition
        self.revision = revision
        self.names = frozenset(attributes_read(condition, definitions))
        meanings = _meanings(condition, definitions)
        self.reads_retention = any(meaning.retention_us for meaning in meanings)
        self.is_timeless = not self.reads_retention and _is_timeless(condition, meanings)
        self.ready: Ready | None = None


def _is_timeless(root: Condition, meanings: Sequence[Meaning]) -> bool:
    """Whether now makes no difference to the rule."""
    rules = [root, *(meaning.rule for meaning in meanings if meaning.rule is not None)]
    timed = EventLeaf | InWindow | Anniversary | HasBeen | Same
    return not any(isinstance(node, timed) for rule in rules for node in walk(rule))


def _meanings(root: Condition, definitions: Definitions) -> list[Meaning]:
    """What the references of a rule stand for, those of the segments they refer to included; each once."""
    found: dict[str, Meaning] = {}
    rules = [root]
    while rules:
        for node in walk(rules.pop()):
            if isinstance(node, InSegment):
                meaning = definitions.meaning(node.segment)
                if meaning.id not in found:
                    found[meaning.id] = meaning
                    if meaning.rule is not None:
                        rules.append(meaning.rule)
    return list(found.values())


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
