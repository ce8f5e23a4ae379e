"""Settings as plain values, for the log and for checkpoints."""

from __future__ import annotations

from typing import cast

from headcount_engine.indexes.state import Plain
from headcount_engine.model.answers import Settings


def plain_settings(settings: Settings) -> Plain:
    """[zone, first day of the week, whether names are inferred, opt-out topics, legacy before]."""
    return [
        settings.default_zone,
        settings.week_starts_on,
        int(settings.infers_schema),
        sorted(settings.opt_out_topics),
        settings.legacy_before_us,
    ]


def restore_settings(plain: Plain) -> Settings:
    """The inverse of plain_settings."""
    zone, week, infers, topics, legacy_us = cast("tuple[str, int, int, list[str], int | None]", plain)
    return Settings(zone, week, bool(infers), frozenset(topics), legacy_us)
