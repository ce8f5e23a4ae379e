"""Batches for a stream of writes: rows gathered into columns, and what the server answers, added up.

Nothing here sends anything; the writers of the sync and the async client both stand on it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from headcount.rows import CellInput, EventColumns, ProfileColumns
from headcount.v1 import column_pb2, event_service_pb2
from headcount.values import RejectedRow, WriteReceipt
from headcount.wire import columns, decode
from headcount.wire.calls import path_of
from headcount.wire.columns import ABSENT, FLOAT_INT_MAX, Shape, checked_shape, joined
from headcount.wire.encode import INT64_MAX, decimal_parts, instant_us, refused, text

INGEST_PATH = path_of("EventService", "IngestStream")
REJECTED_ROWS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How a stream writes.

    `batch_rows` rows make a batch; at most `in_flight` batches wait for their answers, none longer than
    `stall_timeout_s` without any answer. `create` says whether unknown keys make new profiles, `all_or_nothing` whether
    one bad row refuses its batch.
    """

    batch_rows: int = 10_000
    in_flight: int = 4
    stall_timeout_s: float = 60.0
    create: bool = True
    recreate: bool = False
    all_or_nothing: bool = False

    def __post_init__(self) -> None:
        if self.batch_rows < 1 or self.in_flight < 1:
            raise refused("batch_rows", "a batch has at least one row, and at least one batch is in flight")


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What a stream wrote. `version` is the last one; reads with `min_version` see everything.

    `rejected_rows` holds the first 10,000, their positions counted from the start of the stream.
    """

    version: int
    accepted_rows: int
    created_profiles: int
    duplicate_events: int
    rejected_row_count: int
    rejected_rows: tuple[RejectedRow, ...]


@dataclass(slots=True)
class GrowingColumn:
    """The values of one name in the batch being gathered; rows before its first are ABSENT.

    `magnitude` bounds its numbers and `digits` is the most after the point, to know whether one column can hold a
    further number beside them exactly.
    """

    values: list[object] = field(default_factory=list)
    shape: Shape | None = None
    magnitude: int = 0
    digits: int = 0

    def takes(self, value: CellInput, shape: Shape) -> bool:
        """Whether a value that is one can stand beside those that are here."""
        if self.shape is None:
            return True
        both = joined(self.shape, shape)
        if both is Shape.FLOAT and self.shape is not shape:
            return max(self.magnitude, _magnitude(value)) <= FLOAT_INT_MAX
        if both is Shape.DECIMAL:
            scale = int(10 ** max(self.digits, _digits(value)))
            return max(self.magnitude, _magnitude(value)) * scale <= INT64_MAX
        return both is not None

    def put(self, row: int, value: CellInput, shape: Shape | None) -> None:
        self.values.extend([ABSENT] * (row - len(self.values)))
        self.values.append(value)
        if shape is not None:
            self.shape = shape if self.shape is None else joined(self.shape, shape)
            self.magnitude = max(self.magnitude, _magnitude(value))
            self.digits = max(self.digits, _digits(value))


def _magnitude(value: CellInput) -> int:
    """An upper bound of an integer's or decimal's size; 0 for other values."""
    if isinstance(value, Decimal):
        return abs(int(value)) + 1
    return abs(value) if isinstance(value, int) else 0


def _digits(value: CellInput) -> int:
    return decimal_parts(value, "")[1] if isinstance(value, Decimal) else 0


def checked_shapes(cells: Mapping[str, CellInput], field_name: str) -> dict[str, Shape]:
    """The shapes of the values that are not null; raises InvalidArgument for what is not a value.

    Checked before the row joins a batch, so that a bad row never takes good ones with it.
    """
    return {
        name: checked_shape(value, f"{field_name}.{name}")
        for name, value in cells.items()
        if value is not None
    }


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event but for its properties."""

    name: str
    key: str
    time_us: int
    id: str


@dataclass(slots=True)
class RowGatherer:
    """Rows of one kind, all of them checked, on their way into columns."""

    keys: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    times_us: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    columns: dict[str, GrowingColumn] = field(default_factory=dict)

    def fits(self, cells: Mapping[str, CellInput], shapes: Mapping[str, Shape]) -> bool:
        """Whether every value can stand in the column of its name; if not, a new batch has to begin."""
        return all(
            name not in self.columns or self.columns[name].takes(cells[name], shape)
            for name, shape in shapes.items()
        )

    def add_profile(self, key: str, cells: Mapping[str, CellInput], shapes: Mapping[str, Shape]) -> None:
        self._put(cells, shapes)
        self.keys.append(key)

    def add_event(self, row: EventRow, cells: Mapping[str, CellInput], shapes: Mapping[str, Shape]) -> None:
        self._put(cells, shapes)
        self.names.append(row.name)
        self.keys.append(row.key)
        self.times_us.append(row.time_us)
        self.ids.append(row.id)

    def _put(self, cells: Mapping[str, CellInput], shapes: Mapping[str, Shape]) -> None:
        row = len(self.keys)
        for name, value in cells.items():
            self.columns.setdefault(name, GrowingColumn()).put(row, value, shapes.get(name))

    def _columns(self, field_name: str) -> list[column_pb2.Column]:
        rows = len(self.keys)
        made = []
        for name, column in self.columns.items():
            column.values.extend([ABSENT] * (rows - len(column.values)))
            made.append(columns.column(name, column.values, f"{field_name}.{name}"))
        return made

    def profile_batch(self) -> column_pb2.ProfileBatch:
        return column_pb2.ProfileBatch(
            key_column=columns.text_column(self.keys, "keys"), attributes=self._columns("attributes")
        )

    def event_batch(self) -> column_pb2.EventBatch:
        out = column_pb2.EventBatch(
            key_column=columns.text_column(self.keys, "keys"),
            times_us=columns.little_endian("q", self.times_us),
            properties=self._columns("properties"),
        )
        if len(set(self.names)) == 1:
            out.event_names.append(self.names[0])
        else:
            out.event_name_column.CopyFrom(columns.text_column(self.names, "names"))
        if any(self.ids):
            out.event_id_column.CopyFrom(columns.text_column(self.ids, "ids"))
        return out


