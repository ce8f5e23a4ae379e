"""Ready batches as messages: raw little-endian arrays, and texts in two arrays or as codes into few."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headcount.v1 import column_pb2, event_service_pb2, value_pb2
from headcount_engine.model.values import Kind
from headcount_server.loading.batches import ReadyBatch, ReadyColumn
from headcount_server.loading.options import CONSENTS, Role

MESSAGE_BYTES = 3 << 20
"""What one message aims at: gRPC servers take 4 MB unless told otherwise."""

_TYPES = {
    Kind.BOOL: value_pb2.VALUE_TYPE_BOOL,
    Kind.INT: value_pb2.VALUE_TYPE_INT,
    Kind.DECIMAL: value_pb2.VALUE_TYPE_DECIMAL,
    Kind.FLOAT: value_pb2.VALUE_TYPE_FLOAT,
    Kind.TEXT: value_pb2.VALUE_TYPE_TEXT,
    Kind.TEXT_SET: value_pb2.VALUE_TYPE_TEXT_SET,
    Kind.INSTANT: value_pb2.VALUE_TYPE_INSTANT,
    Kind.DATE: value_pb2.VALUE_TYPE_DATE,
    Kind.POINT: value_pb2.VALUE_TYPE_POINT,
}
_CODE_BYTES = 4
_PROBE_ROWS = 512


def messages(batch: ReadyBatch) -> Iterator[tuple[int, event_service_pb2.IngestStreamRequest]]:
    """The batch in messages of about MESSAGE_BYTES, each with the index of its first row in the batch."""
    start, rows = 0, len(batch)
    step = min(rows, 1_000)
    while start < rows:
        message = _message(batch, start, min(start + step, rows))
        size = message.ByteSize()
        if size > MESSAGE_BYTES and step > 1:
            step = max(1, min(step - 1, int(step * MESSAGE_BYTES / size * 0.95)))
            continue
        if size < MESSAGE_BYTES // 2 and start + step < rows:
            step = min(rows - start, max(step + 1, int(step * MESSAGE_BYTES / size * 0.9)))
            continue
        yield start, message
        start += step


def _message(batch: ReadyBatch, start: int, stop: int) -> event_service_pb2.IngestStreamRequest:
    keys = text_column(batch.keys.slice(start, stop - start))
    if batch.times is None:
        return event_service_pb2.IngestStreamRequest(profiles=_profiles(batch, start, stop, keys))
    events = column_pb2.EventBatch(
        key_column=keys,
        times_us=_raw(batch.times[start:stop], np.int64),
        properties=[_column(column, start, stop) for column in batch.columns],
    )
    if isinstance(batch.names, str):
        events.event_names.append(batch.names)
    else:
        events.event_name_column.CopyFrom(text_column(batch.names.slice(start, stop - start)))
    if batch.ids is not None:
        events.event_id_column.CopyFrom(text_column(batch.ids.slice(start, stop - start)))
    return event_service_pb2.IngestStreamRequest(events=events)


def _profiles(
    batch: ReadyBatch, start: int, stop: int, keys: column_pb2.TextColumn
) -> column_pb2.ProfileBatch:
    profiles = column_pb2.ProfileBatch(key_column=keys)
    for column in batch.columns:
        if column.plan.role is Role.CONSENT:
            profiles.consents.append(_consent(column, start, stop))
            continue
        packed = _column(column, start, stop)
        match column.plan.role:
            case Role.IDENTIFIER:
                profiles.identifiers.append(packed)
            case Role.TAGS:
                profiles.tags_added.CopyFrom(packed)
            case Role.CHANNELS:
                profiles.channels_added.CopyFrom(packed)
            case _:
                profiles.attributes.append(packed)
    return profiles


def _consent(column: ReadyColumn, start: int, stop: int) -> column_pb2.ConsentColumn:
    """Answers about one topic; whoever gave none says nothing."""
    data = column.data.sliced(start, stop)
    return column_pb2.ConsentColumn(
        topic=column.plan.name.removeprefix(CONSENTS),
        subscribed=_raw(data.values, np.uint8),
        present=b"" if data.present.all() else _bits(data.present),
    )


def _column(column: ReadyColumn, start: int, stop: int) -> column_pb2.Column:
    kind = column.plan.type
    assert kind is not None, "a column without a type has no values and is left out"
    data = column.data.sliced(start, stop)
    packed = column_pb2.Column(type=_TYPES[kind.kind], digits=kind.digits)
    if column.plan.role not in (Role.TAGS, Role.CHANNELS):
        packed.name = column.plan.name
    present = data.present
    if column.nulls is not None and (nulls := column.nulls[start:stop]).any():
        packed.nulls = _bits(nulls)
        present = present | nulls
    if not present.all():
        packed.present = _bits(present)
    match kind.kind:
        case Kind.TEXT:
            packed.text_column.CopyFrom(text_column(data.values))
        case Kind.TEXT_SET:
            offsets, elements = _elements(data.values)
            packed.offsets = offsets
            packed.text_column.CopyFrom(text_column(elements))
        case Kind.BOOL:
            packed.values = _raw(data.values, np.uint8)
        case Kind.INT | Kind.DECIMAL | Kind.INSTANT:
            packed.values = _raw(data.values, np.int64)
        case Kind.DATE:
            packed.values = _raw(data.values, np.int32)
        case Kind.FLOAT | Kind.POINT:
            packed.values = _raw(data.values, np.float64)
    return packed


def _raw(values: NDArray[np.generic], dtype: type[np.generic]) -> bytes:
    return np.ascontiguousarray(values, dtype=np.dtype(dtype).newbyteorder("<")).tobytes()


def _bits(mask: NDArray[np.bool_]) -> bytes:
    return np.packbits(mask, bitorder="little").tobytes()


def text_column(texts: pa.Array) -> column_pb2.TextColumn:
    """Texts in two arrays, or as codes where few repeat. A null may stand as any text."""
    if pa.types.is_dictionary(texts.type):
        return _coded(texts)
    probe = texts.slice(0, _PROBE_ROWS)
    if len(texts) > _PROBE_ROWS and len(probe.unique()) < _PROBE_ROWS // 8:
        return _coded(texts.dictionary_encode())
    offsets, utf8 = _packed(texts)
    return column_pb2.TextColumn(offsets=offsets, utf8=utf8)


def _coded(texts: pa.Array) -> column_pb2.TextColumn:
    if len(texts.dictionary) * 4 > len(texts) and len(texts.dictionary) > 64:
        # A dictionary made for a whole file says more than one slice of it needs.
        texts = texts.dictionary_decode().dictionary_encode()
        if len(texts.dictionary) * 2 > len(texts):
            offsets, utf8 = _packed(texts.dictionary_decode())
            return column_pb2.TextColumn(offsets=offsets, utf8=utf8)
    codes = texts.indices.fill_null(0) if texts.indices.null_count else texts.indices
    dictionary = texts.dictionary
    if not len(dictionary):
        dictionary = pa.array([""], pa.string())
    offsets, utf8 = _packed(dictionary)
    raw_codes = _raw(codes.to_numpy(zero_copy_only=False), np.uint32)
    return column_pb2.TextColumn(offsets=offsets, utf8=utf8, codes=raw_codes)


def _packed(texts: pa.Array) -> tuple[bytes, bytes]:
    """Offsets from 0 and the bytes they point into."""
    if pa.types.is_null(texts.type) or not len(texts):
        return bytes(4 * (len(texts) + 1)), b""
    if not pa.types.is_string(texts.type):
        texts = texts.cast(pa.string())
    _, ends, data = texts.buffers()
    offsets = np.frombuffer(ends, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    first, last = int(offsets[0]), int(offsets[-1])
    utf8 = b"" if data is None else memoryview(data)[first:last].tobytes()
    return _raw(offsets - first, np.uint32), utf8


def _elements(lists: pa.Array) -> tuple[bytes, pa.Array]:
    """Offsets of each row's elements, and all elements. A null row has none."""
    elements = lists.flatten()
    lengths = lists.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.zeros(len(lists) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return _raw(offsets, np.uint32), elements
