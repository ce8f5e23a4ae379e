"""Writes sent again under the id of their first sending: they change nothing and get the first answer.

What was carried out is remembered by the store, with its commits. Here are kept the answers as they were given, for
as long as the server runs, and the sendings under way: two at one time run once. An answer is forgotten after 24 hours,
or when those kept for its method pass their bytes, oldest first.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.answers import Deadline
from headcount_engine.model.requests import RequestId
from headcount_server.context import Context
from headcount_server.wire.messages import Message

HORIZON_S: Final = 24 * 3_600.0
ANSWER_BYTES_MAX: Final = 16 << 20
"""Of the answers kept for one method; an answer without rejected rows takes about 30."""
REQUEST_ID_BYTES_MAX: Final = 128
_ENTRY_BYTES: Final = 400
"""What an entry costs beside its answer."""
_WAIT_SLICE_S: Final = 0.05

Answer = TypeVar("Answer", bound=Message)
Kept = TypeVar("Kept")


class Remembers(Protocol):
    """A store that carries a request out once; a Database is one."""

    def once(
        self,
        request: RequestId,
        do: Callable[[], Kept],
        dump: Callable[[Kept], bytes],
        load: Callable[[bytes], Kept],
    ) -> Kept: ...


@dataclass(slots=True)
class _Entry(Generic[Answer]):
    digest: bytes
    since_s: float
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None


class Repeats(Generic[Answer]):
    """The answers of one method by caller and request id. Any thread.

    A repetition that meets its first sending under way waits for it, until its own deadline. A failure is not kept:
    nothing was applied, so the next sending runs.
    """

    def __init__(
        self,
        method: str,
        answer: type[Answer],
        store: Remembers,
        *,
        bytes_max: int = ANSWER_BYTES_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._method = method
        self._parse: Callable[[bytes], Answer] = answer.FromString
        self._store = store
        self._bytes_max = bytes_max
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[tuple[str, str], _Entry[Answer]] = OrderedDict()
        self._bytes = 0

    def run(self, request: Message, request_id: str, context: Context, first: Callable[[], Answer]) -> Answer:
        """The answer kept, or that of `first`, kept from then on. An empty id keeps nothing.

        Raises InvalidArgument for an id that came with another request, and whatever `first` raises.
        """
        if not request_id:
            return first()
        if len(request_id.encode()) > REQUEST_ID_BYTES_MAX:
            raise InvalidArgument(f"a request id has at most {REQUEST_ID_BYTES_MAX} bytes", path="request_id")
        key = (context.principal.name, request_id)
        digest = hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=16).digest()
        while True:
            entry, is_ours = self._claim(key, digest)
            if is_ours:
                return self._fill(key, entry, lambda: self._once(key, digest, first))
            if entry.digest != digest:
                raise InvalidArgument("this request id came with another request before", path="request_id")
            _wait(entry.done, context.deadline)
            if entry.answer is not None:
                return entry.answer

    def _once(self, key: tuple[str, str], digest: bytes, first: Callable[[], Answer]) -> Answer:
        principal, request_id = key
        request = RequestId(f"{principal}\n{self._method}\n{request_id}", digest)
        return self._store.once(request, first, lambda answer: answer.SerializeToString(), self._parse)

    def _claim(self, key: tuple[str, str], digest: bytes) -> tuple[_Entry[Answer], bool]:
        with self._lock:
            self._forget_old()
            found = self._entries.get(key)
            if found is not None:
                return found, False
            made = self._entries[key] = _Entry[Answer](digest, self._clock())
            return made, True

    def _fill(self, key: tuple[str, str], entry: _Entry[Answer], first: Callable[[], Answer]) -> Answer:
        try:
            answer = first()
        except BaseException:
            with self._lock:
                del self._entries[key]
            entry.done.set()
            raise
        entry.answer = answer
        with self._lock:
            self._bytes += answer.ByteSize() + _ENTRY_BYTES
        entry.done.set()
        return answer

    def _forget_old(self) -> None:
        """From the oldest on; entries under way stay."""
        while self._entries:
            key, entry = next(iter(self._entries.items()))
            is_old = self._clock() - entry.since_s > HORIZON_S
            if entry.answer is None or not (is_old or self._bytes > self._bytes_max):
                return
            del self._entries[key]
            self._bytes -= entry.answer.ByteSize() + _ENTRY_BYTES


def _wait(done: threading.Event, deadline: Deadline) -> None:
    while not done.wait(_WAIT_SLICE_S):
        deadline.check()
