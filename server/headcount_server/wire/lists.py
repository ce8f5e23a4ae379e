"""Lists of members: whom a request names, which options an import has, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.batches import RejectedRow, Texts
from headcount_engine.model.segments import ImportMode, ListReceipt, NamedPeople
from headcount_server.loading.member_files import MemberFile
from headcount_server.wire import messages
from headcount_server.wire.fields import checked_count, stamp

ROWS_MAX = 1_000_000
"""In one unary call; longer lists are imported."""
_MODES = {
    messages.ImportMode.IMPORT_MODE_APPEND: ImportMode.APPEND,
    messages.ImportMode.IMPORT_MODE_REPLACE: ImportMode.REPLACE,
    messages.ImportMode.IMPORT_MODE_REMOVE: ImportMode.REMOVE,
}


def people_of(request: messages.AddMembersRequest | messages.RemoveMembersRequest) -> list[NamedPeople]:
    """Keys, then identifiers; neighbours of one type together, so that rows keep their places."""
    checked_count(len(request.keys) + len(request.identifiers), ROWS_MAX, "keys")
    people = [NamedPeople(Texts.of(list(request.keys)))]
    type_, values = "", list[str]()
    for i, identifier in enumerate(request.identifiers):
        if not identifier.type:
            raise InvalidArgument("an identifier has a type", path=f"identifiers[{i}].type")
        if identifier.type != type_ and values:
            people.append(NamedPeople(Texts.of(values), type_))
            values = []
        type_ = identifier.type
        values.append(identifier.value)
    if values:
        people.append(NamedPeople(Texts.of(values), type_))
    return people


def mode_of(options: messages.ImportMembersOptions) -> ImportMode:
    """Raises InvalidArgument where none is said: whether a list is replaced is not to be guessed."""
    if options.mode not in _MODES:
        raise InvalidArgument("the mode is append, replace or remove", path="options.mode")
    return _MODES[options.mode]


def delimiter_of(options: messages.ImportMembersOptions) -> str:
    delimiter = options.delimiter or ","
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0':
        raise InvalidArgument("the delimiter is one ASCII character", path="options.delimiter")
    return delimiter


def add_answer(receipt: ListReceipt, engine_us: int) -> messages.AddMembersResponse:
    answer = messages.AddMembersResponse(
        joined=receipt.joined, size=receipt.size, rejected_rows=_rejected(receipt.rejected)
    )
    stamp(answer, receipt.version, receipt.now_us, engine_us)
    return answer


def remove_answer(receipt: ListReceipt, engine_us: int) -> messages.RemoveMembersResponse:
    answer = messages.RemoveMembersResponse(
        left=receipt.left, size=receipt.size, rejected_rows=_rejected(receipt.rejected)
    )
    stamp(answer, receipt.version, receipt.now_us, engine_us)
    return answer


def header_of(options: messages.ImportMembersOptions) -> bool | None:
    """Whether the first row is the header; None where the file is to tell."""
    if options.has_header and options.has_no_header:
        raise InvalidArgument("there is a header or there is none", path="options.has_header")
    return options.has_header if options.has_header or options.has_no_header else None


def import_answer(receipt: ListReceipt, file: MemberFile, engine_us: int) -> messages.ImportMembersResponse:
    """With what the file says of rows that had nothing to look for, and where they stand in it."""
    told = [replace(row, message=file.malformed.get(row.row, row.message)) for row in receipt.rejected]
    answer = messages.ImportMembersResponse(
        rows=receipt.rows,
        joined=receipt.joined,
        left=receipt.left,
        size=receipt.size,
        rejected_rows=_rejected(told),
        rejected_row_count=receipt.unknown + receipt.duplicates + receipt.malformed,
        unknown_count=receipt.unknown,
        duplicate_count=receipt.duplicates,
        malformed_count=receipt.malformed,
        has_header=file.has_header,
    )
    for row in answer.rejected_rows:
        row.line = file.lines[row.row]
    stamp(answer, receipt.version, receipt.now_us, engine_us)
    return answer


def _rejected(rows: Iterable[RejectedRow]) -> list[messages.RejectedRow]:
    return [
        messages.RejectedRow(row=r.row, field=r.field, reason=r.reason.name, message=r.message) for r in rows
    ]
