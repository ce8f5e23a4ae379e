"""The one mutator. Every write goes stage -> append -> publish, one at a time, in version order.

`append` is the seam of the log: what is handed to it is the staged result, whole; only when it returns may anything
become visible. A commit carries now and never fails after append.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from headcount_engine.changes.feed import Changes
from headcount_engine.clock import Clock
from headcount_engine.indexes.store import Indexes
from headcount_engine.ingest.staging import Staged
from headcount_engine.membership.catalogue import Catalogue
from headcount_engine.membership.edits import LiveEdit
from headcount_engine.model.batches import WriteReceipt
from headcount_engine.model.workspace import Workspace


class Log(Protocol):
    """Where staged commits go before they are visible."""

    def append(self, version: int, now_us: int, staged: Staged) -> None:
        """Return when the commit may be published; raise StoreError if it must not be."""
        ...


class NoLog:
    """Nothing is kept: databases that live in memory only, and commits that come out of a log."""

    def append(self, version: int, now_us: int, staged: Staged) -> None:
        """Let every commit pass."""


class Live(Protocol):
    """Who keeps live segments current: see LiveStage."""

    @property
    def keeps_anybody(self) -> bool:
        """Whether what the clock brings has to be known before anything is written."""
        ...

    def data(self, staged: Staged, now_us: int) -> tuple[Staged, LiveEdit]:
        """A commit without definitions, with the joins and leaves that it and the clock bring."""
        ...

    def definitions(self, staged: Staged, now_us: int) -> tuple[Staged, LiveEdit]:
        """A commit of definitions, at a now that everything else has reached."""
        ...

    def settings(self, staged: Staged, now_us: int) -> tuple[Staged, LiveEdit]:
        """Other settings of the workspace, at a now that everything else has reached."""
        ...

    def clock(self, now_us: int) -> tuple[Staged, LiveEdit]:
        """What the clock alone brings."""
        ...

    def prepare(self, edit: LiveEdit) -> None:
        """Carry out what readers do not see. Not under the gate."""
        ...

    def show(self, edit: LiveEdit) -> None:
        """Carry out the rest. Under the gate."""
        ...

    def settle(self) -> None:
        """What publishing left undone. Not under the gate."""
        ...


class Gate:
    """Between publishing and pinning: a pin sees all of a version or none of it.

    `version` and `now_us` are those of the last publish.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.version = 0
        self.now_us = -(1 << 62)


