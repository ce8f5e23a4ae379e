"""SegmentService: named audiences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headcount_server.context import Context
from headcount_server.services.asking import Stopwatch, reach, rule_in
from headcount_server.wire import messages
from headcount_server.wire import segments as wire
from headcount_server.wire.fields import need_of, stamp
from headcount_server.wire.rules import as_sent, segment_id

if TYPE_CHECKING:
    from headcount_engine import Database


class Segments:
    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, request: messages.CreateSegmentRequest, context: Context) -> messages.Segment:
        draft = wire.draft_of(request)
        context.deadline.check()
        watch = Stopwatch()
        sent = as_sent(request.segment.rule, draft.rule) if draft.rule else None
        with rule_in("holding" if draft.holding else "segment.rule", sent):
            made = self._database.create_segment(draft, validate_only=request.validate_only)
        return wire.segment_answer(made, watch.us)

    def get(self, request: messages.GetSegmentRequest, context: Context) -> messages.Segment:
        id_ = segment_id(request.name, "name")
        watch = Stopwatch()
        reach(self._database, need_of(request, context.deadline))
        return wire.segment_answer(self._database.get_segment(id_), watch.us)

    def list(self, request: messages.ListSegmentsRequest, context: Context) -> messages.ListSegmentsResponse:
        query = wire.query_of(request)
        watch = Stopwatch()
        reach(self._database, need_of(request, context.deadline))
        return wire.page_answer(self._database.list_segments(query), watch.us)

    def update(self, request: messages.UpdateSegmentRequest, context: Context) -> messages.Segment:
        id_ = segment_id(request.segment.name, "segment.name")
        changes = wire.changes_of(request)
        context.deadline.check()
        watch = Stopwatch()
        etag = request.segment.etag or None
        sent = None if changes.rule is None else as_sent(request.segment.rule, changes.rule)
        with rule_in("segment.rule", sent):
            made = self._database.update_segment(id_, changes, etag=etag, validate_only=request.validate_only)
        return wire.segment_answer(made, watch.us)

    def delete(
        self, request: messages.DeleteSegmentRequest, context: Context
    ) -> messages.DeleteSegmentResponse:
        id_ = segment_id(request.name, "name")
        context.deadline.check()
        watch = Stopwatch()
        self._database.delete_segment(id_, etag=request.etag or None)
        state = self._database.status()
        answer = messages.DeleteSegmentResponse()
        stamp(answer, state.version, state.now_us, watch.us)
        return answer

    def duplicate(self, request: messages.DuplicateSegmentRequest, context: Context) -> messages.Segment:
        """A copy. Names are unique, so one that is given none is called `Copy of` the original, if need be numbered."""
        id_ = segment_id(request.name, "name")
        context.deadline.check()
        watch = Stopwatch()
        made = self._database.duplicate_segment(id_, request.segment_id, request.display_name)
        return wire.segment_answer(made, watch.us)
