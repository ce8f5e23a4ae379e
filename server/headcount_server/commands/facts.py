"""schema and status: what a server holds."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Json,
    Target,
    connected,
    counted,
    duration_text,
    instant_text,
    print_json,
    print_table,
)

if TYPE_CHECKING:
    from headcount.values import Schema

_NAMES_SHOWN = 20
"""Tags and channels that the text names."""


def schema(target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """The attributes and events that rules can name, with their types."""
    with connected(target) as client:
        found = client.get_schema(include_counts=True)
    if as_json:
        print_json(_schema_json(found))
        return
    rows = [
        (name, attribute.type, "tracked" if attribute.tracked else "", f"{attribute.profile_count:,}")
        for name, attribute in sorted(found.attributes.items())
    ]
    if rows:
        print_table(("attribute", "type", "", "profiles"), rows, right=("profiles",))
        print()
    topics = [
        f"{topic} ({'opt-in' if is_opt_in else 'opt-out'})"
        for topic, is_opt_in in sorted(found.consent_topics.items())
    ]
    lines = [
        (heading, names)
        for heading, names in (
            ("identifiers", sorted(found.identifier_types)),
            ("consent topics", topics),
            ("tags", _some(found.tags)),
            ("channels", _some(found.channels)),
        )
        if names
    ]
    for heading, names in lines:
        print(f"{heading}: {', '.join(names)}")
    if lines:
        print()
    for name, event in sorted(found.event_types.items()):
        kept = "" if event.retention is None else f", kept for {_days(event.retention)}"
        print(f"event {name}: {event.event_count:,}, of {event.profile_count:,} profiles{kept}")
        if event.properties:
            print_table(("  property", "type"), [(f"  {prop.name}", prop.type) for prop in event.properties])
        print()
    if not rows and not lines and not found.event_types:
        print("nothing is known yet: load profiles or events first")


def _some(names: Sequence[str]) -> list[str]:
    """The first names, and how many more there are."""
    shown = list(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else [*shown, f"and {len(names) - _NAMES_SHOWN:,} more"]


def _days(kept: dt.timedelta) -> str:
    days = kept / dt.timedelta(days=1)
    return f"{days:g} days"


def _schema_json(found: Schema) -> Json:
    return {
        "attributes": {name: attribute.type for name, attribute in found.attributes.items()},
        "tracked": [name for name, attribute in found.attributes.items() if attribute.tracked],
        "profiles": {name: attribute.profile_count for name, attribute in found.attributes.items()},
        "events": {
            name: {
                "count": event.event_count,
                "profiles": event.profile_count,
                "kept_days": None if event.retention is None else event.retention / dt.timedelta(days=1),
                "properties": {prop.name: prop.type for prop in event.properties},
            }
            for name, event in found.event_types.items()
        },
        "identifiers": list(found.identifier_types),
        "consent_topics": {
            topic: "opt-in" if is_opt_in else "opt-out" for topic, is_opt_in in found.consent_topics.items()
        },
        "tags": list(found.tags),
        "channels": list(found.channels),
        "version": found.version,
        "now": instant_text(found.now),
    }


def status(target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """How large the server's state is, and how fast it answers."""
    with connected(target) as client:
        found = client.status()
    if as_json:
        print_json(
            {
                "state": found.state.value,
                "version": found.version,
                "now": instant_text(found.now),
                "profiles": found.profiles,
                "events": found.events,
                "segments": found.segments,
                "attributes": found.attributes,
                "event_types": found.event_types,
                "memory": dict(found.memory),
                "durability": {
                    "durable_version": found.durable_version,
                    "checkpoint_version": found.checkpoint_version,
                    "log_bytes": found.log_bytes,
                    "store_failure": found.store_failure,
                    "checkpoint_failure": found.checkpoint_failure,
                }
                if found.is_stored
                else None,
                "release": found.release,
                "latencies": [
                    {
                        "method": m.method,
                        "calls": m.calls,
                        "errors": m.errors,
                        "p50_us": m.p50_us,
                        "p99_us": m.p99_us,
                    }
                    for m in found.latencies
                ],
            }
        )
        return
    print(f"{found.state.value} at {target}: version {found.version:,}, clock {instant_text(found.now)}")
    print(
        f"{counted(found.profiles, 'profile')}, {counted(found.events, 'event')}, "
        f"{counted(found.segments, 'segment')}, {counted(found.attributes, 'attribute')}, "
        f"{counted(found.event_types, 'event type')}"
    )
    if found.is_stored:
        print(
            f"stored: version {found.durable_version:,} is safe, checkpoint at version "
            f"{found.checkpoint_version:,}, {found.log_bytes / (1 << 20):,.1f} MB of log since"
        )
    for failure in filter(None, (found.store_failure, found.checkpoint_failure)):
        print(f"attention: {failure}")
    if found.memory:
        rows = [(room, f"{size / (1 << 20):,.1f}") for room, size in sorted(found.memory.items())]
        print_table(("memory", "MB"), rows, right=("MB",))
    if found.latencies:
        latencies = [
            (m.method, f"{m.calls:,}", f"{m.errors:,}", duration_text(m.p50_us), duration_text(m.p99_us))
            for m in found.latencies
        ]
        print_table(
            ("method", "calls", "errors", "p50", "p99"), latencies, right=("calls", "errors", "p50", "p99")
        )


def checkpoint(target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """Write the whole state to disk now, so that the next start reads less of the log."""
    with connected(target) as client:
        made = client.checkpoint()
    if as_json:
        print_json(
            {"checkpoint_version": made.checkpoint_version, "bytes": made.size_bytes, "version": made.version}
        )
        return
    print(f"version {made.checkpoint_version:,} is written: {made.size_bytes / (1 << 20):,.1f} MB")
