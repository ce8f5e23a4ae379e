"""What editors of rules get back: why somebody is in, what an edit changes, how a rule is counted, what it says."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from headcount import values
from headcount.values import Answer, Cell


@dataclass(frozen=True, slots=True)
class NodeExplanation:
    """One node of a rule for one profile: whether it holds, and what was found behind a leaf.

    `path` leads to it by position from the root (`0.2`). `found` is for people and empty where no single value stands
    behind the node; `actual` is the same as a value, None also where it is absent. `next_change` is when the clock
    alone changes this node, None if it never does or is not known.
    """

    path: str
    text: str
    holds: bool
    found: str = ""
    actual: Cell = None
    next_change: dt.datetime | None = None

    @property
    def depth(self) -> int:
        """0 for the root."""
        return self.path.count(".") + 1 if self.path else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation(Answer):
    """Why a profile is in or out.

    `nodes` are those of the rule, the root first, each before its children. `decisive_leaves` are the texts of a
    smallest set of leaves that would all have to change for the answer to change; none where no change of leaves would
    do. `next_change` is the instant at which the clock alone changes it; None if it never does or, with
    `is_next_change_unknown`, if it is not known.
    """

    exists: bool
    is_member: bool
    nodes: tuple[NodeExplanation, ...] = ()
    decisive_leaves: tuple[str, ...] = ()
    next_change: dt.datetime | None = None
    is_next_change_unknown: bool = False
    warnings: tuple[values.Warning, ...] = ()

    def __bool__(self) -> bool:
        return self.is_member


class Relation(enum.Enum):
    """How the members of a rule lie to those of the one that would take its place."""

    EQUAL = "equal"
    CONTAINS = "contains"
    """The rule before has all of the rule after, and more."""
    CONTAINED = "contained"
    DISJOINT = "disjoint"
    OVERLAPPING = "overlapping"


@dataclass(frozen=True, slots=True)
class ChangeGroup:
    """Those who would join and leave among the profiles with one value of an attribute, and how many have it.

    `total` is None for the groups that are put together.
    """

    value: Cell
    joined: int
    left: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeBreakdown:
    """Who would join and leave by value: the largest groups, then those in no group shown, those without a value."""

    groups: tuple[ChangeGroup, ...]
    other: ChangeGroup
    absent: ChangeGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Answer):
    """What it would change if one rule took the place of another, on the data as it is.

    `joined_keys` and `left_keys` are the first few, if asked for. `proved` is what holds of the two rules for all data
    and at any instant (`CONTAINS` and `CONTAINED` with equality), None if nothing is proved; `relation` is as of today.
    """

    before_size: int
    after_size: int
    joined: int
    left: int
    relation: Relation
    joined_keys: tuple[str, ...] = ()
    left_keys: tuple[str, ...] = ()
    by_attribute: Mapping[str, ChangeBreakdown]
    proved: Relation | None = None


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step of carrying out a rule. `size` and `took_us` are None where they were not needed or measured."""

    path: str
    text: str
    estimated_size: int
    size: int | None
    estimated_us: float
    took_us: float | None

    @property
    def depth(self) -> int:
        """0 for the root."""
        return self.path.count(".") + 1 if self.path else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Answer):
    """How a rule is counted, as it was carried out; the root first, each step before those below it."""

    steps: tuple[PlanStep, ...]

    def __str__(self) -> str:
        return "\n".join(f"{'  ' * step.depth}{step.text}" for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRule(Answer):
    """A rule in its one canonical layout. `condition` is the same as a serialised `headcount.v1.Condition`."""

    text: str
    condition: bytes
    warnings: tuple[values.Warning, ...] = ()

    def __str__(self) -> str:
        return self.text
