"""Requests carried out lately, with what they were answered: one that is sent again changes nothing.

A request may make several commits; each is a part of it, numbered from 0. Forgotten is what is older than the horizon
by the engine's clock, and the oldest beyond a number of bytes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

from headcount_engine.errors import InvalidArgument
from headcount_engine.model.batches import Reason, RejectedRow, WriteReceipt
from headcount_engine.model.requests import RequestId

HORIZON_US: Final = 24 * 3_600_000_000
BYTES_MAX: Final = 128 << 20
REJECTED_ROWS_MAX: Final = 10_000
"""Rejected rows that are kept of one answer, the first ones; how many there were follows from what was accepted."""
_ENTRY_BYTES: Final = 500
_ROW_BYTES: Final = 250


@dataclass(frozen=True, slots=True)
class Mark:
    """One commit of a request. `receipt`: what the caller was told of it, or None where a receipt does not tell;
    its version and now are those of the commit."""

    request: RequestId
    part: int
    receipt: WriteReceipt | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A part of a request that was carried out. `answer`: the whole answer, of part 0, where it was handed in."""

    digest: bytes
    version: int
    now_us: int
    receipt: WriteReceipt | None
    answer: bytes | None = None

    @property
    def nbytes(self) -> int:
        rows = 0 if self.receipt is None else len(self.receipt.rejected)
        return _ENTRY_BYTES + rows * _ROW_BYTES + len(self.answer or b"")


class Requests:
    """Changed under the writer's turn only; `find` on any thread."""

    def __init__(self, bytes_max: int = BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, int], Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, request: RequestId, part: int, now_us: int) -> Kept | None:
        """What became of a part; None where it was not carried out or that was forgotten.

        Raises InvalidArgument where the id came with another request.
        """
        found = self._kept.get((request.text, part))
        if found is None or now_us - found.now_us > HORIZON_US:
            return None
        if found.digest != request.digest:
            raise InvalidArgument("this request id came with another request before", path="request_id")
        return found

    def publish(self, marks: Sequence[Mark], version: int, now_us: int) -> None:
        """Remember the parts that a commit carried out."""
        for mark in marks:
            receipt = mark.receipt
            if receipt is not None:
                rejected = receipt.rejected[:REJECTED_ROWS_MAX]
                receipt = replace(receipt, version=version, now_us=now_us, rejected=rejected)
            self._put((mark.request.text, mark.part), Kept(mark.request.digest, version, now_us, receipt))
        self._forget(now_us)

    def answered(self, request: RequestId, answer: bytes, now_us: int) -> None:
        """Keep the whole answer of a request; nothing where it was forgotten meanwhile."""
        found = self.find(request, 0, now_us)
        if found is not None:
            self._put((request.text, 0), replace(found, answer=answer))
            self._forget(now_us)

    def _put(self, key: tuple[str, int], kept: Kept) -> None:
        before = self._kept.pop(key, None)
        self._bytes += kept.nbytes - (0 if before is None else before.nbytes)
        self._kept[key] = kept

    def _forget(self, now_us: int) -> None:
        while self._kept:
            key, oldest = next(iter(self._kept.items()))
            if now_us - oldest.now_us <= HORIZON_US and self._bytes <= self._bytes_max:
                return
            del self._kept[key]
            self._bytes -= oldest.nbytes

    def dump(self) -> Iterator[list[object]]:
        """Every part as plain values, oldest first."""
        for (text, part), kept in self._kept.items():
            yield [text, part, kept.digest, kept.version, kept.now_us, plain_of(kept.receipt), kept.answer]

    def restore(self, plain: Sequence[object]) -> None:
        """Take what `dump` gave."""
        for each in plain:
            text, part, digest, version, now_us, receipt, answer = cast(
                "tuple[str, int, bytes, int, int, list[object] | None, bytes | None]", each
            )
            told = None if receipt is None else replace(receipt_of(receipt), version=version, now_us=now_us)
            self._put((text, part), Kept(bytes(digest), version, now_us, told, answer))

    @property
    def nbytes(self) -> int:
        return self._bytes


def plain_of(receipt: WriteReceipt | None) -> list[object] | None:
    """A receipt without its version and now, as plain values."""
    if receipt is None:
        return None
    rows = [[r.row, r.field, r.reason.name, r.message] for r in receipt.rejected[:REJECTED_ROWS_MAX]]
    return [receipt.accepted, receipt.created, receipt.duplicates, rows]


def receipt_of(plain: Sequence[object]) -> WriteReceipt:
    """What `plain_of` gave, with version and now 0."""
    accepted, created, duplicates, rows = cast("tuple[int, int, int, list[tuple[int, str, str, str]]]", plain)
    rejected = tuple(RejectedRow(row, field, Reason[reason], message) for row, field, reason, message in rows)
    return WriteReceipt(0, 0, accepted, created, duplicates, rejected)
