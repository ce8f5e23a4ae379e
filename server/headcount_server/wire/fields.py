"""What recurs in requests and answers: instants, what a read must reflect, stamps, limits, bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import InvalidArgument
from headcount_engine.limits import INSTANT_MAX_US, INSTANT_MIN_US
from headcount_engine.model.answers import Deadline, Need
from headcount_engine.model.batches import Mask
from headcount_server.wire.messages import Message, Timestamp

_U32_MAX = (1 << 32) - 1


class Stamped(Protocol):
    """Every answer that stands on its own."""

    version: int
    engine_us: int

    @property
    def now(self) -> Timestamp: ...


class Demanding(Protocol):
    """Every request that may ask for its own writes."""

    min_version: int

    @property
    def min_now(self) -> Timestamp: ...

    def HasField(self, field_name: str, /) -> bool: ...  # noqa: N802


def instant_us(stamp: Timestamp, path: str) -> int:
    """Microseconds since the epoch; refused outside the years 1 to 9999 and for parts below a microsecond."""
    if not 0 <= stamp.nanos < 1_000_000_000 or stamp.nanos % 1_000:
        raise InvalidArgument("an instant is in whole microseconds, nanos from 0 to 999,999,000", path=path)
    us = stamp.seconds * 1_000_000 + stamp.nanos // 1_000
    if not INSTANT_MIN_US <= us <= INSTANT_MAX_US:
        raise InvalidArgument("an instant lies in the years 1 to 9999", path=path)
    return us


def optional_instant_us(message: Message, field: str, path: str | None = None) -> int | None:
    """The instant in a field that may be absent."""
    if not message.HasField(field):
        return None
    stamp: Timestamp = getattr(message, field)
    return instant_us(stamp, path or field)


def put_instant(stamp: Timestamp, us: int) -> None:
    stamp.seconds, micros = divmod(us, 1_000_000)
    stamp.nanos = micros * 1_000


def need_of(request: Demanding, deadline: Deadline) -> Need:
    """What the answer must at least reflect."""
    now = instant_us(request.min_now, "min_now") if request.HasField("min_now") else None
    return Need(request.min_version, now, deadline)


def stamp(answer: Stamped, version: int, now_us: int, engine_us: int) -> None:
    answer.version = version
    answer.engine_us = min(engine_us, _U32_MAX)
    put_instant(answer.now, now_us)


def checked_count(got: int, bound: int, path: str) -> int:
    """`got` if it does not pass the bound on entries; raises InvalidArgument."""
    if got > bound:
        raise InvalidArgument(f"at most {bound:,} entries, got {got:,}", path=path)
    return got


def page_size(asked: int) -> int:
    """Rows of a page: 0 means 100, more than 1,000 means 1,000 (AIP-158); below 0 is refused."""
    if asked < 0:
        raise InvalidArgument("a page size is not negative", path="page_size")
    return min(asked or 100, 1_000)


def bits(flags: NDArray[np.bool_] | Sequence[bool]) -> bytes:
    """One bit each, least significant first, row by row without gaps."""
    return np.packbits(np.asarray(flags, dtype=np.bool_).reshape(-1), bitorder="little").tobytes()


def mask(packed: bytes, rows: int, path: str) -> Mask | None:
    """The bools of a bit field over `rows`; None for an empty one."""
    if not packed:
        return None
    if len(packed) != (rows + 7) // 8:
        raise InvalidArgument(
            f"{rows:,} rows take {(rows + 7) // 8:,} bytes of bits, got {len(packed):,}", path=path
        )
    flags = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=rows, bitorder="little")
    return flags.astype(np.bool_)