class Writer:
    """Runs commits. Any thread may call; they take turns."""

    def __init__(
        self,
        indexes: Indexes,
        catalogue: Catalogue,
        gate: Gate,
        clock: Clock,
        log: Log,
        changes: Changes,
        workspace: Workspace,
    ) -> None:
        self._indexes = indexes
        self._catalogue = catalogue
        self._gate = gate
        self._clock = clock
        self._log = log
        self._changes = changes
        self._workspace = workspace
        self._live: Live | None = None
        self._turn = threading.RLock()

    def commit(self, stage: Callable[[int], Staged]) -> WriteReceipt:
        """Stage against the committed state (given now), append, publish. Refusals leave everything as it was."""
        with self._turn:
            now_us = max(self._clock.now_us(), self._gate.now_us)
            before = self._indexes.identities.view().ids_end
            staged = stage(now_us)
            if not self._says_something(staged):
                return WriteReceipt(
                    self._gate.version, now_us, staged.accepted, 0, staged.duplicates, staged.rejected
                )
            version = self._carry_out(staged, now_us)
            created = self._indexes.identities.view().ids_end - before
            return WriteReceipt(version, now_us, staged.accepted, created, staged.duplicates, staged.rejected)

    def _carry_out(self, staged: Staged, now_us: int) -> int:
        """Add joins and leaves, append, publish; the version. Definitions come after a tick, at the same now.

        So does everything else where a segment has a retention: when its rule ceased to hold by the clock must not
        hang on what is written afterwards.
        """
        edit = None
        if self._live is not None and (staged.segments or staged.removed_segments):
            self.tick(now_us)
            staged, edit = self._live.definitions(staged, now_us)
        elif self._live is not None and staged.settings is not None:
            self.tick(now_us)
            staged, edit = self._live.settings(staged, now_us)
        elif self._live is not None:
            if self._live.keeps_anybody:
                self.tick(now_us)
            staged, edit = self._live.data(staged, now_us)
        version = self._gate.version + 1
        self._log.append(version, now_us, staged)
        self._make_visible(staged, version, now_us, edit)
        return version

    def tick(self, now_us: int | None = None) -> int:
        """Bring live segments to a now (the clock's), in a version if anybody joins, leaves or comes to be kept.

        Returns the version.
        """
        with self._turn:
            now_us = max(self._clock.now_us() if now_us is None else now_us, self._gate.now_us)
            if self._live is None or now_us == self._gate.now_us:
                return self._gate.version
            staged, edit = self._live.clock(now_us)
            if staged.flips or staged.retained:
                version = self._gate.version + 1
                self._log.append(version, now_us, staged)
                self._make_visible(staged, version, now_us, edit)
            else:
                self._live.prepare(edit)
                with self._gate.lock:
                    self._live.show(edit)
                    self._gate.now_us = now_us
            return self._gate.version

    def begin(self, live: Live) -> None:
        """Keep live segments current from here on: they are true for the newest version and its now."""
        with self._turn:
            self._live = live

    def replay(self, version: int, now_us: int, staged: Staged) -> None:
        """Publish a commit that the log holds, as it was published when it was made."""
        with self._turn:
            self._publish_all(staged, version, now_us)
            self._changes.settle()

    def go_on(self, clock: Clock, log: Log) -> None:
        """After a replay: commit by this clock and into this log."""
        with self._turn:
            self._clock, self._log = clock, log
            # What was replayed one small commit after another is merged in one go.
            for held in self._indexes.events.types.values():
                held.compact()

    def exclusively(self) -> threading.RLock:
        """The writer's turn, for work that must see no commit in between."""
        return self._turn

    def _make_visible(self, staged: Staged, version: int, now_us: int, edit: LiveEdit | None = None) -> None:
        self._publish_all(staged, version, now_us, edit)
        self._changes.settle()
        if self._live is not None:
            self._live.settle()
        for events in staged.events:
            self._indexes.events.types[events.name].compact()

    def _publish_all(self, staged: Staged, version: int, now_us: int, edit: LiveEdit | None = None) -> None:
        """What readers do not see before it is shown is done before the gate is taken, so that they wait less."""
        if staged.relinking is None:
            self._append(staged)
        if edit is not None and self._live is not None:
            self._live.prepare(edit)
        with self._gate.lock:
            self._publish(staged, version, now_us)
            if edit is not None and self._live is not None:
                self._live.show(edit)
            self._gate.version, self._gate.now_us = version, now_us
            self._changes.publish(version, now_us, staged.flips, staged.removed_segments)

    def _append(self, staged: Staged) -> None:
        for events in staged.events:
            self._indexes.events.types[events.name].append(events)

    @staticmethod
    def _says_something(staged: Staged) -> bool:
        return bool(
            len(staged.new_keys) or staged.new_attributes or staged.columns or staged.events
            or staged.declared_events or staged.segments or staged.removed_segments or staged.lists
            or staged.flips or staged.requests or staged.accepted
        )  # fmt: skip

    def _publish(self, staged: Staged, version: int, now_us: int) -> None:
        indexes = self._indexes
        indexes.identities.publish(staged.new_keys)
        for attribute in staged.new_attributes:
            indexes.attributes.put(attribute)
        profiles = indexes.identities.view().ids_end
        for attribute, edit in staged.columns:
            attribute.column.publish(edit, version, profiles)
        for owners in staged.owners:
            owners.attribute.own(owners.codes, owners.profile_plus_one)
        self._publish_people(staged, version)
        for name, properties in staged.declared_events.items():
            indexes.events.ensure(name).declare(properties)
        if staged.relinking is not None:  # Runs that are replaced were found without these events.
            self._append(staged)
        for events in staged.events:
            indexes.events.types[events.name].show()
        indexes.events.batches += staged.takes_batch
        if staged.event_ids is not None:
            indexes.event_ids.publish(staged.event_ids, now_us)
        for definition in staged.segments:
            self._catalogue.put(definition)
        if staged.lists:
            self._catalogue.lists.publish(staged.lists)
        self._catalogue.retention.publish(staged.retained)
        for id_ in staged.removed_segments:
            self._catalogue.remove(id_)
        if staged.settings is not None:
            self._workspace.use(staged.settings)
        if staged.requests:
            indexes.requests.publish(staged.requests, version, now_us)

    def _publish_people(self, staged: Staged, version: int) -> None:
        """Who was merged and who was erased."""
        indexes = self._indexes
        for leads in staged.leads:
            leads.attribute.lead(leads.codes, leads.profile_plus_one)
        for name, kept_us in staged.retentions.items():
            indexes.events.ensure(name).retain(kept_us)
        if staged.relinking is not None:
            staged.relinking.publish(indexes)
        for merge in staged.merges:
            indexes.identities.merge(merge)
        for erasure in staged.erasures:
            indexes.identities.erase(erasure.profile)
            indexes.tombstones.put(erasure, version)
        if staged.completes_version:
            indexes.tombstones.complete(staged.completes_version)
