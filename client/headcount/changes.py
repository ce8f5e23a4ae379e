"""Joins and leaves: what a watch gives, one by one or in batches."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass


class ChangeKind(enum.Enum):
    """What happened to a profile."""

    JOINED = "joined"
    LEFT = "left"
    INITIAL = "initial"
    """It was in when the listening began."""


class ChangeCause(enum.Enum):
    """Why a profile joined or left."""

    UNKNOWN = ""
    """Initial members, and causes of a later release."""
    ATTRIBUTE = "attribute"
    EVENT = "event"
    CLOCK = "clock"
    DEFINITION = "definition"
    MERGE = "merge"
    IMPORT = "import"
    OVERRIDE = "override"
    ERASURE = "erasure"
    UPGRADE = "upgrade"


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """One profile that joined or left one segment.

    `profile` is its key, empty once the profile has been erased. `version` and `now`: the commit that made the change,
    and its clock. `cursor`: where to go on just after it.
    """

    change: ChangeKind
    profile: str
    segment: str
    version: int
    now: dt.datetime
    cause: ChangeCause
    cursor: str


@dataclass(frozen=True, slots=True)
class ChangeBatch:
    """Some changes in order, or none: then it only tells how far everything has been sent.

    Everything up to `version` has come with this batch; `cursor` is where to go on after it.
    """

    version: int
    now: dt.datetime
    changes: tuple[MembershipChange, ...]
    cursor: str
