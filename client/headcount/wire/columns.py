"""From columns of Python values to the columns of a batch."""

from __future__ import annotations

import datetime as dt
import enum
import sys
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from decimal import Decimal
from itertools import accumulate
from typing import Final

from headcount.rows import CellInput, ColumnInput, EventColumns, ProfileColumns, SetColumnInput
from headcount.v1 import column_pb2, value_pb2
from headcount.values import Point
from headcount.wire.encode import (
    cell,
    checked_float,
    checked_int,
    decimal_parts,
    instant_us,
    refused,
    scaled,
    text,
    text_list,
)

REPEATS_MIN = 4
"""Texts that occur so often on average travel once, with a code for each place."""

FLOAT_INT_MAX = 2**53
"""Up to here every integer is a double."""

EPOCH_ORDINAL = dt.date(1970, 1, 1).toordinal()


class Missing(enum.Enum):
    """What a row says that has nothing to say about a column's name."""

    ABSENT = "absent"


ABSENT: Final = Missing.ABSENT


class Shape(enum.Enum):
    """How a column's values are held in Python; INT may turn into DECIMAL or FLOAT when such a value joins."""

    BOOL = value_pb2.VALUE_TYPE_BOOL
    INT = value_pb2.VALUE_TYPE_INT
    DECIMAL = value_pb2.VALUE_TYPE_DECIMAL
    FLOAT = value_pb2.VALUE_TYPE_FLOAT
    TEXT = value_pb2.VALUE_TYPE_TEXT
    TEXT_SET = value_pb2.VALUE_TYPE_TEXT_SET
    INSTANT = value_pb2.VALUE_TYPE_INSTANT
    DATE = value_pb2.VALUE_TYPE_DATE
    POINT = value_pb2.VALUE_TYPE_POINT


_SHAPES: dict[type, Shape] = {
    bool: Shape.BOOL, int: Shape.INT, Decimal: Shape.DECIMAL, float: Shape.FLOAT, str: Shape.TEXT,
    set: Shape.TEXT_SET, frozenset: Shape.TEXT_SET, list: Shape.TEXT_SET, tuple: Shape.TEXT_SET,
    dt.datetime: Shape.INSTANT, dt.date: Shape.DATE, Point: Shape.POINT,
}  # fmt: skip


def shape_of(value: object, field: str) -> Shape:
    """The shape of one value that is neither null nor absent; raises InvalidArgument for what is not a value."""
    shape = _SHAPES.get(type(value))
    if shape is not None:
        return shape
    for kind, shape in _SHAPES.items():
        if isinstance(value, kind):
            return shape
    raise refused(field, f"{type(value).__name__} is not a type of value")


def checked_shape(value: CellInput, field: str) -> Shape:
    """The shape of one value that is neither null nor absent; raises InvalidArgument if no column can hold it."""
    cell(value, field)
    return shape_of(value, field)


def joined(one: Shape, other: Shape) -> Shape | None:
    """The shape of a column that holds both, or None where no column can."""
    if one is other:
        return one
    pair = {one, other}
    if Shape.INT in pair and (Shape.DECIMAL in pair or Shape.FLOAT in pair):
        return Shape.DECIMAL if Shape.DECIMAL in pair else Shape.FLOAT
    return None


