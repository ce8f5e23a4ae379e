"""schema and status: what a server holds."""

from __future__ import annotations

from headcount_server.commands.talking import (
    DEFAULT_TARGET,
    AsJson,
    Target,
    connected,
    counted,
    duration_text,
    instant_text,
    print_json,
    print_table,
)


def schema(target: Target = DEFAULT_TARGET, as_json: AsJson = False) -> None:
    """The attributes and events that rules can name, with their types."""
    with connected(target) as client:
        found = client.get_schema(include_counts=True)
    if as_json:
        print_json(
            {
                "attributes": {name: attribute.type for name, attribute in found.attributes.items()},
                "events": {
                    name: {
                        "count": event.event_count,
                        "properties": {prop.name: prop.type for prop in event.properties},
                    }
                    for name, event in found.event_types.items()
                },
                "identifiers": list(found.identifier_types),
                "version": found.version,
                "now": instant_text(found.now),
            }
        )
        return
    identifiers = set(found.identifier_types)
    rows = [
        (
            name,
            attribute.type + (", identifier" if name in identifiers else ""),
            f"{attribute.profile_count:,}",
        )
        for name, attribute in sorted(found.attributes.items())
    ]
    if rows:
        print_table(("attribute", "type", "profiles"), rows, right=("profiles",))
        print()
    for name, event in sorted(found.event_types.items()):
        print(f"event {name}: {event.event_count:,}")
        if event.properties:
            print_table(("  property", "type"), [(f"  {prop.name}", prop.type) for prop in event.properties])
        print()
    if not rows and not found.event_types:
        print("nothing is known yet: load profiles or events first")


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
