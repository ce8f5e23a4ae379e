"""The settings of a workspace: what is in force, and what a change of them says."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from headcount_engine.model.answers import Settings


class Workspace:
    """The settings in force: replaced by the writer under the gate, read by any thread."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Settings:
        return self._settings

    def use(self, settings: Settings) -> None:
        """From this version on."""
        self._settings = settings


def etag_of(settings: Settings) -> str:
    """Changes with every change of the settings; the same after a restart."""
    said = (
        settings.default_zone,
        settings.week_starts_on,
        settings.infers_schema,
        sorted(settings.opt_out_topics),
        settings.legacy_before_us,
    )
    return hashlib.blake2b(repr(said).encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class WorkspaceFacts:
    """What bounds a workspace beside its settings, as this engine was started: microseconds, counts, limits by name."""

    deduplication_us: int
    event_ids_max: int
    event_lead_us: int
    changes_kept_us: int
    limits: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SettingsChanges:
    """None leaves a setting as it is. `clears_legacy`: no segment is marked legacy for its age any more."""

    default_zone: str | None = None
    week_starts_on: int | None = None
    infers_schema: bool | None = None
    opt_out_topics: frozenset[str] | None = None
    legacy_before_us: int | None = None
    clears_legacy: bool = False
