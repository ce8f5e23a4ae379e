"""What is proved of rules: for all data, at every now, under the segments, types and calendar as they are.

A proof is never wrong; that none was found says nothing. Rules that are too large and questions that take too many
steps are not proved.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

from headcount_engine.conditions.needs import Definitions
from headcount_engine.conditions.spans import Moment
from headcount_engine.conditions.tree import Condition
from headcount_engine.logic.circuit import Literal
from headcount_engine.logic.reading import Reader, TooLarge, Types
from headcount_engine.logic.search import Search

STEPS_MAX = 50_000
"""Steps of search for all that is asked of a few rules."""


class Relation(enum.Enum):
    """How one rule lies to another, whatever the data are."""

    EQUAL = "equal"
    CONTAINS = "contains"
    """The first has all that the second has."""
    CONTAINED = "contained"
    DISJOINT = "disjoint"


class Proofs:
    """Proofs about a few rules that are read together. One thread."""

    def __init__(
        self,
        rules: Sequence[Condition],
        types: Types,
        definitions: Definitions,
        moment: Moment,
        steps: int = STEPS_MAX,
    ) -> None:
        """`moment`: for its calendar; `steps`: of search for all questions. Raises UnknownName."""
        self._reader = Reader(types, definitions, moment)
        self._literals: list[Literal] | None
        try:
            self._literals = [self._reader.literal(rule) for rule in rules]
            self._reader.link()
        except TooLarge:
            self._literals = None
        self._search = Search(self._reader.circuit, steps)

    def _is_impossible(self, *literals: Literal) -> bool:
        """Whether it is proved that the literals never hold together."""
        return not self._search.can_hold(self._reader.circuit.all_of(literals))

    def never(self, rule: int = 0) -> bool:
        """Whether the rule matches nobody."""
        return self._literals is not None and self._is_impossible(self._literals[rule])

    def always(self, rule: int = 0) -> bool:
        """Whether the rule matches everyone."""
        return self._literals is not None and self._is_impossible(-self._literals[rule])

    def implies(self, one: int, other: int) -> bool:
        """Whether all members of one rule are members of the other."""
        held = self._literals
        return held is not None and self._is_impossible(held[one], -held[other])

    def disjoint(self, one: int, other: int) -> bool:
        """Whether the two have no member in common."""
        held = self._literals
        return held is not None and self._is_impossible(held[one], held[other])

    def relation(self, one: int = 0, other: int = 1) -> Relation | None:
        """The first that is proved of: equal, contains, contained, disjoint."""
        contains, contained = self.implies(other, one), self.implies(one, other)
        if contains and contained:
            return Relation.EQUAL
        if contains or contained:
            return Relation.CONTAINS if contains else Relation.CONTAINED
        return Relation.DISJOINT if self.disjoint(one, other) else None

    def exclude_each_other(self, parts: Sequence[Condition]) -> bool:
        """Whether parts of the rules that were read never hold together. Raises TooLarge."""
        return self._literals is not None and self._is_impossible(*map(self._reader.literal, parts))

    def equal(self, one: Condition, other: Condition) -> bool:
        """Whether two rules that are made of parts of those that were read are the same. Raises TooLarge."""
        if self._literals is None:
            return False
        first, second = self._reader.literal(one), self._reader.literal(other)
        return self._is_impossible(first, -second) and self._is_impossible(-first, second)
