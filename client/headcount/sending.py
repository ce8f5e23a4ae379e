"""Audiences to send to: what is asked for, and what callers get back."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from headcount import values
from headcount.values import Answer, Profile

MemberForm = Literal["keys", "ids", "roaring"]
FileFormat = Literal["csv", "parquet", "jsonl"]
_NO_IDS = memoryview(b"").cast("I")


@dataclass(frozen=True, slots=True)
class FrequencyCap:
    """Leaves out whoever had `max_count` of an event `within` the time up to now.

    `event` is what may stand behind `did` in a rule: `email_sent`, `email_sent where kind = "offer"`.
    """

    event: str
    max_count: int
    within: dt.timedelta


@dataclass(frozen=True, slots=True)
class Holdout:
    """Leaves out a fixed share (more than 0, less than 1), the same people for the same salt."""

    fraction: float | Decimal
    salt: str = ""


@dataclass(frozen=True, slots=True)
class LimitOrder:
    """Whom a limit takes first; made by `by_sample`, `by_highest` or `by_lowest`."""

    kind: Literal["sample_salt", "highest_attribute", "lowest_attribute"]
    text: str


def by_sample(salt: str = "") -> LimitOrder:
    """A uniform sample, the same for the same salt."""
    return LimitOrder("sample_salt", salt)


def by_highest(attribute: str) -> LimitOrder:
    """Those with the highest values; ties go by key, and those without a value come last."""
    return LimitOrder("highest_attribute", attribute)


def by_lowest(attribute: str) -> LimitOrder:
    """Those with the lowest values; ties go by key, and those without a value come last."""
    return LimitOrder("lowest_attribute", attribute)


class StageKind(enum.Enum):
    """The steps of resolving an audience."""

    INCLUDE = "include"
    EXCLUDE = "exclude"
    KNOWN = "known"
    CHANNEL = "channel"
    CONSENT = "consent"
    SUPPRESSION = "suppression"
    FREQUENCY_CAP = "frequency cap"
    HOLDOUT = "holdout"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of a waterfall.

    `remaining`: how many there are after it. `changed`: how many it added (an include) or took away.
    `unique_contribution`: by how many the whole would shrink (an include) or grow if it alone were left out; beside a
    limit that is reached mostly 0, since the limit fills up again.
    """

    kind: StageKind
    text: str
    remaining: int
    changed: int
    unique_contribution: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience(Answer):
    """A resolved audience, fixed at `version` and `now`. `name` is empty where it was only looked at."""

    name: str
    size: int
    total: int
    waterfall: tuple[Stage, ...]
    expire_time: dt.datetime | None = None
    warnings: tuple[values.Warning, ...] = ()

    def __len__(self) -> int:
        return self.size

    def __bool__(self) -> bool:
        return self.size > 0


@dataclass(frozen=True, slots=True)
class AudienceName:
    """An audience that was resolved before, `audiences/...`, where only its name is at hand."""

    name: str


@dataclass(frozen=True, slots=True)
class Members:
    """A chunk of members, in order of id. One of the three forms is filled.

    `next_offset` is where to go on after it. `ids` are native unsigned integers of 32 bits: `numpy.asarray(ids)` takes
    them without a copy. `roaring` is a bitmap in the portable format. Members erased since the audience was resolved
    are left out, and count in the offsets.
    """

    offset: int
    next_offset: int
    size: int
    keys: Sequence[str] = ()
    ids: memoryview = _NO_IDS
    roaring: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview(Answer):
    """Some members with chosen attributes. `next_page_token` is empty on the last page and for a sample."""

    profiles: tuple[Profile, ...]
    total_size: int
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class FilePiece:
    """The next bytes of a file; `next_offset` of `size` members are behind them."""

    data: bytes
    next_offset: int
    size: int