def bits(flags: Sequence[bool]) -> bytes:
    """One bit a flag, least significant first; linear in the number of flags."""
    if not flags:
        return b""
    digits = "".join("1" if flag else "0" for flag in reversed(flags))
    return int(digits, 2).to_bytes((len(flags) + 7) // 8, "little")


def little_endian(typecode: str, values: Iterable[int] | Iterable[float]) -> bytes:
    packed = array(typecode, values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def text_column(texts: Sequence[object], field: str) -> column_pb2.TextColumn:
    """Texts packed, each distinct one once where they repeat; raises InvalidArgument for what is not a text."""
    distinct = dict.fromkeys(texts)
    repeated = len(distinct) * REPEATS_MIN <= len(texts)
    stored: list[bytes] = []
    for each in distinct if repeated else texts:
        try:
            stored.append(str.encode(each))  # type: ignore[arg-type]
        except (TypeError, UnicodeEncodeError):
            raise refused(f"{field}[{list(texts).index(each)}]", "not a text of whole characters") from None
    out = column_pb2.TextColumn(
        utf8=b"".join(stored), offsets=little_endian("I", accumulate(map(len, stored), initial=0))
    )
    if repeated:
        codes = dict(zip(distinct, range(len(distinct)), strict=True))
        out.codes = little_endian("I", [codes[each] for each in texts])
    return out


def column(name: str, values: Sequence[object], field: str) -> column_pb2.Column:
    """A column of cells, nulls (None) and ABSENT; raises InvalidArgument where the types do not go together."""
    shape: Shape | None = None
    for row, value in enumerate(values):
        if value is None or value is ABSENT:
            continue
        found = shape_of(value, f"{field}[{row}]")
        if found is not shape:
            shape = found if shape is None else joined(shape, found)
            if shape is None:
                raise refused(
                    f"{field}[{row}]", f"{type(value).__name__} does not go with the rows before it"
                )
    out = column_pb2.Column(name=name, type=(shape or Shape.TEXT).value)
    if any(value is ABSENT for value in values):
        out.present = bits([value is not ABSENT for value in values])
    if any(value is None for value in values):
        out.nulls = bits([value is None for value in values])
    _fill(out, shape or Shape.TEXT, [None if value is ABSENT else value for value in values], field)
    return out


def _fill(out: column_pb2.Column, shape: Shape, values: Sequence[object], field: str) -> None:
    """Write the values; rows without one get the place that the layout demands."""
    if shape is Shape.TEXT:
        texts = [value if isinstance(value, str) else "" for value in values]
        out.text_column.CopyFrom(text_column(texts, field))
    elif shape is Shape.TEXT_SET:
        _fill_sets(out, values, field)
    elif shape is Shape.DECIMAL:
        _fill_decimals(out, values, field)
    else:
        out.values = _PACKERS[shape](values, field)


def _fill_sets(out: column_pb2.Column, values: Sequence[object], field: str) -> None:
    elements: list[str] = []
    offsets = [0]
    for row, value in enumerate(values):
        if isinstance(value, Set | list | tuple):
            elements += text_list(value, f"{field}[{row}]")
        offsets.append(len(elements))
    out.offsets = little_endian("I", offsets)
    out.text_column.CopyFrom(text_column(elements, field))


def _fill_decimals(out: column_pb2.Column, values: Sequence[object], field: str) -> None:
    digits = 0
    for row, value in enumerate(values):
        if isinstance(value, Decimal):
            digits = max(digits, decimal_parts(value, f"{field}[{row}]")[1])
    out.digits = digits
    out.values = little_endian(
        "q",
        [
            checked_int(scaled(value, digits), f"{field}[{row}]") if isinstance(value, Decimal | int) else 0
            for row, value in enumerate(values)
        ],
    )


def _bools(values: Sequence[object], field: str) -> bytes:
    return bytes([value is True for value in values])


def _ints(values: Sequence[object], field: str) -> bytes:
    return little_endian(
        "q",
        [checked_int(v, f"{field}[{row}]") if isinstance(v, int) else 0 for row, v in enumerate(values)],
    )


def _floats(values: Sequence[object], field: str) -> bytes:
    out = array("d")
    for row, value in enumerate(values):
        if isinstance(value, int):
            if int(float(value)) != value:
                raise refused(f"{field}[{row}]", "an integer that no double can hold, among floats")
            value = float(value)
        out.append(checked_float(value, f"{field}[{row}]") if isinstance(value, float) else 0.0)
    return little_endian("d", out)


def _instants(values: Sequence[object], field: str) -> bytes:
    return little_endian(
        "q",
        [
            instant_us(v, f"{field}[{row}]") if isinstance(v, dt.datetime) else 0
            for row, v in enumerate(values)
        ],
    )


def _dates(values: Sequence[object], field: str) -> bytes:
    return little_endian(
        "i", [v.toordinal() - EPOCH_ORDINAL if isinstance(v, dt.date) else 0 for v in values]
    )


def _points(values: Sequence[object], field: str) -> bytes:
    flat = array("d")
    for row, value in enumerate(values):
        point = value if isinstance(value, Point) else Point(0.0, 0.0)
        flat.append(checked_float(point.latitude, f"{field}[{row}]"))
        flat.append(checked_float(point.longitude, f"{field}[{row}]"))
    return little_endian("d", flat)


_PACKERS: dict[Shape, Callable[[Sequence[object], str], bytes]] = {
    Shape.BOOL: _bools,
    Shape.INT: _ints,
    Shape.FLOAT: _floats,
    Shape.INSTANT: _instants,
    Shape.DATE: _dates,
    Shape.POINT: _points,
}

_RAW = {"?": Shape.BOOL, "q": Shape.INT, "d": Shape.FLOAT}


def raw_column(name: str, values: memoryview, field: str) -> column_pb2.Column:
    """A column from memory that holds bools, int64 or float64 already; copied once."""
    layout = "q" if values.format == "l" and values.itemsize == 8 else values.format
    shape = _RAW.get(layout)
    if shape is None or values.ndim != 1 or sys.byteorder != "little":
        raise refused(
            field, f"memory of format {values.format!r} is neither bool, int64 nor float64 in one dimension"
        )
    return column_pb2.Column(name=name, type=shape.value, values=values.tobytes())


def _sized(count: int, rows: int, field: str) -> None:
    if count != rows:
        raise refused(field, f"{count} values for {rows} rows")


def any_column(
    name: str, values: ColumnInput, rows: int, field: str, missing: object = None
) -> column_pb2.Column:
    """One column of `rows` rows; a None among the values becomes `missing`."""
    if isinstance(values, str):
        raise refused(field, "a column is a list of values, not one text")
    if not isinstance(values, list | tuple):
        try:
            memory = memoryview(values)  # type: ignore[arg-type]
        except TypeError:
            values = list(values)
        else:
            _sized(len(memory), rows, field)
            return raw_column(name, memory, field)
    _sized(len(values), rows, field)
    return column(name, values if missing is None else [missing if v is None else v for v in values], field)


def _set_column(name: str, values: SetColumnInput, rows: int, field: str) -> column_pb2.Column | None:
    """A column of sets, or nothing when no column was given."""
    if not values:
        return None
    _sized(len(values), rows, field)
    out = column(name, [ABSENT if value is None else value for value in values], field)
    out.type = value_pb2.VALUE_TYPE_TEXT_SET
    if not out.offsets:
        out.offsets = little_endian("I", [0] * (rows + 1))
        out.text_column.CopyFrom(text_column((), field))
    return out


def _set_columns(columns: Mapping[str, SetColumnInput], rows: int, field: str) -> list[column_pb2.Column]:
    made = [_set_column(name, values, rows, f"{field}.{name}") for name, values in columns.items()]
    return [each for each in made if each is not None]


def profile_batch(given: ProfileColumns) -> column_pb2.ProfileBatch:
    """A batch of profiles; raises InvalidArgument for columns of another length or of mixed types."""
    rows = len(given.keys)
    for topic in given.consent_times.keys() - given.consents.keys():
        raise refused(f"consent_times.{topic}", "instants of answers that are not in `consents`")
    return column_pb2.ProfileBatch(
        key_column=text_column(given.keys, "keys"),
        attributes=[any_column(name, v, rows, f"attributes.{name}") for name, v in given.attributes.items()],
        increments=[
            any_column(name, v, rows, f"increments.{name}", ABSENT) for name, v in given.increments.items()
        ],
        elements_added=_set_columns(given.elements_added, rows, "elements_added"),
        elements_removed=_set_columns(given.elements_removed, rows, "elements_removed"),
        tags_added=_set_column("", given.tags_added, rows, "tags_added"),
        tags_removed=_set_column("", given.tags_removed, rows, "tags_removed"),
        channels_added=_set_column("", given.channels_added, rows, "channels_added"),
        channels_removed=_set_column("", given.channels_removed, rows, "channels_removed"),
        identifiers=[
            any_column(kind, v, rows, f"identifiers.{kind}", ABSENT) for kind, v in given.identifiers.items()
        ],
        consents=[
            _consent_column(topic, v, given.consent_times.get(topic), rows)
            for topic, v in given.consents.items()
        ],
    )


def _consent_column(
    topic: str, answers: Sequence[bool | None], times: Sequence[dt.datetime | None] | None, rows: int
) -> column_pb2.ConsentColumn:
    _sized(len(answers), rows, f"consents.{topic}")
    out = column_pb2.ConsentColumn(topic=topic, subscribed=bytes([answer is True for answer in answers]))
    if None in answers:
        out.present = bits([answer is not None for answer in answers])
    if times is not None:
        path = f"consent_times.{topic}"
        _sized(len(times), rows, path)
        out.times_us = little_endian(
            "q", [-(1 << 63) if t is None else instant_us(t, f"{path}[{row}]") for row, t in enumerate(times)]
        )
    return out


def event_batch(given: EventColumns) -> column_pb2.EventBatch:
    """A batch of events; raises InvalidArgument for columns of another length or of mixed types."""
    rows = len(given.keys)
    if isinstance(given.times, memoryview):
        times_us = raw_column("", given.times, "times").values
    else:
        times_us = little_endian("q", [instant_us(t, f"times[{row}]") for row, t in enumerate(given.times)])
    _sized(len(times_us) // 8, rows, "times")
    out = column_pb2.EventBatch(
        key_column=text_column(given.keys, "keys"),
        times_us=times_us,
        properties=[
            any_column(name, v, rows, f"properties.{name}", ABSENT) for name, v in given.properties.items()
        ],
    )
    if isinstance(given.names, str):
        out.event_names.append(text(given.names, "names"))
    else:
        _sized(len(given.names), rows, "names")
        out.event_name_column.CopyFrom(text_column(given.names, "names"))
    if given.ids:
        _sized(len(given.ids), rows, "ids")
        out.event_id_column.CopyFrom(text_column(given.ids, "ids"))
    return out
