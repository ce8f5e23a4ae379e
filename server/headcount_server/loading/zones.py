"""Clock readings without an offset, in a named zone, all rows at once."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headcount_engine.limits import INSTANT_MIN_US
from headcount_engine.model.instants import days_to_date, local_to_us, start_of_day_us
from headcount_server.loading.columns import numbers_of

_EPOCH = dt.datetime(1970, 1, 1)


def local_to_utc_us(local: pa.Array, zone: str) -> NDArray[np.int64]:
    """Naive timestamps[us] as microseconds since the epoch, read as `model.instants.local_to_us` reads each."""
    if zone in ("UTC", "Etc/UTC"):
        return numbers_of(local.cast(pa.int64()), np.int64)
    early = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="earliest")
    late = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
    instants = numbers_of(early.cast(pa.int64()), np.int64).copy()
    # Where the two differ, clocks jumped over the reading.
    skipped = np.flatnonzero(instants != numbers_of(late.cast(pa.int64()), np.int64))
    readings = numbers_of(local.cast(pa.int64()), np.int64)
    for row in skipped.tolist():
        instants[row] = local_to_us(_EPOCH + dt.timedelta(microseconds=int(readings[row])), zone)
    return instants


def days_to_utc_us(days: NDArray[np.int32], zone: str) -> NDArray[np.int64]:
    """The first instant of each day in the zone; INSTANT_MIN_US - 1 where that lies before the year 1."""
    distinct, codes = np.unique(days, return_inverse=True)
    starts = np.array([_start(day, zone) for day in distinct.tolist()], dtype=np.int64)
    return starts[codes] if len(distinct) else np.zeros(0, dtype=np.int64)


def _start(day: int, zone: str) -> int:
    try:
        return start_of_day_us(days_to_date(day), zone)
    except OverflowError:
        return INSTANT_MIN_US - 1
