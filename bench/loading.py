"""From the generated files into a database, with only the engine's own time on the clock."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.columns import texts_from_arrow
from bench.generator import Files
from bench.tiers import DAY_US, NOW_US
from headcount_engine import Database
from headcount_engine.changes.options import ChangeOptions
from headcount_engine.clock import Clock, ManualClock
from headcount_engine.model.batches import Column, EventBatch, ProfileBatch
from headcount_engine.model.values import Kind, ValueType

BATCH_ROWS = 100_000
_KEPT_US = 3_650 * DAY_US
"""Clocks of benchmarks run fast: what joined and left is compared at the end, all of it."""


def new_database(clock: Clock | None = None) -> Database:
    """Empty, in memory, at the end of the generated history unless the clock says something else."""
    return Database.open(None, clock=clock or ManualClock(NOW_US), changes=ChangeOptions(kept_us=_KEPT_US))


@dataclass(slots=True)
class Load:
    """What a load cost the engine."""

    profiles: int = 0
    events: int = 0
    profile_seconds: float = 0.0
    event_seconds: float = 0.0


def load(
    database: Database,
    files: Files,
    names: list[str] | None = None,
    *,
    events: bool = True,
    batches: int | None = None,
) -> Load:
    """Write a tier's profiles (all attributes, or those named), then its events, in batches of 100,000 text keys.

    `batches`: only so many of each.
    """
    done = Load()
    for profile_batch in itertools.islice(profile_batches(files.profiles, names), batches):
        started = time.perf_counter()
        receipt = database.write_profiles(profile_batch)
        done.profile_seconds += time.perf_counter() - started
        done.profiles += receipt.accepted
        _expect_all(receipt.accepted, len(profile_batch))
    for event_batch in itertools.islice(event_batches(files.events), batches if events else 0):
        started = time.perf_counter()
        receipt = database.write_events(event_batch)
        done.event_seconds += time.perf_counter() - started
        done.events += receipt.accepted
        _expect_all(receipt.accepted, len(event_batch))
    return done


def _expect_all(accepted: int, rows: int) -> None:
    if accepted != rows:
        raise RuntimeError(f"the engine took {accepted} of {rows} generated rows")


def profile_batches(path: Path, names: list[str] | None = None) -> Iterator[ProfileBatch]:
    columns = None if names is None else ["key", *names]
    for part in pq.ParquetFile(path).iter_batches(BATCH_ROWS, columns=columns):
        yield profile_batch(part)


def profile_batch(part: pa.RecordBatch) -> ProfileBatch:
    made = [column(n, part.column(n)) for n in part.schema.names if n != "key"]
    return ProfileBatch(texts_from_arrow(part.column("key")), tuple(made))


def event_batches(path: Path, rows: int = BATCH_ROWS) -> Iterator[EventBatch]:
    for part in pq.ParquetFile(path).iter_batches(rows):
        yield event_batch(part)


def event_batch(part: pa.RecordBatch) -> EventBatch:
    times = part.column("time").cast(pa.int64()).to_numpy(zero_copy_only=False)
    made = [column(n, part.column(n)) for n in part.schema.names if n not in ("key", "name", "time")]
    names, keys = texts_from_arrow(part.column("name")), texts_from_arrow(part.column("key"))
    return EventBatch(keys, names, times, tuple(made))


def column(name: str, array: pa.Array) -> Column:
    """An Arrow array as a column of a batch."""
    present = array.is_valid().to_numpy(zero_copy_only=False) if array.null_count else None
    type_ = array.type
    if pa.types.is_string(type_) or pa.types.is_dictionary(type_):
        return Column(name, ValueType(Kind.TEXT), texts_from_arrow(array), present)
    if pa.types.is_list(type_):
        starts = np.asarray(array.offsets, dtype=np.int64)
        elements = texts_from_arrow(array.flatten())
        return Column(name, ValueType(Kind.TEXT_SET), elements, present, element_offsets=starts - starts[0])
    if pa.types.is_boolean(type_):
        return Column(name, ValueType(Kind.BOOL), _plain(array, np.bool_), present)
    if pa.types.is_decimal(type_):
        halves = np.frombuffer(array.buffers()[1], dtype=np.int64)[::2]
        return Column(
            name,
            ValueType(Kind.DECIMAL, type_.scale),
            halves[array.offset : array.offset + len(array)].copy(),
            present,
        )
    if pa.types.is_timestamp(type_):
        return Column(name, ValueType(Kind.INSTANT), _plain(array.cast(pa.int64()), np.int64), present)
    if pa.types.is_date(type_):
        return Column(name, ValueType(Kind.DATE), _plain(array.cast(pa.int32()), np.int32), present)
    if pa.types.is_floating(type_):
        return Column(name, ValueType(Kind.FLOAT), _plain(array, np.float64), present)
    return Column(name, ValueType(Kind.INT), _plain(array, np.int64), present)


def _plain(array: pa.Array, dtype: type) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    zero = False if pa.types.is_boolean(array.type) else 0
    values: np.ndarray[tuple[int], np.dtype[np.generic]] = array.fill_null(zero).to_numpy(
        zero_copy_only=False
    )
    return values.astype(dtype, copy=False)
