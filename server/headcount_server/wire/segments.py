"""Segments: drafts, changes, queries, and segments as they are given back.

The contract's labels are texts, the engine's are keys with values: `team=crm` is the key `team` with a
value, `crm` a key without.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from headcount_engine.errors import InvalidArgument
from headcount_engine.model import answers
from headcount_engine.model.answers import SegmentChanges, SegmentDraft, SegmentPage, SegmentQuery
from headcount_engine.model.segments import SegmentKind, SegmentState
from headcount_server.wire import messages
from headcount_server.wire.fields import page_size, put_instant, stamp
from headcount_server.wire.rules import put_warnings, rule_of, rule_text, segment_name

_KIND = messages.SegmentKind
_STATE = messages.SegmentState
_ORDERS = {
    "": "id",
    "display_name": "name",
    "size": "size",
    "create_time": "created",
    "update_time": "updated",
}


def draft_of(request: messages.CreateSegmentRequest) -> SegmentDraft:
    """What to create."""
    segment = request.segment
    if not request.segment_id:
        raise InvalidArgument("a segment needs an id", path="segment_id")
    kind = _kind_of(segment.kind, "segment.kind")
    has_rule = segment.HasField("rule") or kind is not SegmentKind.MANUAL
    return SegmentDraft(
        name=segment.display_name or request.segment_id,
        rule=rule_text(rule_of(segment.rule, "segment.rule")) if has_rule else "",
        id=request.segment_id,
        description=segment.description,
        folder=segment.folder,
        labels=labels_of(segment.labels, "segment.labels"),
        kind=kind,
        state=_state_of(segment.state, "segment.state") or SegmentState.LIVE,
        retention_us=_retention_us(segment) or None,
        retention_is_for_unknown=segment.retains_unknown_only,
        source=segment.source,
        holding=rule_text(rule_of(request.holding, "holding")) if request.HasField("holding") else "",
    )


_KINDS = {
    _KIND.SEGMENT_KIND_DATA_DRIVEN: SegmentKind.RULE,
    _KIND.SEGMENT_KIND_MANUAL: SegmentKind.MANUAL,
    _KIND.SEGMENT_KIND_DATA_DRIVEN_WITH_OVERRIDES: SegmentKind.OVERRIDES,
}
_STATES = {
    _STATE.SEGMENT_STATE_DRAFT: SegmentState.DRAFT,
    _STATE.SEGMENT_STATE_LIVE: SegmentState.LIVE,
    _STATE.SEGMENT_STATE_PAUSED: SegmentState.PAUSED,
    _STATE.SEGMENT_STATE_ARCHIVED: SegmentState.ARCHIVED,
}
_KIND_NUMBERS = {kind: number for number, kind in _KINDS.items()}
_STATE_NUMBERS = {state: number for number, state in _STATES.items()}


def _kind_of(number: messages.SegmentKind, path: str) -> SegmentKind | None:
    """None for an unspecified one."""
    if number not in _KIND.values():
        raise InvalidArgument("no such kind of segment", path=path)
    return _KINDS.get(number)


def _state_of(number: messages.SegmentState, path: str) -> SegmentState | None:
    if number not in _STATE.values():
        raise InvalidArgument("no such state of a segment", path=path)
    return _STATES.get(number)


def _retention_us(segment: messages.Segment) -> int:
    """0 for none."""
    if not segment.HasField("retention"):
        return 0
    seconds, nanos = segment.retention.seconds, segment.retention.nanos
    if nanos % 1_000 or not 0 <= nanos < 1_000_000_000 or seconds < 0:
        raise InvalidArgument("a duration in whole microseconds, not negative", path="segment.retention")
    return seconds * 1_000_000 + nanos // 1_000


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
    "source",
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
    if "rule" in paths and not segment.HasField("rule"):
        raise InvalidArgument("the mask names the rule and there is none", path="segment.rule")
    return SegmentChanges(
        name=segment.display_name if "display_name" in paths else None,
        rule=rule_text(rule_of(segment.rule, "segment.rule")) if "rule" in paths else None,
        description=segment.description if "description" in paths else None,
        folder=segment.folder if "folder" in paths else None,
        labels=labels_of(segment.labels, "segment.labels") if "labels" in paths else None,
        state=_state_asked(segment) if "state" in paths else None,
        retention_us=_retention_us(segment) if "retention" in paths else None,
        retention_is_for_unknown=segment.retains_unknown_only if "retains_unknown_only" in paths else None,
        source=segment.source if "source" in paths else None,
    )


def _state_asked(segment: messages.Segment) -> SegmentState:
    state = _state_of(segment.state, "segment.state")
    if state is None:
        raise InvalidArgument("the mask names the state and there is none", path="segment.state")
    return state


def query_of(request: messages.ListSegmentsRequest) -> SegmentQuery:
    """What to list."""
    column, _, direction = request.order_by.partition(" ")
    if column not in _ORDERS or direction not in ("", "desc"):
        orders = ", ".join(name for name in _ORDERS if name)
        raise InvalidArgument(f"ordered by {orders}, each also with ` desc`", path="order_by")
    return SegmentQuery(
        folder=request.folder or None,
        label=request.label or None,
        text=request.text or None,
        kind=_kind_of(request.kind, "kind"),
        states=_states_of(request),
        order_by=_ORDERS[column] + (" desc" if direction else ""),
        page_size=page_size(request.page_size),
        page_token=request.page_token,
    )


def _states_of(request: messages.ListSegmentsRequest) -> frozenset[SegmentState]:
    """None at all means all but archived ones."""
    found = [_state_of(number, f"states[{i}]") for i, number in enumerate(request.states)]
    if None in found:
        raise InvalidArgument("no such state of a segment", path=f"states[{found.index(None)}]")
    named = frozenset(state for state in found if state is not None)
    if not named and request.include_archived:
        return frozenset(SegmentState)
    return named


def segment_answer(segment: answers.Segment, engine_us: int) -> messages.Segment:
    """A segment as an answer of its own."""
    answer = _segment(segment)
    answer.warnings.extend(put_warnings(segment.warnings))
    stamp(answer, segment.version, segment.now_us, engine_us)
    return answer


def _segment(segment: answers.Segment) -> messages.Segment:
    made = messages.Segment(
        name=segment_name(segment.id),
        display_name=segment.name,
        description=segment.description,
        kind=_KIND_NUMBERS[segment.kind],
        state=_STATE_NUMBERS[segment.state],
        rule=messages.Rule(text=segment.rule) if segment.rule else None,
        folder=segment.folder,
        labels=_label_texts(segment.labels),
        size=segment.size or 0,
        etag=segment.etag,
        retains_unknown_only=segment.retention_is_for_unknown,
        is_legacy=bool(segment.legacy_reason),
        legacy_reason=segment.legacy_reason,
        source=segment.source,
        references=[segment_name(id_) for id_ in segment.references],
        dependents=[segment_name(id_) for id_ in segment.dependents],
    )
    if segment.retention_us is not None:
        seconds, micros = divmod(segment.retention_us, 1_000_000)
        made.retention.seconds, made.retention.nanos = seconds, micros * 1_000
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
