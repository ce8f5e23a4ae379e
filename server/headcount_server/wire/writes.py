"""What a write did, as its answers say it."""

from __future__ import annotations

from headcount_engine.model.batches import WriteReceipt
from headcount_server.wire import messages
from headcount_server.wire.fields import stamp

REJECTED_ROWS_MAX = 10_000
"""Rejected rows that one answer lists; the first ones. How many there were follows from the number
accepted."""


def rejected_rows(receipt: WriteReceipt) -> list[messages.RejectedRow]:
    return [
        messages.RejectedRow(row=r.row, field=r.field, reason=r.reason.name, message=r.message)
        for r in receipt.rejected[:REJECTED_ROWS_MAX]
    ]


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
        accepted_rows=receipt.accepted,
        created_profiles=receipt.created,
        duplicate_events=receipt.duplicates,
        rejected_rows=rejected_rows(receipt),
    )
    stamp(answer, receipt.version, receipt.now_us, engine_us)
    return answer


def ingest_answer(
    receipt: WriteReceipt, engine_us: int, batch_number: int, total_accepted: int
) -> messages.IngestStreamResponse:
    answer = messages.IngestStreamResponse(
        batch_number=batch_number,
        accepted_rows=receipt.accepted,
        created_profiles=receipt.created,
        duplicate_events=receipt.duplicates,
        rejected_rows=rejected_rows(receipt),
        total_accepted_rows=total_accepted,
    )
    stamp(answer, receipt.version, receipt.now_us, engine_us)
    return answer
