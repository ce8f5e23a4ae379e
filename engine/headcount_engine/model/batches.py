"""Batches of rows as columns: what the write path takes from every door (wire, file, Python).

Everything here is plain arrays. A batch has n rows; every column has n entries. Nothing is validated beyond shapes:
that is `ingest.admission`.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headcount_engine.errors import InvalidValue
from headcount_engine.model.values import Kind, ValueType

U8 = NDArray[np.uint8]
U32 = NDArray[np.uint32]
U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
"""One bool per row."""


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """n texts in UTF-8, end to end. `data`: u8; `offsets`: i64 of n + 1, text i is data[offsets[i]:offsets[i+1]]."""

    data: U8
    offsets: I64

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> str:
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes().decode()

    @staticmethod
    def of(texts: Sequence[str]) -> Texts:
        """From Python strings. A lone surrogate is kept as three bytes that admission refuses."""
        texts = list(texts)
        offsets = np.zeros(len(texts) + 1, dtype=np.int64)
        joined = "\0".join(texts)
        if joined.isascii():
            ended = np.frombuffer(f"{joined}\0".encode(), dtype=np.uint8)
            ends = np.flatnonzero(ended == 0)
            if len(ends) == len(texts):
                np.subtract(ends, np.arange(len(ends)), out=offsets[1:])
                return Texts(ended[ended != 0], offsets)
        encoded = [t.encode("utf-8", "surrogatepass") for t in texts]
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded))
        data = np.frombuffer(bytearray(b"".join(encoded)), dtype=np.uint8)
        np.cumsum(lengths, out=offsets[1:])
        return Texts(data, offsets)

    @staticmethod
    def of_bytes(data: bytes, offsets: I64) -> Texts:
        """From packed bytes; `offsets` must start at 0, not decrease and end at len(data), else InvalidValue."""
        if (
            not len(offsets)
            or offsets[0] != 0
            or offsets[-1] != len(data)
            or (len(offsets) > 1 and bool((np.diff(offsets) < 0).any()))
        ):
            raise InvalidValue("text offsets do not fit the text bytes")
        # Not the bytes themselves: kernels are compiled for arrays that can be written, and anew for others.
        own = np.frombuffer(bytearray(data), dtype=np.uint8)
        return Texts(own, np.ascontiguousarray(offsets, dtype=np.int64))

    @property
    def raw(self) -> tuple[U8, I64]:
        """(data, offsets), as kernels take them."""
        return self.data, self.offsets

    def take(self, rows: NDArray[np.integer]) -> Texts:
        """The texts at `rows`, in that order. For a few; `indexes.texts.take_texts` is for many."""
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        lengths = ends - starts
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        source = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1], dtype=np.int64)
        return Texts(self.data[source], offsets)

    def to_list(self) -> list[str]:
        raw, ends = self.data.tobytes(), self.offsets.tolist()
        return [raw[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(ends)]


class Change(enum.Enum):
    """What a column does to the rows where it is present."""

    SET = "set"
    ADD = "add"
    """Unite a set with the given elements."""
    REMOVE = "remove"
    """Take the given elements out of a set."""
    INCREMENT = "increment"
    """Add to a number; an absent one counts as 0."""


NOT_SAID: Final = -(1 << 63)
"""No instant of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One attribute or property for n rows.

    values   BOOL: bool or u8; INT, DECIMAL (unscaled), INSTANT (us): i64; DATE (days): i32; FLOAT: f64; TEXT: Texts;
             POINT: f64 of (n, 2), latitude then longitude; TEXT_SET: Texts of all elements, row by row
    present  bool per row: False leaves the attribute of that row as it is (an event: has no such property).
             None: every row
    unset    bool per row: True makes the attribute absent (null). None: no row
    element_offsets  TEXT_SET only: i64 of n + 1 into `values`
    """

    name: str
    type: ValueType
    values: NDArray[np.generic] | Texts
    present: Mask | None = None
    unset: Mask | None = None
    change: Change = Change.SET
    element_offsets: I64 | None = None
    is_identifier: bool = False
    """Profiles only: the text identifies the profile, unique within this name."""
    given_us: I64 | None = None
    """Answers about a consent topic only: when each was given, i64 per row, NOT_SAID where it is the write's now."""

    def __post_init__(self) -> None:
        kind = self.type.kind
        if self.given_us is not None and (kind is not Kind.BOOL or len(self.given_us) != len(self)):
            raise InvalidValue("only answers about topics have instants, one a row", path=self.name)
        if kind is Kind.TEXT_SET:
            offsets = self.element_offsets
            if offsets is None or not isinstance(self.values, Texts) or len(offsets) == 0:
                raise InvalidValue("a set column needs element offsets", path=self.name)
            if offsets[0] != 0 or offsets[-1] != len(self.values) or bool((np.diff(offsets) < 0).any()):
                raise InvalidValue("element offsets do not fit the elements", path=self.name)
        elif (kind is Kind.TEXT) != isinstance(self.values, Texts):
            raise InvalidValue("text columns hold texts, others arrays", path=self.name)

    def __len__(self) -> int:
        if self.element_offsets is not None:
            return len(self.element_offsets) - 1
        return len(self.values)


