"""AdminService: the engine itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount_server.context import Context
from headcount_server.guards.metrics import Metrics
from headcount_server.phase import Phase, PhaseHolder
from headcount_server.services.asking import Stopwatch, reach
from headcount_server.wire import messages
from headcount_server.wire.fields import need_of, stamp
from headcount_server.wire.settings import settings_answer, settings_changes
from headcount_server.wire.status import ProcessFacts, status_answer

if TYPE_CHECKING:
    from headcount_engine import Database


class Admin:
    def __init__(self, database: Database, phase: PhaseHolder, metrics: Metrics, facts: ProcessFacts) -> None:
        self._database = database
        self._phase = phase
        self._metrics = metrics
        self._facts = facts

    def get_status(self, request: messages.GetStatusRequest, context: Context) -> messages.ServerStatus:
        watch = Stopwatch()
        reach(self._database, need_of(request, context.deadline))
        status = self._database.status()
        durability = self._database.durability()
        phase = self._phase.current
        if phase is Phase.SERVING and durability is not None and durability.failure is not None:
            phase = Phase.READ_ONLY
        return status_answer(status, durability, phase, self._metrics.summaries(), self._facts, watch.us)

    def checkpoint(
        self, request: messages.CheckpointRequest, context: Context
    ) -> messages.CheckpointResponse:
        """The caller waits for it; it is finished also where the caller does not."""
        context.deadline.check()
        watch = Stopwatch()
        made = self._database.checkpoint()
        state = self._database.status()
        answer = messages.CheckpointResponse(checkpoint_version=made.version, bytes=made.total_bytes)
        stamp(answer, state.version, state.now_us, watch.us)
        return answer

    def get_settings(self, request: messages.GetSettingsRequest, context: Context) -> messages.Settings:
        context.deadline.check()
        return self._settings(Stopwatch())

    def update_settings(self, request: messages.UpdateSettingsRequest, context: Context) -> messages.Settings:
        changes = settings_changes(request)
        context.deadline.check()
        watch = Stopwatch()
        self._database.administration.update(changes, etag=request.settings.etag or None)
        return self._settings(watch)

    def _settings(self, watch: Stopwatch) -> messages.Settings:
        """The settings, stamped with a version that they are at least as new as."""
        state, administration = self._database.status(), self._database.administration
        facts = administration.facts()
        return settings_answer(administration.settings(), facts, state.version, state.now_us, watch.us)
