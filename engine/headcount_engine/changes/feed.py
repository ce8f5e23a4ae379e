"""Changes: what the commit publishes into, and all that is read from it: the log, the histories, cursors, watches."""

from __future__ import annotations

import threading
from collections import deque
from typing import cast

from headcount_engine.changes.chunks import Entry
from headcount_engine.changes.cursors import CursorCodec
from headcount_engine.changes.history import History, HistoryStore, steps
from headcount_engine.changes.log import ChangeLog
from headcount_engine.changes.options import ChangeOptions
from headcount_engine.errors import StoreDamaged
from headcount_engine.indexes.state import Plain
from headcount_engine.model.changes import SegmentFlips


class Changes:
    """Joins and leaves of one database.

    The commit calls `publish` under the gate and `settle` after it, in the writer's turn; all else is for any thread.
    """

    def __init__(self, store: bytes, zone: str, options: ChangeOptions) -> None:
        self.options = options
        self.log = ChangeLog(options)
        self.cursors = CursorCodec(store)
        self._history = HistoryStore(zone)
        self._unfolded: deque[Entry] = deque()
        self._folding = threading.Lock()

    def known_as(self, store: bytes) -> None:
        """Give out and take cursors of this store. Before anybody reads."""
        self.cursors = CursorCodec(store)

    def publish(
        self, version: int, now_us: int, flips: tuple[SegmentFlips, ...], removed: tuple[str, ...] = ()
    ) -> None:
        """Take the joins and leaves of the next version; `removed` are segments deleted with it.

        Every version is published, also those without changes. Two appends, whatever is in the flips.
        """
        entry = Entry(version, now_us, flips, removed)
        if flips or removed:
            self._unfolded.append(entry)
        self.log.publish(entry)

    def settle(self) -> None:
        """Do what publishing left undone: count into the histories, pack the log, drop what is too old."""
        self._fold()
        self.log.settle()

    def _fold(self) -> None:
        with self._folding:
            entries = [self._unfolded.popleft() for _ in range(len(self._unfolded))]
            if entries:
                self.log.records += self._history.fold(entries)

    def history(self, segment: str, start_us: int, end_us: int, step_us: int, zone: str) -> History:
        """Size, joins and leaves of a segment; raises InvalidValue, LimitExceeded, OutOfRange (see `history`)."""
        edges = steps(start_us, end_us, step_us, zone)
        self._fold()
        return self._history.series(segment, edges)

    def sizes(self) -> dict[str, int]:
        """How large each segment is by its changes."""
        self._fold()
        return self._history.sizes()

    def begin(self, segment: str, size: int) -> None:
        """Say how large a segment was before its first change, where it was not empty."""
        self._history.begin(segment, size)

    @property
    def nbytes(self) -> int:
        return self.log.nbytes + self._history.nbytes

    def capture(self) -> Plain:
        """Everything that is kept. In the writer's turn; what is captured never changes."""
        self._fold()
        return [self.log.capture(), self._history.capture()]

    def restore(self, plain: Plain, version: int, now_us: int) -> None:
        """Take what was captured at a version; raises StoreDamaged. None: changes were not kept until now."""
        if plain is None:
            self.log.begin_after(version, now_us)
            return
        try:
            log, history = cast("tuple[Plain, Plain]", plain)
            self.log.restore(log, version, now_us)
            self._history.restore(history)
        except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
            raise StoreDamaged("joins and leaves of another shape than their format has") from error

    def close(self) -> None:
        """Wake those who wait for changes; there will be none."""
        self.log.close()
