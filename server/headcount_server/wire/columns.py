"""Batches sent column by column: raw little-endian bytes become arrays in one copy, without a loop over rows.

The bytes are copied, not viewed: kernels are compiled for arrays that may be written, and the message would
otherwise live as long as the slowest reader of its column.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import InvalidArgument
from headcount_engine.model import batches
from headcount_engine.model.batches import I64, Change, Texts
from headcount_engine.model.schema import CHANNELS, TAGS
from headcount_engine.model.values import Kind, ValueType
from headcount_server.errors import NotServed
from headcount_server.wire import messages
from headcount_server.wire.fields import mask
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
        values = Texts.of(message.texts)
        if type_.kind is Kind.TEXT_SET:
            offsets = _offsets(message.offsets, rows, len(values), f"{path}.offsets")
        elif len(values) != rows:
            raise InvalidArgument(
                f"{rows:,} rows take as many texts, got {len(values):,}", path=f"{path}.texts"
            )
    else:
        if message.texts:
            raise InvalidArgument("only columns of texts hold texts", path=f"{path}.texts")
        values = array(message.values, _DTYPES[type_.kind], rows, f"{path}.values")
        if type_.kind is Kind.BOOL and rows and int(values.view(np.uint8).max()) > 1:
            raise InvalidArgument("a bool is a byte of 0 or 1", path=f"{path}.values")
    if type_.kind is not Kind.TEXT_SET:
        _refuse_bytes(message.offsets, f"{path}.offsets")
    return batches.Column(name or message.name, type_, values, present, nulls, change, offsets)


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
    rows = len(message.keys)
    if message.consents:
        raise NotServed("consent is", path=f"{path}.consents")
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
    return batches.ProfileBatch(Texts.of(message.keys), tuple(columns), create, all_or_nothing)


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
    rows = len(message.keys)
    names = len(message.event_names)
    if names != rows and names != 1:
        raise InvalidArgument(
            f"one name, or one for each of {rows:,} rows, got {names:,}", path=f"{path}.event_names"
        )
    if message.event_ids and len(message.event_ids) != rows:
        raise InvalidArgument(
            f"no ids, or one for each of {rows:,} rows, got {len(message.event_ids):,}",
            path=f"{path}.event_ids",
        )
    return batches.EventBatch(
        keys=Texts.of(message.keys),
        names=message.event_names[0] if names == 1 else Texts.of(message.event_names),
        times_us=instants(message.times_us, rows, f"{path}.times_us"),
        properties=tuple(
            column(c, rows, f"{path}.properties[{i}]") for i, c in enumerate(message.properties)
        ),
        event_ids=Texts.of(message.event_ids) if message.event_ids else None,
        create=create,
        all_or_nothing=all_or_nothing,
    )
