"""Letting go of raw events that are older than their type's retention. How often and when first stays known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from headcount_engine.conditions.retention import check_rule
from headcount_engine.errors import FailedPrecondition, HasDependents, InvalidRule, InvalidValue
from headcount_engine.indexes.store import Indexes
from headcount_engine.indexes.totals import Retention
from headcount_engine.ingest.relinking import expiry
from headcount_engine.ingest.staging import Staged
from headcount_engine.limits import INSTANT_MIN_US, Limits
from headcount_engine.membership.catalogue import Catalogue
from headcount_engine.model.batches import WriteReceipt
from headcount_engine.model.schema import checked_name

_SLACK_SHARE = 64
_SLACK_US_MAX = 3_600_000_000
"""Events stay up to a 64th of their retention, and at most an hour, longer than they must: then many go at once."""
KEPT_US_MIN = 60_000_000
"""A retention below a minute is taken for a mistake of units."""


class Expiring:
    """Declares how long raw events are kept, and lets them go. Any thread; writes take turns."""

    def __init__(
        self,
        indexes: Indexes,
        catalogue: Catalogue,
        commit: Callable[[Callable[[int], Staged]], WriteReceipt],
        limits: Limits,
    ) -> None:
        self._indexes = indexes
        self._catalogue = catalogue
        self._commit = commit
        self._limits = limits

    def declare(self, retentions: Mapping[str, int | None]) -> int:
        """Keep raw events of these types for so many microseconds from now on, None: for ever; the version.

        Events of a type that is not there yet may come later. Raises InvalidValue, HasDependents where a segment needs
        older events, FailedPrecondition where some are gone already and all should be kept.
        """
        return self._commit(lambda _: self._staged(retentions)).version

    def _staged(self, retentions: Mapping[str, int | None]) -> Staged:
        asked = {checked_name(n, "an event", self._limits): kept for n, kept in retentions.items()}
        types = dict(self._indexes.events.views())
        for name, kept_us in asked.items():
            held = self._indexes.events.types.get(name)
            old = None if held is None else held.retention
            if kept_us is not None and not KEPT_US_MIN <= kept_us <= -INSTANT_MIN_US:
                raise InvalidValue("events are kept for at least a minute", path="retention")
            if kept_us is None and old is not None and len(old.totals):
                raise FailedPrecondition(
                    f"older events of {name!r} are gone: what is kept of it stays limited"
                )
            if kept_us is not None and name in types:
                types[name] = replace(types[name], retention=Retention(kept_us, INSTANT_MIN_US))
        for definition in self._catalogue.all().values():
            if definition.rule is not None:
                try:
                    check_rule(definition.rule, types)
                except InvalidRule as error:
                    raise HasDependents(", ".join(asked), [definition.name]) from error
        return Staged(accepted=len(asked), retentions=asked)

    def expire(self) -> WriteReceipt:
        """Let go of everything that is older than its type's retention now."""

        def stage(now_us: int) -> Staged:
            floors = self._due(now_us, is_lazy=False)
            return Staged(accepted=len(floors), floors=floors, relinking=expiry(self._indexes, floors))

        return self._commit(stage)

    def is_due(self, now_us: int) -> bool:
        """Whether enough is too old to be worth a commit."""
        return bool(self._due(now_us, is_lazy=True))

    def riding(self, staged: Staged, now_us: int) -> Staged:
        """A write that also lets go of what is due."""
        floors = self._due(now_us, is_lazy=True) if staged.accepted and staged.relinking is None else {}
        if not floors:
            return staged
        return replace(staged, floors=floors, relinking=expiry(self._indexes, floors))

    def _due(self, now_us: int, *, is_lazy: bool) -> dict[str, int]:
        """The instant before which events go, by type, for those that have such events."""
        floors = {}
        for name, view in self._indexes.events.views().items():
            if view.retention is None or not view.runs:
                continue
            kept_us = view.retention.kept_us
            slack_us = min(kept_us // _SLACK_SHARE, _SLACK_US_MAX) if is_lazy else 0
            if min(run.ends[0] for run in view.runs) < now_us - kept_us - slack_us:
                floors[name] = now_us - kept_us
        return floors
