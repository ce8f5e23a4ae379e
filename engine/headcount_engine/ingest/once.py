"""Every request once: what a call commits is marked with its request id, and a part that was committed is not again.

The id belongs to the call, not to one commit: within `under(request)` every commit of the thread is a part of it, in
order. Parts that are known are passed over, so that a call which was cut off between two of its commits, by a crash
for instance, goes on behind them when it is sent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

from headcount_engine.errors import FailedPrecondition
from headcount_engine.indexes.requests import Kept, Mark, Requests
from headcount_engine.ingest.staging import Staged
from headcount_engine.model.batches import WriteReceipt
from headcount_engine.model.requests import RequestId


@dataclass(frozen=True, slots=True)
class Part:
    """A commit that a request is about to make."""

    request: RequestId
    number: int


@dataclass(slots=True)
class Scope:
    """A call under way. `parts`: how many commits it began; `needs_answer`: whether receipts do not tell all."""

    request: RequestId
    parts: int = 0
    needs_answer: bool = False


class Known(Exception):
    """Raised out of staging: the part was carried out before."""

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        self.kept = kept


_scope: ContextVar[Scope | None] = ContextVar("headcount_request", default=None)


class Once:
    """Marks staged commits and finds those that were made. Any thread."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    @contextmanager
    def under(self, request: RequestId | None) -> Iterator[Scope | None]:
        """Let the commits that this thread makes be parts of a request; None changes nothing."""
        if request is None:
            yield None
            return
        scope = Scope(request)
        token = _scope.set(scope)
        try:
            yield scope
        finally:
            _scope.reset(token)

    def next_part(self) -> Part | None:
        """The commit that this thread is about to make, as a part of its request; None without one."""
        scope = _scope.get()
        if scope is None:
            return None
        scope.parts += 1
        return Part(scope.request, scope.parts - 1)

    def marked(self, part: Part, staged: Staged, receipt: WriteReceipt | None) -> Staged:
        """The staged commit with the mark of a part."""
        return replace(staged, requests=(Mark(part.request, part.number, receipt),))

    def check(self, part: Part | None, now_us: int) -> None:
        """Raises Known where a part was carried out, InvalidArgument where its id came with another request."""
        if part is None:
            return
        kept = self._requests.find(part.request, part.number, now_us)
        if kept is not None:
            raise Known(kept)

    def commit(
        self, commit: Callable[[Callable[[int], Staged]], WriteReceipt], stage: Callable[[int], Staged]
    ) -> WriteReceipt:
        """A commit whose answer is more than a receipt, as a part of this thread's request if there is one."""
        part, scope = self.next_part(), _scope.get()
        if part is None or scope is None:
            return commit(stage)
        scope.needs_answer = True

        def marked(now_us: int) -> Staged:
            self.check(part, now_us)
            return self.marked(part, stage(now_us), None)

        try:
            return commit(marked)
        except Known as known:
            raise answer_lost(known.kept) from None


def answer_lost(kept: Kept) -> FailedPrecondition:
    """What to say of a request that was carried out just before the power went, so that its answer was not kept."""
    return FailedPrecondition(
        f"the request was carried out at version {kept.version}, but its answer was lost: read what it made"
    )
