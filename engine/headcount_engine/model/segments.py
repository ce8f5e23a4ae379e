"""What kinds of segments there are, and what may be done to the lists that they hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from headcount_engine.model.batches import RejectedRow, Texts

LANGUAGE_LEVEL: Final = 1
"""The meaning that rules are saved under. It goes up when a rule that was valid comes to mean something else."""


class SegmentKind(StrEnum):
    """Where a segment's members come from."""

    RULE = "rule"
    """Exactly those who match the rule, and those retained."""
    MANUAL = "manual"
    """Exactly those who were added."""
    OVERRIDES = "overrides"
    """Those who match the rule or were added, without those who were removed."""


class SegmentState(StrEnum):
    """How far a segment takes part."""

    DRAFT = "draft"
    """Can be counted and asked; it is not streamed, and no live segment may refer to it."""
    LIVE = "live"
    PAUSED = "paused"
    """Its members stay as they were when it was paused."""
    ARCHIVED = "archived"
    """As paused, and left out of lists unless asked for."""

    @property
    def is_frozen(self) -> bool:
        """Whether the members stay as they are, whatever happens to profiles."""
        return self in (SegmentState.PAUSED, SegmentState.ARCHIVED)


class ListName(StrEnum):
    """Which of a segment's lists."""

    ADDED = "added"
    """Members of a manual segment; with overrides, those who are in whatever the rule says."""
    REMOVED = "removed"
    """With overrides, those who are out whatever the rule says."""
    FROZEN = "frozen"
    """Members as they were when the segment was paused or archived."""


class ImportMode(StrEnum):
    """What an import does to the list that it goes to."""

    APPEND = "append"
    REPLACE = "replace"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, eq=False)
class NamedPeople:
    """Rows that name profiles: by key, or by identifiers of the type `by`."""

    texts: Texts
    by: str = ""


@dataclass(frozen=True, slots=True)
class ListReceipt:
    """What an edit of a list did, exact at `version` and `now_us`.

    joined, left  members who came in and who went, whatever was listed before
    size          members afterwards
    rejected      rows without effect, in their order, at most a thousand; `unknown`, `duplicates` and `malformed`
                  count them all
    """

    version: int
    now_us: int
    rows: int
    joined: int
    left: int
    size: int
    rejected: tuple[RejectedRow, ...] = ()
    unknown: int = 0
    duplicates: int = 0
    malformed: int = 0
