"""Retention as the specification says it (rule 36), looked at in every single instant. Slow, and plainly right."""

from __future__ import annotations

from dataclasses import dataclass, field

from headcount_engine.conditions.tree import Condition
from tests.oracle.evaluate import members
from tests.oracle.world import World


@dataclass(slots=True)
class Keeper:
    """One data-driven segment: who matches its rule, and since when those who ceased to match are kept."""

    rule: Condition
    retention_us: int
    is_for_unknown: bool = False
    matching: set[str] = field(default_factory=set)
    ceased_us: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Keepers:
    """Segments in an order in which each refers to earlier ones only.

    The world's segment of a name is the set of its members at the last instant that was looked at.
    """

    world: World
    segments: dict[str, Keeper] = field(default_factory=dict)

    def look(self, now_us: int) -> bool:
        """Everything as of an instant: the next at which anything may happen, or the same after a change.

        Returns whether anybody came to match a rule.
        """
        return self._look(now_us, keeps=True)

    def settle(self, now_us: int) -> None:
        """After a change of definitions: nobody is kept for that, and who matches now is kept no longer."""
        self._look(now_us, keeps=False)

    def _look(self, now_us: int, *, keeps: bool) -> bool:
        came = False
        for name, keeper in self.segments.items():
            matching = members(self.world, keeper.rule, now_us)
            came = came or not matching <= keeper.matching
            if keeps:
                keeper.ceased_us |= dict.fromkeys(keeper.matching - matching, now_us)
            keeper.ceased_us = {
                key: us
                for key, us in keeper.ceased_us.items()
                if key not in matching and key in self.world.profiles and now_us - us < keeper.retention_us
            }
            keeper.matching = matching
            kept = {key for key in keeper.ceased_us if not (keeper.is_for_unknown and self._is_known(key))}
            self.world.segments[name] = matching | kept
        return came

    def _is_known(self, key: str) -> bool:
        return bool(self.world.profiles[key].identifiers)
