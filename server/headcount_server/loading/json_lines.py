"""Lines of JSON one by one: what each name holds, and which lines do not fit."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np
import pyarrow as pa

from headcount_engine.model.values import Kind
from headcount_server.loading.problems import Rejected
from headcount_server.loading.raw import I64, Mask

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1


class NumberText(str):
    """A JSON number as it was written."""

    __slots__ = ()

    @property
    def is_whole(self) -> bool:
        return self.lstrip("-").isdigit() and INT64_MIN <= int(self) <= INT64_MAX


Json = str | NumberText | bool | None | list["Json"] | dict[str, "Json"]


class Shape(enum.Enum):
    """What the values of one name look like."""

    EMPTY = "nothing yet"
    BOOL = "true or false"
    WHOLE = "a whole number of 64 bits"
    NUMBER = "a number"
    TEXT = "a text"
    LIST = "a list of texts"
    NUMBER_LIST = "a list of numbers"
    POINT = "a latitude and a longitude"
    """A list of two numbers with a point in each, as an export writes one."""
    MIXED = "text"
    """Texts and numbers: all are texts, as written."""
    WHOLE_AS_TEXT = "text "
    """As MIXED, where so far all are whole numbers: Arrow may read them as such."""
    OBJECT = "an object"


_LISTS = frozenset({Shape.LIST, Shape.NUMBER_LIST, Shape.POINT})


def arrow_type(shape: Shape) -> pa.DataType:
    """How a column of that shape is held."""
    match shape:
        case Shape.EMPTY:
            return pa.null()
        case Shape.BOOL:
            return pa.bool_()
        case Shape.WHOLE:
            return pa.int64()
        case Shape.NUMBER:
            return pa.float64()
        case Shape.TEXT | Shape.MIXED | Shape.WHOLE_AS_TEXT:
            return pa.string()
        case Shape.LIST:
            return pa.list_(pa.string())
        case Shape.NUMBER_LIST:
            return pa.list_(pa.float64())
        case Shape.POINT:
            return pa.list_(pa.float64(), 2)
        case Shape.OBJECT:
            return pa.struct([])
        case _:
            assert_never(shape)


def shape_of(values: Iterable[Json]) -> Shape:
    """The shape that fits all values, null aside."""
    shape = Shape.EMPTY
    for value in values:
        seen = _shape(value)
        if seen is shape or seen is Shape.EMPTY:
            continue
        if shape is Shape.EMPTY:
            shape = seen
        elif {shape, seen} == {Shape.WHOLE, Shape.NUMBER}:
            shape = Shape.NUMBER
        elif Shape.OBJECT in (shape, seen):
            return Shape.OBJECT
        elif {shape, seen} == {Shape.POINT, Shape.NUMBER_LIST}:
            shape = Shape.NUMBER_LIST
        elif not _LISTS.isdisjoint((shape, seen)):
            shape = Shape.LIST
        else:
            shape = Shape.MIXED
    return shape


def declared_shape(shape: Shape, kind: Kind) -> Shape:
    """The shape for a column of that declared kind whose values so far look like `shape`."""
    match kind, shape:
        case ((Kind.FLOAT | Kind.DECIMAL), Shape.WHOLE):
            return Shape.NUMBER
        case Kind.TEXT, Shape.WHOLE:
            return Shape.WHOLE_AS_TEXT
        case Kind.TEXT, (Shape.NUMBER | Shape.BOOL):
            return Shape.MIXED
        case Kind.TEXT_SET, (Shape.NUMBER_LIST | Shape.POINT):
            return Shape.LIST
        case Kind.POINT, Shape.POINT:
            return Shape.NUMBER_LIST
        case _:
            return shape


def _shape(value: Json) -> Shape:
    match value:
        case None:
            return Shape.EMPTY
        case bool():
            return Shape.BOOL
        case NumberText():
            return Shape.WHOLE if value.is_whole else Shape.NUMBER
        case str():
            return Shape.TEXT
        case list():
            if value and all(isinstance(element, NumberText) for element in value):
                return Shape.POINT if _is_point(value) else Shape.NUMBER_LIST
            return Shape.LIST if value else Shape.EMPTY
        case dict():
            return Shape.OBJECT
        case _:
            assert_never(value)


def _is_point(numbers: Sequence[Json]) -> bool:
    if len(numbers) != 2 or any("." not in str(number) for number in numbers):
        return False
    latitude, longitude = (float(str(number)) for number in numbers)
    return abs(latitude) <= 90 and abs(longitude) <= 180


@dataclass(frozen=True, slots=True, eq=False)
class BuiltColumn:
    """One name of some rows. `problems`: (row, reason) of values that do not fit; they are null in the array."""

    array: pa.Array
    is_null: Mask
    problems: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True, eq=False)
class JsonRows:
    """Objects read line by line, and the lines that hold none."""

    objects: Sequence[dict[str, Json]]
    lines: Sequence[bytes]
    positions: I64
    rejected: Sequence[Rejected]
    next_line: int

    def __len__(self) -> int:
        return len(self.objects)

    def names(self) -> list[str]:
        return list(dict.fromkeys(name for row in self.objects for name in row))

    def values(self, name: str) -> Iterable[Json]:
        return (row.get(name) for row in self.objects)

    def text(self, row: int) -> str:
        return self.lines[row].decode("utf-8", "replace")

    def column(self, name: str, shape: Shape) -> BuiltColumn:
        """The values of one name as an Arrow array of that shape."""
        problems = list[tuple[int, str]]()
        out = list[object]()
        is_null = np.zeros(len(self.objects), dtype=np.bool_)
        for row, values in enumerate(self.objects):
            value = values.get(name)
            if value is None:
                is_null[row] = name in values
                out.append(None)
                continue
            if shape is Shape.OBJECT:
                # Only kept to be left out.
                out.append({})
                continue
            try:
                out.append(_fitted(value, shape))
            except _Misfit as misfit:
                problems.append((row, str(misfit)))
                out.append(None)
        return BuiltColumn(pa.array(out, arrow_type(shape)), is_null, problems)


class _Misfit(Exception):
    """A value of another shape than its column."""


def _fitted(value: Json, shape: Shape) -> object:
    """`value` as Python holds what `arrow_type(shape)` wants; raises _Misfit."""
    match shape:
        case Shape.BOOL if isinstance(value, bool):
            return value
        case Shape.WHOLE if isinstance(value, NumberText):
            if value.is_whole:
                return int(value)
            number = float(value)
            if number.is_integer() and abs(number) <= 1 << 53:
                return int(number)
        case Shape.NUMBER if isinstance(value, NumberText):
            number = float(value)
            if number in (float("inf"), float("-inf")):
                raise _Misfit("a number beyond the range of doubles")
            if value.is_whole and int(value) != number:
                raise _Misfit("a whole number that a float does not hold exactly")
            return number
        case Shape.TEXT if isinstance(value, str) and not isinstance(value, NumberText):
            return _encodable(value)
        case Shape.MIXED | Shape.WHOLE_AS_TEXT if isinstance(value, (str, bool)):
            return _as_written(value)
        case Shape.LIST if isinstance(value, list):
            return [_as_written(element) for element in value]
        case Shape.POINT if isinstance(value, list) and len(value) == 2:
            if all(isinstance(element, NumberText) for element in value):
                return [float(str(element)) for element in value]
        case Shape.NUMBER_LIST if isinstance(value, list):
            if all(isinstance(element, NumberText) for element in value):
                return [float(str(element)) for element in value]
        case _:
            pass
    raise _Misfit(f"not {shape.value}")


def _as_written(value: Json) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _encodable(str(value))
        case _:
            raise _Misfit("not a text")


def _encodable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _Misfit("not valid Unicode: half of a surrogate pair") from None
    return text


def read_lines(block: bytes, first_line: int) -> JsonRows:
    """The objects of a block of whole lines; blank lines are none."""
    objects = list[dict[str, Json]]()
    texts = list[bytes]()
    positions = list[int]()
    rejected = list[Rejected]()
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for position, line in enumerate(lines, first_line):
        if not line or line.isspace():
            continue
        try:
            value = _parsed(line)
        except UnicodeDecodeError:
            rejected.append(Rejected(position, "", "not valid UTF-8", line.decode("utf-8", "replace")))
        except (ValueError, RecursionError) as error:
            rejected.append(Rejected(position, "", f"not JSON: {_reason(error)}", line.decode()))
        else:
            if isinstance(value, dict):
                objects.append(value)
                texts.append(line)
                positions.append(position)
            else:
                rejected.append(Rejected(position, "", "not a JSON object", line.decode()))
    return JsonRows(objects, texts, np.array(positions, dtype=np.int64), rejected, first_line + len(lines))


def _parsed(line: bytes) -> Json:
    value: Json = json.loads(
        line.decode(),
        parse_int=NumberText,
        parse_float=NumberText,
        parse_constant=_no_constant,
        object_pairs_hook=_object,
    )
    return value


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not a value")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _reason(error: Exception) -> str:
    match error:
        case json.JSONDecodeError():
            return f"{error.msg} at column {error.colno}"
        case RecursionError():
            return "nested too deep"
        case _:
            return str(error)
