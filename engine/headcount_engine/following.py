"""Following segments as callers do it: by name, from now, from the start or a cursor; and their sizes over time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from headcount_engine.asking import Asker
from headcount_engine.changes.cursors import Cursor
from headcount_engine.changes.feed import Changes
from headcount_engine.changes.history import DAY_US, MINUTE_US, MINUTES_KEPT, History
from headcount_engine.changes.watch import Members, Start, Watch
from headcount_engine.errors import NotFound
from headcount_engine.ingest.commit import Gate
from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.membership.catalogue import Catalogue
from headcount_engine.membership.live import LiveSegments
from headcount_engine.model.workspace import Workspace

_DAYS_SHOWN = 30


class Following:
    """The changes of one database. Any thread."""

    def __init__(
        self,
        changes: Changes,
        live: LiveSegments,
        catalogue: Catalogue,
        gate: Gate,
        asker: Asker,
        workspace: Workspace,
    ) -> None:
        self._changes = changes
        self._live = live
        self._catalogue = catalogue
        self._gate = gate
        self._asker = asker
        self._workspace = workspace

    def watch(
        self, segments: Sequence[str], start: str | Start, *, with_initial_members: bool = False
    ) -> Watch:
        """Follow segments by id or name, or (none named) all, those to come included.

        `start` is a cursor as a watch gave it, or a Start. With a cursor one may name a segment that was deleted, as
        long as changes of it are kept. Raises NotFound, InvalidCursor, CursorTooOld, OutOfRange.
        """
        begin: Cursor | Start = start if isinstance(start, Start) else self._changes.cursors.decode(start)
        ids = frozenset(self._id(name, is_resumed=not isinstance(begin, Start)) for name in segments)
        return Watch(self._changes, self, ids or None, begin, with_initial_members=with_initial_members)

    def _id(self, name: str, *, is_resumed: bool) -> str:
        found = self._catalogue.find(name)
        if found is not None:
            return found.id
        if is_resumed and self._changes.log.mentions(name):
            return name
        raise NotFound("segment", name)

    def token(self, cursor: Cursor) -> str:
        """A cursor as text."""
        return self._changes.cursors.encode(cursor)

    def members_now(self, segments: Collection[str] | None) -> Members:
        """Members at the newest version, to which the changes have come. Nobody joins or leaves a draft."""
        with self._gate.lock:
            held = self._catalogue.all()
            ids = [id_ for id_ in (held if segments is None else segments) if id_ in held]
            found = {id_: self._live.members(id_) for id_ in ids}
            version, now_us = self._gate.version, self._gate.now_us
        members = {id_: bitmap for id_, bitmap in found.items() if bitmap is not None}
        return Members(version, now_us if version else self._asker.now_us(), members)

    def history(
        self,
        segment: str,
        *,
        start_us: int | None = None,
        end_us: int | None = None,
        step_us: int = DAY_US,
        zone: str | None = None,
    ) -> History:
        """Size, joins and leaves of a segment by id or name: the last 30 days up to now by day, unless told otherwise.

        Where a step is no whole number of hours, it is the last two days, for which minutes are kept.

        Steps lie on whole minutes (see `changes.history`); `zone` is the workspace's unless given. Raises NotFound,
        InvalidValue, LimitExceeded, OutOfRange.
        """
        definition = self._catalogue.get(segment)
        now_us = self._asker.now_us()
        ends_us = now_us + 1 if end_us is None else min(end_us, now_us + 1)
        starts_us = start_us
        if starts_us is None:
            starts_us = max(ends_us - _shown_us(step_us), INSTANT_MIN_US + DAY_US)
        return self._changes.history(
            definition.id, starts_us, ends_us, step_us, zone or self._workspace.settings.default_zone
        )


def _shown_us(step_us: int) -> int:
    """How far back a history goes that is not told: as far as steps of that length are kept, so that it can be had."""
    if step_us % (60 * MINUTE_US) == 0:
        return _DAYS_SHOWN * DAY_US
    # The first step begins at most a step before.
    return MINUTES_KEPT * MINUTE_US - step_us