def _check_lengths(rows: int, columns: Iterable[Column]) -> None:
    for column in columns:
        if len(column) != rows:
            raise InvalidValue(f"column has {len(column)} rows where the batch has {rows}", path=column.name)
        for mask in (column.present, column.unset):
            if mask is not None and len(mask) != rows:
                raise InvalidValue("a mask of another length than its column", path=column.name)


@dataclass(frozen=True, slots=True, eq=False)
class ProfileBatch:
    """A patch of n profiles: attributes not mentioned stay as they are; later rows of one key win over earlier ones."""

    keys: Texts
    columns: tuple[Column, ...] = ()
    create: bool = True
    """False refuses rows whose key is unknown."""
    all_or_nothing: bool = False
    recreate: bool = False
    """True lets the key of an erased profile make a new one; else such rows are refused."""

    def __post_init__(self) -> None:
        _check_lengths(len(self.keys), self.columns)

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True, eq=False)
class EventBatch:
    """n events in arrival order. `names`: one name for all, or one per row. `times_us`: i64.

    `keys`: whose they are, by key, or by the dense ids (i64) that `Database.profile_ids` gives. An id stays its
    profile's for ever; once that was merged into another the event is the other's, and an erased one's is turned away.
    """

    keys: Texts | I64
    names: str | Texts
    times_us: I64
    properties: tuple[Column, ...] = ()
    event_ids: Texts | None = None
    """An empty text is no id."""
    create: bool = True
    all_or_nothing: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.keys, Texts) and (self.keys.dtype.kind not in "ui" or self.keys.ndim != 1):
            raise InvalidValue("profiles are named by keys or by whole numbers, one a row")
        rows = len(self.keys)
        _check_lengths(rows, self.properties)
        for other in (self.times_us, self.event_ids, self.names):
            if other is not None and not isinstance(other, str) and len(other) != rows:
                raise InvalidValue(f"{len(other)} entries where the batch has {rows} rows")

    def __len__(self) -> int:
        return len(self.keys)


class Reason(enum.Enum):
    """Why a row was not taken."""

    BAD_KEY = "bad_key"
    UNKNOWN_PROFILE = "unknown_profile"
    ERASED_PROFILE = "erased_profile"
    BAD_TIME = "bad_time"
    OUTSIDE_WINDOW = "outside_window"
    WRONG_TYPE = "wrong_type"
    BAD_VALUE = "bad_value"
    BAD_NAME = "bad_name"
    IDENTIFIER_TAKEN = "identifier_taken"
    DUPLICATE = "duplicate"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """`row` counts from 0 within the batch. `message` names fields and limits, never values."""

    row: int
    field: str
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True)
class WriteReceipt:
    """What a write did. `duplicates` were events already known by their id: counted as accepted before, not again."""

    version: int
    now_us: int
    accepted: int
    created: int = 0
    duplicates: int = 0
    rejected: tuple[RejectedRow, ...] = ()
