"""The workspace's settings, as callers get them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from headcount.values import Answer

MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = range(7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Answer):
    """What a workspace chose, and what bounds it as its server was started.

    `first_day_of_week` is 0 for Monday to 6 for Sunday. `etag` changes with every change of the settings.
    """

    default_zone: str
    first_day_of_week: int
    infers_schema: bool
    opt_out_topics: frozenset[str]
    legacy_before: dt.datetime | None
    deduplication_horizon: dt.timedelta
    deduplication_max_event_ids: int
    max_event_lead: dt.timedelta
    change_retention: dt.timedelta
    limits: Mapping[str, int]
    etag: str


NEVER: Final = dt.datetime.min
"""As `legacy_before`: no segment is marked legacy for its age."""
