"""Batches that must be applied in turns: rows of one profile that build on one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from headcount_engine.model.batches import I64, Column, ProfileBatch, Texts, WriteReceipt


def rows_of_profiles(batch: ProfileBatch, rows: I64) -> ProfileBatch:
    """The batch with only these rows."""
    return replace(batch, keys=batch.keys.take(rows), columns=tuple(_rows_of(c, rows) for c in batch.columns))


def _rows_of(column: Column, rows: I64) -> Column:
    values, offsets = column.values, column.element_offsets
    if offsets is not None:
        assert isinstance(values, Texts)
        starts, ends = offsets[rows], offsets[rows + 1]
        offsets = np.append(0, np.cumsum(ends - starts))
        at = np.arange(int(offsets[-1]), dtype=np.int64) + np.repeat(starts - offsets[:-1], ends - starts)
        values = values.take(at)
    else:
        values = values.take(rows) if isinstance(values, Texts) else values[rows]
    return replace(
        column,
        values=values,
        element_offsets=offsets,
        present=None if column.present is None else column.present[rows],
        unset=None if column.unset is None else column.unset[rows],
        given_us=None if column.given_us is None else column.given_us[rows],
    )


def joined_receipt(receipts: Sequence[WriteReceipt], parts: Sequence[I64]) -> WriteReceipt:
    """One receipt for a batch applied in parts, with rows counted as in the whole batch."""
    rejected = [
        replace(row, row=int(rows[row.row]))
        for receipt, rows in zip(receipts, parts, strict=True)
        for row in receipt.rejected
    ]
    return WriteReceipt(
        receipts[-1].version,
        receipts[-1].now_us,
        sum(r.accepted for r in receipts),
        sum(r.created for r in receipts),
        sum(r.duplicates for r in receipts),
        tuple(sorted(rejected, key=lambda r: r.row)),
    )
