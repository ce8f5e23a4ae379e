"""AudienceService: audiences to send to, resolved once and read in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from headcount_engine.conditions.tree import Condition
from headcount_engine.model.answers import Need
from headcount_server.context import Context
from headcount_server.services.asking import Stopwatch, rule_in, rules_in
from headcount_server.wire import messages
from headcount_server.wire import segments as segment_wire
from headcount_server.wire import sending as wire
from headcount_server.wire.fields import need_of, optional_instant_us, stamp

if TYPE_CHECKING:
    from headcount_engine import Database
    from headcount_engine.audiences.handles import Handle
    from headcount_engine.sending import Sending as Audiences

IDS_OF_A_CHUNK: Final = 1 << 17
"""512 KiB."""
KEYS_OF_A_CHUNK: Final = 1 << 15
KEY_BYTES_WANTED: Final = 768 << 10
KEY_BYTES_MAX: Final = 1 << 20
"""Chunks of keys begin small and grow or shrink to the size wanted."""
FILE_BYTES_MAX: Final = 1 << 20


class Sending:
    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def _sending(self) -> Audiences:
        return self._database.sending

    def create(self, request: messages.CreateAudienceRequest, context: Context) -> messages.Audience:
        wanted = wire.wanted(request)
        need = need_of(request, context.deadline)
        at_us = optional_instant_us(request, "at")
        with rules_in(self._database, wanted.asked, need):
            answer = self._sending.resolve(
                wanted.request,
                validate_only=request.validate_only,
                life_us=wanted.life_us,
                at_us=at_us,
                need=need,
            )
        return wire.audience_answer(answer)

    def read(
        self, request: messages.ReadAudienceRequest, context: Context
    ) -> Iterator[messages.ReadAudienceResponse]:
        """The members from an offset on, in chunks; at least one, which tells the size. Nothing is held meanwhile."""
        form = wire.member_form(request)
        handle = self._sending.handle(wire.audience_name(request.name))
        offset = request.offset
        keys_wanted = KEYS_OF_A_CHUNK
        while True:
            context.deadline.check()
            watch = Stopwatch()
            answer = messages.ReadAudienceResponse(offset=offset, size=handle.size)
            match form:
                case messages.MemberForm.MEMBER_FORM_IDS:
                    count = _at_most(request.chunk_size, IDS_OF_A_CHUNK)
                    wire.put_ids(answer, self._sending.ids(handle, offset, count))
                    after = min(offset + count, handle.size)
                case messages.MemberForm.MEMBER_FORM_KEYS:
                    after, keys_wanted = self._put_keys(
                        answer, handle, offset, _at_most(request.chunk_size, keys_wanted)
                    )
                case _:
                    count = _at_most(request.chunk_size, 1 << 32)
                    answer.roaring, after = self._sending.roaring(handle, offset, count)
            answer.next_offset = after
            stamp(answer, handle.version, handle.now_us, watch.us)
            yield answer
            offset = after
            if offset >= handle.size:
                return

    def _put_keys(
        self, answer: messages.ReadAudienceResponse, handle: Handle, offset: int, count: int
    ) -> tuple[int, int]:
        """(where to go on, how many to take next)."""
        while True:
            keys = self._sending.keys(handle, offset, count)
            size = len(keys.data) + 4 * len(keys.offsets)
            fitting = max(1, count * KEY_BYTES_WANTED // size)
            if size <= KEY_BYTES_MAX or count == 1:
                break
            count = fitting
        wire.put_keys(answer, keys)
        return min(offset + count, handle.size), fitting

    def keep(self, request: messages.KeepAudienceRequest, context: Context) -> messages.Segment:
        name, draft = wire.audience_name(request.name), wire.draft_of(request)
        context.deadline.check()
        watch = Stopwatch()
        return segment_wire.segment_answer(self._sending.keep(name, draft), watch.us)

    def delete(
        self, request: messages.DeleteAudienceRequest, context: Context
    ) -> messages.DeleteAudienceResponse:
        name = wire.audience_name(request.name)
        context.deadline.check()
        watch = Stopwatch()
        self._sending.delete(name)
        state = self._database.status()
        answer = messages.DeleteAudienceResponse()
        stamp(answer, state.version, state.now_us, watch.us)
        return answer

    def preview(
        self, request: messages.PreviewAudienceRequest, context: Context
    ) -> messages.PreviewAudienceResponse:
        who, question = wire.who_of(request), wire.preview_question(request)
        need = need_of(request, context.deadline)
        need = Need(max(need.min_version, question.min_version), need.min_now_us, need.deadline)
        with rule_in("rule", who if isinstance(who, str | Condition) else None):
            answer = self._sending.preview(
                who,
                attributes=request.attributes,
                part=question.part,
                size=question.size,
                at_us=optional_instant_us(request, "at"),
                need=need,
            )
        return wire.preview_answer(request, answer)

    def export(
        self, request: messages.ExportAudienceRequest, context: Context
    ) -> Iterator[messages.ExportAudienceResponse]:
        """A file in pieces; `next_offset` and `size` tell how far it is."""
        who, format_ = wire.who_of(request), wire.export_format(request)
        need = need_of(request, context.deadline)
        watch = Stopwatch()
        with rule_in("rule", who if isinstance(who, str | Condition) else None):
            export = self._sending.export(
                who, format_, attributes=request.attributes, offset=request.offset, need=need
            )
        with export:
            offset = request.offset
            for piece in export:
                for data, after in wire.put_piece(piece, offset, FILE_BYTES_MAX):
                    answer = messages.ExportAudienceResponse(chunk=data, next_offset=after, size=export.size)
                    stamp(answer, export.version, export.now_us, watch.us)
                    yield answer
                    watch = Stopwatch()
                offset = piece.next_offset


def _at_most(asked: int, bound: int) -> int:
    return min(asked, bound) if asked else bound
