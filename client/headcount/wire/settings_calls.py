"""Calls about the workspace's settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from google.protobuf import field_mask_pb2

from headcount.settings import NEVER, Settings
from headcount.v1 import admin_service_pb2 as admin
from headcount.wire import decode, encode
from headcount.wire.calls import Unary, request_id_or_new, unary


def get_settings() -> Unary[Settings]:
    return unary("AdminService", "GetSettings", admin.GetSettingsRequest(), admin.Settings, _settings)


def update_settings(
    default_zone: str | None,
    first_day_of_week: int | None,
    infers_schema: bool | None,
    opt_out_topics: Iterable[str] | None,
    legacy_before: dt.datetime | None,
    etag: str,
    request_id: str | None,
) -> Unary[Settings]:
    settings, paths = admin.Settings(etag=etag), list[str]()
    if default_zone is not None:
        settings.default_zone = encode.text(default_zone, "default_zone")
        paths.append("default_zone")
    if first_day_of_week is not None:
        if not 0 <= first_day_of_week <= 6:
            raise encode.refused("first_day_of_week", "0, Monday, to 6, Sunday")
        named = admin.DayOfWeek.Name(first_day_of_week + 1)
        settings.MergeFrom(admin.Settings(first_day_of_week=named))
        paths.append("first_day_of_week")
    if infers_schema is not None:
        settings.infers_attributes = settings.infers_events = infers_schema
        paths += ["infers_attributes", "infers_events"]
    if opt_out_topics is not None:
        settings.opt_out_topics.extend(encode.text_list(opt_out_topics, "opt_out_topics"))
        paths.append("opt_out_topics")
    if legacy_before is not None:
        if legacy_before != NEVER:
            settings.legacy_before.CopyFrom(encode.timestamp(legacy_before, "legacy_before"))
        paths.append("legacy_before")
    if not paths:
        raise encode.refused("settings", "nothing to change")
    request = admin.UpdateSettingsRequest(
        settings=settings,
        update_mask=field_mask_pb2.FieldMask(paths=paths),
        request_id=request_id_or_new(request_id),
    )
    return unary("AdminService", "UpdateSettings", request, admin.Settings, _settings)


def _settings(found: admin.Settings) -> Settings:
    return Settings(
        version=found.version,
        now=decode.instant(found.now),
        engine_us=found.engine_us,
        default_zone=found.default_zone,
        first_day_of_week=found.first_day_of_week - 1,
        infers_schema=found.infers_attributes and found.infers_events,
        opt_out_topics=frozenset(found.opt_out_topics),
        legacy_before=decode.instant(found.legacy_before) if found.HasField("legacy_before") else None,
        deduplication_horizon=decode.span(found.deduplication_horizon),
        deduplication_max_event_ids=found.deduplication_max_event_ids,
        max_event_lead=decode.span(found.max_event_lead),
        change_retention=decode.span(found.change_retention),
        limits=dict(found.limits),
        etag=found.etag,
    )
