"""The workspace's own settings: read, and changed by a commit like any other, so that they outlive a restart.

What live segments are kept by cannot change under them: the zone and the first day of the week while a live segment's
rule reads the calendar without naming a zone, and whether a topic is opt-out while one asks for its consent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from headcount_engine.changes.options import ChangeOptions
from headcount_engine.conditions.tree import (
    ActiveDays,
    Aggregate,
    Anniversary,
    Between,
    Compare,
    Condition,
    Did,
    FirstTime,
    Frequency,
    HasConsent,
    In,
    InWindow,
    LastPerformed,
    Sequence,
    walk,
)
from headcount_engine.conditions.windows import Calendar, CalendarLast
from headcount_engine.errors import Aborted, FailedPrecondition, InvalidValue
from headcount_engine.indexes.deduplication import HORIZON_US, IDS_MAX
from headcount_engine.ingest.commit import Writer
from headcount_engine.ingest.staging import Staged
from headcount_engine.limits import MICROSECONDS_PER_DAY, Limits
from headcount_engine.membership.catalogue import Catalogue
from headcount_engine.model.answers import Settings
from headcount_engine.model.batches import WriteReceipt
from headcount_engine.model.instants import checked_instant_us, zone
from headcount_engine.model.schema import checked_name
from headcount_engine.model.segments import SegmentState
from headcount_engine.model.values import Date
from headcount_engine.model.workspace import SettingsChanges, Workspace, WorkspaceFacts, etag_of

Commit = Callable[[Callable[[int], Staged]], WriteReceipt]
_TOPICS_MAX = 10_000
_NAMES_SHOWN = 5


class Administration:
    """The settings of one database. Any thread; changes take turns with writes."""

    def __init__(
        self,
        workspace: Workspace,
        catalogue: Catalogue,
        writer: Writer,
        commit: Commit,
        limits: Limits,
        changes: ChangeOptions,
    ) -> None:
        self._workspace = workspace
        self._catalogue = catalogue
        self._writer = writer
        self._commit = commit
        self._limits = limits
        self._changes = changes

    def facts(self) -> WorkspaceFacts:
        """The bounds that the settings do not change."""
        return WorkspaceFacts(
            HORIZON_US,
            IDS_MAX,
            self._limits.event_ahead_days * MICROSECONDS_PER_DAY,
            self._changes.kept_us,
            asdict(self._limits),
        )

    def settings(self) -> Settings:
        """Those in force."""
        return self._workspace.settings

    def declare_topics(self, is_opt_in: Mapping[str, bool], *, validate_only: bool = False) -> Settings:
        """What no answer about a topic counts as; topics not named stay as they are. Raises as `update` does."""
        with self._writer.exclusively():
            named = {checked_name(topic, "a topic", self._limits): held for topic, held in is_opt_in.items()}
            opt_out = {topic for topic in self._workspace.settings.opt_out_topics if topic not in named}
            opt_out |= {topic for topic, held in named.items() if not held}
            changes = SettingsChanges(opt_out_topics=frozenset(opt_out))
            return self.update(changes, validate_only=validate_only)

    def update(
        self, changes: SettingsChanges, *, etag: str | None = None, validate_only: bool = False
    ) -> Settings:
        """Change settings; the rest stays. Raises InvalidValue, Aborted, FailedPrecondition.

        With `validate_only` nothing is changed; what would be refused is.
        """
        with self._writer.exclusively():
            old = self._workspace.settings
            if etag is not None and etag != etag_of(old):
                raise Aborted("the settings changed since they were read")
            new = self._changed(old, changes)
            if new != old:
                self._check_live(old, new)
                if not validate_only:
                    self._commit(lambda _: Staged(accepted=1, settings=new))
            return new

    def _changed(self, old: Settings, changes: SettingsChanges) -> Settings:
        new = old
        if changes.default_zone is not None:
            zone(changes.default_zone)
            new = replace(new, default_zone=changes.default_zone)
        if changes.week_starts_on is not None:
            if not 0 <= changes.week_starts_on <= 6:
                raise InvalidValue("a week starts on a day from 0, Monday, to 6", path="week_starts_on")
            new = replace(new, week_starts_on=changes.week_starts_on)
        if changes.infers_schema is not None:
            new = replace(new, infers_schema=changes.infers_schema)
        if changes.opt_out_topics is not None:
            if len(changes.opt_out_topics) > _TOPICS_MAX:
                raise InvalidValue(f"at most {_TOPICS_MAX:,} topics", path="opt_out_topics")
            topics = {checked_name(topic, "a topic", self._limits) for topic in changes.opt_out_topics}
            new = replace(new, opt_out_topics=frozenset(topics))
        if changes.clears_legacy:
            new = replace(new, legacy_before_us=None)
        elif changes.legacy_before_us is not None:
            instant_us = checked_instant_us(changes.legacy_before_us, "legacy_before")
            new = replace(new, legacy_before_us=instant_us)
        return new

    def _check_live(self, old: Settings, new: Settings) -> None:
        moves = (old.default_zone, old.week_starts_on) != (new.default_zone, new.week_starts_on)
        topics = old.opt_out_topics ^ new.opt_out_topics
        if not moves and not topics:
            return
        bound = [
            definition.name
            for definition in self._catalogue.all().values()
            if definition.state is SegmentState.LIVE
            and definition.rule is not None
            and any((moves and _reads_calendar(n)) or _asks_consent(n, topics) for n in walk(definition.rule))
        ]
        if bound:
            shown = ", ".join(repr(name) for name in sorted(bound)[:_NAMES_SHOWN])
            more = f" and {len(bound) - _NAMES_SHOWN} more" if len(bound) > _NAMES_SHOWN else ""
            raise FailedPrecondition(
                f"live segments are kept by this setting: {shown}{more}; pause them first"
            )


def _reads_calendar(node: Condition) -> bool:
    """Whether a leaf's meaning depends on the workspace's zone or first day of the week."""
    match node:
        case InWindow() | Anniversary():
            return True
        case Compare(operand=Date()) | Between(low=Date()) | Between(high=Date()):
            return True
        case In(operands=operands):
            return any(isinstance(operand, Date) for operand in operands)
        case Did() | Aggregate() | ActiveDays() | Frequency() | FirstTime() | LastPerformed() | Sequence():
            window = getattr(node, "window", None)
            has_days = hasattr(node, "zone") and node.zone is None
            is_calendar = isinstance(window, Calendar | CalendarLast)
            names_dates = any(isinstance(getattr(window, end, None), Date) for end in ("start", "end"))
            return has_days or is_calendar or names_dates
        case _:
            return False


def _asks_consent(node: Condition, topics: frozenset[str]) -> bool:
    return isinstance(node, HasConsent) and node.topic in topics
