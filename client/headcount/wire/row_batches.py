"""Rows that go out one by one: what the client itself refuses is a rejected row like those that the server rejects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from headcount.errors import InvalidArgument
from headcount.values import RejectedRow, WriteReceipt

GivenT = TypeVar("GivenT")
RowT = TypeVar("RowT")

_REASONS = {"key": "BAD_KEY", "name": "BAD_NAME", "time": "BAD_TIME", "consent_time": "BAD_TIME"}
"""By field, in the server's words; of all others the value is bad."""


@dataclass(frozen=True, slots=True)
class RowBatch(Generic[RowT]):
    """The rows to send, where each stood among those given, and those that were refused before."""

    rows: list[RowT]
    positions: list[int]
    refused: tuple[RejectedRow, ...]

    def whole(self, receipt: WriteReceipt) -> WriteReceipt:
        """The receipt of the rows sent as that of the rows given. One that was not sent led to no segments."""
        if not self.refused:
            return receipt
        told = (replace(row, row=self.positions[row.row]) for row in receipt.rejected_rows)
        segments = receipt.segments
        if segments is not None:
            led: list[tuple[str, ...]] = [()] * (len(self.rows) + len(self.refused))
            for position, found in zip(self.positions, segments.rows, strict=True):
                led[position] = found
            segments = replace(segments, rows=tuple(led))
        rejected = tuple(sorted((*told, *self.refused), key=lambda row: row.row))
        return replace(receipt, rejected_rows=rejected, segments=segments)


def row_batch(
    given: Iterable[GivenT], encoded: Callable[[GivenT], RowT], *, all_or_nothing: bool
) -> RowBatch[RowT]:
    """Encode rows one by one.

    Raises InvalidArgument, which names the first bad row, where no row is good or where one refuses all.
    """
    rows: list[RowT] = []
    positions: list[int] = []
    refused: list[RejectedRow] = []
    first: InvalidArgument | None = None
    for position, row in enumerate(given):
        try:
            rows.append(encoded(row))
        except InvalidArgument as error:
            first = first or _named(error, position, row)
            if all_or_nothing:
                raise first from error
            refused.append(_rejected(error, position))
        else:
            positions.append(position)
    if first is not None and not rows:
        raise first
    return RowBatch(rows, positions, tuple(refused))


def _named(error: InvalidArgument, position: int, row: object) -> InvalidArgument:
    """The error with the row that it is about."""
    key = row.get("key") if isinstance(row, Mapping) else getattr(row, "key", None)
    who = f" (key {key!r})" if isinstance(key, str) else ""
    return InvalidArgument(
        f"row {position}{who}: {error.message}", reason=error.reason, details=error.details
    )


def _rejected(error: InvalidArgument, position: int) -> RejectedRow:
    kind, _, name = error.field.partition(".")
    field = name or kind
    message = f"{field}: {error.details.violations[0].description}" if error.details.violations else ""
    return RejectedRow(position, field, _REASONS.get(error.field, "BAD_VALUE"), message or error.message)
