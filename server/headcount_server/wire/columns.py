"""Batches sent column by column: raw little-endian bytes become arrays in one copy, without a loop over rows.

The bytes are copied, not viewed: kernels are compiled for arrays that may be written, and the message would
otherwise live as long as the slowest reader of its column.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import InvalidArgument
from headcount_engine.indexes.texts import take_texts
from headcount_engine.model import batches
from headcount_engine.model.batches import I64, Change, Texts
from headcount_engine.model.schema import CHANNELS, TAGS, consent_attribute
from headcount_engine.model.values import Kind, ValueType
from headcount_server.wire import messages
from headcount_server.wire.fields import mask
from headcount_server.wire.messages import Message
from headcount_server.wire.values import value_type

_DTYPES: Final[dict[Kind, np.dtype[np.generic]]] = {
    Kind.BOOL: np.dtype("u1"),
    Kind.INT: np.dtype("<i8"),
    Kind.DECIMAL: np.dtype("<i8"),
    Kind.FLOAT: np.dtype("<f8"),
    Kind.INSTANT: np.dtype("<i8"),
    Kind.DATE: np.dtype("<i4"),
    Kind.POINT: np.dtype(("<f8", (2,))),
}
_OFFSET: Final = np.dtype("<u4")
EXPANDED_BYTES_MAX: Final = 256 << 20
"""A message of a few megabytes may name one long text very often."""
_TEXT: Final = ValueType(Kind.TEXT)
_TEXT_SET: Final = ValueType(Kind.TEXT_SET)


def array(raw: bytes, dtype: np.dtype[np.generic], rows: int, path: str) -> NDArray[np.generic]:
    """`rows` entries in native byte order; refused unless the bytes are exactly as many as that takes."""
    if len(raw) != rows * dtype.itemsize:
        raise InvalidArgument(
            f"{rows:,} rows take {rows * dtype.itemsize:,} bytes of values, got {len(raw):,}", path=path
        )
    base = dtype.base
    flat = np.frombuffer(raw, dtype=base).astype(base.newbyteorder("="), copy=True)
    return flat.reshape((rows, *dtype.shape))


def instants(raw: bytes, rows: int, path: str) -> I64:
    """Microseconds a row. Which of them are instants at all is decided row by row at admission."""
    return array(raw, _DTYPES[Kind.INSTANT], rows, path).astype(np.int64, copy=False)


def column(
    message: messages.Column, rows: int, path: str, *, change: Change = Change.SET, name: str | None = None
) -> batches.Column:
    """One column of a batch. `name` replaces that of the message, for those that have none."""
    type_ = value_type(message.type, message.digits, path)
    present = mask(message.present, rows, f"{path}.present")
    nulls = mask(message.nulls, rows, f"{path}.nulls")
    values: NDArray[np.generic] | Texts
    offsets: I64 | None = None
    if type_.kind is Kind.TEXT or type_.kind is Kind.TEXT_SET:
        _refuse_bytes(message.values, f"{path}.values")
        values = texts(message, "texts", "text_column", path)
        if type_.kind is Kind.TEXT_SET:
            offsets = _offsets(message.offsets, rows, len(values), f"{path}.offsets")
        elif len(values) != rows:
            raise InvalidArgument(
                f"{rows:,} rows take as many texts, got {len(values):,}", path=f"{path}.texts"
            )
    else:
        if message.texts or message.HasField("text_column"):
            raise InvalidArgument("only columns of texts hold texts", path=f"{path}.texts")
        values = array(message.values, _DTYPES[type_.kind], rows, f"{path}.values")
        if type_.kind is Kind.BOOL and rows and int(values.view(np.uint8).max()) > 1:
            raise InvalidArgument("a bool is a byte of 0 or 1", path=f"{path}.values")
    if type_.kind is not Kind.TEXT_SET:
        _refuse_bytes(message.offsets, f"{path}.offsets")
    return batches.Column(name or message.name, type_, values, present, nulls, change, offsets)


def texts(message: Message, field: str, packed_field: str, path: str) -> Texts:
    """Texts in whichever of their two forms the message has them; nothing in either is no text."""
    given: Sequence[str] = getattr(message, field)
    if not message.HasField(packed_field):
        return Texts.of(given)
    if given:
        raise InvalidArgument(f"either {field} or {packed_field}, not both", path=f"{path}.{packed_field}")
    return packed_texts(getattr(message, packed_field), f"{path}.{packed_field}")


def packed_texts(message: messages.TextColumn, path: str) -> Texts:
    """Texts from two arrays, repeated as the codes say. That the bytes are UTF-8 is decided row by row at admission."""
    count = len(message.offsets) // _OFFSET.itemsize - 1
    offsets = array(message.offsets, _OFFSET, max(count, 0) + 1, f"{path}.offsets").astype(np.int64)
    if offsets[0] != 0 or offsets[-1] != len(message.utf8) or bool((np.diff(offsets) < 0).any()):
        raise InvalidArgument(
            "offsets start at 0, never fall and end at the length of utf8", path=f"{path}.offsets"
        )
    stored = Texts(np.frombuffer(message.utf8, dtype=np.uint8).copy(), offsets)
    if not message.codes:
        return stored
    rows = len(message.codes) // _OFFSET.itemsize
    codes = array(message.codes, _OFFSET, rows, f"{path}.codes").astype(np.int64)
    if int(codes.max()) >= count:
        raise InvalidArgument(f"a code is less than the number of texts, {count:,}", path=f"{path}.codes")
    if int((offsets[codes + 1] - offsets[codes]).sum()) > EXPANDED_BYTES_MAX:
        raise InvalidArgument(
            f"codes stand for at most {EXPANDED_BYTES_MAX:,} bytes of text", path=f"{path}.codes"
        )
    return take_texts(*stored.raw, codes)


def _refuse_bytes(raw: bytes, path: str) -> None:
    if raw:
        raise InvalidArgument("a column of this type has none", path=path)


def _offsets(raw: bytes, rows: int, texts: int, path: str) -> I64:
    offsets = array(raw, np.dtype("<u4"), rows + 1, path).astype(np.int64)
    if offsets[0] != 0 or offsets[-1] != texts or bool((np.diff(offsets) < 0).any()):
        raise InvalidArgument("offsets start at 0, never fall and end at the number of texts", path=path)
    return offsets


def profile_batch(
    message: messages.ProfileBatch, path: str, *, create: bool, all_or_nothing: bool
) -> batches.ProfileBatch:
    """The batch; the columns that take away stand before those that add."""
    keys = texts(message, "keys", "key_column", path)
    rows = len(keys)
    columns = [column(c, rows, f"{path}.attributes[{i}]") for i, c in enumerate(message.attributes)]
    columns.extend(
        column(c, rows, f"{path}.increments[{i}]", change=Change.INCREMENT)
        for i, c in enumerate(message.increments)
    )
    columns.extend(_sets(message.elements_removed, rows, f"{path}.elements_removed", Change.REMOVE))
    columns.extend(_sets(message.elements_added, rows, f"{path}.elements_added", Change.ADD))
    for field, name, change in (
        ("tags_removed", TAGS, Change.REMOVE),
        ("tags_added", TAGS, Change.ADD),
        ("channels_removed", CHANNELS, Change.REMOVE),
        ("channels_added", CHANNELS, Change.ADD),
    ):
        if message.HasField(field):
            part: messages.Column = getattr(message, field)
            columns.append(
                _of_type(column(part, rows, f"{path}.{field}", change=change, name=name), _TEXT_SET)
            )
    columns.extend(
        as_identifier(_of_type(column(c, rows, f"{path}.identifiers[{i}]"), _TEXT))
        for i, c in enumerate(message.identifiers)
    )
    columns.extend(_consent(c, rows, f"{path}.consents[{i}]") for i, c in enumerate(message.consents))
    return batches.ProfileBatch(keys, tuple(columns), create, all_or_nothing)


def _consent(message: messages.ConsentColumn, rows: int, path: str) -> batches.Column:
    answers = messages.Column(
        type=messages.ValueType.VALUE_TYPE_BOOL, values=message.subscribed, present=message.present
    )
    made = column(answers, rows, path, name=consent_name(message.topic, f"{path}.topic"))
    if not message.times_us:
        return made
    return replace(made, given_us=instants(message.times_us, rows, f"{path}.times_us"))


def consent_name(topic: str, path: str) -> str:
    """The column that holds the answers about a topic."""
    if not topic:
        raise InvalidArgument("a topic has a name", path=path)
    return consent_attribute(unicodedata.normalize("NFC", topic))


def _sets(
    columns: Iterable[messages.Column], rows: int, path: str, change: Change
) -> Iterable[batches.Column]:
    return (
        _of_type(column(c, rows, f"{path}[{i}]", change=change), _TEXT_SET) for i, c in enumerate(columns)
    )


def _of_type(made: batches.Column, type_: ValueType) -> batches.Column:
    if made.type != type_:
        raise InvalidArgument(f"this column holds values of type {type_}, not {made.type}", path=made.name)
    return made


def as_identifier(made: batches.Column) -> batches.Column:
    """The same column, its texts identifying the profile."""
    return batches.Column(made.name, made.type, made.values, made.present, made.unset, is_identifier=True)


def event_batch(
    message: messages.EventBatch, path: str, *, create: bool, all_or_nothing: bool
) -> batches.EventBatch:
    """The batch; a single name stands for all rows."""
    keys = texts(message, "keys", "key_column", path)
    names = texts(message, "event_names", "event_name_column", path)
    ids = texts(message, "event_ids", "event_id_column", path)
    rows = len(keys)
    is_one_name = len(message.event_names) == 1
    if len(names) != rows and not is_one_name:
        raise InvalidArgument(
            f"one name, or one for each of {rows:,} rows, got {len(names):,}", path=f"{path}.event_names"
        )
    if len(ids) and len(ids) != rows:
        raise InvalidArgument(
            f"no ids, or one for each of {rows:,} rows, got {len(ids):,}", path=f"{path}.event_ids"
        )
    return batches.EventBatch(
        keys=keys,
        names=message.event_names[0] if is_one_name else names,
        times_us=instants(message.times_us, rows, f"{path}.times_us"),
        properties=tuple(
            column(c, rows, f"{path}.properties[{i}]") for i, c in enumerate(message.properties)
        ),
        event_ids=ids if len(ids) else None,
        create=create,
        all_or_nothing=all_or_nothing,
    )
