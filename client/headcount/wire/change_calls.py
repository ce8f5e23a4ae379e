"""Watching over a connection that may break: requests, answers, and when to go on by oneself."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from google.protobuf.message import DecodeError

from headcount.changes import ChangeBatch, ChangeCause, ChangeKind, MembershipChange
from headcount.errors import DeadlineExceeded, HeadcountError, ServerError
from headcount.v1 import change_service_pb2 as wire
from headcount.wire import decode, encode
from headcount.wire.calls import path_of

WATCH_PATH: Final = path_of("ChangeService", "WatchMemberships")
NOW: Final = "now"
OLDEST: Final = "oldest"
_STARTS = {NOW: wire.WATCH_START_NOW, OLDEST: wire.WATCH_START_OLDEST}
_PAUSE_S = 0.05
_PAUSE_S_MAX = 2.0
_ENDS_BEFORE_S = 1.0
"""The server ends a stream by itself shortly before its time is up."""

_KINDS = {
    wire.CHANGE_KIND_JOINED: ChangeKind.JOINED,
    wire.CHANGE_KIND_LEFT: ChangeKind.LEFT,
    wire.CHANGE_KIND_INITIAL: ChangeKind.INITIAL,
}
_CAUSES = {
    number: ChangeCause[name.removeprefix("CHANGE_CAUSE_")]
    for name, number in wire.ChangeCause.items()
    if number != wire.CHANGE_CAUSE_UNSPECIFIED
}


class WatchProgress:
    """How far a watch has come, and what follows when its stream ends: the part that both clients share.

    A stream that ended in good order, that the server cut off as too slow, or that broke once something had come, is
    begun again from the last cursor; one that cannot be begun again within `patience_s` ends with the failure.
    """

    def __init__(
        self,
        segments: Iterable[str],
        start: str,
        include_initial_members: bool,
        timeout_s: float | None,
        patience_s: float,
    ) -> None:
        self._request = wire.WatchMembershipsRequest(
            segments=[encode.segment_name(one) for one in encode.text_list(segments, "segments")],
            include_initial_members=include_initial_members,
        )
        if start in _STARTS:
            self._request.start_at = _STARTS[start]
        else:
            self._request.cursor = encode.text(start, "start")
        self.cursor = "" if start in _STARTS else start
        self._has_begun = False
        self._ends_at = None if timeout_s is None else time.monotonic() + timeout_s
        self._patience_s = patience_s
        self._pause_s = _PAUSE_S
        self._silent_since: float | None = None

    def request(self) -> bytes:
        """The request that begins, or goes on."""
        if self._has_begun:
            self._request.cursor = self.cursor
        return self._request.SerializeToString()

    def remaining_s(self) -> float | None:
        """The timeout of the next stream; raises DeadlineExceeded where none is left."""
        if self._ends_at is None:
            return None
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded("the watch reached its timeout", reason="DEADLINE_EXCEEDED")
        return left

    def received(self, data: bytes) -> ChangeBatch:
        """What came, after which the stream would be resumed."""
        try:
            answer = wire.WatchMembershipsResponse.FromString(data)
        except DecodeError as error:
            raise ServerError("the answer cannot be read", reason="MALFORMED_ANSWER") from error
        self._has_begun, self.cursor = True, answer.cursor
        self._pause_s, self._silent_since = _PAUSE_S, None
        return ChangeBatch(
            answer.version,
            decode.instant(answer.now),
            tuple(_change(one) for one in answer.changes),
            answer.cursor,
        )

    def pause_after(self, failure: HeadcountError | None) -> float:
        """How long to wait before going on; None is a stream that ended in good order. Raises what ends the watch."""
        if failure is not None and not self._may_go_on(failure):
            raise failure
        now = time.monotonic()
        left = None if self._ends_at is None else self._ends_at - now
        if failure is None and left is not None and left <= _ENDS_BEFORE_S:
            return max(left, 0.0)
        self._silent_since = self._silent_since or now
        if failure is not None and now - self._silent_since > self._patience_s:
            raise failure
        pause, self._pause_s = self._pause_s, min(2 * self._pause_s, _PAUSE_S_MAX)
        return pause if left is None else max(0.0, min(pause, left))

    def _may_go_on(self, failure: HeadcountError) -> bool:
        match failure.code:
            case "UNAVAILABLE" | "CANCELLED":
                # Not from the beginning: a server that was never there is told at once.
                return self._has_begun
            case "ABORTED":
                return failure.reason == "READER_TOO_SLOW"
            case "DEADLINE_EXCEEDED":
                return self._ends_at is None
            case _:
                return False


def _change(found: wire.MembershipChange) -> MembershipChange:
    return MembershipChange(
        _KINDS.get(found.change, ChangeKind.JOINED),
        found.profile,
        decode.segment_id(found.segment),
        found.version,
        decode.instant(found.now),
        _CAUSES.get(found.cause, ChangeCause.UNKNOWN),
        found.cursor,
    )
