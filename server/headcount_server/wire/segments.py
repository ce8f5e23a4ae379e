"""Segments: drafts, changes, queries, and segments as they are given back.

The contract's labels are texts, the engine's are keys with values: `team=crm` is the key `team` with a
value, `crm` a key without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headcount_engine.errors import InvalidArgument
from headcount_engine.model import answers
from headcount_engine.model.answers import SegmentChanges, SegmentDraft, SegmentPage, SegmentQuery
from headcount_server.errors import NotServed
from headcount_server.wire import messages
from headcount_server.wire.fields import page_size, put_instant, stamp
from headcount_server.wire.rules import rule_of, rule_text, segment_name

_KIND = messages.SegmentKind
_STATE = messages.SegmentState
_ORDERS = {
    "": "name",
    "display_name": "name",
    "size": "size",
    "create_time": "created",
    "update_time": "updated",
}


def draft_of(request: messages.CreateSegmentRequest) -> SegmentDraft:
    """What to create."""
    segment = request.segment
    _refuse_unserved(segment)
    if not request.segment_id:
        raise InvalidArgument("a segment needs an id", path="segment_id")
    return SegmentDraft(
        name=segment.display_name or request.segment_id,
        rule=rule_text(rule_of(segment.rule, "segment.rule")),
        id=request.segment_id,
        description=segment.description,
        folder=segment.folder,
        labels=labels_of(segment.labels, "segment.labels"),
    )


def _refuse_unserved(segment: messages.Segment) -> None:
    if segment.kind not in (_KIND.SEGMENT_KIND_UNSPECIFIED, _KIND.SEGMENT_KIND_DATA_DRIVEN):
        if segment.kind not in _KIND.values():
            raise InvalidArgument("no such kind of segment", path="segment.kind")
        raise NotServed("this kind of segment is", path="segment.kind")
    if segment.state not in (_STATE.SEGMENT_STATE_UNSPECIFIED, _STATE.SEGMENT_STATE_LIVE):
        if segment.state not in _STATE.values():
            raise InvalidArgument("no such state of a segment", path="segment.state")
        raise NotServed("this state of a segment is", path="segment.state")
    if segment.HasField("retention") or segment.retains_unknown_only:
        raise NotServed("retention is", path="segment.retention")


def labels_of(labels: Iterable[str], path: str) -> dict[str, str]:
    """Keys with their values; a key occurs once."""
    made: dict[str, str] = {}
    for i, label in enumerate(labels):
        key, _, value = label.partition("=")
        if not key:
            raise InvalidArgument("a label is a text that does not begin with =", path=f"{path}[{i}]")
        if key in made:
            raise InvalidArgument("a label twice", path=f"{path}[{i}]")
        made[key] = value
    return made


def _label_texts(labels: Mapping[str, str]) -> list[str]:
    return sorted(f"{key}={value}" if value else key for key, value in labels.items())


_MASKABLE = (
    "display_name",
    "description",
    "state",
    "rule",
    "folder",
    "labels",
    "retention",
    "retains_unknown_only",
)


def changes_of(request: messages.UpdateSegmentRequest) -> SegmentChanges:
    """What the mask names, or all that is set if it names nothing."""
    segment = request.segment
    paths = set(request.update_mask.paths)
    for path in sorted(paths - set(_MASKABLE)):
        raise InvalidArgument(
            f"the mask may name {', '.join(_MASKABLE)}; got {path[:60]!r}", path="update_mask"
        )
    if not paths:
        paths = {field.name for field, _ in segment.ListFields()} & set(_MASKABLE)
    _refuse_unserved(segment)
    if "rule" in paths and not segment.HasField("rule"):
        raise InvalidArgument("the mask names the rule and there is none", path="segment.rule")
    return SegmentChanges(
        name=segment.display_name if "display_name" in paths else None,
        rule=rule_text(rule_of(segment.rule, "segment.rule")) if "rule" in paths else None,
        description=segment.description if "description" in paths else None,
        folder=segment.folder if "folder" in paths else None,
        labels=labels_of(segment.labels, "segment.labels") if "labels" in paths else None,
    )


def query_of(request: messages.ListSegmentsRequest) -> SegmentQuery:
    """What to list; whether anything can be of the kind asked for is `lists_nothing`."""
    column, _, direction = request.order_by.partition(" ")
    if column not in _ORDERS or direction not in ("", "desc"):
        orders = ", ".join(name for name in _ORDERS if name)
        raise InvalidArgument(f"ordered by {orders}, each also with ` desc`", path="order_by")
    return SegmentQuery(
        folder=request.folder or None,
        label=request.label or None,
        text=request.text or None,
        order_by=_ORDERS[column] + (" desc" if direction else ""),
        page_size=page_size(request.page_size),
        page_token=request.page_token,
    )


def lists_nothing(request: messages.ListSegmentsRequest) -> bool:
    """Whether a kind is asked for that no segment has yet."""
    if request.kind not in _KIND.values():
        raise InvalidArgument("no such kind of segment", path="kind")
    return request.kind not in (_KIND.SEGMENT_KIND_UNSPECIFIED, _KIND.SEGMENT_KIND_DATA_DRIVEN)


def segment_answer(segment: answers.Segment, engine_us: int) -> messages.Segment:
    """A segment as an answer of its own."""
    answer = _segment(segment)
    stamp(answer, segment.version, segment.now_us, engine_us)
    return answer


def _segment(segment: answers.Segment) -> messages.Segment:
    made = messages.Segment(
        name=segment_name(segment.id),
        display_name=segment.name,
        description=segment.description,
        kind=_KIND.SEGMENT_KIND_DATA_DRIVEN,
        state=_STATE.SEGMENT_STATE_LIVE,
        rule=messages.Rule(text=segment.rule),
        folder=segment.folder,
        labels=_label_texts(segment.labels),
        size=segment.size or 0,
        etag=segment.etag,
    )
    put_instant(made.create_time, segment.created_us)
    put_instant(made.update_time, segment.updated_us)
    return made


def page_answer(page: SegmentPage, engine_us: int) -> messages.ListSegmentsResponse:
    answer = messages.ListSegmentsResponse(
        segments=[_segment(s) for s in page.segments],
        next_page_token=page.next_page_token,
        total_size=page.total_size,
    )
    stamp(answer, page.version, page.now_us, engine_us)
    return answer
