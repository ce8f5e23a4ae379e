"""Joins and leaves as messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headcount_engine.changes.chunks import ChangeBlock, ChangeKind
from headcount_engine.changes.cursors import Cursor
from headcount_engine.changes.watch import Start, WatchItem, cursor_after
from headcount_engine.errors import InvalidArgument
from headcount_engine.model.batches import U32
from headcount_engine.model.changes import Cause
from headcount_server.wire import messages
from headcount_server.wire.fields import checked_count, put_instant, stamp
from headcount_server.wire.rules import segment_id, segment_name

SEGMENTS_MAX = 10_000
"""Named in one request; all of them need no names."""

_KINDS = {
    ChangeKind.JOINED: messages.ChangeKind.CHANGE_KIND_JOINED,
    ChangeKind.LEFT: messages.ChangeKind.CHANGE_KIND_LEFT,
    ChangeKind.INITIAL: messages.ChangeKind.CHANGE_KIND_INITIAL,
}
_CAUSES = {
    0: messages.ChangeCause.CHANGE_CAUSE_UNSPECIFIED,
    **{int(cause): messages.ChangeCause.Value(f"CHANGE_CAUSE_{cause.name}") for cause in Cause},
}
_STARTS = {
    messages.WatchStart.WATCH_START_OLDEST: Start.OLDEST,
    messages.WatchStart.WATCH_START_NOW: Start.NOW,
}


def watched_segments(request: messages.WatchMembershipsRequest) -> list[str]:
    """Ids; none means all."""
    checked_count(len(request.segments), SEGMENTS_MAX, "segments")
    return [segment_id(name, f"segments[{i}]") for i, name in enumerate(request.segments)]


def start_of(request: messages.WatchMembershipsRequest) -> str | Start:
    """A cursor or a start; raises InvalidArgument where neither is said."""
    match request.WhichOneof("start"):
        case "cursor":
            return request.cursor
        case "start_at" if request.start_at in _STARTS:
            return _STARTS[request.start_at]
        case _:
            raise InvalidArgument("a start is a cursor, the oldest change or now", path="start_at")


def watch_answer(
    item: WatchItem,
    keys_of: Callable[[U32], Sequence[str]],
    token: Callable[[Cursor], str],
    engine_us: Callable[[], int],
) -> messages.WatchMembershipsResponse:
    """One item, with keys for ids; `engine_us` is asked when all is done."""
    answer = messages.WatchMembershipsResponse(cursor=token(item.cursor))
    for block in item.blocks:
        _put(answer, block, keys_of(block.ids), token)
    stamp(answer, item.version, item.now_us, engine_us())
    return answer


def _put(
    answer: messages.WatchMembershipsResponse,
    block: ChangeBlock,
    keys: Sequence[str],
    token: Callable[[Cursor], str],
) -> None:
    kind, segment = _KINDS[block.kind], segment_name(block.segment)
    for i, (key, cause) in enumerate(zip(keys, block.causes.tolist(), strict=True)):
        change = answer.changes.add(
            change=kind,
            profile=key,
            segment=segment,
            version=block.version,
            cause=_CAUSES[cause],
            cursor=token(cursor_after(block, i)),
        )
        put_instant(change.now, block.now_us)
