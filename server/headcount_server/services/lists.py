"""SegmentService: the members of manual segments and of those with overrides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headcount_engine.errors import InvalidArgument
from headcount_engine.limits import DEFAULT_LIMITS
from headcount_engine.model.segments import NamedPeople
from headcount_server.context import Context
from headcount_server.loading.member_files import MemberFile
from headcount_server.repeats import Repeats
from headcount_server.services.asking import Stopwatch
from headcount_server.wire import lists as wire
from headcount_server.wire import messages
from headcount_server.wire.rules import segment_id

if TYPE_CHECKING:
    from headcount_engine import Database

_IMPORT = "/headcount.v1.SegmentService/ImportMembers"


class Lists:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._imported = Repeats(_IMPORT, messages.ImportMembersResponse, database)

    def add(self, request: messages.AddMembersRequest, context: Context) -> messages.AddMembersResponse:
        id_, people = segment_id(request.name, "name"), wire.people_of(request)
        context.deadline.check()
        watch = Stopwatch()
        return wire.add_answer(self._database.add_members(id_, people), watch.us)

    def remove(
        self, request: messages.RemoveMembersRequest, context: Context
    ) -> messages.RemoveMembersResponse:
        id_, people = segment_id(request.name, "name"), wire.people_of(request)
        context.deadline.check()
        watch = Stopwatch()
        return wire.remove_answer(self._database.remove_members(id_, people), watch.us)

    def import_(
        self, requests: Iterator[messages.ImportMembersRequest], context: Context
    ) -> messages.ImportMembersResponse:
        """The whole file is read before anything of it is applied, in one version."""
        first = next(requests, None)
        if first is None or first.WhichOneof("payload") != "options":
            raise InvalidArgument("the first message says what to import into", path="options")
        options = first.options
        id_, mode = segment_id(options.name, "options.name"), wire.mode_of(options)
        digest = hashlib.blake2b(options.SerializeToString(deterministic=True))
        file = MemberFile(
            _pieces(requests, digest, context),
            column=options.column,
            delimiter=wire.delimiter_of(options),
            has_header=wire.header_of(options),
            identifier_type=options.identifier_type,
            rows_max=DEFAULT_LIMITS.batch_rows,
        )
        people = [NamedPeople(texts, options.identifier_type) for texts in file.chunks]
        context.deadline.check()

        def apply() -> messages.ImportMembersResponse:
            watch = Stopwatch()
            receipt = self._database.import_members(id_, people, mode, allow_empty=options.allow_empty)
            return wire.import_answer(receipt, file, watch.us)

        content = messages.ImportMembersRequest(chunk=digest.digest())
        return self._imported.run(content, options.request_id, context, apply)


def _pieces(
    requests: Iterator[messages.ImportMembersRequest], digest: hashlib.blake2b, context: Context
) -> Iterator[bytes]:
    """The file as it comes; `digest` takes all of it."""
    for request in requests:
        context.deadline.check()
        if request.WhichOneof("payload") != "chunk":
            raise InvalidArgument("after the options come pieces of the file", path="chunk")
        digest.update(request.chunk)
        yield request.chunk
