"""The state of the server."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from headcount_engine.indexes.deduplication import IDS_MAX
from headcount_engine.model.answers import Status
from headcount_engine.model.durability import DurabilityFacts, SyncMode
from headcount_server.guards.metrics import LatencySummary
from headcount_server.phase import Phase
from headcount_server.wire import messages
from headcount_server.wire.fields import put_instant, stamp

_STATES = {
    Phase.LOADING: messages.ServingState.SERVING_STATE_LOADING,
    Phase.SERVING: messages.ServingState.SERVING_STATE_SERVING,
    Phase.READ_ONLY: messages.ServingState.SERVING_STATE_READ_ONLY,
    Phase.DRAINING: messages.ServingState.SERVING_STATE_DRAINING,
}

_SYNC_MODES = {
    SyncMode.EACH_COMMIT: messages.SyncMode.SYNC_MODE_EACH_COMMIT,
    SyncMode.INTERVAL: messages.SyncMode.SYNC_MODE_INTERVAL,
    SyncMode.OPERATING_SYSTEM: messages.SyncMode.SYNC_MODE_OPERATING_SYSTEM,
}


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """What does not change while the server runs."""

    start_us: int
    release: str
    unicode_release: str
    tzdata_release: str


def status_answer(
    status: Status,
    durability: DurabilityFacts | None,
    phase: Phase,
    latencies: Iterable[LatencySummary],
    facts: ProcessFacts,
    engine_us: int,
) -> messages.ServerStatus:
    answer = messages.ServerStatus(
        state=_STATES[phase],
        profiles=status.profiles,
        events=status.events,
        segments=status.segments,
        attributes=status.attributes,
        event_types=status.event_types,
        memory=[messages.MemoryUse(room=r, bytes=b) for r, b in sorted(status.memory_bytes.items())],
        latencies=[
            messages.MethodLatency(
                method=one.method.removeprefix("/headcount.v1."),
                calls=one.calls,
                errors=one.errors,
                p50_us=one.p50_us,
                p99_us=one.p99_us,
                max_us=one.max_us,
            )
            for one in latencies
        ],
        release=facts.release,
        unicode_release=facts.unicode_release,
        tzdata_release=facts.tzdata_release,
    )
    put_instant(answer.start_time, facts.start_us)
    answer.deduplication.event_ids = status.event_ids
    answer.deduplication.max_event_ids = IDS_MAX
    put_instant(answer.deduplication.horizon_time, status.known_ids_since_us)
    if durability is not None:
        held = answer.durability
        held.durable_version = durability.durable_version
        held.checkpoint_version = durability.checkpoint_version
        if durability.checkpoint_us is not None:
            put_instant(held.checkpoint_time, durability.checkpoint_us)
        held.log_bytes = durability.log_bytes
        held.sync_mode = _SYNC_MODES[durability.sync]
        held.failure = durability.failure or ""
        held.checkpoint_failure = durability.checkpoint_failure or ""
    stamp(answer, status.version, status.now_us, engine_us)
    return answer