class Batches:
    """Cuts what callers write into requests, in order: profiles and events never overtake one another.

    Each method returns the requests that are now ready to be sent, serialised.
    """

    def __init__(self, options: IngestOptions) -> None:
        self._options = options
        self._profiles = RowGatherer()
        self._events = RowGatherer()
        self._batch_number = 0
        self._rows_sent = 0
        self._stream_id = uuid.uuid4().hex
        self.starts: dict[int, int] = {}

    def profile(self, key: str, attributes: Mapping[str, CellInput]) -> list[bytes]:
        text(key, "key")
        shapes = checked_shapes(attributes, "attributes")
        ready = self._flush_events()
        if not self._profiles.fits(attributes, shapes):
            ready += self._flush_profiles()
        self._profiles.add_profile(key, attributes, shapes)
        return ready + (
            self._flush_profiles() if len(self._profiles.keys) >= self._options.batch_rows else []
        )

    def event(
        self, name: str, key: str, time: dt.datetime, event_id: str, properties: Mapping[str, CellInput]
    ) -> list[bytes]:
        row = EventRow(text(name, "name"), text(key, "key"), instant_us(time), text(event_id, "id"))
        present = {prop: value for prop, value in properties.items() if value is not None}
        shapes = checked_shapes(present, "properties")
        ready = self._flush_profiles()
        if not self._events.fits(present, shapes):
            ready += self._flush_events()
        self._events.add_event(row, present, shapes)
        return ready + (self._flush_events() if len(self._events.keys) >= self._options.batch_rows else [])

    def profiles(self, given: ProfileColumns) -> list[bytes]:
        batch = columns.profile_batch(given)
        return [*self.flush(), self._request(len(given.keys), profiles=batch)]

    def events(self, given: EventColumns) -> list[bytes]:
        batch = columns.event_batch(given)
        return [*self.flush(), self._request(len(given.keys), events=batch)]

    def flush(self) -> list[bytes]:
        """What has been gathered so far, however little."""
        return self._flush_profiles() + self._flush_events()

    def _flush_profiles(self) -> list[bytes]:
        gathered, self._profiles = self._profiles, RowGatherer()
        rows = len(gathered.keys)
        return [self._request(rows, profiles=gathered.profile_batch())] if rows else []

    def _flush_events(self) -> list[bytes]:
        gathered, self._events = self._events, RowGatherer()
        rows = len(gathered.keys)
        return [self._request(rows, events=gathered.event_batch())] if rows else []

    def _request(
        self,
        rows: int,
        *,
        profiles: column_pb2.ProfileBatch | None = None,
        events: column_pb2.EventBatch | None = None,
    ) -> bytes:
        self._batch_number += 1
        self.starts[self._batch_number] = self._rows_sent
        self._rows_sent += rows
        return event_service_pb2.IngestStreamRequest(
            batch_number=self._batch_number,
            profiles=profiles,
            events=events,
            create=self._options.create,
            recreate=self._options.recreate,
            all_or_nothing=self._options.all_or_nothing,
            request_id=f"{self._stream_id}-{self._batch_number}",
        ).SerializeToString()


class Tally:
    """The answers of a stream, added up."""

    def __init__(self, starts: dict[int, int]) -> None:
        self._starts = starts
        self.version = 0
        self.answered_batches = 0
        self.accepted_rows = 0
        self._created_profiles = 0
        self._duplicate_events = 0
        self._rejected_row_count = 0
        self._rejected_rows: list[RejectedRow] = []

    def add(self, answer: bytes) -> WriteReceipt:
        """Take one answer in; its rejected rows come back with positions counted from the start of the stream."""
        message = event_service_pb2.IngestStreamResponse.FromString(answer)
        receipt = decode.tracked(message)
        start = self._starts.pop(message.batch_number, 0)
        moved = tuple(RejectedRow(start + r.row, r.field, r.reason, r.message) for r in receipt.rejected_rows)
        self.version = max(self.version, receipt.version)
        self.answered_batches += 1
        self.accepted_rows += receipt.accepted_rows
        self._created_profiles += receipt.created_profiles
        self._duplicate_events += receipt.duplicate_events
        self._rejected_row_count += len(moved)
        self._rejected_rows += moved[: REJECTED_ROWS_KEPT - len(self._rejected_rows)]
        return WriteReceipt(
            version=receipt.version,
            now=receipt.now,
            engine_us=receipt.engine_us,
            accepted_rows=receipt.accepted_rows,
            created_profiles=receipt.created_profiles,
            duplicate_events=receipt.duplicate_events,
            rejected_rows=moved,
        )

    def summary(self) -> IngestSummary:
        return IngestSummary(
            self.version,
            self.accepted_rows,
            self._created_profiles,
            self._duplicate_events,
            self._rejected_row_count,
            tuple(self._rejected_rows),
        )
