"""The workspace's settings, both ways."""

from __future__ import annotations

from typing import Final

from google.protobuf.duration_pb2 import Duration

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import Settings
from headcount_engine.model.workspace import SettingsChanges, WorkspaceFacts, etag_of
from headcount_server.errors import NotServed
from headcount_server.wire import messages
from headcount_server.wire.fields import instant_us, put_instant, stamp

_CHANGEABLE: Final = (
    "default_zone",
    "first_day_of_week",
    "infers_attributes",
    "infers_events",
    "opt_out_topics",
    "legacy_before",
)
_FIXED: Final = frozenset(
    {"deduplication_horizon", "deduplication_max_event_ids", "max_event_lead", "change_retention", "limits"}
)
_INFERENCE: Final = frozenset({"infers_attributes", "infers_events"})


def settings_changes(request: messages.UpdateSettingsRequest) -> SettingsChanges:
    """What the mask names. Raises InvalidArgument, and NotServed for what is set where the server is started."""
    paths, given = set(request.update_mask.paths), request.settings
    if not paths:
        raise InvalidArgument("the mask says which settings to change", path="update_mask")
    for path in sorted(paths):
        if path.partition(".")[0] in _FIXED:
            raise NotServed("changing this setting while the server runs is", path=f"settings.{path}")
        if path not in _CHANGEABLE:
            raise InvalidArgument(
                f"the mask may name {', '.join(_CHANGEABLE)}; got {path[:60]!r}", path="update_mask"
            )
    legacy = "legacy_before" in paths
    has_instant = given.HasField("legacy_before")
    return SettingsChanges(
        default_zone=given.default_zone if "default_zone" in paths else None,
        week_starts_on=_weekday(given.first_day_of_week) if "first_day_of_week" in paths else None,
        infers_schema=_inference(paths, given),
        opt_out_topics=frozenset(given.opt_out_topics) if "opt_out_topics" in paths else None,
        legacy_before_us=(
            instant_us(given.legacy_before, "settings.legacy_before") if legacy and has_instant else None
        ),
        clears_legacy=legacy and not has_instant,
    )


def _weekday(day: int) -> int:
    if not messages.DayOfWeek.DAY_OF_WEEK_MONDAY <= day <= messages.DayOfWeek.DAY_OF_WEEK_SUNDAY:
        raise InvalidArgument("one of the days from Monday to Sunday", path="settings.first_day_of_week")
    return day - messages.DayOfWeek.DAY_OF_WEEK_MONDAY


def _inference(paths: set[str], given: messages.Settings) -> bool | None:
    """Attributes and events are inferred together, so both are named, and alike."""
    named = paths & _INFERENCE
    if not named:
        return None
    if named != _INFERENCE or given.infers_attributes != given.infers_events:
        raise InvalidArgument(
            "infers_attributes and infers_events change together and alike",
            path=f"settings.{min(named)}",
        )
    return given.infers_attributes


def settings_answer(
    settings: Settings, facts: WorkspaceFacts, version: int, now_us: int, engine_us: int
) -> messages.Settings:
    made = messages.Settings(
        default_zone=settings.default_zone,
        first_day_of_week=messages.DayOfWeek.Name(settings.week_starts_on + 1),
        infers_attributes=settings.infers_schema,
        infers_events=settings.infers_schema,
        opt_out_topics=sorted(settings.opt_out_topics),
        deduplication_horizon=_duration(facts.deduplication_us),
        deduplication_max_event_ids=facts.event_ids_max,
        max_event_lead=_duration(facts.event_lead_us),
        change_retention=_duration(facts.changes_kept_us),
        limits=facts.limits,
        etag=etag_of(settings),
    )
    if settings.legacy_before_us is not None:
        made.legacy_before.SetInParent()
        put_instant(made.legacy_before, settings.legacy_before_us)
    stamp(made, version, now_us, engine_us)
    return made


def _duration(us: int) -> Duration:
    length = Duration()
    length.FromMicroseconds(us)
    return length
