"""What a write did, as its answers say it."""

from __future__ import annotations

from headcount_engine.model.answers import RowsAnswer
from headcount_engine.model.batches import WriteReceipt
from headcount_server.wire import messages
from headcount_server.wire.fields import put_instant, stamp
from headcount_server.wire.rules import SEGMENT_PREFIX

REJECTED_ROWS_MAX = 10_000
"""Rejected rows that one answer lists; the first ones. How many there were follows from the number
accepted."""


def rejected_rows(receipt: WriteReceipt) -> list[messages.RejectedRow]:
    return [
        messages.RejectedRow(row=r.row, field=r.field, reason=r.reason.name, message=r.message)
        for r in receipt.rejected[:REJECTED_ROWS_MAX]
    ]


def segments_after(found: RowsAnswer) -> messages.SegmentsAfter:
    made = messages.SegmentsAfter(version=found.version)
    put_instant(made.now, found.now_us)
    for segments in found.rows:
        made.rows.add(segments=[f"{SEGMENT_PREFIX}{id_}" for id_ in segments or ()])
    return made


def upsert_answer(receipt: WriteReceipt, engine_us: int) -> messages.BatchUpsertProfilesResponse:
    answer = messages.BatchUpsertProfilesResponse(
        accepted_rows=receipt.accepted,
        created_profiles=receipt.created,
        rejected_rows=rejected_rows(receipt),
    )
    stamp(answer, receipt.version, receipt.now_us, engine_us)
    return answer


def track_answer(receipt: WriteReceipt, engine_us: int) -> messages.TrackEventsResponse:
    answer = messages.TrackEventsResponse(
        accepted_rows=receipt.accepted + receipt.duplicates,
        created_profiles=receipt.created,
        duplicate_events=receipt.duplicates,
        rejected_rows=rejected_rows(receipt),
    )
    stamp(answer, receipt.version, receipt.now_us, engine_us)
    return answer


def ingest_answer(receipt: WriteReceipt, engine_us: int) -> messages.IngestStreamResponse:
    """Of the batch alone; `numbered` puts it in its place in a stream."""
    answer = messages.IngestStreamResponse(
        accepted_rows=receipt.accepted + receipt.duplicates,
        created_profiles=receipt.created,
        duplicate_events=receipt.duplicates,
        rejected_rows=rejected_rows(receipt),
    )
    stamp(answer, receipt.version, receipt.now_us, engine_us)
    return answer


def numbered(
    answer: messages.IngestStreamResponse, batch_number: int, total_accepted: int
) -> messages.IngestStreamResponse:
    """A copy with the caller's number for the batch and the rows accepted on the stream so far."""
    made = messages.IngestStreamResponse()
    made.CopyFrom(answer)
    made.batch_number = batch_number
    made.total_accepted_rows = total_accepted
    return made
