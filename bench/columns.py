"""One column of generated rows, and the two forms it takes: a column of an engine batch, and an Arrow array."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headcount_engine.model.batches import Column, Mask, Texts
from headcount_engine.model.values import Kind, ValueType


class Vocabulary:
    """The values that a text column draws from."""

    def __init__(self, words: list[str]) -> None:
        self.words = words

    @cached_property
    def texts(self) -> Texts:
        return Texts.of(self.words)

    @cached_property
    def arrow(self) -> pa.Array:
        return pa.array(self.words, pa.string())


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """n generated values. Texts and sets are codes into a vocabulary; decimals are unscaled; a set has `offsets`."""

    name: str
    type: ValueType
    values: NDArray[np.generic]
    present: Mask | None = None
    vocabulary: Vocabulary | None = None
    offsets: NDArray[np.int64] | None = None

    def to_column(self) -> Column:
        """As the engine takes it."""
        if self.vocabulary is None:
            return Column(self.name, self.type, self.values, self.present)
        texts = self.vocabulary.texts.take(self.values.astype(np.int64, copy=False))
        return Column(self.name, self.type, texts, self.present, element_offsets=self.offsets)

    def to_arrow(self) -> pa.Array:
        """As Parquet takes it: money as decimals, text as dictionaries."""
        absent = None if self.present is None else ~self.present
        match self.type.kind:
            case Kind.TEXT:
                assert self.vocabulary is not None
                codes = pa.array(self.values.astype(np.int32), mask=absent)
                return pa.DictionaryArray.from_arrays(codes, self.vocabulary.arrow)
            case Kind.TEXT_SET:
                assert self.vocabulary is not None and self.offsets is not None
                elements = self.vocabulary.arrow.take(pa.array(self.values))
                offsets = pa.array(self.offsets.astype(np.int32))
                lists = pa.ListArray.from_arrays(offsets, elements)
                validity = _validity(self.present)
                return pa.ListArray.from_buffers(
                    lists.type, len(lists), [validity, lists.buffers()[1]], children=[elements]
                )
            case Kind.DECIMAL:
                halves = np.empty((len(self.values), 2), dtype=np.int64)
                halves[:, 0] = self.values
                halves[:, 1] = halves[:, 0] >> 63
                type_ = pa.decimal128(12, self.type.digits)
                buffers = [_validity(self.present), pa.py_buffer(halves)]
                return pa.Array.from_buffers(type_, len(self.values), buffers)
            case Kind.INSTANT:
                return pa.array(self.values, pa.timestamp("us", "UTC"), mask=absent)
            case Kind.DATE:
                return pa.array(self.values, pa.int32(), mask=absent).cast(pa.date32())
            case _:
                return pa.array(self.values, mask=absent)


def _validity(present: Mask | None) -> pa.Buffer | None:
    return None if present is None else pa.py_buffer(np.packbits(present, bitorder="little"))


def numbered(prefix: str, numbers: NDArray[np.integer], digits: int) -> Texts:
    """Texts `prefix` + number with leading zeros, all of one length."""
    raw = np.empty((len(numbers), len(prefix) + digits), dtype=np.uint8)
    raw[:, : len(prefix)] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    rest = numbers.astype(np.int64)
    for at in range(len(prefix) + digits - 1, len(prefix) - 1, -1):
        rest, digit = np.divmod(rest, 10)
        raw[:, at] = digit + ord("0")
    offsets = np.arange(len(numbers) + 1, dtype=np.int64) * raw.shape[1]
    return Texts(raw.reshape(-1), offsets)


def texts_to_arrow(texts: Texts) -> pa.Array:
    """An Arrow string array over the same bytes."""
    buffers = [None, pa.py_buffer(texts.offsets.astype(np.int32)), pa.py_buffer(texts.data)]
    return pa.Array.from_buffers(pa.string(), len(texts), buffers)


def texts_from_arrow(array: pa.Array) -> Texts:
    """The texts of an Arrow string or dictionary array; null is empty."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    array = array.cast(pa.large_string())
    _, offsets, data = array.buffers()
    starts = np.frombuffer(offsets, dtype=np.int64)[array.offset : array.offset + len(array) + 1]
    raw = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, dtype=np.uint8)
    return Texts(raw[starts[0] : starts[-1]], starts - starts[0])
