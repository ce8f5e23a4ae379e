"""The three sizes of data, and the one history that all of them are made from."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

DAYS = 90
"""Length of the history of events."""
NOW_US = int(dt.datetime(2026, 4, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000
"""The instant at which every question is asked: the end of the history."""
DAY_US = 86_400_000_000
START_US = NOW_US - DAYS * DAY_US
SEED = 20_260_401


@dataclass(frozen=True, slots=True)
class Size:
    profiles: int
    events: int
    segments: int = 1_000


class Tier(enum.StrEnum):
    """S runs in CI, M is what targets and peers are about, L shows where growth ends."""

    S = "S"
    M = "M"
    L = "L"

    @property
    def size(self) -> Size:
        return _SIZES[self]


_SIZES = {
    Tier.S: Size(100_000, 2_000_000),
    Tier.M: Size(1_000_000, 20_000_000),
    Tier.L: Size(10_000_000, 100_000_000),
}
